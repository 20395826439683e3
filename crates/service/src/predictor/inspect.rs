//! What can be said about an item before it costs an evaluation.

use std::sync::Arc;

use axum::http::StatusCode;
use qfe::{Kind, peek};

use super::model::Model;
use super::replay::{ReplayError, Replays, Slot};
use crate::clock;
use crate::envelope::Envelope;
use crate::hash::Hash;
use crate::transport::Problem;

/// What is in an item.
pub struct Item {
    /// The ciphertext, as it came.
    pub ciphertext: Vec<u8>,
    /// Of its envelope, where it came in one.
    pub seal: Option<Seal>,
}

/// What tells an envelope from others.
pub struct Seal {
    name: Hash,
    sender: Arc<str>,
    sent: i64,
}

/// The public key that an item was made for and, where it says so, the network. Nothing is checked yet.
pub fn destination(item: &[u8]) -> Option<(Hash, Option<Hash>)> {
    if Envelope::is(item) {
        let envelope = Envelope::open(item).ok()?;
        return Some((envelope.public_key, envelope.destination.map(|destination| destination.network)));
    }
    peek(item).ok().map(|header| (Hash(*header.public_key_id.as_bytes()), None))
}

/// The ciphertext in an item: the item itself, or what its envelope holds, once sender, context, time and key fit.
/// `source`: who brings it, as the connection tells.
pub fn ciphertext(model: &Model, replays: &Replays, source: &Arc<str>, item: Vec<u8>) -> Result<Item, Problem> {
    let (body, seal) = if Envelope::is(&item) {
        let (body, seal) = open(model, replays, source, &item)?;
        (body, Some(seal))
    } else if model.options().require_signature || model.options().wants_envelope() {
        let detail = match model.options() {
            options if options.require_signature => "this model takes ciphertexts in signed envelopes only; send one",
            options if options.context.is_none() => {
                "this model takes ciphertexts in envelopes that name their recipient only; send one"
            }
            _ => "this model takes ciphertexts in envelopes with its context only; send one",
        };
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    } else {
        (item, None)
    };
    let header =
        peek(&body).map_err(|error| Problem::bad_request(format!("the ciphertext cannot be read: {error}")))?;
    if header.kind != Kind::Ciphertext {
        return Err(Problem::bad_request(format!("a {} was sent; send a ciphertext", header.kind)));
    }
    let expected = model.parameters().public_key;
    if header.public_key_id.as_bytes() != &expected.0 {
        return Err(Problem::refused(format!(
            "the ciphertext was made with public key {}, this model opens {expected}; fetch its public key and encrypt \
             again",
            header.public_key_id
        )));
    }
    if (header.n, header.m) != model.parameters().encoder.inputs() {
        let (n, m) = model.parameters().encoder.inputs();
        let detail = format!("the ciphertext has {} and {} inputs, this model takes {n} and {m}", header.n, header.m);
        return Err(Problem::refused(detail));
    }
    Ok(Item { ciphertext: body, seal })
}

/// Takes an envelope, which nobody can then send again.
pub fn take(model: &Model, replays: &Replays, seal: &Seal) -> Result<Slot, Problem> {
    replays.take(model.name(), &seal.sender, seal.name, seal.sent, clock::now()).map_err(replayed)
}

fn replayed(error: ReplayError) -> Problem {
    match error {
        ReplayError::Again => Problem::new(StatusCode::CONFLICT, error.to_string()),
        ReplayError::Time { .. } => Problem::refused(error),
        ReplayError::Full => Problem::busy(60, error),
        ReplayError::Sender => Problem::new(StatusCode::TOO_MANY_REQUESTS, error.to_string()).retry_after(60),
    }
}

fn open(model: &Model, replays: &Replays, source: &Arc<str>, item: &[u8]) -> Result<(Vec<u8>, Seal), Problem> {
    use crate::envelope::EnvelopeError::Signature;
    let forbidden = |detail: String| Problem::new(StatusCode::FORBIDDEN, detail);
    let envelope = Envelope::open(item).map_err(|error| match error {
        Signature(error) => forbidden(error.to_string()),
        error => Problem::bad_request(error),
    })?;
    let options = model.options();
    match &envelope.signer {
        None if options.require_signature => return Err(forbidden("this model takes signed envelopes only".into())),
        Some(key) if options.require_signature && !options.senders.values().any(|known| known == key) => {
            return Err(forbidden(format!("the sender {key} is not known to this model")));
        }
        _ => {}
    }
    if options.context.as_ref().is_some_and(|context| *context != envelope.context) {
        return Err(Problem::refused("the envelope was made for another context than this model's"));
    }
    if envelope.public_key != model.parameters().public_key {
        let (found, expected) = (envelope.public_key, model.parameters().public_key);
        return Err(Problem::refused(format!("the envelope names public key {found}, this model opens {expected}")));
    }
    let network = model.parameters().network;
    envelope.check(qfe::SUITE, network, options.recipient.as_deref()).map_err(Problem::refused)?;
    replays.check(envelope.sent, clock::now()).map_err(replayed)?;
    let signer = envelope.signer.as_ref().map(|key| key.to_bytes()).unwrap_or_default();
    let name = Hash::of("halflight envelope seen v1", &[&signer, &envelope.nonce]);
    // Anybody has as many keys as he likes: only one that the model names tells a sender.
    let sender = match &envelope.signer {
        Some(key) if options.require_signature => key.to_string().into(),
        _ => Arc::clone(source),
    };
    Ok((envelope.body, Seal { name, sender, sent: envelope.sent }))
}
