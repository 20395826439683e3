//! A network that was never trained, for comparison.

use quadratic::QuadraticMap;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::{CompiledNetwork, ModelError, Parts};

impl CompiledNetwork {
    /// The same integers in random places: every row of `P`, `R` and `D` in another order, with biases and noise left
    /// in place. Whatever its outputs reveal, any function of this shape would reveal. Its head is meaningless.
    ///
    /// # Errors
    /// Outputs that could exceed 64 bits.
    pub fn shuffled(&self, seed: u64) -> Result<Self, ModelError> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let noise = self.encoder.noise_coordinates();
        let units = self.units() - noise.len();
        let (n, m) = self.inputs();
        let [mut left, mut right, mut combine] = [self.left(), self.right(), self.combine()].map(<[i32]>::to_vec);
        for row in left.chunks_exact_mut(n).take(units) {
            row[1..].shuffle(&mut rng);
        }
        if self.squares {
            right.clone_from(&left);
        } else {
            for row in right.chunks_exact_mut(m).take(units) {
                row[1..noise.start].shuffle(&mut rng);
            }
        }
        for row in combine.chunks_exact_mut(self.units()) {
            row[..units].shuffle(&mut rng);
        }
        let map = QuadraticMap::new(n, m, self.units(), self.outputs(), left, right, combine)?;
        let Self { encoder, squares, head, main, classes, origin, .. } = self.clone();
        Self::new(Parts { encoder, map, squares, head, main, classes, origin })
    }
}
