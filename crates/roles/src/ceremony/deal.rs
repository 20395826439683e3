//! One machine makes the shares and forgets the key: a weaker alternative.

use std::path::Path;

use host::files;

use super::{AttendError, Definition};
use crate::keyfile::{Lock, save_key_share};
use crate::share::{SHARE, SharedKey};

/// Draws a key on this machine, seals every server's share to its recipient, and forgets the key: for each server of
/// the definition it writes `NAME/share.age`, with the public part next to it, in `folder`.
///
/// This machine holds the whole key for a moment. Whoever controls it then, or reads its memory or swap, has the key,
/// and nothing shows it afterwards. A ceremony has no such moment.
///
/// # Errors
/// The definition renews a key, or a file exists or cannot be written.
pub fn deal(definition: &Definition, folder: &Path) -> Result<SharedKey, AttendError> {
    let sharing = definition.ceremony()?.sharing();
    if !definition.holders().is_empty() {
        let problem = "a dealer makes only new keys; the holders of shares renew them in a ceremony".into();
        return Err(AttendError::Definition { problem });
    }
    let (n, m) = definition.inputs();
    let rng = &mut host::fresh_rng();
    let (master, public) =
        qfe::setup(n, m, rng).map_err(|error| AttendError::Definition { problem: error.to_string() })?;
    let (commitments, shares) = master.share(&public, sharing, rng)?;
    drop(master);
    let key = SharedKey::new(public, commitments).map_err(qfe::shares::ShareError::from)?;
    for (server, share) in definition.servers().iter().zip(&shares) {
        let home = folder.join(&server.name);
        files::make_secret_folder(&home)?;
        save_key_share(&home.join(SHARE), share, &Lock::recipient(&server.recipient)?)?;
        key.write(&home)?;
    }
    Ok(key)
}
