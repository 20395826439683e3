//! Which files a job reads.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use host::files::{FileError, folder_of};

use super::Rows;
use super::items::Items;
use super::objects::{Address, Object};
use super::remote::Remote;
use super::source::Source;
use crate::BulkError;

const EXTENSION: &str = "parquet";

/// What a job reads, divided into partitions: Parquet files or objects in the order of their names, which are all
/// different, or items of a data set.
#[derive(Clone, Debug)]
pub struct Inputs<'a>(Which<'a>);

#[derive(Clone, Debug)]
enum Which<'a> {
    Files(Vec<PathBuf>),
    Objects(Vec<Object>),
    Items(Vec<Items<'a>>),
}

/// One partition: the name of its result file, and its rows.
pub(super) struct Opened<'a> {
    pub path: PathBuf,
    pub file: PathBuf,
    pub rows: Box<dyn Rows + 'a>,
}

impl<'a> Inputs<'a> {
    /// The files that a text names: a file, a folder (all `.parquet` files in it), or a pattern with `*` and `?` in the
    /// last part, as `folder/*.parquet`. Objects of a store are named in the same way, as `s3://bucket/folder/*.parquet`.
    ///
    /// # Errors
    /// There is no such file, or the folder or the store cannot be read.
    pub fn find(text: &str) -> Result<Self, BulkError> {
        let path = Path::new(text);
        let nothing = || {
            let problem =
                "matches no Parquet file: give a file, a folder, or a pattern as 'folder/*.parquet' in quotes";
            BulkError::input(path, problem)
        };
        if let Some(address) = Address::of(path)? {
            let found = address.find(&wanted)?;
            return if found.is_empty() { Err(nothing()) } else { Ok(Self(Which::Objects(found))) };
        }
        let found = if path.is_file() {
            vec![path.to_owned()]
        } else if path.is_dir() {
            listed(path, &|name| wanted("", name))?
        } else {
            let pattern = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            listed(folder_of(path), &|name| !pattern.is_empty() && wanted(pattern, name))?
        };
        if found.is_empty() { Err(nothing()) } else { Ok(Self(Which::Files(found))) }
    }

    /// Items of `width` bytes each, numbered from `first`, in partitions of this many rows: `part-00000` and so on.
    /// Their columns are `id`, the number, and `item`, the bytes.
    pub fn items(bytes: &'a [u8], width: usize, first: u64, rows: usize) -> Self {
        let (width, rows) = (width.max(1), rows.max(1));
        let parts = bytes.chunks(width * rows).enumerate();
        Self(Which::Items(parts.map(|(part, bytes)| Items::new(bytes, width, first + (part * rows) as u64)).collect()))
    }

    /// These files; files in different folders must not have the same name.
    ///
    /// # Errors
    /// Two files have the same name, or one has none.
    pub fn files(mut files: Vec<PathBuf>) -> Result<Self, BulkError> {
        files.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
        let mut names = BTreeSet::new();
        match files.iter().find(|path| path.file_name().is_none_or(|name| !names.insert(name))) {
            Some(twice) => Err(BulkError::input(
                twice,
                "has the same name as another input: both would write the same result file",
            )),
            None => Ok(Self(Which::Files(files))),
        }
    }

    /// The files, if the input is files.
    pub fn paths(&self) -> &[PathBuf] {
        match &self.0 {
            Which::Files(paths) => paths,
            Which::Objects(_) | Which::Items(_) => &[],
        }
    }

    /// All partitions, opened: unreadable ones are refused here.
    pub(super) fn open(&self) -> Result<Vec<Opened<'a>>, BulkError> {
        let name = |part| PathBuf::from(format!("part-{part:05}.{EXTENSION}"));
        match &self.0 {
            Which::Files(paths) => paths
                .iter()
                .map(|path| {
                    let file = PathBuf::from(path.file_name().unwrap_or_default());
                    Ok(Opened { path: path.clone(), file, rows: Box::new(Source::open(path)?) })
                })
                .collect(),
            Which::Objects(objects) => objects
                .iter()
                .map(|object| {
                    let file = PathBuf::from(object.name());
                    Ok(Opened { path: object.shown(), file, rows: Box::new(Remote::open(object)?) })
                })
                .collect(),
            Which::Items(parts) => {
                let one = |(part, items): (usize, &Items<'a>)| {
                    Ok(Opened { path: PathBuf::new(), file: name(part), rows: Box::new(items.clone()) })
                };
                parts.iter().enumerate().map(one).collect()
            }
        }
    }
}

fn listed(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<PathBuf>, BulkError> {
    let failed = |source| FileError::System { path: folder.to_owned(), action: "read", source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if wanted(name) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a job reads files of this name, given a pattern or none. Engines leave hidden files next to theirs, such as
/// checksums.
fn wanted(pattern: &str, name: &str) -> bool {
    let parquet = || Path::new(name).extension().is_some_and(|found| found == EXTENSION);
    !name.starts_with(['.', '_'])
        && if pattern.is_empty() { parquet() } else { fits(pattern.as_bytes(), name.as_bytes()) }
}

/// Whether a name has the form of a pattern, in which `*` is any text and `?` any byte. Takes time `pattern · name`.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut place, mut star) = (0, 0, None);
    while at < name.len() {
        match pattern.get(place) {
            Some(b'*') => {
                star = Some((place, at));
                place += 1;
            }
            Some(&byte) if byte == b'?' || byte == name[at] => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((from, taken)) = star else { return false };
                star = Some((from, taken + 1));
                (at, place) = (taken + 1, from + 1);
            }
        }
    }
    pattern[place..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_shells() {
        let takes = |pattern: &str, name: &str| fits(pattern.as_bytes(), name.as_bytes());
        for (pattern, name) in [("*.parquet", "a.parquet"), ("p*t-?.pq", "part-7.pq"), ("*a*b", "xaxbab"), ("*", "")] {
            assert!(takes(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("*.parquet", "a.parque"), ("?", ""), ("a*b", "abc"), ("ab", "a"), ("", "a")] {
            assert!(!takes(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_folder_a_pattern_and_a_file_name_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.parquet", "a.parquet", ".hidden.parquet", "_SUCCESS", "notes.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let names = |text: &Path| {
            let inputs = Inputs::find(text.to_str().unwrap()).unwrap();
            inputs.paths().iter().map(|path| path.file_name().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(folder.path()), ["a.parquet", "b.parquet"]);
        assert_eq!(names(&folder.path().join("b*")), ["b.parquet"]);
        assert_eq!(names(&folder.path().join("notes.txt")), ["notes.txt"]);
        assert!(Inputs::find(folder.path().join("c*").to_str().unwrap()).is_err());
        let twice = vec![folder.path().join("a.parquet"), PathBuf::from("elsewhere/a.parquet")];
        assert!(Inputs::files(twice).is_err());
    }
}
