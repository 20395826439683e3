//! The lock on a head: one process at a time writes a ledger.

use std::fs::File;
use std::time::{Duration, Instant};

use super::super::LedgerError;
use super::super::head::HeadFile;
use crate::files::FileError;

/// How long other processes may hold the head.
const PATIENCE: Duration = Duration::from_secs(30);

/// Excludes every other process that keeps this head.
pub(super) async fn lock(head: &HeadFile) -> Result<File, LedgerError> {
    let path = head.path().with_extension("head.lock");
    let fail = |source| FileError::System { path: path.clone(), action: "written", source };
    let file = File::options().append(true).create(true).open(&path).map_err(fail)?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Err(std::fs::TryLockError::WouldBlock) => return Err(LedgerError::Held { path }),
            Err(std::fs::TryLockError::Error(source)) => return Err(fail(source).into()),
        }
    }
}
