//! Many inputs or ciphertexts at once.
//!
//! What can be shared is: the tables and the compiled projections, the subgroup
//! check when reading (one set of combinations over all points), and all threads.

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
    /// Reads many ciphertexts with one subgroup check over all of them. When that
    /// fails each is checked by itself, so that one forgery spoils no other.
    pub fn from_bytes_batch(encoded: &[&[u8]]) -> Vec<Result<Self, WireError>> {
        let parsed: Vec<_> = encoded.par_iter().map(|bytes| Self::parse(bytes)).collect();
        let sound: Vec<&Self> = parsed.iter().flatten().collect();
        if check_ciphertexts(&sound).is_ok() {
            return parsed;
        }
        encoded.par_iter().map(|bytes| Self::from_bytes(bytes)).collect()
    }
}
