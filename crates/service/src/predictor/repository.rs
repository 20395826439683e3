//! The folder of models, watched while the server runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qfe::LogTable;

use super::model::{Model, ModelOptions};
use super::slots::{Files, Loaded, Slots};
use crate::files::is_plain_name;

/// All models: those that can predict, and why others cannot.
pub struct Repository {
    folder: PathBuf,
    table: Arc<LogTable>,
    slots: Slots<Model>,
}

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
        Self { folder, table, slots: Slots::new() }
    }

    /// The model, if it is ready.
    pub fn get(&self, name: &str) -> Option<Arc<Model>> {
        self.slots.get(name)
    }

    /// All models, ready or not.
    pub fn index(&self) -> Vec<Status> {
        self.slots.each(|name, model, reason| Status {
            name: name.to_owned(),
            version: model.map(|model| model.pin().to_string()).unwrap_or_default(),
            state: if model.is_some() { "READY" } else { "UNAVAILABLE" },
            reason: reason.to_owned(),
        })
    }

    /// Loads what is new or changed and drops what is gone. A model whose new files cannot be loaded goes on with the
    /// old ones, but only under the options that its folder holds now: with others, or with options that cannot be
    /// read, it stops. Reads files and computes: not for an async thread.
    pub fn scan(&self) {
        let found = || {
            let found = list(&self.folder);
            let folder = self.folder.display();
            found.inspect_err(|error| tracing::error!(%folder, %error, "the folder of models cannot be read")).ok()
        };
        self.slots.scan(found, |name, old| self.load_model(name, old));
    }

    /// Loads one model now, also if it was unloaded or unchanged. False where no such folder is.
    pub fn load(&self, name: &str) -> bool {
        let files = || list(&self.folder).ok()?.remove(name);
        self.slots.load(name, files, |name, old| self.load_model(name, old))
    }

    /// Stops serving a model until its files change or it is loaded by request. False where no such model is.
    pub fn unload(&self, name: &str) -> bool {
        self.slots.unload(name)
    }

    fn load_model(&self, name: &str, old: Option<Arc<Model>>) -> Loaded<Model> {
        match Model::load(name, &self.folder.join(name), &self.table) {
            Ok(model) => {
                tracing::info!(model = name, pin = %model.pin(), "model loaded");
                (Some(Arc::new(model)), String::new())
            }
            Err(error) => {
                let same = |model: &Arc<Model>| {
                    ModelOptions::read(&self.folder.join(name)).is_ok_and(|options| options == *model.options())
                };
                let old = old.filter(same);
                tracing::error!(model = name, %error, kept = old.is_some(), "model not loaded");
                (old, error.to_string())
            }
        }
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
