//! Randomness for secrets.

use rand::{
    SeedableRng,
    rand_core::UnwrapErr,
    rngs::{StdRng, SysRng},
};

/// A generator for keys, masks and noise, seeded by the operating system at every call.
///
/// Generators that a thread keeps, such as `rand::rng()`, are copied when a process forks, and parent and child then
/// draw equal keys. Use each of these at once and drop it; none must outlive a fork.
///
/// # Panics
/// The operating system provides no randomness.
pub fn fresh_rng() -> StdRng {
    StdRng::from_rng(&mut UnwrapErr(SysRng))
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn no_two_generators_are_alike() {
        let mut drawn: Vec<u64> = (0..100).map(|_| fresh_rng().next_u64()).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 100);
    }
}
