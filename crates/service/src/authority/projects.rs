//! Projects and their public keys.

use axum::body::Bytes;
use qfe::{MasterKey, PublicKey};
use roles::keyfile;

use super::archive::blocking;
use super::{AuthorityError, Epoch, Issuer, Refusal};
use crate::clock;
use crate::files::{self, is_plain_name};
use crate::hash::Hash;
use crate::ledger::Event;

impl Issuer {
    /// Makes a project for the inputs of a registered network, with its first public key.
    ///
    /// # Errors
    /// The name cannot be or is taken; the network is unknown; nothing can be written.
    pub async fn create_project(&self, name: &str, network: Hash, by: &str) -> Result<Epoch, AuthorityError> {
        if !is_plain_name(name) {
            let remedy = "use 1 to 64 letters, digits, '-', '_' and '.', not '.' first".to_owned();
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
        let public_key = self.make_keys(inputs)?;
        let (project, by) = (name.to_owned(), by.to_owned());
        let event = Event::ProjectCreated { project, public_key, inputs, by: by.clone() };
        self.record(&mut state, writing, &event, &by).await?;
        Ok(Epoch { epoch: 1, public_key, inputs, since: clock::now() })
    }

    /// Gives a project a new public key. What the old one encrypted stays readable with the old functional keys; what
    /// owners encrypt from now on is closed to them.
    ///
    /// # Errors
    /// The project is unknown; nothing can be written.
    pub async fn rotate(&self, name: &str, reason: &str, by: &str) -> Result<Epoch, AuthorityError> {
        let (mut state, writing) = self.write().await?;
        let Some(current) = state.projects.get(name).map(|project| project.current().clone()) else {
            let shown: String = name.chars().take(80).collect();
            let reasons = vec![format!("there is no project '{shown}'")];
            let refusal = Refusal { request: "rotation", reasons, by, ..Default::default() };
            return Err(self.refuse(&mut state, writing, refusal).await);
        };
        let public_key = self.make_keys(current.inputs)?;
        let (epoch, inputs) = (current.epoch + 1, current.inputs);
        let reason = reason.chars().take(500).collect();
        let event = Event::Rotated { project: name.to_owned(), epoch, public_key, reason, by: by.to_owned() };
        self.record(&mut state, writing, &event, by).await?;
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

    /// Draws keys and writes them to a folder of their own. A crash before the ledger has them leaves an unused folder.
    fn make_keys(&self, (n, m): (usize, usize)) -> Result<Hash, AuthorityError> {
        let (master, public): (MasterKey, PublicKey) =
            tokio::task::block_in_place(|| qfe::setup(n, m, &mut host::fresh_rng()))?;
        let id = Hash(*public.id().as_bytes());
        let folder = self.archive.key_folder(id);
        files::make_secret_folder(&folder)?;
        keyfile::save_master_key(&folder.join("master.age"), &master, &self.lock()?)?;
        files::write(&folder.join("public.key"), &public.to_bytes())?;
        let mut masters = self.masters.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        masters.insert(id, master.into());
        Ok(id)
    }
}
