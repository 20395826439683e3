//! The folder of models, watched while the server runs.
//!
//! A model is a folder, or a folder of folders. The content of `models/NAME` itself is the default version, and every
//! folder in it that holds a network is a further version. Without a network in `models/NAME` the default is the last
//! of these, by number or else by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use qfe::LogTable;

use super::model::{Model, ModelOptions};
use super::slots::{Files, Loaded, Slots};
use crate::files::is_plain_name;
use crate::hash::Hash;

/// What a folder must hold to be a model.
const NETWORK: &str = "network.safetensors";

/// All models: those that can predict, and why others cannot.
pub struct Repository {
    folder: PathBuf,
    table: Arc<LogTable>,
    slots: Slots<Key, Model>,
    /// Loads that failed, by model.
    failures: Mutex<BTreeMap<String, u64>>,
}

/// The name of a model, and one of its versions: the one that is used by default comes last.
type Key = (String, Label);

/// The folder of a version: numbers first, in their order, then names, then the model's own folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Number(u64, String),
    Name(String),
    Own,
}

/// One line of the index.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Status {
    /// The model.
    pub name: String,
    /// The pin of its parameters; empty if it never loaded.
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
        Self { folder, table, slots: Slots::new(), failures: Mutex::default() }
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
        let own =
            self.of(name, |label, model| (!version.is_empty() && label.folder() == version).then(|| Arc::clone(model)));
        own.into_iter().flatten().next()
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
        let mut ready: Vec<Arc<Model>> = Vec::new();
        for model in self.of(name, |_, model| Arc::clone(model)).into_iter().rev() {
            match ready.iter_mut().find(|known| known.pin() == model.pin()) {
                None => ready.push(model),
                Some(known) if known.is_expired() && !model.is_expired() => *known = model,
                Some(_) => {}
            }
        }
        ready
    }

    /// All versions of all models, ready or not, the default one of each model first.
    pub fn index(&self) -> Vec<Status> {
        let mut all = self.slots.each(|(name, _), model, reason| Status {
            name: name.clone(),
            version: model.map(|model| model.pin().to_string()).unwrap_or_default(),
            state: if model.is_some() { "READY" } else { "UNAVAILABLE" },
            reason: reason.to_owned(),
            expires: model.and_then(|model| model.expires()),
        });
        all.reverse();
        // Stable: the versions of one model stay in their order.
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Something of every version of a model that is ready, the default one last.
    fn of<T>(&self, name: &str, of: impl Fn(&Label, &Arc<Model>) -> T) -> Vec<T> {
        let own = |(model, label): &Key, ready: Option<&Arc<Model>>| {
            ready.filter(|_| model == name).map(|ready| of(label, ready))
        };
        self.slots.each(|key, model, _| own(key, model)).into_iter().flatten().collect()
    }

    /// How often loading a model failed since the start, by model.
    pub fn failures(&self) -> BTreeMap<String, u64> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Loads new and changed models and drops removed ones. If the new files of a version cannot be loaded, it continues
    /// with the old ones, but only under the options that its folder holds now: with others, or with unreadable
    /// options, it stops. Reads files and computes: not for an async thread.
    pub fn scan(&self) {
        let found = || {
            let folder = self.folder.display();
            let found = list(&self.folder);
            found.inspect_err(|error| tracing::error!(%folder, %error, "the folder of models cannot be read")).ok()
        };
        self.slots.scan(found, |key, old| self.load_version(key, old));
    }

    /// Loads all versions of one model now, also if they were unloaded or unchanged. False where no such folder is.
    pub fn load(&self, name: &str) -> bool {
        let own = || {
            let mut found = list(&self.folder).unwrap_or_default();
            found.retain(|(model, _), _| model == name);
            found
        };
        self.slots.load(own, |key, old| self.load_version(key, old))
    }

    /// Stops serving a model until its files change or it is loaded by request. False where no such model is.
    pub fn unload(&self, name: &str) -> bool {
        self.slots.unload(|(model, _)| model == name)
    }

    fn load_version(&self, (name, label): &Key, old: Option<Arc<Model>>) -> Loaded<Model> {
        let folder = match label.folder() {
            "" => self.folder.join(name),
            version => self.folder.join(name).join(version),
        };
        let version = label.folder();
        match Model::load(name, &folder, &self.table) {
            Ok(model) => {
                tracing::info!(model = name, version, pin = %model.pin(), "model loaded");
                (Some(Arc::new(model)), String::new())
            }
            Err(error) => {
                let same =
                    |model: &Arc<Model>| ModelOptions::read(&folder).is_ok_and(|options| options == *model.options());
                let old = old.filter(same);
                tracing::error!(model = name, version, %error, kept = old.is_some(), "model not loaded");
                *self.failures.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default() += 1;
                (old, error.to_string())
            }
        }
    }
}

/// The first whose key has not expired, or else the first.
fn valid_first(versions: Vec<Arc<Model>>) -> Option<Arc<Model>> {
    versions.iter().find(|model| !model.is_expired()).or(versions.first()).cloned()
}

/// The versions of all folders that may be models, and their files.
fn list(folder: &Path) -> std::io::Result<BTreeMap<Key, Files>> {
    let mut found = BTreeMap::new();
    for (name, path) in folders(folder)? {
        if path.join(NETWORK).is_file() {
            found.insert((name.clone(), Label::Own), files(&path)?);
        }
        for (label, path) in folders(&path)?.into_iter().filter(|(_, path)| path.join(NETWORK).is_file()) {
            found.insert((name.clone(), Label::of(&label)), files(&path)?);
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
        // Of the file that a link leads to: that is what is read.
        let about = fs::metadata(file.path()).or_else(|_| file.metadata())?;
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
