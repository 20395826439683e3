//! The JSON contract and the page.

mod common;

use common::shifted;
use host::Silent;
use leakage::{AttackerConfig, AuditOptions, AuditReport, Page, Picture, Section, Table, audit};
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

#[test]
fn the_page_escapes_what_comes_from_outside_and_needs_nothing_else() {
    let mut hostile = report("<img src=x onerror=1>", "\"font\" & 'size'");
    hostile.main_classes[0] = "</svg><script>alert(1)</script>".into();
    hostile.collateral_classes[1] = "<b>".into();
    for row in hostile.attackers.iter_mut().filter(|row| row.class.as_deref() == Some("0")) {
        row.class = Some(hostile.main_classes[0].clone());
        row.family = "<i>".into();
    }
    let other = report("undefended", "font");
    let picture = Picture::grey(&[0, 64, 128, 255], 2, 2, "<4>").expect("four pixels");
    let section = Section::new("<u>")
        .text("<p>")
        .table(Table::new(["<th>"]).caption("<c>").row(["<td>"]))
        .pictures(vec![picture]);
    let page = Page::new("<title>").report(&other).report(&hostile).section(section).html();
    for wrong in ["<img src=x", "<script", "<b>&lt;b", "<u>", "<c>", "<td><td", "<i>", "\"font\" &"] {
        assert!(!page.contains(wrong), "{wrong}");
    }
    assert!(page.contains("&lt;img src=x onerror=1&gt;"));
    for wrong in ["http://", "https://", "<link", "@import", "url("] {
        assert!(!page.contains(wrong), "{wrong} would need the network");
    }
    assert_eq!(page.matches("<svg role").count(), page.matches("<desc").count());
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(all, ids.len(), "ids must be unique");
}

#[test]
fn pictures_of_the_wrong_size_are_refused() {
    assert_eq!(Picture::grey(&[0; 3], 2, 2, ""), None);
    assert_eq!(Picture::grey(&[], 0, 0, ""), None);
}
