//! The holder of a master key or a share of it, without policy or ledger.

use std::fmt;

use encoder::Encoder;
use model::CompiledNetwork;
use qfe::shares::{CombineError, PartialKey, ShareError};
use qfe::{FunctionalKey, KeyError};

use crate::published::Published;
use crate::share::ShareHolder;

/// A master key or a share of one, with what is published of it. A master key is the share of a single server.
pub struct Authority {
    holder: ShareHolder,
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
    /// The share cannot be used.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// Answers of other holders are needed, or the function does not fit.
    #[error(transparent)]
    Combine(#[from] CombineError),
}

impl Authority {
    /// An authority over a share that it holds, for the vectors of an encoder.
    ///
    /// # Errors
    /// The key is for vectors of other lengths.
    pub fn over(holder: ShareHolder, encoder: Encoder) -> Result<Self, IssueError> {
        let published = Published::new(holder.key().public().clone(), encoder).map_err(|_| IssueError::Encoder)?;
        Ok(Self { holder, published })
    }

    /// Draws fresh keys for the vectors of an encoder from the system's generator.
    ///
    /// # Errors
    /// Vectors that are too long.
    pub fn setup(encoder: Encoder) -> Result<Self, IssueError> {
        let (n, m) = encoder.inputs();
        let (master, key) = qfe::setup(n, m, &mut rand::rng())?;
        Self::over(ShareHolder::single(&master, key)?, encoder)
    }

    /// What owners need.
    pub fn published(&self) -> &Published {
        &self.published
    }

    /// The key that opens a network, of an authority that needs no other.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn issue(&self, network: &CompiledNetwork) -> Result<FunctionalKey, IssueError> {
        self.check(network)?;
        Ok(self.holder.issue(network.map())?)
    }

    /// This authority's part of it, for [`SharedKey::combiner`](crate::SharedKey::combiner).
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn issue_partial(&self, network: &CompiledNetwork) -> Result<PartialKey, IssueError> {
        self.check(network)?;
        Ok(self.holder.issue_partial(network.map())?)
    }

    fn check(&self, network: &CompiledNetwork) -> Result<(), IssueError> {
        if network.encoder() == self.published.encoder() { Ok(()) } else { Err(IssueError::Encoder) }
    }
}
