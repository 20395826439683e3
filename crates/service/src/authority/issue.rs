//! The issue of functional keys.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use serde::Serialize;

use super::archive::blocking;
use super::pending::{Considered, PendingDecision, count, current};
use super::refusals::Refusal;
use super::{AuthorityError, Issuer, KeyRequest, Recorded};
use crate::clock;
use crate::grant::GrantFile;
use crate::hash::Hash;
use crate::ledger::{Event, Grant, Head, Part};
use crate::parameters::{Parameters, ParametersSignature, Purpose};
use crate::policy::{Decision, Opened};
use crate::proposal::{Proposal, SignedProposal};

/// How long a dry run waits for others to end.
const TURN: Duration = Duration::from_secs(20);

/// The kind of key to issue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Key,
    Part,
}

/// A key, with what belongs to it.
#[derive(Serialize)]
pub struct Issued {
    /// The functional key file, or the partial key.
    #[serde(skip)]
    pub key: Vec<u8>,
    /// The grant, for the predictor.
    pub grant: GrantFile,
    /// What owners need.
    pub parameters: Parameters,
    /// The policy's decision.
    pub decision: Decision,
}

impl Issuer {
    /// Says what a key would add and what the policy says to it, with figures for approvers that the authority signs;
    /// nothing is issued or recorded.
    ///
    /// # Errors
    /// The project is unknown, too many others are considered, or the ledger cannot be read.
    pub async fn consider(&self, request: &KeyRequest<'_>) -> Result<(Decision, SignedProposal), AuthorityError> {
        // On the state of this moment: nobody waits for as long as this counts.
        let turn = tokio::time::timeout(TURN, Arc::clone(&self.considering).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(AuthorityError::Busy) };
        let pending = PendingDecision::new(&self.archive, self.policy(), &*self.state().await?, request, true);
        let Considered { decision, subject, .. } = blocking(move || {
            // Until the work ends, also where whoever asked went away.
            let _turn = turn;
            pending.decide()
        })
        .await??;
        let proposal = Proposal {
            project: request.project.to_owned(),
            subject,
            rank_before: decision.before.rank,
            bits_before: decision.before.bits,
            audits: decision.audits.clone(),
            date: clock::now(),
        };
        let proposal = SignedProposal::sign(&proposal, &self.signing);
        Ok((decision, proposal))
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
        self.release(request, Wanted::Key).await
    }

    /// Issues this authority's part of a functional key, under the same policy and into the same ledger: whoever holds the
    /// parts of enough authorities has the key.
    ///
    /// # Errors
    /// As [`Issuer::issue`].
    pub async fn issue_partial(&self, request: &KeyRequest<'_>) -> Result<Issued, AuthorityError> {
        self.release(request, Wanted::Part).await
    }

    async fn release(&self, request: &KeyRequest<'_>, wanted: Wanted) -> Result<Issued, AuthorityError> {
        let (mut state, writing) = self.write().await?;
        let pending = PendingDecision::new(&self.archive, self.policy(), &state, request, false);
        let considered = blocking(move || pending.decide()).await?;
        let Considered { epoch, network, decision, approved_by, .. } = match considered {
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
        let holder = self.holder_of(&state, &epoch)?;
        let part = (!holder.is_whole()).then(|| Part::from(holder.seat()));
        if let (Wanted::Key, Some(part)) = (wanted, part) {
            return Err(AuthorityError::Shared { public_key: epoch.public_key, part });
        }
        let quorum = self.policy().quorum();
        let waiting = state.issued(epoch.public_key, request.network, request.holder).cloned();
        let valid = |recorded: &Recorded| recorded.grant.expires.is_none_or(|expires| expires > clock::now());
        let waiting = waiting.filter(|recorded| quorum.is_some() && valid(recorded) && recorded.grant.part == part);
        if let (Some(quorum), Some(Recorded { entry, .. })) = (&quorum, &waiting)
            && self.ledger.witnessed(quorum).await?.is_none_or(|seen| seen.sequence < entry.sequence)
        {
            return Err(AuthorityError::Unwitnessed { sequence: entry.sequence, people: quorum.people });
        }
        // Made before it is recorded, so that what is recorded can be handed out; released after.
        let key = tokio::task::block_in_place(|| {
            Ok::<_, AuthorityError>(match wanted {
                Wanted::Key => holder.issue(network.map())?.to_bytes(),
                Wanted::Part => holder.issue_partial(network.map())?.to_bytes(),
            })
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
            part,
        };
        let (grant, head) = match waiting {
            Some(Recorded { grant, entry, .. }) => (grant, entry),
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
        let date = state.opened_at(epoch.public_key, request.network).unwrap_or_else(clock::now);
        let grant = GrantFile::sign(grant, sequence, hash, &self.signing);
        let grant = grant.with_parameters(&parameters, date, &self.signing);
        Ok(Issued { key, grant, parameters, decision })
    }

    /// What owners need to use a network of a project: a file whose hash pins it, and the authority's signature for owners
    /// who have its key.
    ///
    /// # Errors
    /// The project is unknown, or no key of this network was issued under its current public key.
    pub async fn parameters(
        &self,
        project: &str,
        network: Hash,
    ) -> Result<(Bytes, ParametersSignature), AuthorityError> {
        let (epoch, date) = {
            let state = self.state().await?;
            let epoch = current(&state, project)?.clone();
            let date = state.opened_at(epoch.public_key, network).ok_or_else(|| {
                let problem = format!("no key of network {network} was issued under the public key of '{project}'");
                AuthorityError::Unknown(problem)
            })?;
            (epoch, date)
        };
        let (archive, signing, project) = (self.archive.clone(), Arc::clone(&self.signing), project.to_owned());
        let make = move || {
            let found = archive.network(network)?;
            let (outputs, classes) = (found.outputs(), found.classes().to_vec());
            let parameters = Parameters::new(epoch.public_key, network, outputs, classes, found.encoder().clone());
            let purpose = Purpose { project, epoch: epoch.epoch, date };
            let signature = ParametersSignature::sign(&parameters, purpose, &signing);
            let bytes = Bytes::from(parameters.to_bytes());
            let length = bytes.len();
            Ok(((bytes, signature), length))
        };
        // A public key belongs to one project.
        self.parameters.get((epoch.public_key, network, date), make).await
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
        let archive = self.archive.clone();
        // Without the state: it decides over issues, and would be held up for as long as this counts.
        blocking(move || {
            let networks = hashes.iter().map(|hash| archive.network(*hash)).collect::<Result<Vec<_>, _>>()?;
            count(&networks, None)
        })
        .await?
    }
}
