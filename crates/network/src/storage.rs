//! Safetensors files of this crate: tensors by name and one JSON object under the metadata key `halflight`.
//!
//! One metadata key, since the library orders several at random: equal content gives equal bytes.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::Serialize;
use serde::de::DeserializeOwned;

const METADATA_KEY: &str = "halflight";

/// No network of this crate comes near this size; larger files are refused before they are read.
const FILE_LIMIT: u64 = 1 << 30;

/// Most tensors of a file: the container's header is read again for each of them.
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
    /// Not a safetensors file, one cut short, or one too large.
    #[error("{}: {problem}: the file is damaged or of another kind; make it again", path.display())]
    Container {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A tensor or metadata entry that is missing or not as it must be.
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

/// The values of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I32(Vec<i32>),
}

/// Tensors by name with their shapes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tensors(pub BTreeMap<String, (Vec<usize>, Values)>);

impl Tensors {
    pub(crate) fn insert(&mut self, name: impl Into<String>, shape: &[usize], values: Values) {
        self.0.insert(name.into(), (shape.to_vec(), values));
    }

    /// The bytes of a file that holds these tensors and `about`.
    pub(crate) fn to_bytes(&self, about: &impl Serialize) -> Result<Vec<u8>, String> {
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
pub(crate) struct Stored {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Stored {
    pub(crate) fn read(path: &Path) -> Result<Self, FileError> {
        let failed = |source| FileError::Io { action: "read", path: path.into(), source };
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length > FILE_LIMIT {
            let problem = format!("it has {length} bytes, more than the {FILE_LIMIT} allowed");
            return Err(FileError::Container { path: path.into(), problem });
        }
        let mut bytes = Vec::with_capacity(length as usize);
        file.take(FILE_LIMIT).read_to_end(&mut bytes).map_err(failed)?;
        let stored = Self { path: path.into(), bytes };
        let tensors = stored.open()?.len();
        if tensors > TENSOR_LIMIT {
            return Err(stored.container(format!("it has {tensors} tensors, more than the {TENSOR_LIMIT} allowed")));
        }
        Ok(stored)
    }

    /// The JSON object of the metadata, with missing or unknown entries refused.
    pub(crate) fn about<T: DeserializeOwned>(&self) -> Result<T, FileError> {
        let failed = |problem: String| self.field("halflight (metadata)", problem);
        let (_, header) = SafeTensors::read_metadata(&self.bytes).map_err(|error| self.container(error.to_string()))?;
        let text = header.metadata().as_ref().and_then(|metadata| metadata.get(METADATA_KEY));
        let text = text.ok_or_else(|| failed("is missing: this file was not written by Halflight".into()))?;
        serde_json::from_str(text).map_err(|error| failed(format!("cannot be read: {error}")))
    }

    pub(crate) fn names(&self) -> Result<Vec<String>, FileError> {
        let mut names: Vec<String> = self.open()?.names().into_iter().map(String::from).collect();
        names.sort();
        Ok(names)
    }

    /// A tensor of finite floats and its shape.
    pub(crate) fn floats(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), FileError> {
        let (shape, values) = self.doubles(name)?;
        Ok((shape, values.into_iter().map(|value| value as f32).collect()))
    }

    /// The same in 64 bits.
    pub(crate) fn doubles(&self, name: &str) -> Result<(Vec<usize>, Vec<f64>), FileError> {
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
    pub(crate) fn integers(&self, name: &str) -> Result<(Vec<usize>, Vec<i64>), FileError> {
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
        let (_, values) = self.doubles(name)?;
        match values.iter().position(|value| value.fract() != 0.0 || value.abs() >= 9e15) {
            Some(at) => {
                let problem = format!("holds {} at position {at}: every weight must be an integer", values[at]);
                Err(self.field(name, problem))
            }
            None => Ok(values.into_iter().map(|value| value as i64).collect()),
        }
    }

    /// Integers that fit 32 bits.
    pub(crate) fn small_integers(&self, name: &str) -> Result<(Vec<usize>, Vec<i32>), FileError> {
        let (shape, values) = self.integers(name)?;
        let narrow = values.iter().map(|&value| {
            i32::try_from(value).map_err(|_| self.field(name, format!("holds {value}: weights must fit 32 bits")))
        });
        Ok((shape, narrow.collect::<Result<_, _>>()?))
    }

    /// A tensor of floats that must have this shape.
    pub(crate) fn floats_shaped(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, FileError> {
        let (found, values) = self.floats(name)?;
        self.require_shape(name, &found, shape)?;
        Ok(values)
    }

    /// The numbers by which a head standardises `outputs` outputs: finite, and positive where asked.
    pub(crate) fn statistics(&self, name: &str, outputs: usize, positive: bool) -> Result<Vec<f64>, FileError> {
        let (found, values) = self.doubles(name)?;
        self.require_shape(name, &found, &[outputs])?;
        match values.iter().find(|&&value| positive && value <= 0.0) {
            Some(bad) => Err(self.field(name, format!("holds {bad}: every value must be positive"))),
            None => Ok(values),
        }
    }

    /// Integers of 32 bits that must have this shape.
    pub(crate) fn small_integers_shaped(&self, name: &str, shape: &[usize]) -> Result<Vec<i32>, FileError> {
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

    fn tensor(&self, name: &str) -> Result<(Vec<usize>, Dtype, &[u8]), FileError> {
        let tensors = self.open()?;
        let view = tensors.tensor(name).map_err(|_| self.field(name, "is missing"))?;
        Ok((view.shape().to_vec(), view.dtype(), view.data()))
    }

    fn open(&self) -> Result<SafeTensors<'_>, FileError> {
        SafeTensors::deserialize(&self.bytes).map_err(|error| self.container(error.to_string()))
    }

    fn container(&self, problem: String) -> FileError {
        FileError::Container { path: self.path.clone(), problem }
    }

    pub(crate) fn field(&self, field: &str, problem: impl Into<String>) -> FileError {
        FileError::Field { path: self.path.clone(), field: field.into(), problem: problem.into() }
    }
}

/// Writes tensors and `about`; the file appears whole or not at all.
pub(crate) fn write(path: &Path, tensors: &Tensors, about: &impl Serialize) -> Result<(), FileError> {
    let failed = |source| FileError::Io { action: "write", path: path.into(), source };
    let bytes = tensors.to_bytes(about).map_err(|problem| failed(io::Error::other(problem)))?;
    write_atomically(path, &bytes).map_err(failed)
}

/// Writes beside `path` and renames, with the permissions of an ordinary new file.
fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    let mut buffered = BufWriter::new(temporary.as_file_mut());
    buffered.write_all(bytes)?;
    buffered.flush()?;
    drop(buffered);
    temporary.persist(path).map(drop).map_err(|error| error.error)
}
