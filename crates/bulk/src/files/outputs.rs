//! Where a job writes: a folder of this machine, or one of a store.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use host::files::make_folder;

use super::objects::Address;
use super::{remote, sink};
use crate::BulkError;

/// The folder of the results.
pub(super) enum Outputs {
    Folder(PathBuf),
    Objects(Address),
}

/// The file or the object of one partition.
pub(super) enum Place {
    File(PathBuf),
    Object(Address),
}

impl Outputs {
    /// Makes the folder; a store needs none.
    pub fn open(path: &Path) -> Result<Self, BulkError> {
        Ok(match Address::of(path)? {
            Some(address) => Self::Objects(address),
            None => {
                make_folder(path)?;
                Self::Folder(path.to_owned())
            }
        })
    }

    /// The place of a partition with this name.
    pub fn place(&self, name: &Path) -> Place {
        match self {
            Self::Folder(folder) => Place::File(folder.join(name)),
            Self::Objects(folder) => Place::Object(folder.join(&name.to_string_lossy())),
        }
    }
}

impl Place {
    /// Its name in messages.
    pub fn shown(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Object(address) => address.shown(),
        }
    }

    /// Whether it is this file or object.
    pub fn is(&self, input: &Path) -> bool {
        match self {
            Self::File(path) => matches!((path.canonicalize(), input.canonicalize()), (Ok(a), Ok(b)) if a == b),
            Self::Object(address) => address.shown() == input,
        }
    }

    /// The texts stored in it; `None` if it is missing, no texts if it is not a Parquet file.
    pub fn about(&self) -> Result<Option<Vec<(String, String)>>, BulkError> {
        match self {
            Self::File(path) => Ok(path.exists().then(|| sink::about(path).unwrap_or_default())),
            Self::Object(address) => {
                let Some(object) = address.object()? else { return Ok(None) };
                let about = sink::about(remote::end_of(&object)?.path());
                Ok(Some(about.unwrap_or_default()))
            }
        }
    }

    /// Writes it whole or not at all.
    pub fn write(
        &self,
        schema: &SchemaRef,
        about: &[(String, String)],
        batches: impl Iterator<Item = Result<RecordBatch, BulkError>>,
        ending: &dyn Fn() -> Vec<(String, String)>,
    ) -> Result<u64, BulkError> {
        match self {
            Self::File(path) => sink::write_as(path, path, schema, about, batches, ending),
            Self::Object(address) => {
                let shown = address.shown();
                let copy = remote::empty(&shown)?.into_temp_path();
                let rows = sink::write_as(&copy, &shown, schema, about, batches, ending)?;
                address.upload(&copy)?;
                Ok(rows)
            }
        }
    }
}
