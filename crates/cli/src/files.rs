//! Paths that a verb reads and writes, checked before any work is done.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use host::files::{Access, folder_of};

/// The output file of a verb.
#[derive(Args, Clone, Debug)]
pub struct Output {
    /// File to write
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

impl Output {
    /// The path, after checking that it can be written and that nothing is lost.
    ///
    /// # Errors
    /// The file exists and `--force` was not given, or its folder cannot be written.
    pub fn path(&self) -> Result<&Path> {
        check_writable(&self.out, self.force)?;
        Ok(&self.out)
    }
}

impl Output {
    /// The path as a folder, made if missing; its content stays.
    ///
    /// # Errors
    /// The path is a file, or the folder cannot be made.
    pub fn folder(&self) -> Result<&Path> {
        fs::create_dir_all(&self.out).with_context(|| {
            format!("{}: cannot be used as a folder; name a folder, or a path that does not exist", self.out.display())
        })?;
        Ok(&self.out)
    }
}

/// Refuses a path that exists (unless `force`) or whose folder is missing or read-only.
pub fn check_writable(path: &Path, force: bool) -> Result<()> {
    if path.is_dir() {
        bail!("{}: is a folder; name a file in it", path.display());
    }
    if path.exists() && !force {
        bail!("{}: exists; name another file, or replace it with --force", path.display());
    }
    let folder = folder_of(path);
    tempfile::tempfile_in(folder).with_context(|| {
        format!("{}: its folder {} cannot be written; create it or choose another", path.display(), folder.display())
    })?;
    Ok(())
}

/// Refuses files in a folder (which may not exist yet) that exist (unless `force`) or could not be written.
pub fn check_folder(folder: &Path, names: &[&str], force: bool) -> Result<()> {
    if folder.is_dir() {
        return names.iter().try_for_each(|name| check_writable(&folder.join(name), force));
    }
    let above = folder.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("."));
    tempfile::tempfile_in(above)
        .with_context(|| format!("{}: cannot be made in {}; choose another", folder.display(), above.display()))?;
    Ok(())
}

/// Writes a whole file or nothing.
pub fn write(path: &Path, contents: &[u8]) -> Result<()> {
    Ok(host::files::write(path, contents, Access::Ordinary)?)
}

/// The same for a file with a secret: only its owner can read it.
pub fn write_secret(path: &Path, contents: &[u8]) -> Result<()> {
    Ok(host::files::write(path, contents, Access::Secret)?)
}

/// Reads a file of at most `limit` bytes.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    Ok(host::files::read(path, limit)?)
}
