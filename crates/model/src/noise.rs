//! Noise under encryption: one more unit `(1)·(r_j)` for every output.

use encoder::Noise;
use quadratic::QuadraticMap;

use crate::{CompiledNetwork, ModelError, Parts};

/// Noise is truncated beyond this many deviations, which affects one draw in 500 million.
const TAIL: u32 = 6;

impl CompiledNetwork {
    /// The same network with noise: its encoder appends one coordinate per output to `v`, discrete Gaussian of
    /// deviation `deviations[j]` in units of output `j`, truncated at six deviations, and the map adds it. Declared
    /// ranges widen by the largest noise.
    ///
    /// Squares become products of equal rows, since the noise is in `v` alone. This changes the hash.
    ///
    /// # Errors
    /// Another number of deviations than outputs, one outside 1 to 2²⁴, a network that has noise already, ranges beyond
    /// 64 bits.
    pub fn with_noise(self, deviations: &[u32]) -> Result<Self, ModelError> {
        let refuse = |value: String, remedy: &str| ModelError::Field { field: "noise", value, remedy: remedy.into() };
        if self.encoder.noise().is_some() {
            return Err(refuse("given".into(), "start from the network without noise"));
        }
        let outputs = self.outputs();
        if deviations.len() != outputs {
            return Err(refuse(format!("{} deviations", deviations.len()), "give one for every output"));
        }
        let encoder = self.encoder.with_noise(Some(Noise { deviations: deviations.to_vec(), tail: TAIL }))?;
        let (n, m) = self.inputs();
        let units = self.units();
        let mut left = self.left().to_vec();
        let rows = self.right().chunks_exact(m);
        let mut right: Vec<i32> =
            rows.flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(0, outputs))).collect();
        for output in 0..outputs {
            left.extend((0..n).map(|column| i32::from(column == 0)));
            right.extend((0..m + outputs).map(|column| i32::from(column == m + output)));
        }
        let rows = self.combine().chunks_exact(units).enumerate();
        let own = |output: usize| (0..outputs).map(move |other| i32::from(other == output));
        let combine = rows.flat_map(|(output, row)| row.iter().copied().chain(own(output))).collect();
        let map = QuadraticMap::new(n, m + outputs, units + outputs, outputs, left, right, combine)?;
        let reach = deviations.iter().map(|&deviation| i64::from(deviation) * i64::from(TAIL));
        let declared = self.declared.iter().zip(reach);
        let declared = declared.map(|(&(low, high), reach)| (low.saturating_sub(reach), high.saturating_add(reach)));
        let declared = declared.collect();
        let Self { head, main, classes, origin, .. } = self;
        let parts = Parts { encoder, map, squares: false, head, main, classes, origin };
        Ok(Self { declared, ..Self::new(parts)? })
    }
}
