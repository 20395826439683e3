//! The folder of models, watched while the server runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use qfe::LogTable;

use super::model::{Model, ModelOptions};
use crate::files::is_plain_name;

/// All models: those that can predict, and why others cannot.
pub struct Repository {
    folder: PathBuf,
    table: Arc<LogTable>,
    slots: RwLock<BTreeMap<String, Slot>>,
    /// One scan at a time.
    scanning: Mutex<()>,
}

#[derive(Clone)]
struct Slot {
    files: Files,
    model: Option<Arc<Model>>,
    reason: String,
}

/// Names, lengths and times of the files of a model: when they differ, it is loaded anew.
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
}

impl Repository {
    /// A repository over a folder with one folder per model; nothing is loaded until [`Repository::scan`].
    pub fn new(folder: PathBuf, table: Arc<LogTable>) -> Self {
        Self { folder, table, slots: RwLock::default(), scanning: Mutex::default() }
    }

    /// The model, if it is ready.
    pub fn get(&self, name: &str) -> Option<Arc<Model>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).get(name)?.model.clone()
    }

    /// All models, ready or not.
    pub fn index(&self) -> Vec<Status> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let status = |(name, slot): (&String, &Slot)| Status {
            name: name.clone(),
            version: slot.model.as_ref().map(|model| model.pin().to_string()).unwrap_or_default(),
            state: if slot.model.is_some() { "READY" } else { "UNAVAILABLE" },
            reason: slot.reason.clone(),
        };
        slots.iter().map(status).collect()
    }

    /// Loads what is new or changed and drops what is gone. A model whose new files cannot be loaded goes on with the
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
        self.slots.write().unwrap_or_else(PoisonError::into_inner).retain(|name, _| found.contains_key(name));
        for (name, files) in found {
            let known = self.slots.read().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
            if known.as_ref().is_some_and(|slot| slot.files == files) {
                continue;
            }
            self.load_slot(&name, files, known.and_then(|slot| slot.model));
        }
    }

    /// Loads one model now, also if it was unloaded or unchanged. False where no such folder is.
    pub fn load(&self, name: &str) -> bool {
        let _one = self.scanning.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(files) = list(&self.folder).ok().and_then(|mut found| found.remove(name)) else { return false };
        let old = self.get(name);
        self.load_slot(name, files, old);
        true
    }

    /// Stops serving a model until its files change or it is loaded by request. False where no such model is.
    pub fn unload(&self, name: &str) -> bool {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = slots.get_mut(name) else { return false };
        (slot.model, slot.reason) = (None, "unloaded by request".into());
        true
    }

    fn load_slot(&self, name: &str, files: Files, old: Option<Arc<Model>>) {
        let slot = match Model::load(name, &self.folder.join(name), &self.table) {
            Ok(model) => {
                tracing::info!(model = name, pin = %model.pin(), "model loaded");
                Slot { files, model: Some(Arc::new(model)), reason: String::new() }
            }
            Err(error) => {
                let same = |model: &Arc<Model>| {
                    ModelOptions::read(&self.folder.join(name)).is_ok_and(|options| options == *model.options())
                };
                let old = old.filter(same);
                tracing::error!(model = name, %error, kept = old.is_some(), "model not loaded");
                Slot { files, model: old, reason: error.to_string() }
            }
        };
        self.slots.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), slot);
    }
}

/// The folders that may be models, with their files.
fn list(folder: &Path) -> std::io::Result<BTreeMap<String, Files>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().filter(|name| is_plain_name(name)).map(str::to_owned) else {
            continue;
        };
        if !entry.path().join("network.safetensors").is_file() {
            continue;
        }
        let mut files = Files::new();
        for file in fs::read_dir(entry.path())? {
            let file = file?;
            let about = file.metadata()?;
            files.push((file.file_name().to_string_lossy().into_owned(), about.len(), about.modified()?));
        }
        files.sort();
        found.insert(name, files);
    }
    Ok(found)
}
