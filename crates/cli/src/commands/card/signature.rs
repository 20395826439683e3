//! The signature of a published folder in the form of OpenSSF model signing 1.0: an in-toto statement over the hashes
//! of all files, in a DSSE envelope, in a Sigstore bundle, signed with a key on the curve P-256.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::hex::hex;
use crate::files;

const PAYLOAD: &str = "application/vnd.in-toto+json";
/// The prefix of a P-256 point in a public key file (RFC 5480).
const PUBLIC: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// Maximum size of a key file, in bytes.
const MOST: u64 = 16 << 10;

/// A key that signs models.
pub struct ModelKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl ModelKey {
    /// A new key: its file, and the file of its public key, both in PEM.
    pub fn generate() -> Result<(String, String)> {
        let random = SystemRandom::new();
        let failed = |_| anyhow!("the system provides no randomness");
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(failed)?;
        let key = Self::from_pkcs8(document.as_ref())?;
        Ok((pem("PRIVATE KEY", document.as_ref()), key.public()))
    }

    /// Reads a key: PKCS#8 in PEM, unencrypted.
    pub fn load(path: &Path) -> Result<Self> {
        let text = String::from_utf8(files::read(path, MOST)?).unwrap_or_default();
        let wrong = || {
            format!(
                "{}: is not a private key on P-256 in PEM (PKCS#8); make one with halflight keygen --model-key",
                path.display()
            )
        };
        let (_, rest) = text.split_once("-----BEGIN PRIVATE KEY-----").with_context(wrong)?;
        let (body, _) = rest.split_once("-----END PRIVATE KEY-----").with_context(wrong)?;
        let body: String = body.split_whitespace().collect();
        Self::from_pkcs8(&STANDARD.decode(body).with_context(wrong)?).with_context(wrong)
    }

    fn from_pkcs8(bytes: &[u8]) -> Result<Self> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, bytes, &random);
        Ok(Self { pair: pair.map_err(|error| anyhow!("{error}"))?, random })
    }

    /// The file of the public key.
    fn public(&self) -> String {
        pem("PUBLIC KEY", &[&PUBLIC[..], self.pair.public_key().as_ref()].concat())
    }

    /// The bundle for a folder of this name with these files, which will be stored in it as `own`.
    pub fn bundle(&self, name: &str, files: &[(&str, Vec<u8>)], own: &str) -> Result<Vec<u8>> {
        let payload = statement(name, files, own);
        let signed = pae(PAYLOAD, payload.as_bytes());
        let signature =
            self.pair.sign(&self.random, &signed).map_err(|_| anyhow!("the system provides no randomness"))?;
        let hint = hex(&Sha256::digest(self.public()));
        let bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": { "publicKey": { "hint": hint }, "tlogEntries": [] },
            "dsseEnvelope": {
                "payload": STANDARD.encode(&payload), "payloadType": PAYLOAD,
                "signatures": [{ "sig": STANDARD.encode(signature.as_ref()), "keyid": "" }],
            },
        });
        Ok(serde_json::to_vec_pretty(&bundle)?)
    }
}

/// The statement: a hash of every file, in the order of their names, and one over all of these.
fn statement(name: &str, files: &[(&str, Vec<u8>)], own: &str) -> String {
    let mut hashes: Vec<(&str, [u8; 32])> =
        files.iter().map(|(name, bytes)| (*name, Sha256::digest(bytes).into())).collect();
    hashes.sort();
    let root = hashes.iter().fold(Sha256::new(), |root, (_, hash)| root.chain_update(hash)).finalize();
    let resources =
        hashes.iter().map(|(name, hash)| json!({ "name": name, "algorithm": "sha256", "digest": hex(hash) }));
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": name, "digest": { "sha256": hex(&root) } }],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "serialization": {
                "method": "files", "hash_type": "sha256", "allow_symlinks": false, "ignore_paths": [own],
            },
            "resources": resources.collect::<Vec<_>>(),
        },
    })
    .to_string()
}

/// The text that DSSE signs.
fn pae(kind: &str, payload: &[u8]) -> Vec<u8> {
    [format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).as_bytes(), payload].concat()
}

fn pem(kind: &str, bytes: &[u8]) -> String {
    let body = STANDARD.encode(bytes);
    // Base64 is ASCII.
    let lines: Vec<&str> = (0..body.len()).step_by(64).map(|at| &body[at..body.len().min(at + 64)]).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

    use super::*;

    /// The example of the definition of DSSE.
    #[test]
    fn what_is_signed_is_that_of_dsse() {
        let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), expected);
    }

    #[test]
    fn a_key_is_read_as_it_was_written_and_its_signature_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let (secret, public) = ModelKey::generate().unwrap();
        std::fs::write(&path, secret).unwrap();
        let key = ModelKey::load(&path).unwrap();
        assert_eq!(key.public(), public);
        let files = [("b", b"2".to_vec()), ("a", b"1".to_vec())];
        let bundle: serde_json::Value = serde_json::from_slice(&key.bundle("m", &files, "model.sig").unwrap()).unwrap();
        let envelope = &bundle["dsseEnvelope"];
        let decode = |value: &serde_json::Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
        let (payload, signature) = (decode(&envelope["payload"]), decode(&envelope["signatures"][0]["sig"]));
        let point = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.pair.public_key().as_ref());
        point.verify(&pae(PAYLOAD, &payload), &signature).unwrap();
        let statement: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(statement["predicate"]["resources"][0]["name"], "a");
        std::fs::write(&path, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
        assert!(ModelKey::load(&path).is_err());
    }
}
