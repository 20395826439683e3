//! The holder of a master key, without policy or ledger: whoever holds it decides alone.

use std::fmt;
use std::path::Path;

use encoder::Encoder;
use model::CompiledNetwork;
use qfe::{FunctionalKey, KeyError, MasterKey, PublicKeyId};

use crate::keyfile::{self, KeyFileError, Lock};
use crate::published::Published;

/// A master key with what is published of it.
pub struct Authority {
    master: MasterKey,
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
        "the network has another encoder than this authority publishes: compile it for the same encoder, or set up an authority for it"
    )]
    Encoder,
    /// The master key is of another set-up.
    #[error("the master key belongs to public key {master}, not to {published}")]
    PublicKey {
        /// Public key of the master key.
        master: PublicKeyId,
        /// What is published.
        published: PublicKeyId,
    },
    /// The scheme refuses.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Authority {
    /// Draws fresh keys for the vectors of an encoder from the system's generator.
    ///
    /// # Errors
    /// Vectors that are too long.
    pub fn setup(encoder: Encoder) -> Result<Self, IssueError> {
        let (n, m) = encoder.inputs();
        let (master, key) = qfe::setup(n, m, &mut host::fresh_rng())?;
        // Set up for these very lengths.
        let published = Published::new(key, encoder).map_err(|_| IssueError::Encoder)?;
        Ok(Self { master, published })
    }

    /// A master key that was kept, with what was published of it.
    ///
    /// # Errors
    /// They are of different set-ups.
    pub fn open(master: MasterKey, published: Published) -> Result<Self, IssueError> {
        let (master_key, public_key) = (master.id(), published.key().id());
        if master_key != public_key {
            return Err(IssueError::PublicKey { master: master_key, published: public_key });
        }
        Ok(Self { master, published })
    }

    /// Writes the master key to a new file that nobody but its owner reads.
    ///
    /// # Errors
    /// The file is there already, or cannot be written.
    pub fn save_master(&self, path: &Path, lock: &Lock) -> Result<(), KeyFileError> {
        keyfile::save_master_key(path, &self.master, lock)
    }

    /// What owners need.
    pub fn published(&self) -> &Published {
        &self.published
    }

    /// The key that opens a network.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn issue(&self, network: &CompiledNetwork) -> Result<FunctionalKey, IssueError> {
        if network.encoder() != self.published.encoder() {
            return Err(IssueError::Encoder);
        }
        Ok(self.master.issue(network.map())?)
    }
}
