//! The owner: encodes and encrypts its own items.

use std::fmt;
use std::path::Path;

use encoder::{EncodeError, Encoded, Encoder};
use host::Progress;
use qfe::{Ciphertext, EncryptError, Encryptor, TableError};

use crate::keyfile::Unlock;
use crate::masks::{MaskStore, MaskStoreError};
use crate::published::Published;

/// An owner, ready for many items of one public key.
pub struct Owner {
    encoder: Encoder,
    way: Way,
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").field("encoder", &self.encoder).finish_non_exhaustive()
    }
}

enum Way {
    Fast(Box<Encryptor>),
    ConstantTime(Published),
    Masked(Box<Encryptor>, MaskStore, Unlock),
}

/// Why an item is not encrypted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnerError {
    /// The encoder refuses it.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The scheme refuses its integers.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
    /// No mask can be taken.
    #[error(transparent)]
    Mask(#[from] MaskStoreError),
}

impl Owner {
    /// Builds the tables of the public key. Encryption is fast, and its time depends on the item: use it on the owner's
    /// own machine.
    pub fn new(published: &Published, progress: &dyn Progress) -> Self {
        let way = Way::Fast(Box::new(Encryptor::new(published.key(), progress)));
        Self { encoder: published.encoder().clone(), way }
    }

    /// The same with tables that are stored in a folder.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn with_tables(published: &Published, folder: &Path, progress: &dyn Progress) -> Result<Self, TableError> {
        let (encryptor, _) = Encryptor::open_or_build(published.key(), folder, progress)?;
        Ok(Self { encoder: published.encoder().clone(), way: Way::Fast(Box::new(encryptor)) })
    }

    /// Uses the same memory accesses and the same time whatever the item: slower, for hosts that others can observe.
    pub fn constant_time(published: &Published) -> Self {
        Self { encoder: published.encoder().clone(), way: Way::ConstantTime(published.clone()) }
    }

    /// The same owner, using masks drawn in advance; one that works in constant time does not use any.
    pub fn with_masks(self, store: MaskStore, unlock: Unlock) -> Self {
        let way = match self.way {
            Way::Fast(encryptor) | Way::Masked(encryptor, ..) => Way::Masked(encryptor, store, unlock),
            way @ Way::ConstantTime(_) => way,
        };
        Self { way, ..self }
    }

    /// The encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Encodes and encrypts one item, of as many bytes as the encoder takes.
    ///
    /// # Errors
    /// [`OwnerError`].
    pub fn encrypt(&self, item: &[u8]) -> Result<Ciphertext, OwnerError> {
        self.encrypt_encoded(&self.encoder.encode(item)?)
    }

    /// Encrypts an encoded item.
    ///
    /// # Errors
    /// [`OwnerError`].
    pub fn encrypt_encoded(&self, item: &Encoded) -> Result<Ciphertext, OwnerError> {
        let (u, v) = (&item.u, &item.v);
        Ok(match &self.way {
            Way::Fast(encryptor) => encryptor.encrypt(u, v, &mut host::fresh_rng())?,
            Way::ConstantTime(published) => qfe::encrypt_constant_time(published.key(), u, v, &mut host::fresh_rng())?,
            Way::Masked(encryptor, store, unlock) => {
                encryptor.encrypt_with_mask(u, v, store.take(encryptor, unlock)?)?
            }
        })
    }
}
