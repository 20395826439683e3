//! Bounded reading, and atomic writing of whole files.
//!
//! A file is written under a temporary name in its folder and synced to disk; then it is renamed, and the folder
//! synced. After a crash there is the old file or the new one. Secrets are readable by their owner only (mode 0600),
//! folders with secrets are closed to others (0700).

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// A file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system refused.
    #[error("{path}: cannot be {action}: {source}")]
    System {
        /// The file.
        path: PathBuf,
        /// `read`, `written` or `closed to others`.
        action: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The file is longer than the limit for its kind.
    #[error("{path}: is longer than {limit} bytes, more than such a file can have; is it the right file?")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most bytes that are read.
        limit: u64,
    },
    /// The file does not hold what it should.
    #[error("{path}: {problem}")]
    Content {
        /// The file.
        path: PathBuf,
        /// The actual content, or what is wrong with it.
        problem: String,
    },
}

impl FileError {
    /// The error of a file that does not hold what it should.
    pub fn content(path: &Path, problem: impl fmt::Display) -> Self {
        Self::Content { path: path.to_owned(), problem: problem.to_string() }
    }
}

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody whom the umask allows.
    Ordinary,
    /// The owner only.
    Secret,
}

/// The bytes of a file of at most `limit` bytes.
///
/// # Errors
/// The file cannot be read, or is longer.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let fail = |source| FileError::System { path: path.to_owned(), action: "read", source };
    let file = File::open(path).map_err(fail)?;
    let expected = file.metadata().map_err(fail)?.len().min(limit);
    let mut bytes = Vec::with_capacity(expected as usize);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > limit {
        return Err(FileError::TooLong { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// Like [`read`]; none where nothing has this name. A link that leads nowhere, or a folder that cannot be entered, is an
/// error: what is missing would otherwise pass for what was never there.
///
/// # Errors
/// As [`read`].
pub fn read_if_there(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, FileError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => read(path, limit).map(Some),
    }
}

/// Like [`read`], as UTF-8 text.
///
/// # Errors
/// As [`read`], or the bytes are not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    String::from_utf8(read(path, limit)?).map_err(|error| FileError::System {
        path: path.to_owned(),
        action: "read",
        source: io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()),
    })
}

/// Writes a whole file or nothing; an existing file is replaced.
///
/// # Errors
/// The folder cannot be written.
pub fn write(path: &Path, bytes: &[u8], access: Access) -> Result<(), FileError> {
    write_with(path, access, |out| out.write_all(bytes))
}

/// The same, with content that `content` writes piece by piece.
///
/// # Errors
/// The folder cannot be written, or `content` fails.
pub fn write_with(
    path: &Path,
    access: Access,
    content: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> Result<(), FileError> {
    let write = || -> io::Result<()> {
        temporary(path, access, content)?.persist(path)?;
        sync_folder(path)
    };
    write().map_err(|source| FileError::System { path: path.to_owned(), action: "written", source })
}

/// The same, but the file must not exist.
///
/// # Errors
/// As [`write()`], and [`io::ErrorKind::AlreadyExists`] if the file exists.
pub fn write_new(path: &Path, bytes: &[u8], access: Access) -> Result<(), FileError> {
    let write = || -> io::Result<()> {
        temporary(path, access, |out| out.write_all(bytes))?.persist_noclobber(path)?;
        sync_folder(path)
    };
    write().map_err(|source| FileError::System { path: path.to_owned(), action: "written", source })
}

/// Appends one line to a log, which is created if missing, and syncs it to disk: the only kind of file that grows.
///
/// # Errors
/// The file cannot be written, or `line` holds a line break.
pub fn append_line(path: &Path, line: &str) -> Result<(), FileError> {
    let append = || -> io::Result<()> {
        if line.contains('\n') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a line of a log holds a line break"));
        }
        let mut file = File::options().create(true).append(true).open(path)?;
        // In one call, so that lines of two programs do not mix.
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_all()
    };
    append().map_err(|source| FileError::System { path: path.to_owned(), action: "written", source })
}

fn temporary(
    path: &Path,
    access: Access,
    content: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        let mode = if access == Access::Secret { 0o600 } else { 0o666 };
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    }
    let mut file = builder.tempfile_in(folder_of(path))?;
    let mut buffered = BufWriter::new(file.as_file_mut());
    content(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.as_file().sync_all()?;
    Ok(file)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// Makes a folder and its parents, synced to disk on return: otherwise a crash could lose a key together with its
/// folder.
///
/// # Errors
/// The operating system refuses.
pub fn make_folder(path: &Path) -> Result<(), FileError> {
    let make = || -> io::Result<()> {
        let missing: Vec<&Path> = missing(path).collect();
        fs::create_dir_all(path)?;
        missing.into_iter().try_for_each(sync_folder)
    };
    make().map_err(|source| FileError::System { path: path.to_owned(), action: "written", source })
}

/// A folder and its parents that do not exist, the innermost first.
fn missing(path: &Path) -> impl Iterator<Item = &Path> {
    path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
}

/// Makes a folder for secrets, which only its owner may enter; an existing one is closed to others.
///
/// # Errors
/// The operating system refuses.
pub fn make_secret_folder(path: &Path) -> Result<(), FileError> {
    make_folder(path)?;
    restrict(path, 0o700)
}

/// Checks that a file exists, and that only its owner can read it.
///
/// # Errors
/// The operating system refuses.
pub fn make_secret_file(path: &Path) -> Result<(), FileError> {
    let fail = |source| FileError::System { path: path.to_owned(), action: "written", source };
    let mut options = fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(fail)?;
    restrict(path, 0o600)
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> Result<(), FileError> {
    use std::os::unix::fs::PermissionsExt;
    let fail = |source| FileError::System { path: path.to_owned(), action: "closed to others", source };
    if fs::metadata(path).map_err(fail)?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).map_err(fail)
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> Result<(), FileError> {
    Ok(())
}

/// The folder that holds `path`.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether `name` can be a single file name: letters, digits, `-`, `_`, and inside `.`; at most 64 characters.
pub fn is_plain_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_stops_at_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, &[7; 100], Access::Ordinary).unwrap();
        assert_eq!(read(&path, 100).unwrap().len(), 100);
        assert!(matches!(read(&path, 99), Err(FileError::TooLong { limit: 99, .. })));
    }

    /// Options and an expiry in a file that was gone counted as none where a link led to it.
    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_no_missing_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert!(read_if_there(&path, 9).unwrap().is_none());
        std::os::unix::fs::symlink(folder.path().join("gone"), &path).unwrap();
        assert!(matches!(read_if_there(&path, 9), Err(FileError::System { action: "read", .. })));
        fs::write(folder.path().join("gone"), b"one").unwrap();
        assert_eq!(read_if_there(&path, 9).unwrap().unwrap(), b"one");
        assert!(read_if_there(&path.join("inside"), 9).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn secrets_are_closed_to_others() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write(&path, b"s", Access::Secret).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn folders_are_made_and_each_that_was_missing_is_known() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("keys/9f");
        assert_eq!(missing(&path).collect::<Vec<_>>(), [path.as_path(), &above.path().join("keys")]);
        make_folder(&path).unwrap();
        assert!(path.is_dir() && missing(&path).next().is_none());
        make_folder(&path).unwrap();
    }

    #[test]
    fn a_new_file_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_new(&path, b"one", Access::Ordinary).unwrap();
        let refused = write_new(&path, b"two", Access::Ordinary).unwrap_err();
        assert!(
            matches!(refused, FileError::System { ref source, .. } if source.kind() == io::ErrorKind::AlreadyExists)
        );
        assert_eq!(read(&path, 9).unwrap(), b"one");
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, b"old", Access::Ordinary).unwrap();
        let failed = write_with(&path, Access::Ordinary, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert!(failed.is_err());
        assert_eq!(read(&path, 9).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_log_grows_by_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        append_line(&path, "one").unwrap();
        append_line(&path, "two").unwrap();
        assert!(append_line(&path, "three\nfour").is_err());
        assert_eq!(read(&path, 99).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn names_cannot_leave_their_folder() {
        for name in ["", ".", "..", "a/b", "../a", "a\\b", "a\0", ".hidden", "ä", &"a".repeat(65)] {
            assert!(!is_plain_name(name), "{name:?}");
        }
        assert!(is_plain_name("digits-2.v1_b"));
    }
}
