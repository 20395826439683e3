//! The one file of a data set: safetensors, so that numpy, PyTorch and JAX open it in one line.
//!
//! | entry | type | content |
//! |---|---|---|
//! | `images` | u8 `[N, H, W]` | pixels |
//! | or `features` | u8 `[N, H, W]` | measured values, see metadata `features` |
//! | one tensor per label | i64 `[N]` | class indices |
//! | metadata `format`, `version` | text | `halflight dataset`, `1` |
//! | metadata `labels` | JSON list | label names in order |
//! | metadata `classes` | JSON object | class names of each label |
//! | metadata `features` | JSON object | [`Features`]: names, low, step; value = low + step · byte |
//! | metadata `schema` | JSON object | [`Schema`]: how the columns were made from a table |
//! | other metadata | text | [`Dataset::about`](crate::Dataset::about) |
//!
//! The same data set always gives the same bytes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use host::files::{self, Access};
use items::Features;
use safetensors::Dtype;
use safetensors::tensor::Metadata;

use crate::data::{Dataset, Labels, RESERVED};
use crate::error::DatasetError;
use crate::schema::Schema;

const FORMAT: &str = "halflight dataset";
const VERSION: &str = "1";

/// Headers hold a few names per label; anything near this size is not a header of this format.
pub(crate) const HEADER_LIMIT: u64 = 16 << 20;

/// Why a data set file cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system refused to read or write.
    #[error("cannot {action} data set {}: {source}: check the path and its permissions", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Not a safetensors file, or one that is truncated or states wrong sizes.
    #[error("data set {}: {problem}: the file is damaged or of another kind; make it again", path.display())]
    Container {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A tensor or metadata entry that is missing, of another type or of another shape.
    #[error("data set {}: `{field}` {problem}: a data set file needs `images` u8 [N, H, W], i64 [N] per label, and `classes` in its metadata", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// The tensor or metadata key.
        field: String,
        /// What is wrong.
        problem: String,
    },
    /// Well-formed, but not a consistent data set.
    #[error("data set {}: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: DatasetError,
    },
}

impl Dataset {
    /// Writes the data set; the file appears whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        let failed = |source| FileError::Io { action: "write", path: path.into(), source };
        write_atomically(path, |file| {
            write_header(self, file)?;
            for column in self.columns() {
                let bytes = column.values.iter().flat_map(|&value| i64::from(value).to_le_bytes());
                file.write_all(&bytes.collect::<Vec<_>>())?;
            }
            file.write_all(self.images())
        })
        .map_err(failed)
    }

    /// Reads a data set and checks everything it says.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let failed = |source| FileError::Io { action: "read", path: path.into(), source };
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        Reader { path, file: BufReader::new(file), length }.read()
    }
}

/// Writes a whole file or nothing.
pub(crate) fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    files::write_with(path, Access::Ordinary, |out| write(out)).map_err(|error| match error {
        files::FileError::System { source, .. } => source,
        other => io::Error::other(other),
    })
}

/// Written by hand, since the library orders metadata at random.
fn write_header(data: &Dataset, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<&str> = data.columns().iter().map(|column| column.name.as_str()).collect();
    let classes: BTreeMap<&str, &[String]> =
        data.columns().iter().map(|column| (column.name.as_str(), &column.classes[..])).collect();
    let mut metadata = data.about().clone();
    metadata.insert("format".into(), FORMAT.into());
    metadata.insert("version".into(), VERSION.into());
    metadata.insert("labels".into(), serde_json::to_string(&names)?);
    metadata.insert("classes".into(), serde_json::to_string(&classes)?);

    if let Some(schema) = data.schema() {
        metadata.insert("schema".into(), serde_json::to_string(schema)?);
    }
    let tensor = if let Some(features) = data.features() {
        metadata.insert("features".into(), serde_json::to_string(features)?);
        "features"
    } else {
        "images"
    };

    let mut header = BTreeMap::from([("__metadata__", serde_json::to_value(metadata)?)]);
    let mut offset = 0;
    let mut entry = |dtype: &str, shape: &[usize], bytes: usize| {
        let span = [offset, offset + bytes];
        offset += bytes;
        serde_json::json!({ "dtype": dtype, "shape": shape, "data_offsets": span })
    };
    for name in names {
        header.insert(name, entry("I64", &[data.len()], 8 * data.len()));
    }
    let shape = [data.len(), data.height(), data.width()];
    header.insert(tensor, entry("U8", &shape, data.images().len()));

    let mut text = serde_json::to_vec(&header)?;
    text.resize(text.len().next_multiple_of(8), b' ');
    out.write_all(&(text.len() as u64).to_le_bytes())?;
    out.write_all(&text)
}

struct Reader<'a> {
    path: &'a Path,
    file: BufReader<File>,
    length: u64,
}

impl Reader<'_> {
    fn read(mut self) -> Result<Dataset, FileError> {
        let header = self.header()?;
        let notes = header.metadata().clone().unwrap_or_default();
        match (notes.get("format").map(String::as_str), notes.get("version").map(String::as_str)) {
            (Some(FORMAT), Some(VERSION)) => {}
            (Some(FORMAT), version) => {
                let problem = format!("is {version:?}, and this program reads {VERSION}");
                return Err(self.field("version", problem));
            }
            (format, _) => {
                return Err(self.field("format", format!("is {format:?}, not {FORMAT:?}")));
            }
        }

        let names: Vec<String> = self.json(&notes, "labels")?;
        let mut classes: BTreeMap<String, Vec<String>> = self.json(&notes, "classes")?;
        let tensor = if notes.contains_key("features") { "features" } else { "images" };

        // The header's offsets are known to be consecutive, so tensors are read in file order.
        let (mut images, mut values) = (None, BTreeMap::new());
        for name in header.offset_keys() {
            let Some(info) = header.info(&name) else {
                continue;
            };
            let bytes = self.take(info.data_offsets.1 - info.data_offsets.0)?;
            if name == tensor {
                let &[_, height, width] = &info.shape[..] else {
                    return Err(self.field(&name, format!("has shape {:?}", info.shape)));
                };
                self.check_dtype(&name, info.dtype, Dtype::U8)?;
                images = Some((height, width, bytes));
            } else if names.contains(&name) {
                self.check_dtype(&name, info.dtype, Dtype::I64)?;
                if info.shape.len() != 1 {
                    return Err(self.field(&name, format!("has shape {:?}", info.shape)));
                }
                values.insert(name, bytes);
            }
        }
        let (height, width, images) = images.ok_or_else(|| self.field(tensor, "is missing"))?;
        let mut labels = Vec::with_capacity(names.len());
        for name in names {
            let bytes = values.remove(&name).ok_or_else(|| self.field(&name, "is missing"))?;
            let missing = || self.field("classes", format!("lists no classes for `{name}`"));
            let classes = classes.remove(&name).ok_or_else(missing)?;
            labels.push(self.column(name, classes, &bytes)?);
        }
        let features: Option<Features> = match tensor {
            "features" => Some(self.json(&notes, "features")?),
            _ => None,
        };
        let schema: Option<Schema> = match notes.contains_key("schema") {
            true => Some(self.json(&notes, "schema")?),
            false => None,
        };
        let path = self.path;
        let content = |source| FileError::Content { path: path.into(), source };
        let about = notes.into_iter().filter(|(key, _)| !RESERVED.contains(&key.as_str()));
        let data = Dataset::new(height, width, images, labels, about.collect()).map_err(content)?;
        let data = match features {
            Some(features) => data.with_features(features).map_err(content)?,
            None => data,
        };
        match schema {
            Some(schema) => data.with_schema(schema).map_err(content),
            None => Ok(data),
        }
    }

    fn header(&mut self) -> Result<Metadata, FileError> {
        let size = u64::from_le_bytes(self.take(8)?.try_into().unwrap_or_default());
        if size > HEADER_LIMIT.min(self.length.saturating_sub(8)) {
            return Err(self.container(format!("its header states a length of {size} bytes")));
        }
        let text = self.take(size as usize)?;
        let header: Metadata =
            serde_json::from_slice(&text).map_err(|error| self.container(format!("its header: {error}")))?;
        let expected = (header.data_len() as u64).saturating_add(8 + size);
        if expected != self.length {
            return Err(self.container(format!("it has {} bytes, and its header describes {expected}", self.length)));
        }
        Ok(header)
    }

    /// Reads `size` bytes; never allocates more than the file holds.
    fn take(&mut self, size: usize) -> Result<Vec<u8>, FileError> {
        if size as u64 > self.length {
            return Err(self.container(format!("it is truncated at {} bytes", self.length)));
        }
        let mut bytes = vec![0; size];
        self.file.read_exact(&mut bytes).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => self.container(format!("it is truncated at {} bytes", self.length)),
            _ => FileError::Io { action: "read", path: self.path.into(), source },
        })?;
        Ok(bytes)
    }

    fn json<T: serde::de::DeserializeOwned>(
        &self,
        notes: &std::collections::HashMap<String, String>,
        key: &str,
    ) -> Result<T, FileError> {
        let text = notes.get(key).ok_or_else(|| self.field(key, "is missing from the metadata"))?;
        serde_json::from_str(text).map_err(|error| self.field(key, format!("is not the JSON expected: {error}")))
    }

    fn column(&self, name: String, classes: Vec<String>, bytes: &[u8]) -> Result<Labels, FileError> {
        let mut values = Vec::with_capacity(bytes.len() / 8);
        let (chunks, _) = bytes.as_chunks::<8>();
        for (item, chunk) in chunks.iter().enumerate() {
            let value = i64::from_le_bytes(*chunk);
            values.push(u32::try_from(value).map_err(|_| FileError::Content {
                path: self.path.into(),
                source: DatasetError::Range { name: name.clone(), item, value, classes: classes.len() },
            })?);
        }
        Ok(Labels { name, classes, values })
    }

    fn check_dtype(&self, field: &str, found: Dtype, expected: Dtype) -> Result<(), FileError> {
        if found == expected {
            return Ok(());
        }
        Err(self.field(field, format!("has element type {found:?}, not {expected:?}")))
    }

    fn field(&self, field: &str, problem: impl Into<String>) -> FileError {
        FileError::Field { path: self.path.into(), field: field.into(), problem: problem.into() }
    }

    fn container(&self, problem: String) -> FileError {
        FileError::Container { path: self.path.into(), problem }
    }
}
