//! Public keys of an identity provider: a JWK set (RFC 7517) in a file, which verifies signatures.
//!
//! `jsonwebtoken` reads tokens and checks their fields; signatures are checked by the library that TLS is built with.
//! Only public-key signatures are supported: neither `none` nor shared secrets.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::signature as ring_signature;
use serde::Deserialize;

use crate::files::{self, FileError};

/// Maximum size of a JWK set, in bytes.
const MAX_BYTES: u64 = 256 << 10;
/// Maximum number of its keys.
const MAX_KEYS: usize = 64;

/// Public keys by key ID (`kid`).
pub(super) struct KeySet(Vec<Key>);

/// A key, and what it may sign with.
struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// A JWK set that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not a JWK set.
    #[error("{path}: {problem}; download the `jwks_uri` of the provider again")]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Entry>,
}

/// The fields of a key that are read; others are ignored.
#[derive(Deserialize)]
struct Entry {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    /// Present in a private key.
    d: Option<serde::de::IgnoredAny>,
    /// A shared secret.
    k: Option<serde::de::IgnoredAny>,
}

impl KeySet {
    /// Reads a file. Keys for other purposes and of other kinds are left out.
    ///
    /// # Errors
    /// [`KeySetError`]: no JWK set, a secret in it, a key that is damaged or too short, a name twice, nothing to use.
    pub fn load(path: &Path) -> Result<Self, KeySetError> {
        install();
        let text = files::read_text(path, MAX_BYTES)?;
        Self::parse(&text).map_err(|problem| KeySetError::Format { path: path.to_owned(), problem })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let set: Set = serde_json::from_str(text).map_err(|error| format!("not a JWK set: {error}"))?;
        if set.keys.len() > MAX_KEYS {
            return Err(format!("it has {} keys, more than {MAX_KEYS}", set.keys.len()));
        }
        let mut names = HashSet::new();
        let mut keys = Vec::new();
        for (place, entry) in set.keys.into_iter().enumerate() {
            let name = entry.kid.as_ref().map_or_else(|| format!("key {}", place + 1), |id| format!("key '{id}'"));
            if entry.d.is_some() || entry.k.is_some() || entry.kty == "oct" {
                return Err(format!("{name} is secret, and only public keys belong here"));
            }
            if !names.insert(entry.kid.clone()) {
                return Err(format!("{name} is there twice, or is one of several without a name"));
            }
            keys.extend(entry.key().map_err(|problem| format!("{name}: {problem}"))?);
        }
        if keys.is_empty() {
            return Err("no key in it checks signatures by RSA, P-256, P-384 or Ed25519".into());
        }
        Ok(Self(keys))
    }

    /// The key of this name; without a name, the only one. None if there is no such key.
    fn find(&self, id: Option<&str>) -> Option<&Key> {
        match (id, self.0.as_slice()) {
            (Some(id), keys) => keys.iter().find(|key| key.id.as_deref() == Some(id)),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// The key of this name, if it may sign by this algorithm; `None` if no key has the name.
    pub fn get(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Result<&DecodingKey, &[Algorithm]>> {
        let key = self.find(id)?;
        Some(if key.algorithms.contains(&algorithm) { Ok(&key.key) } else { Err(&key.algorithms) })
    }
}

impl Entry {
    /// The key; none if it serves another purpose.
    fn key(self) -> Result<Option<Key>, String> {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        let for_signatures = self.r#use.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !for_signatures {
            return Ok(None);
        }
        let part = |part: &Option<String>, name: &str| {
            let text = part.as_ref().ok_or(format!("it has no '{name}'"))?;
            URL_SAFE_NO_PAD.decode(text).map_err(|error| format!("its '{name}' is not base64url: {error}"))
        };
        let point = |most: usize| {
            let (x, y) = (part(&self.x, "x")?, part(&self.y, "y")?);
            let whole = x.len() == most && y.len() == most;
            let key = [&[4], &x[..], &y].concat();
            if whole {
                Ok(DecodingKey::from_ec_der(&key))
            } else {
                Err(format!("a coordinate does not have {most} bytes"))
            }
        };
        let (mut algorithms, key) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (part(&self.n, "n")?, part(&self.e, "e")?);
                // Some providers write a sign in front.
                let zeros = n.iter().take_while(|byte| **byte == 0).count();
                let n = &n[zeros..];
                let bits = 8 * n.len() - n.first().map_or(0, |first| first.leading_zeros() as usize);
                if !(2048..=8192).contains(&bits) {
                    return Err(format!("RSA with {bits} bits; 2048 to 8192 are accepted"));
                }
                let key = DecodingKey::from_rsa_raw_components(n, &e);
                (vec![RS256, RS384, RS512, PS256, PS384, PS512], key)
            }
            ("EC", Some("P-256")) => (vec![ES256], point(32)?),
            ("EC", Some("P-384")) => (vec![ES384], point(48)?),
            ("OKP", Some("Ed25519")) => {
                let x = part(&self.x, "x")?;
                if x.len() != 32 {
                    return Err("its 'x' has not 32 bytes".into());
                }
                (vec![EdDSA], DecodingKey::from_ed_der(&x))
            }
            _ => return Ok(None),
        };
        if let Some(only) = &self.alg {
            algorithms.retain(|algorithm| name(*algorithm) == only);
        }
        Ok((!algorithms.is_empty()).then_some(Key { id: self.kid, algorithms, key }))
    }
}

/// The name of an algorithm in tokens and files.
pub(super) fn name(algorithm: Algorithm) -> &'static str {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    match algorithm {
        RS256 => "RS256",
        RS384 => "RS384",
        RS512 => "RS512",
        PS256 => "PS256",
        PS384 => "PS384",
        PS512 => "PS512",
        ES256 => "ES256",
        ES384 => "ES384",
        EdDSA => "EdDSA",
        _ => "another",
    }
}

/// The algorithm of this name, among those that need no shared secret.
pub(super) fn algorithm(text: &str) -> Option<Algorithm> {
    text.parse().ok().filter(|found| name(*found) == text)
}

/// Registers the signature verification with `jsonwebtoken`; the first registration wins.
fn install() {
    static RING: CryptoProvider = CryptoProvider {
        signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
        verifier_factory: |algorithm, key| Ok(Box::new(Check { algorithm: *algorithm, key: key.kind().clone() })),
        key_utils: KeyUtils {
            rsa_pub_components_from_private_key: |_| Err(unsupported()),
            rsa_pub_components_from_public_key: |_| Err(unsupported()),
            ec_pub_components_from_private_key: |_, _| Err(unsupported()),
            ed_pub_components_from_private_key: |_, _| Err(unsupported()),
            compute_digest: |_, _| Err(unsupported()),
        },
    };
    let _installed = RING.install_default();
}

fn unsupported() -> Error {
    ErrorKind::UnsupportedAlgorithm.into()
}

/// Checks signatures of one key by one algorithm.
struct Check {
    algorithm: Algorithm,
    key: DecodingKeyKind,
}

impl JwtVerifier for Check {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for Check {
    fn verify(&self, message: &[u8], given: &Vec<u8>) -> Result<(), signature::Error> {
        use ring_signature as by;
        let rsa: Option<&by::RsaParameters> = match self.algorithm {
            Algorithm::RS256 => Some(&by::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::RS384 => Some(&by::RSA_PKCS1_2048_8192_SHA384),
            Algorithm::RS512 => Some(&by::RSA_PKCS1_2048_8192_SHA512),
            Algorithm::PS256 => Some(&by::RSA_PSS_2048_8192_SHA256),
            Algorithm::PS384 => Some(&by::RSA_PSS_2048_8192_SHA384),
            Algorithm::PS512 => Some(&by::RSA_PSS_2048_8192_SHA512),
            _ => None,
        };
        let other: Option<&dyn by::VerificationAlgorithm> = match self.algorithm {
            Algorithm::ES256 => Some(&by::ECDSA_P256_SHA256_FIXED),
            Algorithm::ES384 => Some(&by::ECDSA_P384_SHA384_FIXED),
            Algorithm::EdDSA => Some(&by::ED25519),
            _ => None,
        };
        let checked = match (&self.key, rsa, other) {
            (DecodingKeyKind::RsaModulusExponent { n, e }, Some(rsa), _) => {
                by::RsaPublicKeyComponents { n, e }.verify(rsa, message, given)
            }
            (DecodingKeyKind::SecretOrDer(key), _, Some(other)) => {
                by::UnparsedPublicKey::new(other, key).verify(message, given)
            }
            _ => return Err(signature::Error::new()),
        };
        checked.map_err(|_| signature::Error::new())
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Validation, decode};

    use super::*;

    const RSA: &str = r#"{"kty":"RSA","kid":"a","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#;
    const EC: &str = r#"{"kty":"EC","kid":"a","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    const ED: &str = r#"{"kty":"OKP","kid":"a","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn set(keys: &[&str]) -> Result<KeySet, String> {
        install();
        KeySet::parse(&format!("{{\"keys\":[{}]}}", keys.join(",")))
    }

    /// The examples of RFC 7515, A.2 and A.3, which ended in 2011: their signatures hold, and a changed one does not.
    #[test]
    fn published_examples_verify() {
        let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        for (key, header, algorithm, signature) in [
            (
                RSA,
                "eyJhbGciOiJSUzI1NiJ9",
                Algorithm::RS256,
                "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
            ),
            (
                EC,
                "eyJhbGciOiJFUzI1NiJ9",
                Algorithm::ES256,
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            ),
        ] {
            let keys = set(&[key]).unwrap();
            let key = keys.get(Some("a"), algorithm).unwrap().unwrap();
            let ended = |token: &str| decode::<serde_json::Value>(token, key, &Validation::new(algorithm)).unwrap_err();
            let token = format!("{header}.{claims}.{signature}");
            assert!(matches!(ended(&token).kind(), ErrorKind::ExpiredSignature), "{algorithm:?}");
            let changed = format!("{header}.{}.{signature}", claims.replacen('J', "K", 1));
            assert!(matches!(ended(&changed).kind(), ErrorKind::InvalidSignature), "{algorithm:?}");
        }
    }

    /// RFC 8037, A.4, signs a text that is not JSON.
    #[test]
    fn the_published_example_of_edwards_curves_verifies() {
        let keys = set(&[ED]).unwrap();
        let key = keys.get(Some("a"), Algorithm::EdDSA).unwrap().unwrap();
        let message = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let verify =
            |message: &str| jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, Algorithm::EdDSA).unwrap();
        assert!(verify(message) && !verify(&message.replace("RXh", "RXi")));
    }

    #[test]
    fn a_key_signs_by_its_own_algorithms_only() {
        let keys = set(&[RSA, &EC.replace("\"a\"", "\"b\"")]).unwrap();
        assert!(keys.get(Some("a"), Algorithm::ES256).unwrap().is_err());
        assert!(keys.get(Some("b"), Algorithm::RS256).unwrap().is_err());
        assert!(keys.get(Some("c"), Algorithm::RS256).is_none() && keys.get(None, Algorithm::RS256).is_none());
        assert!(keys.get(Some("a"), Algorithm::HS256).unwrap().is_err());
        let one = set(&[&RSA.replace("\"e\"", "\"alg\":\"PS256\",\"e\"")]).unwrap();
        assert!(one.get(None, Algorithm::PS256).unwrap().is_ok() && one.get(None, Algorithm::RS256).unwrap().is_err());
        assert_eq!([algorithm("HS256"), algorithm("none"), algorithm("RS256")], [None, None, Some(Algorithm::RS256)]);
    }

    #[test]
    fn sets_that_cannot_be_used_are_named() {
        let short = r#"{"kty":"RSA","n":"ofgWCuLjybRl","e":"AQAB"}"#;
        for (keys, word) in [
            (vec![], "no key"),
            (vec![r#"{"kty":"oct","k":"AAAA"}"#], "secret"),
            (vec![&*RSA.replace("\"e\"", "\"d\":\"AAAA\",\"e\"")], "secret"),
            (vec![short], "bits"),
            (vec![RSA, EC], "twice"),
            (vec![&*EC.replace("f83O", "")], "bytes"),
            (vec![&*EC.replace("\"kty\"", "\"use\":\"enc\",\"kty\"")], "no key"),
            (vec![r#"{"kty":"EC","crv":"P-521"}"#], "no key"),
            (vec![r#"{"kty":"RSA"}"#], "no 'n'"),
            (vec![r#"{"kid":"a"}"#], "kty"),
        ] {
            let error = set(&keys).err().unwrap_or_default();
            assert!(error.contains(word), "{keys:?}: {error}");
        }
    }
}
