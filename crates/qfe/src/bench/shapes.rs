//! The functions that are measured.

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{MapError, QuadraticMap};

/// A shape: dimensions and ranges of weights and inputs.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Name in reports.
    pub name: &'static str,
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
    name: "paper",
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
        name: "dense",
        inputs: (100, 100),
        units: 100,
        outputs: 1,
        weight: 15,
        combine: 1,
        squares: false,
        dense: true,
        ..PAPER
    },
    Shape { name: "ternary", weight: 1, ..PAPER },
    Shape { name: "three-bit", weight: 3, ..PAPER },
    Shape { name: "eight-bit", weight: 127, input: 1, ..PAPER },
    Shape { name: "bilinear", squares: false, ..PAPER },
    Shape { name: "sparse", zeros: (50, 25), ..PAPER },
];

/// Names of all shapes.
pub fn shape_names() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().map(|shape| shape.name)
}

impl Shape {
    /// The shape of a name.
    pub fn named(name: &str) -> Option<Self> {
        SHAPES.iter().find(|shape| shape.name == name).copied()
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
