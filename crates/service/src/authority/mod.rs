//! The authority: alone decides which functions may ever be opened.
//!
//! Its folder:
//!
//! ```text
//! policy.toml                     what may be issued
//! ledger.sqlite, ledger.head      what was issued (or a PostgreSQL database, and its head)
//! signing.key                     signs grants and parameters; readable by its owner only
//! ledger.key                      signs the ledger's entries and its head; readable by its owner only
//! ledger.witnessed                the head with the cosignatures of witnesses, where there are some
//! keys/ID/master.age, public.key  one folder per public key; or share.age, commitments, public.key
//! networks/HASH.safetensors       registered compiled networks
//! audits/HASH.json                signed audits
//! ```
//!
//! The ledger is the only truth: projects, epochs, grants and audits are what its entries add up to. Files are named
//! by their hash and checked against it when read. A key leaves only after its entry is on the disk.

mod archive;
mod cache;
mod error;
mod folder;
mod holders;
mod issue;
mod keys;
mod metrics;
mod peer_routes;
mod peers;
mod pending;
mod projects;
mod records;
mod refusals;
mod request;
mod routes;
mod server;
mod state;
mod tiles;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Bytes;
use roles::ShareHolder;
use roles::keyfile::Unlock;
use tokio::sync::{Mutex, MutexGuard, Semaphore};

use archive::Archive;
pub use archive::MAX_NETWORK_BYTES;
use cache::Cache;
pub use error::AuthorityError;
pub use folder::{adopt_head, open_ledger, read_ledger, rotate_ledger_key};
pub use issue::Issued;
pub use keys::Held;
pub use projects::KeySource;
pub use request::KeyRequest;
pub use routes::{admin_router, router};
pub use server::AuthorityServer;
pub use state::{Brought, Epoch, Project, Recorded, State};

use crate::files;
use crate::hash::Hash;
use crate::ledger::note::Note;
use crate::ledger::{Event, Handover, Head, Ledger, LedgerError, Tree, Writing};
use crate::parameters::ParametersSignature;
use crate::policy::Policy;
use crate::signature::{SigningKey, VerifyingKey};

/// Requests whose outcome is considered at once.
const CONSIDERED: usize = 2;
/// Bytes of public keys, and of parameters, that are kept for those who ask next.
const PUBLIC_KEYS: usize = 128 << 20;
const PARAMETERS: usize = 16 << 20;

/// Name of the policy in the folder.
pub const POLICY: &str = "policy.toml";
/// Name of the SQLite ledger in the folder.
pub const LEDGER: &str = "ledger.sqlite";
/// Name of the file that remembers the last entry.
pub const HEAD: &str = "ledger.head";

/// An authority over a folder.
pub struct Issuer {
    folder: PathBuf,
    policy: RwLock<Arc<Policy>>,
    ledger: Ledger,
    /// None where nothing is to be unlocked.
    unlock: Option<Unlock>,
    signing: Arc<SigningKey>,
    archive: Archive,
    public_keys: Cache<Hash, Bytes>,
    /// By public key and network, with the authority's word for them.
    parameters: Cache<(Hash, Hash, i64), (Bytes, ParametersSignature)>,
    state: Mutex<State>,
    holders: std::sync::Mutex<HashMap<Hash, Arc<ShareHolder>>>,
    /// Turns of those who ask what a key would open: counting takes a core and memory.
    considering: Arc<Semaphore>,
    /// Refusals without an entry, by caller.
    unrecorded: std::sync::Mutex<state::Unrecorded>,
    /// Whether whole keys are kept away.
    shares_only: bool,
}

impl Issuer {
    /// Opens an authority, makes what is missing except the policy, proves the whole ledger, and unlocks the master
    /// keys in use. `ledger`: its address; none means SQLite in the folder.
    ///
    /// # Errors
    /// [`AuthorityError`]: no policy, a ledger that does not prove itself, a master key that does not unlock.
    pub async fn open(folder: &Path, ledger: Option<&str>, unlock: Unlock) -> Result<Self, AuthorityError> {
        Self::open_with(folder, ledger, Some(unlock)).await
    }

    /// As [`Issuer::open`], but with every master key left locked: enough to register, to consider and to look.
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
        let signing = Arc::new(SigningKey::load(&path)?);
        let ledger = folder::open_with_writers(folder, ledger, policy.writers().to_vec()).await?;
        let authority = Self {
            folder: folder.to_owned(),
            policy: RwLock::new(Arc::new(policy)),
            signing,
            archive: Archive::new(folder),
            public_keys: Cache::new(PUBLIC_KEYS),
            parameters: Cache::new(PARAMETERS),
            ledger,
            unlock,
            state: Mutex::default(),
            holders: Default::default(),
            considering: Arc::new(Semaphore::new(CONSIDERED)),
            unrecorded: Default::default(),
            shares_only: false,
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
        let others = !self.policy().writers().is_empty();
        for project in self.state().await?.projects.values().filter(|_| self.unlock.is_some()) {
            match self.holder(project.current().public_key) {
                // Another authority on the same ledger may have made it.
                Err(error @ AuthorityError::KeyElsewhere { .. }) if others => {
                    tracing::warn!(project = project.name, %error, "no keys of this project can be issued here");
                }
                unlocked => drop(unlocked?),
            }
        }
        Ok(())
    }

    /// Records refusals that have no entry yet, and ends the connections to the ledger, so that a SQLite database is one
    /// file again.
    pub async fn close(self) {
        self.record_refusals().await;
        self.ledger.close().await;
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the policy file again, and records it where it is another one; the old one stays in force if the new one
    /// cannot be used or recorded. Ledger keys of other authorities are read at the start only.
    ///
    /// # Errors
    /// The file is not a policy, or the ledger cannot be written.
    pub async fn reload_policy(&self, by: &str) -> Result<(), AuthorityError> {
        // Decisions hold the same lock: none is made under one policy and recorded under another. Read once it is held:
        // of two that reload, the one that ends last has the newest file.
        let (mut state, mut writing) = self.write().await?;
        let policy = Policy::load(&self.folder.join(POLICY))?;
        if state.policy != Some(policy.hash()) {
            let entry = writing.append(&changed(&policy, by)).await?;
            writing.commit().await?;
            state.extend(&[entry], self.ledger.signers().keyring())?;
        }
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
        Ok(())
    }

    /// The key that signs grants and parameters, for owners and predictors to check them with.
    pub fn key(&self) -> VerifyingKey {
        self.signing.verifying_key()
    }

    /// The signed head of the ledger and the entries after number `after`, for witnesses.
    ///
    /// # Errors
    /// The ledger cannot be read or does not verify.
    pub async fn handover(&self, after: i64) -> Result<Handover, AuthorityError> {
        let tree = Tree::new(&self.state().await?.entries);
        let handover = self.ledger.handover(after).await?;
        // Another process may have written since.
        let tree = handover.size().and_then(|size| tree.first(size));
        Ok(match tree {
            Some(tree) => handover.with_tree(&tree.checkpoint(&self.ledger)),
            None => handover,
        })
    }

    /// Keeps what a witness cosigned; gives back the head and how many of the policy's witnesses cosigned it.
    ///
    /// # Errors
    /// The policy names no witnesses, or this is not a head of this ledger that one of them cosigned.
    pub async fn keep_cosigned(&self, note: &str) -> Result<(Head, usize), AuthorityError> {
        let quorum = self.policy().quorum().ok_or_else(|| AuthorityError::Field {
            field: "ledger.witnesses",
            value: "empty".into(),
            remedy: "name the witnesses and the quorum in the policy".into(),
        })?;
        let tree = Tree::new(&self.state().await?.entries);
        Ok(self.ledger.keep_cosigned(note, &tree, &quorum).await?)
    }

    /// The head of the tree over the ledger: the newest that the policy's witnesses cosigned, else the current one.
    ///
    /// # Errors
    /// The ledger cannot be read or does not verify.
    pub async fn tree_head(&self) -> Result<Note, AuthorityError> {
        let tree = Tree::new(&self.state().await?.entries);
        let witnessed = match self.policy().quorum() {
            Some(quorum) => self.ledger.witnessed_tree(&tree, &quorum).await?,
            None => None,
        };
        Ok(witnessed.unwrap_or_else(|| tree.checkpoint(&self.ledger)))
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What the ledger adds up to, entries of other processes included.
    ///
    /// # Errors
    /// The ledger cannot be read or does not verify.
    pub async fn state(&self) -> Result<MutexGuard<'_, State>, AuthorityError> {
        let mut state = self.state.lock().await;
        let entries = self.ledger.after(state.head().sequence).await?;
        state.extend(&entries, self.ledger.signers().keyring())?;
        if !entries.is_empty() {
            self.ledger.remember().await?;
        }
        Ok(state)
    }

    /// The state and the right to append to it: nobody else can, until this ends.
    async fn write(&self) -> Result<(MutexGuard<'_, State>, Writing<'_>), AuthorityError> {
        let mut state = self.state.lock().await;
        let mut writing = self.ledger.begin().await?;
        let entries = writing.after(state.head().sequence).await?;
        state.extend(&entries, self.ledger.signers().keyring())?;
        if state.head() != writing.last() {
            // Entries that this process has seen are gone: the database was replaced under it.
            let (Head { sequence, hash }, found) =
                (state.head(), format!("ends with entry {}", writing.last().sequence));
            return Err(LedgerError::Cut { path: self.ledger.head_path().to_owned(), sequence, hash, found }.into());
        }
        Ok((state, writing))
    }

    /// Appends one event and makes it last; before it the policy, where the ledger has another one.
    async fn record(
        &self,
        state: &mut State,
        writing: Writing<'_>,
        event: &Event,
        by: &str,
    ) -> Result<Head, AuthorityError> {
        self.record_all(state, writing, std::slice::from_ref(event), by).await
    }

    /// Appends events and makes them last, all or none.
    async fn record_all(
        &self,
        state: &mut State,
        mut writing: Writing<'_>,
        events: &[Event],
        by: &str,
    ) -> Result<Head, AuthorityError> {
        let policy = self.policy();
        let mut entries = Vec::new();
        if state.policy != Some(policy.hash()) {
            entries.push(writing.append(&changed(&policy, by)).await?);
        }
        for event in events {
            entries.push(writing.append(event).await?);
        }
        let head = writing.commit().await?;
        state.extend(&entries, self.ledger.signers().keyring())?;
        Ok(head)
    }
}

/// That another policy is in force.
fn changed(policy: &Policy, by: &str) -> Event {
    Event::PolicyChanged { policy: policy.hash(), text: policy.text().to_owned(), by: by.to_owned() }
}
