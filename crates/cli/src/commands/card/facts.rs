//! What is known about a network, from its own record, an audit and a certificate.

use anyhow::{Context, Result, ensure};
use model::{CompiledNetwork, Origin};
use serde_json::Value;
use service::audit::SignedAudit;
use service::hash::Hash;

use super::hex::hex;

/// All facts on a card.
pub struct Facts {
    pub name: String,
    pub licence: Option<String>,
    /// Hash of the network, as keys and grants use it.
    pub hash: String,
    /// Hash of its file.
    pub file_hash: String,
    pub main: String,
    pub classes: Vec<String>,
    pub units: usize,
    pub outputs: usize,
    pub inputs: (usize, usize),
    pub noise: bool,
    /// The source file, for an imported network.
    pub imported: Option<String>,
    /// The training record and the compilation report.
    pub record: Option<(Value, Value)>,
    pub audit: Option<Audit>,
    pub certificate: Option<Value>,
}

/// An audit.
pub struct Audit {
    pub report: Value,
    /// The auditor's key, if it is signed.
    pub auditor: Option<String>,
    /// Seconds since 1970, if it is dated.
    pub date: Option<i64>,
}

impl Facts {
    /// The network's own record.
    pub fn of(name: &str, network: &CompiledNetwork, file_hash: String, licence: Option<String>) -> Result<Self> {
        let (imported, record) = match network.origin() {
            Origin::Imported { file } => (Some(file.clone()), None),
            Origin::Compiled { record, report } => {
                let record = serde_json::from_str(record.get()).context("the network's training record")?;
                let report = serde_json::from_str(report.get()).context("the network's report of compiling")?;
                (None, Some((record, report)))
            }
        };
        Ok(Self {
            name: name.to_owned(),
            licence,
            hash: hex(&network.hash()),
            file_hash,
            main: network.main().to_owned(),
            classes: network.classes().to_vec(),
            units: network.units(),
            outputs: network.outputs(),
            inputs: network.inputs(),
            noise: network.noise().is_some(),
            imported,
            record,
            audit: None,
            certificate: None,
        })
    }

    /// Adds a report, after checking that it is about this network if it is signed.
    pub fn add_audit(&mut self, bytes: &[u8]) -> Result<()> {
        let value: Value = serde_json::from_slice(bytes).context("an audit is JSON")?;
        let audit = if value["format"] == "halflight signed audit" {
            let signed = SignedAudit::from_bytes(bytes)?;
            let (found, own) = (signed.network(), &self.hash);
            ensure!(found.to_string() == *own, "the audit is of network {found}, but this is {own}");
            let report = serde_json::from_str(signed.report()).context("the report in the audit")?;
            let date = signed.evidence().map(|evidence| evidence.date);
            Audit { report, auditor: Some(signed.auditor().to_string()), date }
        } else {
            ensure!(
                value["strongest"]["accuracy"].is_number(),
                "it is not an audit report: it has no strongest attacker"
            );
            Audit { report: value, auditor: None, date: None }
        };
        if let Some(certificate) = Some(&audit.report["certificate"]).filter(|certificate| certificate.is_object()) {
            self.certificate = Some(certificate.clone());
        }
        self.audit = Some(audit);
        Ok(())
    }

    /// Adds a certificate.
    pub fn add_certificate(&mut self, bytes: &[u8]) -> Result<()> {
        let value: Value = serde_json::from_slice(bytes).context("a certificate is JSON")?;
        let certificate = Some(&value["certificate"]).filter(|inner| inner.is_object()).unwrap_or(&value).clone();
        let whole = certificate["pooled"]["bound"].is_number() && certificate["confidence"].is_number();
        ensure!(whole, "it is not a certificate: it has no pooled bound, or no confidence");
        if let Some(network) = value["network"].as_str().and_then(|text| text.parse::<Hash>().ok()) {
            let own = &self.hash;
            ensure!(network.to_string() == *own, "the certificate is of network {network}, but this is {own}");
        }
        self.certificate = Some(certificate);
        Ok(())
    }

    /// The accuracy of the integers, in percent, if the compilation measured it.
    pub fn accuracy(&self) -> Option<f64> {
        self.record.as_ref()?.1["accuracy_integer"].as_f64()
    }

    /// The labels that the network was defended for, or measured on.
    pub fn collateral(&self) -> Vec<String> {
        let named = |value: &Value| {
            value.as_array().map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        let of_record = self.record.as_ref().and_then(|(record, _)| named(&record["collateral"]));
        let of_audit =
            self.audit.as_ref().and_then(|audit| audit.report["attribute"].as_str()).map(|name| vec![name.to_owned()]);
        of_record.or(of_audit).unwrap_or_default()
    }

    /// The defence that it was trained with.
    pub fn defence(&self) -> Option<String> {
        let defence = &self.record.as_ref()?.0["options"]["defence"];
        match defence {
            Value::String(name) => Some(name.clone()),
            Value::Object(named) => named.keys().next().cloned(),
            _ => None,
        }
    }

    /// A figure of the training record.
    pub fn recorded(&self, name: &str) -> Option<&Value> {
        Some(&self.record.as_ref()?.0[name]).filter(|value| !value.is_null())
    }
}
