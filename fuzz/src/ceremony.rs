//! Ceremonies: any definition, any transcript, and a valid definition with bytes changed. What is accepted is written
//! as the same bytes or reads back unchanged.

use std::sync::LazyLock;

use roles::ceremony::{Definition, ServerCard, Terms, Transcript};
use roles::keyfile::Unlock;
use roles::signature::SigningKey;

use crate::edited;

static VALID: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let card = |name: &str| ServerCard {
        name: name.into(),
        key: SigningKey::generate().expect("the system gives randomness").verifying_key(),
        recipient: Unlock::generate_identity().0.recipient().expect("it is an identity"),
    };
    let servers = ["north", "east", "south", "west"].map(card).to_vec();
    let terms = Terms { name: "wards", servers, threshold: 1, clerk: 1 };
    Definition::generate(terms, (3, 2)).expect("valid terms").to_bytes()
});

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, data @ ..] = data else { return };
    let bytes = match mode % 3 {
        0 => data.to_vec(),
        1 => [&b"HLtrans1"[..], data].concat(),
        _ => edited(&VALID, data),
    };
    if let Ok(definition) = Definition::from_bytes(&bytes) {
        assert_eq!(Definition::from_bytes(&definition.to_bytes()).expect("it was read before"), definition);
        if definition.ceremony().is_ok() {
            assert!(usize::from(definition.threshold()) < definition.servers().len());
        }
    }
    if let Ok(transcript) = Transcript::from_bytes(&bytes) {
        assert_eq!(transcript.to_bytes(), bytes);
        let _ = transcript.verify();
    }
}
