//! Files of servers and owners that only their owner can read.

use std::path::Path;

use host::files::Access;
pub use host::files::{
    FileError, folder_of, is_plain_name, make_folder, make_secret_file, make_secret_folder, read, read_if_there,
    read_text,
};

/// Writes a whole file or nothing.
///
/// # Errors
/// The folder cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    host::files::write(path, bytes, Access::Secret)
}

/// Writes a whole new file or nothing; one that is there is left alone.
///
/// # Errors
/// The file is there, or the folder cannot be written.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    host::files::write_new(path, bytes, Access::Secret)
}
