//! What ties a mask store to one machine and one path.
//!
//! The store's own file, `store`, has five lines: its kind, a random name, the machine, the path and how many masks were
//! taken. A file of that name among the counters outside has the last number again. The one in the folder goes up first,
//! so that after a crash it may be ahead by one, and is behind only where the folder is an earlier one.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use rand::Rng;
use sha2::{Digest, Sha256};

use super::MaskStoreError;

const KIND: &str = "halflight mask store 1";
const MAX_BYTES: u64 = 1 << 16;

/// The two counters of one store.
pub(super) struct Binding {
    folder: PathBuf,
    counters: PathBuf,
}

struct Record {
    name: String,
    machine: String,
    path: String,
    taken: u64,
}

impl Binding {
    /// Binds a store that is not bound yet, or checks that it is where it was bound and as new as its counter outside.
    pub fn open(folder: &Path, counters: &Path) -> Result<Self, MaskStoreError> {
        let folder = fs::canonicalize(folder).map_err(|source| failed(folder, source))?;
        let binding = Self { folder, counters: counters.to_owned() };
        let _turn = binding.turn()?;
        match binding.read()? {
            Some(record) => binding.check(&record)?,
            None => {
                let name = format!("{:016x}{:016x}", rand::rng().next_u64(), rand::rng().next_u64());
                let record = Record { name, machine: machine(), path: binding.path(), taken: 0 };
                binding.write_outside(&record)?;
                binding.write(&record)?;
            }
        }
        Ok(binding)
    }

    /// Counts one mask, before it is taken.
    pub fn count(&self) -> Result<(), MaskStoreError> {
        let _turn = self.turn()?;
        let gone = || MaskStoreError::Binding { path: self.file() };
        let mut record = self.read()?.ok_or_else(gone)?;
        self.check(&record)?;
        record.taken += 1;
        self.write(&record)?;
        self.write_outside(&record)
    }

    fn check(&self, record: &Record) -> Result<(), MaskStoreError> {
        let copy = |problem: String| Err(MaskStoreError::Copy { folder: self.folder.clone(), problem });
        if record.machine != machine() {
            return copy("belongs to another machine".into());
        }
        if record.path != self.path() {
            return copy(format!("belongs to {}", record.path));
        }
        let outside = self.counters.join(&record.name);
        match read(&outside)?.and_then(|text| text.trim().parse::<u64>().ok()) {
            None => copy(format!("its counter {} is missing", outside.display())),
            Some(known) if record.taken < known => {
                copy(format!("says that {} masks were taken, and {known} were", record.taken))
            }
            Some(_) => Ok(()),
        }
    }

    fn read(&self) -> Result<Option<Record>, MaskStoreError> {
        let Some(text) = read(&self.file())? else { return Ok(None) };
        let lines: Vec<&str> = text.lines().collect();
        let wrong = || MaskStoreError::Binding { path: self.file() };
        let [KIND, name, machine, path, taken] = lines[..] else { return Err(wrong()) };
        if name.len() != 32 || !name.bytes().all(|c| c.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let (name, machine, path) = (name.to_owned(), machine.to_owned(), path.to_owned());
        Ok(Some(Record { name, machine, path, taken: taken.parse().map_err(|_| wrong())? }))
    }

    fn write(&self, record: &Record) -> Result<(), MaskStoreError> {
        let Record { name, machine, path, taken } = record;
        write(&self.file(), &format!("{KIND}\n{name}\n{machine}\n{path}\n{taken}\n"))
    }

    fn write_outside(&self, record: &Record) -> Result<(), MaskStoreError> {
        write(&self.counters.join(&record.name), &format!("{}\n", record.taken))
    }

    fn turn(&self) -> Result<File, MaskStoreError> {
        let path = self.counters.join("lock");
        let file = File::options().append(true).create(true).open(&path).map_err(|source| failed(&path, source))?;
        file.lock().map_err(|source| failed(&path, source))?;
        Ok(file)
    }

    fn file(&self) -> PathBuf {
        self.folder.join("store")
    }

    /// In one line, whatever the system allows in names.
    fn path(&self) -> String {
        self.folder.to_string_lossy().replace(char::is_control, "?")
    }
}

/// A name of this machine; empty where the system gives none, and then only path and counter tell.
fn machine() -> String {
    let id = fs::read("/etc/machine-id").unwrap_or_default();
    if id.is_empty() {
        return String::new();
    }
    let digest = Sha256::new_with_prefix("halflight mask store machine").chain_update(id).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(path: &Path) -> Result<Option<String>, MaskStoreError> {
    let mut text = String::new();
    let read =
        File::open(path).and_then(|file| io::Read::read_to_string(&mut io::Read::take(file, MAX_BYTES), &mut text));
    match read {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed(path, source)),
    }
}

fn write(path: &Path, text: &str) -> Result<(), MaskStoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> MaskStoreError {
    MaskStoreError::Io { path: path.to_owned(), source }
}
