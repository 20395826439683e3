//! The folder of models, watched while the server runs.
//!
//! A model is a folder, or a folder of folders: what lies in `models/NAME` itself is the version that is used unless a
//! caller says otherwise, and every folder in it that holds a network is a further version. Without a network in
//! `models/NAME` the last of these is used, by number or else by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use qfe::LogTable;

use super::model::{Model, ModelOptions};
use crate::files::is_plain_name;
use crate::hash::Hash;

/// What a folder must hold to be a model.
const NETWORK: &str = "network.safetensors";

/// All models: those that can predict, and why others cannot.
pub struct Repository {
    folder: PathBuf,
    table: Arc<LogTable>,
    slots: RwLock<BTreeMap<String, Versions>>,
    /// One scan at a time.
    scanning: Mutex<()>,
    /// Loads that failed, by model.
    failures: Mutex<BTreeMap<String, u64>>,
}

/// The versions of a model, the one that is used by default last.
type Versions = BTreeMap<Label, Slot>;

/// The folder of a version: numbers first, in their order, then names, then the model's own folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Number(u64, String),
    Name(String),
    Own,
}

#[derive(Clone)]
struct Slot {
    files: Files,
    model: Option<Arc<Model>>,
    reason: String,
}

/// Names, lengths and times of the files of a version: when they differ, it is loaded anew.
type Files = Vec<(String, u64, SystemTime)>;

/// One line of the index.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Status {
    /// The model.
    pub name: String,
    /// The pin of its parameters; empty where it never loaded.
    pub version: String,
    /// `READY` or `UNAVAILABLE`.
    pub state: &'static str,
    /// Why it is not ready, or why the newest files are not in use.
    pub reason: String,
    /// Seconds since 1970 after which its functional key must not be used; none does not expire.
    #[serde(skip)]
    pub expires: Option<i64>,
}

impl Label {
    fn of(folder: &str) -> Self {
        match folder.parse() {
            Ok(number) => Self::Number(number, folder.to_owned()),
            Err(_) => Self::Name(folder.to_owned()),
        }
    }

    /// The name of its folder, in the folder of the model.
    fn folder(&self) -> &str {
        match self {
            Self::Number(_, name) | Self::Name(name) => name,
            Self::Own => "",
        }
    }
}

impl Repository {
    /// A repository over a folder with one folder per model; nothing is loaded until [`Repository::scan`].
    pub fn new(folder: PathBuf, table: Arc<LogTable>) -> Self {
        Self { folder, table, slots: RwLock::default(), scanning: Mutex::default(), failures: Mutex::default() }
    }

    /// The version of a model that is used by default, if one is ready: one whose key has not expired before others.
    pub fn get(&self, name: &str) -> Option<Arc<Model>> {
        valid_first(self.versions(name))
    }

    /// A version of a model, by its pin or by the name of its folder, if it is ready.
    pub fn version(&self, name: &str, version: &str) -> Option<Arc<Model>> {
        let pinned = self.versions(name).into_iter().find(|model| model.pin().to_string() == version);
        if pinned.is_some() {
            return pinned;
        }
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let found = slots.get(name)?.iter().find(|(label, _)| !version.is_empty() && label.folder() == version);
        found?.1.model.clone()
    }

    /// The version of a model that opens ciphertexts of a public key, and if it is given, of a network: the first that
    /// would be used by default.
    pub fn opening(&self, name: &str, public_key: Hash, network: Option<Hash>) -> Option<Arc<Model>> {
        let fits = |model: &Arc<Model>| {
            let parameters = model.parameters();
            parameters.public_key == public_key && network.is_none_or(|network| parameters.network == network)
        };
        valid_first(self.versions(name).into_iter().filter(fits).collect())
    }

    /// The versions of a model that are ready, the default one first. Of two folders with the same version the one counts
    /// whose key has not expired.
    pub fn versions(&self, name: &str) -> Vec<Arc<Model>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let mut ready: Vec<Arc<Model>> = Vec::new();
        for model in slots.get(name).into_iter().flatten().rev().filter_map(|(_, slot)| slot.model.as_ref()) {
            match ready.iter_mut().find(|known| known.pin() == model.pin()) {
                None => ready.push(Arc::clone(model)),
                Some(known) if known.is_expired() && !model.is_expired() => *known = Arc::clone(model),
                Some(_) => {}
            }
        }
        ready
    }

    /// All versions of all models, ready or not, the default one of each model first.
    pub fn index(&self) -> Vec<Status> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let status = |name: &String, slot: &Slot| Status {
            name: name.clone(),
            version: slot.model.as_ref().map(|model| model.pin().to_string()).unwrap_or_default(),
            state: if slot.model.is_some() { "READY" } else { "UNAVAILABLE" },
            reason: slot.reason.clone(),
            expires: slot.model.as_ref().and_then(|model| model.expires()),
        };
        slots.iter().flat_map(|(name, versions)| versions.values().rev().map(move |slot| status(name, slot))).collect()
    }

    /// How often loading a model failed since the start, by model.
    pub fn failures(&self) -> BTreeMap<String, u64> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Loads what is new or changed and drops what is gone. A version whose new files cannot be loaded goes on with the
    /// old ones, but only under the options that its folder holds now: with others, or with options that cannot be
    /// read, it stops. Reads files and computes: not for an async thread.
    pub fn scan(&self) {
        let _one = self.scanning.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match list(&self.folder) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(folder = %self.folder.display(), %error, "the folder of models cannot be read");
                return;
            }
        };
        self.retain(&found);
        for (name, versions) in found {
            for (label, files) in versions {
                let known = self.slot(&name, &label);
                if known.as_ref().is_none_or(|slot| slot.files != files) {
                    self.load_slot(&name, label, files, known.and_then(|slot| slot.model));
                }
            }
        }
    }

    /// Loads all versions of one model now, also if they were unloaded or unchanged. False where no such folder is.
    pub fn load(&self, name: &str) -> bool {
        let _one = self.scanning.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(versions) = list(&self.folder).ok().and_then(|mut found| found.remove(name)) else { return false };
        for (label, files) in versions {
            let old = self.slot(name, &label).and_then(|slot| slot.model);
            self.load_slot(name, label, files, old);
        }
        true
    }

    /// Stops serving a model until its files change or it is loaded by request. False where no such model is.
    pub fn unload(&self, name: &str) -> bool {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let Some(versions) = slots.get_mut(name) else { return false };
        for slot in versions.values_mut() {
            (slot.model, slot.reason) = (None, "unloaded by request".into());
        }
        true
    }

    fn slot(&self, name: &str, label: &Label) -> Option<Slot> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).get(name)?.get(label).cloned()
    }

    /// Drops what is gone.
    fn retain(&self, found: &Found) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|name, versions| {
            let here = found.get(name);
            versions.retain(|label, _| here.is_some_and(|here| here.contains_key(label)));
            !versions.is_empty()
        });
    }

    fn load_slot(&self, name: &str, label: Label, files: Files, old: Option<Arc<Model>>) {
        let folder = match label.folder() {
            "" => self.folder.join(name),
            version => self.folder.join(name).join(version),
        };
        let slot = match Model::load(name, &folder, &self.table) {
            Ok(model) => {
                tracing::info!(model = name, version = label.folder(), pin = %model.pin(), "model loaded");
                Slot { files, model: Some(Arc::new(model)), reason: String::new() }
            }
            Err(error) => {
                let same =
                    |model: &Arc<Model>| ModelOptions::read(&folder).is_ok_and(|options| options == *model.options());
                let old = old.filter(same);
                tracing::error!(model = name, version = label.folder(), %error, kept = old.is_some(), "model not loaded");
                *self.failures.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default() += 1;
                Slot { files, model: old, reason: error.to_string() }
            }
        };
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        slots.entry(name.to_owned()).or_default().insert(label, slot);
    }
}

/// The first whose key has not expired, or else the first.
fn valid_first(versions: Vec<Arc<Model>>) -> Option<Arc<Model>> {
    versions.iter().find(|model| !model.is_expired()).or(versions.first()).cloned()
}

/// Versions and their files, by model.
type Found = BTreeMap<String, BTreeMap<Label, Files>>;

/// The folders that may be models, with their versions.
fn list(folder: &Path) -> std::io::Result<Found> {
    let mut found = Found::new();
    for (name, path) in folders(folder)? {
        let mut versions = BTreeMap::new();
        if path.join(NETWORK).is_file() {
            versions.insert(Label::Own, files(&path)?);
        }
        for (label, path) in folders(&path)?.into_iter().filter(|(_, path)| path.join(NETWORK).is_file()) {
            versions.insert(Label::of(&label), files(&path)?);
        }
        if !versions.is_empty() {
            found.insert(name, versions);
        }
    }
    Ok(found)
}

/// The folders in a folder that have plain names.
fn folders(folder: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if let Some(name) = name.to_str().filter(|name| is_plain_name(name) && entry.path().is_dir()) {
            found.push((name.to_owned(), entry.path()));
        }
    }
    Ok(found)
}

/// The files in a folder, not its folders.
fn files(folder: &Path) -> std::io::Result<Files> {
    let mut files = Files::new();
    for file in fs::read_dir(folder)? {
        let file = file?;
        let about = file.metadata()?;
        if !about.is_dir() {
            files.push((file.file_name().to_string_lossy().into_owned(), about.len(), about.modified()?));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_folder_comes_last_and_numbers_by_their_size() {
        let mut labels: Vec<Label> = ["b", "10", "9", "a", "09"].map(Label::of).into();
        labels.push(Label::Own);
        labels.sort();
        let folders: Vec<&str> = labels.iter().map(Label::folder).collect();
        assert_eq!(folders, ["09", "9", "10", "a", "b", ""]);
    }
}
