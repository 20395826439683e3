//! Files of servers and owners, which nobody but their owner reads.

use std::path::Path;

use host::files::Access;
pub use host::files::{
    FileError, folder_of, is_plain_name, make_folder, make_secret_file, make_secret_folder, read, read_text,
};

/// Writes a whole file or nothing.
///
/// # Errors
/// The folder cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    host::files::write(path, bytes, Access::Secret)
}
