//! Who is asking: bearer tokens, client certificates and people who signed in, with names and scopes.
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
//!
//! [[issuer]]                          # signs tokens of people (OpenID Connect)
//! name = "clinic"
//! issuer = "https://login.clinic.example"
//! audience = "halflight"
//! keys = "clinic.jwks"                # public keys, beside this file
//! algorithms = ["RS256"]              # omit for RS256, ES256 and EdDSA
//!
//! [[person]]
//! name = "maria"
//! issuer = "clinic"
//! subject = "248289761001"            # the claim `sub`
//! scopes = ["admin", "ledger"]
//!
//! [[group]]                           # people are called `clinic:SUBJECT`
//! name = "auditors"
//! issuer = "clinic"
//! claim = "groups"                    # equal to the value, or a list that holds it
//! value = "halflight-auditors"
//! scopes = ["ledger"]
//! ```
//!
//! The file is read again when it or a set of keys was replaced: who is new in it is let in, and who is gone is not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;

use super::known::{Entry, Known, Sources};
use super::{AuthError, Caller, Peer, Problem, Scope, jwt};
use crate::clock;

/// Allowances that are kept; beyond, those that are full again go.
const MAX_BUCKETS: usize = 4096;

/// The tokens and certificates that are known; none means that everyone may do everything.
#[derive(Clone, Default)]
pub struct Tokens(Option<Arc<Shared>>);

/// What the file held when it was read last.
struct Shared {
    path: PathBuf,
    known: RwLock<Arc<Known>>,
    sources: Mutex<Sources>,
    buckets: Mutex<HashMap<String, Bucket>>,
}

/// An entry of the file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// `token`, `certificate`, `person` or `group`.
    pub shown_by: &'static str,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// How often somebody may ask; none has no limit.
    pub requests_per_minute: Option<u32>,
    /// Seconds since 1970 when it ends; none does not end.
    pub expires: Option<i64>,
    /// Whether it has not ended yet.
    pub valid: bool,
}

struct Bucket {
    left: f64,
    at: Instant,
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
        let (sources, known) = Known::read(path);
        let known = RwLock::new(Arc::new(known?));
        let (path, sources) = (path.to_owned(), Mutex::new(sources));
        Ok(Self(Some(Arc::new(Shared { path, known, sources, buckets: Mutex::default() }))))
    }

    /// Reads the file again if it, or keys that it names, were written since; nothing where it was not. One that cannot be used changes nothing.
    /// `certificates`: whether clients are asked for certificates.
    ///
    /// # Errors
    /// As [`Tokens::load`], or it maps certificates that nobody is asked for.
    pub fn reload(&self, certificates: bool) -> Option<Result<(), AuthError>> {
        let shared = self.0.as_ref()?;
        let mut sources = shared.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if !sources.changed() {
            return None;
        }
        let (read, known) = Known::read(&shared.path);
        *sources = read;
        let known = known.and_then(|known| match known.maps_certificates() && !certificates {
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

    /// Everybody in the file, in its order; nobody where everyone may do everything.
    pub fn listed(&self) -> Vec<Listed> {
        let listed = |entry: &Entry| Listed {
            name: entry.name.clone(),
            shown_by: entry.proof.kind(),
            scopes: entry.scopes.iter().copied().collect(),
            requests_per_minute: entry.requests_per_minute,
            expires: entry.expires,
            valid: entry.lasts(),
        };
        self.known().iter().flat_map(|known| &known.entries).map(listed).collect()
    }

    /// Who somebody with this bearer token is at this moment, as a server that reads the same file would say.
    ///
    /// # Errors
    /// The answer that they would get.
    pub fn who(&self, token: &str) -> Result<Caller, Problem> {
        self.caller(Some(format!("Bearer {token}").as_bytes()), None)
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
        let (name, entries) = match (authorization, certificate) {
            (Some(header), _) => known.by_header(header)?,
            (None, Some(names)) => known.by_certificate(names)?.map(one).unwrap_or_default(),
            (None, None) => Default::default(),
        };
        let valid: Vec<&Entry> = entries.iter().copied().filter(|entry| entry.lasts()).collect();
        let Some(first) = valid.first() else {
            let Some(entry) = entries.first() else { return Ok(Caller::anonymous(Some(BTreeSet::new()), peer)) };
            let at = entry.expires.map_or_else(String::new, clock::utc);
            let detail = format!("'{}' expired at {at}; ask for another token", entry.name);
            return Err(Problem::new(StatusCode::UNAUTHORIZED, detail));
        };
        let scopes = valid.iter().flat_map(|entry| &entry.scopes).copied().collect();
        // Of several groups the widest allowance counts, as the scopes of all do.
        let limits: Option<Vec<u32>> = valid.iter().map(|entry| entry.requests_per_minute).collect();
        shared.spend(&name, limits.and_then(|limits| limits.into_iter().max()))?;
        Ok(Caller::known(&name, &first.name, scopes))
    }
}

/// What an entry alone says.
fn one(entry: &Entry) -> (String, Vec<&Entry>) {
    (entry.name.clone(), vec![entry])
}

impl Entry {
    fn lasts(&self) -> bool {
        self.expires.is_none_or(|expires| clock::now() < expires)
    }
}

impl Known {
    /// Who sent this header, by what name, and the entries that say what they may do.
    fn by_header(&self, header: &[u8]) -> Result<(String, Vec<&Entry>), Problem> {
        let unknown = || Problem::new(StatusCode::UNAUTHORIZED, "the bearer token is not known here");
        let given = header.get(7..).filter(|_| header[..7].eq_ignore_ascii_case(b"bearer ")).ok_or_else(unknown)?;
        match self.by_token(given) {
            Some(entry) => Ok(one(entry)),
            None if self.knows_people() && jwt::is_like(given) => self.by_claims(given),
            None => Err(unknown()),
        }
    }
}

impl Shared {
    /// Takes one request from an allowance: a bucket that holds one minute's worth and refills evenly.
    fn spend(&self, name: &str, per_minute: Option<u32>) -> Result<(), Problem> {
        let Some(per_minute) = per_minute.map(f64::from) else { return Ok(()) };
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS {
            buckets.retain(|_, bucket| now.duration_since(bucket.at) < Duration::from_secs(60));
        }
        let bucket = buckets.entry(name.to_owned()).or_insert(Bucket { left: per_minute, at: now });
        let refilled = bucket.left + now.duration_since(bucket.at).as_secs_f64() * per_minute / 60.0;
        (bucket.left, bucket.at) = (refilled.min(per_minute), now);
        if bucket.left < 1.0 {
            let wait = (60.0 * (1.0 - bucket.left) / per_minute.max(1e-9)).ceil().min(3600.0) as u64;
            let detail = format!("'{name}' may send {per_minute} requests per minute");
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
    use super::super::CertificateNames;
    use super::*;
    use crate::hash::Hash;

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
            (certificate("dns = \"b\"") + &other, "same proof of identity"),
            (certificate(&format!("sha256 = \"{}\"", Hash::of_bytes(b"b"))), "unknown field 'sha256'"),
            (certificate("colour = \"b\""), "unknown field"),
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
