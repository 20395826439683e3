//! The rows of an object: the footer is fetched at once, the pages when they are read.

use std::path::{Path, PathBuf};

use arrow_schema::SchemaRef;
use dataset::import::{Budget, parquet_footer};
use host::files::FileError;
use roles::hash::Hash;
use tempfile::NamedTempFile;

use super::objects::Object;
use super::source::{self, Source};
use super::{Batches, PAGES, Rows};
use crate::BulkError;

/// Bytes of the first request: most footers are shorter.
const FOOTER: u64 = 64 << 10;
/// The end of a Parquet file: the length of its footer, and four letters.
const END: u64 = 8;

/// An object that is a Parquet file, by its footer.
pub(super) struct Remote {
    object: Object,
    rows: u64,
    name: Hash,
    schema: SchemaRef,
}

impl Remote {
    /// Reads the footer.
    pub fn open(object: &Object) -> Result<Self, BulkError> {
        let shown = object.shown();
        let file = end_of(object)?;
        let builder = source::builder(file.path(), &shown)?;
        let rows = builder.metadata().file_metadata().num_rows();
        let name = source::footer(file.path()).map_err(|source| copied(&shown, source))?;
        let (rows, schema) = (u64::try_from(rows).unwrap_or(0), builder.schema().clone());
        Ok(Self { object: object.clone(), rows, name, schema })
    }
}

impl Rows for Remote {
    fn count(&self) -> u64 {
        self.rows
    }

    fn name(&self) -> Hash {
        self.name
    }

    fn schema(&self) -> Result<SchemaRef, BulkError> {
        Ok(self.schema.clone())
    }

    /// The rows of a copy on this machine, which exists while it is read.
    fn batches(&self, made: usize, only: Option<&str>) -> Result<Batches<'_>, BulkError> {
        let shown = self.object.shown();
        let mut copy = empty(&shown)?;
        self.object.copy_all(copy.as_file_mut())?;
        let source = Source::open_as(copy.path(), &shown)?;
        if source.name() != self.name {
            return Err(BulkError::input(&shown, "was replaced while the job ran: start it again"));
        }
        let batches = source.reader(made, only)?;
        Ok(Box::new(batches.inspect(move |_| {
            let _: &NamedTempFile = &copy;
        })))
    }
}

/// A file as long as the object, with the footer only: enough for code that reads footers.
pub(super) fn end_of(object: &Object) -> Result<NamedTempFile, BulkError> {
    let shown = object.shown();
    let mut file = empty(&shown)?;
    object.copy_end(FOOTER, file.as_file_mut())?;
    let check =
        |path: &Path| parquet_footer(path, &Budget::new(PAGES)).map_err(|error| BulkError::import(&shown, error));
    check(file.path())?;
    let length = footer_length(file.path()).map_err(|source| copied(&shown, source))?;
    if length > FOOTER {
        object.copy_end(length, file.as_file_mut())?;
        // Only its length was known before.
        check(file.path())?;
    }
    Ok(file)
}

/// Bytes of the footer and the end of the file, as stated by the file.
fn footer_length(path: &Path) -> std::io::Result<u64> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = std::fs::File::open(path)?;
    if file.metadata()?.len() < END {
        return Ok(0);
    }
    file.seek(SeekFrom::End(-(END as i64)))?;
    let mut length = [0; 4];
    file.read_exact(&mut length)?;
    Ok(u64::from(u32::from_le_bytes(length)) + END)
}

/// A file without a name.
pub(super) fn empty(shown: &Path) -> Result<NamedTempFile, BulkError> {
    Ok(NamedTempFile::new().map_err(|source| copied(shown, source))?)
}

fn copied(shown: &Path, source: std::io::Error) -> FileError {
    FileError::System { path: PathBuf::from(shown), action: "copied to this machine", source }
}
