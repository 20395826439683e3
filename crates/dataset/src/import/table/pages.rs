//! How much the pages of a Parquet file unpack to, found before any of them is unpacked.
//!
//! The decoder trusts the sizes in page headers, and gzip pages may even be larger than those. So this code first reads
//! every page header (Thrift's compact protocol, as far as the sizes), and unpacks gzip pages without keeping the
//! result.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use crate::import::{Budget, ImportError};

/// Page headers hold a few numbers and the least and greatest value.
const HEADER_LIMIT: u64 = 1 << 20;

/// What a dictionary value and a page value take once decoded.
const DICTIONARY_VALUE: u64 = 40;
const PAGE_VALUE: u64 = 8;

/// What a byte of the footer takes once decoded.
const FOOTER_BYTE: u64 = 16;

/// Columns in columns. The decoder calls itself once for each, and a process whose stack overflows ends.
const DEEPEST_COLUMN: usize = 64;

/// Counts the footer, which is decoded as a whole, and refuses columns that are nested too deeply for the decoder.
pub(super) fn check_footer(path: &Path, budget: &Budget) -> Result<(), ImportError> {
    let failed = |source| ImportError::Io { path: path.into(), source };
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    if length < 8 {
        return Ok(());
    }
    file.seek(SeekFrom::End(-8)).map_err(failed)?;
    let mut size = [0; 4];
    file.read_exact(&mut size).map_err(failed)?;
    let size = u64::from(u32::from_le_bytes(size)).min(length);
    budget.keep(FOOTER_BYTE.saturating_mul(size)).map_err(ImportError::memory(path))?;
    file.seek(SeekFrom::Start((length - 8).saturating_sub(size))).map_err(failed)?;
    let footer = BufReader::new(file).take(size);
    Compact { bytes: footer, read: 0, depth: 0 }.columns().map_err(|error| {
        let problem = format!("not a readable Parquet file: its footer: {error}");
        ImportError::Description { path: path.into(), problem }
    })
}

/// The unpacked sizes of a Parquet file, according to its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParquetSize {
    /// Rows of all groups, according to the footer.
    pub rows: u64,
    /// Bytes of one row at most, counting the mean of a page for each of its values, and a whole page for a nested
    /// column, whose rows may be of any length.
    pub row: u64,
}

/// Counts the largest pages of every column: those that the decoder holds at once.
pub(super) fn check(path: &Path, metadata: &ParquetMetaData, budget: &Budget) -> Result<ParquetSize, ImportError> {
    let failed = |source| ImportError::Io { path: path.into(), source };
    let wrong = |problem: String| ImportError::Description { path: path.into(), problem };
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let (mut most, mut values, mut rows) = (Vec::new(), Vec::new(), 0_u64);
    for group in metadata.row_groups() {
        rows = rows.saturating_add(u64::try_from(group.num_rows()).unwrap_or(0));
        most.resize(most.len().max(group.columns().len()), 0);
        values.resize(most.len(), 0);
        for ((column, most), value) in group.columns().iter().zip(&mut most).zip(&mut values) {
            let found = largest(&mut file, column, budget.left());
            let (bytes, widest) = found.map_err(|problem| wrong(format!("not a readable Parquet file: {problem}")))?;
            *most = bytes.max(*most);
            let flat = column.column_descr().max_rep_level() == 0;
            *value = (*value).max(if flat { widest } else { bytes });
        }
    }
    let sum = |bytes: Vec<u64>| bytes.into_iter().fold(0, u64::saturating_add);
    budget.keep(sum(most)).map_err(ImportError::memory(path))?;
    Ok(ParquetSize { rows, row: sum(values) })
}

/// The largest dictionary and the largest other page of a chunk of a column, decoded; and a value, decoded, in the page
/// whose values are the largest.
fn largest(file: &mut BufReader<File>, column: &ColumnChunkMetaData, limit: u64) -> Result<(u64, u64), String> {
    let damaged = |error: io::Error| format!("its page headers are damaged: {error}");
    let sane = |number: i64| u64::try_from(number).map_err(|_| "a column begins before the file".to_string());
    let start = match column.dictionary_page_offset() {
        Some(offset) => offset.min(column.data_page_offset()),
        None => column.data_page_offset(),
    };
    let (mut at, size) = (sane(start)?, sane(column.compressed_size())?);
    let end = at.checked_add(size).ok_or("a column ends beyond every file")?;
    let gzip = matches!(column.compression(), Compression::GZIP(_));
    let (mut dictionary, mut page, mut value) = (0, 0, 0);
    while at < end {
        file.seek(SeekFrom::Start(at)).map_err(damaged)?;
        let mut header = Compact { bytes: file.take(HEADER_LIMIT), read: 0, depth: 0 };
        let found = header.page().map_err(damaged)?;
        let read = header.read;
        if gzip {
            io::copy(&mut file.take(found.levels), &mut io::sink()).map_err(damaged)?;
            let content = file.take(found.compressed.saturating_sub(found.levels));
            let unpacked =
                io::copy(&mut MultiGzDecoder::new(content).take(found.uncompressed.saturating_add(1)), &mut io::sink());
            // A page that is not gzip is left to the decoder: it refuses the page, or the page is not compressed.
            if unpacked.is_ok_and(|size| size > found.uncompressed) {
                return Err("a page unpacks to more than its header says".into());
            }
        }
        let values = if found.dictionary { DICTIONARY_VALUE } else { PAGE_VALUE };
        let decoded = found.uncompressed.max(found.compressed).saturating_add(found.values.saturating_mul(values));
        value = value.max(decoded.div_ceil(found.values.max(1)));
        if decoded > limit {
            return Ok((decoded, value));
        }
        let most = if found.dictionary { &mut dictionary } else { &mut page };
        *most = decoded.max(*most);
        at = at.saturating_add(read).saturating_add(found.compressed);
    }
    Ok((dictionary + page, value))
}

/// The fields of a page header that are needed.
#[derive(Default)]
struct Page {
    dictionary: bool,
    uncompressed: u64,
    compressed: u64,
    values: u64,
    /// Bytes of levels before the compressed part, in pages of version 2.
    levels: u64,
}

/// Thrift's compact protocol, read field by field.
struct Compact<R> {
    bytes: R,
    read: u64,
    depth: u32,
}

/// Types of fields.
mod kind {
    pub const TRUE: u8 = 1;
    pub const FALSE: u8 = 2;
    pub const BYTE: u8 = 3;
    pub const I16: u8 = 4;
    pub const I32: u8 = 5;
    pub const I64: u8 = 6;
    pub const DOUBLE: u8 = 7;
    pub const BINARY: u8 = 8;
    pub const LIST: u8 = 9;
    pub const SET: u8 = 10;
    pub const STRUCT: u8 = 12;
}

fn invalid(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

impl<R: Read> Compact<R> {
    /// Refuses a `FileMetaData` of parquet.thrift whose schema is nested too deeply. Its second field has the elements,
    /// each before its children, whose number is its fifth field.
    fn columns(&mut self) -> io::Result<()> {
        let mut id = 0;
        while let Some((next, kind)) = self.field(id)? {
            id = next;
            if (id, kind) != (2, kind::LIST) {
                self.skip(kind)?;
                continue;
            }
            let (count, element) = self.list()?;
            if element != kind::STRUCT {
                return Err(invalid("its schema is no list of columns"));
            }
            let mut open: Vec<u64> = Vec::new();
            for _ in 0..count {
                open.truncate(open.iter().rposition(|left| *left > 0).map_or(0, |last| last + 1));
                if let Some(left) = open.last_mut() {
                    *left -= 1;
                }
                open.push(self.children()?);
                if open.len() > DEEPEST_COLUMN {
                    return Err(invalid("its columns are nested too deeply"));
                }
            }
            // Whichever of several the decoder takes, each is looked at.
        }
        Ok(())
    }

    /// The number of children of a `SchemaElement`.
    fn children(&mut self) -> io::Result<u64> {
        let (mut id, mut children) = (0, 0);
        while let Some((next, kind)) = self.field(id)? {
            id = next;
            match (id, kind) {
                (5, kind::I32) => children = self.size()?,
                _ => self.skip(kind)?,
            }
        }
        Ok(children)
    }

    /// The number and type of a list's elements.
    fn list(&mut self) -> io::Result<(u64, u8)> {
        let byte = self.byte()?;
        Ok((if byte >> 4 == 15 { self.unsigned()? } else { u64::from(byte >> 4) }, byte & 15))
    }

    /// `PageHeader` of parquet.thrift.
    fn page(&mut self) -> io::Result<Page> {
        let mut page = Page::default();
        let mut id = 0;
        while let Some((next, kind)) = self.field(id)? {
            id = next;
            match (id, kind) {
                (1, kind::I32) => page.dictionary = self.integer()? == 2,
                (2, kind::I32) => page.uncompressed = self.size()?,
                (3, kind::I32) => page.compressed = self.size()?,
                // Data pages of both versions and dictionaries: their first field is the number of values.
                (5 | 7, kind::STRUCT) => page.values = self.values()?[0],
                (8, kind::STRUCT) => {
                    let [values, definitions, repetitions] = self.values()?;
                    (page.values, page.levels) = (values, definitions.saturating_add(repetitions));
                }
                _ => self.skip(kind)?,
            }
        }
        Ok(page)
    }

    /// The fields 1, 5 and 6 of a structure: the number of values and, in version 2, the bytes of both levels.
    fn values(&mut self) -> io::Result<[u64; 3]> {
        let (mut id, mut values) = (0, [0; 3]);
        while let Some((next, kind)) = self.field(id)? {
            id = next;
            match (id, kind) {
                (1, kind::I32) => values[0] = self.size()?,
                (5, kind::I32) => values[1] = self.size()?,
                (6, kind::I32) => values[2] = self.size()?,
                _ => self.skip(kind)?,
            }
        }
        Ok(values)
    }

    /// The number and type of the next field; none at the end of the structure.
    fn field(&mut self, last: i64) -> io::Result<Option<(i64, u8)>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Ok(None);
        }
        let id = if byte >> 4 == 0 { self.integer()? } else { last.saturating_add(i64::from(byte >> 4)) };
        Ok(Some((id, byte & 15)))
    }

    fn skip(&mut self, kind: u8) -> io::Result<()> {
        match kind {
            kind::TRUE | kind::FALSE => Ok(()),
            kind::BYTE => self.byte().map(drop),
            kind::I16 | kind::I32 | kind::I64 => self.integer().map(drop),
            kind::DOUBLE => self.pass(8),
            kind::BINARY => {
                let length = self.unsigned()?;
                self.pass(length)
            }
            kind::LIST | kind::SET => self.nested(|reader| {
                let (count, element) = reader.list()?;
                // Booleans in lists take a byte each.
                let element = if element <= kind::FALSE { kind::BYTE } else { element };
                (0..count).try_for_each(|_| reader.skip(element))
            }),
            kind::STRUCT => self.nested(|reader| {
                let mut id = 0;
                while let Some((next, kind)) = reader.field(id)? {
                    id = next;
                    reader.skip(kind)?;
                }
                Ok(())
            }),
            _ => Err(invalid("a field of a page header has an unknown type")),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        const DEEPEST: u32 = 8;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(invalid("a page header is nested too deeply"));
        }
        read(self)?;
        self.depth -= 1;
        Ok(())
    }

    /// A number that counts something.
    fn size(&mut self) -> io::Result<u64> {
        u64::try_from(self.integer()?).map_err(|_| invalid("a size of a page is negative"))
    }

    /// Zigzag: 0, −1, 1, −2 …
    fn integer(&mut self) -> io::Result<i64> {
        let number = self.unsigned()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn unsigned(&mut self) -> io::Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 127) << shift;
            if byte & 128 == 0 {
                return Ok(number);
            }
        }
        Err(invalid("a number of a page header does not end"))
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.bytes.read_exact(&mut byte)?;
        self.read += 1;
        Ok(byte[0])
    }

    fn pass(&mut self, count: u64) -> io::Result<()> {
        let passed = io::copy(&mut (&mut self.bytes).take(count), &mut io::sink())?;
        self.read += passed;
        if passed < count {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}
