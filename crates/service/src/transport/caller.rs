//! Who asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::StatusCode;

use super::addresses::network;
use super::{Peer, Problem, Scope};

/// Who asks, and what they may do.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Name of the token, certificate or person; `anonymous` where none is needed or none was shown.
    pub name: String,
    /// The name in the file of callers: that of a group for somebody whom only their group makes known.
    pub(crate) entry: String,
    scopes: Option<BTreeSet<Scope>>,
    source: Arc<str>,
}

impl Caller {
    /// Somebody whom nobody knows. `scopes`: none where everyone may do everything.
    pub(super) fn anonymous(scopes: Option<BTreeSet<Scope>>, peer: Option<&Peer>) -> Self {
        let source = peer.map_or_else(String::new, |peer| format!("address {}", network(peer.address.ip())));
        Self { name: "anonymous".into(), entry: "anonymous".into(), scopes, source: source.into() }
    }

    /// Somebody who is known by name.
    pub(super) fn known(name: &str, entry: &str, scopes: BTreeSet<Scope>) -> Self {
        let source = format!("name {name}").into();
        Self { name: name.to_owned(), entry: entry.to_owned(), scopes: Some(scopes), source }
    }

    /// Refuses a caller without this scope: 401 where nobody knows who it is, 403 otherwise.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        self.require_any(&[scope])
    }

    /// Refuses a caller without any of these scopes, as [`Caller::require`].
    pub fn require_any(&self, wanted: &[Scope]) -> Result<(), Problem> {
        match &self.scopes {
            None => Ok(()),
            Some(scopes) if wanted.iter().any(|scope| scopes.contains(scope)) => Ok(()),
            Some(scopes) if scopes.is_empty() && self.name == "anonymous" => {
                let detail = "send a bearer token, or show a certificate that this server knows by name";
                Err(Problem::new(StatusCode::UNAUTHORIZED, detail))
            }
            Some(_) => {
                let wanted: Vec<String> = wanted.iter().map(Scope::to_string).collect();
                let detail = format!("'{}' lacks the scope {}", self.name, wanted.join(" or "));
                Err(Problem::new(StatusCode::FORBIDDEN, detail))
            }
        }
    }

    /// What they may do; none where everyone may do everything.
    pub fn scopes(&self) -> Option<&BTreeSet<Scope>> {
        self.scopes.as_ref()
    }

    /// Whose share of a common good this caller uses: its name's, or where nobody is known, its address's.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }
}
