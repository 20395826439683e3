//! Many inputs or ciphertexts at once.
//!
//! What can be shared is: the tables and the compiled projections, the subgroup
//! check when reading (one set of combinations over all points), lanes and inversions
//! of eight ciphertexts, and all threads.

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

/// Ciphertexts that are evaluated together: one for each lane.
const TOGETHER: usize = 8;

/// Groups of powers of two, as large as leaves all threads something to do.
fn groups<T>(mut items: &[T], threads: usize) -> Vec<&[T]> {
    let most = items.len().div_ceil(threads).clamp(1, TOGETHER);
    let mut groups = Vec::new();
    while !items.is_empty() {
        let size = 1 << most.min(items.len()).ilog2();
        let (group, rest) = items.split_at(size);
        groups.push(group);
        items = rest;
    }
    groups
}

impl Evaluator {
    /// Evaluates every ciphertext, in order; each by itself may fail.
    pub fn evaluate_batch(&self, ciphertexts: &[Ciphertext]) -> Vec<Result<Vec<i64>, EvaluateError>> {
        let checked = ciphertexts.iter().map(|ciphertext| self.check(ciphertext).map(|()| ciphertext));
        let mut results: Vec<Result<Vec<i64>, EvaluateError>> = Vec::with_capacity(ciphertexts.len());
        let mut sound = Vec::with_capacity(ciphertexts.len());
        for (place, checked) in checked.enumerate() {
            results.push(checked.as_ref().map(|_| Vec::new()).map_err(Clone::clone));
            sound.extend(checked.ok().map(|ciphertext| (place, ciphertext)));
        }
        let groups = groups(&sound, rayon::current_num_threads());
        let values = groups.into_par_iter().with_max_len(1).flat_map_iter(|group| {
            let ciphertexts: Vec<&Ciphertext> = group.iter().map(|&(_, ciphertext)| ciphertext).collect();
            let values = self.targets_of(&ciphertexts).into_iter().map(|targets| self.logarithms(&targets));
            group.iter().map(|&(place, _)| place).zip(values).collect::<Vec<_>>()
        });
        for (place, values) in values.collect::<Vec<_>>() {
            results[place] = values;
        }
        results
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_powers_of_two() {
        let sizes =
            |count: usize, threads| groups(&vec![(); count], threads).iter().map(|g| g.len()).collect::<Vec<_>>();
        assert_eq!(sizes(64, 2), vec![8; 8]);
        assert_eq!(sizes(13, 1), [8, 4, 1]);
        assert_eq!(sizes(5, 2), [2, 2, 1]);
        assert!(sizes(0, 2).is_empty());
    }
}
