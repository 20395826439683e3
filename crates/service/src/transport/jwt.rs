//! Tokens of people: JSON Web Tokens (RFC 7519) that an identity provider signs, as OpenID Connect issues them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::jwks::{self, KeySet};
use crate::clock;

/// Maximum size of a token, in bytes.
const MAX_BYTES: usize = 16 << 10;
/// Allowed clock skew, in seconds.
const LEEWAY: u64 = 30;
/// Maximum remaining lifetime of a token, in seconds: people who leave the directory must lose access here soon.
const MAX_SECONDS: i64 = 86_400;
/// The default signature algorithms of a provider.
pub(super) const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// An identity provider.
pub(super) struct Issuer {
    /// Its name here.
    pub name: String,
    /// Its own name, `iss`.
    pub issuer: String,
    /// The required audience of its tokens, `aud`.
    pub audience: String,
    /// Its allowed signature algorithms.
    pub algorithms: Vec<Algorithm>,
    pub keys: KeySet,
}

/// The content of a token whose signature was verified.
pub(super) struct Claims {
    pub subject: String,
    all: Map<String, Value>,
}

/// A rejected token.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("it is not a JSON Web Token of at most {MAX_BYTES} bytes")]
    Malformed,
    #[error("this server does not know its issuer")]
    Issuer,
    #[error("it is signed by '{given}', but its issuer may sign by {allowed}")]
    Algorithm { given: String, allowed: String },
    #[error("its key {0} is not in the key set of its issuer; if keys were rotated, download the set again")]
    Key(String),
    #[error("its signature is not that of its issuer")]
    Signature,
    #[error("it has expired; sign in again")]
    Expired,
    #[error("it is not valid yet; compare the clocks")]
    NotYet,
    #[error("it is for another audience than '{0}'")]
    Audience(String),
    #[error("its '{0}' is missing or invalid")]
    Claim(String),
    #[error("it is valid for more than {} h; ask the issuer for a shorter-lived one", MAX_SECONDS / 3600)]
    Lifetime,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    iss: Option<String>,
}

impl Refusal {
    /// The reason code, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Issuer => "issuer",
            Self::Algorithm { .. } => "algorithm",
            Self::Key(_) => "key",
            Self::Signature => "signature",
            Self::Expired => "expired",
            Self::NotYet => "not-yet",
            Self::Audience(_) => "audience",
            Self::Claim(_) => "claim",
            Self::Lifetime => "lifetime",
        }
    }
}

/// Whether a bearer token looks like one of these.
pub(super) fn is_like(token: &[u8]) -> bool {
    token.iter().filter(|byte| **byte == b'.').count() == 2
}

/// The issuer that signed a token, and the token's content.
pub(super) fn check<'a>(issuers: &'a [Issuer], token: &[u8]) -> Result<(&'a Issuer, Claims), Refusal> {
    if token.len() > MAX_BYTES {
        return Err(Refusal::Malformed);
    }
    let mut parts = token.split(|byte| *byte == b'.');
    let (Some(head), Some(body)) = (parts.next(), parts.next()) else { return Err(Refusal::Malformed) };
    let (head, body): (Head, Body) = (part(head)?, part(body)?);
    // Nothing is believed yet: the name says only with whose keys to look.
    let issuer = issuers.iter().find(|issuer| body.iss.as_ref() == Some(&issuer.issuer)).ok_or(Refusal::Issuer)?;
    Ok((issuer, issuer.check(&head, token)?))
}

fn part<T: DeserializeOwned>(part: &[u8]) -> Result<T, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Refusal::Malformed)
}

impl Issuer {
    fn check(&self, head: &Head, token: &[u8]) -> Result<Claims, Refusal> {
        let refuse = |allowed: &[Algorithm]| {
            let allowed: Vec<&str> = allowed.iter().map(|algorithm| jwks::name(*algorithm)).collect();
            Refusal::Algorithm { given: shown(&head.alg), allowed: allowed.join(", ") }
        };
        let algorithm = jwks::algorithm(&head.alg).filter(|algorithm| self.algorithms.contains(algorithm));
        let algorithm = algorithm.ok_or_else(|| refuse(&self.algorithms))?;
        let key = self.keys.get(head.kid.as_deref(), algorithm);
        let key = key.ok_or_else(|| match &head.kid {
            Some(id) => Refusal::Key(format!("'{}'", shown(id))),
            None => Refusal::Key("has no name ('kid'), so it".into()),
        })?;
        let key = key.map_err(refuse)?;
        let mut wanted = Validation::new(algorithm);
        wanted.leeway = LEEWAY;
        wanted.validate_nbf = true;
        wanted.set_issuer(&[&self.issuer]);
        wanted.set_audience(&[&self.audience]);
        wanted.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let all = jsonwebtoken::decode::<Map<String, Value>>(token, key, &wanted);
        let all = all.map_err(|error| self.refusal(error.into_kind()))?.claims;
        let ends = all.get("exp").and_then(Value::as_f64).ok_or_else(|| Refusal::Claim("exp".into()))?;
        if ends > (clock::now() + MAX_SECONDS) as f64 + LEEWAY as f64 {
            return Err(Refusal::Lifetime);
        }
        // It stands in the log and in the ledger.
        let subject = all.get("sub").and_then(Value::as_str);
        let plain = |text: &&str| (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let subject = subject.filter(plain).ok_or_else(|| Refusal::Claim("sub".into()))?.to_owned();
        Ok(Claims { subject, all })
    }

    fn refusal(&self, kind: ErrorKind) -> Refusal {
        match kind {
            ErrorKind::InvalidSignature => Refusal::Signature,
            ErrorKind::ExpiredSignature => Refusal::Expired,
            ErrorKind::ImmatureSignature => Refusal::NotYet,
            ErrorKind::InvalidAudience => Refusal::Audience(self.audience.clone()),
            ErrorKind::InvalidIssuer => Refusal::Issuer,
            ErrorKind::MissingRequiredClaim(claim) | ErrorKind::InvalidClaimFormat(claim) => Refusal::Claim(claim),
            _ => Refusal::Malformed,
        }
    }
}

impl Claims {
    /// Whether a field is this value or holds it. A name with points may be a path, and words of `scope` stand alone.
    pub fn holds(&self, claim: &str, value: &str) -> bool {
        let found = self.all.get(claim).or_else(|| {
            let (first, rest) = claim.split_once('.')?;
            rest.split('.').try_fold(self.all.get(first)?, |found, step| found.get(step))
        });
        match found {
            Some(Value::String(text)) if claim == "scope" => text.split(' ').any(|word| word == value),
            Some(Value::String(text)) => text == value,
            Some(Value::Array(values)) => values.iter().any(|one| one.as_str() == Some(value)),
            _ => false,
        }
    }
}

/// Received text for a message: short and without control characters.
fn shown(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_values_lists_and_paths() {
        let Value::Object(all) = json!({
            "groups": ["a", "b"], "role": "admin staff", "scope": "read issue",
            "realm": { "roles": ["c"] }, "https://x.example/roles": ["d"], "flag": true
        }) else {
            panic!("an object")
        };
        let claims = Claims { subject: "s".into(), all };
        for (claim, value) in [
            ("groups", "a"),
            ("groups", "b"),
            ("scope", "issue"),
            ("realm.roles", "c"),
            ("https://x.example/roles", "d"),
            ("role", "admin staff"),
        ] {
            assert!(claims.holds(claim, value), "{claim} {value}");
        }
        for (claim, value) in
            [("groups", "c"), ("role", "admin"), ("scope", "iss"), ("realm", "c"), ("flag", "true"), ("none", "a")]
        {
            assert!(!claims.holds(claim, value), "{claim} {value}");
        }
    }

    proptest! {
        #[test]
        fn no_token_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), json in any::<bool>()) {
            let claims = URL_SAFE_NO_PAD.encode(if json { b"{\"iss\":\"a\"}" } else { &bytes[..] });
            let token = format!("{claims}.{claims}.{claims}");
            prop_assert!(check(&[], &bytes).is_err() && check(&[], token.as_bytes()).is_err());
        }
    }
}
