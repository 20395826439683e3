//! What the fuzz targets do with one input: each module has a `run`, which panics where something does not hold.
//!
//! `fuzz/run.sh` lets libFuzzer call them. `cargo test` calls each with its committed corpus.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

#[cfg(feature = "service")]
pub mod ceremony;
pub mod csv;
pub mod dataset;
#[cfg(feature = "service")]
pub mod envelope;
pub mod evaluation;
#[cfg(feature = "service")]
pub mod grpc;
pub mod idx;
#[cfg(feature = "service")]
pub mod ledger;
pub mod masks;
pub mod mat;
pub mod mlm;
pub mod mutants;
pub mod network;
pub mod npz;
#[cfg(feature = "parquet")]
pub mod parquet;
#[cfg(feature = "service")]
pub mod people;
#[cfg(feature = "service")]
pub mod policy;
#[cfg(feature = "service")]
pub mod request;
pub mod schema;
#[cfg(feature = "service")]
pub mod signed;
pub mod tables;
pub mod tensors;
pub mod wav;
pub mod wire;

/// A target's name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets of the chosen features.
pub fn targets() -> Vec<Target> {
    #[cfg_attr(
        not(any(feature = "service", feature = "parquet")),
        allow(unused_mut, reason = "others are added below")
    )]
    let mut all: Vec<Target> = vec![
        ("csv", csv::run),
        ("dataset", dataset::run),
        ("evaluation", evaluation::run),
        ("idx", idx::run),
        ("masks", masks::run),
        ("mat", mat::run),
        ("mlm", mlm::run),
        ("mutants", mutants::run),
        ("network", network::run),
        ("npz", npz::run),
        ("schema", schema::run),
        ("tables", tables::run),
        ("tensors", tensors::run),
        ("wav", wav::run),
        ("wire", wire::run),
    ];
    #[cfg(feature = "parquet")]
    all.push(("parquet", parquet::run));
    #[cfg(feature = "service")]
    all.extend([
        ("ceremony", ceremony::run as fn(&[u8])),
        ("envelope", envelope::run),
        ("grpc", grpc::run),
        ("ledger", ledger::run),
        ("people", people::run),
        ("policy", policy::run),
        ("request", request::run),
        ("signed", signed::run),
    ]);
    all
}

/// Maximum number of bytes that an import may unpack here: few, so that larger requests are found soon.
pub const BUDGET: u64 = 16 << 20;

/// Makes the calling thread the only worker: handing work to others takes longer than most inputs.
pub fn alone() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
        threads.build_global().expect("nobody made the pool before");
    });
}

/// Lets panics that an import turns into errors pass: the hook of the fuzzer ends the process before they are caught.
/// A panic that nobody catches still is a finding.
pub fn caught() {
    static ONCE: Once = Once::new();
    if cfg!(fuzzing) {
        ONCE.call_once(|| std::panic::set_hook(Box::new(|_| ())));
    }
}

/// A file in a folder of its own, for parsers that read paths. `TMPDIR` should lie in memory.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// A file of this name.
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let folder = scratch().join(COUNT.fetch_add(1, Ordering::Relaxed).to_string());
        fs::create_dir_all(&folder).expect("temporary files can be made");
        Self(folder.join(name))
    }

    /// A file next to this one.
    pub fn beside(&self, name: &str) -> Self {
        Self(self.0.with_file_name(name))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Its path, after writing these bytes.
    pub fn put(&self, bytes: &[u8]) -> &Path {
        fs::write(&self.0, bytes).expect("temporary files can be written");
        &self.0
    }

    /// Its content.
    pub fn read(&self) -> Vec<u8> {
        fs::read(&self.0).expect("it was written")
    }
}

/// The folder of all temporary files of this process.
pub fn scratch() -> PathBuf {
    std::env::temp_dir().join(format!("halflight-fuzz-{}", std::process::id()))
}

/// Valid bytes with edits: each of four bytes says where, how and with what.
///
/// The third one chooses between replacing, removing and inserting a byte.
pub fn edited(valid: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    for edit in edits.chunks_exact(4) {
        let at = usize::from(u16::from_le_bytes([edit[0], edit[1]]));
        if bytes.is_empty() {
            break;
        }
        let at = at % bytes.len();
        match edit[2] {
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, edit[3]),
            _ => bytes[at] = edit[3],
        }
    }
    bytes
}

/// Bytes followed by their SHA-256, as in key files.
pub fn sealed(body: &[u8]) -> Vec<u8> {
    [body, &Sha256::digest(body)].concat()
}

/// A safetensors file of a header and data that are separated by a zero byte, its length put in front.
pub fn safetensors(text: &[u8]) -> Vec<u8> {
    let end = text.iter().position(|&byte| byte == 0);
    let (header, data) = end.map_or((text, &[][..]), |end| (&text[..end], &text[end + 1..]));
    [&(header.len() as u64).to_le_bytes()[..], header, data].concat()
}
