//! Rows of a CSV file, one at a time.

use std::borrow::Cow;
use std::cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::rows::{Row, Rows};
use crate::import::ImportError;
use crate::import::listing::{csv_error, delimiter, header_of, unequal};
use crate::schema::Cell;

/// Longest row in bytes. An unclosed quote turns the rest of the file into one row.
const LONGEST_ROW: u64 = 16 << 20;

pub(super) struct CsvFile {
    path: PathBuf,
    header: Vec<String>,
}

impl CsvFile {
    pub fn open(path: &Path) -> Result<Self, ImportError> {
        let (mut reader, _) = reader(path)?;
        Ok(Self { path: path.into(), header: header_of(&mut reader, path)? })
    }
}

/// A file whose bytes are counted, so that a row cannot grow without bound.
struct Counted {
    file: File,
    since_row: Rc<cell::Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.since_row.set(self.since_row.get() + count as u64);
        if self.since_row.get() > LONGEST_ROW {
            let problem = format!("a row is longer than {LONGEST_ROW} bytes, perhaps because of an unclosed quote");
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        Ok(count)
    }
}

fn reader(path: &Path) -> Result<(csv::Reader<Counted>, Rc<cell::Cell<u64>>), ImportError> {
    let io = |source| ImportError::Io { path: path.into(), source };
    let mut file = File::open(path).map_err(io)?;
    let delimiter = delimiter(path, &mut file)?;
    let since_row = Rc::new(cell::Cell::new(0));
    let counted = Counted { file, since_row: since_row.clone() };
    let reader = csv::ReaderBuilder::new().delimiter(delimiter).buffer_capacity(1 << 16).from_reader(counted);
    Ok((reader, since_row))
}

impl Rows for CsvFile {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn visit(&self, visit: &mut dyn FnMut(u64, Row) -> Result<(), ImportError>) -> Result<(), ImportError> {
        let (mut reader, since_row) = reader(&self.path)?;
        let mut record = csv::ByteRecord::new();
        loop {
            let read = reader.read_byte_record(&mut record);
            since_row.set(0);
            match read {
                Ok(false) => return Ok(()),
                Ok(true) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    let texts: Result<Vec<_>, _> = record
                        .iter()
                        .map(|field| std::str::from_utf8(field).map(|text| Cell::Text(Cow::Borrowed(text))))
                        .collect();
                    match texts {
                        Ok(texts) => visit(line, Ok(&texts))?,
                        Err(_) => visit(line, Err("it is not UTF-8 text".into()))?,
                    }
                }
                // The reader continues with the next line.
                Err(error) => match unequal(&error) {
                    Some((line, reason)) => visit(line, Err(reason))?,
                    None => return Err(csv_error(&self.path, &error)),
                },
            }
        }
    }
}
