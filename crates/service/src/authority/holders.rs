//! Whole keys and shares: unlocked once and kept in memory; added and replaced.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, MutexGuard, PoisonError};

use qfe::PublicKey;
use roles::keyfile::{self, Lock};
use roles::{SHARE, ShareHolder};

use super::{AuthorityError, Epoch, Issuer, State};
use crate::files::{self, FileError};
use crate::hash::Hash;
use crate::ledger::{Event, Part};

/// Name of a whole key in the folder of its public key.
const MASTER: &str = "master.age";

impl Issuer {
    /// Keeps whole keys away from this authority from now on: it neither draws nor uses one.
    ///
    /// # Errors
    /// A project's current key is here as a whole.
    pub async fn with_shares_only(mut self) -> Result<Self, AuthorityError> {
        self.shares_only = true;
        match self.check_shares().await {
            Ok(()) => Ok(self),
            Err(error) => {
                self.close().await;
                Err(error)
            }
        }
    }

    async fn check_shares(&self) -> Result<(), AuthorityError> {
        let state = self.state().await?;
        for project in state.projects.values() {
            let folder = self.archive.key_folder(project.current().public_key);
            if folder.join(MASTER).exists() {
                return Err(AuthorityError::SharesOnly { what: format!("project '{}' has a whole key", project.name) });
            }
        }
        Ok(())
    }

    /// Takes a share that replaces this authority's current one of the same public key, after a renewal, or the one on
    /// record where a backup had an older one. The old one is erased.
    ///
    /// # Errors
    /// The folder has no share that opens with this authority's secret, of a public key in use and of a newer epoch.
    pub async fn take_share(&self, from: &Path, by: &str) -> Result<Part, AuthorityError> {
        let holder = self.read_share(from)?;
        let id = Hash(*holder.key().public().id().as_bytes());
        let part = Part::from(holder.seat());
        let (mut state, writing) = self.write().await?;
        let Some(known) = state.shares.get(&id).copied() else {
            return Err(AuthorityError::Unknown(format!("public key {id} has no share here; make a project with it")));
        };
        if known == part {
            // On record: brought again where the files are older, as after a restored backup.
            self.put_aside(id, &holder)?;
            self.put_in_place(id)?;
            self.holders().insert(id, Arc::new(holder));
            return Ok(part);
        }
        if known.epoch >= part.epoch {
            return Err(AuthorityError::Field {
                field: "share",
                value: part.to_string(),
                remedy: format!("the ledger has {known}; bring that one, or one of a newer epoch"),
            });
        }
        // Recorded first: after a crash between, the old share is refused by its epoch and the new one can be brought again.
        let event = Event::ShareTaken { public_key: id, part, by: by.to_owned() };
        self.put_aside(id, &holder)?;
        self.record(&mut state, writing, &event, by).await?;
        self.put_in_place(id)?;
        self.holders().insert(id, Arc::new(holder));
        Ok(part)
    }

    /// Makes the folder of a public key whose share is brought; gives the key and which share it is.
    pub(super) fn keep_share(
        &self,
        from: &Path,
        check: impl FnOnce(Hash) -> Result<(), AuthorityError>,
    ) -> Result<(Hash, (usize, usize), Part), AuthorityError> {
        let holder = self.read_share(from)?;
        let (id, inputs) = (Hash(*holder.key().public().id().as_bytes()), holder.key().public().inputs());
        check(id)?;
        let part = Part::from(holder.seat());
        self.put_aside(id, &holder)?;
        self.put_in_place(id)?;
        self.holders().insert(id, Arc::new(holder));
        Ok((id, inputs, part))
    }

    fn read_share(&self, from: &Path) -> Result<ShareHolder, AuthorityError> {
        let unlock = self.unlock.as_ref().ok_or(AuthorityError::Locked)?;
        Ok(ShareHolder::load(from, unlock)?)
    }

    /// Writes a share next to the one in use.
    fn put_aside(&self, id: Hash, holder: &ShareHolder) -> Result<(), AuthorityError> {
        let folder = self.archive.key_folder(id);
        if folder.join(MASTER).exists() {
            return Err(FileError::content(&folder, "holds the whole key and takes no share").into());
        }
        files::make_secret_folder(&folder)?;
        let next = folder.join("next");
        if next.exists() {
            let fail = |source| FileError::System { path: next.clone(), action: "erased", source };
            std::fs::remove_dir_all(&next).map_err(fail)?;
        }
        Ok(holder.save(&next, &self.lock()?)?)
    }

    /// Puts the share that was written aside in place of the one in use: the share last, so that it never stands beside
    /// commitments that it does not fit for longer than a crash.
    fn put_in_place(&self, id: Hash) -> Result<(), AuthorityError> {
        let folder = self.archive.key_folder(id);
        let next = folder.join("next");
        for name in ["public.key", roles::COMMITMENTS, SHARE] {
            let (from, to) = (next.join(name), folder.join(name));
            let fail = |source| FileError::System { path: to.clone(), action: "written", source };
            std::fs::rename(&from, &to).map_err(fail)?;
        }
        let fail = |source| FileError::System { path: next.clone(), action: "erased", source };
        std::fs::remove_dir(&next).map_err(fail)?;
        Ok(())
    }

    fn holders(&self) -> MutexGuard<'_, HashMap<Hash, Arc<ShareHolder>>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This authority's master key or share for a public key, unlocked once and kept.
    pub(super) fn holder(&self, public_key: Hash) -> Result<Arc<ShareHolder>, AuthorityError> {
        let mut holders = self.holders();
        if let Some(holder) = holders.get(&public_key) {
            return Ok(Arc::clone(holder));
        }
        let folder = self.archive.key_folder(public_key);
        let unlock = self.unlock.as_ref().ok_or(AuthorityError::Locked)?;
        let (whole, next) = (folder.join(MASTER), folder.join("next"));
        let holder = if next.join(SHARE).exists() && !whole.exists() {
            // A process ended while it put a newer share in place: before the ledger had it, or after.
            self.resume(public_key, &folder)?
        } else if folder.join(SHARE).exists() {
            ShareHolder::load(&folder, unlock)?
        } else if whole.exists() {
            let master = keyfile::load_master_key(&whole, unlock)?;
            if master.id().as_bytes() != &public_key.0 {
                return Err(FileError::content(&whole, "holds another master key").into());
            }
            let path = folder.join("public.key");
            let public = PublicKey::from_bytes(&self.archive.public_key(public_key)?);
            let public = public.map_err(|error| FileError::content(&path, error))?;
            ShareHolder::single(&master, public)?
        } else {
            return Err(AuthorityError::KeyElsewhere { public_key, path: whole });
        };
        if holder.key().public().id().as_bytes() != &public_key.0 {
            return Err(FileError::content(&folder, "holds a share of another key").into());
        }
        let holder = Arc::new(holder);
        holders.insert(public_key, Arc::clone(&holder));
        Ok(holder)
    }

    /// The share that counts where two are there.
    fn resume(&self, public_key: Hash, folder: &Path) -> Result<ShareHolder, AuthorityError> {
        let unlock = self.unlock.as_ref().ok_or(AuthorityError::Locked)?;
        let next = folder.join("next");
        for name in ["public.key", roles::COMMITMENTS] {
            // Moved already.
            if !next.join(name).exists() {
                let bytes = files::read(&folder.join(name), 512 << 20)?;
                files::write(&next.join(name), &bytes)?;
            }
        }
        let newer = ShareHolder::load(&next, unlock)?;
        match ShareHolder::load(folder, unlock) {
            Ok(present) if present.seat().epoch >= newer.seat().epoch => Ok(present),
            _ => {
                self.put_in_place(public_key)?;
                Ok(newer)
            }
        }
    }

    /// The same, of an epoch of a project. The newest share that is on record must be the one in use: an older one comes
    /// from a backup, and makes parts that fit no others.
    pub(super) fn holder_of(&self, state: &State, epoch: &Epoch) -> Result<Arc<ShareHolder>, AuthorityError> {
        let id = epoch.public_key;
        let holder = self.holder(id)?;
        let Some(known) = state.shares.get(&id).filter(|known| **known != Part::from(holder.seat())) else {
            return Ok(holder);
        };
        // Another process of this authority may have taken a newer one.
        self.holders().remove(&id);
        let holder = self.holder(id)?;
        if *known == Part::from(holder.seat()) {
            return Ok(holder);
        }
        let (value, remedy) =
            (Part::from(holder.seat()).to_string(), format!("the ledger has {known}; bring that one"));
        Err(AuthorityError::Field { field: "share", value, remedy })
    }

    /// What encrypts keys and shares so that the same secret unlocks them.
    pub(super) fn lock(&self) -> Result<Lock, AuthorityError> {
        Ok(self.unlock.as_ref().ok_or(AuthorityError::Locked)?.lock())
    }
}
