//! Signed notes, checkpoints, and what a ledger hands over to a witness: any bytes, and a signed and cosigned note with
//! bytes changed. A valid signature covers the text that was signed.

use std::sync::LazyLock;

use service::hash::Hash;
use service::ledger::{Checkpoint, Event, Handover, Head, Witness, note::Note};
use service::signature::{SigningKey, VerifyingKey};

use crate::{Scratch, edited};

struct Valid {
    log: VerifyingKey,
    other: VerifyingKey,
    origin: String,
    note: Note,
    text: String,
    witness: Witness,
}

static STATE: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("witness.json"));
static VALID: LazyLock<Valid> = LazyLock::new(|| {
    let generate = || SigningKey::generate().expect("the system gives randomness");
    let (key, other) = (generate(), generate());
    let origin = Checkpoint::origin_of(&key.verifying_key());
    let head = Head { sequence: 7, hash: Hash([9; 32]) };
    let mut note = Checkpoint { origin: origin.clone(), head }.note();
    note.sign(&origin, &key);
    note.cosign("north", &other, 1_795_355_100);
    let text = note.to_text();
    let witness = Witness::new("north", generate(), key.verifying_key(), STATE.path().into()).expect("a name");
    Valid { log: key.verifying_key(), other: other.verifying_key(), origin, note, text, witness }
});

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, data @ ..] = data else { return };
    let valid = &*VALID;
    let bytes = if mode % 2 == 0 { data.to_vec() } else { edited(valid.text.as_bytes(), data) };
    if let Ok(handover) = Handover::from_bytes(&bytes) {
        let again = Handover::from_bytes(&handover.to_bytes()).expect("it was read before");
        assert_eq!(again.to_bytes(), handover.to_bytes());
        // Entries that nobody signed lead nowhere.
        assert!(valid.witness.cosign(&handover, true).is_err());
        assert!(matches!(valid.witness.last(), Ok(None)));
    }
    let _ = serde_json::from_slice::<Event>(&bytes);
    let Ok(text) = std::str::from_utf8(&bytes) else { return };
    let _ = Head::parse_copy(text);
    let Ok(note) = Note::parse(text) else { return };
    assert_eq!(Note::parse(&note.to_text()).expect("it was read before"), note);
    if note.is_signed(&valid.origin, &valid.log) || note.cosigned_at("north", &valid.other).is_some() {
        assert_eq!(Checkpoint::of(&note), Checkpoint::of(&valid.note), "a forged head");
    }
    if let Ok(checkpoint) = Checkpoint::of(&note) {
        assert_eq!(Checkpoint::of(&checkpoint.note()).expect("it was read before"), checkpoint);
    }
}
