//! The functions that are measured.

use std::borrow::Cow;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::BenchError;
use crate::{MapError, QuadraticMap};

/// A shape: dimensions and ranges of weights and inputs.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Name in reports.
    pub name: Cow<'static, str>,
    /// Inputs of either side.
    pub inputs: (usize, usize),
    /// Units.
    pub units: usize,
    /// Outputs.
    pub outputs: usize,
    /// Largest weight of `P` and `R` in absolute value.
    pub weight: i32,
    /// Largest weight of `D` in absolute value.
    pub combine: i32,
    /// Whether `P = R`, else drawn apart.
    pub squares: bool,
    /// Whether the function is a full matrix (`P` the identity).
    pub dense: bool,
    /// Share of weights and of whole input columns that are zero, in percent.
    pub zeros: (u32, u32),
    /// Largest input.
    pub input: i64,
}

const PAPER: Shape = Shape {
    name: Cow::Borrowed("paper"),
    inputs: (785, 785),
    units: 40,
    outputs: 10,
    weight: 7,
    combine: 127,
    squares: true,
    dense: false,
    zeros: (0, 0),
    input: 15,
};

const SHAPES: [Shape; 7] = [
    PAPER,
    Shape {
        name: Cow::Borrowed("dense"),
        inputs: (100, 100),
        units: 100,
        outputs: 1,
        weight: 15,
        combine: 1,
        squares: false,
        dense: true,
        ..PAPER
    },
    Shape { name: Cow::Borrowed("ternary"), weight: 1, ..PAPER },
    Shape { name: Cow::Borrowed("three-bit"), weight: 3, ..PAPER },
    Shape { name: Cow::Borrowed("eight-bit"), weight: 127, input: 1, ..PAPER },
    Shape { name: Cow::Borrowed("bilinear"), squares: false, ..PAPER },
    Shape { name: Cow::Borrowed("sparse"), zeros: (50, 25), ..PAPER },
];

const NAMES: [&str; 7] = ["paper", "dense", "ternary", "three-bit", "eight-bit", "bilinear", "sparse"];

/// No network has weights of more bits.
const MOST_BITS: u32 = 16;

/// Names of all shapes.
pub fn shape_names() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter()
}

impl Shape {
    /// The shape of a name.
    pub fn named(name: &str) -> Option<Self> {
        SHAPES.into_iter().find(|shape| shape.name == name)
    }

    /// The shape of a name, or a custom one: `n,m,d,S,bits`, inputs of either side, units, outputs, and bits of a
    /// weight of `P` and `R`, sign included. `P` and `R` are drawn apart.
    ///
    /// # Errors
    /// No such shape, or numbers that are none.
    pub fn parse(text: &str) -> Result<Self, BenchError> {
        if let Some(shape) = Self::named(text) {
            return Ok(shape);
        }
        let wrong = || BenchError::Shape { name: text.to_owned(), known: shape_names().collect::<Vec<_>>().join(", ") };
        let numbers = text.split(',').map(|part| part.trim().parse::<u32>().ok().filter(|&number| number > 0));
        let numbers = numbers.collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
        let [n, m, units, outputs, bits @ 2..=MOST_BITS] = numbers[..] else { return Err(wrong()) };
        Ok(Self {
            name: Cow::Owned(text.to_owned()),
            inputs: (n as usize, m as usize),
            units: units as usize,
            outputs: outputs as usize,
            weight: (1 << (bits - 1)) - 1,
            squares: false,
            ..PAPER
        })
    }

    /// Bits of a weight, sign included.
    pub fn weight_bits(&self) -> f64 {
        f64::from(2 * self.weight + 1).log2()
    }

    /// A function of this shape with uniform weights from a seed.
    ///
    /// # Errors
    /// The dimensions or weights of the shape are not valid.
    pub fn map(&self, seed: u64) -> Result<QuadraticMap, MapError> {
        let mut rng = StdRng::seed_from_u64(seed);
        let (n, m) = self.inputs;
        let dead: Vec<bool> = (0..n.max(m)).map(|_| rng.random_range(0..100) < self.zeros.1).collect();
        let mut draw = |rows: usize, columns: usize| -> Vec<i32> {
            (0..rows * columns)
                .map(|k| {
                    let weight = rng.random_range(-self.weight..=self.weight);
                    let zero = dead[k % columns] || rng.random_range(0..100) < self.zeros.0;
                    if zero { 0 } else { weight }
                })
                .collect()
        };
        let right = draw(self.units, m);
        let left = if self.dense {
            (0..self.units * n).map(|k| i32::from(k / n == k % n)).collect()
        } else if self.squares {
            right.clone()
        } else {
            draw(self.units, n)
        };
        let combine = (0..self.outputs * self.units)
            .map(|_| if self.combine == 1 { 1 } else { rng.random_range(-self.combine..=self.combine) })
            .collect();
        QuadraticMap::new(n, m, self.units, self.outputs, left, right, combine)
    }

    /// An input for it.
    pub fn input(&self, seed: u64) -> (Vec<i64>, Vec<i64>) {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut draw = |count: usize| -> Vec<i64> { (0..count).map(|_| rng.random_range(0..=self.input)).collect() };
        let u = draw(self.inputs.0);
        let v = if self.squares { u.clone() } else { draw(self.inputs.1) };
        (u, v)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_names_or_numbers() {
        assert!(shape_names().all(|name| Shape::parse(name).is_ok_and(|shape| shape.name == name)));
        let shape = Shape::parse("65, 33,64,4,4").unwrap();
        assert_eq!((shape.inputs, shape.units, shape.outputs, shape.weight), ((65, 33), 64, 4, 7));
        for wrong in
            ["", "paper2", "65,33,64,4", "65,33,64,4,1", "65,33,64,4,17", "0,1,1,1,4", "1,1,1,1,4,4", "-1,1,1,1,4"]
        {
            assert!(Shape::parse(wrong).is_err(), "{wrong}");
        }
    }
}
