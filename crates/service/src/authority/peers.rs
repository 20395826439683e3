//! Authorities that hold shares of the same key are witnesses of each other's ledgers: each cosigns the heads of the
//! others, so that none can be rolled back unnoticed.

use super::archive::blocking;
use super::{AuthorityError, Issuer};
use crate::files;
use crate::ledger::{Handover, Head, Witness};
use crate::signature::{SigningKey, VerifyingKey};

/// Name of the key that cosigns heads of others.
const WITNESS_KEY: &str = "witness.key";
/// Name of the folder that remembers what was cosigned.
const SEEN: &str = "witness";

impl Issuer {
    /// The key with which this authority cosigns the heads of others, drawn when first asked for: for their policies.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn witness_key(&self) -> Result<VerifyingKey, AuthorityError> {
        Ok(self.witness_secret()?.verifying_key())
    }

    fn witness_secret(&self) -> Result<SigningKey, AuthorityError> {
        let path = self.folder.join(WITNESS_KEY);
        if !path.exists() {
            SigningKey::generate()?.save_new(&path)?;
        }
        Ok(SigningKey::load(&path)?)
    }

    /// The last head of another authority's ledger that this one cosigned, if any.
    ///
    /// # Errors
    /// The policy does not name this ledger, or what was seen cannot be read.
    pub async fn witnessed_of(&self, ledger: VerifyingKey) -> Result<Option<Head>, AuthorityError> {
        let witness = self.witness(ledger)?;
        Ok(blocking(move || witness.last()).await??)
    }

    /// Cosigns the head of another authority's ledger, once it is shown to continue the last one that was seen; the first
    /// one is taken as it is. Gives the head and the note with the cosignature.
    ///
    /// # Errors
    /// The policy does not name this ledger, or the head is older than or forks from the last one seen.
    pub async fn cosign(&self, ledger: VerifyingKey, handover: Handover) -> Result<(Head, String), AuthorityError> {
        let witness = self.witness(ledger)?;
        files::make_secret_folder(&self.folder.join(SEEN))?;
        Ok(blocking(move || {
            let first = witness.last()?.is_none();
            witness.cosign(&handover, first)
        })
        .await??)
    }

    fn witness(&self, ledger: VerifyingKey) -> Result<Witness, AuthorityError> {
        let policy = self.policy();
        let Some(name) = policy.witness_of(&ledger) else {
            return Err(AuthorityError::Unknown(format!("the policy here names no ledger {ledger} under [witness]")));
        };
        let state = self.folder.join(SEEN).join(format!("{}.json", crate::hash::to_hex(&ledger.to_bytes())));
        Ok(Witness::new(name, self.witness_secret()?, ledger, state)?)
    }
}
