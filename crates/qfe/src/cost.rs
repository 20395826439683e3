//! What operations cost, in field multiplications, by counts.
//!
//! The unit costs are those of one thread: a batched addition in G1 is 5M + 1S and
//! field additions; in G2 the norm trick makes it 15.2 (see `group::batch`). The
//! lanes of AVX-512 IFMA divide most of them by two to three (loads, stores and
//! inversions included).

use crate::raw::ifma::Ifma;
#[cfg(feature = "bench")]
use crate::{
    QuadraticMap,
    dlog::LogTable,
    encrypt::Encryptor,
    group::{
        fixed_base::FixedBase,
        project::{estimate_additions, estimate_matrix},
    },
    raw::{Fp, Fp2},
};

/// Unit costs in field multiplications.
#[derive(Clone, Copy)]
pub(crate) struct Costs {
    /// Batched additions in G1 and G2.
    pub(crate) add: [f64; 2],
    /// One pair in a product of two, in a product of many, added to a product of two.
    pub(crate) short_pair: f64,
    pub(crate) long_pair: f64,
    pub(crate) third_pair: f64,
    /// Easy and hard part of the final exponentiation.
    pub(crate) easy: f64,
    pub(crate) hard: f64,
    /// The hard parts of eight elements at once, if that is possible.
    hard_vector: Option<f64>,
    /// Product and squaring in the target group.
    pub(crate) product: f64,
    pub(crate) square: f64,
    /// Constant-time multiplication by a scalar.
    #[cfg(feature = "bench")]
    scalar_mul: [f64; 2],
    /// Bringing one point into the form of lanes and back.
    #[cfg(feature = "bench")]
    shift: [f64; 2],
    /// Reading one uncompressed point.
    #[cfg(feature = "bench")]
    read: [f64; 2],
    /// Drawing and sorting one coefficient of a batched subgroup check.
    #[cfg(feature = "bench")]
    coefficient: f64,
    /// One subgroup check.
    #[cfg(feature = "bench")]
    subgroup: [f64; 2],
    /// A pair of giant steps.
    #[cfg(feature = "bench")]
    giant_pair: f64,
}

const SCALAR: Costs = Costs {
    add: [7.3, 16.0],
    short_pair: 4300.0,
    long_pair: 3500.0,
    third_pair: 3900.0,
    easy: 320.0,
    hard: 10_500.0,
    hard_vector: None,
    product: 57.0,
    square: 27.0,
    #[cfg(feature = "bench")]
    scalar_mul: [2200.0, 4500.0],
    #[cfg(feature = "bench")]
    shift: [0.0, 0.0],
    #[cfg(feature = "bench")]
    read: [7.5, 16.0],
    #[cfg(feature = "bench")]
    coefficient: 0.7,
    #[cfg(feature = "bench")]
    subgroup: [1350.0, 1550.0],
    #[cfg(feature = "bench")]
    giant_pair: 7.0,
};

const LANES: Costs = Costs {
    add: [2.1, 5.2],
    #[cfg(feature = "bench")]
    shift: [1.5, 3.0],
    short_pair: 1050.0,
    long_pair: 900.0,
    third_pair: 900.0,
    easy: 100.0,
    hard_vector: Some(22000.0),
    product: 16.0,
    square: 8.0,
    ..SCALAR
};

impl Costs {
    /// The hard parts of some elements.
    pub(crate) fn hard_parts(&self, count: usize) -> f64 {
        match (self.hard_vector, count % 8) {
            (None, _) => count as f64 * self.hard,
            (Some(vector), 1) => (count / 8) as f64 * vector + self.hard,
            (Some(vector), _) => count.div_ceil(8) as f64 * vector,
        }
    }

    /// The costs of this processor.
    pub(crate) fn current() -> Self {
        if Ifma::detect().is_some() { LANES } else { SCALAR }
    }
}

/// What only measurements are compared with.
#[cfg(feature = "bench")]
impl Costs {
    pub(crate) fn setup(&self, n: usize, m: usize) -> f64 {
        n as f64 * self.scalar_mul[0] + m as f64 * self.scalar_mul[1]
    }

    /// The scalar field's products cost about 0.6 of a field multiplication.
    pub(crate) fn issue(&self, map: &QuadraticMap) -> f64 {
        let weights = [map.left(), map.right(), map.combine()].concat();
        weights.iter().filter(|w| **w != 0).count() as f64 * 1.5 + map.outputs() as f64 * self.scalar_mul[1]
    }

    /// A functional key against the public key: both projections, one product of `d + 1` pairings.
    pub(crate) fn verify(&self, map: &QuadraticMap) -> f64 {
        let ((n, m), d) = (map.inputs(), map.units() as f64);
        let left = estimate_matrix(n, map.left()) * self.add[0] + d * self.scalar_mul[0];
        let right = estimate_matrix(m, map.right()) * self.add[1] + compile(map.left()) + compile(map.right());
        let outputs = map.outputs() as f64 * (self.subgroup[1] + self.scalar_mul[1] / 4.0);
        left + right + outputs + (d + 1.0) * self.long_pair + self.easy + self.hard
    }

    /// One server's part of a key: the right projection, and one secret scalar for each unit.
    pub(crate) fn partial(&self, map: &QuadraticMap) -> f64 {
        let ((_, m), d) = (map.inputs(), map.units() as f64);
        let weights = map.left().iter().filter(|w| **w != 0).count() as f64;
        let rows = map.combine().iter().filter(|w| **w != 0).count() as f64;
        let right = estimate_matrix(m, map.right()) * self.add[1] + compile(map.right());
        right + weights * 1.5 + d * self.scalar_mul[1] + rows * 100.0
    }

    /// Additions, and fresh memory at about one product per point.
    pub(crate) fn tables(&self, n: usize, m: usize) -> f64 {
        let points =
            FixedBase::<Fp>::size(n, Encryptor::TABLE_BYTES) + FixedBase::<Fp2>::size(m, Encryptor::TABLE_BYTES);
        FixedBase::<Fp>::build_additions(n, Encryptor::TABLE_BYTES) as f64 * self.add[0]
            + FixedBase::<Fp2>::build_additions(m, Encryptor::TABLE_BYTES) as f64 * self.add[1]
            + points as f64
    }

    pub(crate) fn encrypt(&self, encryptor: &Encryptor) -> f64 {
        let (n, m) = encryptor.inputs();
        let masks =
            2.0 * (encryptor.left.additions() as f64 * self.add[0] + encryptor.right.additions() as f64 * self.add[1]);
        masks + 63.0 * (3.0 * SCALAR.add[0] + 2.0 * SCALAR.add[1]) + self.online(n, m)
    }

    /// One addition for each point, and with lanes its way into their form and back.
    pub(crate) fn online(&self, n: usize, m: usize) -> f64 {
        2.0 * (n as f64 * (self.add[0] + self.shift[0]) + m as f64 * (self.add[1] + self.shift[1]))
    }

    pub(crate) fn read(&self, n: usize, m: usize) -> f64 {
        let points = [1.0 + 2.0 * n as f64, 2.0 * m as f64];
        let checks = [(26, 1), (11, 6)];
        (0..2)
            .map(|side| {
                let (rows, peak) = checks[side];
                let combinations = estimate_additions(points[side] as usize, &vec![peak; rows]);
                let coefficients = rows as f64 * points[side] * self.coefficient;
                points[side] * self.read[side]
                    + coefficients
                    + combinations * self.add[side]
                    + rows as f64 * self.subgroup[side]
            })
            .sum()
    }

    /// A value searched within bounds.
    pub(crate) fn logarithm(&self, table: &LogTable, value: i128, (low, high): (i64, i64)) -> f64 {
        let centre = if low <= 0 && high >= 0 { 0 } else { (i128::from(low) + i128::from(high)) / 2 };
        let distance = value.abs_diff(centre);
        let pairs = table.pairs_for(u64::try_from(distance).unwrap_or(u64::MAX / 4)) as f64;
        pairs * self.giant_pair + 20.0 * SCALAR.product
    }
}

/// Compiling a projection that runs once, in field multiplications.
#[cfg(feature = "bench")]
fn compile(weights: &[i32]) -> f64 {
    weights.len() as f64 * 6.0
}
