//! The JSON contract.

mod common;

use common::shifted;
use host::Silent;
use leakage::{AttackerConfig, AuditOptions, AuditReport, audit};
use serde_json::Value;

fn report(network: &str, attribute: &str) -> AuditReport {
    let options = AuditOptions {
        network: network.into(),
        attribute: attribute.into(),
        families: vec![AttackerConfig::logistic(), AttackerConfig::neighbours(15)],
        vote: vec![1, 5],
        growth: true,
        ..AuditOptions::default()
    };
    let (train, test) = (shifted(600, 0.7, 1), shifted(600, 0.7, 2));
    audit(&train, &test, &options, &Silent).expect("a sound data set")
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn json_has_the_agreed_fields() {
    let report = report("defended", "font");
    let json = serde_json::to_value(&report).expect("plain data");
    for key in ["network", "attribute", "items", "strongest", "attackers", "vote", "reconstruction", "controls"] {
        assert!(json.get(key).is_some(), "{key} is missing");
    }
    assert_eq!(json["network"], "defended");
    assert_eq!(json["items"]["test"], 600);
    let finding = ["family", "scope", "class", "accuracy", "low", "high", "chance"];
    for key in finding {
        assert!(keys(&json["strongest"]).contains(&key), "strongest.{key}");
        assert!(keys(&json["attackers"][0]).contains(&key), "attackers[].{key}");
    }
    for key in ["auc", "tpr_at_fpr_1e-3", "bits"] {
        assert!(json["attackers"][0][key].is_number(), "attackers[].{key}");
    }
    for key in ["k", "accuracy", "low", "high", "family"] {
        assert!(keys(&json["vote"][0]).contains(&key), "vote[].{key}");
    }
    assert_eq!(json["attackers"][0]["scope"], "pooled");
    assert_eq!(json["attackers"][0]["class"], Value::Null);
    assert_eq!(json["attackers"][1]["scope"], "class");
    assert_eq!(json["attackers"][1]["class"], "0");
    assert!(json["controls"]["shuffled"]["strongest_pooled"]["accuracy"].is_number());
    assert!(json["strongest"]["high"].as_f64() >= json["strongest"]["accuracy"].as_f64());
    let back: AuditReport = serde_json::from_value(json).expect("what was written");
    assert_eq!(back.attackers.len(), report.attackers.len());
}

#[test]
fn growth_ends_at_all_items_and_the_code_is_shorter_than_without_outputs() {
    let report = report("defended", "font");
    assert_eq!(report.growth.last().map(|g| g.train), Some(600));
    assert!(report.growth.len() >= 3);
    let code = report.code_length.expect("asked for");
    assert!((code.without_outputs - 1.0).abs() < 1e-6);
    // Φ(0.7): 0.28 bits of mutual information, less what learning costs.
    assert!((0.65..0.9).contains(&code.bits_per_item), "{code:?}");
}
