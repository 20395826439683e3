//! The text files of the paper's program: base64 of zlib of JSON.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encoder::Encoder;
use flate2::read::ZlibDecoder;
use serde::Deserialize;

use super::{ImportError, Raw};
use crate::storage::FileError;

/// The paper's own file is 21 KB, and 108 KB inflated.
const TEXT_LIMIT: u64 = 64 << 20;
const JSON_LIMIT: u64 = 256 << 20;

#[derive(Deserialize)]
struct Model {
    proj_: Projection,
    forms_: Forms,
}

#[derive(Deserialize)]
struct Projection {
    columns: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Forms {
    content: Vec<Vec<f64>>,
}

/// Whether a file starts as text rather than as safetensors (eight bytes of length, then `{`).
pub(super) fn is_text(path: &Path) -> Result<bool, ImportError> {
    let mut start = Vec::with_capacity(9);
    open(path)?.take(9).read_to_end(&mut start).map_err(|source| unreadable(path, source))?;
    Ok(start.get(8) != Some(&b'{') && start.is_ascii() && !start.contains(&0) && !start.is_empty())
}

pub(super) fn read(path: &Path, encoder: &Encoder) -> Result<Raw, ImportError> {
    let failed = |problem: String| ImportError::Text { path: path.into(), problem };
    let mut text = Vec::new();
    open(path)?.take(TEXT_LIMIT).read_to_end(&mut text).map_err(|source| unreadable(path, source))?;
    text.retain(|byte| !byte.is_ascii_whitespace());
    let packed = STANDARD.decode(&text).map_err(|error| failed(format!("it is not base64 ({error})")))?;
    let mut json = Vec::new();
    let inflated = ZlibDecoder::new(&packed[..]).take(JSON_LIMIT).read_to_end(&mut json);
    inflated.map_err(|error| failed(format!("it does not inflate ({error})")))?;
    let model: Model = serde_json::from_slice(&json).map_err(|error| failed(format!("its JSON: {error}")))?;

    let (columns, content) = (model.proj_.columns, model.forms_.content);
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

fn open(path: &Path) -> Result<File, ImportError> {
    File::open(path).map_err(|source| unreadable(path, source))
}

fn unreadable(path: &Path, source: std::io::Error) -> ImportError {
    FileError::Io { action: "read", path: path.into(), source }.into()
}
