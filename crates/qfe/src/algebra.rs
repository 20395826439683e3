//! What the issued keys open together: exact rank of the span of their forms.
//!
//! Functional keys are linear, and holders can pool them: what counts is the space
//! spanned over the rationals by all forms `F_j = Σ_k D_jk P_k ⊗ R_k` issued under a
//! public key. Forms are compared through their exact values at fixed integer
//! points, which can only make the rank look smaller; whenever a form looks
//! dependent, the relation found is checked exactly in every one of the `n·m`
//! coefficients, and if it fails more points are taken. The result is exact.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};
use rand::{RngExt, SeedableRng};

use crate::{keys::KeyError, map::QuadraticMap};

/// Points beyond the rank, so that chance dependence is rare.
const SPARE_POINTS: usize = 8;
/// Largest entry of a point.
const ENTRY: i64 = 1 << 20;

/// The span of forms over `(n, m)` inputs.
pub struct FormSpan {
    inputs: (usize, usize),
    maps: Vec<QuadraticMap>,
    points: Vec<(Vec<i64>, Vec<i64>)>,
    /// Independent forms: index of map and output.
    basis: Vec<(usize, usize)>,
    rows: Vec<Row>,
}

/// A combination of basis forms whose values vanish at the pivots of earlier rows.
struct Row {
    pivot: usize,
    values: Vec<BigRational>,
    combination: Vec<BigRational>,
}

impl FormSpan {
    /// The empty span.
    pub fn new(n: usize, m: usize) -> Self {
        Self { inputs: (n, m), maps: Vec::new(), points: Vec::new(), basis: Vec::new(), rows: Vec::new() }
    }

    /// Dimension of the span.
    pub fn rank(&self) -> usize {
        self.basis.len()
    }

    /// Adds the forms of a map; how many dimensions that opens.
    pub fn insert(&mut self, map: &QuadraticMap) -> Result<usize, KeyError> {
        self.check(map)?;
        let before = self.rank();
        self.maps.push(map.clone());
        let index = self.maps.len() - 1;
        for output in 0..map.outputs() {
            if !self.holds((index, output)) {
                self.adopt((index, output));
            }
        }
        Ok(self.rank() - before)
    }

    /// For each output of a map, whether its form lies in the span already.
    pub fn contains(&mut self, map: &QuadraticMap) -> Result<Vec<bool>, KeyError> {
        self.check(map)?;
        self.maps.push(map.clone());
        let index = self.maps.len() - 1;
        let held = (0..map.outputs()).map(|output| self.holds((index, output))).collect();
        self.maps.pop();
        Ok(held)
    }

    /// Dimension of the part of the span that reads none of the given coordinates of
    /// `v`: what can be opened without noise when these carry noise, since forms
    /// that share a noise coordinate can cancel it.
    pub fn noise_free_rank(&self, noise: &[usize]) -> Result<usize, KeyError> {
        let (n, m) = self.inputs;
        let mut on_noise = Self::new(n, m);
        for map in &self.maps {
            let right = map.right().iter().enumerate();
            let right = right.map(|(k, &w)| if noise.contains(&(k % m)) { w } else { 0 }).collect();
            let masked =
                QuadraticMap::new(n, m, map.units(), map.outputs(), map.left().to_vec(), right, map.combine().to_vec());
            if let Ok(masked) = masked {
                on_noise.insert(&masked)?;
            }
        }
        // The forms free of noise are the kernel of the restriction to its columns.
        Ok(self.rank() - on_noise.rank())
    }

    fn check(&self, map: &QuadraticMap) -> Result<(), KeyError> {
        if map.inputs() == self.inputs {
            Ok(())
        } else {
            Err(KeyError::Inputs { function: map.inputs(), key: self.inputs })
        }
    }

    /// Whether a form is a combination of the basis, exactly.
    fn holds(&mut self, form: (usize, usize)) -> bool {
        loop {
            let (residue, combination) = self.reduce(form);
            if residue.iter().any(|value| !value.is_zero()) {
                return false;
            }
            if self.relation_holds(form, &combination) {
                return true;
            }
            self.more_points();
        }
    }

    /// Makes an independent form part of the basis.
    fn adopt(&mut self, form: (usize, usize)) {
        while self.points.len() < self.basis.len() + SPARE_POINTS {
            self.more_points();
        }
        let (values, mut combination) = self.reduce(form);
        let Some(pivot) = values.iter().position(|value| !value.is_zero()) else { return };
        combination.iter_mut().for_each(|c| *c = -&*c);
        combination.push(BigRational::one());
        self.basis.push(form);
        self.rows.push(Row { pivot, values, combination });
    }

    /// The values of `form − Σ c_b·basis_b` with zeros at all pivots, and `c`.
    fn reduce(&self, (map, output): (usize, usize)) -> (Vec<BigRational>, Vec<BigRational>) {
        let mut values = self.values(&self.maps[map], output);
        let mut combination = vec![BigRational::zero(); self.basis.len()];
        for row in &self.rows {
            let factor = &values[row.pivot] / &row.values[row.pivot];
            if factor.is_zero() {
                continue;
            }
            for (value, of_row) in values.iter_mut().zip(&row.values) {
                *value -= &factor * of_row;
            }
            for (c, of_row) in combination.iter_mut().zip(&row.combination) {
                *c += &factor * of_row;
            }
        }
        (values, combination)
    }

    /// Exact values of a form at all points.
    fn values(&self, map: &QuadraticMap, output: usize) -> Vec<BigRational> {
        let (n, m) = self.inputs;
        let weights = &map.combine()[output * map.units()..][..map.units()];
        let dot =
            |row: &[i32], x: &[i64]| -> i128 { row.iter().zip(x).map(|(&w, &x)| i128::from(w) * i128::from(x)).sum() };
        self.points
            .iter()
            .map(|(u, v)| {
                let units = map.left().chunks_exact(n).zip(map.right().chunks_exact(m)).zip(weights);
                let sum: BigInt = units
                    .filter(|(_, weight)| **weight != 0)
                    .map(|((p, r), &weight)| BigInt::from(dot(p, u)) * dot(r, v) * weight)
                    .sum();
                BigRational::from(sum)
            })
            .collect()
    }

    /// Whether `form = Σ c_b·basis_b` in every coefficient.
    fn relation_holds(&self, form: (usize, usize), combination: &[BigRational]) -> bool {
        let (n, m) = self.inputs;
        let denominator = combination.iter().fold(BigInt::one(), |lcm, c| least_common_multiple(&lcm, c.denom()));
        let mut terms = vec![(form, -denominator.clone())];
        for (&basis, c) in self.basis.iter().zip(combination).filter(|(_, c)| !c.is_zero()) {
            terms.push((basis, (c * &denominator).to_integer()));
        }
        // All units with their integer factors: Σ w_k P_k ⊗ R_k must vanish.
        let units: Vec<(BigInt, &[i32], &[i32])> = terms
            .iter()
            .flat_map(|((map, output), factor)| {
                let map = &self.maps[*map];
                let weights = map.combine()[output * map.units()..][..map.units()].iter().enumerate();
                weights
                    .filter(|(_, w)| **w != 0)
                    .map(move |(k, &w)| (factor * w, &map.left()[k * n..][..n], &map.right()[k * m..][..m]))
            })
            .collect();
        (0..n).all(|i| {
            let active: Vec<(BigInt, &[i32])> =
                units.iter().filter(|unit| unit.1[i] != 0).map(|(w, p, r)| (w * p[i], *r)).collect();
            // Factors below 2^63 leave room for 2^32 terms in 128 bits.
            let small: Option<Vec<(i64, &[i32])>> =
                active.iter().map(|(w, r)| Some((i64::try_from(w).ok()?, *r))).collect();
            (0..m).all(|j| match &small {
                Some(small) => small.iter().map(|(w, r)| i128::from(*w) * i128::from(r[j])).sum::<i128>() == 0,
                None => active.iter().map(|(w, r)| w * r[j]).sum::<BigInt>().is_zero(),
            })
        })
    }

    /// Doubles the points and brings the rows up to date.
    fn more_points(&mut self) {
        let (n, m) = self.inputs;
        let mut rng = rand::rngs::StdRng::seed_from_u64(self.points.len() as u64);
        let mut draw = |count| (0..count).map(|_| rng.random_range(-ENTRY..=ENTRY)).collect();
        for _ in 0..self.points.len().max(2 * SPARE_POINTS) {
            let point = (draw(n), draw(m));
            self.points.push(point);
        }
        let basis = std::mem::take(&mut self.basis);
        self.rows.clear();
        for form in basis {
            self.adopt(form);
        }
    }
}

fn least_common_multiple(a: &BigInt, b: &BigInt) -> BigInt {
    let (mut x, mut y) = (a.clone(), b.clone());
    while !y.is_zero() {
        (x, y) = (y.clone(), x % y);
    }
    a / x * b
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(units: usize, left: &[i32], right: &[i32], combine: &[i32]) -> QuadraticMap {
        let outputs = combine.len() / units;
        QuadraticMap::new(3, 3, units, outputs, left.to_vec(), right.to_vec(), combine.to_vec()).unwrap()
    }

    #[test]
    fn rank_and_membership_are_exact() {
        let mut span = FormSpan::new(3, 3);
        let squares = map(2, &[1, 2, 0, 0, 1, -1], &[1, 2, 0, 0, 1, -1], &[1, 0, 0, 1, 5, -7]);
        assert_eq!(span.insert(&squares).unwrap(), 2);
        assert_eq!(span.insert(&squares).unwrap(), 0);
        // (u₀ + 2u₁)(v₀ + 2v₁) written by its coefficients.
        let same = map(2, &[1, 2, 0, 1, 2, 0], &[1, 0, 0, 0, 2, 0], &[1, 1]);
        let other = map(1, &[1, 2, 0], &[1, 0, 0], &[1]);
        assert_eq!(span.contains(&same).unwrap(), [true]);
        assert_eq!(span.contains(&other).unwrap(), [false]);
        assert_eq!(span.insert(&other).unwrap(), 1);
        assert_eq!(span.rank(), 3);
        let zero = map(1, &[1, 2, 0], &[0, 0, 0], &[1]);
        assert_eq!(span.insert(&zero).unwrap(), 0);
        assert!(span.insert(&QuadraticMap::new(1, 1, 1, 1, vec![1], vec![1], vec![1]).unwrap()).is_err());
    }

    #[test]
    fn shared_noise_cancels_and_own_noise_does_not() {
        // f₁ = u₀v₀ + u₀v₂ and f₂ = u₁v₁ + u₀v₂ share the noise v₂.
        let first = map(2, &[1, 0, 0, 1, 0, 0], &[1, 0, 0, 0, 0, 1], &[1, 1]);
        let second = map(2, &[0, 1, 0, 1, 0, 0], &[0, 1, 0, 0, 0, 1], &[1, 1]);
        let mut span = FormSpan::new(3, 3);
        span.insert(&first).unwrap();
        assert_eq!(span.noise_free_rank(&[2]).unwrap(), 0);
        span.insert(&second).unwrap();
        assert_eq!((span.rank(), span.noise_free_rank(&[2]).unwrap()), (2, 1));
        assert_eq!(span.noise_free_rank(&[]).unwrap(), 2);
    }
}
