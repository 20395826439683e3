//! Keys that stay in a PKCS#11 token: master keys are sealed to a P-256 key that never leaves the token.
//!
//! Files are those of age's tagged recipients, `age1tag1…` ([C2SP age](https://c2sp.org/age)), so any age seals to them.
//! To open one, the token computes a Diffie-Hellman value; the rest of HPKE (RFC 9180) is done here. The vendor's
//! module is loaded when a token is used.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Mutex;

use age::secrecy::SecretString;
use age_core::format::{FileKey, Stanza};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::elliptic_curve::{EcKdf, Ecdh1DeriveParams};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use ring::{aead, agreement, hmac};
use zeroize::Zeroizing;

pub use self::error::TokenError;
use self::uri::Uri;

mod error;
pub(crate) mod uri;

/// The object identifier of P-256 in DER.
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// Bytes of a point: 4, x, y.
const POINT: usize = 65;
/// Bytes of a stanza's body: a file key and its tag.
const BODY: usize = 32;
const STANZA: &str = "p256tag";
const SALT: &[u8] = b"age-encryption.org/p256tag";
/// DHKEM(P-256, HKDF-SHA256).
const KEM: &[u8] = b"KEM\x00\x10";
/// The same with HKDF-SHA256 and ChaCha20-Poly1305.
const SUITE: &[u8] = b"HPKE\x00\x10\x00\x01\x00\x03";

/// A P-256 key in a token, and how to ask for it.
pub struct TokenKey {
    uri: Uri,
    module: Pkcs11,
    pin: SecretString,
    /// The public key as a point.
    point: [u8; POINT],
    recipient: age::tag::Recipient,
    /// Tokens count sessions; one at a time is enough here.
    turn: Mutex<()>,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "TokenKey({})", self.recipient)
    }
}

impl TokenKey {
    /// The key at an address (RFC 7512). Shows that the token can open what is sealed to it.
    ///
    /// # Errors
    /// [`TokenError`]
    pub fn open(uri: &str) -> Result<Self, TokenError> {
        Ok(Self::find(Uri::parse(uri)?, false)?.0)
    }

    /// As [`TokenKey::open`]; if no key has this name, the token draws one that never leaves it. Returns whether a key
    /// was drawn.
    ///
    /// # Errors
    /// [`TokenError`]
    pub fn open_or_draw(uri: &str) -> Result<(Self, bool), TokenError> {
        Self::find(Uri::parse(uri)?, true)
    }

    /// The recipient that age seals to.
    pub fn recipient(&self) -> &age::tag::Recipient {
        &self.recipient
    }

    /// The address, without a secret.
    pub fn uri(&self) -> &str {
        &self.uri.text
    }

    fn find(uri: Uri, draw: bool) -> Result<(Self, bool), TokenError> {
        if cfg!(all(target_env = "musl", target_feature = "crt-static")) {
            return Err(TokenError::Static);
        }
        let pin = uri.pin()?;
        let module = load(&uri.module)?;
        let (point, drawn) = {
            let session = login(&module, &uri, &pin, draw)?;
            match draw && objects(&session, &uri, ObjectClass::PRIVATE_KEY)?.is_empty() {
                true => (self::draw(&session, &uri)?, true),
                false => (public(&session, &uri)?, false),
            }
        };
        let recipient = recipient(&point).ok_or_else(|| uri.wrong("its public key is not a point of P-256".into()))?;
        let key = Self { uri, module, pin, point, recipient, turn: Mutex::new(()) };
        key.try_out()?;
        Ok((key, drawn))
    }

    /// Checks that the private key belongs to the public key and may be used, before anything of value is sealed.
    fn try_out(&self) -> Result<(), TokenError> {
        let sealed = age::encrypt(&self.recipient, b"trial").map_err(|error| self.uri.wrong(error.to_string()))?;
        let opened = age::decrypt(self, &sealed).map_err(|error| self.uri.wrong(error.to_string()))?;
        if opened == b"trial" { Ok(()) } else { Err(TokenError::Sealed) }
    }

    /// The Diffie-Hellman value of the token's key and `point`.
    fn agree(&self, point: &[u8; POINT]) -> Result<Zeroizing<[u8; 32]>, TokenError> {
        // Some tokens do not look whether a point lies on the curve; another one would tell about the key.
        let random = ring::rand::SystemRandom::new();
        let valid = agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, &random).and_then(|own| {
            let theirs = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, point);
            agreement::agree_ephemeral(own, &theirs, |_| ())
        });
        valid.map_err(|_| TokenError::Sealed)?;
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let session = login(&self.module, &self.uri, &self.pin, false)?;
        let key = only(&session, &self.uri, ObjectClass::PRIVATE_KEY, "private keys")?;
        let mechanism = Mechanism::Ecdh1Derive(Ecdh1DeriveParams::new(EcKdf::null(), point));
        let wanted = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::GENERIC_SECRET),
            Attribute::ValueLen(32.into()),
            Attribute::Token(false),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
        ];
        let derived = session.derive_key(&mechanism, key, &wanted).map_err(refused("derive"))?;
        let found =
            session.get_attributes(derived, &[AttributeType::Value]).map_err(refused("tell what it derived"))?;
        session.destroy_object(derived).map_err(refused("forget what it derived"))?;
        let value = found.into_iter().find_map(|attribute| match attribute {
            Attribute::Value(value) => Some(Zeroizing::new(value)),
            _ => None,
        });
        let shared = value.and_then(|value| value.as_slice().try_into().ok()).map(Zeroizing::new);
        shared.ok_or_else(|| self.uri.wrong("the derived value does not have 32 bytes".into()))
    }
}

impl age::Identity for TokenKey {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        let unwrapped = parts(stanza, &self.point)?.and_then(|(theirs, body)| {
            let shared = self.agree(&theirs)?;
            open(&shared, &theirs, &self.point, &body).ok_or(TokenError::Sealed)
        });
        Some(unwrapped.map_err(|error| age::DecryptError::Io(io::Error::other(error))))
    }
}

/// The public key of a point, as age writes it.
fn compressed(point: &[u8; POINT]) -> Vec<u8> {
    [&[2 + (point[POINT - 1] & 1)], &point[1..33]].concat()
}

fn recipient(point: &[u8; POINT]) -> Option<age::tag::Recipient> {
    bech32::encode::<bech32::Bech32>(bech32::Hrp::parse_unchecked("age1tag"), &compressed(point)).ok()?.parse().ok()
}

type Parts = ([u8; POINT], [u8; BODY]);

/// The sender's point and the sealed bytes of a stanza for this key; none if it is for another key.
fn parts(stanza: &Stanza, own: &[u8; POINT]) -> Option<Result<Parts, TokenError>> {
    let [tag, point] = stanza.args.as_slice() else { return None };
    let decode = |text: &str| STANDARD_NO_PAD.decode(text).ok();
    let (tag, point) = (decode(tag)?, decode(point)?);
    let own = ring::digest::digest(&ring::digest::SHA256, &compressed(own));
    if stanza.tag != STANZA || tag != hash(SALT, &[&point, &own.as_ref()[..4]])[..4] {
        return None;
    }
    let parts = (point.as_slice().try_into(), stanza.body.as_slice().try_into());
    Some(if let (Ok(point), Ok(body)) = parts { Ok((point, body)) } else { Err(TokenError::Sealed) })
}

/// HPKE in base mode (RFC 9180): the file key that `body` seals, from the Diffie-Hellman value.
fn open(shared: &[u8; 32], theirs: &[u8; POINT], own: &[u8; POINT], body: &[u8; BODY]) -> Option<FileKey> {
    let secret = extract(&[], KEM, "eae_prk", shared);
    let secret = expand(&secret, KEM, "shared_secret", &[&theirs[..], own].concat(), 32);
    let context = [&[0], &extract(&[], SUITE, "psk_id_hash", b"")[..], &extract(&[], SUITE, "info_hash", SALT)[..]];
    let context = context.concat();
    let secret = extract(&secret[..], SUITE, "secret", b"");
    let key = expand(&secret, SUITE, "key", &context, 32);
    let nonce = expand(&secret, SUITE, "base_nonce", &context, 12);
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::CHACHA20_POLY1305, &key).ok()?);
    let nonce = aead::Nonce::try_assume_unique_for_key(&nonce).ok()?;
    let mut body = Zeroizing::new(*body);
    let opened = key.open_in_place(nonce, aead::Aad::empty(), &mut body[..]).ok()?;
    let opened: &[u8; 16] = (&*opened).try_into().ok()?;
    Some(FileKey::init_with_mut(|key| key.copy_from_slice(opened)))
}

/// The extraction of RFC 9180, with a label.
fn extract(salt: &[u8], suite: &[u8], label: &str, secret: &[u8]) -> Zeroizing<Vec<u8>> {
    hash(salt, &[b"HPKE-v1", suite, label.as_bytes(), secret])
}

/// Its expansion, of at most 32 bytes: one round of HKDF.
fn expand(secret: &[u8], suite: &[u8], label: &str, context: &[u8], length: u8) -> Zeroizing<Vec<u8>> {
    let mut out = hash(secret, &[&[0, length], b"HPKE-v1", suite, label.as_bytes(), context, &[1]]);
    out.truncate(length.into());
    out
}

/// HMAC-SHA256 of some parts.
fn hash(key: &[u8], parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    parts.iter().for_each(|part| context.update(part));
    Zeroizing::new(context.sign().as_ref().to_vec())
}

fn refused(action: &'static str) -> impl FnOnce(Error) -> TokenError {
    move |source| TokenError::Refused { action, source }
}

/// The vendor's module, initialised; another user of it in this process may have done that.
fn load(path: &Path) -> Result<Pkcs11, TokenError> {
    let fail = |error: Error| TokenError::Module { path: path.to_owned(), reason: error.to_string() };
    let module = Pkcs11::new(path).map_err(fail)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(module),
        Err(error) => Err(fail(error)),
    }
}

/// A session in which the user has given the PIN.
fn login(module: &Pkcs11, uri: &Uri, pin: &SecretString, write: bool) -> Result<Session, TokenError> {
    let mut found: Vec<Slot> = Vec::new();
    for slot in module.get_slots_with_initialized_token().map_err(refused("list tokens"))? {
        let about = module.get_token_info(slot).map_err(refused("say what it is"))?;
        let serial = uri.serial.as_ref().is_none_or(|serial| about.serial_number().trim_end() == serial);
        if about.label().trim_end() == uri.token && serial {
            found.push(slot);
        }
    }
    let [slot] = found[..] else {
        return Err(TokenError::Count { found: found.len(), what: "tokens are called", name: uri.token.clone() });
    };
    let session = if write { module.open_rw_session(slot) } else { module.open_ro_session(slot) };
    let session = session.map_err(refused("open a session"))?;
    match session.login(UserType::User, Some(pin)) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
        Err(source) => Err(TokenError::Refused { action: "take the PIN", source }),
    }
}

fn objects(session: &Session, uri: &Uri, class: ObjectClass) -> Result<Vec<ObjectHandle>, TokenError> {
    let mut wanted = vec![Attribute::Class(class)];
    wanted.extend(uri.object.as_ref().map(|label| Attribute::Label(label.as_bytes().to_vec())));
    wanted.extend(uri.id.as_ref().map(|id| Attribute::Id(id.clone())));
    session.find_objects(&wanted).map_err(refused("look for keys"))
}

fn only(session: &Session, uri: &Uri, class: ObjectClass, what: &'static str) -> Result<ObjectHandle, TokenError> {
    match objects(session, uri, class)?[..] {
        [only] => Ok(only),
        ref found => Err(TokenError::Count { found: found.len(), what, name: uri.name() }),
    }
}

/// The public key of this name.
fn public(session: &Session, uri: &Uri) -> Result<[u8; POINT], TokenError> {
    only(session, uri, ObjectClass::PRIVATE_KEY, "private keys")?;
    let key = only(session, uri, ObjectClass::PUBLIC_KEY, "public keys")?;
    point_of(session, uri, key)
}

fn point_of(session: &Session, uri: &Uri, key: ObjectHandle) -> Result<[u8; POINT], TokenError> {
    let wanted = [AttributeType::EcParams, AttributeType::EcPoint];
    let found = session.get_attributes(key, &wanted).map_err(refused("show the public key"))?;
    let mut point = None;
    for attribute in found {
        match attribute {
            Attribute::EcParams(curve) if curve != P256 => return Err(uri.wrong("it is of another curve".into())),
            // An octet string, or with some makers what is in it.
            Attribute::EcPoint(bytes) => {
                let bytes = bytes.strip_prefix(&[4, POINT as u8]).filter(|rest| rest.len() == POINT).unwrap_or(&bytes);
                point = bytes.try_into().ok().filter(|point: &[u8; POINT]| point[0] == 4);
            }
            _ => {}
        }
    }
    point.ok_or_else(|| uri.wrong("its public key is not a complete point".into()))
}

/// Lets the token draw a key that never leaves it.
fn draw(session: &Session, uri: &Uri) -> Result<[u8; POINT], TokenError> {
    let label = uri.object.clone().ok_or_else(|| TokenError::Uri("a new key needs a name, object=".into()))?;
    let id = uri.id.clone().unwrap_or_else(|| label.as_bytes().to_vec());
    let named = [Attribute::Label(label.into_bytes()), Attribute::Id(id), Attribute::Token(true)];
    let both = |more: &[Attribute]| [&named[..], more].concat();
    let public = both(&[Attribute::EcParams(P256.to_vec()), Attribute::Private(false)]);
    let private = both(&[
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Derive(true),
        Attribute::Sign(false),
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
    ]);
    let drawn = session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private);
    point_of(session, uri, drawn.map_err(refused("draw a key"))?.0)
}

impl Uri {
    fn wrong(&self, problem: String) -> TokenError {
        TokenError::Key { name: self.name(), problem }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// A key in software, for one use, in place of a token's.
    struct Once {
        key: RefCell<Option<agreement::EphemeralPrivateKey>>,
        point: [u8; POINT],
        damage: u8,
    }

    impl Once {
        fn new(damage: u8) -> Self {
            let random = ring::rand::SystemRandom::new();
            let key = agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, &random).unwrap();
            let point = key.compute_public_key().unwrap().as_ref().try_into().unwrap();
            Self { key: RefCell::new(Some(key)), point, damage }
        }
    }

    impl age::Identity for Once {
        fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
            let (theirs, mut body) = parts(stanza, &self.point)?.unwrap();
            body[3] ^= self.damage;
            let point = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, theirs);
            let own = self.key.take().unwrap();
            let shared = agreement::agree_ephemeral(own, &point, |shared| shared.try_into().unwrap()).unwrap();
            Some(open(&shared, &theirs, &self.point, &body).ok_or(age::DecryptError::DecryptionFailed))
        }
    }

    /// Files sealed by age's own library open with the shared value alone, and changed ones do not.
    #[test]
    fn what_age_seals_to_a_tagged_recipient_is_opened() {
        let key = Once::new(0);
        let sealed = age::encrypt(&recipient(&key.point).unwrap(), b"master").unwrap();
        assert!(age::decrypt(&Once::new(0), &sealed).is_err(), "another key");
        assert_eq!(age::decrypt(&key, &sealed).unwrap(), b"master");
        let key = Once::new(1);
        let sealed = age::encrypt(&recipient(&key.point).unwrap(), b"master").unwrap();
        assert!(age::decrypt(&key, &sealed).is_err(), "a changed stanza");
    }
}
