//! Many items at once, on all cores.

use encoder::Encoded;
use host::Progress;
use qfe::{Ciphertext, EvaluateError};
use rayon::prelude::*;

use crate::owner::{Owner, OwnerError};
use crate::predictor::Predictor;

/// The error that stopped a batch, and at which item, counted from 0.
#[derive(Debug, thiserror::Error)]
#[error("item {item}: {error}")]
pub struct BatchError<E> {
    /// The first item that failed.
    pub item: usize,
    /// The error.
    pub error: E,
}

impl Owner {
    /// Encodes items, of as many bytes as the encoder takes.
    ///
    /// # Errors
    /// The first item that the encoder does not take.
    pub fn encode_all(&self, items: &[&[u8]]) -> Result<Vec<Encoded>, BatchError<OwnerError>> {
        each(items, |item| self.encoder().encode(item).map_err(OwnerError::from))
    }

    /// Encodes and encrypts items, in order, with fresh randomness each.
    ///
    /// # Errors
    /// The first item that cannot be encoded (before any is encrypted), or that cannot be encrypted.
    pub fn encrypt_all(
        &self,
        items: &[&[u8]],
        progress: &dyn Progress,
    ) -> Result<Vec<Ciphertext>, BatchError<OwnerError>> {
        let encoded = self.encode_all(items)?;
        progress.begin(encoded.len() as u64);
        each(&encoded, |item| {
            let ciphertext = self.encrypt_encoded(item)?;
            progress.advance(1);
            Ok(ciphertext)
        })
    }
}

impl Predictor {
    /// The outputs of every ciphertext, in order.
    ///
    /// # Errors
    /// The first ciphertext of another public key, or with an output outside its declared range.
    pub fn evaluate_all<C: AsRef<Ciphertext> + Sync>(
        &self,
        ciphertexts: &[C],
        progress: &dyn Progress,
    ) -> Result<Vec<Vec<i64>>, BatchError<EvaluateError>> {
        progress.begin(ciphertexts.len() as u64);
        each(ciphertexts, |ciphertext| {
            let outputs = self.evaluate(ciphertext.as_ref())?;
            progress.advance(1);
            Ok(outputs)
        })
    }
}

/// Results in order, or the error of the first item that failed.
fn each<I: Sync, T: Send, E: Send>(
    items: &[I],
    work: impl Fn(&I) -> Result<T, E> + Send + Sync,
) -> Result<Vec<T>, BatchError<E>> {
    let done: Vec<Result<T, E>> = items.par_iter().with_max_len(1).map(work).collect();
    done.into_iter().enumerate().map(|(item, done)| done.map_err(|error| BatchError { item, error })).collect()
}
