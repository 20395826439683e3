//! Witnesses: people elsewhere who cosign a head once they have seen that it extends the last one they cosigned.
//!
//! Somebody who restores an older database together with its older head has a ledger that verifies. A witness that saw
//! the newer head cosigns no other continuation of the older one. So a key that is handed out only with a quorum of
//! cosignatures on a head that includes its issue is never handed out from a ledger that was rolled back.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::entry::chain;
use super::note::{self, Note};
use super::tree::{Edge, origin_of};
use super::{Checkpoint, Entry, Event, Head};
use crate::clock;
use crate::files::{self, FileError};
use crate::signature::{SigningKey, VerifyingKey};

const FORMAT: &str = "halflight ledger handover";
/// Maximum size of a handover, in bytes: an authority makes shorter ones, older versions did not.
pub const MAX_BYTES: u64 = 256 << 20;

/// A signed head, and the entries that lead to it: what an authority gives to its witnesses.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Handover {
    format: String,
    version: u32,
    /// The head, as a signed note.
    checkpoint: String,
    /// The head of the tree over the same entries, as another.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    tree: Option<String>,
    entries: Vec<Step>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Step {
    sequence: i64,
    at: i64,
    text: String,
}

/// Witnesses by name, and how many of them must cosign.
#[derive(Clone, Debug, PartialEq)]
pub struct Quorum {
    /// How many.
    pub people: usize,
    /// Public keys by name.
    pub witnesses: BTreeMap<String, VerifyingKey>,
}

/// A witness of one ledger, with a file that remembers the last head that it cosigned.
pub struct Witness {
    name: String,
    key: SigningKey,
    log: VerifyingKey,
    /// Keys of other authorities that write to the same ledger.
    writers: Vec<VerifyingKey>,
    state: PathBuf,
}

/// What a witness remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Seen {
    version: u32,
    log: VerifyingKey,
    head: Head,
    /// The edge of the tree over all entries; none where a witness began before there was a tree.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    edge: Option<Edge>,
    /// Ledger keys that took over from known ones.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    successors: Vec<VerifyingKey>,
    /// Ledger keys that were retired, with the last entry of each.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    retired: Vec<(VerifyingKey, i64)>,
}

/// A head that is not cosigned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// The name cannot stand in a signature line.
    #[error("name: '{0}' cannot be a witness's name; use letters, digits, '-' and '.', as in the authority's policy")]
    Name(String),
    /// It is not a handover.
    #[error("handover: {0}; make one with `halflight authority ledger checkpoint`")]
    Format(String),
    /// The ledger's key did not sign the head.
    #[error("handover: its checkpoint is not signed by the ledger key {0}")]
    Signature(VerifyingKey),
    /// The head is older than one seen before.
    #[error("the checkpoint has {offered} entries, {seen} were seen before: the ledger went back, and is not cosigned")]
    Older {
        /// Entries of what was offered.
        offered: i64,
        /// Entries seen.
        seen: i64,
    },
    /// The head does not continue the one seen before.
    #[error(
        "the checkpoint of {offered} entries does not continue the {seen} entries seen before: the ledger was rewritten, \
         or went back and was continued, and is not cosigned"
    )]
    Forked {
        /// Entries of what was offered.
        offered: i64,
        /// Entries seen.
        seen: i64,
    },
    /// The tree is not that of the entries.
    #[error("the checkpoint of the tree is not the tree over the {0} entries of the ledger, and nothing is cosigned")]
    Tree(i64),
    /// Entries between are missing.
    #[error("handover: it begins after entry {0}, and entries before it are missing; ask for the entries after {1}")]
    Gap(i64, i64),
    /// Nothing was seen before, and nobody said that this is the first time.
    #[error("{0}: nothing was seen yet; if that is right, say that this is the first time, else restore the file")]
    First(PathBuf),
    /// The file holds something else.
    #[error("{path}: {problem}; restore the file: without it nothing is cosigned")]
    State {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Handover {
    pub(super) fn new(note: &Note, entries: &[Entry]) -> Self {
        let step = |entry: &Entry| Step { sequence: entry.sequence, at: entry.at, text: entry.text.clone() };
        let entries = entries.iter().map(step).collect();
        Self { format: FORMAT.into(), version: 1, checkpoint: note.to_text(), tree: None, entries }
    }

    /// With the head of the tree over the entries up to the head, for witnesses to cosign it too.
    pub(crate) fn with_tree(self, tree: &Note) -> Self {
        Self { tree: Some(tree.to_text()), ..self }
    }

    /// Entries of the ledger up to its head.
    pub fn size(&self) -> Option<usize> {
        let head = Checkpoint::of(&Note::parse(&self.checkpoint).ok()?).ok()?.head;
        usize::try_from(head.sequence).ok()
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`WitnessError::Format`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WitnessError> {
        let read: Self = serde_json::from_slice(bytes).map_err(|error| WitnessError::Format(error.to_string()))?;
        if read.format != FORMAT || read.version != 1 {
            return Err(WitnessError::Format(format!("format '{}', version {}", read.format, read.version)));
        }
        Ok(read)
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings and numbers only: cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Quorum {
    /// How many different witnesses cosigned a note.
    pub fn count(&self, note: &Note) -> usize {
        let signed = self.witnesses.iter().filter(|(name, key)| note.cosigned_at(name, key).is_some());
        // One key under two names is one witness.
        signed.map(|(_, key)| key.to_bytes()).collect::<std::collections::BTreeSet<_>>().len()
    }

    /// The witnesses by name.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, &VerifyingKey)> {
        self.witnesses.iter().map(|(name, key)| (name.as_str(), key))
    }

    /// Whether enough did.
    pub fn is_reached(&self, note: &Note) -> bool {
        self.count(note) >= self.people
    }
}

impl Witness {
    /// A witness of the ledger whose key is `log`; `state` remembers what it saw.
    ///
    /// # Errors
    /// The name cannot stand in a signature line.
    pub fn new(name: &str, key: SigningKey, log: VerifyingKey, state: PathBuf) -> Result<Self, WitnessError> {
        if !note::is_name(name) {
            return Err(WitnessError::Name(name.chars().take(80).collect()));
        }
        Ok(Self { name: name.to_owned(), key, log, writers: Vec::new(), state })
    }

    /// The same, for a ledger that others write to as well: heads that any of them signed continue one another.
    pub fn with_writers(self, writers: Vec<VerifyingKey>) -> Self {
        Self { writers, ..self }
    }

    /// Cosigns the head of a handover, once it is shown to continue the last one seen: the note with the cosignature, and
    /// after it that of the tree where the handover has one and this witness saw all entries. `first`: whether nothing may have been seen before. What was seen is on the disk before this returns.
    ///
    /// # Errors
    /// [`WitnessError`]; nothing is cosigned or remembered then.
    pub fn cosign(&self, handover: &Handover, first: bool) -> Result<(Head, String), WitnessError> {
        let note = Note::parse(&handover.checkpoint).map_err(WitnessError::Format)?;
        let Checkpoint { origin, head } = Checkpoint::of(&note).map_err(WitnessError::Format)?;
        let path = self.state.with_extension("lock");
        let fail = |source| FileError::System { path: path.clone(), action: "written", source };
        let turn = File::options().append(true).create(true).open(&path).map_err(fail)?;
        turn.lock().map_err(fail)?;
        let before = self.seen(first)?;
        let seen = self.follow(before, head, handover)?;
        // The key that signs may have taken over in one of the entries that lead here.
        let signed = |key: &VerifyingKey| origin == Checkpoint::origin_of(key) && note.is_signed(&origin, key);
        if !self.logs(&seen).any(signed) {
            return Err(WitnessError::Signature(self.log.clone()));
        }
        let tree = self.tree(handover, head, &seen)?;
        let seen = Seen { log: self.log.clone(), ..seen };
        let text = serde_json::to_vec_pretty(&seen).map_err(|error| self.state_error(error.to_string()))?;
        files::write(&self.state, &text)?;
        let now = clock::now().max(0) as u64;
        let cosigned = [Some(note), tree].into_iter().flatten().map(|mut note| {
            note.cosign(&self.name, &self.key, now);
            note.to_text()
        });
        Ok((head, cosigned.collect::<Vec<_>>().join("\n")))
    }

    /// The head of the tree that a handover offers, once it is shown to be that of the entries seen.
    fn tree(&self, handover: &Handover, head: Head, seen: &Seen) -> Result<Option<Note>, WitnessError> {
        let (Some(text), Some(edge)) = (&handover.tree, &seen.edge) else { return Ok(None) };
        let note = Note::parse(text).map_err(WitnessError::Format)?;
        let Checkpoint { origin, head: offered } = Checkpoint::of(&note).map_err(WitnessError::Format)?;
        if offered.sequence != head.sequence || offered != edge.head() {
            return Err(WitnessError::Tree(head.sequence));
        }
        let signed = |key: &VerifyingKey| origin == origin_of(key) && note.is_signed(&origin, key);
        if !self.logs(seen).any(signed) {
            return Err(WitnessError::Signature(self.log.clone()));
        }
        Ok(Some(note))
    }

    /// The last head that was seen; none where nothing was.
    ///
    /// # Errors
    /// The file cannot be read, or is about another ledger.
    pub fn last(&self) -> Result<Option<Head>, WitnessError> {
        Ok(self.read()?.map(|seen| seen.head))
    }

    fn read(&self) -> Result<Option<Seen>, WitnessError> {
        let Some(bytes) = files::read_if_there(&self.state, 1 << 16)? else { return Ok(None) };
        let seen: Seen = serde_json::from_slice(&bytes).map_err(|error| self.state_error(error.to_string()))?;
        let known = |log: &VerifyingKey| *log == seen.log || seen.successors.contains(log);
        if seen.version != 1 || !self.named().any(known) {
            return Err(self.state_error(format!("version {}, about the ledger of key {}", seen.version, seen.log)));
        }
        Ok(Some(seen))
    }

    /// Keys of the ledger's writers that this witness was given.
    fn named(&self) -> impl Iterator<Item = &VerifyingKey> {
        std::iter::once(&self.log).chain(&self.writers)
    }

    /// Keys that may sign the head that was seen.
    fn logs<'a>(&'a self, seen: &'a Seen) -> impl Iterator<Item = &'a VerifyingKey> {
        let ended =
            |key: &VerifyingKey| seen.retired.iter().any(|(old, last)| old == key && *last < seen.head.sequence);
        self.named().chain(&seen.successors).filter(move |key| !ended(key))
    }

    fn seen(&self, first: bool) -> Result<Seen, WitnessError> {
        match self.read()? {
            Some(seen) => Ok(seen),
            None if first => Ok(Seen {
                version: 1,
                log: self.log.clone(),
                head: Head::EMPTY,
                edge: Some(Edge::default()),
                successors: Vec::new(),
                retired: Vec::new(),
            }),
            None => Err(WitnessError::First(self.state.clone())),
        }
    }

    /// What is seen with this head, once the entries are shown to lead to it from the last one.
    fn follow(&self, mut seen: Seen, head: Head, handover: &Handover) -> Result<Seen, WitnessError> {
        let (offered, known) = (head.sequence, seen.head.sequence);
        if seen.edge.is_none() {
            seen.edge = edge_of(handover, seen.head);
        }
        if offered < known {
            return Err(WitnessError::Older { offered, seen: known });
        }
        for step in handover.entries.iter().filter(|step| step.sequence > known && step.sequence <= offered) {
            let last = seen.head;
            if step.sequence != last.sequence + 1 {
                return Err(WitnessError::Gap(last.sequence, known));
            }
            if let Ok(Event::LedgerKeyRetired(retirement)) = serde_json::from_str(&step.text)
                && self.logs(&seen).any(|key| *key == retirement.key)
                // Its last entry is its own retirement: it cannot name another successor after it.
                && !seen.retired.iter().any(|(key, _)| *key == retirement.key || *key == retirement.successor)
                && retirement.holds(step.sequence, last.hash)
            {
                seen.successors.push(retirement.successor);
                seen.retired.push((retirement.key, step.sequence));
            }
            seen.head = step.after(last);
            if let Some(edge) = &mut seen.edge {
                edge.push(&seen.head.hash);
            }
        }
        if seen.head.sequence != offered {
            return Err(WitnessError::Gap(seen.head.sequence, known));
        }
        if seen.head.hash != head.hash {
            return Err(WitnessError::Forked { offered, seen: known });
        }
        Ok(seen)
    }

    fn state_error(&self, problem: String) -> WitnessError {
        WitnessError::State { path: self.state.clone(), problem }
    }
}

impl Step {
    /// The head with this entry, after the last one.
    fn after(&self, last: Head) -> Head {
        Head { sequence: self.sequence, hash: chain(self.sequence, self.at, &self.text, last.hash) }
    }
}

/// The edge of the tree up to a head that was seen, where a handover has all entries that lead to it.
fn edge_of(handover: &Handover, seen: Head) -> Option<Edge> {
    let (mut edge, mut last) = (Edge::default(), Head::EMPTY);
    for step in handover.entries.iter().filter(|step| step.sequence <= seen.sequence) {
        if step.sequence != last.sequence + 1 {
            return None;
        }
        last = step.after(last);
        edge.push(&last.hash);
    }
    (last == seen).then_some(edge)
}

#[cfg(test)]
mod tests {
    use super::super::retirement::Retirement;
    use super::*;

    /// An entry in which one key hands over to another, after `last`, and the head that `signer` signs after it.
    fn handed(last: Head, [old, new]: [&SigningKey; 2], signer: &SigningKey) -> (Head, Handover) {
        let retirement = Retirement::sign(old, new, last, "test");
        let text = serde_json::to_string(&Event::LedgerKeyRetired(retirement)).unwrap();
        let (sequence, at) = (last.sequence + 1, 7);
        let head = Head { sequence, hash: chain(sequence, at, &text, last.hash) };
        let origin = Checkpoint::origin_of(&signer.verifying_key());
        let mut note = Checkpoint { origin: origin.clone(), head }.note();
        note.sign(&origin, signer);
        let entries = vec![Step { sequence, at, text }];
        (head, Handover { format: FORMAT.into(), version: 1, checkpoint: note.to_text(), tree: None, entries })
    }

    /// Whoever stole a retired key named a successor of their own in the very next entry.
    #[test]
    fn a_retired_key_names_no_second_successor() {
        let folder = tempfile::tempdir().unwrap();
        let [stolen, new, thief, key] = std::array::from_fn(|_| SigningKey::generate().unwrap());
        let witness = Witness::new("north", key, stolen.verifying_key(), folder.path().join("north.state")).unwrap();
        let (head, rotation) = handed(Head::EMPTY, [&stolen, &new], &new);
        assert_eq!(witness.cosign(&rotation, true).unwrap().0, head);
        let (_, forged) = handed(head, [&stolen, &thief], &thief);
        assert!(matches!(witness.cosign(&forged, false), Err(WitnessError::Signature(_))));
        // The key in use hands over as before, and not back to a retired one.
        let (_, back) = handed(head, [&new, &stolen], &stolen);
        assert!(witness.cosign(&back, false).is_err());
        let next = SigningKey::generate().unwrap();
        let (head, rotation) = handed(head, [&new, &next], &next);
        assert_eq!(witness.cosign(&rotation, false).unwrap().0, head);
    }
}
