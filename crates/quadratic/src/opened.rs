//! What a set of functional keys under one public key opens, all holders together.
//!
//! - *rank*: dimension of the span of all forms over `Z_r`;
//! - *bits*: the sum of log2(high − low + 1) over a basis of the span in the order of issue, by exact bounds over every
//!   encoder in use under that public key. Outputs outside the basis follow from those inside, so that no choice of
//!   basis can undercount;
//! - *unnoised bits*: those bits that noise does not cover: the rest of a wide output under small noise. The value of
//!   an attribute fits in one of them;
//! - *noise-free*: dimension of the part that no noise covers. A combination is covered if it adds some noise
//!   coordinate of `v` times the constant `u_0`, and if that noise is no smaller than [`LEAST_NOISE`] of the range.
//!   Holders choose the combination, so noise that two functions share cancels, and noise in the low bits of a wide
//!   signal hides nothing.

use serde::{Deserialize, Serialize};

use crate::eigenvalues::eigenvalues;
use crate::span::{is_clean, noise_coefficients};
use crate::unnoised::unnoised_bits;
use crate::{FormSpan, MapError, QuadraticMap};

/// Noise whose deviation is below this fraction of the exact range of a combination covers nothing: `2^-17`.
///
/// A coarse filter. Ranges that hold for every input are some ten bits wider than what data reach, so noise of a
/// fiftieth of the outputs on data may be `2^-16` of the exact range. What noise above the filter hides is for an audit
/// to measure.
pub const LEAST_NOISE: f64 = 1.0 / 131_072.0;

/// One function that keys are issued for.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// The map.
    pub map: QuadraticMap,
    /// The exact range of every output, both ends included, over every encoder in use under the public key.
    pub bounds: Vec<(i128, i128)>,
}

/// The noise in a coordinate of `v`: an integer of mean 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NoiseLaw {
    /// Its deviation; 0 if some encoder in use puts no noise there.
    pub deviation: f64,
    /// Its entropy in bits.
    pub entropy: f64,
}

/// What is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// Dimension of the span of all forms over `Z_r`.
    pub rank: usize,
    /// Sum of log2(range) over a basis of that span.
    pub bits: f64,
    /// Dimension of the part that no noise covers.
    pub noise_free: usize,
    /// The part of `bits` that no noise covers.
    pub unnoised_bits: f64,
}

impl Opened {
    /// What these functions of `n` and `m` coordinates open together, in the order of issue. `noise`: that of every
    /// coordinate of `v`.
    ///
    /// # Errors
    /// A map of other lengths, bounds for another number of outputs.
    pub fn of(openings: &[Opening], n: usize, noise: &[NoiseLaw]) -> Result<Self, MapError> {
        let mut span = FormSpan::new(n, noise.len());
        let columns: Vec<usize> = (0..noise.len()).filter(|&column| noise[column].deviation > 0.0).collect();
        let (mut bits, mut basis) = (0.0, Vec::<(f64, Vec<i128>)>::new());
        let mut dirty = vec![false; columns.len()];
        for Opening { map, bounds } in openings {
            if bounds.len() != map.outputs() {
                return Err(MapError::Shape { field: "bounds", found: bounds.len(), expected: map.outputs() });
            }
            let new = span.insert_each(map)?;
            dirty.iter_mut().zip(&columns).for_each(|(dirty, &column)| *dirty |= !is_clean(map, column));
            let outputs = bounds.iter().zip(noise_coefficients(map, &columns)).zip(new);
            for ((&(low, high), coefficients), _) in outputs.filter(|(_, new)| *new) {
                let width = (high as f64 - low as f64).max(0.0) + 1.0;
                bits += width.log2();
                basis.push((width, coefficients));
            }
        }
        let clean: Vec<usize> = (0..columns.len()).filter(|&place| !dirty[place]).collect();
        let clean_columns: Vec<usize> = clean.iter().map(|&place| columns[place]).collect();
        // Cancelled over Z_r, or too small to hide anything: whichever leaves more open.
        let cancelled = span.noise_free_rank(&clean_columns)?;
        let laws: Vec<NoiseLaw> = clean_columns.iter().map(|&column| noise[column]).collect();
        let basis: Vec<(f64, Vec<i128>)> = basis
            .into_iter()
            .map(|(width, coefficients)| (width, clean.iter().map(|&place| coefficients[place]).collect()))
            .collect();
        let share = |width: f64, (&factor, law): (&i128, &NoiseLaw)| factor as f64 * law.deviation / width;
        let rows: Vec<Vec<f64>> = basis
            .iter()
            .map(|(width, factors)| factors.iter().zip(&laws).map(|noise| share(*width, noise)).collect())
            .collect();
        let entropies: Vec<f64> = laws.iter().map(|law| law.entropy).collect();
        let (rank, unnoised_bits) = (span.rank(), unnoised_bits(&basis, &entropies));
        Ok(Self { rank, bits, noise_free: cancelled.max(weak(&rows)), unnoised_bits })
    }
}

/// Directions whose noise is below [`LEAST_NOISE`] of the range, for rows of noise in units of each output's range: the
/// singular values below it.
fn weak(rows: &[Vec<f64>]) -> usize {
    let size = rows.len();
    let gram = (0..size * size).map(|at| {
        let (a, b) = (&rows[at / size], &rows[at % size]);
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    });
    let squares = eigenvalues(gram.collect(), size);
    squares.iter().filter(|&&square| square.is_nan() || square < LEAST_NOISE * LEAST_NOISE).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: NoiseLaw = NoiseLaw { deviation: 0.0, entropy: 0.0 };
    /// log2(4·√(2πe))
    const FOUR: NoiseLaw = NoiseLaw { deviation: 4.0, entropy: 4.047 };
    /// Noise of deviation 4 in the last of three coordinates.
    const NOISE: [NoiseLaw; 3] = [NONE, NONE, FOUR];

    fn opening(left: &[i32], right: &[i32], combine: &[i32], bounds: &[(i128, i128)]) -> Opening {
        let (units, outputs) = (left.len() / 3, bounds.len());
        let map = QuadraticMap::new(3, 3, units, outputs, left.to_vec(), right.to_vec(), combine.to_vec()).unwrap();
        Opening { map, bounds: bounds.to_vec() }
    }

    fn opened(openings: &[Opening]) -> Opened {
        Opened::of(openings, 3, &NOISE).unwrap()
    }

    #[test]
    fn dependent_functions_open_nothing_more() {
        let (p, r) = ([0, 1, 0, 0, 0, 1], [1, 0, 0, 1, 0, 0]);
        let two = opening(&p, &r, &[1, 0, 0, 1], &[(0, 255), (-128, 127)]);
        let inside = opening(&p, &r, &[3, -7], &[(0, 9999)]);
        assert_eq!(
            opened(std::slice::from_ref(&two)),
            Opened { rank: 2, bits: 16.0, noise_free: 2, unnoised_bits: 16.0 }
        );
        assert_eq!(opened(&[two.clone(), two.clone(), inside]), opened(&[two]));
        assert_eq!(opened(&[opening(&p, &r, &[0, 0], &[(0, 0)])]), Opened::default());
    }

    #[test]
    fn noise_covers_where_it_is_large_enough() {
        // signal·u_1 + r
        let covered = |signal: i32| {
            let high = i128::from(signal) * 15 + 24;
            opening(&[0, 1, 0, 1, 0, 0], &[1, 0, 0, 0, 0, 1], &[signal, 1], &[(-24, high)])
        };
        assert_eq!(opened(&[covered(1)]).noise_free, 0);
        assert_eq!(opened(&[covered(1 << 20)]).noise_free, 1);
        // The same noise in steps of 1024: the ten bits below are open.
        let stepped = opening(&[0, 1, 0, 1, 0, 0], &[1, 0, 0, 0, 0, 1], &[1, 1024], &[(-24_576, 24_591)]);
        assert!((opened(&[stepped]).unnoised_bits - 11.53).abs() < 0.01);
        // 64 values under noise of deviation 4, and the same noise in the low bits of a wide output.
        assert!((opened(&[covered(1)]).unnoised_bits - 1.95).abs() < 0.01);
        assert!((opened(&[covered(1 << 20)]).unnoised_bits - 19.86).abs() < 0.01);
    }

    #[test]
    fn noise_that_an_input_multiplies_covers_nothing() {
        let f = opening(&[0, 1, 0, 15, -1, 0], &[1, 0, 0, 0, 0, 1], &[1, 1], &[(-400, 400)]);
        let bits = 801_f64.log2();
        let open = Opened { rank: 1, bits, noise_free: 1, unnoised_bits: bits };
        assert_eq!(opened(std::slice::from_ref(&f)), open);
        // And none more for being there twice.
        assert_eq!(opened(&[f.clone(), f]), open);
    }

    /// What has no noise makes no steps of it.
    #[test]
    fn a_coordinate_without_noise_takes_nothing_from_the_noise_of_others() {
        let found = opened(&[opening(&[1, 0, 0], &[0, 1024, 1], &[1], &[(-24, 1024 * 15 + 24)])]);
        assert!((found.bits - found.unnoised_bits - 4.05).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn noise_of_its_own_covers_each_output() {
        let (p, r) = ([0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0], [1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1]);
        let f = opening(&p, &r, &[1, 1, 0, 0, 0, 0, 1, 1], &[(-24, 39), (-24, 39)]);
        let found = Opened::of(&[f], 3, &[NONE, FOUR, FOUR]).unwrap();
        assert_eq!((found.rank, found.noise_free), (2, 0));
    }

    /// A deviation of 4 covers a range of `4 / LEAST_NOISE` values, and no wider one.
    #[test]
    fn noise_covers_down_to_the_least_share() {
        let noisy = |width: i128| opening(&[1, 0, 0], &[0, 1, 1], &[1], &[(0, width - 1)]);
        let least = 4 * 131_072;
        for (width, noise_free) in [(least / 2, 0), (least, 0), (least + 1, 1), (2 * least, 1)] {
            assert_eq!(opened(&[noisy(width)]).noise_free, noise_free, "{width}");
        }
    }

    /// One noise for two outputs: their difference is free of it.
    #[test]
    fn shared_noise_cancels() {
        let (p, r) = ([0, 1, 0, 0, 0, 1, 1, 0, 0], [1, 0, 0, 1, 0, 0, 0, 0, 1]);
        let f = opening(&p, &r, &[1, 0, 1, 0, 1, 1], &[(-24, 39), (-24, 39)]);
        let found = opened(&[f]);
        assert_eq!((found.rank, found.noise_free), (2, 1));
        assert!((found.bits - found.unnoised_bits - 4.05).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn bounds_of_other_outputs_are_refused() {
        let f = opening(&[0, 1, 0], &[1, 0, 0], &[1], &[(0, 15)]);
        assert!(Opened::of(&[Opening { bounds: vec![], ..f.clone() }], 3, &NOISE).is_err());
        assert!(Opened::of(&[f], 2, &NOISE).is_err());
    }
}
