//! What may be wrong with a token.

use std::path::PathBuf;

use cryptoki::error::Error;

/// Why a key in a token cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The address of the key.
    #[error(
        "{0}; write it as pkcs11:token=LABEL;object=LABEL?module-path=/usr/lib/MODULE.so&pin-source=/etc/halflight/pin"
    )]
    Uri(String),
    /// The maker's module cannot be loaded.
    #[error("PKCS#11 module {}: {reason}; name the file that the maker of the token gives", path.display())]
    Module {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A program that is linked statically with musl has no loader.
    #[error("this build is static and cannot load a PKCS#11 module; use a build for glibc (…-unknown-linux-gnu)")]
    Static,
    /// No PIN.
    #[error("the PIN of token '{token}': {problem}; name a file of mode 600 by pin-source, or set HALFLIGHT_PIN")]
    Pin {
        /// The token's label.
        token: String,
        /// Why.
        problem: String,
    },
    /// Not exactly one token or key of this name.
    #[error("{found} {what} '{name}'; exactly one must be there")]
    Count {
        /// How many.
        found: usize,
        /// Of what.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The key is none that this program can use.
    #[error("key '{name}' in the token: {problem}; use a P-256 key that may derive")]
    Key {
        /// Its name.
        name: String,
        /// Why.
        problem: String,
    },
    /// The token refused.
    #[error("the token refused to {action}: {source}")]
    Refused {
        /// What it was asked for.
        action: &'static str,
        /// What it said.
        source: Error,
    },
    /// A file was not sealed to this key, or was changed.
    #[error("not sealed to this key, or changed since")]
    Sealed,
}
