//! The decisions of several authorities about a key, before any is asked for its part: a dry run at each. Nothing is
//! recorded, and nothing is issued.

use roles::SharedKey;
use serde::Serialize;
use serde_json::json;

use crate::hash::Hash;
use crate::policy::Decision;
use crate::quorum::{Holder, Wish, at_once};

/// Maximum size of an answer, in bytes.
const MOST: usize = 64 << 20;

/// What one authority would do.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "opinion", rename_all = "kebab-case")]
pub enum Opinion {
    /// It would give its part.
    Willing {
        /// What its policy says.
        decision: Box<Decision>,
    },
    /// It would refuse.
    Unwilling {
        /// Every reason.
        reasons: Vec<String>,
        /// What its policy says; none if the check stopped earlier.
        #[serde(skip_serializing_if = "Option::is_none")]
        decision: Option<Box<Decision>>,
    },
    /// It gave no answer.
    Silent {
        /// The reason.
        reason: String,
    },
    /// It holds shares of another key or epoch, and its part would not fit.
    Stale {
        /// What it holds.
        reason: String,
    },
}

/// One authority's opinion.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    /// The authority.
    pub server: String,
    /// What it would do.
    #[serde(flatten)]
    pub opinion: Opinion,
}

/// Asks all holders at once what they would say. An authority may still decide otherwise later, and what it says now
/// does not prove that its part would be right.
pub fn consider(key: &SharedKey, holders: &[Holder], wish: &Wish<'_>) -> Vec<Said> {
    let opinions = at_once(holders, |holder| ask(key, holder, wish));
    let said = |(holder, opinion): (&Holder, Option<Opinion>)| Said {
        server: holder.name.clone(),
        opinion: opinion.unwrap_or_else(|| Opinion::Silent { reason: "it was not asked".into() }),
    };
    holders.iter().zip(opinions).map(said).collect()
}

fn ask(key: &SharedKey, holder: &Holder, wish: &Wish<'_>) -> Opinion {
    let silent = |reason: String| Opinion::Silent { reason };
    let unwilling = |reasons: Vec<String>| Opinion::Unwilling { reasons, decision: None };
    let Wish { project, network, holder: to, approvals } = wish;
    let body = json!({ "network": network, "holder": to, "approvals": approvals, "dry_run": true });
    let answer = match holder.connection.post(&["v1", "projects", project, "partial-keys"], &body, MOST) {
        Err(error) => return silent(error.to_string()),
        // Nobody decided anything.
        Ok(Err(problem)) if problem.status >= 500 => return silent(problem.reason()),
        Ok(Err(problem)) => return unwilling(vec![problem.reason()]),
        Ok(Ok(answer)) => answer,
    };
    let decision: Box<Decision> = match serde_json::from_value(answer["decision"].clone()) {
        Ok(decision) => decision,
        Err(error) => return silent(format!("its answer is not a decision: {error}")),
    };
    if !decision.refusals.is_empty() {
        return Opinion::Unwilling { reasons: decision.refusals.clone(), decision: Some(decision) };
    }
    // Which shares it holds, it publishes.
    let id = Hash(*key.public().id().as_bytes()).to_string();
    match holder.connection.get(&["v1", "public-keys", &id, "commitments"], MOST) {
        Err(error) => Opinion::Stale { reason: format!("it publishes no commitments of this key: {error}") },
        Ok(found) if found != key.commitments().to_bytes() => {
            Opinion::Stale { reason: "its commitments are of another epoch or sharing of the key".into() }
        }
        Ok(_) => Opinion::Willing { decision },
    }
}
