//! Facts about an integer network that its file does not state.

use encoder::Encoder;

/// Facts about an integer network that its file does not state.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// How images become inputs.
    pub inputs: Inputs,
    /// The integer that the network reads for level 0 of the encoder.
    pub low: i64,
    /// Where the biases are.
    pub bias: BiasColumn,
    /// The constant that the bias is multiplied by; 1 unless the program that made the network uses another.
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
