//! Who holds valid keys.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::{Value, json};

use super::server::{Answer, Shared};
use super::{Recorded, State as Standing};
use crate::clock;
use crate::hash::Hash;
use crate::transport::{Caller, Problem, Scope};

/// An issued key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// Who holds it.
    pub holder: String,
    /// The network that it opens.
    pub network: Hash,
    /// The public key that it opens ciphertexts of.
    pub public_key: Hash,
    /// Of the public key, in its project.
    pub epoch: u32,
    /// Seconds since 1970 when it was issued last.
    pub issued: i64,
    /// Seconds since 1970 when its grant ends; none does not expire.
    pub expires: Option<i64>,
    /// Whether an honest predictor would still use it.
    pub valid: bool,
    /// Whether the public key is the project's current one.
    pub current: bool,
    /// Its entry in the ledger.
    pub entry: i64,
}

impl Standing {
    /// The newest key of each network of each holder, under every public key of a project, newest epoch first; none where
    /// there is no such project. Expired keys are included, because expiry does not stop them mathematically.
    pub fn keys(&self, project: &str, now: i64) -> Option<Vec<Held>> {
        let project = self.projects.get(project)?;
        let current = project.current().public_key;
        let held = |recorded: &Recorded| {
            let grant = &recorded.grant;
            Held {
                holder: grant.holder.clone(),
                network: grant.network,
                public_key: grant.public_key,
                epoch: grant.epoch,
                issued: recorded.at,
                expires: grant.expires,
                valid: grant.expires.is_none_or(|expires| expires > now),
                current: grant.public_key == current,
                entry: recorded.entry.sequence,
            }
        };
        let epochs = project.epochs.iter().rev();
        Some(epochs.flat_map(|epoch| self.held(epoch.public_key)).map(held).collect())
    }
}

/// `GET /v1/projects/{project}/keys`.
pub async fn held(
    State(server): Shared,
    Extension(caller): Extension<Caller>,
    Path(project): Path<String>,
) -> Answer<Json<Value>> {
    caller.require(Scope::Ledger)?;
    let keys = server.authority.state().await?.keys(&project, clock::now());
    let keys = keys.ok_or_else(|| Problem::not_found("there is no such project"))?;
    Ok(Json(json!({ "project": project, "keys": keys })))
}
