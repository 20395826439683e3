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

use encoder::Encoder;

use quadratic::QuadraticMap;

use crate::storage::FileError;
use crate::{CompiledNetwork, ModelError, Origin, Parts, PublicHead};

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
    left: Vec<i32>,
    /// `None` for squares.
    right: Option<Vec<i32>>,
    combine: Vec<i32>,
    units: usize,
    outputs: usize,
    head: Option<PublicHead>,
}

impl CompiledNetwork {
    /// Reads an integer network made elsewhere. It declares its exact ranges; see
    /// [`with_range`](Self::with_range) for narrower ones.
    ///
    /// # Errors
    /// A file that cannot be read or does not fit the options; outputs beyond 64 bits.
    pub fn import(path: &Path, options: &ImportOptions) -> Result<Self, ImportError> {
        let encoder = encoder(&options.inputs)?;
        let raw =
            if mlm::is_text(path)? { mlm::read(path, &encoder)? } else { tensors::read(path, &encoder, options)? };
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
    Encoder::pixels(height, width, bits).map_err(|error| ImportError::Inputs {
        value: format!("{height}x{width} pixels of {bits} bits"),
        problem: error.to_string(),
    })
}
