//! A network that was never trained, for comparison.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{CompiledNetwork, Weights};
use crate::compile::CompileError;

impl CompiledNetwork {
    /// The same integers in random places: every row of `P`, `R` and `D` in another order, biases and noise
    /// left where they are. What its outputs give away, any function of this shape would. Its head means nothing.
    ///
    /// # Errors
    /// Outputs that could leave 64 bits.
    pub fn shuffled(&self, seed: u64) -> Result<Self, CompileError> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut network = self.clone();
        let noise = self.encoder.noise_coordinates();
        let units = self.units - noise.len();
        let (n, m) = self.inputs();
        for row in network.left.chunks_exact_mut(n).take(units) {
            row[1..].shuffle(&mut rng);
        }
        if self.squares {
            network.right.clone_from(&network.left);
        } else {
            for row in network.right.chunks_exact_mut(m).take(units) {
                row[1..noise.start].shuffle(&mut rng);
            }
        }
        for row in network.combine.chunks_exact_mut(self.units) {
            row[..units].shuffle(&mut rng);
        }
        let weights = Weights {
            left: network.left.clone(),
            right: (!self.squares).then(|| network.right.clone()),
            combine: network.combine.clone(),
            units: self.units,
        };
        network.exact = weights.bounds(&self.encoder).ok_or(CompileError::Overflow)?;
        network.declared = network.widest();
        Ok(network)
    }
}
