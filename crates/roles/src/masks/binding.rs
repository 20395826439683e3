//! Binds a mask store to one machine and one path, and its masks to the store.
//!
//! The store's own file, `store`, has five lines: its kind, a random name, the machine, the path and the number of
//! masks taken. Each mask has a serial number, which appears with the store's name in the name of its file and in the
//! encrypted content. A file with the store's name among the counters outside repeats the last number of masks taken.
//! It also has the next serial, and for each public key the highest serial taken and the lower serials that were put
//! back. Serials are taken in order, so any other serial at or below the highest was taken, or its file arrived too
//! late to be used.
//!
//! The number in the folder is raised first, so after a crash it may be ahead by one. It is too low only if the folder
//! was restored to an earlier state.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use host::files::{self, Access, FileError};
use rand::Rng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::error::MaskStoreError;

const KIND: &str = "halflight mask store 2";
const COUNTER: &str = "halflight mask counter 2";
/// The prefix of a mask, followed by the store's name and the serial.
const WRAPPER: &[u8] = b"halflight stored mask 1\n";
const NAME_BYTES: usize = 32;
const MAX_BYTES: u64 = 1 << 20;

/// The two counters of one store.
#[derive(Debug)]
pub(super) struct Binding {
    folder: PathBuf,
    counters: PathBuf,
    name: String,
}

struct Record {
    name: String,
    machine: String,
    path: String,
    taken: u64,
}

/// The counter outside.
#[derive(Default)]
struct Counter {
    taken: u64,
    /// Highest serial assigned.
    given: u64,
    keys: BTreeMap<String, Taken>,
}

/// Serials taken for one public key.
#[derive(Default)]
struct Taken {
    highest: u64,
    /// Lower serials that were put back.
    returned: BTreeSet<u64>,
}

impl Taken {
    fn is_free(&self, serial: u64) -> bool {
        serial > self.highest || self.returned.contains(&serial)
    }
}

impl Binding {
    /// Binds a folder without masks, or checks that a store is where it was bound and as recent as its counter outside.
    pub fn open(folder: &Path, counters: &Path) -> Result<Self, MaskStoreError> {
        let folder = fs::canonicalize(folder).map_err(|source| failed(folder, source))?;
        let mut binding = Self { folder, counters: counters.to_owned(), name: String::new() };
        let _turn = binding.turn()?;
        match binding.read()? {
            Some(record) => {
                binding.name.clone_from(&record.name);
                binding.check(&record)?;
            }
            None if binding.holds_masks()? => return Err(MaskStoreError::Unbound { folder: binding.folder }),
            None => {
                let name = format!("{:016x}{:016x}", host::fresh_rng().next_u64(), host::fresh_rng().next_u64());
                binding.name.clone_from(&name);
                let record = Record { name, machine: machine(), path: binding.path(), taken: 0 };
                binding.write_outside(&Counter::default())?;
                binding.write(&record)?;
            }
        }
        Ok(binding)
    }

    /// A serial for a new mask.
    pub fn next(&self) -> Result<u64, MaskStoreError> {
        let _turn = self.turn()?;
        let mut counter = self.checked()?.1;
        counter.given += 1;
        self.write_outside(&counter)?;
        Ok(counter.given)
    }

    /// The serial in the name of a file after its prefix, if it belongs to this store.
    pub fn serial(&self, rest: &str) -> Option<u64> {
        let digits = rest.strip_prefix(&self.name)?.strip_prefix('-')?.strip_suffix(".age")?;
        let serial = u64::from_str_radix(digits, 16).ok()?;
        (self.suffix(serial) == rest).then_some(serial)
    }

    /// The name of a mask's file after its prefix.
    pub fn suffix(&self, serial: u64) -> String {
        format!("{}-{serial:016x}.age", self.name)
    }

    /// The plaintext that is encrypted for a mask.
    pub fn wrap(&self, serial: u64, mask: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(WRAPPER.len() + NAME_BYTES + 8 + mask.len()));
        bytes.extend_from_slice(WRAPPER);
        bytes.extend_from_slice(self.name.as_bytes());
        bytes.extend_from_slice(&serial.to_le_bytes());
        bytes.extend_from_slice(mask);
        bytes
    }

    /// The mask in it, if it is the one of this store and serial.
    pub fn unwrap<'a>(&self, serial: u64, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let rest = bytes.strip_prefix(WRAPPER)?.strip_prefix(self.name.as_bytes())?;
        rest.strip_prefix(&serial.to_le_bytes())
    }

    /// The serials among these that were not taken, in order.
    pub fn free(&self, key: &str, serials: &[u64]) -> Result<Vec<u64>, MaskStoreError> {
        let mut counter = self.counter()?.unwrap_or_default();
        let taken = counter.keys.remove(key).unwrap_or_default();
        let mut free: Vec<u64> = serials.iter().copied().filter(|serial| taken.is_free(*serial)).collect();
        free.sort_unstable();
        Ok(free)
    }

    /// Records the first free one of these serials as taken, before its mask is read.
    pub fn reserve(&self, key: &str, serials: &[u64]) -> Result<Option<u64>, MaskStoreError> {
        let _turn = self.turn()?;
        let (mut record, mut counter) = self.checked()?;
        let Some(serial) = self.free(key, serials)?.first().copied() else { return Ok(None) };
        let taken = counter.keys.entry(key.to_owned()).or_default();
        taken.returned.remove(&serial);
        taken.highest = taken.highest.max(serial);
        record.taken += 1;
        counter.taken = record.taken;
        self.write(&record)?;
        self.write_outside(&counter)?;
        Ok(Some(serial))
    }

    /// Records that a taken mask was put back, unread.
    pub fn give_back(&self, key: &str, serial: u64) -> Result<(), MaskStoreError> {
        let _turn = self.turn()?;
        let mut counter = self.checked()?.1;
        counter.keys.entry(key.to_owned()).or_default().returned.insert(serial);
        self.write_outside(&counter)
    }

    fn checked(&self) -> Result<(Record, Counter), MaskStoreError> {
        let record = self.read()?.ok_or_else(|| MaskStoreError::Binding { path: self.file() })?;
        let counter = self.check(&record)?;
        Ok((record, counter))
    }

    fn holds_masks(&self) -> Result<bool, MaskStoreError> {
        for entry in fs::read_dir(&self.folder).map_err(|source| failed(&self.folder, source))? {
            let name = entry.map_err(|source| failed(&self.folder, source))?.file_name();
            if name.to_string_lossy().ends_with(".age") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn check(&self, record: &Record) -> Result<Counter, MaskStoreError> {
        let copy = |problem: String| Err(MaskStoreError::Copy { folder: self.folder.clone(), problem });
        if record.machine != machine() {
            return copy("belongs to another machine".into());
        }
        if record.path != self.path() {
            return copy(format!("belongs to {}", record.path));
        }
        if record.name != self.name {
            return copy("replaces another store".into());
        }
        match self.counter()? {
            None => copy(format!("its counter {} is missing", self.outside().display())),
            Some(known) if record.taken < known.taken => {
                copy(format!("records {} masks taken, but {} were taken", record.taken, known.taken))
            }
            Some(known) => Ok(known),
        }
    }

    /// None if it is missing or holds something else.
    fn counter(&self) -> Result<Option<Counter>, MaskStoreError> {
        Ok(read(&self.outside())?.and_then(|text| Counter::parse(&text)))
    }

    fn outside(&self) -> PathBuf {
        self.counters.join(&self.name)
    }

    fn read(&self) -> Result<Option<Record>, MaskStoreError> {
        let Some(text) = read(&self.file())? else { return Ok(None) };
        let lines: Vec<&str> = text.lines().collect();
        let wrong = || MaskStoreError::Binding { path: self.file() };
        let [KIND, name, machine, path, taken] = lines[..] else { return Err(wrong()) };
        if name.len() != NAME_BYTES || !name.bytes().all(|c| c.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let (name, machine, path) = (name.to_owned(), machine.to_owned(), path.to_owned());
        Ok(Some(Record { name, machine, path, taken: taken.parse().map_err(|_| wrong())? }))
    }

    fn write(&self, record: &Record) -> Result<(), MaskStoreError> {
        let Record { name, machine, path, taken } = record;
        write(&self.file(), &format!("{KIND}\n{name}\n{machine}\n{path}\n{taken}\n"))
    }

    fn write_outside(&self, counter: &Counter) -> Result<(), MaskStoreError> {
        write(&self.outside(), &counter.to_text())
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

    /// In one line, whatever characters the system allows in names.
    fn path(&self) -> String {
        self.folder.to_string_lossy().replace(char::is_control, "?")
    }
}

impl Counter {
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let kind = lines.next()? == COUNTER;
        let mut number = || lines.next()?.parse().ok();
        let (taken, given) = (number()?, number()?);
        let mut keys = BTreeMap::new();
        for line in lines {
            let mut words = line.split(' ');
            let key = words.next()?.to_owned();
            let highest = words.next()?.parse().ok()?;
            let returned = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
            keys.insert(key, Taken { highest, returned });
        }
        kind.then_some(Self { taken, given, keys })
    }

    fn to_text(&self) -> String {
        let mut text = format!("{COUNTER}\n{}\n{}\n", self.taken, self.given);
        for (key, Taken { highest, returned }) in &self.keys {
            let returned: String = returned.iter().map(|serial| format!(" {serial}")).collect();
            text += &format!("{key} {highest}{returned}\n");
        }
        text
    }
}

/// A name of this machine; empty if the system has none, and then only path and counter are checked.
fn machine() -> String {
    let id = fs::read("/etc/machine-id").unwrap_or_default();
    if id.is_empty() {
        return String::new();
    }
    let digest = Sha256::new_with_prefix("halflight mask store machine").chain_update(id).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(path: &Path) -> Result<Option<String>, MaskStoreError> {
    match files::read_text(path, MAX_BYTES) {
        Ok(text) => Ok(Some(text)),
        Err(FileError::System { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(FileError::TooLong { path, .. }) => Err(MaskStoreError::Binding { path }),
        Err(error) => Err(unusable(path, error)),
    }
}

fn write(path: &Path, text: &str) -> Result<(), MaskStoreError> {
    files::write(path, text.as_bytes(), Access::Secret).map_err(|error| unusable(path, error))
}

fn unusable(path: &Path, error: FileError) -> MaskStoreError {
    match error {
        FileError::System { source, .. } => failed(path, source),
        other => failed(path, io::Error::other(other)),
    }
}

fn failed(path: &Path, source: io::Error) -> MaskStoreError {
    MaskStoreError::Io { path: path.to_owned(), source }
}
