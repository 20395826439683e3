//! Published networks: what stock tools say to card, bill of materials and signature.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn halflight(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_halflight")).current_dir(folder).args(arguments).output().unwrap()
}

fn works(arguments: &[&str], folder: &Path) -> String {
    let output = halflight(arguments, folder);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn network(end: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../networks").join(format!("digits-match-noise{end}"));
    path.to_str().unwrap().to_owned()
}

/// A folder with a published network.
fn published(folder: &Path) -> PathBuf {
    works(&["keygen", "--model-key", "--out", "publisher.pem"], folder);
    std::fs::write(
        folder.join("certificate.json"),
        r#"{"certificate":{"confidence":0.999,"pooled":{"bound":57.0651},"assumptions":["the noise is as described"]}}"#,
    )
    .unwrap();
    let (network, audit) = (network(".safetensors"), network(".json"));
    let arguments =
        ["card", &network, "--audit", &audit, "--certificate", "certificate.json", "--licence", "Apache-2.0"];
    works(&[&arguments[..], &["--sign", "publisher.pem", "--out", "published"]].concat(), folder);
    folder.join("published")
}

fn read(path: PathBuf) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn figures_are_those_of_record_audit_and_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let published = published(folder.path());
    let card = std::fs::read_to_string(published.join("README.md")).unwrap();
    for said in [
        "accuracy",
        "99.57 % of validation items",
        "right in 51.44 % of cases",
        "guessing is right in 50.00 %",
        "no attacker is right in more than 57.07 % of cases on one item, with 99.9 % confidence",
        "provided that the noise is as described",
        "nobody: the report is not signed",
        "960000 items of drawn characters 1",
    ] {
        assert!(card.contains(said), "{said}: {card}");
    }
    let bom = read(published.join("bom.cdx.json"));
    let model = &bom["metadata"]["component"];
    assert_eq!(
        (&model["type"], &model["name"]),
        (&serde_json::json!("machine-learning-model"), &serde_json::json!("digits-match-noise"))
    );
    let metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"].as_array().unwrap();
    assert!(metrics.iter().any(|metric| metric["value"] == "57.0651"), "{metrics:?}");
    assert_eq!(bom["components"][0]["hashes"][0]["content"].as_str().unwrap().len(), 64);
    // The network is there whole.
    assert_eq!(
        std::fs::read(published.join("network.safetensors")).unwrap(),
        std::fs::read(network(".safetensors")).unwrap()
    );
}

#[test]
fn what_does_not_belong_to_the_network_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let network = network(".safetensors");
    let refused = |file: &str, text: &str, word: &str| {
        std::fs::write(folder.join(file), text).unwrap();
        let option = if file == "audit.json" { "--audit" } else { "--certificate" };
        let output = halflight(&["card", &network, option, file, "--out", "published"], folder);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(word), "{word}: {said}");
    };
    refused("audit.json", "{}", "no strongest attacker");
    refused("audit.json", "[", "JSON");
    refused("certificate.json", r#"{"certificate":{}}"#, "not a certificate");
    let other =
        format!(r#"{{"network":"{}","certificate":{{"confidence":0.9,"pooled":{{"bound":1}}}}}}"#, "00".repeat(32));
    refused("certificate.json", &other, "the certificate is of network 00");
    assert!(!folder.join("published/README.md").exists());
    // What lies in the folder already is not signed unseen, and not replaced unasked.
    let published = published(folder);
    std::fs::write(published.join("stray"), b"").unwrap();
    let again = ["card", &network, "--sign", "publisher.pem", "--force", "--out", "published"];
    assert!(String::from_utf8_lossy(&halflight(&again, folder).stderr).contains("holds audit.json"));
    let unasked = halflight(&["card", &network, "--out", "published"], folder);
    assert!(String::from_utf8_lossy(&unasked.stderr).contains("exists"));
}

/// Runs Python where it has a library; false where it does not.
fn python(library: &str, script: &str, arguments: &[&Path]) -> Option<Output> {
    let python = std::env::var("HALFLIGHT_PYTHON").unwrap_or_else(|_| "python3".into());
    let present = Command::new(&python).args(["-c", &format!("import {library}")]).output();
    if !present.is_ok_and(|output| output.status.success()) {
        println!("skipped: {python} has no {library}; install it, or name another one in HALFLIGHT_PYTHON");
        return None;
    }
    Some(Command::new(python).arg("-c").arg(script).args(arguments).output().unwrap())
}

fn passes(output: &Output) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
}

#[test]
fn openssf_model_signing_takes_the_signature_and_notices_a_changed_file() {
    let folder = tempfile::tempdir().unwrap();
    let published = published(folder.path());
    let script = "import sys, model_signing\n\
        model, signature, key = sys.argv[1:]\n\
        model_signing.verifying.Config().use_elliptic_key_verifier(public_key=key).verify(model, signature)";
    let (signature, key) = (published.join("model.sig"), folder.path().join("publisher.pub.pem"));
    let verify = || python("model_signing", script, &[&published, &signature, &key]);
    let Some(output) = verify() else { return };
    passes(&output);
    let card = published.join("README.md");
    let text = std::fs::read_to_string(&card).unwrap();
    std::fs::write(&card, text + "\nsafe\n").unwrap();
    assert!(!verify().unwrap().status.success());
}

#[test]
fn the_bill_of_materials_is_of_cyclonedx() {
    let folder = tempfile::tempdir().unwrap();
    let published = published(folder.path());
    let script = "import sys\n\
        from cyclonedx.schema import SchemaVersion\n\
        from cyclonedx.validation.json import JsonStrictValidator\n\
        error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())\n\
        sys.exit(str(error) if error else 0)";
    if let Some(output) = python("cyclonedx.validation.json", script, &[&published.join("bom.cdx.json")]) {
        passes(&output);
    }
}

#[test]
fn hugging_face_reads_the_card() {
    let folder = tempfile::tempdir().unwrap();
    let published = published(folder.path());
    let script = "import sys\n\
        from huggingface_hub import ModelCard\n\
        card = ModelCard.load(sys.argv[1])\n\
        assert card.data.license == 'apache-2.0' and card.data.library_name == 'halflight', card.data\n\
        result, = card.data.eval_results\n\
        assert result.metric_type == 'accuracy' and abs(result.metric_value - 99.57) < 1e-9, result\n\
        assert card.text.strip().startswith('# digits'), card.text";
    if let Some(output) = python("huggingface_hub", script, &[&published.join("README.md")]) {
        passes(&output);
    }
}
