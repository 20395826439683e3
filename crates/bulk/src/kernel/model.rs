//! A model, opened once per process.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use host::Progress;
use host::files::{FileError, make_folder};
use qfe::LogTable;
use roles::{Admission, ModelFolder, Predictor, table_bits};

use crate::BulkError;

/// A network with its key, its plan and its table, and the rules about who may send what.
#[derive(Debug)]
pub struct Model {
    predictor: Predictor,
    admission: Admission,
}

/// The files that determine what a model does.
const FILES: [&str; 5] = ["network.safetensors", "functional.key", "public.key", "grant.json", "model.toml"];

/// A file's state.
type State = Option<(SystemTime, u64)>;

/// A folder, and the state of its files.
type Key = (PathBuf, [State; 5]);

/// Models of this process by folder, and tables by bits. A lock is held while one is made, so that a process with many
/// threads makes it only once.
static MODELS: Mutex<Option<HashMap<Key, Arc<Model>>>> = Mutex::new(None);
static TABLES: Mutex<Option<HashMap<u32, Arc<LogTable>>>> = Mutex::new(None);

impl Model {
    /// The model of a folder; the same one again as long as its files do not change. `tables`: a folder that keeps the
    /// discrete-log table between processes.
    ///
    /// # Errors
    /// The folder is not a model, or its rules cannot be applied.
    pub fn open(folder: &Path, tables: Option<&Path>, progress: &dyn Progress) -> Result<Arc<Self>, BulkError> {
        let failed = |source| FileError::System { path: folder.to_owned(), action: "read", source };
        let canonical = fs::canonicalize(folder).map_err(failed)?;
        let key = (canonical, FILES.map(|name| state(&folder.join(name))));
        let mut models = MODELS.lock().unwrap_or_else(PoisonError::into_inner);
        let models = models.get_or_insert_default();
        if let Some(model) = models.get(&key) {
            return Ok(Arc::clone(model));
        }
        let files = ModelFolder::read(folder)?;
        let admission = Admission::read(folder, &files)
            .map_err(|problem| BulkError::Admission { folder: folder.to_owned(), problem })?;
        let table = log_table(table_bits([&files.network]), tables, progress)?;
        let model = Arc::new(Self { predictor: files.predictor(table)?, admission });
        // The folder's earlier model is dropped.
        models.retain(|(path, _), _| *path != key.0);
        models.insert(key, Arc::clone(&model));
        Ok(model)
    }

    /// The predictor.
    pub fn predictor(&self) -> &Predictor {
        &self.predictor
    }

    /// The rules about who may send what.
    pub fn admission(&self) -> &Admission {
        &self.admission
    }
}

fn state(path: &Path) -> State {
    let data = fs::metadata(path).ok()?;
    Some((data.modified().ok()?, data.len()))
}

fn log_table(bits: u32, folder: Option<&Path>, progress: &dyn Progress) -> Result<Arc<LogTable>, BulkError> {
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    let tables = tables.get_or_insert_default();
    if let Some(table) = tables.get(&bits) {
        return Ok(Arc::clone(table));
    }
    let table = match folder {
        Some(folder) => {
            make_folder(folder)?;
            LogTable::open_or_build(bits, folder, progress)?.0
        }
        None => LogTable::build(bits, progress)?,
    };
    let table = Arc::new(table);
    tables.insert(bits, Arc::clone(&table));
    Ok(table)
}
