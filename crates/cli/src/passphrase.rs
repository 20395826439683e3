//! The source of the secret that unlocks master keys.

use std::io::{IsTerminal, stdin};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use roles::keyfile::Unlock;
use zeroize::Zeroizing;

use crate::files;

/// Environment variable that may hold the passphrase.
const VARIABLE: &str = "HALFLIGHT_PASSPHRASE";
const LIMIT: u64 = 4096;

/// The secret that unlocks master keys: an age identity, or a passphrase.
#[derive(Args)]
pub struct Secret {
    /// File with the age identity that unlocks master keys (`halflight keygen --identity`), instead of a passphrase
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    identity: Option<PathBuf>,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl Secret {
    /// The secret; a passphrase is asked for twice if it is `new`.
    pub fn unlock(&self, new: bool) -> Result<Unlock> {
        let Some(file) = &self.identity else { return Ok(Unlock::passphrase(self.passphrase.get(new)?.to_string())) };
        Unlock::load_identity(file).with_context(|| file.display().to_string())
    }
}

/// How a master key file is protected.
#[derive(Args)]
pub struct Passphrase {
    /// File whose first line is the master key's passphrase; otherwise the environment variable
    /// HALFLIGHT_PASSPHRASE, otherwise a prompt on the terminal
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Passphrase {
    /// The passphrase; asked for twice when a key is made.
    pub fn get(&self, confirm: bool) -> Result<Zeroizing<String>> {
        let passphrase = match (&self.passphrase_file, std::env::var(VARIABLE)) {
            (Some(path), _) => {
                let contents = Zeroizing::new(files::read(path, LIMIT)?);
                let text = std::str::from_utf8(&contents).with_context(|| format!("{}: not text", path.display()))?;
                Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
            }
            (None, Ok(value)) => Zeroizing::new(value),
            (None, Err(_)) if stdin().is_terminal() => ask(confirm)?,
            (None, Err(_)) => bail!("the master key needs a passphrase: give --passphrase-file or set {VARIABLE}"),
        };
        if passphrase.is_empty() {
            bail!("the passphrase is empty: choose one of several words");
        }
        Ok(passphrase)
    }
}

fn ask(confirm: bool) -> Result<Zeroizing<String>> {
    let passphrase = Zeroizing::new(rpassword::prompt_password("Passphrase of the master key: ")?);
    if confirm && *passphrase != *Zeroizing::new(rpassword::prompt_password("Repeat the passphrase: ")?) {
        bail!("the two passphrases differ: try again");
    }
    Ok(passphrase)
}
