//! An authority as all of its routes see it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::metrics::Metrics;
use super::{AuthorityError, Issuer, KeyRequest, MAX_NETWORK_BYTES};
use crate::approval::Approval;
use crate::hash::Hash;
use crate::policy::Opened;
use crate::transport::{AuthError, BodyLimits, Caller, HttpMetrics, JSON, Problem, Scope, Tokens, content};

/// Maximum size of an ordinary request, in bytes.
const MAX_JSON: usize = 64 << 10;

/// An authority, shared by all requests.
pub struct AuthorityServer {
    pub(super) authority: Issuer,
    pub(super) tokens: Tokens,
    pub(super) bodies: BodyLimits,
    pub(super) metrics: Metrics,
    /// What is open under a public key, and how many networks that was counted over. Locked while it is counted, so that
    /// many who ask at once cost one count.
    pub(super) opened: tokio::sync::Mutex<HashMap<Hash, (usize, Opened)>>,
}

pub(super) type Shared = State<Arc<AuthorityServer>>;
pub(super) type Answer<T> = Result<T, Problem>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    network: Hash,
    holder: String,
    #[serde(default)]
    approvals: Vec<Approval>,
    #[serde(default)]
    dry_run: bool,
}

impl AuthorityServer {
    /// Serves an authority over HTTP.
    ///
    /// # Errors
    /// [`AuthError::Missing`] where everyone would be let in: an authority obeys nobody whom it does not know.
    pub fn new(authority: Issuer, tokens: Tokens) -> Result<Arc<Self>, AuthError> {
        if !tokens.required() {
            return Err(AuthError::Missing);
        }
        let bodies = BodyLimits::new(4 * MAX_NETWORK_BYTES, MAX_NETWORK_BYTES, Duration::from_secs(60));
        Ok(Arc::new(Self { authority, tokens, bodies, metrics: Metrics::new(), opened: Default::default() }))
    }

    /// Before the end: records what is not on record yet.
    pub async fn finish(&self) {
        self.authority.record_refusals().await;
    }

    /// Counts of requests and connections.
    pub fn http_metrics(&self) -> &Arc<HttpMetrics> {
        &self.metrics.http
    }

    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        body: Body,
    ) -> Answer<T> {
        self.json_of(caller, headers, body, MAX_JSON).await
    }

    /// JSON of at most so many bytes.
    pub(super) async fn json_of<T: DeserializeOwned>(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        body: Body,
        most: usize,
    ) -> Answer<T> {
        content(headers, &[JSON], false)?;
        let body = self.bodies.read(caller, headers, body, most).await?;
        serde_json::from_slice(&body.bytes).map_err(|error| Problem::bad_request(format!("the body: {error}")))
    }

    /// The answer to who asks for a key, or for this authority's part of one; with `dry_run` what it would add.
    pub(super) async fn issue(
        &self,
        caller: &Caller,
        project: &str,
        headers: &HeaderMap,
        body: Body,
        part: bool,
    ) -> Answer<(StatusCode, Json<Value>)> {
        caller.require(Scope::Issue)?;
        let new: NewKey = self.json(caller, headers, body).await?;
        let NewKey { network, holder, approvals, dry_run } = &new;
        let request = KeyRequest { project, network: *network, holder, approvals, by: &caller.name };
        if *dry_run {
            let (decision, proposal) = self.authority.consider(&request).await?;
            return Ok((StatusCode::OK, Json(json!({ "decision": decision, "proposal": proposal }))));
        }
        let (issued, name) = match part {
            true => (self.authority.issue_partial(&request).await?, "partial"),
            false => (self.authority.issue(&request).await?, "key"),
        };
        let mut answer = json!(issued);
        answer["pin"] = json!(issued.parameters.pin());
        answer[name] = json!(STANDARD.encode(&issued.key));
        Ok((StatusCode::CREATED, Json(answer)))
    }
}

impl From<AuthorityError> for Problem {
    fn from(error: AuthorityError) -> Self {
        match error {
            AuthorityError::Refused { ref reasons } => {
                Self::new(StatusCode::FORBIDDEN, error.to_string()).with("reasons", reasons)
            }
            AuthorityError::Unknown(problem) => Self::not_found(problem),
            AuthorityError::Field { .. } => Self::bad_request(error),
            AuthorityError::KeyElsewhere { .. }
            | AuthorityError::Shared { .. }
            | AuthorityError::SharesOnly { .. }
            | AuthorityError::Witness(_) => Self::new(StatusCode::CONFLICT, error.to_string()),
            AuthorityError::Busy => Self::busy(20, error),
            AuthorityError::Unwitnessed { sequence, people } => Self::new(StatusCode::CONFLICT, error.to_string())
                .with("unwitnessed", json!({ "sequence": sequence, "people": people })),
            // A policy file that cannot be used is said to whoever asked to read it again.
            AuthorityError::Policy(problem) => Self::refused(problem),
            AuthorityError::Ledger(ref ledger) => {
                tracing::error!(error = %ledger, "ledger");
                Self::busy(60, "the ledger cannot be used; without it nothing is issued. The log says why")
            }
            error => Self::internal(&error),
        }
    }
}
