//! The checks of an item that are possible before it costs an evaluation.

use std::sync::Arc;

use axum::http::StatusCode;
use qfe::peek;
use roles::admission::{Admitted, Refusal};

use super::model::Model;
use super::replay::{ReplayError, Replays, Slot};
use crate::clock;
use crate::envelope::Envelope;
use crate::hash::Hash;
use crate::transport::Problem;

/// The contents of an item.
pub struct Item {
    /// The ciphertext, as it came.
    pub ciphertext: Vec<u8>,
    /// Identifies its envelope, if it came in one.
    pub seal: Option<Seal>,
}

/// What identifies an envelope.
pub struct Seal {
    name: Hash,
    sender: Arc<str>,
    sent: i64,
}

/// The public key that an item was made for and, if it names one, the network. Nothing is checked yet.
pub fn destination(item: &[u8]) -> Option<(Hash, Option<Hash>)> {
    if Envelope::is(item) {
        let envelope = Envelope::open(item).ok()?;
        return Some((envelope.public_key, envelope.destination.map(|destination| destination.network)));
    }
    peek(item).ok().map(|header| (Hash(*header.public_key_id.as_bytes()), None))
}

/// The ciphertext in an item: the item itself, or what its envelope holds, once sender, context, time and key fit.
/// `source`: the sender, as identified by the connection.
pub fn ciphertext(model: &Model, replays: &Replays, source: &Arc<str>, item: Vec<u8>) -> Result<Item, Problem> {
    let Admitted { ciphertext, seal } = model.admission().admit(item.into()).map_err(refused)?;
    let seal = seal.map(|seal| -> Result<Seal, Problem> {
        replays.check(seal.sent, clock::now()).map_err(replayed)?;
        let sender = seal.sender.map_or_else(|| Arc::clone(source), |key| key.to_string().into());
        Ok::<_, Problem>(Seal { name: seal.name, sender, sent: seal.sent })
    });
    Ok(Item { ciphertext: ciphertext.into_owned(), seal: seal.transpose()? })
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Malformed(detail) => Problem::bad_request(detail),
        Refusal::Forbidden(detail) => Problem::new(StatusCode::FORBIDDEN, detail),
        refusal => Problem::refused(refusal),
    }
}

/// Accepts an envelope and remembers it, so that nobody can send it again.
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
