//! Safetensors files of networks: tensors by name and one JSON object under the metadata key `halflight`.
//!
//! For crates that keep their own networks in such files. There is one metadata key because the library orders several
//! at random; with one, equal content gives equal bytes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use host::files::{self, Access};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const METADATA_KEY: &str = "halflight";

/// No network comes near this size; larger files are refused before they are read.
const FILE_LIMIT: u64 = 1 << 30;

/// Maximum number of tensors of a file.
const TENSOR_LIMIT: usize = 512;

/// Why a network file cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}: check the path and its permissions", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Not a safetensors file, or one that is truncated or too large.
    #[error("{}: {problem}: the file is damaged or of another kind; make it again", path.display())]
    Container {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A tensor or metadata entry that is missing or wrong.
    #[error("{}: `{field}` {problem}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// The tensor or metadata entry.
        field: String,
        /// What is wrong, and the remedy.
        problem: String,
    },
}

impl FileError {
    /// The operating system's error on reading or writing.
    pub(crate) fn system(action: &'static str, path: &Path, error: files::FileError) -> Self {
        let source = match error {
            files::FileError::System { source, .. } => source,
            other => io::Error::other(other),
        };
        Self::Io { action, path: path.into(), source }
    }
}

/// The values of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Floats of 32 bits.
    F32(Vec<f32>),
    /// Floats of 64 bits.
    F64(Vec<f64>),
    /// Integers of 32 bits.
    I32(Vec<i32>),
}

/// Tensors by name with their shapes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors(pub BTreeMap<String, (Vec<usize>, Values)>);

impl Tensors {
    /// Adds a tensor, or replaces the one of this name.
    pub fn insert(&mut self, name: impl Into<String>, shape: &[usize], values: Values) {
        self.0.insert(name.into(), (shape.to_vec(), values));
    }

    /// The bytes of a file that holds these tensors and `about`.
    fn to_bytes(&self, about: &impl Serialize) -> Result<Vec<u8>, String> {
        let about = serde_json::to_string(about).map_err(|error| error.to_string())?;
        let bytes: BTreeMap<&str, (Dtype, &[usize], Vec<u8>)> =
            self.0.iter().map(|(name, (shape, values))| (name.as_str(), encode(shape, values))).collect();
        let mut views = Vec::with_capacity(bytes.len());
        for (name, (dtype, shape, data)) in &bytes {
            let view = TensorView::new(*dtype, shape.to_vec(), data).map_err(|error| error.to_string())?;
            views.push((*name, view));
        }
        let metadata = HashMap::from([(METADATA_KEY.to_string(), about)]);
        safetensors::serialize(views, Some(metadata)).map_err(|error| error.to_string())
    }
}

fn encode<'a>(shape: &'a [usize], values: &Values) -> (Dtype, &'a [usize], Vec<u8>) {
    match values {
        Values::F32(values) => (Dtype::F32, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        Values::F64(values) => (Dtype::F64, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        Values::I32(values) => (Dtype::I32, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
    }
}

/// A file read whole, for typed access with errors that name it.
pub struct Stored {
    path: PathBuf,
    bytes: Vec<u8>,
    about: Option<String>,
    tensors: BTreeMap<String, Place>,
    exact: bool,
    read: RefCell<BTreeSet<String>>,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").field("path", &self.path).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Kind {
    format: String,
    version: u32,
}

/// Where a tensor lies in the bytes.
struct Place {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Range<usize>,
}

impl Stored {
    /// Reads and parses a file.
    ///
    /// # Errors
    /// A file that cannot be read, is too large, has too many tensors, or is not a safetensors file.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let container = |problem: String| FileError::Container { path: path.into(), problem };
        let bytes = files::read(path, FILE_LIMIT).map_err(|error| match error {
            files::FileError::TooLong { .. } => container(format!("it has more than {FILE_LIMIT} bytes")),
            other => FileError::system("read", path, other),
        })?;
        let (header, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| container(error.to_string()))?;
        let start = header + size_of::<u64>();
        let count = metadata.tensors().len();
        if count > TENSOR_LIMIT {
            return Err(container(format!("it has {count} tensors, more than the {TENSOR_LIMIT} allowed")));
        }
        let mut tensors = BTreeMap::new();
        for (name, info) in metadata.tensors() {
            // Offsets come from the file and cannot be trusted.
            let end = start.checked_add(info.data_offsets.1).filter(|&end| end <= bytes.len());
            let place = end.map(|end| start.saturating_add(info.data_offsets.0)..end);
            let Some(place) = place.filter(|place| place.start <= place.end) else {
                return Err(container(format!("tensor `{name}` lies beyond its end")));
            };
            tensors.insert(name, Place { dtype: info.dtype, shape: info.shape.clone(), bytes: place });
        }
        if tensors.values().map(|place| place.bytes.end).max().unwrap_or(start) != bytes.len() {
            return Err(container("its tensors do not fill it".into()));
        }
        let about = metadata.metadata().as_ref().and_then(|metadata| metadata.get(METADATA_KEY)).cloned();
        let (exact, read) = (false, RefCell::default());
        Ok(Self { path: path.into(), bytes, about, tensors, exact, read })
    }

    /// Refuses tensors of another type than requested, which would otherwise be converted. For files whose hash covers
    /// numbers, so that equal hashes mean equal tensors.
    pub fn exact(self) -> Self {
        Self { exact: true, ..self }
    }

    /// The JSON object of the metadata. Its entries `format` and `version` must have these values; they are read first,
    /// so that a file of another kind is reported as such.
    ///
    /// # Errors
    /// Another format or version; otherwise as [`about`](Self::about).
    pub fn about_of<T: DeserializeOwned>(&self, format: &str, version: u32) -> Result<T, FileError> {
        let found: Kind = self.about()?;
        if (found.format.as_str(), found.version) != (format, version) {
            let problem = format!("is {} {}, and this program reads {format} {version}", found.format, found.version);
            return Err(self.field("format", problem));
        }
        self.about()
    }

    /// The JSON object of the metadata. Missing or unknown entries are refused.
    ///
    /// # Errors
    /// No such object, or one of another form.
    pub fn about<T: DeserializeOwned>(&self) -> Result<T, FileError> {
        let failed = |problem: String| self.field("halflight (metadata)", problem);
        let text = self.about.as_ref();
        let text = text.ok_or_else(|| failed("is missing: this file was not written by Halflight".into()))?;
        serde_json::from_str(text).map_err(|error| failed(format!("cannot be read: {error}")))
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Refuses a file with a tensor that was not read.
    ///
    /// # Errors
    /// Names the first such tensor.
    pub fn all_read(&self, kind: &str) -> Result<(), FileError> {
        let read = self.read.borrow();
        match self.tensors.keys().find(|name| !read.contains(*name)) {
            Some(other) => Err(self.field(other, format!("is unknown in {kind}: remove it"))),
            None => Ok(()),
        }
    }

    /// The shape of a tensor.
    ///
    /// # Errors
    /// No such tensor.
    pub fn shape(&self, name: &str) -> Result<&[usize], FileError> {
        Ok(&self.place(name)?.shape)
    }

    /// A tensor of finite floats and its shape.
    ///
    /// # Errors
    /// No such tensor, another type, a value that is not finite.
    pub fn floats(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), FileError> {
        self.require_type(name, Dtype::F32)?;
        let (shape, values) = self.numbers(name)?;
        Ok((shape, values.into_iter().map(|value| value as f32).collect()))
    }

    /// The same in 64 bits.
    ///
    /// # Errors
    /// As [`floats`](Self::floats).
    pub fn doubles(&self, name: &str) -> Result<(Vec<usize>, Vec<f64>), FileError> {
        self.require_type(name, Dtype::F64)?;
        self.numbers(name)
    }

    fn numbers(&self, name: &str) -> Result<(Vec<usize>, Vec<f64>), FileError> {
        let (shape, dtype, data) = self.tensor(name)?;
        let values: Vec<f64> = match dtype {
            Dtype::F32 => data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes).into()).collect(),
            Dtype::F64 => data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect(),
            other => return Err(self.field(name, format!("is of type {other:?}: store it as F32"))),
        };
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => {
                let problem = format!("holds {} at position {at}: every value must be a finite number", values[at]);
                Err(self.field(name, problem))
            }
            None => Ok((shape, values)),
        }
    }

    /// A tensor of integers of any width and its shape.
    fn integers(&self, name: &str) -> Result<(Vec<usize>, Vec<i64>), FileError> {
        let (shape, dtype, data) = self.tensor(name)?;
        let values = match dtype {
            Dtype::I8 => data.iter().map(|&byte| i64::from(byte as i8)).collect(),
            Dtype::U8 => data.iter().map(|&byte| i64::from(byte)).collect(),
            Dtype::I16 => data.as_chunks().0.iter().map(|&bytes| i16::from_le_bytes(bytes).into()).collect(),
            Dtype::I32 => data.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes).into()).collect(),
            Dtype::I64 => data.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect(),
            Dtype::F32 | Dtype::F64 => self.whole_numbers(name)?,
            other => return Err(self.field(name, format!("is of type {other:?}: store it as I32 or I64"))),
        };
        Ok((shape, values))
    }

    fn whole_numbers(&self, name: &str) -> Result<Vec<i64>, FileError> {
        let (_, values) = self.numbers(name)?;
        match values.iter().position(|value| value.fract() != 0.0 || value.abs() >= 9e15) {
            Some(at) => {
                let problem = format!("holds {} at position {at}: every weight must be an integer", values[at]);
                Err(self.field(name, problem))
            }
            None => Ok(values.into_iter().map(|value| value as i64).collect()),
        }
    }

    /// Integers that fit 32 bits.
    ///
    /// # Errors
    /// No such tensor, another type, a value that is too large.
    pub fn small_integers(&self, name: &str) -> Result<(Vec<usize>, Vec<i32>), FileError> {
        self.require_type(name, Dtype::I32)?;
        let (shape, values) = self.integers(name)?;
        let narrow = values.iter().map(|&value| {
            i32::try_from(value).map_err(|_| self.field(name, format!("holds {value}: weights must fit 32 bits")))
        });
        Ok((shape, narrow.collect::<Result<_, _>>()?))
    }

    /// A tensor of floats that must have this shape.
    ///
    /// # Errors
    /// As [`floats`](Self::floats), and another shape.
    pub fn floats_shaped(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, FileError> {
        let (found, values) = self.floats(name)?;
        self.require_shape(name, &found, shape)?;
        Ok(values)
    }

    /// The numbers by which a head standardises `outputs` outputs: finite, and positive where required.
    ///
    /// # Errors
    /// As [`doubles`](Self::doubles), and another shape or sign.
    pub fn statistics(&self, name: &str, outputs: usize, positive: bool) -> Result<Vec<f64>, FileError> {
        let (found, values) = self.doubles(name)?;
        self.require_shape(name, &found, &[outputs])?;
        match values.iter().find(|&&value| positive && value <= 0.0) {
            Some(bad) => Err(self.field(name, format!("holds {bad}: every value must be positive"))),
            None => Ok(values),
        }
    }

    /// Integers of 32 bits that must have this shape.
    ///
    /// # Errors
    /// As [`small_integers`](Self::small_integers), and another shape.
    pub fn small_integers_shaped(&self, name: &str, shape: &[usize]) -> Result<Vec<i32>, FileError> {
        let (found, values) = self.small_integers(name)?;
        self.require_shape(name, &found, shape)?;
        Ok(values)
    }

    fn require_shape(&self, name: &str, found: &[usize], expected: &[usize]) -> Result<(), FileError> {
        if found == expected {
            return Ok(());
        }
        Err(self.field(name, format!("has shape {found:?}, and the architecture needs {expected:?}")))
    }

    fn require_type(&self, name: &str, dtype: Dtype) -> Result<(), FileError> {
        let found = self.place(name)?.dtype;
        if !self.exact || found == dtype {
            return Ok(());
        }
        Err(self.field(name, format!("is of type {found:?}, and files of this kind store {dtype:?}")))
    }

    fn tensor(&self, name: &str) -> Result<(Vec<usize>, Dtype, &[u8]), FileError> {
        let place = self.place(name)?;
        self.read.borrow_mut().insert(name.to_owned());
        Ok((place.shape.clone(), place.dtype, &self.bytes[place.bytes.clone()]))
    }

    fn place(&self, name: &str) -> Result<&Place, FileError> {
        self.tensors.get(name).ok_or_else(|| self.field(name, "is missing"))
    }

    /// An error about one tensor or metadata entry.
    pub fn field(&self, field: &str, problem: impl Into<String>) -> FileError {
        FileError::Field { path: self.path.clone(), field: field.into(), problem: problem.into() }
    }
}

/// Writes tensors and `about`; the file appears whole or not at all.
///
/// # Errors
/// The operating system refuses to write.
pub fn write(path: &Path, tensors: &Tensors, about: &impl Serialize) -> Result<(), FileError> {
    let failed = |problem| FileError::Io { action: "write", path: path.into(), source: io::Error::other(problem) };
    let bytes = tensors.to_bytes(about).map_err(failed)?;
    files::write(path, &bytes, Access::Ordinary).map_err(|error| FileError::system("write", path, error))
}
