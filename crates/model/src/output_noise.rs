//! The noise that each output carries, read from the map itself.

use crate::CompiledNetwork;

/// One output's exact inclusive range and its own noise `step · r`, `r` the encoder's truncated discrete Gaussian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputNoise {
    /// Smallest value.
    pub low: i64,
    /// Largest value.
    pub high: i64,
    /// Integer factor of the noise coordinate.
    pub step: i64,
    /// σ of the noise coordinate, before the factor.
    pub deviation: u32,
    /// The noise coordinate never exceeds this many σ.
    pub tail: u32,
}

/// Why a certificate cannot rely on the noise of some networks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutputNoiseError {
    /// The encoder adds no noise.
    #[error("no noise; nothing can be certified without noise under encryption: compile with noise")]
    None,
    /// Networks with different encoders do not open the same ciphertexts.
    #[error(
        "network {network} has another encoder than network 0: only networks that open the same ciphertext can be \
         certified together"
    )]
    Encoder {
        /// Which network.
        network: usize,
    },
    /// A unit that multiplies noise by an input, or has several coordinates of it.
    #[error("unit {unit} mixes noise with inputs or other noise; give every noise coordinate its own unit")]
    Mixed {
        /// Which unit.
        unit: usize,
    },
    /// Several coordinates of noise, or none.
    #[error("output {output} has {coordinates} coordinates of noise; it needs exactly one, used by no other output")]
    Coordinates {
        /// Which output, counted over all networks.
        output: usize,
        /// How many.
        coordinates: usize,
    },
    /// A coordinate of noise that cancels in a difference of outputs.
    #[error("output {output} shares its noise with another output; give it its own")]
    Shared {
        /// Which output, counted over all networks.
        output: usize,
    },
    /// A range or a factor beyond 64 bits.
    #[error("output {output}: its range or its factor of noise is beyond 64 bits")]
    Wide {
        /// Which output, counted over all networks.
        output: usize,
    },
}

/// The noise of all outputs of some networks that open the same ciphertexts, network after network.
///
/// A unit with noise has only the constant, which is 1, on its left, and one coordinate of noise on its right; every
/// output needs one coordinate that no other output has.
///
/// # Errors
/// [`OutputNoiseError`] where a network breaks these rules, or no network was given.
pub fn output_noise(networks: &[&CompiledNetwork]) -> Result<Vec<OutputNoise>, OutputNoiseError> {
    let first = networks.first().ok_or(OutputNoiseError::None)?;
    let noise = first.encoder().noise().ok_or(OutputNoiseError::None)?;
    let columns = first.encoder().noise_coordinates();
    let mut used = vec![false; columns.len()];
    let mut found = Vec::new();
    for (index, network) in networks.iter().enumerate() {
        if network.encoder() != first.encoder() {
            return Err(OutputNoiseError::Encoder { network: index });
        }
        let factors = factors(network, columns.clone())?;
        for (row, &(low, high)) in factors.chunks_exact(columns.len().max(1)).zip(network.exact_bounds()) {
            let output = found.len();
            let own: Vec<usize> = (0..row.len()).filter(|&column| row[column] != 0).collect();
            let &[column] = own.as_slice() else {
                return Err(OutputNoiseError::Coordinates { output, coordinates: own.len() });
            };
            if std::mem::replace(&mut used[column], true) {
                return Err(OutputNoiseError::Shared { output });
            }
            let (Ok(low), Ok(high), Ok(step)) = (low.try_into(), high.try_into(), row[column].try_into()) else {
                return Err(OutputNoiseError::Wide { output });
            };
            found.push(OutputNoise { low, high, step, deviation: noise.deviations[column], tail: noise.tail });
        }
    }
    Ok(found)
}

/// The factor of every noise coordinate in every output, `[outputs, coordinates]`.
fn factors(network: &CompiledNetwork, columns: std::ops::Range<usize>) -> Result<Vec<i128>, OutputNoiseError> {
    let (n, m) = network.inputs();
    let (units, outputs) = (network.units(), network.outputs());
    let mut factors = vec![0_i128; outputs * columns.len()];
    for (unit, (left, right)) in network.left().chunks_exact(n).zip(network.right().chunks_exact(m)).enumerate() {
        let touched: Vec<usize> = (0..columns.len()).filter(|&j| right[columns.start + j] != 0).collect();
        let &[column] = touched.as_slice() else {
            if touched.is_empty() {
                continue;
            }
            return Err(OutputNoiseError::Mixed { unit });
        };
        if left[1..].iter().any(|&weight| weight != 0) {
            return Err(OutputNoiseError::Mixed { unit });
        }
        for output in 0..outputs {
            let weight = i128::from(network.combine()[output * units + unit]);
            let factor = weight * i128::from(left[0]) * i128::from(right[columns.start + column]);
            factors[output * columns.len() + column] += factor;
        }
    }
    Ok(factors)
}
