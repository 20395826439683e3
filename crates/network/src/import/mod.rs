//! Integer networks made elsewhere.
//!
//! | file | content |
//! |---|---|
//! | safetensors | `P` `[d, n]`, `R` `[d, m]` or none for squares, `D` `[S, d]`, integers of any width (or floats that are whole numbers); a column of biases first, last or none; optionally `head.I.weight` `[out, in]`, `head.I.bias`, and `centre`, `scale` `[S]` for a head that reads `(output − centre) / scale` |
//! | `.mlm` text | base64 of zlib of JSON, as the paper's program writes: `proj_.columns` `[n][d]` with the bias first, `forms_.content` `[d][S]` |
//!
//! The network reads integers `low ..= high` per input. An encoder gives levels from 0, so that the
//! shift goes into the bias: `P·x + b = P·level + (b + low·Σ P)`.

mod mlm;
mod tensors;

use std::path::{Path, PathBuf};

use dataset::Encoder;

use crate::compiled::{CompiledNetwork, Origin, PublicHead, Weights};
use crate::storage::FileError;

/// What the file of an integer network does not say of itself.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// How images become inputs.
    pub inputs: Inputs,
    /// What the network reads where the encoder gives level 0.
    pub low: i64,
    /// Where the biases are.
    pub bias: BiasColumn,
    /// What the bias is multiplied by; 1 unless the program that made it says otherwise.
    pub constant: i32,
    /// Class names; `None` for the numbers from 0.
    pub classes: Option<Vec<String>>,
    /// The label column that the network predicts.
    pub main: String,
}

/// How images become the inputs of an imported network.
#[derive(Clone, Debug)]
pub enum Inputs {
    /// Pixels 0..=255 scaled to `bits` bits and rounded; 8 bits leave them as they are.
    Pixels {
        /// Rows of an image.
        height: usize,
        /// Columns of an image.
        width: usize,
        /// Bits per input.
        bits: u32,
    },
    /// The levels of this encoder.
    Encoder(Box<Encoder>),
}

/// Where the biases of `P` and `R` are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BiasColumn {
    /// Column 0.
    First,
    /// The last column.
    Last,
    /// There are none.
    None,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            inputs: Inputs::Pixels { height: 28, width: 28, bits: 8 },
            low: 0,
            bias: BiasColumn::First,
            constant: 1,
            classes: None,
            main: "digit".into(),
        }
    }
}

/// Why a network cannot be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file that cannot be read, or a tensor that is missing or wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// Text that is not a network of the paper's program.
    #[error("{}: {problem}: give a file that the paper's program wrote, or safetensors", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Sizes that do not fit one another or the options.
    #[error("{}: `{field}` {problem}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// The tensor or option.
        field: String,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// An encoder that cannot be made from the options.
    #[error("import option `inputs` is {value}: {problem}")]
    Inputs {
        /// Size and bits.
        value: String,
        /// What is wrong.
        problem: String,
    },
}

/// A network as a file holds it: biases first, rows by unit or output.
struct Raw {
    weights: Weights,
    outputs: usize,
    head: Option<PublicHead>,
}

impl CompiledNetwork {
    /// Reads an integer network made elsewhere. It declares its exact ranges; see
    /// [`with_range`](Self::with_range) for narrower ones.
    pub fn import(path: &Path, options: &ImportOptions) -> Result<Self, ImportError> {
        let encoder = encoder(&options.inputs)?;
        let raw =
            if mlm::is_text(path)? { mlm::read(path, &encoder)? } else { tensors::read(path, &encoder, options)? };
        let failed =
            |field: &str, problem: String| ImportError::Size { path: path.into(), field: field.into(), problem };
        let mut weights = raw.weights;
        let (n, m) = encoder.inputs();
        let sides = [(Some(&mut weights.left), n), (weights.right.as_mut(), m)];
        for (rows, columns) in sides.into_iter().filter_map(|(rows, columns)| Some((rows?, columns))) {
            for row in rows.chunks_exact_mut(columns) {
                row[0] = shifted(row, options).ok_or_else(|| {
                    failed("low", format!("is {}: a bias leaves 32 bits; choose a smaller shift", options.low))
                })?;
            }
        }
        let classes = match &options.classes {
            Some(classes) => classes.clone(),
            None => (0..raw.head.as_ref().map_or(raw.outputs, PublicHead::classes)).map(|c| c.to_string()).collect(),
        };
        let head = raw.head.unwrap_or(PublicHead::Largest);
        let logits = if head == PublicHead::Largest { raw.outputs } else { head.classes() };
        if classes.len() != logits {
            return Err(failed("classes", format!("has {} names for {logits} classes", classes.len())));
        }
        let exact = weights.bounds(&encoder).ok_or_else(|| {
            failed("P", "leaves 64-bit projections: the weights or the input range are too large".into())
        })?;
        let declared: Option<Vec<(i64, i64)>> =
            exact.outputs.iter().map(|&(low, high)| Some((low.try_into().ok()?, high.try_into().ok()?))).collect();
        let declared =
            declared.ok_or_else(|| failed("D", "gives outputs beyond 64 bits: the weights are too large".into()))?;
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let labels = (options.main.clone(), classes);
        Ok(weights.assemble(encoder, exact, declared, head, labels, Origin::Imported { file }))
    }
}

/// The bias of a row for inputs that are levels.
fn shifted(row: &[i32], options: &ImportOptions) -> Option<i32> {
    let sum: i64 = row[1..].iter().map(|&weight| i64::from(weight)).sum();
    let own = i64::from(row[0]).checked_mul(options.constant.into())?;
    own.checked_add(sum.checked_mul(options.low)?)?.try_into().ok()
}

fn encoder(inputs: &Inputs) -> Result<Encoder, ImportError> {
    let (height, width, bits) = match inputs {
        Inputs::Encoder(encoder) => return Ok(encoder.as_ref().clone()),
        Inputs::Pixels { height, width, bits } => (*height, *width, *bits),
    };
    let failed =
        |problem: String| ImportError::Inputs { value: format!("{height}x{width} pixels of {bits} bits"), problem };
    let pixels = height.checked_mul(width).filter(|&pixels| pixels <= 1 << 20);
    let pixels = pixels.ok_or_else(|| failed("choose at most 1048576 pixels".into()))?;
    let all: Vec<usize> = (0..pixels).collect();
    // The stored form of an encoder, which checks all of its rules when it is read.
    let stored = serde_json::json!({
        "height": height, "width": width, "bits": bits, "low": 0.0, "high": 1.0, "pooling": 1,
        "dark": false, "per_image": false, "cells": all, "map": "cells", "right": all,
    });
    serde_json::from_value(stored).map_err(|error| failed(error.to_string()))
}
