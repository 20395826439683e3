//! Which items there are, and their labels: from folders, file names or a CSV file.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::pattern::Pattern;
use super::{Budget, ImportError, Skipped, inside};

/// Where the labels of files come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelSource {
    /// One folder level per label, from the outermost: `["digit", "writer"]` for `7/anna/x.png`.
    Folders(Vec<String>),
    /// The file name, such as `{digit}_{speaker}_{}.wav`: a label's name in braces takes the shortest
    /// text up to what follows; `{}` is ignored. With a `/`, the pattern is of the path in the folder.
    Pattern(String),
    /// A CSV file with a header, one row per item. Only the files it names are read, and they must lie in the folder.
    Csv {
        /// The CSV file.
        path: PathBuf,
        /// The column of file names, relative to the folder of items.
        file: String,
        /// The columns that are labels; none for all columns but `file`.
        labels: Vec<String>,
    },
}

/// One file and its labels.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its place in the listing.
    pub index: u64,
    pub path: PathBuf,
    pub labels: Vec<String>,
}

/// The items found, and those whose labels are missing.
pub(super) struct Listing {
    pub label_names: Vec<String>,
    pub entries: Vec<Result<Entry, Skipped>>,
}

/// Deeper than the folders of any collection; stops loops of links.
const DEEPEST: usize = 16;

/// What separates columns.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// What a row takes in memory besides its texts.
const ROW: u64 = 256;

/// Room for file names and labels of many millions of rows.
const CSV_LIMIT: u64 = 1 << 30;

impl LabelSource {
    /// Guesses: a single CSV file in the folder; otherwise file names of three parts, as in
    /// `{main}_{collateral}_{index}.wav`; otherwise one folder level as the label `class`.
    pub fn infer(folder: &Path) -> Result<Self, ImportError> {
        let children = children(folder)?;
        let csv = |path: &&PathBuf| extension(path) == "csv";
        let found: Vec<&PathBuf> = children.iter().filter(csv).collect();
        match found[..] {
            [path] => {
                let wrong = |problem| ImportError::Description { path: folder.into(), problem };
                inside::check(folder, path).map_err(wrong)?;
                let header = csv_header(path)?;
                let known = ["file", "filename", "file_name", "path", "image", "wav", "name"];
                let file = header.iter().find(|name| known.contains(&name.to_lowercase().as_str()));
                let file = file.or(header.first()).cloned().unwrap_or_default();
                Ok(LabelSource::Csv { path: path.clone(), file, labels: vec![] })
            }
            _ => Ok(match common_ending(&children) {
                Some(ending) => LabelSource::Pattern(format!("{{main}}_{{collateral}}_{{index}}{ending}")),
                None => LabelSource::Folders(vec!["class".into()]),
            }),
        }
    }

    pub(super) fn list(&self, folder: &Path, extensions: &[&str], budget: &Budget) -> Result<Listing, ImportError> {
        match self {
            LabelSource::Folders(names) => by_path(folder, extensions, names.clone(), |relative| {
                let folders = relative.parent().into_iter().flat_map(Path::components);
                let folders: Vec<String> =
                    folders.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
                let found = folders.len();
                let problem = format!("it lies in {found} folders, and there are {} labels", names.len());
                (found == names.len()).then_some(folders).ok_or(problem)
            }),
            LabelSource::Pattern(text) => {
                let pattern = Pattern::parse(text)?;
                by_path(folder, extensions, pattern.names(), |relative| {
                    let whole = relative.to_string_lossy().replace('\\', "/");
                    let name = if text.contains('/') { &whole } else { whole.rsplit('/').next().unwrap_or(&whole) };
                    pattern.matches(name).ok_or_else(|| format!("its name does not match the pattern {text}"))
                })
            }
            LabelSource::Csv { path, file, labels } => by_csv(folder, path, file, labels, budget),
        }
    }
}

/// The extension, dot included, if all paths are files of it whose names have three parts.
fn common_ending(paths: &[PathBuf]) -> Option<String> {
    let ending = |path: &PathBuf| {
        let stem = path.file_stem()?.to_str()?;
        let three = stem.split('_').count() == 3 && stem.split('_').all(|part| !part.is_empty());
        let extension = path.extension()?.to_str()?;
        (three && path.is_file()).then(|| format!(".{extension}"))
    };
    let first: Option<String> = paths.first().and_then(ending);
    paths.iter().all(|path| ending(path) == first).then_some(first)?
}

fn by_path(
    folder: &Path,
    extensions: &[&str],
    label_names: Vec<String>,
    labels: impl Fn(&Path) -> Result<Vec<String>, String>,
) -> Result<Listing, ImportError> {
    let mut files = Vec::new();
    walk(folder, folder, extensions, DEEPEST, &mut files)?;
    let entry = |(index, path): (usize, PathBuf)| {
        let relative = path.strip_prefix(folder).unwrap_or(&path);
        let bad = |reason| Skipped { place: path.display().to_string(), reason };
        inside::check(folder, &path).map_err(bad)?;
        let labels = labels(relative).map_err(bad)?;
        Ok(Entry { index: index as u64, path, labels })
    };
    Ok(Listing { label_names, entries: files.into_iter().enumerate().map(entry).collect() })
}

fn walk(
    root: &Path,
    folder: &Path,
    extensions: &[&str],
    depth: usize,
    files: &mut Vec<PathBuf>,
) -> Result<(), ImportError> {
    for path in children(folder)? {
        if path.is_dir() {
            inside::check(root, &path).map_err(|problem| ImportError::Description { path: root.into(), problem })?;
            if depth > 0 {
                walk(root, &path, extensions, depth - 1, files)?;
            }
        } else if extensions.contains(&extension(&path).as_str()) {
            files.push(path);
        }
    }
    Ok(())
}

/// Sorted, without hidden files.
fn children(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let io = |source| ImportError::Io { path: folder.into(), source };
    let mut paths = Vec::new();
    for child in fs::read_dir(folder).map_err(io)? {
        let child = child.map_err(io)?;
        if !child.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(child.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn by_csv(folder: &Path, path: &Path, file: &str, labels: &[String], budget: &Budget) -> Result<Listing, ImportError> {
    let header = csv_header(path)?;
    let column = |name: &str| {
        header.iter().position(|found| found == name).ok_or_else(|| ImportError::Description {
            path: path.into(),
            problem: format!("it has no column `{name}`; choose one of {}", header.join(", ")),
        })
    };
    let file_column = column(file)?;
    let label_names: Vec<String> = match labels {
        [] => header.iter().filter(|name| *name != file).cloned().collect(),
        labels => labels.to_vec(),
    };
    let columns = label_names.iter().map(|name| column(name)).collect::<Result<Vec<_>, _>>()?;

    let mut seen = BTreeSet::new();
    let mut entries = Vec::new();
    for record in csv_reader(path)?.into_byte_records() {
        let bad = |line: u64, reason: &str| {
            Err(Skipped { place: format!("{}, line {line}", path.display()), reason: reason.into() })
        };
        let record = match record {
            Ok(record) => record,
            // The reader continues with the next line.
            Err(error) => match unequal(&error) {
                Some((line, reason)) => {
                    entries.push(bad(line, &reason));
                    continue;
                }
                None => return Err(csv_error(path, &error)),
            },
        };
        let line = record.position().map_or(0, csv::Position::line);
        budget.keep(ROW + 2 * record.as_slice().len() as u64).map_err(ImportError::memory(path))?;
        let bad = |reason: &str| bad(line, reason);
        let text = |column: usize| std::str::from_utf8(&record[column]).map(|text| text.trim().to_string());
        let row = text(file_column).and_then(|name| {
            let labels = columns.iter().map(|&column| text(column)).collect::<Result<Vec<_>, _>>()?;
            Ok((name, labels))
        });
        entries.push(match row {
            Err(_) => bad("it is not UTF-8 text"),
            Ok((name, _)) if name.is_empty() => bad("it names no file"),
            Ok((_, labels)) if labels.iter().any(String::is_empty) => bad("a label is missing"),
            Ok((name, _)) if !seen.insert(name.clone()) => bad(&format!("it lists {name} a second time")),
            Ok((name, labels)) => match inside::join(folder, &name) {
                Ok(path) => Ok(Entry { index: entries.len() as u64, path, labels }),
                Err(reason) => bad(&reason),
            },
        });
    }
    Ok(Listing { label_names, entries })
}

fn csv_header(path: &Path) -> Result<Vec<String>, ImportError> {
    header_of(&mut csv_reader(path)?, path)
}

/// Line and reason, if a row has more or fewer fields than the header.
pub(super) fn unequal(error: &csv::Error) -> Option<(u64, String)> {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            Some((line, format!("it has {len} fields, and the header {expected_len}")))
        }
        _ => None,
    }
}

/// The names of the columns, each once.
pub(super) fn header_of(reader: &mut csv::Reader<impl Read>, path: &Path) -> Result<Vec<String>, ImportError> {
    let header = reader.headers().map_err(|error| csv_error(path, &error))?;
    let names: Vec<String> = header.iter().map(|name| name.trim().to_string()).collect();
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(*name)) {
        Some(name) => {
            let problem = format!("it has two columns `{name}`: give each its own name");
            Err(ImportError::Description { path: path.into(), problem })
        }
        None => Ok(names),
    }
}

fn csv_reader(path: &Path) -> Result<csv::Reader<fs::File>, ImportError> {
    let io = |source| ImportError::Io { path: path.into(), source };
    let mut file = fs::File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    if length > CSV_LIMIT {
        let problem = format!("it has {length} bytes, more than {CSV_LIMIT}: split it");
        return Err(ImportError::Description { path: path.into(), problem });
    }
    let delimiter = delimiter(path, &mut file)?;
    Ok(csv::ReaderBuilder::new().delimiter(delimiter).from_reader(file))
}

/// The commonest of comma, semicolon and tab in the first line, outside quotes.
pub(super) fn delimiter(path: &Path, file: &mut fs::File) -> Result<u8, ImportError> {
    const START: u64 = 1 << 16;
    let io = |source| ImportError::Io { path: path.into(), source };
    let mut start = Vec::new();
    file.take(START).read_to_end(&mut start).map_err(io)?;
    file.rewind().map_err(io)?;
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        let problem = "it is UTF-16: save it as UTF-8".to_string();
        return Err(ImportError::Description { path: path.into(), problem });
    }
    let (mut counts, mut quoted) = ([0; 3], false);
    for &byte in start.iter().take_while(|&&byte| byte != b'\n') {
        quoted ^= byte == b'"';
        let place = DELIMITERS.iter().position(|&delimiter| delimiter == byte && !quoted);
        if let Some(place) = place {
            counts[place] += 1;
        }
    }
    // Among equals the first: a comma.
    let best = (0..3).rev().max_by_key(|&place| counts[place]).unwrap_or(0);
    Ok(DELIMITERS[best])
}

pub(super) fn csv_error(path: &Path, error: &csv::Error) -> ImportError {
    let problem =
        format!("{error}: give UTF-8 separated by commas, semicolons or tabs, with a header and rows of equal length");
    ImportError::Description { path: path.into(), problem }
}
