//! Paths named in files must stay in their folder.

use std::path::{Component, Path, PathBuf};

/// The path of `name` in `folder`.
///
/// # Errors
/// The name is absolute, has `..`, or leads by a link out of the folder. A file that does not exist is reported when it
/// is opened.
pub(super) fn join(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let named = Path::new(name);
    // The files often come from systems that separate folders by backslashes.
    let up = name.split(['/', '\\']).any(|part| part == "..");
    let plain = named.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if up || !plain {
        return Err(format!("it names {name:?}, outside {}: give a path inside the folder", folder.display()));
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
    Err(format!("{} is a link that leads out of {}: copy the file into the folder", path.display(), folder.display()))
}
