//! Envelopes: any bytes, and signed ones of both versions with bytes changed. What is accepted without a signature is
//! sealed to the same bytes; what is accepted with one is what was signed.

use std::sync::LazyLock;

use service::envelope::{Destination, Envelope};
use service::hash::Hash;
use service::signature::SigningKey;

use crate::edited;

/// Signed, in version 1 and 2, and unsigned.
static VALID: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    let key = SigningKey::generate().expect("the system gives randomness");
    let old = Envelope {
        suite: 1,
        public_key: Hash([3; 32]),
        nonce: [9; 16],
        sent: 1_795_355_100,
        destination: None,
        context: "ward 3".into(),
        body: b"ciphertext".to_vec(),
        signer: None,
    };
    let destination = Some(Destination { network: Hash([4; 32]), recipient: "north:8481".into() });
    let envelope = Envelope { destination, ..old.clone() };
    [(&old, Some(&key)), (&envelope, Some(&key)), (&envelope, None)]
        .map(|(envelope, key)| envelope.seal(key).expect("it is short"))
});

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, data @ ..] = data else { return };
    let bytes = match mode % 4 {
        0 => data.to_vec(),
        which => edited(&VALID[usize::from(which - 1)], data),
    };
    let Ok(envelope) = Envelope::open(&bytes) else { return };
    match envelope.signer {
        None => assert_eq!(envelope.seal(None).expect("it was sealed before"), bytes, "one envelope, one text"),
        Some(_) if mode % 4 != 0 => assert!(VALID.contains(&bytes), "a forged signature"),
        Some(_) => {}
    }
}
