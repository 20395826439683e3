//! The state that the entries of a ledger add up to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::hash::Hash;
use crate::ledger::{Chain, Entry, Event, Grant, Head, Keyring, LedgerError, Part};
use crate::policy::AuditEvidence;

/// Seconds over which refusals of a caller are counted.
const HOUR: i64 = 3600;

/// Projects, networks, audits and grants.
#[derive(Clone, Debug, Default)]
pub struct State {
    chain: Chain,
    /// By name.
    pub projects: BTreeMap<String, Project>,
    /// Registered networks: outputs and units by hash.
    pub networks: BTreeMap<Hash, (usize, usize)>,
    /// Recorded audits, oldest first.
    pub audits: Vec<AuditEvidence>,
    /// Issued keys, oldest first.
    pub grants: Vec<Recorded>,
    /// The newest share of each public key whose master key is shared.
    pub shares: BTreeMap<Hash, Part>,
    /// Hash of the policy that the last decision was under.
    pub policy: Option<Hash>,
    /// Hashes of all entries, the first first.
    pub entries: Vec<Hash>,
    /// Refusals, those without an entry of their own included.
    pub refusals: u64,
    /// Refusals of callers that were refused within the last hour.
    refused: BTreeMap<String, Refused>,
    /// What callers registered.
    brought: BTreeMap<String, Brought>,
    /// Seconds since 1970 of the last entry.
    pub written: i64,
}

/// The last refusal of each caller that has no entry, which counts those before it that have none either.
pub(super) type Unrecorded = BTreeMap<String, Event>;

/// Entries of a caller's refusals within an hour.
#[derive(Clone, Copy, Debug)]
struct Refused {
    /// Seconds since 1970 of the first of them.
    since: i64,
    entries: u32,
}

/// What a caller registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Different networks.
    pub networks: u64,
    /// Bytes of networks and audits.
    pub bytes: u64,
}

/// An issue, and its place in the ledger.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What was issued.
    pub grant: Grant,
    /// Its entry.
    pub entry: Head,
    /// Seconds since 1970 when it was entered.
    pub at: i64,
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

impl Project {
    /// The epoch in use.
    pub fn current(&self) -> &Epoch {
        &self.epochs[self.epochs.len() - 1]
    }
}

impl State {
    /// The last entry that was added.
    pub fn head(&self) -> Head {
        self.chain.head()
    }

    /// Adds the next entries, once each is shown to follow the one before and to be signed by a key that counts. At the
    /// first that does not hold nothing is added.
    ///
    /// # Errors
    /// The chain does not hold, or an event contradicts what came before.
    pub fn extend(&mut self, entries: &[Entry], keyring: &Keyring) -> Result<(), LedgerError> {
        if entries.is_empty() {
            return self.chain.finish();
        }
        let mut next = self.clone();
        entries.iter().try_for_each(|entry| next.apply(entry, keyring))?;
        next.chain.finish()?;
        *self = next;
        Ok(())
    }

    fn apply(&mut self, entry: &Entry, keyring: &Keyring) -> Result<(), LedgerError> {
        let event = self.chain.follow(entry, keyring)?;
        self.written = entry.at;
        self.entries.push(entry.hash);
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
                let project = self.projects.get_mut(&project).ok_or_else(|| broken("rotates an unknown project"))?;
                let (last, inputs) = (project.current().epoch, project.current().inputs);
                if epoch != last + 1 {
                    return Err(broken("rotates to an epoch that does not follow"));
                }
                project.epochs.push(Epoch { epoch, public_key, inputs, since: entry.at });
            }
            Event::NetworkRegistered { network, outputs, units, bytes, by } => {
                self.networks.insert(network, (outputs, units));
                let brought = self.brought.entry(by).or_default();
                (brought.networks, brought.bytes) = (brought.networks + 1, brought.bytes.saturating_add(bytes));
            }
            Event::AuditRecorded { network, audit, attribute, high, auditor, key, bytes, by, .. } => {
                let brought = self.brought.entry(by).or_default();
                brought.bytes = brought.bytes.saturating_add(bytes);
                let (at, evidence) = (entry.at, None);
                self.audits.push(AuditEvidence {
                    network,
                    audit,
                    attribute,
                    high,
                    balanced: None,
                    auditor,
                    key,
                    evidence,
                    certificate: None,
                    at,
                });
            }
            Event::ShareTaken { public_key, part, .. } => {
                if self.shares.get(&public_key).is_some_and(|known| known.epoch >= part.epoch) {
                    return Err(broken("takes a share that is not newer than the previous one"));
                }
                self.shares.insert(public_key, part);
            }
            Event::KeyIssued(grant) => self.grants.push(Recorded { grant, entry: entry.head(), at: entry.at }),
            Event::PolicyChanged { policy, .. } => self.policy = Some(policy),
            Event::Refused { unrecorded, by, .. } => {
                self.refusals = self.refusals.saturating_add(unrecorded).saturating_add(1);
                self.refused.retain(|_, refused| entry.at - refused.since < HOUR);
                self.refused.entry(by).or_insert(Refused { since: entry.at, entries: 0 }).entries += 1;
            }
            Event::Migrated { .. } | Event::LedgerKeyRetired(_) | Event::HeadAdopted { .. } => {}
        }
        Ok(())
    }

    /// Entries of refusals of a caller within the hour that began with the first of them.
    pub(super) fn refused_lately(&self, by: &str, now: i64) -> u32 {
        self.refused.get(by).filter(|refused| now - refused.since < HOUR).map_or(0, |refused| refused.entries)
    }

    /// What a caller registered.
    pub fn brought(&self, by: &str) -> Brought {
        self.brought.get(by).copied().unwrap_or_default()
    }

    /// The networks opened under a public key, each once, in the order of issue.
    pub fn opened(&self, public_key: Hash) -> Vec<Hash> {
        let mut networks = Vec::new();
        for grant in self.under(public_key) {
            if !networks.contains(&grant.network) {
                networks.push(grant.network);
            }
        }
        networks
    }

    /// Whether some project has or had a public key.
    pub fn is_used(&self, public_key: Hash) -> bool {
        let epochs = self.projects.values().flat_map(|project| &project.epochs);
        epochs.into_iter().any(|epoch| epoch.public_key == public_key)
    }

    /// Who has keys under a public key.
    pub fn holders(&self, public_key: Hash) -> BTreeSet<&str> {
        self.under(public_key).map(|grant| grant.holder.as_str()).collect()
    }

    /// The newest issue under a public key of each network to each holder, by network and holder.
    pub fn held(&self, public_key: Hash) -> Vec<&Recorded> {
        let mut newest = BTreeMap::new();
        for recorded in self.grants.iter().filter(|recorded| recorded.grant.public_key == public_key) {
            newest.insert((recorded.grant.network, recorded.grant.holder.as_str()), recorded);
        }
        newest.into_values().collect()
    }

    /// The newest issue of a network's key to a holder.
    pub fn issued(&self, public_key: Hash, network: Hash, holder: &str) -> Option<&Recorded> {
        self.grants.iter().rfind(|Recorded { grant, .. }| {
            grant.public_key == public_key && grant.network == network && grant.holder == holder
        })
    }

    /// When a key of a network was issued last under a public key.
    pub fn opened_at(&self, public_key: Hash, network: Hash) -> Option<i64> {
        let same = |grant: &Grant| grant.public_key == public_key && grant.network == network;
        self.grants.iter().filter(|recorded| same(&recorded.grant)).map(|recorded| recorded.at).max()
    }

    fn under(&self, public_key: Hash) -> impl Iterator<Item = &Grant> {
        self.grants.iter().map(|recorded| &recorded.grant).filter(move |grant| grant.public_key == public_key)
    }
}
