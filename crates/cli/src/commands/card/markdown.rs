//! The model card: front matter in YAML, which Hugging Face reads, and the same in readable form.

use std::fmt::Write;

use serde_json::{Value, json};
use service::clock;

use super::facts::Facts;

/// The whole file.
pub fn card(facts: &Facts) -> String {
    // JSON is YAML: nothing else needs escaping.
    let mut out = format!("---\n{}\n---\n\n", front(facts));
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!("# {}\n", inline(&facts.name)));
    line(
        "A network for encrypted inputs, made with Halflight. Its private part is a quadratic map, evaluated under \
         functional encryption; a holder of the functional key learns the outputs of that map and nothing else about \
         an input. The public head turns the outputs into the prediction, in the clear."
            .into(),
    );
    line("\n## What it is\n".into());
    for (what, value) in about(facts) {
        line(format!("- **{what}**: {}", inline(&value)));
    }
    line("\n## What its outputs reveal\n".into());
    privacy(facts, &mut line);
    line("\n## Limits\n".into());
    for limit in LIMITS {
        line(format!("- {limit}"));
    }
    line("\n## How to use it\n".into());
    line("```\nhalflight authority issue --network network.safetensors --folder authority --model models/NAME".into());
    line("halflight serve predictor --models models\n```".into());
    out
}

/// The limits of every such network.
pub const LIMITS: [&str; 4] = [
    "The measured figures are those of the attackers that were tried, on the stated data. Only a certificate covers \
     every attacker.",
    "Many items of one subject add up: bounds for one item do not hold for several.",
    "Functional keys under one public key add up too. A policy at the authority limits what may be opened together.",
    "The encryption is not secure against quantum computers, and does not hide the network from holders of the key.",
];

/// The front matter.
fn front(facts: &Facts) -> String {
    let mut front = json!({
        "tags": ["halflight", "functional-encryption", "privacy"],
        "library_name": "halflight",
        "metrics": ["accuracy"],
    });
    if let Some(licence) = &facts.licence {
        front["license"] = json!(licence.to_ascii_lowercase());
    }
    if let Some(accuracy) = facts.accuracy() {
        let data = dataset(facts);
        front["model-index"] = json!([{
            "name": facts.name,
            "results": [{
                "task": { "type": "tabular-classification", "name": facts.main },
                "dataset": { "type": "halflight", "name": data },
                "metrics": [{ "type": "accuracy", "name": "accuracy of the integers, percent", "value": accuracy }],
            }],
        }]);
    }
    serde_json::to_string_pretty(&front).unwrap_or_default()
}

/// What the data record about themselves.
pub fn dataset(facts: &Facts) -> String {
    let said = facts.recorded("data").and_then(|data| data.as_object());
    let named = said.and_then(|said| ["name", "generator", "source"].iter().find_map(|key| said.get(*key)?.as_str()));
    named.map_or_else(|| "the training data".into(), str::to_owned)
}

fn about(facts: &Facts) -> Vec<(&'static str, String)> {
    let mut about = vec![
        ("Task", format!("{}, {} classes: {}", facts.main, facts.classes.len(), facts.classes.join(", "))),
        (
            "Private part",
            format!(
                "{} units, {} outputs, over {} and {} encoded coordinates{}",
                facts.units,
                facts.outputs,
                facts.inputs.0,
                facts.inputs.1,
                if facts.noise { ", with noise that the owner adds" } else { "" }
            ),
        ),
        ("Network", facts.hash.clone()),
        ("SHA-256 of the file", facts.file_hash.clone()),
    ];
    if let Some(file) = &facts.imported {
        about.push(("Imported", format!("imported from {file}; how it was trained is not recorded")));
    }
    if let Some(accuracy) = facts.accuracy() {
        about.push(("Accuracy", format!("{accuracy:.2} % of validation items, by the integers that are evaluated")));
    }
    if facts.record.is_some() {
        about.push(("Trained on", trained(facts)));
        about.push(("Defence", facts.defence().unwrap_or_else(|| "none".into())));
    }
    about
}

fn trained(facts: &Facts) -> String {
    let items = facts.recorded("items").and_then(Value::as_u64).unwrap_or(0);
    let hash = facts.recorded("data_hash").and_then(Value::as_str).unwrap_or("not recorded");
    format!("{items} items of {}, SHA-256 {hash}", dataset(facts))
}

fn privacy(facts: &Facts, line: &mut impl FnMut(String)) {
    let collateral = facts.collateral();
    if !collateral.is_empty() {
        line(format!("What must not be learned: {}.\n", inline(&collateral.join(", "))));
    }
    match &facts.audit {
        None => line("- **Measured**: no audit was given to this card.".into()),
        Some(audit) => {
            let strongest = &audit.report["strongest"];
            let figure = |name: &str| strongest[name].as_f64().unwrap_or(f64::NAN);
            line(format!(
                "- **Measured**: the strongest attacker found is right in {:.2} % of cases (95 % interval up to \
                 {:.2} %); guessing is right in {:.2} %. Kind: {}.",
                figure("accuracy"),
                figure("high"),
                figure("chance"),
                inline(strongest["family"].as_str().unwrap_or("not named"))
            ));
            let by = audit.auditor.as_deref().unwrap_or("nobody: the report is not signed");
            let date = audit.date.map_or_else(String::new, |date| format!(", {}", clock::utc(date)));
            line(format!("- **Signed by**: {by}{date}"));
        }
    }
    match &facts.certificate {
        None => line("- **Certified**: no bound for every attacker is known.".into()),
        Some(certificate) => {
            let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
            line(format!(
                "- **Certified**: no attacker is right in more than {:.2} % of cases on one item, with {} % confidence.",
                above(number(&certificate["pooled"]["bound"])),
                100.0 * number(&certificate["confidence"])
            ));
            for assumption in certificate["assumptions"].as_array().into_iter().flatten() {
                line(format!("    - provided that {}", inline(assumption.as_str().unwrap_or_default())));
            }
        }
    }
}

/// A bound is never rounded down.
fn above(bound: f64) -> f64 {
    (100.0 * bound).ceil() / 100.0
}

/// Text that cannot begin a heading, a list or HTML.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '`' | '*' | '_' | '[' | ']' | '#' | '|' | '\\' => {
                let _ = write!(out, "\\{c}");
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
