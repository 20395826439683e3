//! Who is asking: bearer tokens with scopes.
//!
//! ```toml
//! [[token]]
//! name = "ward-3"                     # appears in the ledger and the log
//! sha256 = "5e88…"                    # of the token, so that this file gives nobody access
//! scopes = ["infer"]
//! requests_per_minute = 600           # omit for no limit
//! ```

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::Problem;
use crate::files::{self, FileError};
use crate::hash::Hash;

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scope {
    /// Ask for predictions.
    Infer,
    /// Load and unload models; create and rotate projects.
    Admin,
    /// Register networks and audits.
    Register,
    /// Ask for functional keys.
    Issue,
    /// Read the ledger.
    Ledger,
    /// Read `/metrics`.
    Metrics,
}

/// The tokens that are known; none means that everyone may do everything.
#[derive(Clone, Default)]
pub struct Tokens(Option<Arc<Known>>);

#[derive(Default)]
struct Known {
    tokens: Vec<Token>,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    token: Vec<Token>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    name: String,
    sha256: Hash,
    scopes: BTreeSet<Scope>,
    #[serde(default)]
    requests_per_minute: Option<u32>,
}

struct Bucket {
    left: f64,
    at: Instant,
}

/// Who asks, and what they may do.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Name of the token; `anonymous` where none is needed.
    pub name: String,
    scopes: Option<BTreeSet<Scope>>,
}

/// A token file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// It cannot be read.
    #[error("tokens {0}")]
    File(#[from] FileError),
    /// It is no token file.
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
        let text = files::read_text(path, 1 << 20)?;
        let syntax = |problem: String| AuthError::Syntax { path: path.to_owned(), problem };
        let file: File = toml::from_str(&text).map_err(|error| syntax(error.to_string()))?;
        let mut names = HashSet::new();
        for token in &file.token {
            if token.name.is_empty() || token.name == "anonymous" || !names.insert(&token.name) {
                return Err(syntax(format!("token name '{}' is empty, reserved or there twice", token.name)));
            }
        }
        if file.token.is_empty() {
            return Err(syntax("no token; nobody could ask for anything".into()));
        }
        Ok(Self(Some(Arc::new(Known { tokens: file.token, buckets: Mutex::default() }))))
    }

    /// Whether tokens are needed.
    pub fn required(&self) -> bool {
        self.0.is_some()
    }

    /// The caller with this `Authorization` header. No header gives a caller without scopes.
    fn caller(&self, authorization: Option<&[u8]>) -> Result<Caller, Problem> {
        let Some(known) = &self.0 else { return Ok(Caller { name: "anonymous".into(), scopes: None }) };
        let Some(header) = authorization else {
            return Ok(Caller { name: "anonymous".into(), scopes: Some(BTreeSet::new()) });
        };
        let unknown = || Problem::new(StatusCode::UNAUTHORIZED, "the bearer token is not known here");
        let given = header.get(7..).filter(|_| header[..7].eq_ignore_ascii_case(b"bearer ")).ok_or_else(unknown)?;
        let hash = Hash::of_bytes(given);
        // Every token is compared, in constant time, so that time tells nothing about which are near.
        let found = known
            .tokens
            .iter()
            .fold(None, |found, token| if bool::from(token.sha256.0.ct_eq(&hash.0)) { Some(token) } else { found });
        let token = found.ok_or_else(unknown)?;
        known.spend(token)?;
        Ok(Caller { name: token.name.clone(), scopes: Some(token.scopes.clone()) })
    }
}

impl Known {
    /// Takes one request from the token's allowance: a bucket that holds one minute's worth and refills evenly.
    fn spend(&self, token: &Token) -> Result<(), Problem> {
        let Some(per_minute) = token.requests_per_minute.map(f64::from) else { return Ok(()) };
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
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

impl Caller {
    /// Refuses a caller without this scope: 401 without a token, 403 with another one.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        match &self.scopes {
            None => Ok(()),
            Some(scopes) if scopes.contains(&scope) => Ok(()),
            Some(scopes) if scopes.is_empty() && self.name == "anonymous" => {
                Err(Problem::new(StatusCode::UNAUTHORIZED, "send a bearer token"))
            }
            Some(_) => {
                let detail = format!("the token '{}' lacks the scope {scope:?}", self.name).to_lowercase();
                Err(Problem::new(StatusCode::FORBIDDEN, detail))
            }
        }
    }
}

/// Middleware: finds out who asks before anything else is read.
pub(crate) async fn identify(
    State(tokens): State<Tokens>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let header = request.headers().get(header::AUTHORIZATION);
    let caller = tokens.caller(header.map(|value| value.as_bytes()))?;
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
        let ward = tokens.caller(Some(b"Bearer secret")).unwrap();
        assert_eq!(ward.name, "ward");
        ward.require(Scope::Infer).unwrap();
        assert_eq!(ward.require(Scope::Admin).unwrap_err().status(), StatusCode::FORBIDDEN);
        let nobody = tokens.caller(None).unwrap();
        assert_eq!(nobody.require(Scope::Infer).unwrap_err().status(), StatusCode::UNAUTHORIZED);
        for wrong in [&b"Bearer other"[..], b"", b"Basic x", b"Bearer ", b"\xff\xfe"] {
            assert_eq!(tokens.caller(Some(wrong)).unwrap_err().status(), StatusCode::UNAUTHORIZED);
        }
        Tokens::none().caller(None).unwrap().require(Scope::Admin).unwrap();
    }

    #[test]
    fn an_allowance_ends() {
        let tokens = tokens("requests_per_minute = 3\n");
        for _ in 0..3 {
            tokens.caller(Some(b"Bearer secret")).unwrap();
        }
        let refused = tokens.caller(Some(b"Bearer secret")).unwrap_err();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    }
}
