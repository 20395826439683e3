//! The ledger of an authority's folder: opening it to write or to read, adopting its lost head, rotating its key.

use std::path::Path;

use super::{AuthorityError, HEAD, LEDGER, POLICY};
use crate::ledger::{Head, KEY, KeyFile, Keyring, Ledger, LedgerReader};
use crate::policy::Policy;
use crate::signature::{SigningKey, VerifyingKey};

/// The ledger of an authority's folder: at `url`, or SQLite in the folder. Entries count that are signed by the folder's
/// ledger key or by a writer that its policy names; a ledger from before entries were signed is taken over by the first
/// that opens it.
///
/// # Errors
/// As [`Ledger::open`], or the folder's policy cannot be read.
pub async fn open_ledger(folder: &Path, url: Option<&str>) -> Result<Ledger, AuthorityError> {
    open_with_writers(folder, url, writers(folder)?).await
}

/// The same ledger for reading alone: nothing is written, and no secret is needed where `keys` are given, the public keys
/// of the ledger; none stands for the folder's own and the writers that its policy names.
///
/// # Errors
/// As [`LedgerReader::open`], or the folder's key and policy cannot be read.
pub async fn read_ledger(
    folder: &Path,
    url: Option<&str>,
    mut keys: Vec<VerifyingKey>,
) -> Result<LedgerReader, AuthorityError> {
    if keys.is_empty() {
        keys = writers(folder)?;
        keys.push(SigningKey::load(&folder.join(KEY))?.verifying_key());
    }
    Ok(LedgerReader::open(&address(folder, url), folder.join(HEAD), Keyring::new(keys)).await?)
}

/// Accepts the end of the ledger of an authority's folder in place of a head file that was lost: proves the chain, and
/// appends that `by` did so.
///
/// # Errors
/// As [`open_ledger`], the chain does not hold, or the head file is there and signed.
pub async fn adopt_head(folder: &Path, url: Option<&str>, by: &str) -> Result<Ledger, AuthorityError> {
    let key = KeyFile::open(folder, writers(folder)?)?;
    let signers = key.signers().adopting_head(by);
    let ledger = Ledger::open(&address(folder, url), folder.join(HEAD), signers).await?;
    key.keep()?;
    Ok(ledger)
}

/// Replaces the ledger key of an authority's folder by a new one, and retires the old one; returns the new key and the
/// entry that says so, which is the last that the old key signed. Whoever writes to this ledger from this folder
/// meanwhile must start again.
///
/// # Errors
/// As [`open_ledger`], or nothing can be written.
pub async fn rotate_ledger_key(
    folder: &Path,
    url: Option<&str>,
    by: &str,
) -> Result<(VerifyingKey, Head), AuthorityError> {
    let writers = writers(folder)?;
    // Ends what was begun before: a first opening, or a rotation that a crash broke off.
    open_with_writers(folder, url, writers.clone()).await?.close().await;
    let key = KeyFile::open(folder, writers)?.with_next()?;
    let ledger = Ledger::open(&address(folder, url), folder.join(HEAD), key.signers()).await?;
    let retired = async { ledger.begin().await?.retire_key(by).await }.await;
    ledger.close().await;
    let retired = retired?;
    key.renew()?;
    Ok(retired)
}

pub(super) async fn open_with_writers(
    folder: &Path,
    url: Option<&str>,
    writers: Vec<VerifyingKey>,
) -> Result<Ledger, AuthorityError> {
    let key = KeyFile::open(folder, writers.clone())?;
    let (url, head) = (address(folder, url), folder.join(HEAD));
    let ledger = Ledger::open(&url, head.clone(), key.signers()).await?;
    if !ledger.successor_waits().await {
        key.keep()?;
        return Ok(ledger);
    }
    // A rotation ended between the entry and the file of the new key.
    ledger.close().await;
    key.renew()?;
    Ok(Ledger::open(&url, head, KeyFile::open(folder, writers)?.signers()).await?)
}

/// The address of a folder's ledger.
fn address(folder: &Path, url: Option<&str>) -> String {
    url.map_or_else(|| format!("sqlite:{}", folder.join(LEDGER).display()), str::to_owned)
}

/// Ledger keys of other authorities, where there is a policy that names them.
fn writers(folder: &Path) -> Result<Vec<VerifyingKey>, AuthorityError> {
    let path = folder.join(POLICY);
    Ok(if path.exists() { Policy::load(&path)?.writers().to_vec() } else { Vec::new() })
}
