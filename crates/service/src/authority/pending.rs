//! What a key would open, and the policy's decision: reads files and computes, on a snapshot of the state.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::CompiledNetwork;

use super::archive::Archive;
use super::{AuthorityError, Epoch, KeyRequest, State};
use crate::approval::{self, Approval, Subject};
use crate::clock;
use crate::hash::Hash;
use crate::opened::opened;
use crate::policy::{AuditEvidence, Decision, Opened, Policy, Request};

/// Maximum rank of a span; a larger one is refused before it is counted.
const MOST_RANK: usize = 1024;

/// Multiplications for which a network is counted that the policy does not allow: seconds. Whoever may register networks
/// could keep all cores busy with large ones.
const MOST_COST: usize = 1 << 27;

/// A request, and what it is decided by.
pub(super) struct PendingDecision {
    archive: Archive,
    policy: Arc<Policy>,
    state: State,
    project: String,
    network: Hash,
    holder: String,
    approvals: Vec<Approval>,
    all: bool,
}

/// A request with everything that its decision needs.
pub(super) struct Considered {
    pub epoch: Epoch,
    pub network: Option<CompiledNetwork>,
    pub decision: Decision,
    /// What approvers would sign.
    pub subject: Subject,
    pub approved_by: Vec<String>,
}

impl PendingDecision {
    /// `all`: whether networks are counted that the policy does not allow. While others wait for the decision they are
    /// not: anybody who may register a network could hold up every issue with a large one.
    pub fn new(archive: &Archive, policy: Arc<Policy>, state: &State, request: &KeyRequest, all: bool) -> Self {
        Self {
            archive: archive.clone(),
            policy,
            state: state.clone(),
            project: request.project.to_owned(),
            network: request.network,
            holder: request.holder.to_owned(),
            approvals: request.approvals.to_vec(),
            all,
        }
    }

    /// Decides.
    pub fn decide(&self) -> Result<Considered, AuthorityError> {
        check_holder(&self.holder)?;
        let Self { archive, policy, state, .. } = self;
        let epoch = current(state, &self.project)?.clone();
        let (audits, mut problems) = self.audits();
        let registered = state.networks.contains_key(&self.network);
        let issued = state.opened(epoch.public_key);
        let others_open = issued.iter().any(|hash| *hash != self.network);
        let issued = issued.iter().map(|hash| archive.network(*hash)).collect::<Result<Vec<_>, _>>()?;
        let before = count(&issued, None)?;
        let (after, network) = match registered && (self.all || policy.allows(self.network)) {
            false => (before, None),
            true => {
                let network = archive.network(self.network)?;
                let after = if network.inputs() != epoch.inputs {
                    problems.push(format!(
                        "inputs: the network takes {:?}, but the public key encrypts {:?}",
                        network.inputs(),
                        epoch.inputs
                    ));
                    before
                } else if !policy.allows(self.network) && cost(&network) > MOST_COST {
                    problems.push("size: what the network would open is counted once the policy allows it".into());
                    before
                } else {
                    count(&issued, Some(&network))?
                };
                if let Err(problem) = roles::openable(&network) {
                    problems.push(format!("range: {problem}"));
                }
                (after, Some(network))
            }
        };
        let nobody = BTreeSet::new();
        let mut holders = state.holders(epoch.public_key);
        holders.insert(&self.holder);
        let mut asked = Request {
            network: self.network,
            registered,
            before,
            after,
            audits: &audits,
            approved_by: &nobody,
            new_holder: state.issued(epoch.public_key, self.network, &self.holder).is_none(),
            holders: holders.len(),
            others_open,
            now: clock::now(),
        };
        let subject = Subject {
            public_key: epoch.public_key,
            network: self.network,
            holder: self.holder.clone(),
            rank: after.rank,
            bits: after.bits,
            audits: Subject::audits_of(&policy.counted(&asked).into_iter().map(|(_, audit)| audit.audit).collect()),
        };
        let (approved_by, unfit) = approval::check_all(&self.approvals, &subject, policy);
        problems.extend(unfit);
        asked.approved_by = &approved_by;
        let mut decision = Decision { approval: Some(subject.clone()), ..policy.decide(&asked) };
        decision.refusals.extend(problems);
        Ok(Considered { epoch, network, decision, subject, approved_by: approved_by.into_iter().collect() })
    }

    /// The network's recorded audits of attributes that the policy demands, each read again and its signature checked.
    /// Statements that a file does not support do not count. An unreadable file is a problem, because it may be the one
    /// that leads to a refusal.
    fn audits(&self) -> (Vec<AuditEvidence>, Vec<String>) {
        let demanded = self
            .state
            .audits
            .iter()
            .filter(|found| found.network == self.network && self.policy.demands_audit(&found.attribute));
        let (mut audits, mut problems) = (Vec::new(), Vec::new());
        for known in demanded {
            match self.archive.audit(known) {
                Ok(evidence) => audits.push(evidence),
                Err(error) => problems.push(format!("audit: the recorded {} cannot be used: {error}", known.audit)),
            }
        }
        (audits, problems)
    }
}

/// Multiplications to count what a network opens, about: its outputs at as many points.
fn cost(network: &CompiledNetwork) -> usize {
    let ((n, m), outputs, units) = (network.inputs(), network.outputs(), network.units());
    outputs.saturating_mul(units).saturating_mul(n + m + outputs)
}

/// What these networks open together, with another one.
pub(super) fn count(issued: &[CompiledNetwork], requested: Option<&CompiledNetwork>) -> Result<Opened, AuthorityError> {
    let networks: Vec<&CompiledNetwork> = issued.iter().chain(requested).collect();
    let forms: usize = networks.iter().map(|network| network.outputs()).sum();
    if forms > MOST_RANK {
        let problem = format!("{forms} functions are or would be open, more than {MOST_RANK}; rotate the project");
        return Err(AuthorityError::Refused { reasons: vec![problem] });
    }
    opened(&networks).map_err(|error| AuthorityError::Refused { reasons: vec![error.to_string()] })
}

/// The epoch of a project that is in use.
pub(super) fn current<'a>(state: &'a State, project: &str) -> Result<&'a Epoch, AuthorityError> {
    let found = state.projects.get(project).map(|project| project.current());
    found.ok_or_else(|| {
        let shown: String = project.chars().take(80).collect();
        AuthorityError::Unknown(format!("there is no project '{shown}'"))
    })
}

/// Two holders must not look alike: approvers sign for the name that they read.
fn check_holder(holder: &str) -> Result<(), AuthorityError> {
    // Characters without a picture of their own are escaped: spaces but ' ', joiners, marks of direction.
    let hidden = |c: char| c.is_control() || c.escape_debug().len() > 2;
    let remedy = if !(1..=200).contains(&holder.len()) || holder.chars().any(hidden) || holder.trim() != holder {
        "name who gets the key, in 1 to 200 printable characters without spaces around them"
    } else if holder.chars().any(|c| c.is_ascii_alphabetic()) && holder.chars().any(looks_latin) {
        "write the whole name in one alphabet: letters of another one look like these"
    } else {
        return Ok(());
    };
    let value = holder.chars().take(80).flat_map(char::escape_default).collect();
    Err(AuthorityError::Field { field: "holder", value, remedy: remedy.to_owned() })
}

/// Letters outside the Latin alphabet that have the picture of one in it: of Greek, Cyrillic, Armenian, Cherokee, Lisu,
/// and those for mathematics and wide print.
fn looks_latin(c: char) -> bool {
    matches!(u32::from(c),
        0x370..=0x58F | 0x13A0..=0x13FF | 0x1C80..=0x1C8F | 0x1F00..=0x1FFF | 0x2100..=0x218F | 0x2DE0..=0x2DFF
        | 0xA4D0..=0xA4FF | 0xA640..=0xA69F | 0xAB30..=0xABBF | 0xFF00..=0xFFEF | 0x1D400..=0x1D7FF)
}
