//! Shared code of the fuzz targets.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

use sha2::{Digest, Sha256};

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
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| ())));
}

/// A file, for parsers that read paths. `TMPDIR` should lie in memory.
pub struct Scratch(PathBuf);

impl Scratch {
    /// A file of this name in a folder of this process.
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("halflight-fuzz-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("temporary files can be made");
        Self(folder.join(name))
    }

    /// Its folder.
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
