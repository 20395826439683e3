//! Who is asking: bearer tokens and client certificates, with names and scopes.
//!
//! ```toml
//! [[token]]
//! name = "ward-3"                     # appears in the ledger and the log
//! sha256 = "5e88…"                    # of the token, so that this file gives nobody access
//! scopes = ["infer"]
//! requests_per_minute = 600           # omit for no limit
//! expires = 2027-06-30                # omit for a token that does not expire
//!
//! [[certificate]]                     # signed by one of the client authorities
//! name = "ops"
//! dns = "ops.example.org"             # or subject (common name) or uri: exactly one
//! scopes = ["admin", "ledger"]
//! ```
//!
//! The file is read again when it was replaced: who is new in it is let in, and who is gone is not.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::stamp::Stamp;
use super::{Caller, CertificateNames, Peer, Problem, Scope, expiry};
use crate::clock;
use crate::files::{self, FileError};
use crate::hash::Hash;

/// The tokens and certificates that are known; none means that everyone may do everything.
#[derive(Clone, Default)]
pub struct Tokens(Option<Arc<Shared>>);

/// What the file held when it was read last.
struct Shared {
    path: PathBuf,
    known: RwLock<Arc<Known>>,
    stamp: Mutex<Stamp>,
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Known {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    token: Vec<Token>,
    #[serde(default)]
    certificate: Vec<Certificate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    name: String,
    sha256: Hash,
    scopes: BTreeSet<Scope>,
    #[serde(default)]
    requests_per_minute: Option<u32>,
    #[serde(default)]
    expires: Option<toml::value::Datetime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Certificate {
    name: String,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    dns: Option<String>,
    #[serde(default)]
    uri: Option<String>,
    scopes: BTreeSet<Scope>,
    #[serde(default)]
    requests_per_minute: Option<u32>,
    #[serde(default)]
    expires: Option<toml::value::Datetime>,
}

/// Somebody who is known.
struct Entry {
    name: String,
    proof: Proof,
    scopes: BTreeSet<Scope>,
    requests_per_minute: Option<u32>,
    /// Seconds since 1970.
    expires: Option<i64>,
}

/// What shows who somebody is.
#[derive(PartialEq)]
enum Proof {
    Token(Hash),
    Subject(String),
    Dns(String),
    Uri(String),
}

struct Bucket {
    left: f64,
    at: Instant,
}

/// Callers that could not be told apart as they must be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// An authority for everyone.
    #[error(
        "tokens: an authority serves only callers that it knows, on this machine too; name a file with --tokens \
         that holds [[token]] entries (`halflight keygen --token NAME --scopes admin,register,issue,ledger --out FILE` \
         draws a token and prints its entry), or [[certificate]] entries beside --client-authorities"
    )]
    Missing,
    /// A name that cannot be.
    #[error("token: '{name}' is not a valid name; use 1 to 64 letters, digits, '-', '_' and '.', and not 'anonymous'")]
    Name {
        /// What was given.
        name: String,
    },
    /// Certificates that nobody would be asked for.
    #[error(
        "tokens {path}: maps certificates, but clients are not asked for them; name their authorities with \
         --client-authorities, or remove the [[certificate]] entries"
    )]
    Unasked {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("tokens {0}")]
    File(#[from] FileError),
    /// It is not a token file.
    #[error("tokens {path}: {problem}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        problem: String,
    },
}

impl Tokens {
    /// Everyone may do everything: for loopback.
    pub fn none() -> Self {
        Self(None)
    }

    /// Reads a token file.
    ///
    /// # Errors
    /// [`AuthError`] names the file and the place.
    pub fn load(path: &Path) -> Result<Self, AuthError> {
        let stamp = Stamp::of([path]);
        let known = RwLock::new(Arc::new(Known::read(path)?));
        let (path, stamp) = (path.to_owned(), Mutex::new(stamp));
        Ok(Self(Some(Arc::new(Shared { path, known, stamp, buckets: Mutex::default() }))))
    }

    /// Reads the file again if it was written since; nothing where it was not. One that cannot be used changes nothing.
    /// `certificates`: whether clients are asked for certificates.
    ///
    /// # Errors
    /// As [`Tokens::load`], or it maps certificates that nobody is asked for.
    pub fn reload(&self, certificates: bool) -> Option<Result<(), AuthError>> {
        let shared = self.0.as_ref()?;
        let mut read = shared.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = Stamp::of([shared.path.as_path()]);
        if *read == stamp {
            return None;
        }
        *read = stamp;
        let known = Known::read(&shared.path).and_then(|known| match known.maps_certificates() && !certificates {
            true => Err(AuthError::Unasked { path: shared.path.clone() }),
            false => Ok(known),
        });
        Some(known.map(|known| *shared.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known)))
    }

    /// When callers end whose time is limited, in seconds since 1970, by name.
    pub fn expiries(&self) -> BTreeMap<String, i64> {
        let ends = |entry: &Entry| Some((entry.name.clone(), entry.expires?));
        self.known().iter().flat_map(|known| &known.entries).filter_map(ends).collect()
    }

    /// Whether callers must be known.
    pub fn required(&self) -> bool {
        self.0.is_some()
    }

    /// Whether some are known by their certificate.
    pub fn map_certificates(&self) -> bool {
        self.known().is_some_and(|known| known.maps_certificates())
    }

    fn known(&self) -> Option<Arc<Known>> {
        self.0.as_ref().map(|shared| Arc::clone(&shared.known.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// The caller with this `Authorization` header, or else with this certificate. Neither gives a caller without
    /// scopes, and so does a certificate that no entry names.
    pub(super) fn caller(&self, authorization: Option<&[u8]>, peer: Option<&Peer>) -> Result<Caller, Problem> {
        let (Some(shared), Some(known)) = (&self.0, self.known()) else { return Ok(Caller::anonymous(None, peer)) };
        let certificate = peer.and_then(|peer| peer.certificate.as_ref());
        let found = match (authorization, certificate) {
            (Some(header), _) => Some(known.by_token(header)?),
            (None, Some(names)) => known.by_certificate(names)?,
            (None, None) => None,
        };
        let Some(entry) = found else { return Ok(Caller::anonymous(Some(BTreeSet::new()), peer)) };
        if let Some(expired) = entry.expires.filter(|&expires| clock::now() >= expires) {
            let detail = format!("'{}' expired at {}; ask for another token", entry.name, clock::utc(expired));
            return Err(Problem::new(StatusCode::UNAUTHORIZED, detail));
        }
        shared.spend(entry)?;
        Ok(Caller::known(&entry.name, entry.scopes.clone()))
    }
}

impl Known {
    fn read(path: &Path) -> Result<Self, AuthError> {
        let text = files::read_text(path, 1 << 20)?;
        let syntax = |problem: String| AuthError::Syntax { path: path.to_owned(), problem };
        let file: File = toml::from_str(&text).map_err(|error| syntax(error.to_string()))?;
        let tokens = file.token.into_iter().map(|token| {
            let proof = Proof::Token(token.sha256);
            Ok((token.name, proof, token.scopes, token.requests_per_minute, token.expires))
        });
        let certificates = file.certificate.into_iter().map(|certificate| {
            let named = [
                certificate.subject.map(Proof::Subject),
                certificate.dns.map(|name| Proof::Dns(name.to_ascii_lowercase())),
                certificate.uri.map(Proof::Uri),
            ];
            let mut named = named.into_iter().flatten();
            let (Some(proof), None) = (named.next(), named.next()) else {
                let problem = "needs exactly one of subject, dns and uri";
                return Err(format!("certificate '{}' {problem}", certificate.name));
            };
            let Certificate { name, scopes, requests_per_minute, expires, .. } = certificate;
            Ok((name, proof, scopes, requests_per_minute, expires))
        });
        let mut names = HashSet::new();
        let mut entries: Vec<Entry> = Vec::new();
        for read in tokens.chain(certificates) {
            let (name, proof, scopes, requests_per_minute, expires) = read.map_err(syntax)?;
            if name.is_empty() || name == "anonymous" || !names.insert(name.clone()) {
                return Err(syntax(format!("the name '{name}' is empty, reserved or there twice")));
            }
            if let Some(other) = entries.iter().find(|other| other.proof == proof) {
                return Err(syntax(format!("'{name}' and '{}' are shown by the same thing", other.name)));
            }
            let expires = expires.map(|date| {
                let wrong = || syntax(format!("'{name}': expires is {date}; write a date such as 2027-06-30"));
                expiry::of_toml(&date).ok_or_else(wrong)
            });
            let expires = expires.transpose()?;
            entries.push(Entry { name, proof, scopes, requests_per_minute, expires });
        }
        if entries.is_empty() {
            return Err(syntax("no token and no certificate; nobody could ask for anything".into()));
        }
        Ok(Self { entries })
    }

    fn maps_certificates(&self) -> bool {
        self.entries.iter().any(|entry| !matches!(entry.proof, Proof::Token(_)))
    }

    fn by_token(&self, header: &[u8]) -> Result<&Entry, Problem> {
        let unknown = || Problem::new(StatusCode::UNAUTHORIZED, "the bearer token is not known here");
        let given = header.get(7..).filter(|_| header[..7].eq_ignore_ascii_case(b"bearer ")).ok_or_else(unknown)?;
        let hash = Hash::of_bytes(given);
        // Every token is compared, in constant time, so that time tells nothing about which are near.
        let same = |entry: &&Entry| match &entry.proof {
            Proof::Token(known) => bool::from(known.0.ct_eq(&hash.0)),
            _ => false,
        };
        self.entries
            .iter()
            .fold(None, |found, entry| if same(&entry) { Some(entry) } else { found })
            .ok_or_else(unknown)
    }

    /// The entry of a certificate; one that fits several matches none.
    fn by_certificate(&self, names: &CertificateNames) -> Result<Option<&Entry>, Problem> {
        let fits = |entry: &&Entry| match &entry.proof {
            Proof::Token(_) => false,
            Proof::Subject(name) => names.subject.as_ref() == Some(name),
            Proof::Dns(name) => names.dns.contains(name),
            Proof::Uri(name) => names.uri.contains(name),
        };
        let mut fitting = self.entries.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(one), Some(other)) => {
                let detail = format!("the client certificate is both '{}' and '{}'", one.name, other.name);
                Err(Problem::new(StatusCode::FORBIDDEN, detail))
            }
            (found, _) => Ok(found),
        }
    }
}

impl Shared {
    /// Takes one request from an allowance: a bucket that holds one minute's worth and refills evenly.
    fn spend(&self, token: &Entry) -> Result<(), Problem> {
        let Some(per_minute) = token.requests_per_minute.map(f64::from) else { return Ok(()) };
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(token.name.clone()).or_insert(Bucket { left: per_minute, at: now });
        let refilled = bucket.left + now.duration_since(bucket.at).as_secs_f64() * per_minute / 60.0;
        (bucket.left, bucket.at) = (refilled.min(per_minute), now);
        if bucket.left < 1.0 {
            let wait = (60.0 * (1.0 - bucket.left) / per_minute.max(1e-9)).ceil().min(3600.0) as u64;
            let detail = format!("'{}' may send {per_minute} requests per minute", token.name);
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(wait));
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

/// Middleware: finds out who asks before anything else is read.
pub(crate) async fn identify(
    State(tokens): State<Tokens>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let header = request.headers().get(header::AUTHORIZATION);
    let peer = request.extensions().get::<Arc<Peer>>().map(Arc::as_ref);
    let caller = tokens.caller(header.map(|value| value.as_bytes()), peer)?;
    request.extensions_mut().insert(caller.clone());
    let mut response = next.run(request).await;
    // For the log, which stands outside.
    response.extensions_mut().insert(caller);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(limit: &str) -> Tokens {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        let hash = Hash::of_bytes(b"secret");
        let text = format!("[[token]]\nname = \"ward\"\nsha256 = \"{hash}\"\nscopes = [\"infer\"]\n{limit}");
        std::fs::write(&path, text).unwrap();
        Tokens::load(&path).unwrap()
    }

    #[test]
    fn scopes_decide() {
        let tokens = tokens("");
        let ward = tokens.caller(Some(b"Bearer secret"), None).unwrap();
        assert_eq!(ward.name, "ward");
        ward.require(Scope::Infer).unwrap();
        assert_eq!(ward.require(Scope::Admin).unwrap_err().status(), StatusCode::FORBIDDEN);
        let nobody = tokens.caller(None, None).unwrap();
        assert_eq!(nobody.require(Scope::Infer).unwrap_err().status(), StatusCode::UNAUTHORIZED);
        for wrong in [&b"Bearer other"[..], b"", b"Basic x", b"Bearer ", b"\xff\xfe"] {
            assert_eq!(tokens.caller(Some(wrong), None).unwrap_err().status(), StatusCode::UNAUTHORIZED);
        }
        Tokens::none().caller(None, None).unwrap().require(Scope::Admin).unwrap();
    }

    fn read(text: &str) -> Result<Tokens, AuthError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        std::fs::write(&path, text).unwrap();
        Tokens::load(&path)
    }

    #[test]
    fn certificates_are_known_by_exactly_one_name() {
        let tokens = read(
            "[[certificate]]\nname = \"ops\"\nsubject = \"ops\"\nscopes = [\"admin\"]\n\
             [[certificate]]\nname = \"ward\"\ndns = \"Ward.example\"\nscopes = [\"infer\"]\n",
        )
        .unwrap();
        let Some(known) = tokens.known() else { panic!("no entries") };
        let names = |subject: &str, dns: &str| CertificateNames {
            subject: Some(subject.into()),
            dns: vec![dns.into()],
            ..Default::default()
        };
        let name = |names: CertificateNames| known.by_certificate(&names).map(|found| found.map(|entry| &*entry.name));
        assert_eq!(name(names("ops", "x")).unwrap(), Some("ops"));
        assert_eq!(name(names("x", "ward.example")).unwrap(), Some("ward"));
        // A name of another kind is another name.
        assert_eq!(name(names("ward.example", "ops")).unwrap(), None);
        assert_eq!(name(names("ops", "ward.example")).unwrap_err().status(), StatusCode::FORBIDDEN);
        assert!(tokens.map_certificates() && tokens.required());
    }

    #[test]
    fn entries_that_cannot_be_are_named() {
        let certificate = |more: &str| format!("[[certificate]]\nname = \"a\"\nscopes = [\"infer\"]\n{more}\n");
        let other = certificate("dns = \"b\"").replace("\"a\"", "\"c\"");
        for (text, word) in [
            (String::new(), "nobody"),
            (certificate(""), "exactly one of"),
            (certificate("dns = \"b\"\nuri = \"c\""), "exactly one of"),
            (certificate("dns = \"b\"") + &certificate("dns = \"c\""), "twice"),
            (certificate("dns = \"b\"") + &other, "same thing"),
            (certificate("sha256 = \"b\""), "unknown field"),
        ] {
            let error = read(&text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn who_has_expired_is_told_so() {
        let date = |day: &str| tokens(&format!("expires = {day}\n"));
        date("2999-01-01").caller(Some(b"Bearer secret"), None).unwrap();
        let refused = date("2020-06-30").caller(Some(b"Bearer secret"), None).unwrap_err();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(date("2020-06-30").expiries()["ward"], 1_593_475_200);
        let error = read("[[certificate]]\nname = \"a\"\ndns = \"a\"\nscopes = []\nexpires = 12:00:00\n");
        assert!(error.err().is_some_and(|error| error.to_string().contains("write a date")));
    }

    #[test]
    fn a_replaced_file_is_read_again_and_a_damaged_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        let entry = |name: &str, secret: &[u8]| {
            format!("[[token]]\nname = \"{name}\"\nsha256 = \"{}\"\nscopes = []\n", Hash::of_bytes(secret))
        };
        std::fs::write(&path, entry("ward", b"old")).unwrap();
        let tokens = Tokens::load(&path).unwrap();
        let shared = tokens.clone();
        let known = |secret: &str| shared.caller(Some(format!("Bearer {secret}").as_bytes()), None).is_ok();
        assert!(tokens.reload(false).is_none() && known("old") && !known("new"));
        std::fs::write(&path, entry("ward", b"new") + "\n").unwrap();
        tokens.reload(false).unwrap().unwrap();
        assert!(!known("old") && known("new"));
        std::fs::write(&path, "damaged").unwrap();
        assert!(tokens.reload(false).unwrap().is_err() && known("new"));
        let certificate = "[[certificate]]\nname = \"a\"\ndns = \"a\"\nscopes = []\n";
        std::fs::write(&path, entry("ward", b"old") + certificate).unwrap();
        assert!(matches!(tokens.reload(false), Some(Err(AuthError::Unasked { .. }))));
        std::fs::remove_file(&path).unwrap();
        assert!(tokens.reload(true).unwrap().is_err() && known("new"));
    }

    #[test]
    fn an_allowance_ends() {
        let tokens = tokens("requests_per_minute = 3\n");
        for _ in 0..3 {
            tokens.caller(Some(b"Bearer secret"), None).unwrap();
        }
        let refused = tokens.caller(Some(b"Bearer secret"), None).unwrap_err();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    }
}
