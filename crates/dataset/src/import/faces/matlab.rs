//! MATLAB files of version 5 to 7, as far as face collections use them: structures, cells, texts and real numbers,
//! plain or compressed, little-endian.
//!
//! Format: MathWorks, *MAT-File Format*, R2023. A file is a header of 128 bytes and elements, each a
//! tag (type, size) and data padded to 8 bytes; arrays are elements of elements. Every size is checked
//! against what encloses it before anything is allocated.

use std::collections::BTreeMap;

use flate2::read::ZlibDecoder;

use crate::import::Budget;

/// An array of a MATLAB file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Real numbers in column order.
    Numbers(Vec<f64>),
    Text(String),
    Cells(Vec<Value>),
    /// A structure of one element.
    Fields(BTreeMap<String, Value>),
    /// Anything else: objects, functions, structures of several elements.
    Other,
}

const HEADER: usize = 128;

/// Structures in cells in structures …
const DEEPEST: usize = 16;

/// What a field takes in memory besides its name and its value.
const FIELD: u64 = 128;

fn keep(budget: &Budget, bytes: u64) -> Result<(), String> {
    budget.keep(bytes).map_err(|over| over.to_string())
}

mod kind {
    pub const MATRIX: u32 = 14;
    pub const COMPRESSED: u32 = 15;
}

mod class {
    pub const CELL: u8 = 1;
    pub const STRUCTURE: u8 = 2;
    pub const TEXT: u8 = 4;
    pub const NUMBERS: std::ops::RangeInclusive<u8> = 6..=15;
}

/// The variables of a file, by name.
pub(super) fn read(bytes: &[u8], budget: &Budget) -> Result<BTreeMap<String, Value>, String> {
    if bytes.starts_with(b"MATLAB 7.3") {
        return Err("it is of version 7.3 (HDF5): save it again with save(…, '-v7')".into());
    }
    let header = bytes.get(..HEADER).ok_or("it is too short for a MATLAB file")?;
    match &header[124..] {
        [_, 1, b'I', b'M'] => {}
        [1, _, b'M', b'I'] => return Err("it is big-endian: save it again on an Intel or ARM computer".into()),
        _ => return Err("it is not a MATLAB file of version 5 to 7".into()),
    }
    let mut variables = BTreeMap::new();
    let mut rest = Elements { bytes: &bytes[HEADER..] };
    while !rest.bytes.is_empty() {
        let (kind, data) = rest.next()?;
        match kind {
            kind::COMPRESSED => {
                let mut inflated = Vec::new();
                let decoder = ZlibDecoder::new(data);
                budget.read_to_end(decoder, &mut inflated).map_err(|error| match error.kind() {
                    std::io::ErrorKind::FileTooLarge => error.to_string(),
                    _ => format!("its compression is damaged: {error}"),
                })?;
                let (_, data) = Elements { bytes: &inflated }.next()?;
                variables.extend(array(data, DEEPEST, budget)?);
            }
            kind::MATRIX => variables.extend(array(data, DEEPEST, budget)?),
            _ => {}
        }
    }
    Ok(variables)
}

/// A run of elements.
struct Elements<'a> {
    bytes: &'a [u8],
}

impl<'a> Elements<'a> {
    /// The type and the data of the next element.
    fn next(&mut self) -> Result<(u32, &'a [u8]), String> {
        let tag = self.take(4)?;
        let word = u32::from_le_bytes([tag[0], tag[1], tag[2], tag[3]]);
        // Small elements have their size in the upper half and the data in the tag.
        if word >> 16 != 0 {
            let data = self.take(4)?;
            let data = data.get(..(word >> 16) as usize).ok_or("a small element states a size above 4 bytes")?;
            return Ok((word & 0xffff, data));
        }
        let size = self.take(4)?;
        let size = u32::from_le_bytes([size[0], size[1], size[2], size[3]]) as usize;
        let data = self.take(size)?;
        if word != kind::COMPRESSED {
            // The last element of a file may lack its padding.
            let padding = (size.next_multiple_of(8) - size).min(self.bytes.len());
            self.bytes = &self.bytes[padding..];
        }
        Ok((word, data))
    }

    fn take(&mut self, size: usize) -> Result<&'a [u8], String> {
        let cut = || format!("it is truncated, or an element states too large a size ({size} bytes)");
        let (taken, rest) = self.bytes.split_at_checked(size).ok_or_else(cut)?;
        self.bytes = rest;
        Ok(taken)
    }
}

/// The name and value of an array; none for an empty one without a header.
fn array(data: &[u8], depth: usize, budget: &Budget) -> Result<Option<(String, Value)>, String> {
    if data.is_empty() {
        return Ok(None);
    }
    let depth = depth.checked_sub(1).ok_or("its structures are nested too deeply")?;
    let mut parts = Elements { bytes: data };
    let (_, flags) = parts.next()?;
    let class = *flags.first().ok_or("an array has no flags")?;
    let (kind, sizes) = parts.next()?;
    let sizes = numbers(kind, sizes, budget)?;
    let (_, name) = parts.next()?;
    let name = String::from_utf8_lossy(name).into_owned();
    let value = match class {
        class::CELL => Value::Cells(nested(&mut parts, depth, budget)?),
        class::STRUCTURE if sizes == [1.0, 1.0] => structure(&mut parts, depth, budget)?,
        class::TEXT => {
            let (kind, data) = parts.next()?;
            Value::Text(text(kind, data, budget)?)
        }
        class if class::NUMBERS.contains(&class) => {
            let (kind, data) = parts.next()?;
            Value::Numbers(numbers(kind, data, budget)?)
        }
        _ => Value::Other,
    };
    Ok(Some((name, value)))
}

fn structure(parts: &mut Elements, depth: usize, budget: &Budget) -> Result<Value, String> {
    let (kind, length) = parts.next()?;
    let length = numbers(kind, length, budget)?.first().map_or(0, |&length| length as usize);
    let (_, names) = parts.next()?;
    if length == 0 || names.len() % length != 0 {
        return Err("a structure's field names are damaged".into());
    }
    let name = |bytes: &[u8]| {
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    keep(budget, names.len() as u64 / length as u64 * FIELD + 3 * names.len() as u64)?;
    let names = names.chunks(length).map(name);
    Ok(Value::Fields(names.zip(nested(parts, depth, budget)?).collect()))
}

/// The arrays in the rest of a cell or a structure.
fn nested(parts: &mut Elements, depth: usize, budget: &Budget) -> Result<Vec<Value>, String> {
    let mut values = Vec::new();
    while !parts.bytes.is_empty() {
        let (kind, data) = parts.next()?;
        if kind != kind::MATRIX {
            return Err(format!("a cell holds an element of type {kind}"));
        }
        // An empty array takes eight bytes in the file, and more in memory.
        keep(budget, 2 * size_of::<Value>() as u64)?;
        values.push(array(data, depth, budget)?.map_or(Value::Other, |(_, value)| value));
    }
    Ok(values)
}

fn numbers(kind: u32, data: &[u8], budget: &Budget) -> Result<Vec<f64>, String> {
    let size: u64 = match kind {
        1 | 2 => 1,
        3 | 4 => 2,
        5..=7 => 4,
        _ => 8,
    };
    keep(budget, data.len() as u64 / size * 8)?;
    /// Whole elements, each turned into a number.
    fn each<const SIZE: usize>(data: &[u8], turn: impl Fn([u8; SIZE]) -> f64) -> Vec<f64> {
        data.as_chunks().0.iter().map(|&bytes| turn(bytes)).collect()
    }
    Ok(match kind {
        1 => each(data, |bytes: [u8; 1]| i8::from_le_bytes(bytes).into()),
        2 => each(data, |[byte]| byte.into()),
        3 => each(data, |bytes| i16::from_le_bytes(bytes).into()),
        4 => each(data, |bytes| u16::from_le_bytes(bytes).into()),
        5 => each(data, |bytes| i32::from_le_bytes(bytes).into()),
        6 => each(data, |bytes| u32::from_le_bytes(bytes).into()),
        7 => each(data, |bytes| f32::from_le_bytes(bytes).into()),
        9 => each(data, f64::from_le_bytes),
        12 => each(data, |bytes| i64::from_le_bytes(bytes) as f64),
        13 => each(data, |bytes| u64::from_le_bytes(bytes) as f64),
        _ => return Err(format!("an array of numbers has elements of type {kind}")),
    })
}

fn text(kind: u32, data: &[u8], budget: &Budget) -> Result<String, String> {
    // A code that is not a character becomes a replacement of three bytes.
    keep(budget, 3 * data.len() as u64)?;
    Ok(match kind {
        1 | 2 | 16 => String::from_utf8_lossy(data).into_owned(),
        4 | 17 => {
            let units: Vec<u16> = data.as_chunks().0.iter().map(|&bytes| u16::from_le_bytes(bytes)).collect();
            String::from_utf16_lossy(&units)
        }
        18 => {
            let codes = data.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes));
            codes.map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => return Err(format!("a text has elements of type {kind}")),
    })
}
