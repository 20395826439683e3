//! Projects and their public keys.

use std::path::Path;

use axum::body::Bytes;
use qfe::{MasterKey, PublicKey};
use roles::keyfile;

use super::archive::blocking;
use super::refusals::Refusal;
use super::{AuthorityError, Epoch, Issuer, State};
use crate::clock;
use crate::files::{self, is_plain_name};
use crate::hash::Hash;
use crate::ledger::{Event, Part};

/// The origin of a project's key.
#[derive(Clone, Copy, Debug)]
pub enum KeySource<'a> {
    /// It is drawn here, whole.
    Drawn,
    /// A ceremony made it in shares, and this folder has the one for this authority.
    Share(&'a Path),
}

impl Issuer {
    /// Makes a project for the inputs of a registered network, with its first public key.
    ///
    /// # Errors
    /// The name cannot be or is taken; the network is unknown; nothing can be written.
    pub async fn create_project(&self, name: &str, network: Hash, by: &str) -> Result<Epoch, AuthorityError> {
        self.create_project_with(name, network, KeySource::Drawn, by).await
    }

    /// The same, with a key from elsewhere.
    ///
    /// # Errors
    /// As there, or the share is none that fits.
    pub async fn create_project_with(
        &self,
        name: &str,
        network: Hash,
        source: KeySource<'_>,
        by: &str,
    ) -> Result<Epoch, AuthorityError> {
        if !is_plain_name(name) {
            let remedy = "use 1 to 64 letters, digits, '-', '_' and '.', not starting with '.'".to_owned();
            return Err(AuthorityError::Field { field: "project", value: name.chars().take(80).collect(), remedy });
        }
        let (mut state, writing) = self.write().await?;
        let mut reasons = Vec::new();
        if state.projects.contains_key(name) {
            reasons.push(format!("project '{name}' exists; rotate it to get a new public key"));
        }
        if !state.networks.contains_key(&network) {
            reasons.push(format!("network {network} is not registered"));
        }
        if !reasons.is_empty() {
            let refusal = Refusal {
                request: "project",
                project: Some(name),
                network: Some(network),
                reasons,
                by,
                ..Default::default()
            };
            return Err(self.refuse(&mut state, writing, refusal).await);
        }
        let archive = self.archive.clone();
        let inputs = blocking(move || archive.network(network)).await??.inputs();
        let (public_key, part) = self.make_keys(source, inputs, &state)?;
        let (project, by) = (name.to_owned(), by.to_owned());
        let mut events = vec![Event::ProjectCreated { project, public_key, inputs, by: by.clone() }];
        events.extend(part.map(|part| Event::ShareTaken { public_key, part, by: by.clone() }));
        self.record_all(&mut state, writing, &events, &by).await?;
        Ok(Epoch { epoch: 1, public_key, inputs, since: clock::now() })
    }

    /// Gives a project a new public key. What the old one encrypted stays readable with the old functional keys; what
    /// owners encrypt from now on is closed to them.
    ///
    /// # Errors
    /// The project is unknown; nothing can be written.
    pub async fn rotate(&self, name: &str, reason: &str, by: &str) -> Result<Epoch, AuthorityError> {
        self.rotate_to(name, KeySource::Drawn, reason, by).await
    }

    /// The same, to a key from elsewhere.
    ///
    /// # Errors
    /// As there, or the share is none that fits.
    pub async fn rotate_to(
        &self,
        name: &str,
        source: KeySource<'_>,
        reason: &str,
        by: &str,
    ) -> Result<Epoch, AuthorityError> {
        let (mut state, writing) = self.write().await?;
        let Some(current) = state.projects.get(name).map(|project| project.current().clone()) else {
            let shown: String = name.chars().take(80).collect();
            let reasons = vec![format!("there is no project '{shown}'")];
            let refusal = Refusal { request: "rotation", reasons, by, ..Default::default() };
            return Err(self.refuse(&mut state, writing, refusal).await);
        };
        let (public_key, part) = self.make_keys(source, current.inputs, &state)?;
        let (epoch, inputs) = (current.epoch + 1, current.inputs);
        let reason = reason.chars().take(500).collect();
        let by = by.to_owned();
        let mut events = vec![Event::Rotated { project: name.to_owned(), epoch, public_key, reason, by: by.clone() }];
        events.extend(part.map(|part| Event::ShareTaken { public_key, part, by: by.clone() }));
        self.record_all(&mut state, writing, &events, &by).await?;
        Ok(Epoch { epoch, public_key, inputs, since: clock::now() })
    }

    /// The public key file of a public key that some project has or had.
    ///
    /// # Errors
    /// It is unknown or cannot be read.
    pub async fn public_key(&self, public_key: Hash) -> Result<Bytes, AuthorityError> {
        let known = self
            .state()
            .await?
            .projects
            .values()
            .any(|project| project.epochs.iter().any(|epoch| epoch.public_key == public_key));
        if !known {
            return Err(AuthorityError::Unknown(format!("public key {public_key} belongs to no project here")));
        }
        let archive = self.archive.clone();
        let make = move || {
            let bytes = Bytes::from(archive.public_key(public_key)?);
            let length = bytes.len();
            Ok((bytes, length))
        };
        self.public_keys.get(public_key, make).await
    }

    /// Commitments to the shares of a public key that some project has or had, if it is shared.
    ///
    /// # Errors
    /// There are none.
    pub async fn commitments(&self, public_key: Hash) -> Result<Bytes, AuthorityError> {
        let archive = self.archive.clone();
        let known = self.state().await?.shares.contains_key(&public_key);
        let found = if known { blocking(move || archive.commitments(public_key)).await?? } else { None };
        found
            .map(Bytes::from)
            .ok_or_else(|| AuthorityError::Unknown(format!("public key {public_key} is not shared here")))
    }

    /// The key of a project that begins or is rotated, in a folder of its own: drawn, or brought as a share. A crash before
    /// the ledger has it leaves an unused folder.
    fn make_keys(
        &self,
        source: KeySource<'_>,
        inputs: (usize, usize),
        state: &State,
    ) -> Result<(Hash, Option<Part>), AuthorityError> {
        let KeySource::Share(from) = source else { return Ok((self.draw_keys(inputs)?, None)) };
        let (id, found, part) = self.keep_share(from, |id| match state.is_used(id) {
            true => Err(AuthorityError::Unknown(format!("public key {id} belongs to a project already"))),
            false => Ok(()),
        })?;
        if found != inputs {
            let (field, value) = ("share", format!("of a key for {found:?} inputs"));
            return Err(AuthorityError::Field { field, value, remedy: format!("the project has {inputs:?}") });
        }
        Ok((id, Some(part)))
    }

    fn draw_keys(&self, (n, m): (usize, usize)) -> Result<Hash, AuthorityError> {
        if self.shares_only {
            return Err(AuthorityError::SharesOnly { what: "a whole key would be drawn".into() });
        }
        let (master, public): (MasterKey, PublicKey) =
            tokio::task::block_in_place(|| qfe::setup(n, m, &mut host::fresh_rng()))?;
        let id = Hash(*public.id().as_bytes());
        let folder = self.archive.key_folder(id);
        files::make_secret_folder(&folder)?;
        keyfile::save_master_key(&folder.join("master.age"), &master, &self.lock()?)?;
        files::write(&folder.join("public.key"), &public.to_bytes())?;
        Ok(id)
    }
}
