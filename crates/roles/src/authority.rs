//! The holder of a master key, without policy or ledger: whoever holds it decides alone.

use std::fmt;

use encoder::Encoder;
use model::CompiledNetwork;
use qfe::{FunctionalKey, KeyError, MasterKey};

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
        let (master, key) = qfe::setup(n, m, &mut rand::rng())?;
        // Set up for these very lengths.
        let published = Published::new(key, encoder).map_err(|_| IssueError::Encoder)?;
        Ok(Self { master, published })
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
