//! Integer networks in safetensors.

use std::path::Path;

use encoder::Encoder;

use super::error::ImportError;
use super::options::{BiasColumn, ImportOptions};
use super::raw::Raw;
use crate::PublicHead;
use crate::layers::read_head;
use crate::storage::Stored;

pub(super) fn read(path: &Path, encoder: &Encoder, options: &ImportOptions) -> Result<Raw, ImportError> {
    let stored = Stored::read(path)?;
    let has = |name: &str| stored.has(name);
    let (n, m) = encoder.inputs();
    let (left, units) = projection(&stored, path, "P", n, options.bias)?;
    let right = if has("R") {
        let (right, right_units) = projection(&stored, path, "R", m, options.bias)?;
        if right_units != units {
            return Err(size(path, "R", format!("has {right_units} rows, and `P` has {units}: give one per unit")));
        }
        Some(right)
    } else {
        None
    };
    if right.is_none() && n != m {
        return Err(size(path, "R", "is missing, and the encoder carries fewer columns on the right".into()));
    }
    let (shape, combine) = stored.small_integers("D")?;
    let outputs = match shape[..] {
        [outputs, columns] if columns == units && outputs > 0 => outputs,
        _ => {
            return Err(size(path, "D", format!("has shape {shape:?}, and must be [outputs, {units}]: transpose it?")));
        }
    };
    let head = if has("head.0.weight") { Some(net(&stored, outputs, options)?) } else { None };
    Ok(Raw { left, right, combine, units, outputs, head })
}

/// A projection with its biases first, and its number of rows.
fn projection(
    stored: &Stored,
    path: &Path,
    name: &str,
    inputs: usize,
    bias: BiasColumn,
) -> Result<(Vec<i32>, usize), ImportError> {
    let (shape, values) = stored.small_integers(name)?;
    let expected = if bias == BiasColumn::None { inputs - 1 } else { inputs };
    let units = match shape[..] {
        [units, columns] if columns == expected && units > 0 => units,
        _ => {
            let problem = format!(
                "has shape {shape:?}, and the inputs need [units, {expected}]: check the image size and the bias column, or transpose it"
            );
            return Err(size(path, name, problem));
        }
    };
    let first = |row: &[i32]| match bias {
        BiasColumn::First => row.to_vec(),
        BiasColumn::Last => [&row[expected - 1..], &row[..expected - 1]].concat(),
        BiasColumn::None => [&[0], row].concat(),
    };
    Ok((values.chunks_exact(expected).flat_map(first).collect(), units))
}

fn net(stored: &Stored, outputs: usize, options: &ImportOptions) -> Result<PublicHead, ImportError> {
    let last = (0..).take_while(|layer| stored.has(&format!("head.{layer}.weight"))).last();
    let shape = stored.shape(&format!("head.{}.weight", last.unwrap_or(0)))?;
    let logits = shape.first().copied().unwrap_or(0);
    let classes = options.classes.as_ref().map_or(logits, Vec::len);
    let statistics = |name: &str, default: f64| match stored.has(name) {
        true => stored.statistics(name, outputs, name == "scale"),
        false => Ok(vec![default; outputs]),
    };
    let (centre, scale) = (statistics("centre", 0.0)?, statistics("scale", 1.0)?);
    Ok(PublicHead::Net { centre, scale, layers: read_head(stored, outputs, classes)? })
}

fn size(path: &Path, field: &str, problem: String) -> ImportError {
    ImportError::Size { path: path.into(), field: field.into(), problem }
}
