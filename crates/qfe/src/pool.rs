//! Masks drawn in advance.
//!
//! A mask must never be used twice: two ciphertexts of one mask reveal the difference of their inputs. Both pools
//! therefore hand out masks by value, and a [`Mask`] can neither be copied nor read twice.

use std::sync::{Mutex, PoisonError};

use host::Progress;
use rand::{CryptoRng, SeedableRng, rngs::StdRng};
use rayon::prelude::*;

use crate::{
    encrypt::{Ciphertext, EncryptError, Encryptor},
    mask::Mask,
};

/// Masks in memory, for one process and many threads.
#[derive(Default)]
#[allow(missing_debug_implementations)] // secret
pub struct MaskPool {
    masks: Mutex<Vec<Mask>>,
}

impl MaskPool {
    /// An empty pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// Masks ready.
    pub fn len(&self) -> usize {
        self.masks.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Draws `count` masks in parallel and adds them.
    pub fn fill(&self, encryptor: &Encryptor, count: usize, rng: &mut impl CryptoRng, progress: &dyn Progress) {
        let generators: Vec<StdRng> = (0..count).map(|_| StdRng::from_rng(rng)).collect();
        generators.into_par_iter().for_each(|mut rng| {
            let mask = encryptor.draw_mask(&mut rng);
            self.masks.lock().unwrap_or_else(PoisonError::into_inner).push(mask);
            progress.advance(1);
        });
    }

    /// Takes a mask out; nobody else can get it.
    pub fn take(&self) -> Option<Mask> {
        self.masks.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Encrypts with a mask of the pool, or with a fresh one when it is empty.
    ///
    /// # Errors
    /// `u` or `v` does not have the length that the key encrypts, or the mask is of another public key.
    pub fn encrypt(
        &self,
        encryptor: &Encryptor,
        u: &[i64],
        v: &[i64],
        rng: &mut impl CryptoRng,
    ) -> Result<Ciphertext, EncryptError> {
        match self.take() {
            Some(mask) => encryptor.encrypt_with_mask(u, v, mask),
            None => encryptor.encrypt(u, v, rng),
        }
    }
}
