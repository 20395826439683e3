//! Masks: any bytes, and a valid one with bytes changed, under a valid checksum. What is accepted encodes to the same
//! bytes, or it might be taken for another mask.

use std::sync::LazyLock;

use qfe::{EncryptorSteps, Mask, setup};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::{edited, sealed};

static VALID: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let (_, public) = setup(1, 1, rng).expect("dimensions are allowed");
    let bytes = EncryptorSteps::new(&public, 0).finish().draw_mask(rng).to_bytes();
    bytes[..bytes.len() - 32].to_vec()
});

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, data @ ..] = data else { return };
    let bytes = match mode % 3 {
        0 => data.to_vec(),
        1 => sealed(data),
        _ => sealed(&edited(&VALID, data)),
    };
    if let Ok(mask) = Mask::from_bytes(&bytes) {
        assert!(*mask.to_bytes() == bytes);
    }
}
