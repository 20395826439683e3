//! The public head on integer outputs.

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::parameters::Parameters;

/// How the outputs are read in the clear.
#[derive(Clone, Debug, PartialEq)]
pub enum PublicHead {
    /// The largest output names the class.
    Largest,
    /// A net that reads `(output − centre) / scale`.
    Net {
        /// One per output.
        centre: Vec<f64>,
        /// One per output, positive.
        scale: Vec<f64>,
        /// Weights `[in, out]` and biases `[out]` by turns; ReLU between layers, none on the logits.
        layers: Parameters,
    },
}

/// Class probabilities by a net for rows of `width` inputs, row-major.
pub fn probabilities(layers: &Parameters, inputs: &[f32], width: usize) -> Vec<f32> {
    inputs.par_chunks_exact(width).flat_map_iter(|row| softmax(logits(layers, row))).collect()
}

/// The net on one row of inputs.
fn logits(layers: &Parameters, input: &[f32]) -> Vec<f32> {
    let mut row = input.to_vec();
    let count = layers.0.len() / 2;
    for (layer, pair) in layers.0.chunks_exact(2).enumerate() {
        let (weight, bias) = (&pair[0].values, &pair[1].values);
        let mut sums = bias.clone();
        for (value, weights) in row.iter().zip(weight.chunks_exact(bias.len())) {
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * weight);
        }
        if layer + 1 < count {
            sums.iter_mut().for_each(|sum| *sum = sum.max(0.0));
        }
        row = sums;
    }
    row
}

fn softmax(mut logits: Vec<f32>) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits.iter_mut().for_each(|logit| *logit = (*logit - most).exp());
    let sum: f32 = logits.iter().sum();
    logits.iter_mut().for_each(|share| *share /= sum);
    logits
}

impl PublicHead {
    /// Why a net cannot read `outputs` numbers.
    pub(crate) fn problem(&self, outputs: usize) -> Option<String> {
        let PublicHead::Net { centre, scale, layers } = self else { return None };
        if !centre.iter().chain(scale).all(|value| value.is_finite()) || scale.iter().any(|&scale| scale <= 0.0) {
            return Some("with an unusable centre or scale".into());
        }
        if let Some(name) = layers.first_not_finite() {
            return Some(format!("with a value in `{name}` that is not a finite number"));
        }
        let mut width = outputs;
        for pair in layers.0.chunks(2) {
            let [weight, bias] = pair else { return Some("with a weight that has no bias".into()) };
            let next = bias.values.len();
            let fits = next > 0 && bias.shape == [next] && weight.shape == [width, next];
            if !fits || weight.values.len() != width * next {
                return Some(format!("with `{}` of shape {:?} after {width} numbers", weight.name, weight.shape));
            }
            width = next;
        }
        layers.0.is_empty().then(|| "without layers".into())
    }

    /// Logits of the net; 0 where the largest output names the class.
    pub fn classes(&self) -> usize {
        match self {
            PublicHead::Largest => 0,
            PublicHead::Net { layers, .. } => layers.0.last().map_or(0, |bias| bias.values.len()),
        }
    }

    pub(crate) fn update(&self, hash: &mut Sha256) {
        match self {
            PublicHead::Largest => hash.update(b"largest"),
            PublicHead::Net { centre, scale, layers } => {
                hash.update(b"net");
                for value in centre.iter().chain(scale) {
                    hash.update(value.to_le_bytes());
                }
                for layer in &layers.0 {
                    for &side in &layer.shape {
                        hash.update((side as u64).to_le_bytes());
                    }
                    for value in &layer.values {
                        hash.update(value.to_le_bytes());
                    }
                }
            }
        }
    }
}

/// `(output − centre) / scale`, in 64 bits before it is rounded to 32.
pub fn standardise(output: &[i64], centre: &[f64], scale: &[f64]) -> Vec<f32> {
    let statistics = centre.iter().zip(scale).cycle();
    output.iter().zip(statistics).map(|(&value, (centre, scale))| ((value as f64 - centre) / scale) as f32).collect()
}

/// The column of the largest value of a row; the first of equals.
pub fn largest<T: PartialOrd>(row: &[T]) -> usize {
    (1..row.len()).fold(0, |best, column| if row[column] > row[best] { column } else { best })
}

pub(crate) fn one_of_largest(row: &[i64]) -> Vec<f32> {
    let best = largest(row);
    (0..row.len()).map(|column| f32::from(column == best)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Parameter;

    #[test]
    fn a_net_is_computed_as_by_hand() {
        let layers = Parameters(vec![
            Parameter::new("head.0.weight", &[2, 2], vec![1.0, -1.0, 2.0, 0.5]),
            Parameter::new("head.0.bias", &[2], vec![0.25, 0.0]),
            Parameter::new("head.1.weight", &[2, 2], vec![1.0, 3.0, -2.0, 1.0]),
            Parameter::new("head.1.bias", &[2], vec![0.0, 1.0]),
        ]);
        // Hidden (1 + 4 + 0.25, max(0, −1 + 1)).
        assert_eq!(logits(&layers, &[1.0, 2.0]), [5.25, 3.0 * 5.25 + 1.0]);
        let shares = softmax(vec![10.0, 10.0 + 3f32.ln()]);
        assert!((shares[0] - 0.25).abs() < 1e-5 && (shares[1] - 0.75).abs() < 1e-5, "{shares:?}");
    }

    #[test]
    fn layers_that_do_not_chain_are_named() {
        let net = |layers| PublicHead::Net { centre: vec![0.0; 2], scale: vec![1.0; 2], layers: Parameters(layers) };
        let layer = |shape: [usize; 2]| {
            let weight = Parameter::new("head.0.weight", &shape, vec![0.5; shape[0] * shape[1]]);
            vec![weight, Parameter::new("head.0.bias", &[shape[1]], vec![0.0; shape[1]])]
        };
        assert_eq!(net(layer([2, 3])).problem(2), None);
        for layers in [vec![], layer([3, 3]), layer([2, 0]), layer([2, 3])[..1].to_vec()] {
            assert!(net(layers).problem(2).is_some());
        }
        let flat = PublicHead::Net { centre: vec![0.0; 2], scale: vec![1.0, 0.0], layers: Parameters(layer([2, 3])) };
        assert!(flat.problem(2).is_some());
    }

    #[test]
    fn the_first_of_equals_is_the_largest() {
        assert_eq!((largest(&[1, 3, 3]), largest(&[2.0, 1.0])), (1, 0));
    }
}
