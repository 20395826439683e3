//! The text files of the paper's program: base64 of zlib of JSON.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encoder::Encoder;
use flate2::read::ZlibDecoder;
use host::files;
use serde::de::{self, DeserializeSeed, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::ImportError;
use super::raw::Raw;
use crate::storage::FileError;

/// The paper's own file is 21 KB, and 108 KB inflated.
const TEXT_LIMIT: u64 = 16 << 20;
const JSON_LIMIT: u64 = 64 << 20;

/// Numbers of a matrix, where each row counts as three more: 64 MB in memory.
const NUMBER_LIMIT: usize = 8 << 20;
const ROW: usize = 3;

#[derive(Deserialize)]
struct Model {
    proj_: Projection,
    forms_: Forms,
}

#[derive(Deserialize)]
struct Projection {
    columns: Matrix,
}

#[derive(Deserialize)]
struct Forms {
    content: Matrix,
}

/// Rows of numbers, refused as soon as there are more than [`NUMBER_LIMIT`]: two characters of JSON may become a row.
struct Matrix(Vec<Vec<f64>>);

impl<'de> Deserialize<'de> for Matrix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Rows)
    }
}

struct Rows;

impl<'de> Visitor<'de> for Rows {
    type Value = Matrix;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("rows of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Matrix, A::Error> {
        let (mut matrix, mut left) = (Vec::new(), NUMBER_LIMIT);
        while let Some(row) = rows.next_element_seed(Row(&mut left))? {
            matrix.push(row);
        }
        Ok(Matrix(matrix))
    }
}

/// A row that may hold this many numbers.
struct Row<'a>(&'a mut usize);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = Vec<f64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<f64>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = Vec<f64>;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a row of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Vec<f64>, A::Error> {
        let large = || de::Error::custom(format!("a matrix has more than {NUMBER_LIMIT} numbers"));
        let mut row = Vec::new();
        *self.0 = self.0.checked_sub(ROW).ok_or_else(large)?;
        while let Some(number) = numbers.next_element()? {
            *self.0 = self.0.checked_sub(1).ok_or_else(large)?;
            row.push(number);
        }
        Ok(row)
    }
}

/// Whether a file starts as text rather than as safetensors (eight bytes of length, then `{`).
pub(super) fn is_text(path: &Path) -> Result<bool, ImportError> {
    let failed = |source| FileError::Io { action: "read", path: path.into(), source };
    let mut start = Vec::with_capacity(9);
    File::open(path).map_err(failed)?.take(9).read_to_end(&mut start).map_err(failed)?;
    Ok(start.get(8) != Some(&b'{') && start.is_ascii() && !start.contains(&0) && !start.is_empty())
}

pub(super) fn read(path: &Path, encoder: &Encoder) -> Result<Raw, ImportError> {
    let failed = |problem: String| ImportError::Text { path: path.into(), problem };
    let mut text = files::read(path, TEXT_LIMIT).map_err(|error| match error {
        files::FileError::TooLong { .. } => {
            failed(format!("it has more than {TEXT_LIMIT} bytes; such a network has a few thousand"))
        }
        other => FileError::system("read", path, other).into(),
    })?;
    text.retain(|byte| !byte.is_ascii_whitespace());
    let packed = STANDARD.decode(&text).map_err(|error| failed(format!("it is not base64 ({error})")))?;
    let mut json = Vec::new();
    let inflated = ZlibDecoder::new(&packed[..]).take(JSON_LIMIT + 1).read_to_end(&mut json);
    inflated.map_err(|error| failed(format!("it does not inflate ({error})")))?;
    if json.len() as u64 > JSON_LIMIT {
        return Err(failed(format!(
            "it inflates to more than {JSON_LIMIT} bytes; such a network has a hundred thousand"
        )));
    }
    let model: Model = serde_json::from_slice(&json).map_err(|error| failed(format!("its JSON: {error}")))?;

    let (columns, content) = (model.proj_.columns.0, model.forms_.content.0);
    let units = content.len();
    let outputs = content.first().map_or(0, Vec::len);
    let (n, m) = encoder.inputs();
    if columns.len() != n || n != m {
        let inputs = columns.len();
        return Err(failed(format!("it reads {inputs} inputs with the constant, and the images give {n}")));
    }
    if units == 0 || outputs == 0 {
        return Err(failed("it has no unit or no output".into()));
    }
    let left = transposed(&columns, units).ok_or_else(|| failed(format!("`columns` is not {n}x{units} integers")))?;
    let combine =
        transposed(&content, outputs).ok_or_else(|| failed(format!("`content` is not {units}x{outputs} integers")))?;
    Ok(Raw { left, right: None, combine, units, outputs, head: None })
}

/// Rows of `columns` integers each, column by column; `None` if a row is not.
fn transposed(rows: &[Vec<f64>], columns: usize) -> Option<Vec<i32>> {
    let limit = f64::from(i32::MAX);
    let sound = |row: &Vec<f64>| row.len() == columns && row.iter().all(|v| v.fract() == 0.0 && v.abs() <= limit);
    if !rows.iter().all(sound) {
        return None;
    }
    Some((0..columns).flat_map(|column| rows.iter().map(move |row| row[column] as i32)).collect())
}
