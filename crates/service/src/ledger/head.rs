//! The last entry, remembered outside the database as a signed checkpoint.
//!
//! ```text
//! halflight/ledger/3f1c9a…        origin: the ledger key that began this head file
//! 42                              number of entries
//! q83v…=                          hash of the last one, base64
//!
//! — halflight/ledger/3f1c9a… …    signature of the ledger key
//! ```
//!
//! The layout is that of [c2sp.org/tlog-checkpoint](https://c2sp.org/tlog-checkpoint); the hash is that of the chain, not
//! of a tree.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::note::{self, Note};
use super::{LedgerError, Signers};
use crate::files;
use crate::hash::{Hash, to_hex};
use crate::signature::VerifyingKey;

/// The hash before the first entry.
pub const GENESIS: Hash = Hash([0; 32]);

/// Place and hash of the last entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of entries.
    pub sequence: i64,
    /// Hash of the last one.
    pub hash: Hash,
}

/// A head, and the ledger that it is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Names the ledger.
    pub origin: String,
    /// Its last entry.
    pub head: Head,
}

/// The file that holds a signed [`Head`].
#[derive(Clone, Debug)]
pub(super) struct HeadFile(pub PathBuf);

impl Head {
    /// Before the first entry.
    pub const EMPTY: Self = Self { sequence: 0, hash: GENESIS };

    /// Reads a copy of a head file: a checkpoint, or the older JSON; signatures are not checked.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse_copy(text: &str) -> Result<Self, String> {
        if text.trim_start().starts_with('{') {
            return serde_json::from_str(text).map_err(|error| error.to_string());
        }
        Ok(Checkpoint::of(&Note::parse(text)?)?.head)
    }
}

impl Checkpoint {
    /// What a ledger of this key is called.
    pub fn origin_of(key: &VerifyingKey) -> String {
        format!("halflight/ledger/{}", to_hex(&key.to_bytes()[..16]))
    }

    /// The checkpoint in a note. Lines after the hash are allowed and ignored.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(note: &Note) -> Result<Self, String> {
        let mut lines = note.text.lines();
        let mut line = |name: &str| lines.next().ok_or(format!("it has no {name}"));
        let origin = line("origin")?.to_owned();
        let size = line("size")?;
        let sequence: i64 = size.parse().map_err(|_| format!("its size is '{size}'"))?;
        let hash = STANDARD.decode(line("hash")?).ok().and_then(|bytes| bytes.try_into().ok());
        let hash = Hash(hash.ok_or("its hash is not 32 bytes in base64")?);
        if !note::is_name(&origin) || sequence < 0 || sequence.to_string() != size {
            return Err(format!("its origin is '{origin}', its size '{size}'"));
        }
        Ok(Self { origin, head: Head { sequence, hash } })
    }

    /// As an unsigned note.
    pub fn note(&self) -> Note {
        let Self { origin, head } = self;
        Note::new(format!("{origin}\n{}\n{}\n", head.sequence, STANDARD.encode(head.hash.0)))
    }
}

impl HeadFile {
    /// The head, or none where no file is; once one of `keys` is shown to have signed it. `adopt`: whether one that is
    /// not signed counts.
    pub fn read<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a VerifyingKey>,
        adopt: bool,
    ) -> Result<Option<Head>, LedgerError> {
        self.text()?.map(|text| self.parse(&text, keys, adopt)).transpose()
    }

    /// As [`HeadFile::read`], of what the file held.
    pub fn parse<'a>(
        &self,
        text: &str,
        keys: impl IntoIterator<Item = &'a VerifyingKey>,
        adopt: bool,
    ) -> Result<Head, LedgerError> {
        if text.trim_start().starts_with('{') {
            let head: Head = serde_json::from_str(text).map_err(|error| self.format(error.to_string()))?;
            // An empty one says nothing: it counts where there are no entries, see `is_unsigned`.
            if head.sequence > 0 && !adopt {
                return Err(self.format(
                    "it is not signed, though this authority has a ledger key; restore it from a copy".into(),
                ));
            }
            return Ok(head);
        }
        Ok(self.signed(text, keys)?.1.head)
    }

    /// Whether an unsigned file exists.
    pub fn is_unsigned(&self) -> Result<bool, LedgerError> {
        Ok(self.text()?.is_some_and(|text| text.trim_start().starts_with('{')))
    }

    /// The error for a head that fits any end.
    pub fn empty(&self) -> LedgerError {
        LedgerError::HeadEmpty { path: self.0.clone() }
    }

    /// The signed note in the file.
    pub fn note<'a>(&self, keys: impl IntoIterator<Item = &'a VerifyingKey>) -> Result<Note, LedgerError> {
        let text = self.text()?.ok_or_else(|| LedgerError::HeadMissing { path: self.0.clone() })?;
        Ok(self.signed(&text, keys)?.0)
    }

    fn signed<'a>(
        &self,
        text: &str,
        keys: impl IntoIterator<Item = &'a VerifyingKey>,
    ) -> Result<(Note, Checkpoint), LedgerError> {
        let note = Note::parse(text).map_err(|problem| self.format(problem))?;
        let checkpoint = Checkpoint::of(&note).map_err(|problem| self.format(problem))?;
        if keys.into_iter().any(|key| note.is_signed(&checkpoint.origin, key)) {
            return Ok((note, checkpoint));
        }
        Err(self.format(
            "no ledger key that counts here signed it; restore it from a copy, or start again where the ledger key was \
             rotated"
                .into(),
        ))
    }

    /// What the file holds, whoever wrote it.
    pub fn text(&self) -> Result<Option<String>, LedgerError> {
        if !self.0.exists() {
            return Ok(None);
        }
        Ok(Some(files::read_text(&self.0, note::MAX_BYTES as u64)?))
    }

    /// Replaces the head, on the disk when this returns.
    pub fn write(&self, head: Head, signers: &Signers) -> Result<(), LedgerError> {
        Ok(files::write(&self.0, self.signed_note(head, signers).to_text().as_bytes())?)
    }

    /// A head of this ledger, signed.
    pub fn signed_note(&self, head: Head, signers: &Signers) -> Note {
        let origin = Checkpoint::origin_of(&signers.key());
        let mut note = Checkpoint { origin: origin.clone(), head }.note();
        for key in [Some(signers.own()), signers.next()].into_iter().flatten() {
            note.sign(&origin, key);
        }
        note
    }

    /// The error of an end that is not the one remembered; `found`: what is there instead.
    pub fn cut(&self, Head { sequence, hash }: Head, found: String) -> LedgerError {
        LedgerError::Cut { path: self.0.clone(), sequence, hash, found }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    fn format(&self, problem: String) -> LedgerError {
        LedgerError::HeadFormat { path: self.0.clone(), problem }
    }
}
