//! Files that name others must not lead out of their folder.

use std::fs;
use std::path::Path;

use dataset::import::{FaceOptions, ImportError, Imported, LabelSource, PictureOptions, imdb_faces, pictures};
use host::Silent;
use image::{GrayImage, Luma};

const PLAIN: &[u8] = include_bytes!("files/wiki-plain.mat");

fn picture(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    GrayImage::from_pixel(8, 8, Luma([9])).save(path).unwrap();
}

fn options() -> PictureOptions {
    PictureOptions { height: 4, width: 4, ..PictureOptions::default() }
}

fn import(folder: &Path, labels: &LabelSource) -> Result<Imported, ImportError> {
    pictures(folder, labels, &options(), false, &Silent)
}

fn listed(folder: &Path, name: &str) -> Result<Imported, ImportError> {
    let path = folder.join("list.csv");
    fs::write(&path, format!("file,class\n\"{name}\",a\n")).unwrap();
    import(folder, &LabelSource::Csv { path, file: "file".into(), labels: vec![] })
}

#[test]
fn a_list_does_not_lead_out_of_its_folder() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("items");
    picture(&root.path().join("secret.png"));
    picture(&folder.join("sub/a.png"));
    picture(&folder.join("..b.png"));
    for name in ["sub/a.png", "./sub/a.png", "..b.png"] {
        assert_eq!(listed(&folder, name).unwrap().data.len(), 1, "{name}");
    }
    let absolute = root.path().join("secret.png").display().to_string();
    for name in ["../secret.png", "sub/../../secret.png", "sub/../sub/a.png", "..\\secret.png", &absolute] {
        let error = listed(&folder, name).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("outside "), "{name}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out_of_the_folder() {
    use std::os::unix::fs::symlink;
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("items");
    picture(&root.path().join("elsewhere/secret.png"));
    picture(&folder.join("a/within.png"));
    let classes = LabelSource::Folders(vec!["class".into()]);
    // One that stays inside is as good as a file.
    symlink(folder.join("a/within.png"), folder.join("a/linked.png")).unwrap();
    assert_eq!(import(&folder, &classes).unwrap().data.len(), 2);
    assert_eq!(listed(&folder, "a/linked.png").unwrap().data.len(), 1);

    symlink(root.path().join("elsewhere/secret.png"), folder.join("a/out.png")).unwrap();
    for result in [import(&folder, &classes), listed(&folder, "a/out.png")] {
        let error = result.unwrap_err().to_string();
        assert!(error.contains("out.png is a link that leads out of"), "{error}");
    }
    fs::remove_file(folder.join("a/out.png")).unwrap();
    symlink(root.path().join("elsewhere"), folder.join("b")).unwrap();
    let error = import(&folder, &classes).unwrap_err().to_string();
    assert!(error.contains("b is a link that leads out of"), "{error}");
}

#[test]
fn a_description_of_faces_does_not_lead_out_of_its_folder() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("wiki");
    for name in ["01/a.jpg", "02/b.jpg"] {
        picture(&folder.join(name));
    }
    picture(&root.path().join("s.jpg"));
    // As long as the name in the file: `01/a.jpg`.
    let place = PLAIN.windows(8).position(|window| window == b"01/a.jpg").unwrap();
    for (name, refused) in [("01/a.jpg", false), ("../s.jpg", true), ("/../.jpg", true)] {
        let mut bytes = PLAIN.to_vec();
        bytes[place..place + 8].copy_from_slice(name.as_bytes());
        let path = folder.join("wiki.mat");
        fs::write(&path, bytes).unwrap();
        let options = FaceOptions { picture: options(), ..FaceOptions::default() };
        let result = imdb_faces(&path, &options, false, &Silent);
        match result {
            Ok(_) => assert!(!refused, "{name}"),
            Err(error) => assert!(refused && error.to_string().contains("outside "), "{name}: {error}"),
        }
    }
}
