//! A shared key: its public part, and one holder's share.
//!
//! A folder with `public.key`, `commitments`, and for a holder `share.age`. A single master key is the case of one
//! server with threshold zero.

use std::path::Path;

use host::files::{self, Access, FileError};
use qfe::shares::{CombineError, Combiner, Commitments, KeyShare, PartialKey, Seat, SeatError, ShareError, Sharing};
use qfe::{FunctionalKey, MasterKey, PublicKey, QuadraticMap};

use crate::keyfile::{self, KeyFileError, Lock, Unlock};
use crate::published::PUBLIC_KEY;

/// Name of the commitments in the folder.
pub const COMMITMENTS: &str = "commitments";
/// Name of the share in the folder.
pub const SHARE: &str = "share.age";

/// Largest public file: a public key, or commitments of many servers.
const LIMIT: u64 = 512 << 20;

/// The public part of a shared key: the public key, and the commitments that check the answers of servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedKey {
    public: PublicKey,
    commitments: Commitments,
}

/// One holder's share, with the public part of the key. Alone it issues nothing, unless the quorum is one.
#[allow(missing_debug_implementations)] // secret
pub struct ShareHolder {
    key: SharedKey,
    share: KeyShare,
}

/// A share that cannot be read, written or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShareFileError {
    /// A public file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The secret file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The commitments belong to another key.
    #[error("the commitments do not fit the public key: {0}")]
    Commitments(#[from] SeatError),
    /// The share does not fit its commitment.
    #[error(transparent)]
    Share(#[from] ShareError),
}

impl SharedKey {
    /// A public key with the commitments to its sharing.
    ///
    /// # Errors
    /// They belong to another key.
    pub fn new(public: PublicKey, commitments: Commitments) -> Result<Self, SeatError> {
        commitments.check(&public)?;
        Ok(Self { public, commitments })
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The commitments.
    pub fn commitments(&self) -> &Commitments {
        &self.commitments
    }

    /// Epoch, servers and threshold.
    pub fn seat(&self) -> &Seat {
        self.commitments.seat()
    }

    /// Reads `public.key` and `commitments` of a folder.
    ///
    /// # Errors
    /// A file is missing, damaged or of another key.
    pub fn read(folder: &Path) -> Result<Self, ShareFileError> {
        let path = folder.join(PUBLIC_KEY);
        let public = PublicKey::from_bytes(&files::read(&path, LIMIT)?);
        let public = public.map_err(|error| FileError::content(&path, error))?;
        let path = folder.join(COMMITMENTS);
        let commitments = Commitments::from_bytes(&files::read(&path, LIMIT)?, &public);
        let commitments = commitments.map_err(|error| FileError::content(&path, error))?;
        Ok(Self::new(public, commitments)?)
    }

    /// Writes both into an existing folder.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), FileError> {
        files::write(&folder.join(COMMITMENTS), &self.commitments.to_bytes(), Access::Ordinary)?;
        files::write(&folder.join(PUBLIC_KEY), &self.public.to_bytes(), Access::Ordinary)
    }

    /// Combines the answers of servers for one function.
    ///
    /// # Errors
    /// The function does not take the inputs of the key.
    pub fn combiner(&self, map: &QuadraticMap) -> Result<Combiner<'_>, CombineError> {
        Combiner::new(&self.public, &self.commitments, map)
    }
}

impl ShareHolder {
    /// A holder, once its share has been checked against its commitment.
    ///
    /// # Errors
    /// The share is of another key or epoch, or wrong.
    pub fn new(key: SharedKey, share: KeyShare) -> Result<Self, ShareError> {
        share.verify(&key.commitments)?;
        Ok(Self { key, share })
    }

    /// The only holder of a whole key: one server, threshold zero. `t` is not part of what it stores.
    ///
    /// # Errors
    /// The public key is not this master's.
    pub fn single(master: &MasterKey, public: PublicKey) -> Result<Self, ShareError> {
        let (commitments, mut shares) = master.share(&public, Sharing::new(1, 0)?, &mut host::fresh_rng())?;
        let missing = ShareError::Sharing { servers: 0, threshold: 0 };
        Ok(Self { key: SharedKey { public, commitments }, share: shares.pop().ok_or(missing)? })
    }

    /// Reads the three files of a folder.
    ///
    /// # Errors
    /// A file is missing or damaged, the share cannot be decrypted, or does not fit its commitment.
    pub fn load(folder: &Path, unlock: &Unlock) -> Result<Self, ShareFileError> {
        let key = SharedKey::read(folder)?;
        Ok(Self::new(key, keyfile::load_key_share(&folder.join(SHARE), unlock)?)?)
    }

    /// Writes the three files into a folder, made if missing and closed to others; an existing share is not replaced.
    ///
    /// # Errors
    /// A share exists, or the folder cannot be written.
    pub fn save(&self, folder: &Path, lock: &Lock) -> Result<(), ShareFileError> {
        files::make_secret_folder(folder)?;
        keyfile::save_key_share(&folder.join(SHARE), &self.share, lock)?;
        Ok(self.key.write(folder)?)
    }

    /// The public part of the key.
    pub fn key(&self) -> &SharedKey {
        &self.key
    }

    /// The share, for a ceremony that renews it.
    pub fn share(&self) -> &KeyShare {
        &self.share
    }

    /// Key, epoch, sharing and server.
    pub fn seat(&self) -> &Seat {
        self.share.seat()
    }

    /// Whether it can issue alone.
    pub fn is_whole(&self) -> bool {
        self.seat().sharing.quorum() == 1
    }

    /// This holder's part of the functional key of `map`.
    ///
    /// # Errors
    /// The function does not take the inputs of the key.
    pub fn issue_partial(&self, map: &QuadraticMap) -> Result<PartialKey, ShareError> {
        self.share.issue(&self.key.public, map)
    }

    /// The functional key of `map`, from a holder that can issue alone; checked against the public key.
    ///
    /// # Errors
    /// The function does not take the inputs of the key, or other holders are needed.
    pub fn issue(&self, map: &QuadraticMap) -> Result<FunctionalKey, CombineError> {
        let combiner = self.key.combiner(map)?;
        let partial = self.issue_partial(map).map_err(|error| match error {
            ShareError::Key(error) => CombineError::Key(error),
            ShareError::Seat(error) => CombineError::Commitments(error),
            // A checked share always passes the other checks.
            _ => CombineError::TooFew { found: 0, needed: 1, refused: Vec::new() },
        })?;
        Ok(combiner.combine(&[partial])?.key)
    }
}
