//! The hash of each model's parameters when they were last accepted, and what their authority stated about them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::files::{self, FileError};
use crate::hash::Hash;
use crate::parameters::{ParametersSignature, Purpose};
use crate::signature::VerifyingKey;

/// The file of pins.
pub struct Pins(PathBuf);

/// What an owner accepted for a model because an authority signed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// The authority.
    pub authority: VerifyingKey,
    /// What the authority signed.
    #[serde(flatten)]
    pub purpose: Purpose,
}

/// A file of pins that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// It cannot be read or written.
    #[error("pins {0}")]
    File(#[from] FileError),
    /// It is none.
    #[error("pins {path}: {problem}; restore the file, or remove it to trust the servers anew")]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
}

/// Names of models have a space inside, so that no other field is taken for one.
#[derive(Default, Serialize, Deserialize)]
struct File {
    /// The newest epoch that was accepted of a project, by authority and project.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    epochs: BTreeMap<String, u32>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    accepted: BTreeMap<String, Accepted>,
    #[serde(flatten)]
    pins: BTreeMap<String, Hash>,
}

impl Pins {
    /// Pins in a file, which need not exist.
    pub fn open(path: PathBuf) -> Self {
        Self(path)
    }

    /// What a name is pinned to.
    ///
    /// # Errors
    /// [`PinError`]: a file that cannot be read never counts as no pin.
    pub fn get(&self, name: &str) -> Result<Option<Hash>, PinError> {
        Ok(self.read()?.pins.get(name).copied())
    }

    /// What an authority said about the parameters that were last accepted for a name on its word.
    ///
    /// # Errors
    /// [`PinError`].
    pub fn accepted(&self, name: &str) -> Result<Option<Accepted>, PinError> {
        Ok(self.read()?.accepted.remove(name))
    }

    /// The newest epoch that was accepted of a project of an authority, for any name.
    ///
    /// # Errors
    /// [`PinError`].
    pub fn newest(&self, authority: &VerifyingKey, project: &str) -> Result<Option<u32>, PinError> {
        Ok(self.read()?.epochs.get(&project_of(authority, project)).copied())
    }

    /// Pins a name, and remembers what its authority said.
    ///
    /// # Errors
    /// [`PinError`].
    pub fn keep(&self, name: &str, hash: Hash, signature: Option<&ParametersSignature>) -> Result<(), PinError> {
        let _turn = self.lock()?;
        let mut file = self.read()?;
        file.pins.insert(name.to_owned(), hash);
        if let Some(ParametersSignature { authority, purpose: Some(purpose), .. }) = signature {
            let newest = file.epochs.entry(project_of(authority, &purpose.project)).or_default();
            *newest = purpose.epoch.max(*newest);
            let mut accepted = Accepted { authority: authority.clone(), purpose: purpose.clone() };
            // The same parameters, signed earlier, take nothing back of what is known.
            if let Some(before) = file.accepted.get(name)
                && (&before.authority, &before.purpose.project) == (authority, &purpose.project)
            {
                accepted.purpose.date = purpose.date.max(before.purpose.date);
            }
            file.accepted.insert(name.to_owned(), accepted);
        }
        let text = serde_json::to_vec_pretty(&file).map_err(|error| self.format(&error))?;
        Ok(files::write(&self.0, &text)?)
    }

    /// Nobody else changes the file while this lives: what one process accepted, another would write over.
    fn lock(&self) -> Result<std::fs::File, PinError> {
        let mut path = self.0.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let fail = |source| FileError::System { path: path.clone(), action: "written", source };
        let folder = files::folder_of(&path);
        std::fs::create_dir_all(folder).map_err(fail)?;
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&path).map_err(fail)?;
        file.lock().map_err(fail)?;
        Ok(file)
    }

    fn read(&self) -> Result<File, PinError> {
        let Some(bytes) = files::read_if_there(&self.0, 1 << 20)? else { return Ok(File::default()) };
        serde_json::from_slice(&bytes).map_err(|error| self.format(&error))
    }

    fn format(&self, error: &serde_json::Error) -> PinError {
        PinError::Format { path: self.0.clone(), problem: error.to_string() }
    }
}

fn project_of(authority: &VerifyingKey, project: &str) -> String {
    format!("{authority} {project}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_before_is_read_and_one_that_is_none_is_no_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pins.json");
        let hash = Hash([7; 32]);
        std::fs::write(&path, format!("{{\"http://a digits\": \"{hash}\"}}")).unwrap();
        let pins = Pins::open(path.clone());
        assert_eq!(pins.get("http://a digits").unwrap(), Some(hash));
        pins.keep("http://b digits", hash, None).unwrap();
        assert_eq!(pins.get("http://a digits").unwrap(), Some(hash));
        std::fs::write(&path, "{\"http://a digits\": 1}").unwrap();
        assert!(matches!(pins.get("http://b digits"), Err(PinError::Format { .. })));
    }

    /// Each opens the file for itself, as processes do.
    #[test]
    fn writers_at_once_lose_none_of_each_others_pins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pins.json");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let pins = Pins::open(path.clone());
                scope.spawn(move || {
                    for model in 0..25 {
                        pins.keep(&format!("http://{writer} {model}"), Hash([writer; 32]), None).unwrap();
                    }
                });
            }
        });
        let pins = Pins::open(path);
        for (writer, model) in (0..4).flat_map(|writer| (0..25).map(move |model| (writer, model))) {
            assert_eq!(pins.get(&format!("http://{writer} {model}")).unwrap(), Some(Hash([writer; 32])));
        }
    }
}
