//! What witnesses get, and what they cosigned.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::note::{self, Note};
use super::super::witness::{Handover, Quorum};
use super::super::{Checkpoint, Entry, Head, LedgerError, Tree};
use super::Ledger;
use super::lock::lock;
use crate::files;
use crate::signature::VerifyingKey;

/// Most bytes of entries in a handover: others limit what they read.
pub const MOST_HANDED: usize = 32 << 20;
/// Entries that are read together.
const PAGE: usize = 500;
/// Most notes that are kept, one for each witness at most.
const MOST_NOTES: usize = 256;

impl Ledger {
    /// A signed head and the entries after number `after` that lead to it, for witnesses: the current head, or an earlier
    /// one where the entries have more than 32 MiB. A witness that cosigned that asks for the rest.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn handover(&self, after: i64) -> Result<Handover, LedgerError> {
        let _lock = lock(&self.head).await?;
        let mut connection = self.database.connection().await?;
        self.check_head(&mut connection).await?;
        self.catch_up(&mut connection).await?;
        drop(connection);
        let note = self.head.note(self.signers.keyring().keys())?;
        let size = Checkpoint::of(&note).map_err(LedgerError::Checkpoint)?.head.sequence;
        let (mut entries, mut bytes): (Vec<Entry>, usize) = (Vec::new(), 0);
        loop {
            let last = entries.last().map_or(after, |entry| entry.sequence);
            let page = self.page(last, PAGE).await?;
            let whole = page.len() < PAGE;
            for entry in page.into_iter().filter(|entry| entry.sequence <= size) {
                bytes += serde_json::to_string(&entry.text).map_or(0, |text| text.len()) + 64;
                if bytes > MOST_HANDED && !entries.is_empty() {
                    let head = entries.last().map_or(Head::EMPTY, Entry::head);
                    return Ok(Handover::new(&self.head.signed_note(head, &self.signers), &entries));
                }
                entries.push(entry);
            }
            if whole || entries.last().is_none_or(|entry| entry.sequence == size) {
                return Ok(Handover::new(&note, &entries));
            }
        }
    }

    /// Keeps the cosignatures of a checkpoint of this ledger beside the head; gives back the checkpoint and how many
    /// different witnesses of the quorum saw it or one after it. With the head of the tree after it, in `tree`, that is
    /// kept too. Of each witness the newest checkpoint is kept, so that none can push out what another one saw.
    ///
    /// # Errors
    /// It is not a checkpoint of this ledger, or nothing can be written.
    pub async fn keep_cosigned(&self, text: &str, tree: &Tree, quorum: &Quorum) -> Result<(Head, usize), LedgerError> {
        let mut notes = Note::parse_all(text, 2).map_err(LedgerError::Checkpoint)?.into_iter();
        let (Some(note), of_tree) = (notes.next(), notes.next()) else {
            return Err(LedgerError::Checkpoint("it is empty".into()));
        };
        let _lock = lock(&self.head).await?;
        if let Some(of_tree) = of_tree {
            self.keep_tree(of_tree, tree, quorum).await?;
        }
        let head = self.head_of(&note).await?.ok_or_else(|| {
            let problem = "it is not of this ledger: its key did not sign it, or its entry is not here";
            LedgerError::Checkpoint(problem.into())
        })?;
        if quorum.count(&note) == 0 {
            return Err(LedgerError::Checkpoint("none of the policy's witnesses cosigned it".into()));
        }
        let mut kept = kept(&self.cosigned_path())?;
        kept.push(note);
        let newest = self.newest(&kept, quorum).await?;
        let text: Vec<String> = newest.iter().map(|(_, note)| note.to_text()).collect();
        files::write(&self.cosigned_path(), text.join("\n").as_bytes())?;
        Ok((head, seen_by(&newest, quorum).iter().filter(|seen| seen.sequence >= head.sequence).count()))
    }

    /// The last entry that a quorum of witnesses is shown to have seen; none where there was none. A witness that cosigned
    /// a later head saw it too.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn witnessed(&self, quorum: &Quorum) -> Result<Option<Head>, LedgerError> {
        let newest = self.newest(&kept(&self.cosigned_path())?, quorum).await?;
        Ok(quorum.people.checked_sub(1).and_then(|place| seen_by(&newest, quorum).get(place).copied()))
    }

    /// The notes that are checkpoints of this ledger, with the signatures alone that count, and of each witness the newest
    /// one; the oldest first.
    async fn newest(&self, notes: &[Note], quorum: &Quorum) -> Result<Vec<(Head, Note)>, LedgerError> {
        // Several authorities on one ledger sign the same head under names of their own.
        let mut found: BTreeMap<(i64, String), (Head, Note)> = BTreeMap::new();
        for note in notes {
            let Some(head) = self.head_of(note).await? else { continue };
            let note = self.signatures(note, quorum.named()).await?;
            let (_, all) = found.entry((head.sequence, note.text.clone())).or_insert_with(|| (head, note.clone()));
            all.merge(&note);
        }
        let mut newest = Vec::new();
        let mut missing: BTreeMap<&str, &VerifyingKey> = quorum.named().collect();
        for (head, note) in found.into_values().rev() {
            let own: Vec<_> = missing.extract_if(.., |name, key| note.cosigned_at(name, key).is_some()).collect();
            if !own.is_empty() {
                newest.push((head, self.signatures(&note, own.into_iter()).await?));
            }
        }
        newest.reverse();
        Ok(newest)
    }

    /// A note of a checkpoint with the signatures alone of keys that count and of these witnesses: whoever brings one can
    /// add others, as many and as long as they like.
    async fn signatures<'a>(
        &self,
        note: &Note,
        witnesses: impl Iterator<Item = (&'a str, &'a VerifyingKey)>,
    ) -> Result<Note, LedgerError> {
        let Checkpoint { origin, head } = Checkpoint::of(note).map_err(LedgerError::Checkpoint)?;
        let proven = self.proven.lock().await;
        let logs = self.signers.keyring().keys().iter().chain(proven.signers_of(head.sequence));
        Ok(note.only(logs.map(|key| (origin.as_str(), key)), witnesses))
    }

    /// Keeps the cosignatures of a head of the tree, unless a newer one is kept that a quorum cosigned.
    async fn keep_tree(&self, note: Note, tree: &Tree, quorum: &Quorum) -> Result<(), LedgerError> {
        let checkpoint = Checkpoint::of(&note).map_err(LedgerError::Checkpoint)?;
        if !self.is_tree(&note, &checkpoint, tree).await || quorum.count(&note) == 0 {
            let problem = "the head of the tree is not of this ledger, or none of the policy's witnesses cosigned it";
            return Err(LedgerError::Checkpoint(problem.into()));
        }
        let mut note = self.signatures(&note, quorum.named()).await?;
        if let Some(kept) = kept(&self.tree_path())?.pop() {
            let before = Checkpoint::of(&kept).map_err(LedgerError::Checkpoint)?;
            if before.head.sequence > checkpoint.head.sequence && quorum.is_reached(&kept) {
                return Ok(());
            }
            note.merge(&self.signatures(&kept, quorum.named()).await?);
        }
        Ok(files::write(&self.tree_path(), note.to_text().as_bytes())?)
    }

    /// The newest head of the tree that a quorum of witnesses cosigned; none where there was none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn witnessed_tree(&self, tree: &Tree, quorum: &Quorum) -> Result<Option<Note>, LedgerError> {
        let Some(note) = kept(&self.tree_path())?.pop() else { return Ok(None) };
        let checkpoint = Checkpoint::of(&note).map_err(LedgerError::Checkpoint)?;
        let holds = quorum.is_reached(&note) && self.is_tree(&note, &checkpoint, tree).await;
        Ok(holds.then_some(note))
    }

    /// Whether this is the head of the tree over entries that are here, signed by a key that counts.
    async fn is_tree(&self, note: &Note, checkpoint: &Checkpoint, tree: &Tree) -> bool {
        let size = usize::try_from(checkpoint.head.sequence).ok();
        let root = size.and_then(|size| tree.first(size)).map(|tree| tree.root());
        root == Some(checkpoint.head.hash.0) && self.is_signed(note, checkpoint).await
    }

    async fn is_signed(&self, note: &Note, checkpoint: &Checkpoint) -> bool {
        let signed = |key: &VerifyingKey| note.is_signed(&checkpoint.origin, key);
        self.signers.keyring().keys().iter().any(signed)
            || self.proven.lock().await.signers_of(checkpoint.head.sequence).any(signed)
    }

    /// The head in a note, where a key that counts signed it and its entry is here.
    async fn head_of(&self, note: &Note) -> Result<Option<Head>, LedgerError> {
        let checkpoint = Checkpoint::of(note).map_err(LedgerError::Checkpoint)?;
        if !self.is_signed(note, &checkpoint).await {
            return Ok(None);
        }
        let mut connection = self.database.connection().await?;
        let found = self.database.hash_at(&mut connection, checkpoint.head.sequence).await?;
        Ok(found.is_some_and(|hash| hash == checkpoint.head.hash.to_string()).then_some(checkpoint.head))
    }

    fn cosigned_path(&self) -> PathBuf {
        self.head.path().with_extension("witnessed")
    }

    fn tree_path(&self) -> PathBuf {
        self.head.path().with_extension("tree")
    }
}

/// The newest head that each witness saw, the newest first; one key under two names is one witness.
fn seen_by(newest: &[(Head, Note)], quorum: &Quorum) -> Vec<Head> {
    let mut seen: BTreeMap<[u8; 32], Head> = BTreeMap::new();
    for (head, note) in newest {
        for (_, key) in quorum.named().filter(|(name, key)| note.cosigned_at(name, key).is_some()) {
            seen.insert(key.to_bytes(), *head);
        }
    }
    let mut heads: Vec<Head> = seen.into_values().collect();
    heads.sort_by_key(|head| std::cmp::Reverse(head.sequence));
    heads
}

/// The notes in a file; none where there is no file.
fn kept(path: &Path) -> Result<Vec<Note>, LedgerError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = files::read_text(path, (MOST_NOTES * note::MAX_BYTES) as u64)?;
    let format = |problem| LedgerError::HeadFormat { path: path.to_owned(), problem };
    Note::parse_all(&text, MOST_NOTES).map_err(format)
}
