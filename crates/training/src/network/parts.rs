//! Networks that were trained elsewhere.

use dataset::{Dataset, DatasetError};
use encoder::Encoder;
use model::layers::transpose;
use model::{Parameter, Parameters};

use super::{Network, TrainingRecord};
use crate::{Defence, MeasureError, TrainOptions, UnitKind};

/// An affine layer, as PyTorch lays it out.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// The number of inputs.
    pub inputs: usize,
    /// `[outputs, inputs]`, row by row.
    pub weight: Vec<f32>,
    /// One number per output.
    pub bias: Vec<f32>,
}

/// The weights of a network: `q = D·((P·z + p) ∘ (R·z + r))`, then a head with ReLU between its layers.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkParts {
    /// `P` and `p`, over all columns of the encoder.
    pub left: Affine,
    /// `R` and `r`, over the columns that its right side carries; none for squares.
    pub right: Option<Affine>,
    /// `D`; its bias goes into the head.
    pub combine: Affine,
    /// The layers of the head; none if `D` itself is the head.
    pub head: Vec<Affine>,
    /// Makes `z`.
    pub encoder: Encoder,
    /// The label column that it predicts.
    pub main: String,
    /// The label columns to measure or defend.
    pub collateral: Vec<String>,
    /// Its source, for the record.
    pub source: String,
}

/// Why the parts do not make a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartsError {
    /// A layer whose size does not fit its input.
    #[error("layer `{layer}` has {found} {what}, and needs {expected}")]
    Size {
        /// The layer.
        layer: String,
        /// What is counted.
        what: &'static str,
        /// The number found.
        found: usize,
        /// The number required.
        expected: usize,
    },
    /// A weight that is not finite, or too large for 32 bits.
    #[error("layer `{layer}` has a weight that is not a finite number of 32 bits")]
    NotFinite {
        /// The layer.
        layer: String,
    },
    /// An encoder whose vectors the parts cannot read.
    #[error("the encoder {problem}")]
    Encoder {
        /// What is wrong.
        problem: &'static str,
    },
    /// A head for other classes than the data have.
    #[error("the head gives {found} logits and label `{main}` has {} classes: {classes:?}", classes.len())]
    Classes {
        /// The label column.
        main: String,
        /// Logits.
        found: usize,
        /// Its classes.
        classes: Vec<String>,
    },
    /// Accuracy cannot be measured on the data.
    #[error(transparent)]
    Measure(#[from] MeasureError),
}

impl From<DatasetError> for PartsError {
    fn from(error: DatasetError) -> Self {
        Self::Measure(error.into())
    }
}

impl Affine {
    fn outputs(&self) -> usize {
        self.bias.len()
    }

    fn check(&self, layer: &str, inputs: usize, outputs: usize) -> Result<(), PartsError> {
        let size = |what, found, expected| match found == expected {
            true => Ok(()),
            false => Err(PartsError::Size { layer: layer.into(), what, found, expected }),
        };
        size("inputs", self.inputs, inputs)?;
        size("outputs", self.outputs(), outputs.max(1))?;
        size("weights", self.weight.len(), inputs * outputs)?;
        let finite = self.weight.iter().chain(&self.bias).all(|value| value.is_finite());
        if finite { Ok(()) } else { Err(PartsError::NotFinite { layer: layer.into() }) }
    }

    /// Bias first, as projections are kept.
    fn projection(self, name: &str) -> Parameter {
        let shape = [1 + self.inputs, self.outputs()];
        let mut values = self.bias;
        values.extend(transpose(&self.weight, self.inputs));
        Parameter::new(name, &shape, values)
    }
}

impl Network {
    /// A network that was trained elsewhere, with its accuracy on `data`, whose classes of `main` name the logits.
    ///
    /// # Errors
    /// [`PartsError`] names the layer at fault.
    pub fn from_parts(parts: NetworkParts, data: &Dataset) -> Result<Self, PartsError> {
        let NetworkParts { left, right, combine, mut head, encoder, main, collateral, source } = parts;
        if encoder.noise().is_some() {
            return Err(PartsError::Encoder { problem: "appends noise, which only compiled networks carry" });
        }
        let (n, m) = encoder.inputs();
        let (units, width) = (left.outputs(), combine.outputs());
        left.check("left", n - 1, units)?;
        match &right {
            Some(right) => right.check("right", m - 1, units)?,
            None if n != m => {
                return Err(PartsError::Encoder {
                    problem: "carries fewer columns on the right, and squares need the same on both sides",
                });
            }
            None => {}
        }
        combine.check("combine", units, width)?;
        if head.is_empty() {
            let weight = (0..width * width).map(|place| if place % (width + 1) == 0 { 1.0 } else { 0.0 }).collect();
            head.push(Affine { inputs: width, weight, bias: vec![0.0; width] });
        }
        let mut reads = width;
        for (index, layer) in head.iter().enumerate() {
            layer.check(&format!("head.{index}"), reads, layer.outputs())?;
            reads = layer.outputs();
        }
        let classes = data.labels(&main)?.classes.clone();
        if reads != classes.len() {
            return Err(PartsError::Classes { main, found: reads, classes });
        }
        // The head absorbs the bias of `D`.
        let first = &mut head[0];
        for (bias, row) in first.bias.iter_mut().zip(first.weight.chunks_exact(width)) {
            let taken = row.iter().zip(&combine.bias).map(|(a, b)| f64::from(*a) * f64::from(*b));
            *bias = (f64::from(*bias) + taken.sum::<f64>()) as f32;
        }
        let options = TrainOptions {
            main: main.clone(),
            collateral: collateral.clone(),
            kind: if right.is_some() { UnitKind::Bilinear } else { UnitKind::Squares },
            units,
            outputs: width,
            head: head[..head.len() - 1].iter().map(Affine::outputs).collect(),
            defence: Defence::none(),
            ..TrainOptions::default()
        };
        let record = TrainingRecord {
            main,
            collateral,
            data: [("generator".to_owned(), source)].into(),
            items: data.len(),
            data_hash: String::new(),
            seen: None,
            steps: 0,
            accuracy: 0.0,
            neighbours: None,
            chance: None,
            version: env!("CARGO_PKG_VERSION").into(),
            options,
        };
        let mut private = vec![left.projection("left")];
        private.extend(right.map(|right| right.projection("right")));
        private.push(Parameter::new("combine", &[units, width], transpose(&combine.weight, units)));
        let layers = head.into_iter().enumerate().flat_map(|(index, layer)| {
            let shape = [layer.inputs, layer.outputs()];
            let weight = transpose(&layer.weight, layer.inputs);
            [
                Parameter::new(format!("head.{index}.weight"), &shape, weight),
                Parameter::new(format!("head.{index}.bias"), &shape[1..], layer.bias),
            ]
        });
        let head = Parameters(layers.collect());
        let kind = record.options.kind;
        let mut network = Self { kind, encoder, classes, private: Parameters(private), head, record };
        network.record.accuracy = network.accuracy(data)?;
        Ok(network)
    }
}
