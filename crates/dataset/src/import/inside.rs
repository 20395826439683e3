//! Paths that files name must stay in their folder.

use std::path::{Component, Path, PathBuf};

/// The path of `name` in `folder`.
///
/// # Errors
/// The name is absolute, has `..`, or leads by a link out of the folder. A file that does not exist is left to who opens
/// it.
pub(super) fn join(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let named = Path::new(name);
    // Backslashes separate where these files often come from.
    let up = name.split(['/', '\\']).any(|part| part == "..");
    let plain = named.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if up || !plain {
        return Err(format!("it names {name:?}, outside of {}: give a path inside of the folder", folder.display()));
    }
    let path = folder.join(named);
    check(folder, &path)?;
    Ok(path)
}

/// Refuses a path that leads by a link out of the folder.
pub(super) fn check(folder: &Path, path: &Path) -> Result<(), String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let (Ok(real), Ok(root)) = (path.canonicalize(), folder.canonicalize()) else { return Ok(()) };
    if real.starts_with(&root) {
        return Ok(());
    }
    Err(format!("{} is a link out of {}: copy the file into the folder", path.display(), folder.display()))
}
