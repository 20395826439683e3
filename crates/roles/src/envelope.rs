//! The envelope: binds a ciphertext, which anyone could change, to a public key, a destination, a purpose, a time and a
//! sender.
//!
//! ```text
//! "HLEV" | version u8 = 2 | signed u8 | suite u16 | public-key id 32 | nonce 16 | sent i64 |
//! network 32 | recipient length u16 | recipient |
//! context length u16 | context | body length u32 | body | [ signer 32 | signature 64 ]
//! ```
//!
//! Version 1 lacks the second line: such an envelope names no destination. It can still be read, and models that demand
//! no recipient accept it.
//!
//! Integers are little-endian. The signature covers everything before it. An unsigned envelope protects against
//! mistakes, a signed one against attackers: ciphertexts are malleable.

use crate::hash::Hash;
use crate::signature::{SignatureError, SigningKey, VerifyingKey};

const MAGIC: &[u8; 4] = b"HLEV";
const DOMAINS: [&str; 2] = ["halflight envelope v1", "halflight envelope v2"];
const FIXED: usize = 4 + 1 + 1 + 2 + 32 + 16 + 8 + 2;
/// Maximum size of a context, and of a recipient, in bytes.
pub const MAX_CONTEXT: usize = 256;

/// A ciphertext and what it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The suite of the ciphertext.
    pub suite: u16,
    /// The public key it was made under.
    pub public_key: Hash,
    /// Drawn afresh for every envelope, so that copies are detected.
    pub nonce: [u8; 16],
    /// Seconds since 1970.
    pub sent: i64,
    /// Its destination; none in envelopes of version 1.
    pub destination: Option<Destination>,
    /// Its purpose, as agreed with the predictor; at most [`MAX_CONTEXT`] bytes.
    pub context: String,
    /// The ciphertext file.
    pub body: Vec<u8>,
    /// The signer, if it is signed.
    pub signer: Option<VerifyingKey>,
}

/// The destination: which model, and whose.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    /// Hash of the compiled network to evaluate.
    pub network: Hash,
    /// The predictor's name for itself; at most [`MAX_CONTEXT`] bytes.
    pub recipient: String,
}

/// Bytes that are not an envelope, or an invalid one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not laid out as an envelope.
    #[error("the envelope cannot be read: {0}")]
    Format(&'static str),
    /// The context is too long.
    #[error("the context or the recipient has {0} bytes; at most {MAX_CONTEXT} fit")]
    Context(usize),
    /// It was made for another suite, model or recipient.
    #[error("the envelope {0}")]
    Destination(String),
    /// The signature is invalid.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl Envelope {
    /// Whether bytes begin as an envelope (and not, say, a bare ciphertext).
    pub fn is(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// The bytes to send, signed if a key is given (`signer` is then taken from it).
    ///
    /// # Errors
    /// The context or the body is too long.
    pub fn seal(&self, key: Option<&SigningKey>) -> Result<Vec<u8>, EnvelopeError> {
        if self.context.len() > MAX_CONTEXT {
            return Err(EnvelopeError::Context(self.context.len()));
        }
        let length = u32::try_from(self.body.len()).map_err(|_| EnvelopeError::Format("the body is too long"))?;
        let mut out = Vec::with_capacity(FIXED + self.context.len() + 4 + self.body.len() + 96);
        out.extend(MAGIC);
        let version = 1 + u8::from(self.destination.is_some());
        out.extend([version, u8::from(key.is_some())]);
        out.extend(self.suite.to_le_bytes());
        out.extend(self.public_key.0);
        out.extend(self.nonce);
        out.extend(self.sent.to_le_bytes());
        if let Some(Destination { network, recipient }) = &self.destination {
            if recipient.len() > MAX_CONTEXT {
                return Err(EnvelopeError::Context(recipient.len()));
            }
            out.extend(network.0);
            out.extend((recipient.len() as u16).to_le_bytes());
            out.extend(recipient.as_bytes());
        }
        out.extend((self.context.len() as u16).to_le_bytes());
        out.extend(self.context.as_bytes());
        out.extend(length.to_le_bytes());
        out.extend(&self.body);
        if let Some(key) = key {
            let signature = key.sign(DOMAINS[usize::from(version - 1)], &[&out]);
            out.extend(key.verifying_key().to_bytes());
            out.extend(signature);
        }
        Ok(out)
    }

    /// Reads an envelope and checks its signature, if it has one.
    ///
    /// # Errors
    /// [`EnvelopeError`]; never allocates more than the length of `bytes`.
    pub fn open(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let mut rest = bytes;
        if take::<4>(&mut rest)? != MAGIC {
            return Err(EnvelopeError::Format("it does not begin with HLEV"));
        }
        let [version, signed] = *take::<2>(&mut rest)?;
        let domain = version.checked_sub(1).and_then(|index| DOMAINS.get(usize::from(index)));
        let domain = domain.filter(|_| signed < 2).ok_or(EnvelopeError::Format("its version is unknown"))?;
        let suite = u16::from_le_bytes(*take(&mut rest)?);
        let public_key = Hash(*take(&mut rest)?);
        let nonce = *take(&mut rest)?;
        let sent = i64::from_le_bytes(*take(&mut rest)?);
        let destination = match version {
            1 => None,
            _ => Some(Destination { network: Hash(*take(&mut rest)?), recipient: take_text(&mut rest)? }),
        };
        let context = take_text(&mut rest)?;
        let body_length = u32::from_le_bytes(*take(&mut rest)?) as usize;
        let body = take_slice(&mut rest, body_length)?.to_vec();
        let text = &bytes[..bytes.len() - rest.len()];
        let signer = if signed == 1 {
            let key =
                VerifyingKey::from_bytes(take(&mut rest)?).ok_or(EnvelopeError::Format("its signer is not a key"))?;
            key.verify(domain, &[text], take(&mut rest)?, "the envelope")?;
            Some(key)
        } else {
            None
        };
        if !rest.is_empty() {
            return Err(EnvelopeError::Format("bytes follow its end"));
        }
        Ok(Self { suite, public_key, nonce, sent, destination, context, body, signer })
    }

    /// Checks that it was made for this suite, for the model of this network and, if the model demands one, for this
    /// recipient.
    ///
    /// # Errors
    /// [`EnvelopeError::Destination`] says what it was made for.
    pub fn check(&self, suite: u16, network: Hash, recipient: Option<&str>) -> Result<(), EnvelopeError> {
        let refuse = |problem: String| Err(EnvelopeError::Destination(problem));
        if self.suite != suite {
            return refuse(format!("names suite {}, but this model takes {suite}", self.suite));
        }
        match (&self.destination, recipient) {
            (Some(to), _) if to.network != network => {
                refuse(format!("was made for the model of network {}, but this model is of {network}", to.network))
            }
            (Some(to), Some(own)) if to.recipient != own => refuse("was made for another recipient".into()),
            (None, Some(_)) => refuse("names no recipient, and this model demands one; use a newer sender".into()),
            _ => Ok(()),
        }
    }
}

fn take_text(rest: &mut &[u8]) -> Result<String, EnvelopeError> {
    let length = usize::from(u16::from_le_bytes(*take(rest)?));
    if length > MAX_CONTEXT {
        return Err(EnvelopeError::Context(length));
    }
    let text = std::str::from_utf8(take_slice(rest, length)?);
    text.map(str::to_owned).map_err(|_| EnvelopeError::Format("a text in it is not UTF-8"))
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], EnvelopeError> {
    let (taken, left) = rest.split_first_chunk().ok_or(EnvelopeError::Format("it is truncated"))?;
    *rest = left;
    Ok(taken)
}

fn take_slice<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], EnvelopeError> {
    let (taken, left) = rest.split_at_checked(length).ok_or(EnvelopeError::Format("it is truncated"))?;
    *rest = left;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn envelope() -> Envelope {
        let body = b"ciphertext".to_vec();
        let (public_key, context) = (Hash([3; 32]), "ward 3".to_owned());
        let destination = Some(Destination { network: Hash([4; 32]), recipient: "north:8481".into() });
        Envelope { suite: 1, public_key, nonce: [9; 16], sent: 1_795_355_100, destination, context, body, signer: None }
    }

    #[test]
    fn what_was_sealed_opens() {
        let key = SigningKey::generate().unwrap();
        let bytes = envelope().seal(Some(&key)).unwrap();
        let expected = Envelope { signer: Some(key.verifying_key()), ..envelope() };
        assert_eq!(Envelope::open(&bytes).unwrap(), expected);
        assert_eq!(Envelope::open(&envelope().seal(None).unwrap()).unwrap(), envelope());
    }

    #[test]
    fn an_envelope_of_before_opens_and_names_no_destination() {
        let key = SigningKey::generate().unwrap();
        let old = Envelope { destination: None, ..envelope() };
        let bytes = old.seal(Some(&key)).unwrap();
        assert_eq!(bytes[4], 1);
        let read = Envelope::open(&bytes).unwrap();
        assert_eq!(read.destination, None);
        assert!(read.check(1, Hash([4; 32]), None).is_ok());
        assert!(read.check(1, Hash([4; 32]), Some("north:8481")).is_err());
    }

    #[test]
    fn suite_model_and_recipient_are_bound() {
        let envelope = envelope();
        assert!(envelope.check(1, Hash([4; 32]), None).is_ok());
        assert!(envelope.check(1, Hash([4; 32]), Some("north:8481")).is_ok());
        for (suite, network, recipient) in [(2, 4, None), (1, 5, None), (1, 4, Some("south:8481"))] {
            assert!(envelope.check(suite, Hash([network; 32]), recipient).is_err());
        }
    }

    #[test]
    fn every_changed_byte_of_a_signed_envelope_is_found() {
        let bytes = envelope().seal(Some(&SigningKey::generate().unwrap())).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Envelope::open(&changed).is_err(), "byte {at}");
            assert!(Envelope::open(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn stripping_the_signature_leaves_no_envelope() {
        let key = SigningKey::generate().unwrap();
        let mut bytes = envelope().seal(Some(&key)).unwrap();
        bytes.truncate(bytes.len() - 96);
        assert!(Envelope::open(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), magic in any::<bool>()) {
            if magic {
                bytes.splice(0..0, *b"HLEV\x02\x01");
            }
            let _ = Envelope::open(&bytes);
        }
    }
}
