//! The minutes of a step: the messages that count, in one file that the clerk signs, chained to the step before.
//!
//! All servers take the messages of a step from its minutes, so that they see the same ones. A clerk who omits
//! messages, or writes two minutes of one step, can stop the ceremony, but cannot get a result signed, see
//! [`Board::verify`](qfe::shares::ceremony::Board::verify).

use std::collections::BTreeMap;

use qfe::shares::ceremony::Board;

use super::{AttendError, Definition};
use crate::hash::Hash;
use crate::signature::SigningKey;

const DOMAIN: &str = "halflight ceremony minutes v1";
const MAGIC: &[u8; 8] = b"HLminut1";

/// Writes the minutes of a step.
pub(super) fn write(
    session: &[u8; 32],
    step: u8,
    previous: Hash,
    messages: &BTreeMap<u16, Vec<u8>>,
    key: &SigningKey,
) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(session);
    out.push(step);
    out.extend_from_slice(&previous.0);
    out.extend_from_slice(&(messages.len() as u16).to_le_bytes());
    for (server, message) in messages {
        out.extend_from_slice(&server.to_le_bytes());
        out.extend_from_slice(&(message.len() as u64).to_le_bytes());
        out.extend_from_slice(message);
    }
    let signature = key.sign(DOMAIN, &[&out]);
    out.extend_from_slice(&signature);
    out
}

/// The value that the next minutes are chained to.
pub(super) fn head(minutes: &[u8]) -> Hash {
    Hash::of(DOMAIN, &[minutes])
}

/// Checks the minutes of the board's current step, posts their messages, and ends the step.
///
/// # Errors
/// They are not signed by the clerk, belong to another ceremony, step or chain, or list messages that cannot be posted,
/// or too few.
pub(super) fn apply(
    definition: &Definition,
    session: &[u8; 32],
    step: u8,
    previous: Hash,
    bytes: &[u8],
    board: &mut Board,
) -> Result<(), AttendError> {
    let wrong = |problem: String| AttendError::Minutes { step, problem };
    let messages = read(definition, session, step, previous, bytes).map_err(wrong)?;
    let least = definition.least(step)?;
    if messages.len() < least {
        return Err(wrong(format!("they have {} messages, {least} are needed", messages.len())));
    }
    for (server, message) in &messages {
        match board.post(message) {
            Ok(sender) if sender == *server => {}
            Ok(sender) => return Err(wrong(format!("the message of server {server} is signed by server {sender}"))),
            Err(error) => return Err(wrong(format!("message of server {server}: {error}"))),
        }
    }
    board.end_step();
    Ok(())
}

fn read<'a>(
    definition: &Definition,
    session: &[u8; 32],
    step: u8,
    previous: Hash,
    bytes: &'a [u8],
) -> Result<Vec<(u16, &'a [u8])>, String> {
    let (signed, signature) = bytes.split_last_chunk::<64>().ok_or("they are truncated")?;
    let clerk = &definition.clerk().key;
    clerk.verify(DOMAIN, &[signed], signature, "the minutes").map_err(|error| error.to_string())?;
    let mut rest = Reader(signed);
    let head = [MAGIC.as_slice(), session, &[step], &previous.0].concat();
    if rest.take(head.len()) != Some(&head) {
        return Err("they belong to another ceremony or step, or do not follow the step before".into());
    }
    let messages = rest.messages().filter(|_| rest.0.is_empty());
    let messages = messages.ok_or("they are damaged")?;
    if !messages.is_sorted_by(|(a, _), (b, _)| a < b) {
        return Err("their servers are not in order".into());
    }
    Ok(messages)
}

/// Bytes read front to back.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// Bytes preceded by their length.
    pub fn sized(&mut self) -> Option<&'a [u8]> {
        let length = u64::from_le_bytes(self.array()?);
        self.take(usize::try_from(length).ok()?)
    }

    fn messages(&mut self) -> Option<Vec<(u16, &'a [u8])>> {
        let count = u16::from_le_bytes(self.array()?);
        (0..count).map(|_| Some((u16::from_le_bytes(self.array()?), self.sized()?))).collect()
    }
}
