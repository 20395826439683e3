//! The combiner: asks the authorities that hold shares of one key for their parts, checks each against the commitments,
//! and makes the key. It holds no secret and decides nothing.
//!
//! If policies demand that an issue is witnessed, it carries the heads of ledgers from one authority to the others,
//! which cosign them, and back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use qfe::shares::{CombineError, Combiner, PartialError, PartialKey};
use qfe::{FunctionalKey, QuadraticMap};
use roles::SharedKey;
use serde::Serialize;
use serde_json::{Value, json};

use crate::approval::Approval;
use crate::grant::GrantFile;
use crate::hash::{Hash, to_hex};
use crate::ledger::Handover;
use crate::owner::{ClientError, Connection, Problem};
use crate::signature::VerifyingKey;

/// Maximum size of an answer, in bytes.
const MOST: usize = 64 << 20;

/// An authority that holds a share.
pub struct Holder {
    /// Its name.
    pub name: String,
    /// How to reach it.
    pub connection: Connection,
}

/// The key that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The project's name at every authority.
    pub project: &'a str,
    /// The network to open.
    pub network: Hash,
    /// Who gets the key.
    pub holder: &'a str,
    /// People who signed for it.
    pub approvals: &'a [Approval],
}

/// The outcome of asking one authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "kebab-case")]
pub enum Verdict {
    /// Its part is right and is in the key.
    Used,
    /// Its part is right; enough others were there.
    Spare,
    /// Its policy refused, or its ledger.
    Refused(String),
    /// It gave no answer.
    Silent(String),
    /// Its part is of another key, sharing or epoch of shares.
    Stale(String),
    /// Its part is wrong.
    Lied(String),
}

/// One authority's answer.
#[derive(Clone, Debug, Serialize)]
pub struct Reply {
    /// The authority.
    pub server: String,
    /// The outcome.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// A key, and how it came about.
pub struct Collected {
    /// The key; it is checked against the public key.
    pub key: FunctionalKey,
    /// Each authority's answer.
    pub replies: Vec<Reply>,
    /// The grants of the authorities whose partial keys were combined, with their pins.
    pub grants: Vec<GrantFile>,
    /// Hash of the parameters that owners need, where all say the same.
    pub pin: Option<Hash>,
}

/// No key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuorumError {
    /// The function does not fit the key.
    #[error(transparent)]
    Combine(#[from] CombineError),
    /// Too few right answers.
    #[error("{found} of {needed} parts can be used{}", list(replies))]
    TooFew {
        /// Parts that can be used.
        found: usize,
        /// Parts that are needed.
        needed: usize,
        /// Each authority's answer.
        replies: Vec<Reply>,
    },
}

fn list(replies: &[Reply]) -> String {
    let line = |Reply { server, verdict }: &Reply| match verdict {
        Verdict::Used | Verdict::Spare => format!("; {server}: right"),
        Verdict::Refused(reason) => format!("; {server} refused: {reason}"),
        Verdict::Silent(reason) => format!("; {server} gave no answer: {reason}"),
        Verdict::Stale(reason) => format!("; {server} holds another share: {reason}"),
        Verdict::Lied(reason) => format!("; {server} lied: {reason}"),
    };
    replies.iter().map(line).collect()
}

/// A right part, with what came with it.
struct Right {
    partial: PartialKey,
    grant: Option<GrantFile>,
    pin: Option<Hash>,
}

/// Asks all holders at once, and combines the correct partial keys. Which share an authority holds follows from
/// its part, and nobody can pass off another's as its own: both are then named as the same server.
///
/// # Errors
/// Fewer than a quorum gave right parts; what each said is named.
pub fn collect(
    key: &SharedKey,
    map: &QuadraticMap,
    holders: &[Holder],
    wish: &Wish<'_>,
) -> Result<Collected, QuorumError> {
    let combiner = key.combiner(map)?;
    let answers = at_once(holders, |holder| ask(holder, holders, &combiner, wish));
    let needed = key.seat().sharing.quorum();
    let (mut replies, mut used, mut spare): (Vec<Reply>, Vec<Right>, _) = (Vec::new(), Vec::new(), 0);
    for (holder, answer) in holders.iter().zip(answers) {
        let verdict = match answer.unwrap_or_else(|| Err(Verdict::Silent("it was not asked".into()))) {
            Err(verdict) => verdict,
            Ok(right) if used.iter().any(|other| other.partial.seat().index == right.partial.seat().index) => {
                Verdict::Stale(format!("it answers with share {}, like another server", right.partial.seat().index))
            }
            Ok(_) if used.len() == needed => {
                spare += 1;
                Verdict::Spare
            }
            Ok(right) => {
                used.push(right);
                Verdict::Used
            }
        };
        replies.push(Reply { server: holder.name.clone(), verdict });
    }
    if used.len() < needed {
        return Err(QuorumError::TooFew { found: used.len() + spare, needed, replies });
    }
    let pins: Vec<_> = used.iter().map(|right| right.pin).collect();
    let pin = pins[0].filter(|pin| pins.iter().all(|other| *other == Some(*pin)));
    let mut grants: Vec<GrantFile> = Vec::new();
    let mut partials = Vec::new();
    for Right { partial, grant, .. } in used {
        partials.push(partial);
        grants.extend(grant);
    }
    // Once more as a whole: nothing leaves that the public key does not bear out.
    let combined = combiner.combine(&partials)?;
    // What ends first, first: that is the one that a predictor keeps to.
    grants.sort_by_key(|grant| grant.grant.expires.unwrap_or(i64::MAX));
    Ok(Collected { key: combined.key, replies, grants, pin })
}

/// Each holder's answer, all asked at once; none where the thread panicked.
pub(crate) fn at_once<T: Send>(holders: &[Holder], ask: impl Fn(&Holder) -> T + Sync) -> Vec<Option<T>> {
    std::thread::scope(|scope| {
        let ask = &ask;
        let asked: Vec<_> = holders.iter().map(|holder| scope.spawn(move || ask(holder))).collect();
        asked.into_iter().map(|thread| thread.join().ok()).collect()
    })
}

/// One holder's part, checked.
fn ask(holder: &Holder, all: &[Holder], combiner: &Combiner<'_>, wish: &Wish<'_>) -> Result<Right, Verdict> {
    let Wish { project, network, holder: to, approvals } = wish;
    let body = json!({ "network": network, "holder": to, "approvals": approvals });
    let path = ["v1", "projects", project, "partial-keys"];
    let post = || holder.connection.post(&path, &body, MOST).map_err(|error| Verdict::Silent(error.to_string()));
    let mut answer = post()?;
    if let Err(problem) = &answer
        && let Some(people) = problem.body["unwitnessed"]["people"].as_u64()
    {
        let seen = carry(holder, all, people);
        answer = post()?;
        if let (Err(problem), Err(reasons)) = (&answer, seen) {
            let reason = if reasons.is_empty() { problem.reason() } else { reasons.join("; ") };
            return Err(Verdict::Refused(format!("its issue is recorded but not witnessed: {reason}")));
        }
    }
    let answer = answer.map_err(|problem| match problem.status {
        // Nobody decided anything.
        500.. => Verdict::Silent(problem.reason()),
        _ => Verdict::Refused(problem.reason()),
    })?;
    let lied = |reason: &str| Verdict::Lied(reason.to_owned());
    let partial = answer["partial"].as_str().and_then(|text| STANDARD.decode(text).ok());
    let partial = partial.ok_or_else(|| lied("it answered without a part"))?;
    let partial = PartialKey::from_bytes(&partial).map_err(|error| lied(&format!("not a part of a key: {error}")))?;
    combiner.verify(&partial).map_err(|error| match error {
        PartialError::Seat(_) => Verdict::Stale(error.to_string()),
        error => Verdict::Lied(error.to_string()),
    })?;
    let grant = serde_json::to_vec(&answer["grant"]).ok().and_then(|bytes| GrantFile::from_bytes(&bytes).ok());
    let fits = |grant: &GrantFile| grant.grant.network == *network && grant.grant.holder == *to;
    let pin = answer["pin"].as_str().and_then(|pin| pin.parse().ok());
    Ok(Right { partial, grant: grant.filter(fits), pin })
}

/// Carries the head of a holder's ledger to all others, and what they cosigned back: who has seen it cosigns no other.
/// Where not enough did, why.
fn carry(holder: &Holder, all: &[Holder], people: u64) -> Result<(), Vec<String>> {
    let (mut reasons, mut most) = (Vec::new(), 0);
    for other in all.iter().filter(|other| other.name != holder.name) {
        match carry_to(holder, other) {
            Ok(witnesses) => most = witnesses.max(most),
            Err(reason) => reasons.push(format!("{}: {reason}", other.name)),
        }
    }
    if most >= people { Ok(()) } else { Err(reasons) }
}

fn carry_to(holder: &Holder, other: &Holder) -> Result<u64, String> {
    let said = |error: ClientError| error.to_string();
    let get = |of: &Holder, path: &[&str]| -> Result<Value, String> {
        let bytes = of.connection.get(path, MOST).map_err(said)?;
        serde_json::from_slice(&bytes).map_err(|error| error.to_string())
    };
    let post = |of: &Holder, path: &[&str], body: &Value| -> Result<Value, String> {
        of.connection.post(path, body, MOST).map_err(said)?.map_err(|problem: Problem| problem.reason())
    };
    // Which ledger it is, its own head says; the witness knows it or refuses.
    let whole = get(holder, &["v1", "ledger", &i64::MAX.to_string(), "handover"])?;
    let ledger: VerifyingKey = serde_json::from_value(whole["ledger"].clone()).map_err(|error| error.to_string())?;
    let last: Handover = serde_json::from_value(whole["handover"].clone()).map_err(|error| error.to_string())?;
    let last = last.size().unwrap_or(0) as i64;
    let seen = get(other, &["v1", "witness", &to_hex(&ledger.to_bytes())])?;
    let mut seen = seen["head"]["sequence"].as_i64().unwrap_or(0);
    // A long ledger comes in several parts, each with a head of its own.
    loop {
        let handover = get(holder, &["v1", "ledger", &seen.to_string(), "handover"])?;
        let cosigned = post(other, &["v1", "witness"], &handover)?;
        let head = cosigned["head"]["sequence"].as_i64().unwrap_or(0);
        if head >= last || head <= seen {
            let kept = post(holder, &["v1", "ledger", "cosigned"], &json!({ "note": cosigned["note"] }))?;
            return Ok(kept["witnesses"].as_u64().unwrap_or(0));
        }
        seen = head;
    }
}
