//! The span of the forms of several maps over `Z_r`.
//!
//! Functional keys are linear over `Z_r`: holders of keys of `f` and `g` can make the key of `a·f + b·g` for any `a`,
//! `b` modulo `r`. A set of keys opens the span of all forms `f_j = Σ_k D_jk P_k ⊗ R_k`, as bilinear forms over that
//! field; forms that are equal modulo another number are different forms.
//!
//! The rank is that of the values of the forms at as many random points as there are forms, plus [`SPARE`]. It is never
//! too large. Coordinates are drawn afresh from 128 bits, after the forms are known, so that nobody can make a form
//! that vanishes on them. With `F` forms the rank is too small with probability below `2F/2^128` (Schwartz and Zippel:
//! a non-zero polynomial of degree `2F`, here the determinant of values of independent forms, vanishes at a random
//! point with at most that probability).

use rand::Rng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::echelon::Echelon;
use crate::field::{Coordinate, Element, dot, element};
use crate::{MapError, QuadraticMap};

/// Points beyond the number of forms.
const SPARE: usize = 4;

/// The span of forms over inputs of one shape.
#[derive(Clone, Debug)]
pub struct FormSpan {
    inputs: (usize, usize),
    maps: Vec<QuadraticMap>,
    points: Vec<(Vec<Coordinate>, Vec<Coordinate>)>,
    rows: Echelon,
}

impl FormSpan {
    /// The empty span of forms over `n` and `m` coordinates.
    pub fn new(n: usize, m: usize) -> Self {
        Self { inputs: (n, m), maps: Vec::new(), points: Vec::new(), rows: Echelon::default() }
    }

    /// Dimension of the span.
    pub fn rank(&self) -> usize {
        self.rows.rank()
    }

    /// Adds the forms of a map; returns how many dimensions they open.
    ///
    /// # Errors
    /// A map of another shape.
    pub fn insert(&mut self, map: &QuadraticMap) -> Result<usize, MapError> {
        Ok(self.insert_each(map)?.into_iter().filter(|&new| new).count())
    }

    /// Adds the forms of a map; returns for every output whether it opens a new dimension.
    ///
    /// # Errors
    /// A map of another shape.
    pub fn insert_each(&mut self, map: &QuadraticMap) -> Result<Vec<bool>, MapError> {
        self.check(map)?;
        self.make_room(map.outputs());
        self.maps.push(map.clone());
        Ok(self.values(map).into_iter().map(|row| self.rows.add(row)).collect())
    }

    /// For each output of a map, whether its form lies in the span.
    ///
    /// # Errors
    /// A map of another shape.
    pub fn contains(&mut self, map: &QuadraticMap) -> Result<Vec<bool>, MapError> {
        self.check(map)?;
        self.make_room(map.outputs());
        Ok(self.values(map).into_iter().map(|row| self.rows.contains(row)).collect())
    }

    /// Dimension of the part of the span that no noise covers, if these coordinates of `v` carry noise. Forms that
    /// share a noise coordinate can cancel it. A coordinate that some unit multiplies by anything but the constant
    /// `u_0` covers nothing.
    ///
    /// # Errors
    /// A coordinate beyond `m`.
    pub fn noise_free_rank(&self, noise: &[usize]) -> Result<usize, MapError> {
        if let Some(&column) = noise.iter().find(|&&column| column >= self.inputs.1) {
            return Err(MapError::Input { field: "noise", found: column, expected: self.inputs.1 });
        }
        let clean: Vec<usize> =
            noise.iter().copied().filter(|&column| self.maps.iter().all(|map| is_clean(map, column))).collect();
        let mut on_noise = Echelon::default();
        for map in &self.maps {
            for row in noise_coefficients(map, &clean) {
                on_noise.add(row.into_iter().map(element).collect());
            }
        }
        // The forms free of noise are the kernel of the restriction to its coordinates.
        Ok(self.rank() - on_noise.rank().min(self.rank()))
    }

    fn check(&self, map: &QuadraticMap) -> Result<(), MapError> {
        let (n, m) = self.inputs;
        let (of_u, of_v) = map.inputs();
        for (field, found, expected) in [("u", of_u, n), ("v", of_v, m)] {
            if found != expected {
                return Err(MapError::Input { field, found, expected });
            }
        }
        Ok(())
    }

    /// Draws points for this many more forms; all forms are evaluated at all points.
    fn make_room(&mut self, forms: usize) {
        let all = forms + self.maps.iter().map(QuadraticMap::outputs).sum::<usize>() + SPARE;
        if self.points.len() >= all {
            return;
        }
        let mut rng = UnwrapErr(SysRng);
        let mut draw = |count: usize| -> Vec<Coordinate> {
            (0..count).map(|_| Coordinate { low: rng.next_u64(), high: rng.next_u64() }).collect()
        };
        let (n, m) = self.inputs;
        // Twice as many, so that a long list of maps is re-evaluated only a few times.
        self.points = (0..2 * all).map(|_| (draw(n), draw(m))).collect();
        self.rows = Echelon::default();
        for map in &self.maps {
            for row in self.values(map) {
                self.rows.add(row);
            }
        }
    }

    /// The values of every form of a map at all points.
    fn values(&self, map: &QuadraticMap) -> Vec<Vec<Element>> {
        let (n, m) = self.inputs;
        let mut values = vec![Vec::with_capacity(self.points.len()); map.outputs()];
        for (u, v) in &self.points {
            let rows = map.left().chunks_exact(n).zip(map.right().chunks_exact(m));
            let products: Vec<Element> = rows.map(|(p, r)| dot(p, u).mul(&dot(r, v))).collect();
            for (values, weights) in values.iter_mut().zip(map.combine().chunks_exact(map.units())) {
                let used = weights.iter().zip(&products).filter(|(weight, _)| **weight != 0);
                let sum =
                    used.fold(Element::ZERO, |sum, (&weight, product)| sum.add(&product.mul(&element(weight.into()))));
                values.push(sum);
            }
        }
        values
    }
}

/// Whether every unit that reads coordinate `column` of `v` multiplies it by the constant alone.
pub(crate) fn is_clean(map: &QuadraticMap, column: usize) -> bool {
    let (n, m) = map.inputs();
    let mut units = map.left().chunks_exact(n).zip(map.right().chunks_exact(m));
    units.all(|(p, r)| r[column] == 0 || p[1..].iter().all(|&weight| weight == 0))
}

/// For every output, the factors of these coordinates of `v`, each times the constant: `Σ_k D_jk·P_k0·R_kc`. They fit
/// 128 bits by the limits of a map.
pub(crate) fn noise_coefficients(map: &QuadraticMap, columns: &[usize]) -> Vec<Vec<i128>> {
    let (n, m) = map.inputs();
    let rows = map.combine().chunks_exact(map.units());
    rows.map(|weights| {
        let factor = |&column: &usize| {
            let units = weights.iter().enumerate();
            units
                .map(|(k, &d)| i128::from(d) * i128::from(map.left()[k * n]) * i128::from(map.right()[k * m + column]))
                .sum()
        };
        columns.iter().map(factor).collect()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rational;
    use proptest::prelude::*;

    fn map(left: &[i32], right: &[i32], combine: &[i32]) -> QuadraticMap {
        {
            let units = left.len() / 3;
            let outputs = combine.len() / units;
            QuadraticMap::new(3, 3, units, outputs, left.to_vec(), right.to_vec(), combine.to_vec()).unwrap()
        }
    }

    fn span(maps: &[QuadraticMap]) -> FormSpan {
        let mut span = FormSpan::new(3, 3);
        for map in maps {
            span.insert(map).unwrap();
        }
        span
    }

    #[test]
    fn rank_and_membership_are_exact() {
        let squares = map(&[1, 2, 0, 0, 1, -1], &[1, 2, 0, 0, 1, -1], &[1, 0, 0, 1, 5, -7]);
        let mut span = span(std::slice::from_ref(&squares));
        assert_eq!(span.rank(), 2);
        assert_eq!(span.insert(&squares).unwrap(), 0);
        // (u₀ + 2u₁)(v₀ + 2v₁) written by its coefficients.
        let same = map(&[1, 2, 0, 1, 2, 0], &[1, 0, 0, 0, 2, 0], &[1, 1]);
        let other = map(&[1, 2, 0], &[1, 0, 0], &[1]);
        assert_eq!(span.contains(&same).unwrap(), [true]);
        assert_eq!(span.contains(&other).unwrap(), [false]);
        assert_eq!(span.insert(&other).unwrap(), 1);
        assert_eq!(span.rank(), 3);
        assert_eq!(span.insert(&map(&[1, 2, 0], &[0, 0, 0], &[1])).unwrap(), 0);
        assert!(span.insert(&QuadraticMap::new(1, 1, 1, 1, vec![1], vec![1], vec![1]).unwrap()).is_err());
    }

    /// `(2^61 − 1)·u_i·v_0`, whose coefficients vanish modulo a prime that was once the modulus of the count.
    #[test]
    fn multiples_of_a_mersenne_prime_count_in_full() {
        // (2^61 − 1) = 2·2^30·2^30 − 1.
        let big = 1 << 30;
        let form = |i: usize| {
            let unit = |weight: i32| (0..3).map(move |j| if j == i { weight } else { 0 });
            let left: Vec<i32> = unit(big).chain(unit(1)).collect();
            map(&left, &[big, 0, 0, 1, 0, 0], &[2, -1])
        };
        assert_eq!(span(&[form(0), form(1), form(2)]).rank(), 3);
    }

    /// `2^31·x + y` and `x + 2^30·y`, whose determinant is that prime.
    #[test]
    fn forms_dependent_modulo_a_mersenne_prime_count_in_full() {
        let first = map(&[0, 1 << 30, 0, 0, 0, 1], &[1, 0, 0, 1, 0, 0], &[2, 1]);
        let second = map(&[0, 1, 0, 0, 0, 1 << 30], &[1, 0, 0, 1, 0, 0], &[1, 1]);
        assert_eq!(span(&[first, second]).rank(), 2);
    }

    #[test]
    fn shared_noise_cancels_and_own_noise_does_not() {
        // f₁ = u₀v₀ + u₀v₂ and f₂ = u₁v₁ + u₀v₂ share the noise v₂.
        let first = map(&[1, 0, 0, 1, 0, 0], &[1, 0, 0, 0, 0, 1], &[1, 1]);
        let second = map(&[0, 1, 0, 1, 0, 0], &[0, 1, 0, 0, 0, 1], &[1, 1]);
        assert_eq!(span(std::slice::from_ref(&first)).noise_free_rank(&[2]).unwrap(), 0);
        let both = span(&[first, second]);
        assert_eq!((both.rank(), both.noise_free_rank(&[2]).unwrap()), (2, 1));
        assert_eq!(both.noise_free_rank(&[]).unwrap(), 2);
        assert!(both.noise_free_rank(&[3]).is_err());
    }

    /// `(15·u_0 − u_1)·r` with `u_1` always 15 is no noise, in one unit or in two, in one map or in two.
    #[test]
    fn noise_times_an_input_is_no_noise() {
        let one = map(&[0, 0, 1, 15, -1, 0], &[1, 0, 0, 0, 0, 1], &[1, 1]);
        let two = map(&[0, 0, 1, 15, 0, 0, 0, 1, 0], &[1, 0, 0, 0, 0, 1, 0, 0, 1], &[1, 1, -1]);
        let clean = map(&[0, 0, 1, 15, 0, 0], &[1, 0, 0, 0, 0, 1], &[1, 1]);
        let masked = map(&[0, 1, 0], &[0, 0, 1], &[1]);
        for maps in [vec![one], vec![two]] {
            assert_eq!(span(&maps).noise_free_rank(&[2]).unwrap(), 1);
        }
        assert_eq!(span(std::slice::from_ref(&clean)).noise_free_rank(&[2]).unwrap(), 0);
        assert_eq!(span(&[clean, masked]).noise_free_rank(&[2]).unwrap(), 2);
    }

    /// `u_i·v_j` for all pairs, in one map: there are points for all of them.
    #[test]
    fn many_forms_at_once_count_in_full() {
        let side = 6;
        let unit = |i: usize| (0..side).map(move |place| i32::from(place == i));
        let left = (0..side * side).flat_map(|pair| unit(pair / side)).collect();
        let right = (0..side * side).flat_map(|pair| unit(pair % side)).collect();
        let forms = side * side;
        let combine = (0..forms * forms).map(|place| i32::from(place / forms == place % forms)).collect();
        let map = QuadraticMap::new(side, side, forms, forms, left, right, combine).unwrap();
        let mut span = FormSpan::new(side, side);
        assert_eq!(span.insert(&map).unwrap(), forms);
    }

    proptest! {
        /// They are the outputs where `u` is the constant and `v` the noise alone.
        #[test]
        fn noise_coefficients_are_outputs(
            left in prop::collection::vec(-9..9, 6),
            right in prop::collection::vec(-9..9, 6),
            combine in prop::collection::vec(-9..9, 4),
        ) {
            let map = map(&left, &right, &combine);
            let columns = [2, 1];
            for (row, output) in noise_coefficients(&map, &columns).into_iter().zip(0..) {
                for (coefficient, column) in row.into_iter().zip(columns) {
                    let mut v = [0; 3];
                    v[column] = 1;
                    prop_assert_eq!(coefficient, map.evaluate(&[1, 0, 0], &v).unwrap()[output]);
                }
            }
        }

        /// Modulo r the rank of forms with small coefficients is that over the rationals.
        #[test]
        fn agrees_with_the_rational_rank(
            maps in prop::collection::vec(
                (prop::collection::vec(-2..3, 6), prop::collection::vec(-2..3, 6), prop::collection::vec(-2..3, 4)),
                1..5,
            ),
        ) {
            let maps: Vec<QuadraticMap> = maps.iter().map(|(p, r, d)| map(p, r, d)).collect();
            prop_assert_eq!(span(&maps).rank(), rational::rank(&maps));
        }
    }
}
