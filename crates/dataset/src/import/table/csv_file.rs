//! Rows of a CSV file.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::{Row, Rows};
use crate::import::ImportError;
use crate::import::listing::{csv_error, csv_header, csv_reader};

pub(super) struct CsvFile {
    path: PathBuf,
    header: Vec<String>,
}

impl CsvFile {
    pub fn open(path: &Path) -> Result<Self, ImportError> {
        Ok(Self { path: path.into(), header: csv_header(path)? })
    }
}

impl Rows for CsvFile {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn visit(&self, visit: &mut dyn FnMut(u64, Row) -> Result<(), ImportError>) -> Result<(), ImportError> {
        let mut reader = csv_reader(&self.path)?;
        let mut record = csv::ByteRecord::new();
        loop {
            match reader.read_byte_record(&mut record) {
                Ok(false) => return Ok(()),
                Ok(true) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    let texts: Result<Vec<_>, _> =
                        record.iter().map(|field| std::str::from_utf8(field).map(Cow::Borrowed)).collect();
                    match texts {
                        Ok(texts) => visit(line, Ok(&texts))?,
                        Err(_) => visit(line, Err("it is not UTF-8 text".into()))?,
                    }
                }
                // The reader goes on with the next line.
                Err(error) => match error.kind() {
                    csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
                        let line = pos.as_ref().map_or(0, csv::Position::line);
                        visit(line, Err(format!("it has {len} fields, and the header {expected_len}")))?;
                    }
                    _ => return Err(csv_error(&self.path, &error)),
                },
            }
        }
    }
}
