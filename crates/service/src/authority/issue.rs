//! The issue of functional keys.

use std::collections::BTreeSet;

use model::CompiledNetwork;
use serde::Serialize;

use super::{Issuer, AuthorityError, Epoch, Recorded, Refusal, State};
use crate::approval::{self, Approval, Subject};
use crate::clock;
use crate::grant::GrantFile;
use crate::hash::Hash;
use crate::ledger::{Event, Grant, Head};
use crate::opened::opened;
use crate::parameters::{Parameters, ParametersSignature, Purpose};
use crate::policy::{Decision, Opened, Request};

/// Forms that a span can tell apart; a larger rank is refused before it is counted.
const MOST_RANK: usize = 1024;

/// A wish for a functional key.
#[derive(Clone, Debug)]
pub struct KeyRequest<'a> {
    /// The project whose current public key is to be opened.
    pub project: &'a str,
    /// The network whose outputs are to be opened.
    pub network: Hash,
    /// Who will hold the key.
    pub holder: &'a str,
    /// People who signed for it.
    pub approvals: &'a [Approval],
    /// Who asks.
    pub by: &'a str,
}

/// A key, with what belongs to it.
#[derive(Serialize)]
pub struct Issued {
    /// The functional key file.
    #[serde(skip)]
    pub key: Vec<u8>,
    /// The grant, for the predictor.
    pub grant: GrantFile,
    /// What owners need.
    pub parameters: Parameters,
    /// What the policy said.
    pub decision: Decision,
}

/// A request with everything that its decision needs.
struct Considered {
    epoch: Epoch,
    network: Option<CompiledNetwork>,
    decision: Decision,
    approved_by: Vec<String>,
}

impl Issuer {
    /// Says what a key would add and what the policy says to it; nothing is issued or recorded.
    ///
    /// # Errors
    /// The project is unknown, or the ledger cannot be read.
    pub async fn consider(&self, request: &KeyRequest<'_>) -> Result<Decision, AuthorityError> {
        let state = self.state().await?;
        Ok(tokio::task::block_in_place(|| self.weigh(&state, request))?.decision)
    }

    /// Issues a functional key if the policy allows it. The ledger has the issue or the refusal, on the disk, before
    /// this returns; requests are decided one after the other, over all processes.
    ///
    /// Where the policy demands witnesses, the key is handed out only once a quorum cosigned a head that includes its
    /// issue: the first request records it and fails with [`AuthorityError::Unwitnessed`], a later one gets the key.
    ///
    /// # Errors
    /// [`AuthorityError::Refused`] with every reason; or what stood in the way.
    pub async fn issue(&self, request: &KeyRequest<'_>) -> Result<Issued, AuthorityError> {
        let (mut state, writing) = self.write().await?;
        let considered = tokio::task::block_in_place(|| self.weigh(&state, request));
        let Considered { epoch, network, decision, approved_by } = match considered {
            Ok(considered) => considered,
            Err(error) => {
                let reasons = match error {
                    AuthorityError::Unknown(reason) => vec![reason],
                    AuthorityError::Refused { reasons } => reasons,
                    error => return Err(error),
                };
                let (by, network) = (request.by, Some(request.network));
                let refusal = Refusal { request: "key", network, reasons, by, ..Default::default() };
                return Err(self.refuse(&mut state, writing, refusal).await);
            }
        };
        let network = match network {
            Some(network) if decision.refusals.is_empty() => network,
            _ => {
                let refusal = Refusal {
                    request: "key",
                    project: Some(request.project),
                    public_key: Some(epoch.public_key),
                    network: Some(request.network),
                    reasons: decision.refusals,
                    by: request.by,
                };
                return Err(self.refuse(&mut state, writing, refusal).await);
            }
        };
        let quorum = self.policy().quorum();
        let waiting = state.issued(epoch.public_key, request.network, request.holder).cloned();
        let valid = |recorded: &Recorded| recorded.grant.expires.is_none_or(|expires| expires > clock::now());
        let waiting = waiting.filter(|recorded| quorum.is_some() && valid(recorded));
        if let (Some(quorum), Some(Recorded { entry, .. })) = (&quorum, &waiting)
            && self.ledger.witnessed(quorum).await?.is_none_or(|seen| seen.sequence < entry.sequence)
        {
            return Err(AuthorityError::Unwitnessed { sequence: entry.sequence, people: quorum.people });
        }
        // Made before it is recorded, so that what is recorded can be handed out; released after.
        let key = tokio::task::block_in_place(|| {
            Ok::<_, AuthorityError>(self.master(epoch.public_key)?.issue(network.map())?.to_bytes())
        })?;
        let grant = Grant {
            project: request.project.to_owned(),
            epoch: epoch.epoch,
            public_key: epoch.public_key,
            network: request.network,
            holder: request.holder.to_owned(),
            rank: decision.after.rank,
            bits: decision.after.bits,
            expires: decision.expires,
            approved_by,
            policy: self.policy().hash(),
            by: request.by.to_owned(),
        };
        let (grant, head) = match waiting {
            Some(Recorded { grant, entry }) => (grant, entry),
            None => {
                let head = self.record(&mut state, writing, &Event::KeyIssued(grant.clone()), request.by).await?;
                if let Some(quorum) = quorum {
                    return Err(AuthorityError::Unwitnessed { sequence: head.sequence, people: quorum.people });
                }
                (grant, head)
            }
        };
        let Head { sequence, hash } = head;
        let (outputs, classes) = (network.outputs(), network.classes().to_vec());
        let parameters =
            Parameters::new(epoch.public_key, request.network, outputs, classes, network.encoder().clone());
        let grant = GrantFile::sign(grant, sequence, hash, &self.signing).with_parameters(&parameters, &self.signing);
        Ok(Issued { key, grant, parameters, decision })
    }

    /// What owners need to use a network of a project: parameters whose hash pins them.
    ///
    /// # Errors
    /// The project is unknown, or no key of this network was issued under its current public key.
    pub async fn parameters(&self, project: &str, network: Hash) -> Result<Parameters, AuthorityError> {
        let state = self.state().await?;
        let public_key = current(&state, project)?.public_key;
        if !state.opened(public_key).contains(&network) {
            let problem = format!("no key of network {network} was issued under the public key of '{project}'");
            return Err(AuthorityError::Unknown(problem));
        }
        let found = self.network(network)?;
        let (outputs, classes) = (found.outputs(), found.classes().to_vec());
        Ok(Parameters::new(public_key, network, outputs, classes, found.encoder().clone()))
    }

    /// The authority's word for parameters of a project, for owners who have its key.
    ///
    /// # Errors
    /// The project is unknown, or never had this public key.
    pub async fn sign_parameters(
        &self,
        project: &str,
        parameters: &Parameters,
    ) -> Result<ParametersSignature, AuthorityError> {
        let state = self.state().await?;
        let known = state.projects.get(project).map_or(&[][..], |project| &project.epochs);
        let epoch = known.iter().find(|epoch| epoch.public_key == parameters.public_key).ok_or_else(|| {
            AuthorityError::Unknown(format!("no project of this name has public key {}", parameters.public_key))
        })?;
        let purpose = Purpose { project: project.to_owned(), epoch: epoch.epoch, date: clock::now() };
        Ok(ParametersSignature::sign(parameters, purpose, &self.signing))
    }

    /// What is open under the current public key of a project.
    ///
    /// # Errors
    /// The project is unknown, or a network cannot be read.
    pub async fn opened(&self, project: &str) -> Result<Opened, AuthorityError> {
        let hashes = {
            let state = self.state().await?;
            state.opened(current(&state, project)?.public_key)
        };
        // Without the state: it decides over issues, and would be held up for as long as this counts.
        tokio::task::block_in_place(|| {
            let networks = hashes.iter().map(|hash| self.network(*hash)).collect::<Result<Vec<_>, _>>()?;
            self.count(&networks, None)
        })
    }

    fn weigh(&self, state: &State, request: &KeyRequest) -> Result<Considered, AuthorityError> {
        check_holder(request.holder)?;
        let epoch = current(state, request.project)?.clone();
        let policy = self.policy();
        let (audits, mut problems) = self.audits(state, request.network, &policy);
        let registered = state.networks.get(&request.network).copied();
        let issued = self.issued(state, &epoch)?;
        let before = self.count(&issued, None)?;
        let (after, network) = match registered {
            None => (before, None),
            Some(_) => {
                let network = self.network(request.network)?;
                let after = if network.inputs() == epoch.inputs {
                    self.count(&issued, Some(&network))?
                } else {
                    problems.push(format!(
                        "inputs: the network takes {:?}, the public key encrypts {:?}",
                        network.inputs(),
                        epoch.inputs
                    ));
                    before
                };
                (after, Some(network))
            }
        };
        let nobody = BTreeSet::new();
        let mut holders = state.holders(epoch.public_key);
        holders.insert(request.holder);
        let mut asked = Request {
            network: request.network,
            registered: registered.is_some(),
            before,
            after,
            audits: &audits,
            approved_by: &nobody,
            new_holder: state.issued(epoch.public_key, request.network, request.holder).is_none(),
            holders: holders.len(),
            now: clock::now(),
        };
        let subject = Subject {
            public_key: epoch.public_key,
            network: request.network,
            holder: request.holder.to_owned(),
            rank: after.rank,
            bits: after.bits,
            audits: Subject::audits_of(&policy.counted(&asked).into_iter().map(|(_, audit)| audit.audit).collect()),
        };
        let (approved_by, unfit) = approval::check_all(request.approvals, &subject, &policy);
        problems.extend(unfit);
        asked.approved_by = &approved_by;
        let mut decision = Decision { approval: Some(subject), ..policy.decide(&asked) };
        decision.refusals.extend(problems);
        Ok(Considered { epoch, network, decision, approved_by: approved_by.into_iter().collect() })
    }

    /// The networks that keys were issued for under a public key, in the order of issue.
    fn issued(&self, state: &State, epoch: &Epoch) -> Result<Vec<CompiledNetwork>, AuthorityError> {
        state.opened(epoch.public_key).iter().map(|hash| self.network(*hash)).collect()
    }

    /// What these networks open together, with another one.
    fn count(&self, issued: &[CompiledNetwork], requested: Option<&CompiledNetwork>) -> Result<Opened, AuthorityError> {
        let networks: Vec<&CompiledNetwork> = issued.iter().chain(requested).collect();
        let forms: usize = networks.iter().map(|network| network.outputs()).sum();
        if forms > MOST_RANK {
            let problem = format!("{forms} functions are or would be open, more than {MOST_RANK}; rotate the project");
            return Err(AuthorityError::Refused { reasons: vec![problem] });
        }
        opened(&networks).map_err(|error| AuthorityError::Refused { reasons: vec![error.to_string()] })
    }
}

fn current<'a>(state: &'a State, project: &str) -> Result<&'a Epoch, AuthorityError> {
    let found = state.projects.get(project).map(|project| project.current());
    found.ok_or_else(|| {
        let shown: String = project.chars().take(80).collect();
        AuthorityError::Unknown(format!("there is no project '{shown}'"))
    })
}

fn check_holder(holder: &str) -> Result<(), AuthorityError> {
    if holder.is_empty() || holder.len() > 200 || holder.chars().any(char::is_control) {
        let remedy = "name who gets the key, in 1 to 200 printable characters".to_owned();
        return Err(AuthorityError::Field { field: "holder", value: holder.chars().take(80).collect(), remedy });
    }
    Ok(())
}
