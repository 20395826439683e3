//! What the authority publishes: the public key, and the encoder of its inputs.
//!
//! A folder with `public.key` and `encoder.json`.

use std::path::Path;
use std::sync::Arc;

use encoder::Encoder;
use host::files::{self, Access, FileError};
use qfe::PublicKey;

/// Name of the public key in the folder.
pub const PUBLIC_KEY: &str = "public.key";
/// Name of the encoder in the folder.
pub const ENCODER: &str = "encoder.json";

/// Largest public key file: 131,072 inputs a side take less.
const KEY_LIMIT: u64 = 64 << 20;
const ENCODER_LIMIT: u64 = 16 << 20;

/// What owners need.
#[derive(Clone, Debug)]
pub struct Published {
    key: Arc<PublicKey>,
    encoder: Encoder,
}

/// Why published files cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishedError {
    /// A file that cannot be read or written, or holds something else.
    #[error(transparent)]
    File(#[from] FileError),
    /// A key for other vectors than the encoder makes.
    #[error(
        "the encoder makes {encoder:?} coordinates and the public key encrypts {key:?}: fetch both from the authority again"
    )]
    Mismatch {
        /// `(n, m)` of the encoder.
        encoder: (usize, usize),
        /// `(n, m)` of the key.
        key: (usize, usize),
    },
}

impl Published {
    /// A public key and its encoder.
    ///
    /// # Errors
    /// They are for vectors of different lengths.
    pub fn new(key: PublicKey, encoder: Encoder) -> Result<Self, PublishedError> {
        if encoder.inputs() != key.inputs() {
            return Err(PublishedError::Mismatch { encoder: encoder.inputs(), key: key.inputs() });
        }
        Ok(Self { key: Arc::new(key), encoder })
    }

    /// The public key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Writes a folder, made if missing; files published there before are replaced. The key is written last, so that
    /// its encoder is always there too.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), PublishedError> {
        files::make_folder(folder)?;
        let path = folder.join(ENCODER);
        let encoder = serde_json::to_vec_pretty(&self.encoder).map_err(|error| FileError::content(&path, error))?;
        files::write(&path, &encoder, Access::Ordinary)?;
        Ok(files::write(&folder.join(PUBLIC_KEY), &self.key.to_bytes(), Access::Ordinary)?)
    }

    /// Reads a folder.
    ///
    /// # Errors
    /// [`PublishedError`] names the file.
    pub fn read(folder: &Path) -> Result<Self, PublishedError> {
        let content =
            |path: &Path, problem: String| FileError::content(path, problem + "; fetch it from the authority again");
        let path = folder.join(PUBLIC_KEY);
        let key = PublicKey::from_bytes(&files::read(&path, KEY_LIMIT)?);
        let key = key.map_err(|error| content(&path, error.to_string()))?;
        let path = folder.join(ENCODER);
        let encoder = serde_json::from_slice(&files::read(&path, ENCODER_LIMIT)?);
        Self::new(key, encoder.map_err(|error| content(&path, format!("not an encoder: {error}")))?)
    }
}
