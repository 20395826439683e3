//! The bill of materials: one machine-learning model and its training data, in CycloneDX 1.6.

use serde_json::{Value, json};
use service::clock;

use super::facts::Facts;
use super::markdown::{LIMITS, dataset};

/// The whole file. `now`: seconds since 1970.
pub fn text(facts: &Facts, now: i64) -> String {
    let mut parameters = json!({
        "task": format!("classification of {}", facts.main),
        "architectureFamily": "quadratic network",
        "modelArchitecture": format!(
            "{} units and {} outputs over {} and {} encoded coordinates, with a public head of {} classes",
            facts.units, facts.outputs, facts.inputs.0, facts.inputs.1, facts.classes.len()
        ),
        "inputs": [{ "format": "ciphertext of functional encryption" }],
        "outputs": [{ "format": "integers" }, { "format": "class and probabilities" }],
    });
    let mut components = Vec::new();
    if facts.record.is_some() {
        parameters["approach"] = json!({ "type": "supervised" });
        parameters["datasets"] = json!([{ "ref": "training-data" }]);
        let mut data = json!({
            "type": "data", "bom-ref": "training-data", "name": dataset(facts),
            "data": [{ "type": "dataset", "name": dataset(facts) }],
        });
        let items = facts.recorded("items").and_then(Value::as_u64).unwrap_or(0);
        data["description"] = json!(format!("{items} items"));
        if let Some(hash) = facts.recorded("data_hash").and_then(Value::as_str).filter(|hash| is_sha256(hash)) {
            data["hashes"] = json!([{ "alg": "SHA-256", "content": hash }]);
        }
        components.push(data);
    }
    let mut considerations = json!({ "technicalLimitations": LIMITS });
    let collateral = facts.collateral();
    if !collateral.is_empty() {
        let strategy = facts.defence().map_or_else(|| "none".into(), |name| format!("trained with the defence {name}"));
        considerations["ethicalConsiderations"] = json!([{
            "name": format!("outputs may identify {}", collateral.join(", ")),
            "mitigationStrategy": strategy,
        }]);
    }
    let mut model = json!({
        "type": "machine-learning-model", "bom-ref": "network", "name": facts.name,
        "hashes": [{ "alg": "SHA-256", "content": facts.file_hash }],
        "modelCard": {
            "modelParameters": parameters,
            "quantitativeAnalysis": { "performanceMetrics": metrics(facts) },
            "considerations": considerations,
        },
        "properties": [{ "name": "halflight:network", "value": facts.hash }],
    });
    if let Some(licence) = &facts.licence {
        model["licenses"] = json!([{ "expression": licence }]);
    }
    if let Some(auditor) = facts.audit.as_ref().and_then(|audit| audit.auditor.as_ref()) {
        let property = json!({ "name": "halflight:auditor", "value": auditor });
        if let Some(properties) = model["properties"].as_array_mut() {
            properties.push(property);
        }
    }
    let tool = json!({ "type": "application", "name": "halflight", "version": env!("CARGO_PKG_VERSION") });
    let depends: Vec<&str> = if components.is_empty() { Vec::new() } else { vec!["training-data"] };
    let bom = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", uuid(&facts.file_hash)),
        "version": 1,
        "metadata": { "timestamp": clock::utc(now), "tools": { "components": [tool] }, "component": model },
        "components": components,
        "dependencies": [{ "ref": "network", "dependsOn": depends }],
    });
    serde_json::to_string_pretty(&bom).unwrap_or_default() + "\n"
}

fn metrics(facts: &Facts) -> Vec<Value> {
    let percent = |value: f64| format!("{value:.4}");
    let mut metrics = Vec::new();
    if let Some(accuracy) = facts.accuracy() {
        metrics
            .push(json!({ "type": "accuracy, percent", "value": percent(accuracy), "slice": "validation, integers" }));
    }
    if let Some(audit) = &facts.audit {
        let strongest = &audit.report["strongest"];
        let figure = |name: &str| strongest[name].as_f64();
        if let (Some(accuracy), Some(low), Some(high)) = (figure("accuracy"), figure("low"), figure("high")) {
            metrics.push(json!({
                "type": "accuracy of the strongest attacker found, percent", "value": percent(accuracy),
                "confidenceInterval": { "lowerBound": percent(low), "upperBound": percent(high) },
            }));
        }
        if let Some(chance) = figure("chance") {
            metrics.push(json!({ "type": "accuracy of guessing the same, percent", "value": percent(chance) }));
        }
    }
    if let Some(bound) = facts.certificate.as_ref().and_then(|certificate| certificate["pooled"]["bound"].as_f64()) {
        let bound = percent((bound * 1e4).ceil() / 1e4);
        metrics.push(json!({ "type": "accuracy that no attacker exceeds on one item, percent", "value": bound }));
    }
    metrics
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|c| c.is_ascii_hexdigit())
}

/// A UUID of version 8 from a hash: the same file gets the same one.
fn uuid(hash: &str) -> String {
    let variant = match hash.as_bytes().get(16) {
        Some(b'0'..=b'3') => '8',
        Some(b'4'..=b'7') => '9',
        Some(b'8' | b'9' | b'a' | b'b') => 'a',
        _ => 'b',
    };
    let part = |range| hash.get(range).unwrap_or_default();
    format!("{}-{}-8{}-{variant}{}-{}", part(0..8), part(8..12), part(13..16), part(17..20), part(20..32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        let hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        assert_eq!(uuid(hash), "01234567-89ab-8def-8123-456789abcdef");
    }
}
