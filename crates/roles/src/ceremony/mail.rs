//! Where messages are kept: any store of named files that all servers can read and write. It is trusted only to keep
//! them: its contents are signed, and sealed where they are secret.

use std::path::PathBuf;

use host::files::{self, Access};

/// The error of a store of messages.
pub type MailError = Box<dyn std::error::Error + Send + Sync>;

/// A store of messages. Names are plain; a message may be sent again and then replaces the old one.
pub trait Mail {
    /// The message of this name, of at most `limit` bytes; none if there is none.
    ///
    /// # Errors
    /// The store cannot be read.
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, MailError>;

    /// Sends a message, whole or not at all.
    ///
    /// # Errors
    /// The store cannot be written.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), MailError>;
}

/// A folder that all servers share, by whatever channel.
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
