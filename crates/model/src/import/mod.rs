//! Integer networks from elsewhere.
//!
//! | file | content |
//! |---|---|
//! | safetensors | `P` `[d, n]`, `R` `[d, m]` or none for squares, `D` `[S, d]`, integers of any width (or floats that are whole numbers); a column of biases first, last or none; optionally `head.I.weight` `[out, in]`, `head.I.bias`, and `centre`, `scale` `[S]` for a head that reads `(output − centre) / scale` |
//! | `.mlm` text | base64 of zlib of JSON, as the paper's program writes: `proj_.columns` `[n][d]` with the bias first, `forms_.content` `[d][S]` |
//!
//! The network reads integers `low ..= high` per input. Levels of an encoder start at 0, so the shift goes into the
//! bias: `P·x + b = P·level + (b + low·Σ P)`.

mod error;
mod integers;
mod mlm;
mod options;
mod raw;
mod tensors;

pub use error::ImportError;
pub use integers::{IntegerMatrix, Integers};
pub use options::{BiasColumn, ImportOptions, Inputs};

use std::path::Path;

use encoder::Encoder;
use quadratic::QuadraticMap;

use crate::{CompiledNetwork, ModelError, Origin, Parts, PublicHead};
use raw::Raw;

impl CompiledNetwork {
    /// Reads an integer network from elsewhere. It declares its exact ranges; see [`with_range`](Self::with_range) for
    /// narrower ones.
    ///
    /// # Errors
    /// A file that cannot be read or does not fit the options; outputs beyond 64 bits.
    pub fn import(path: &Path, options: &ImportOptions) -> Result<Self, ImportError> {
        let encoder = encoder(&options.inputs)?;
        let raw =
            if mlm::is_text(path)? { mlm::read(path, &encoder)? } else { tensors::read(path, &encoder, options)? };
        Self::assemble(raw, encoder, path, options)
    }

    /// A network of integers in memory, without a head: the largest output names the class. Column 0 of `P` and `R`
    /// multiplies [`ImportOptions::constant`].
    ///
    /// # Errors
    /// Matrices that do not fit each other or the options; outputs beyond 64 bits.
    pub fn from_integers(integers: Integers, options: &ImportOptions) -> Result<Self, ImportError> {
        let encoder = encoder(&options.inputs)?;
        let name = Path::new(integers::NAME);
        Self::assemble(integers.checked(encoder.inputs())?, encoder, name, options)
    }

    fn assemble(raw: Raw, encoder: Encoder, path: &Path, options: &ImportOptions) -> Result<Self, ImportError> {
        let failed =
            |field: &str, problem: String| ImportError::Size { path: path.into(), field: field.into(), problem };
        let Raw { mut left, mut right, combine, units, outputs, head } = raw;
        let (n, m) = encoder.inputs();
        let sides = [(Some(&mut left), n), (right.as_mut(), m)];
        for (rows, columns) in sides.into_iter().filter_map(|(rows, columns)| Some((rows?, columns))) {
            for row in rows.chunks_exact_mut(columns) {
                row[0] = shifted(row, options).ok_or_else(|| {
                    failed("low", format!("is {}: a bias leaves 32 bits; choose a smaller shift", options.low))
                })?;
            }
        }
        let head = head.unwrap_or(PublicHead::Largest);
        let logits = if head == PublicHead::Largest { outputs } else { head.classes() };
        let classes = options.classes.clone().unwrap_or_else(|| (0..logits).map(|c| c.to_string()).collect());
        if classes.len() != logits {
            return Err(failed("classes", format!("has {} names for {logits} classes", classes.len())));
        }
        let squares = right.is_none();
        let right = right.unwrap_or_else(|| left.clone());
        let map = QuadraticMap::new(n, m, units, outputs, left, right, combine);
        let map = map.map_err(|error| failed("P", format!("makes no map: {error}")))?;
        let origin = Origin::Imported { file: path.file_name().unwrap_or_default().to_string_lossy().into_owned() };
        let parts = Parts { encoder, map, squares, head, main: options.main.clone(), classes, origin };
        let network = Self::new(parts).map_err(|error| match error {
            ModelError::Overflow => {
                failed("P", "leaves 64-bit projections: the weights or the input range are too large".into())
            }
            other => failed("D", format!("does not fit: {other}")),
        })?;
        let narrow = |(low, high): &(i128, i128)| i64::try_from(*low).is_ok() && i64::try_from(*high).is_ok();
        if !network.exact_bounds().iter().all(narrow) {
            return Err(failed("D", "gives outputs beyond 64 bits: the weights are too large".into()));
        }
        Ok(network)
    }
}

/// The bias of a row whose inputs are levels.
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
    Encoder::pixels(height, width, bits).map_err(|error| ImportError::Inputs {
        value: format!("{height}x{width} pixels of {bits} bits"),
        problem: error.to_string(),
    })
}
