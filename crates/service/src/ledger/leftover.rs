//! A SQLite log that was left next to another database than its own.
//!
//! SQLite keeps recent changes in a file ending in `-wal`, and applies a log that it finds to the database next to it.
//! If a backup replaces a database and the log is forgotten, this damages the backup. So both are tried on copies
//! first.

use std::path::{Path, PathBuf};
use std::{fs, io};

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection, Row};

use super::LedgerError;
use crate::files::{self, FileError};

/// Above this many bytes together nothing is tried.
const MOST_BYTES: u64 = 1 << 28;

/// Refuses a database that is intact by itself and damaged by the log next to it.
pub(super) async fn check(path: &Path) -> Result<(), LedgerError> {
    let wal = beside(path, "-wal");
    let size = |path: &Path| fs::metadata(path).map_or(0, |data| data.len());
    if size(&wal) == 0 || size(path) == 0 || size(&wal) + size(path) > MOST_BYTES {
        return Ok(());
    }
    let fail = |source| FileError::System { path: path.to_owned(), action: "read", source };
    let folder = tempfile::tempdir_in(files::folder_of(path)).map_err(fail)?;
    let copies = ["alone", "both"].map(|name| folder.path().join(name));
    // The log first: if its changes are taken over meanwhile, they are merely there twice.
    match fs::copy(&wal, beside(&copies[1], "-wal")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        copied => copied.map_err(fail)?,
    };
    for copy in &copies {
        fs::copy(path, copy).map_err(fail)?;
    }
    if is_whole(&copies[1]).await || !is_whole(&copies[0]).await {
        return Ok(());
    }
    Err(LedgerError::Leftover { path: wal })
}

/// Whether SQLite finds a database in order that has a ledger in it.
async fn is_whole(path: &Path) -> bool {
    let Some(path) = path.to_str().filter(|path| !path.contains(['%', '?', '#'])) else { return true };
    let Ok(mut connection) = AnyConnection::connect(&format!("sqlite://{path}?mode=rw")).await else { return false };
    let checked = sqlx::query("PRAGMA integrity_check").fetch_all(&mut connection).await;
    let sound =
        |rows: Vec<AnyRow>| rows.first().and_then(|row| row.try_get::<String, _>(0).ok()).as_deref() == Some("ok");
    let whole = checked.is_ok_and(sound)
        && sqlx::query("SELECT sequence, hash FROM ledger ORDER BY sequence").fetch_all(&mut connection).await.is_ok();
    let _ = connection.close().await;
    whole
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
