//! The authority: alone decides which functions may ever be opened.
//!
//! Its folder:
//!
//! ```text
//! policy.toml                     what may be issued
//! ledger.sqlite, ledger.head      what was issued (or a PostgreSQL database, and its head)
//! signing.key                     signs grants; readable by its owner only
//! keys/ID/master.age, public.key  one folder per public key
//! networks/HASH.safetensors       registered compiled networks
//! audits/HASH.json                signed audits
//! ```
//!
//! The ledger is the only truth: projects, epochs, grants and audits are what its entries add up to. Files are named
//! by their hash and checked against it when read. A key leaves only after its entry is on the disk.

mod error;
mod issue;
mod projects;
mod records;
mod routes;
mod state;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use network::CompiledNetwork;
use qfe::keyfile::{self, Lock, Unlock};
use qfe::{MasterKey, QuadraticMap};
use tokio::sync::{Mutex, MutexGuard};

pub use error::AuthorityError;
pub use issue::{Issued, KeyRequest};
pub use routes::{AuthorityServer, admin_router, router};
pub use state::{Epoch, Project, State};

use crate::files;
use crate::hash::Hash;
use crate::ledger::{Event, Head, Ledger, LedgerError, Writing};
use crate::policy::Policy;
use crate::signature::SigningKey;

/// Most bytes of a compiled network.
pub const MAX_NETWORK_BYTES: usize = 64 << 20;

/// Name of the policy in the folder.
pub const POLICY: &str = "policy.toml";
/// Name of the SQLite ledger in the folder.
pub const LEDGER: &str = "ledger.sqlite";
/// Name of the file that remembers the last entry.
pub const HEAD: &str = "ledger.head";

/// An authority over a folder.
pub struct Authority {
    folder: PathBuf,
    policy: RwLock<Arc<Policy>>,
    ledger: Ledger,
    /// None where nothing is to be unlocked.
    unlock: Option<Unlock>,
    signing: SigningKey,
    state: Mutex<State>,
    masters: std::sync::Mutex<HashMap<Hash, Arc<MasterKey>>>,
}

/// What is refused, to whom and why.
#[derive(Default)]
struct Refusal<'a> {
    request: &'a str,
    project: Option<&'a str>,
    public_key: Option<Hash>,
    network: Option<Hash>,
    reasons: Vec<String>,
    by: &'a str,
}

impl Authority {
    /// Opens an authority, makes what is missing except the policy, proves the whole ledger, and unlocks the master
    /// keys in use. `ledger`: its address; none means SQLite in the folder.
    ///
    /// # Errors
    /// [`AuthorityError`]: no policy, a ledger that does not prove itself, a master key that does not unlock.
    pub async fn open(folder: &Path, ledger: Option<&str>, unlock: Unlock) -> Result<Self, AuthorityError> {
        Self::open_with(folder, ledger, Some(unlock)).await
    }

    /// As [`Authority::open`], but with every master key left locked: enough to register, to consider and to look.
    ///
    /// # Errors
    /// As there. What needs a master key later fails with [`AuthorityError::Locked`].
    pub async fn open_locked(folder: &Path, ledger: Option<&str>) -> Result<Self, AuthorityError> {
        Self::open_with(folder, ledger, None).await
    }

    async fn open_with(folder: &Path, ledger: Option<&str>, unlock: Option<Unlock>) -> Result<Self, AuthorityError> {
        let policy = Policy::load(&folder.join(POLICY))?;
        files::make_secret_folder(&folder.join("keys"))?;
        for name in ["networks", "audits"] {
            files::make_folder(&folder.join(name))?;
        }
        let path = folder.join("signing.key");
        if !path.exists() {
            SigningKey::generate()?.save_new(&path)?;
        }
        let signing = SigningKey::load(&path)?;
        let ledger = open_ledger(folder, ledger).await?;
        let authority = Self {
            folder: folder.to_owned(),
            policy: RwLock::new(Arc::new(policy)),
            signing,
            ledger,
            unlock,
            state: Mutex::default(),
            masters: Default::default(),
        };
        match authority.check().await {
            Ok(()) => Ok(authority),
            Err(error) => {
                authority.close().await;
                Err(error)
            }
        }
    }

    /// Proves the ledger, and unlocks the master keys in use.
    async fn check(&self) -> Result<(), AuthorityError> {
        for project in self.state().await?.projects.values().filter(|_| self.unlock.is_some()) {
            self.master(project.current().public_key)?;
        }
        Ok(())
    }

    /// Ends the connections to the ledger, so that a SQLite database is one file again.
    pub async fn close(self) {
        self.ledger.close().await;
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the policy file again; the old one stays in force if the new one cannot be used.
    ///
    /// # Errors
    /// The file is no policy.
    pub fn reload_policy(&self) -> Result<(), AuthorityError> {
        let policy = Policy::load(&self.folder.join(POLICY))?;
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
        Ok(())
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What the ledger adds up to, entries of other processes included.
    ///
    /// # Errors
    /// The ledger cannot be read or does not prove itself.
    pub async fn state(&self) -> Result<MutexGuard<'_, State>, AuthorityError> {
        let mut state = self.state.lock().await;
        for entry in self.ledger.after(state.head.sequence).await? {
            state.apply(&entry)?;
        }
        Ok(state)
    }

    /// The state and the right to append to it: nobody else can, until this ends.
    async fn write(&self) -> Result<(MutexGuard<'_, State>, Writing<'_>), AuthorityError> {
        let mut state = self.state.lock().await;
        let mut writing = self.ledger.begin().await?;
        for entry in writing.after(state.head.sequence).await? {
            state.apply(&entry)?;
        }
        Ok((state, writing))
    }

    /// Appends one event and makes it last.
    async fn record(state: &mut State, mut writing: Writing<'_>, event: &Event) -> Result<Head, AuthorityError> {
        let entry = writing.append(event).await?;
        let head = writing.commit().await?;
        state.apply(&entry)?;
        Ok(head)
    }

    /// Records a refusal, and gives it back as the error.
    async fn refuse(state: &mut State, writing: Writing<'_>, refusal: Refusal<'_>) -> AuthorityError {
        let event = Event::Refused {
            request: refusal.request.to_owned(),
            project: refusal.project.map(str::to_owned),
            public_key: refusal.public_key,
            network: refusal.network,
            reasons: refusal.reasons.clone(),
            by: refusal.by.to_owned(),
        };
        match Self::record(state, writing, &event).await {
            Ok(_) => AuthorityError::Refused { reasons: refusal.reasons },
            Err(error) => error,
        }
    }

    /// The master key of a public key, unlocked once and kept.
    fn master(&self, public_key: Hash) -> Result<Arc<MasterKey>, AuthorityError> {
        let mut masters = self.masters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(master) = masters.get(&public_key) {
            return Ok(Arc::clone(master));
        }
        let path = self.key_folder(public_key).join("master.age");
        let unlock = self.unlock.as_ref().ok_or(AuthorityError::Locked)?;
        let master = keyfile::load_master_key(&path, unlock)?;
        if master.id().as_bytes() != &public_key.0 {
            return Err(AuthorityError::Content { path, problem: "holds another master key".into() });
        }
        let master = Arc::new(master);
        masters.insert(public_key, Arc::clone(&master));
        Ok(master)
    }

    /// What encrypts new master keys so that the same secret unlocks them.
    fn lock(&self) -> Result<Lock, AuthorityError> {
        Ok(match self.unlock.as_ref().ok_or(AuthorityError::Locked)? {
            Unlock::Passphrase(passphrase) => Lock::Passphrase(passphrase.clone()),
            Unlock::Identity(identity) => Lock::Recipient(identity.to_public()),
        })
    }

    /// A registered network, checked against its name.
    fn network(&self, hash: Hash) -> Result<CompiledNetwork, AuthorityError> {
        let path = self.network_path(hash);
        let content = |problem: String| AuthorityError::Content { path: path.clone(), problem };
        let network = CompiledNetwork::load(&path).map_err(|error| content(error.to_string()))?;
        if network.hash() != hash.0 {
            return Err(content("was changed: its hash is not its name".into()));
        }
        Ok(network)
    }

    fn key_folder(&self, public_key: Hash) -> PathBuf {
        self.folder.join("keys").join(public_key.to_string())
    }

    fn network_path(&self, hash: Hash) -> PathBuf {
        self.folder.join("networks").join(format!("{hash}.safetensors"))
    }
}

/// The ledger of an authority's folder: at `url`, or SQLite in the folder.
///
/// # Errors
/// As [`Ledger::open`].
pub async fn open_ledger(folder: &Path, url: Option<&str>) -> Result<Ledger, LedgerError> {
    let own = format!("sqlite:{}", folder.join(LEDGER).display());
    Ledger::open(url.unwrap_or(&own), folder.join(HEAD)).await
}

/// The quadratic map that a compiled network opens.
///
/// # Errors
/// The network is no map of a size that can be encrypted.
pub fn map_of(network: &CompiledNetwork) -> Result<QuadraticMap, qfe::MapError> {
    let (n, m) = network.inputs();
    let (left, right, combine) = (network.left(), network.right(), network.combine());
    QuadraticMap::new(n, m, network.units(), network.outputs(), left.to_vec(), right.to_vec(), combine.to_vec())
}
