//! The envelope: binds a ciphertext, which anyone could change, to a public key, a purpose, a time and a sender.
//!
//! ```text
//! "HLEV" | version u8 = 1 | signed u8 | suite u16 | public-key id 32 | nonce 16 | sent i64 |
//! context length u16 | context | body length u32 | body | [ signer 32 | signature 64 ]
//! ```
//!
//! Integers are little-endian. The signature is over everything before it. An unsigned envelope finds mistakes, a
//! signed one attackers: ciphertexts are malleable.

use crate::hash::Hash;
use crate::signature::{SignatureError, SigningKey, VerifyingKey};

const MAGIC: &[u8; 4] = b"HLEV";
const DOMAIN: &str = "halflight envelope v1";
const FIXED: usize = 4 + 1 + 1 + 2 + 32 + 16 + 8 + 2;
/// Most bytes of a context.
pub const MAX_CONTEXT: usize = 256;

/// A ciphertext and what it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The suite of the ciphertext.
    pub suite: u16,
    /// The public key it was made under.
    pub public_key: Hash,
    /// Drawn afresh for every envelope, so that a copy is recognised.
    pub nonce: [u8; 16],
    /// Seconds since 1970.
    pub sent: i64,
    /// What it is for, as agreed with the predictor; at most [`MAX_CONTEXT`] bytes.
    pub context: String,
    /// The ciphertext file.
    pub body: Vec<u8>,
    /// Who signed it, where somebody did.
    pub signer: Option<VerifyingKey>,
}

/// Bytes that are no envelope, or one that does not hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not laid out as an envelope.
    #[error("the envelope cannot be read: {0}")]
    Format(&'static str),
    /// The context is too long.
    #[error("the context has {0} bytes; at most {MAX_CONTEXT} fit")]
    Context(usize),
    /// The signature does not hold.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl Envelope {
    /// Whether bytes claim to be an envelope (and not, say, a bare ciphertext).
    pub fn is(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// The bytes that are sent, signed where a key is given (`signer` is then taken from it).
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
        out.extend([1, u8::from(key.is_some())]);
        out.extend(self.suite.to_le_bytes());
        out.extend(self.public_key.0);
        out.extend(self.nonce);
        out.extend(self.sent.to_le_bytes());
        out.extend((self.context.len() as u16).to_le_bytes());
        out.extend(self.context.as_bytes());
        out.extend(length.to_le_bytes());
        out.extend(&self.body);
        if let Some(key) = key {
            let signature = key.sign(DOMAIN, &[&out]);
            out.extend(key.verifying_key().to_bytes());
            out.extend(signature);
        }
        Ok(out)
    }

    /// Reads an envelope and checks its signature, if it has one.
    ///
    /// # Errors
    /// [`EnvelopeError`]; nothing longer than `bytes` is ever reserved.
    pub fn open(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let mut rest = bytes;
        if take::<4>(&mut rest)? != MAGIC {
            return Err(EnvelopeError::Format("it does not begin with HLEV"));
        }
        let [version, signed] = *take::<2>(&mut rest)?;
        if version != 1 || signed > 1 {
            return Err(EnvelopeError::Format("its version is unknown here"));
        }
        let suite = u16::from_le_bytes(*take(&mut rest)?);
        let public_key = Hash(*take(&mut rest)?);
        let nonce = *take(&mut rest)?;
        let sent = i64::from_le_bytes(*take(&mut rest)?);
        let context_length = usize::from(u16::from_le_bytes(*take(&mut rest)?));
        if context_length > MAX_CONTEXT {
            return Err(EnvelopeError::Context(context_length));
        }
        let context = take_slice(&mut rest, context_length)?;
        let context = std::str::from_utf8(context).map_err(|_| EnvelopeError::Format("its context is no UTF-8"))?;
        let body_length = u32::from_le_bytes(*take(&mut rest)?) as usize;
        let body = take_slice(&mut rest, body_length)?.to_vec();
        let text = &bytes[..bytes.len() - rest.len()];
        let signer = if signed == 1 {
            let key =
                VerifyingKey::from_bytes(take(&mut rest)?).ok_or(EnvelopeError::Format("its signer is no key"))?;
            key.verify(DOMAIN, &[text], take(&mut rest)?, "the envelope")?;
            Some(key)
        } else {
            None
        };
        if !rest.is_empty() {
            return Err(EnvelopeError::Format("bytes follow its end"));
        }
        Ok(Self { suite, public_key, nonce, sent, context: context.to_owned(), body, signer })
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], EnvelopeError> {
    let (taken, left) = rest.split_first_chunk().ok_or(EnvelopeError::Format("it ends early"))?;
    *rest = left;
    Ok(taken)
}

fn take_slice<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], EnvelopeError> {
    let (taken, left) = rest.split_at_checked(length).ok_or(EnvelopeError::Format("it ends early"))?;
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
        Envelope { suite: 1, public_key, nonce: [9; 16], sent: 1_795_355_100, context, body, signer: None }
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
                bytes.splice(0..0, *b"HLEV\x01\x01");
            }
            let _ = Envelope::open(&bytes);
        }
    }
}
