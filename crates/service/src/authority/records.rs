//! Networks and audits that an authority knows.

use model::CompiledNetwork;

use super::{Issuer, AuthorityError, MAX_NETWORK_BYTES, Refusal, State};
use crate::audit::SignedAudit;
use crate::files::{self, FileError};
use crate::hash::Hash;
use crate::ledger::Event;
use crate::policy::{AuditEvidence, Policy};

impl Issuer {
    /// Registers a compiled network; its hash is its name from now on. Registering the same file again changes nothing.
    ///
    /// # Errors
    /// Another file of this hash is registered; the bytes are no compiled network that a key could open; nothing can be written.
    pub async fn register(&self, bytes: &[u8], by: &str) -> Result<Hash, AuthorityError> {
        let network = match self.read_network(bytes) {
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
        let path = self.network_path(hash);
        if state.networks.contains_key(&hash) {
            // The file that was approved stays: other bytes of the same hash differ in what the hash does not cover.
            if files::read(&path, MAX_NETWORK_BYTES as u64)? != bytes {
                let problem = "is registered with another file of this hash; the first one stays".to_owned();
                let reasons = vec![format!("network {hash} {problem}")];
                let network = Some(hash);
                let refusal = Refusal { request: "network", network, reasons, by, ..Default::default() };
                return Err(self.refuse(&mut state, writing, refusal).await);
            }
        } else {
            files::write(&path, bytes)?;
            let (outputs, units) = (network.outputs(), network.units());
            let event = Event::NetworkRegistered { network: hash, outputs, units, by: by.to_owned() };
            self.record(&mut state, writing, &event, by).await?;
        }
        Ok(hash)
    }

    /// Records a signed audit of a registered network, signed by an auditor of the policy.
    ///
    /// # Errors
    /// The signature does not hold, the auditor is not in the policy, the network is unknown, or this very file is on
    /// record already.
    pub async fn record_audit(&self, bytes: &[u8], by: &str) -> Result<Hash, AuthorityError> {
        let policy = self.policy();
        let read = SignedAudit::from_bytes(bytes);
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
                        "audit: {hash} is on record already; posting it again would outlive a later result: sign a new one"
                    ));
                }
                let auditor = policy.auditor(audit.auditor());
                if auditor.is_none() {
                    reasons.push(format!("audit: {} is no auditor of the policy", audit.auditor()));
                }
                auditor.map(|auditor| (audit, auditor))
            }
        };
        let Some((audit, auditor)) = accepted.filter(|_| reasons.is_empty()) else {
            let refusal = Refusal { request: "audit", network, reasons, by, ..Default::default() };
            return Err(self.refuse(&mut state, writing, refusal).await);
        };
        files::write(&self.audit_path(hash), &own)?;
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
            by: by.to_owned(),
        };
        self.record(&mut state, writing, &event, by).await?;
        Ok(hash)
    }

    /// The newest audit on record of a network, as it was signed, for owners' odometers.
    ///
    /// # Errors
    /// The ledger cannot be read; the file is missing or was changed.
    pub async fn newest_audit(&self, network: Hash) -> Result<Option<Vec<u8>>, AuthorityError> {
        let newest = self.state().await?.audits.iter().rfind(|audit| audit.network == network).map(|found| found.audit);
        let Some(hash) = newest else { return Ok(None) };
        self.audit_file(hash).map(Some)
    }

    /// The audits on record of a network, of attributes that the policy demands, each read again and its signature
    /// checked: what a file does not bear out does not count, and one that cannot be read is a problem, since it may be
    /// the one that refuses.
    pub(super) fn audits(&self, state: &State, network: Hash, policy: &Policy) -> (Vec<AuditEvidence>, Vec<String>) {
        let demanded =
            state.audits.iter().filter(|found| found.network == network && policy.demands_audit(&found.attribute));
        let (mut audits, mut problems) = (Vec::new(), Vec::new());
        for known in demanded {
            match self.read_audit(known) {
                Ok(evidence) => audits.push(evidence),
                Err(error) => problems.push(format!("audit: {} on record cannot be used: {error}", known.audit)),
            }
        }
        (audits, problems)
    }

    fn read_audit(&self, known: &AuditEvidence) -> Result<AuditEvidence, AuthorityError> {
        let audit = SignedAudit::from_bytes(&self.audit_file(known.audit)?)?;
        let (summary, key) = (audit.summary(), audit.auditor());
        let same = audit.network() == known.network
            && summary.attribute == known.attribute
            && summary.high() == known.high
            && known.key.as_ref().is_none_or(|known| known == key);
        if !same {
            let (path, problem) = (self.audit_path(known.audit), "says something else than the ledger");
            return Err(FileError::content(&path, problem).into());
        }
        Ok(AuditEvidence { key: Some(key.clone()), evidence: audit.evidence().cloned(), ..known.clone() })
    }

    fn audit_file(&self, hash: Hash) -> Result<Vec<u8>, AuthorityError> {
        let path = self.audit_path(hash);
        let bytes = files::read(&path, crate::audit::MAX_BYTES as u64)?;
        match Hash::of_bytes(&bytes) == hash {
            true => Ok(bytes),
            false => Err(FileError::content(&path, "was changed: its hash is not its name").into()),
        }
    }

    fn audit_path(&self, hash: Hash) -> std::path::PathBuf {
        self.folder.join("audits").join(format!("{hash}.json"))
    }

    /// The network in `bytes`, if a key could open it.
    fn read_network(&self, bytes: &[u8]) -> Result<CompiledNetwork, String> {
        if bytes.len() > MAX_NETWORK_BYTES {
            return Err(format!("network: {} bytes, more than {MAX_NETWORK_BYTES}", bytes.len()));
        }
        // Networks are read from files; this one has no name until it is read.
        let write = || -> std::io::Result<tempfile::NamedTempFile> {
            let mut file = tempfile::NamedTempFile::new_in(self.folder.join("networks"))?;
            std::io::Write::write_all(&mut file, bytes)?;
            Ok(file)
        };
        let file = write().map_err(|error| format!("network: cannot be kept: {error}"))?;
        let shown = file.path().display().to_string();
        CompiledNetwork::load(file.path())
            .map_err(|error| format!("network: {}", error.to_string().replace(&shown, "the file")))
    }
}
