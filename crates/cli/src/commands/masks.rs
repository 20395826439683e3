//! `halflight masks`: the owner's work that needs no input, done in advance.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use host::Progress;
use roles::keyfile::Lock;
use roles::{MaskStore, Published};
use serde_json::json;

use super::encrypt::mask_counters;
use crate::console::Console;
use crate::keys;
use crate::passphrase::Passphrase;

/// Draws masks and stores them encrypted; each is used once and destroyed before its ciphertext is written.
#[derive(Args)]
#[command(after_help = "Example:\n  halflight masks --parameters authority/public --count 100 --out masks\n  \
    halflight encrypt --parameters authority/public --data test.safetensors --masks masks --out ciphertexts")]
pub struct Masks {
    /// Folder of published parameters
    #[arg(long, value_name = "FOLDER")]
    parameters: PathBuf,
    /// Masks to draw
    #[arg(long, default_value_t = 10)]
    count: usize,
    /// Folder to keep them in, made if missing
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl Masks {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let parameters = Published::read(&self.parameters)?;
        let lock = Lock::passphrase(self.passphrase.get(true)?.to_string());
        fs::create_dir_all(&self.out).with_context(|| format!("{}: cannot be made", self.out.display()))?;
        let store = MaskStore::open(&self.out, &mask_counters()?)?;
        // Masks that a killed run had taken may have been used.
        let discarded = store.discard_taken()?;
        let encryptor = keys::encryptor(parameters.key(), console);
        let bar = console.bar("drawing masks");
        bar.begin(self.count as u64);
        for _ in 0..self.count {
            store.put(encryptor.draw_mask(&mut host::fresh_rng()), &lock)?;
            bar.advance(1);
        }
        bar.finish_and_clear();
        let left = store.len(parameters.key().id())?;
        console.result(&json!({ "folder": self.out, "masks": left, "discarded": discarded }), || {
            format!("{}: {left} masks", self.out.display())
        })
    }
}
