//! Damaged files of every kind: an error that names the file and what is wrong, and never a panic.

use std::path::{Path, PathBuf};

use dataset::{Dataset, handwriting};
use host::Silent;
use model::CompiledNetwork;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use training::{CompileOptions, History, Network, TrainOptions, compile, train};

fn files(folder: &Path) -> (PathBuf, PathBuf) {
    let data = handwriting::digits();
    let few: Vec<usize> = (0..400).collect();
    let data: Dataset = data.subset(&few);
    let options = TrainOptions {
        main: "digit".into(),
        collateral: vec![],
        units: 4,
        head: vec![8],
        steps: 5,
        batch: 50,
        ..TrainOptions::default()
    };
    let progress = Silent;
    let network = train(&data, &data, &options, &progress).unwrap();
    let options = CompileOptions { steps: 2, batch: 50, ..CompileOptions::default() };
    let (compiled, _) = compile(&network, &data, &options, &progress).unwrap();
    let (float, integer) = (folder.join("network.safetensors"), folder.join("compiled.safetensors"));
    network.save(&float).unwrap();
    compiled.save(&integer).unwrap();
    (float, integer)
}

#[test]
fn damaged_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (float, integer) = files(folder.path());
    let damaged = folder.path().join("damaged");
    for (path, float) in [(&float, true), (&integer, false)] {
        let whole = std::fs::read(path).unwrap();
        let load = |bytes: &[u8]| {
            std::fs::write(&damaged, bytes).unwrap();
            if float {
                Network::load(&damaged).map(|_| ()).map_err(|error| error.to_string())
            } else {
                CompiledNetwork::load(&damaged).map(|_| ()).map_err(|error| error.to_string())
            }
        };
        load(&whole).unwrap();
        for length in [0, 4, 8, 100, whole.len() / 2, whole.len() - 1] {
            let error = load(&whole[..length]).unwrap_err();
            assert!(error.contains("damaged"), "{error}");
        }
        // Every bit of an integer network counts; a float network only has to stay readable or be refused.
        for at in (0..whole.len()).step_by(whole.len() / 97 + 1) {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            let outcome = load(&flipped);
            let history = header(&whole).contains(&at);
            assert!(outcome.is_err() || float || history, "byte {at}");
        }
    }
}

/// The bytes of the header, part of which is the history of the network and free text.
fn header(bytes: &[u8]) -> std::ops::Range<usize> {
    8..8 + SafeTensors::read_metadata(bytes).unwrap().0
}

#[test]
fn a_value_that_is_not_a_number_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (float, _) = files(folder.path());
    let mut bytes = std::fs::read(&float).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let data = tensors.tensor("combine.weight").unwrap().data().as_ptr() as usize;
    let at = data - bytes.as_ptr() as usize;
    bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&float, bytes).unwrap();
    let error = Network::load(&float).unwrap_err().to_string();
    assert!(error.contains("`combine.weight` holds NaN at position 0"), "{error}");
}

/// The file again, with tensors more.
fn with_tensors(path: &Path, names: impl Iterator<Item = String>) {
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut views: Vec<(String, TensorView)> =
        tensors.tensors().into_iter().map(|(name, view)| (name.to_owned(), view)).collect();
    views.extend(names.map(|name| (name, TensorView::new(Dtype::U8, vec![1], &[7]).unwrap())));
    let changed = safetensors::serialize(views, header.metadata().clone()).unwrap();
    std::fs::write(path, changed).unwrap();
}

/// Tensors that the hash does not cover made another file of an approved hash.
#[test]
fn an_unknown_tensor_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_, integer) = files(folder.path());
    with_tensors(&integer, ["more".to_owned()].into_iter());
    let error = CompiledNetwork::load(&integer).unwrap_err().to_string();
    assert!(error.contains("`more` is unknown in a compiled network"), "{error}");
}

/// The header is parsed again for each layer: a file of thousands of them took minutes.
#[test]
fn thousands_of_tensors_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_, integer) = files(folder.path());
    with_tensors(&integer, (100..4100).map(|layer| format!("head.{layer}.weight")));
    let error = CompiledNetwork::load(&integer).unwrap_err().to_string();
    assert!(error.contains("more than the 512 allowed"), "{error}");
}

#[test]
fn one_kind_of_file_is_not_taken_for_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (float, integer) = files(folder.path());
    assert!(Network::load(&integer).unwrap_err().to_string().contains("is halflight compiled network"));
    assert!(CompiledNetwork::load(&float).unwrap_err().to_string().contains("is halflight network"));
    assert!(Network::load(&folder.path().join("none")).unwrap_err().to_string().contains("cannot read"));
}

#[test]
fn equal_runs_give_equal_bytes() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, second) = (files(one.path()), files(two.path()));
    assert_eq!(std::fs::read(first.0).unwrap(), std::fs::read(second.0).unwrap());
    assert_eq!(std::fs::read(first.1).unwrap(), std::fs::read(second.1).unwrap());
}

/// Options of a defence are read and written by the registry of defences: files that exist keep their form to the byte.
#[test]
fn records_of_stored_networks_keep_their_form() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../networks");
    let (mut floats, mut integers) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "safetensors") {
            continue;
        }
        let record = if path.to_string_lossy().ends_with(".float.safetensors") {
            floats += 1;
            Network::load(&path).unwrap().record().clone()
        } else {
            integers += 1;
            History::of(&CompiledNetwork::load(&path).unwrap()).unwrap().unwrap().record
        };
        let (_, header) = SafeTensors::read_metadata(&std::fs::read(&path).unwrap()).unwrap();
        let stored = &header.metadata().as_ref().unwrap()["halflight"];
        let record = format!(r#""record":{}"#, serde_json::to_string(&record).unwrap());
        assert!(stored.contains(&record), "{}: {record}", path.display());
    }
    assert_eq!((floats, integers), (6, 6));
}
