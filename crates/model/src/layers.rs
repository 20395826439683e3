//! The layers of a head in a file, named like PyTorch's linear layers: `head.I.weight` `[out, in]`, `head.I.bias`
//! `[out]`.

use crate::storage::{FileError, Stored, Tensors, Values};
use crate::{Parameter, Parameters};

/// Sides of matrices beyond this are refused before anything is allocated for them.
const SIDE_LIMIT: usize = 1 << 16;

/// Adds the layers of a head, weights `[out, in]`.
pub fn insert_head(tensors: &mut Tensors, head: &Parameters) {
    for parameter in &head.0 {
        let values = match parameter.shape[..] {
            [_, output] => transpose(&parameter.values, output),
            _ => parameter.values.clone(),
        };
        let shape: Vec<usize> = parameter.shape.iter().rev().copied().collect();
        tensors.insert(&parameter.name, &shape, Values::F32(values));
    }
}

/// Reads the layers `head.0`, `head.1`, … from `inputs` numbers to `classes` logits.
///
/// # Errors
/// Layers that are missing, damaged or of sizes that do not fit.
pub fn read_head(stored: &Stored, inputs: usize, classes: usize) -> Result<Parameters, FileError> {
    let mut parameters = Vec::new();
    let mut width = inputs;
    for layer in 0.. {
        let (weight, bias) = (format!("head.{layer}.weight"), format!("head.{layer}.bias"));
        if !stored.has(&weight) {
            break;
        }
        let output = side(stored, &weight, 0)?;
        let values = stored.floats_shaped(&weight, &[output, width])?;
        parameters.push(Parameter::new(weight, &[width, output], transpose(&values, width)));
        parameters.push(Parameter::new(bias.clone(), &[output], stored.floats_shaped(&bias, &[output])?));
        width = output;
    }
    if parameters.is_empty() {
        return Err(stored.field("head.0.weight", "is missing: a network needs a public head"));
    }
    if width != classes {
        let problem = format!("gives {width} logits for {classes} classes");
        return Err(stored.field(&format!("head.{}.weight", parameters.len() / 2 - 1), problem));
    }
    Ok(Parameters(parameters))
}

/// One side of a stored tensor, checked against the limit.
///
/// # Errors
/// No such tensor or side, or one that is too large.
pub fn side(stored: &Stored, name: &str, axis: usize) -> Result<usize, FileError> {
    let shape = stored.shape(name)?;
    match shape.get(axis) {
        Some(&side) if (1..=SIDE_LIMIT).contains(&side) => Ok(side),
        _ => Err(stored.field(name, format!("has shape {shape:?}: sides go from 1 to {SIDE_LIMIT}"))),
    }
}

/// A matrix of `columns` columns, transposed.
pub fn transpose(values: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| values.iter().skip(column).step_by(columns).copied()).collect()
}
