//! Where messages lie: any store of named files that all servers can read and write. It is trusted with nothing but
//! to keep them: what it holds is signed, and sealed where it is secret.

use std::path::PathBuf;

use host::files::{self, Access};

/// What a store of messages says when it fails.
pub type MailError = Box<dyn std::error::Error + Send + Sync>;

/// A store of messages. Names are plain; messages may be put again and then replace the old ones.
pub trait Mail {
    /// The message of a name, of at most `limit` bytes; none where there is none.
    ///
    /// # Errors
    /// The store cannot be read.
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, MailError>;

    /// Puts a message, whole or not at all.
    ///
    /// # Errors
    /// The store cannot be written.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), MailError>;
}

/// A folder that all servers share, over whatever channel.
#[derive(Clone, Debug)]
pub struct MailFolder(PathBuf);

impl MailFolder {
    /// Messages in this folder, made if missing.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(folder: PathBuf) -> Result<Self, files::FileError> {
        files::make_folder(&folder)?;
        Ok(Self(folder))
    }
}

impl Mail for MailFolder {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, MailError> {
        let path = self.0.join(name);
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(files::read(&path, limit)?))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), MailError> {
        Ok(files::write(&self.0.join(name), bytes, Access::Ordinary)?)
    }
}
