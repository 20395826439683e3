//! Tables that serve a whole process: each is made once, and their total size is bounded.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use host::Progress;
use qfe::{Encryptor, LogTable, LogTableError};
use roles::{Owner, Published};

/// Bytes that the tables of public keys may take together; the one in use is kept whatever its size.
const ENCRYPTION_BYTES: usize = 512 << 20;

type Slot = Arc<OnceLock<Arc<Owner>>>;

/// The most recently used come first.
static OWNERS: Mutex<Vec<(Arc<Published>, Slot)>> = Mutex::new(Vec::new());

/// Discrete-log tables by bits, of which there are three sizes: they depend on the curve only.
static LOGARITHMS: Mutex<Vec<(u32, Arc<LogTable>)>> = Mutex::new(Vec::new());

/// An owner with the tables of its public key, built at the first call.
pub struct Kept(Slot);

impl Kept {
    /// The slot of these parameters.
    pub fn of(published: &Arc<Published>) -> Self {
        let mut owners = OWNERS.lock().unwrap_or_else(PoisonError::into_inner);
        let same =
            |other: &Published| other.key().id() == published.key().id() && other.encoder() == published.encoder();
        let entry = match owners.iter().position(|(other, _)| same(other)) {
            Some(place) => owners.remove(place),
            None => (Arc::clone(published), Slot::default()),
        };
        let slot = Arc::clone(&entry.1);
        owners.insert(0, entry);
        let mut bytes = 0;
        owners.retain(|(other, _)| {
            let (n, m) = other.key().inputs();
            let first = bytes == 0;
            bytes += Encryptor::table_bytes(n, m);
            first || bytes <= ENCRYPTION_BYTES
        });
        Self(slot)
    }

    /// The owner.
    pub fn owner(&self, published: &Published, progress: &dyn Progress) -> &Arc<Owner> {
        self.0.get_or_init(|| Arc::new(Owner::new(published, progress)))
    }
}

/// The discrete-log table of this many bits.
pub fn logarithms(bits: u32, progress: &dyn Progress) -> Result<Arc<LogTable>, LogTableError> {
    let mut tables = LOGARITHMS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, table)) = tables.iter().find(|(of, _)| *of == bits) {
        return Ok(Arc::clone(table));
    }
    let table = Arc::new(LogTable::build(bits, progress)?);
    tables.push((bits, Arc::clone(&table)));
    Ok(table)
}
