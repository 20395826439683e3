//! The holder of a master key or a share of it, without policy or ledger.

use std::fmt;
use std::path::Path;

use encoder::Encoder;
use model::CompiledNetwork;
use qfe::shares::{CombineError, PartialKey, ShareError};
use qfe::{FunctionalKey, KeyError, MasterKey, PublicKey, PublicKeyId};

use crate::keyfile::{self, KeyFileError, Lock};
use crate::predictor::{Unopenable, openable};
use crate::published::Published;
use crate::share::ShareHolder;

/// A master key or a share of one, with its public part. A master key is the share of a single server.
pub struct Authority {
    holder: ShareHolder,
    /// Present if the key is whole.
    master: Option<MasterKey>,
    published: Published,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("published", &self.published).finish_non_exhaustive()
    }
}

/// Why no key is issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The network has another encoder than the one published.
    #[error(
        "the network has another encoder than this authority publishes: compile it for the same encoder, or set up an \
            authority for it"
    )]
    Encoder,
    /// The key could not find some outputs.
    #[error(transparent)]
    Range(#[from] Unopenable),
    /// The master key belongs to another set-up.
    #[error("the master key belongs to public key {master}, not to {published}")]
    PublicKey {
        /// Public key of the master key.
        master: PublicKeyId,
        /// The published public key.
        published: PublicKeyId,
    },
    /// The scheme refuses.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The share cannot be used.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// Answers of other holders are needed, or the function does not fit.
    #[error(transparent)]
    Combine(#[from] CombineError),
}

impl Authority {
    /// An authority for the vectors of an encoder, over a share that it holds.
    ///
    /// # Errors
    /// The key is for vectors of other lengths.
    pub fn over(holder: ShareHolder, encoder: Encoder) -> Result<Self, IssueError> {
        let published = Published::new(holder.key().public().clone(), encoder).map_err(|_| IssueError::Encoder)?;
        Ok(Self { holder, master: None, published })
    }

    /// Draws fresh keys for the vectors of an encoder from the system's generator.
    ///
    /// # Errors
    /// Vectors that are too long.
    pub fn setup(encoder: Encoder) -> Result<Self, IssueError> {
        let (n, m) = encoder.inputs();
        let (master, key) = qfe::setup(n, m, &mut host::fresh_rng())?;
        Self::of(master, key, encoder)
    }

    /// A stored master key with its public part.
    ///
    /// # Errors
    /// They belong to different set-ups.
    pub fn open(master: MasterKey, published: Published) -> Result<Self, IssueError> {
        let (master_key, public_key) = (master.id(), published.key().id());
        if master_key != public_key {
            return Err(IssueError::PublicKey { master: master_key, published: public_key });
        }
        let (key, encoder) = (published.key().clone(), published.encoder().clone());
        Self::of(master, key, encoder)
    }

    fn of(master: MasterKey, key: PublicKey, encoder: Encoder) -> Result<Self, IssueError> {
        let whole = Self::over(ShareHolder::single(&master, key)?, encoder)?;
        Ok(Self { master: Some(master), ..whole })
    }

    /// Writes the master key to a new file that only its owner can read.
    ///
    /// # Errors
    /// The authority holds only a share, or the file exists already or cannot be written.
    pub fn save_master(&self, path: &Path, lock: &Lock) -> Result<(), KeyFileError> {
        let master = self.master.as_ref().ok_or(KeyFileError::Share)?;
        keyfile::save_master_key(path, master, lock)
    }

    /// What owners need.
    pub fn published(&self) -> &Published {
        &self.published
    }

    /// The key that opens a network, from an authority that needs no other.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn issue(&self, network: &CompiledNetwork) -> Result<FunctionalKey, IssueError> {
        self.check(network)?;
        Ok(self.holder.issue(network.map())?)
    }

    /// This authority's part of that key, for [`SharedKey::combiner`](crate::SharedKey::combiner).
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn issue_partial(&self, network: &CompiledNetwork) -> Result<PartialKey, IssueError> {
        self.check(network)?;
        Ok(self.holder.issue_partial(network.map())?)
    }

    fn check(&self, network: &CompiledNetwork) -> Result<(), IssueError> {
        if network.encoder() != self.published.encoder() {
            return Err(IssueError::Encoder);
        }
        Ok(openable(network)?)
    }
}
