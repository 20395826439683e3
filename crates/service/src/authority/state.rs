//! What the entries of a ledger add up to.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::hash::Hash;
use crate::ledger::{Entry, Event, GENESIS, Grant, Head, LedgerError};
use crate::policy::AuditEvidence;

/// Projects, networks, audits and grants.
#[derive(Debug)]
pub struct State {
    /// The last entry that was added.
    pub head: Head,
    /// By name.
    pub projects: BTreeMap<String, Project>,
    /// Registered networks: outputs and units by hash.
    pub networks: BTreeMap<Hash, (usize, usize)>,
    /// Recorded audits, oldest first.
    pub audits: Vec<AuditEvidence>,
    /// Issued keys, oldest first.
    pub grants: Vec<Grant>,
}

/// A project: a succession of public keys for one purpose.
#[derive(Clone, Debug, Serialize)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Oldest first; the last is in use. Never empty.
    pub epochs: Vec<Epoch>,
}

/// One public key of a project.
#[derive(Clone, Debug, Serialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: u32,
    /// Identity of the public key.
    pub public_key: Hash,
    /// Inputs `(n, m)`.
    pub inputs: (usize, usize),
    /// Seconds since 1970 when it began.
    pub since: i64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            head: Head { sequence: 0, hash: GENESIS },
            projects: BTreeMap::new(),
            networks: BTreeMap::new(),
            audits: Vec::new(),
            grants: Vec::new(),
        }
    }
}

impl Project {
    /// The epoch in use.
    pub fn current(&self) -> &Epoch {
        &self.epochs[self.epochs.len() - 1]
    }
}

impl State {
    /// Adds the next entry, once it is shown to follow the last.
    ///
    /// # Errors
    /// The chain does not hold, or the event contradicts what came before.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let event = entry.check(self.head.sequence + 1, self.head.hash)?;
        let broken = |problem: &str| LedgerError::Broken { sequence: entry.sequence, problem: problem.into() };
        match event {
            Event::ProjectCreated { project, public_key, inputs, .. } => {
                let epoch = Epoch { epoch: 1, public_key, inputs, since: entry.at };
                let new = Project { name: project.clone(), epochs: vec![epoch] };
                if self.projects.insert(project, new).is_some() {
                    return Err(broken("creates a project that exists"));
                }
            }
            Event::Rotated { project, epoch, public_key, .. } => {
                let project = self.projects.get_mut(&project).ok_or_else(|| broken("rotates no known project"))?;
                let (last, inputs) = (project.current().epoch, project.current().inputs);
                if epoch != last + 1 {
                    return Err(broken("rotates to an epoch that does not follow"));
                }
                project.epochs.push(Epoch { epoch, public_key, inputs, since: entry.at });
            }
            Event::NetworkRegistered { network, outputs, units, .. } => {
                self.networks.insert(network, (outputs, units));
            }
            Event::AuditRecorded { network, audit, attribute, high, auditor, .. } => {
                self.audits.push(AuditEvidence { network, audit, attribute, high, auditor, at: entry.at });
            }
            Event::KeyIssued(grant) => self.grants.push(grant),
            Event::Refused { .. } => {}
        }
        self.head = Head { sequence: entry.sequence, hash: entry.hash };
        Ok(())
    }

    /// The networks opened under a public key, each once, in the order of issue.
    pub fn opened(&self, public_key: Hash) -> Vec<Hash> {
        let mut networks = Vec::new();
        for grant in self.grants.iter().filter(|grant| grant.public_key == public_key) {
            if !networks.contains(&grant.network) {
                networks.push(grant.network);
            }
        }
        networks
    }
}
