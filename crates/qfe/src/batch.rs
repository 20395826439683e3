//! Many inputs or ciphertexts at once.
//!
//! These are shared: the tables and the compiled projections, the subgroup check when reading (one set of combinations
//! over all points), and all threads.

use rand::{CryptoRng, SeedableRng, rngs::StdRng};
use rayon::prelude::*;

use crate::{
    encrypt::{Ciphertext, EncryptError, Encryptor},
    evaluate::{EvaluateError, Evaluator},
    wire::{WireError, check_ciphertexts},
};

impl Encryptor {
    /// Encrypts every `(u, v)`, in order; each by itself may fail.
    pub fn encrypt_batch(
        &self,
        inputs: &[(Vec<i64>, Vec<i64>)],
        rng: &mut impl CryptoRng,
    ) -> Vec<Result<Ciphertext, EncryptError>> {
        let generators: Vec<StdRng> = inputs.iter().map(|_| StdRng::from_rng(rng)).collect();
        let jobs = inputs.par_iter().zip(generators);
        jobs.map(|((u, v), mut rng)| self.encrypt(u, v, &mut rng)).collect()
    }
}

impl Evaluator {
    /// Evaluates every ciphertext, in order; each by itself may fail.
    pub fn evaluate_batch(&self, ciphertexts: &[Ciphertext]) -> Vec<Result<Vec<i64>, EvaluateError>> {
        ciphertexts.par_iter().map(|ciphertext| self.evaluate(ciphertext)).collect()
    }
}

impl Ciphertext {
    /// Reads many ciphertexts with one subgroup check over all of them, in their order. Where it fails, halves are
    /// checked, and halves of those, so that a forgery costs a few checks more and spoils no other.
    pub fn from_bytes_batch(encoded: &[&[u8]]) -> Vec<Result<Self, WireError>> {
        let mut read: Vec<_> = encoded.par_iter().with_max_len(1).map(|bytes| Self::parse(bytes)).collect();
        let sound: Vec<(usize, &Self)> =
            read.iter().enumerate().filter_map(|(place, read)| Some((place, read.as_ref().ok()?))).collect();
        for (place, error) in forged(&sound) {
            read[place] = Err(error);
        }
        read
    }
}

/// The places of those with a point outside the subgroups, found by bisection.
fn forged(ciphertexts: &[(usize, &Ciphertext)]) -> Vec<(usize, WireError)> {
    let all: Vec<&Ciphertext> = ciphertexts.iter().map(|&(_, ciphertext)| ciphertext).collect();
    match check_ciphertexts(&all) {
        Ok(()) => Vec::new(),
        Err(error) if ciphertexts.len() == 1 => vec![(ciphertexts[0].0, error)],
        Err(_) => {
            let (left, right) = ciphertexts.split_at(ciphertexts.len() / 2);
            let mut found = forged(left);
            found.extend(forged(right));
            found
        }
    }
}
