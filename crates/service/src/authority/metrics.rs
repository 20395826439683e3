//! Metrics of an authority. Ledger metrics are counted from the ledger, so that they survive a restart.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{AuthorityError, Issuer};
use crate::clock;
use crate::transport::{BodyLimits, HttpMetrics, Tokens, answer_metrics, raise, shown};

/// Time for the ledger to answer. A decision may take longer: then the previous counts are given.
const PATIENCE: Duration = Duration::from_secs(2);

/// Counts of an authority.
pub(super) struct Metrics {
    registry: Registry,
    /// Of requests.
    pub http: Arc<HttpMetrics>,
    issues: Family<ProjectLabels, Counter>,
    refusals: Counter,
    rotations: Family<ProjectLabels, Counter>,
    projects: Gauge,
    valid: Family<ProjectLabels, Gauge>,
    expiry: Family<HolderLabels, Gauge>,
    entries: Gauge,
    written: Gauge,
    witnessed: Gauge,
    lag: Gauge,
    unanswered: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ProjectLabels {
    project: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct HolderLabels {
    project: String,
    holder: String,
    network: String,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("halflight");
        let http = Arc::new(HttpMetrics::register(&mut registry, "authority"));
        let r = &mut registry;
        Self {
            http,
            issues: shown(r, "keys_issued", "Functional keys in the ledger, by project"),
            refusals: shown(r, "refusals", "Refusals in the ledger"),
            rotations: shown(r, "rotations", "Rotations in the ledger, by project"),
            projects: shown(r, "projects", "Projects in the ledger"),
            valid: shown(
                r,
                "keys_valid",
                "Holders with a key under the current public key that has not expired, by project",
            ),
            expiry: shown(
                r,
                "key_expiry_timestamp_seconds",
                "When a holder's newest key expires, in seconds since 1970",
            ),
            entries: shown(r, "ledger_entries", "Entries of the ledger: the number in its head"),
            written: shown(
                r,
                "ledger_last_entry_timestamp_seconds",
                "When the last entry was written, in seconds since 1970",
            ),
            witnessed: shown(
                r,
                "ledger_witnessed_entries",
                "Entries that a quorum of witnesses has cosigned; 0 where the policy names no witnesses",
            ),
            lag: shown(
                r,
                "ledger_witness_lag_entries",
                "Entries that wait for a quorum of witnesses; 0 where the policy names no witnesses",
            ),
            unanswered: shown(
                r,
                "ledger_unanswered",
                "Times that the ledger did not answer a request for these counts",
            ),
            registry,
        }
    }

    /// The text that `/metrics` gives.
    pub async fn answer(
        &self,
        authority: &Issuer,
        tokens: &Tokens,
        bodies: &BodyLimits,
        headers: &HeaderMap,
    ) -> Response {
        if !matches!(tokio::time::timeout(PATIENCE, self.count(authority)).await, Ok(Ok(()))) {
            self.unanswered.inc();
        }
        self.http.refresh(bodies, tokens);
        answer_metrics(&self.registry, headers)
    }

    async fn count(&self, authority: &Issuer) -> Result<(), AuthorityError> {
        let now = clock::now();
        let head = {
            let state = authority.state().await?;
            self.projects.set(state.projects.len() as i64);
            raise(&self.refusals, state.refusals);
            self.written.set(state.written);
            self.valid.clear();
            self.expiry.clear();
            for project in state.projects.values() {
                let labels = ProjectLabels { project: project.name.clone() };
                let issued = state.grants.iter().filter(|recorded| recorded.grant.project == project.name).count();
                raise(&self.issues.get_or_create(&labels), issued as u64);
                raise(&self.rotations.get_or_create(&labels), project.epochs.len().saturating_sub(1) as u64);
                let held = state.held(project.current().public_key);
                let valid = held.iter().filter(|held| held.grant.expires.is_none_or(|expires| expires > now)).count();
                self.valid.get_or_create(&labels).set(valid as i64);
                for recorded in held {
                    let Some(expires) = recorded.grant.expires else { continue };
                    let grant = &recorded.grant;
                    let (project, holder) = (grant.project.clone(), grant.holder.clone());
                    let labels = HolderLabels { project, holder, network: grant.network.to_string() };
                    self.expiry.get_or_create(&labels).set(expires);
                }
            }
            state.head()
        };
        self.entries.set(head.sequence);
        let quorum = authority.policy().quorum();
        let witnessed = match &quorum {
            Some(quorum) => authority.ledger().witnessed(quorum).await?.map_or(0, |seen| seen.sequence),
            None => 0,
        };
        self.witnessed.set(witnessed);
        self.lag.set(if quorum.is_some() { head.sequence - witnessed } else { 0 });
        Ok(())
    }
}
