//! The networks and audits that an authority has registered.

use std::sync::Arc;

use super::archive::blocking;
use super::refusals::Refusal;
use super::{AuthorityError, Issuer, State};
use crate::audit::SignedAudit;
use crate::hash::Hash;
use crate::ledger::Event;

impl Issuer {
    /// Registers a compiled network; its hash is its name from now on. Registering the same file again changes nothing.
    ///
    /// # Errors
    /// Another file of this hash is registered; the bytes are not a compiled network that a key could open; the caller
    /// has registered as much as the policy allows; nothing can be written.
    pub async fn register(
        &self,
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
        by: &str,
    ) -> Result<Hash, AuthorityError> {
        let bytes = Arc::new(bytes);
        let (archive, given) = (self.archive.clone(), Arc::clone(&bytes));
        let network = match blocking(move || archive.read_network(given.as_ref().as_ref())).await? {
            Ok(network) => network,
            Err(problem) => {
                let (mut state, writing) = self.write().await?;
                let reasons = vec![problem];
                let refusal = Refusal { request: "network", reasons, by, ..Default::default() };
                return Err(self.refuse(&mut state, writing, refusal).await);
            }
        };
        let hash = Hash(network.hash());
        let (mut state, writing) = self.write().await?;
        let archive = self.archive.clone();
        if state.networks.contains_key(&hash) {
            // The file that was approved stays: other bytes of the same hash differ in what the hash does not cover.
            if !blocking(move || archive.holds_network(hash, bytes.as_ref().as_ref())).await?? {
                let problem = "is registered with another file of this hash; the first one stays".to_owned();
                let reasons = vec![format!("network {hash} {problem}")];
                let network = Some(hash);
                let refusal = Refusal { request: "network", network, reasons, by, ..Default::default() };
                return Err(self.refuse(&mut state, writing, refusal).await);
            }
        } else {
            let length = bytes.as_ref().as_ref().len() as u64;
            if let Some(problem) = self.no_room(&state, by, 1, length) {
                let (network, reasons) = (Some(hash), vec![problem]);
                let refusal = Refusal { request: "network", network, reasons, by, ..Default::default() };
                return Err(self.refuse(&mut state, writing, refusal).await);
            }
            blocking(move || archive.keep_network(hash, bytes.as_ref().as_ref())).await??;
            let (outputs, units) = (network.outputs(), network.units());
            let event = Event::NetworkRegistered { network: hash, outputs, units, bytes: length, by: by.to_owned() };
            self.record(&mut state, writing, &event, by).await?;
        }
        Ok(hash)
    }

    /// Records a signed audit of a registered network, signed by an auditor of the policy.
    ///
    /// # Errors
    /// The signature does not hold, the auditor is not in the policy, the network is unknown, or this very file is on
    /// record already; the caller has registered as much as the policy allows.
    pub async fn record_audit(
        &self,
        bytes: impl AsRef<[u8]> + Send + 'static,
        by: &str,
    ) -> Result<Hash, AuthorityError> {
        let policy = self.policy();
        let read = blocking(move || SignedAudit::from_bytes(bytes.as_ref())).await?;
        // In one form: spaces that the signature does not cover must not make a recorded audit a new one.
        let own = read.as_ref().map_or(Vec::new(), SignedAudit::to_bytes);
        let hash = Hash::of_bytes(&own);
        let (mut state, writing) = self.write().await?;
        let mut reasons = Vec::new();
        let mut network = None;
        let accepted = match &read {
            Err(error) => {
                reasons.push(error.to_string());
                None
            }
            Ok(audit) => {
                network = Some(audit.network());
                if !state.networks.contains_key(&audit.network()) {
                    reasons.push(format!("audit: network {} is not registered", audit.network()));
                }
                if state.audits.iter().any(|known| known.audit == hash) {
                    reasons.push(format!(
                        "audit: {hash} is recorded already; posting it again would override a later result: sign a new \
                         one"
                    ));
                }
                reasons.extend(self.no_room(&state, by, 0, own.len() as u64));
                let auditor = policy.auditor(audit.auditor());
                if auditor.is_none() {
                    reasons.push(format!("audit: {} is not an auditor of the policy", audit.auditor()));
                }
                auditor.map(|auditor| (audit, auditor))
            }
        };
        let Some((audit, auditor)) = accepted.filter(|_| reasons.is_empty()) else {
            let refusal = Refusal { request: "audit", network, reasons, by, ..Default::default() };
            return Err(self.refuse(&mut state, writing, refusal).await);
        };
        let (archive, length) = (self.archive.clone(), own.len() as u64);
        blocking(move || archive.keep_audit(hash, &own)).await??;
        let summary = audit.summary();
        let event = Event::AuditRecorded {
            network: audit.network(),
            audit: hash,
            attribute: summary.attribute.clone(),
            strongest: summary.strongest.accuracy,
            high: summary.high(),
            auditor: auditor.to_owned(),
            key: Some(audit.auditor().clone()),
            date: audit.evidence().map(|evidence| evidence.date),
            bytes: length,
            by: by.to_owned(),
        };
        self.record(&mut state, writing, &event, by).await?;
        Ok(hash)
    }

    /// Why a caller may not register so many networks and bytes more: what is registered is kept for good, and one
    /// caller must not fill the disk of all.
    fn no_room(&self, state: &State, by: &str, networks: u64, bytes: u64) -> Option<String> {
        let (brought, most) = (state.brought(by), self.policy().room());
        if brought.networks + networks <= most.0 && brought.bytes.saturating_add(bytes) <= most.1 {
            return None;
        }
        Some(format!(
            "register: {by} has registered {} networks, and {:.1} MB of networks and audits; {:.1} MB more would exceed \
             what the policy allows one caller, {} networks and {} MB: raise networks or megabytes under [register] in \
             the policy",
            brought.networks,
            brought.bytes as f64 / 1e6,
            bytes as f64 / 1e6,
            most.0,
            most.1 / 1_000_000
        ))
    }

    /// The newest audit on record of a network, as it was signed, for owners' odometers.
    ///
    /// # Errors
    /// The ledger cannot be read; the file is missing or was changed.
    pub async fn newest_audit(&self, network: Hash) -> Result<Option<Vec<u8>>, AuthorityError> {
        let newest = self.state().await?.audits.iter().rfind(|audit| audit.network == network).map(|found| found.audit);
        let Some(hash) = newest else { return Ok(None) };
        let archive = self.archive.clone();
        Ok(blocking(move || archive.audit_file(hash)).await??.into())
    }
}
