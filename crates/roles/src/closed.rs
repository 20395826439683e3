//! Files with a secret in the clear, which nobody but their owner may be able to read.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Why such a file is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClosedError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: others can read it (mode {mode:03o}); close it with `chmod 600`", path.display())]
    Readable { path: PathBuf, mode: u32 },
    #[error("{}: longer than {most} bytes", path.display())]
    Size { path: PathBuf, most: u64 },
}

/// Opens one of at most `most` bytes. The mode is checked only for regular files, not for pipes.
pub(crate) fn open(path: &Path, most: u64) -> Result<File, ClosedError> {
    let io = |source| ClosedError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let data = file.metadata().map_err(io)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&data.permissions()) & 0o777;
        if data.is_file() && mode & 0o077 != 0 {
            return Err(ClosedError::Readable { path: path.to_owned(), mode });
        }
    }
    if data.len() > most {
        return Err(ClosedError::Size { path: path.to_owned(), most });
    }
    Ok(file)
}
