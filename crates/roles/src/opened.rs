//! What the functional keys of compiled networks open together under one public key.
//!
//! A key opens ciphertexts of every encoder in use under its public key, whatever its network's file states. So each
//! function is bounded over the union of the encoders' ranges, by exact arithmetic and never by a declared range. A
//! coordinate of `v` counts as noise only if every encoder fills it with noise. Rank is counted over `Z_r`, the field
//! over which keys are linear ([`quadratic::FormSpan`]).

use model::CompiledNetwork;
use quadratic::{NoiseLaw, Opened, Opening};

/// Why networks cannot be counted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CountError {
    /// A map that no key can open, or that takes other inputs than the rest.
    #[error(transparent)]
    Map(#[from] quadratic::MapError),
    /// Outputs beyond 128 bits.
    #[error(
        "an output of network {0} exceeds 128 bits over the encoders in use: it cannot be opened together with them"
    )]
    Wide(crate::hash::Hash),
}

/// The output of the encoders of some networks: the range of every coordinate, and its noise.
struct Inputs {
    u: Vec<(i64, i64)>,
    v: Vec<(i64, i64)>,
    noise: Vec<NoiseLaw>,
}

impl Inputs {
    fn of(network: &CompiledNetwork) -> Self {
        let encoder = network.encoder();
        let (u, v) = encoder.ranges();
        let mut noise = vec![NoiseLaw::default(); v.len()];
        if let Some(drawn) = encoder.noise() {
            let laws = drawn.deviations.iter().zip(drawn.entropies());
            let laws = laws.map(|(&deviation, entropy)| NoiseLaw { deviation: deviation.into(), entropy });
            noise[encoder.noise_coordinates()].iter_mut().zip(laws).for_each(|(to, from)| *to = from);
        }
        Self { u, v, noise }
    }

    fn join(mut self, other: Self) -> Self {
        let widen = |to: &mut [(i64, i64)], from: &[(i64, i64)]| {
            to.iter_mut().zip(from).for_each(|(a, b)| *a = (a.0.min(b.0), a.1.max(b.1)));
        };
        widen(&mut self.u, &other.u);
        widen(&mut self.v, &other.v);
        self.noise.iter_mut().zip(&other.noise).for_each(|(a, b)| {
            *a = NoiseLaw { deviation: a.deviation.min(b.deviation), entropy: a.entropy.min(b.entropy) };
        });
        self
    }
}

/// What the keys of these networks open together, in the order of issue; zero for no networks. All take the same `(n,
/// m)`.
///
/// # Errors
/// [`CountError`].
pub fn opened(networks: &[&CompiledNetwork]) -> Result<Opened, CountError> {
    let Some(inputs) = networks.iter().map(|network| Inputs::of(network)).reduce(Inputs::join) else {
        return Ok(Opened::default());
    };
    let opening = |network: &&CompiledNetwork| {
        let wide = || CountError::Wide(crate::hash::Hash(network.hash()));
        let map = network.map().clone();
        // Lengths first: the bounds need ranges for the same number of coordinates.
        if map.inputs() != (inputs.u.len(), inputs.v.len()) {
            return Err(
                quadratic::MapError::Input { field: "u", found: map.inputs().0, expected: inputs.u.len() }.into()
            );
        }
        let bounds = network.bounds_over(&inputs.u, &inputs.v).ok_or_else(wide)?;
        Ok(Opening { map, bounds })
    };
    let openings = networks.iter().map(opening).collect::<Result<Vec<_>, CountError>>()?;
    Ok(Opened::of(&openings, inputs.u.len(), &inputs.noise)?)
}
