//! What `deploy/` gives to stock tools: units that systemd takes, and no option that the command does not have.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(deploy().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|own| own == end))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{folder}");
    found
}

/// Options that a verb has.
fn options(verb: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_halflight")).args(verb).arg("--help").output().unwrap();
    assert!(output.status.success(), "{verb:?}");
    words(&String::from_utf8(output.stdout).unwrap()).collect()
}

/// Long options in a text.
fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| c.is_whitespace() || "\",[]'=`(),".contains(c));
    words
        .map(|word| word.trim_end_matches(['.', ':', ';']))
        .filter(|word| {
            word.strip_prefix("--").is_some_and(|name| name.starts_with(|first: char| first.is_alphabetic()))
        })
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

/// An option that was renamed would stop a server at its next start, in somebody's night.
#[test]
fn every_option_of_the_deployments_is_one_of_the_command() {
    let known: BTreeSet<String> = [
        &["serve", "authority"][..],
        &["serve", "predictor"],
        &["health"],
        &["token", "new"],
        &["authority", "init"],
        &["authority", "issue"],
        &["keygen"],
    ]
    .into_iter()
    .flat_map(options)
    .collect();
    let mut texts = vec![std::fs::read_to_string(deploy().join("compose.yaml")).unwrap()];
    for (folder, end) in [("systemd", "service"), ("kubernetes", "yaml")] {
        texts.extend(files(folder, end).iter().map(|path| std::fs::read_to_string(path).unwrap()));
    }
    let others = ["--rm", "--now"];
    let mut seen = 0;
    for option in texts.iter().flat_map(|text| words(text)).filter(|option| !others.contains(&option.as_str())) {
        assert!(known.contains(&option), "{option}");
        seen += 1;
    }
    assert!(seen > 30, "{seen} options");
}

#[test]
fn systemd_takes_the_units_and_finds_them_confined() {
    if !Command::new("systemd-analyze").arg("--version").output().is_ok_and(|output| output.status.success()) {
        println!("skipped: there is no systemd-analyze");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for unit in files("systemd", "service") {
        let text = std::fs::read_to_string(&unit).unwrap();
        let text = text.replace("/usr/bin/halflight", env!("CARGO_BIN_EXE_halflight"));
        let path = folder.path().join(unit.file_name().unwrap());
        std::fs::write(&path, text).unwrap();
        let analyze = |arguments: &[&str]| {
            let output = Command::new("systemd-analyze").args(arguments).arg(&path).output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            (output.status.success(), String::from_utf8_lossy(&said).into_owned())
        };
        let (well, said) = analyze(&["verify"]);
        assert!(well && said.trim().is_empty(), "{said}");
        // Of 100; services without confinement have 96.
        let (well, said) = analyze(&["security", "--offline=true", "--threshold=20"]);
        assert!(well, "{said}");
    }
}

#[test]
fn no_build_takes_secrets_along() {
    let ignored = std::fs::read_to_string(deploy().join("../.dockerignore")).unwrap();
    assert_eq!(ignored, std::fs::read_to_string(deploy().join("Containerfile.dockerignore")).unwrap());
    let lines: Vec<&str> = ignored.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines[0], "*", "only what is named is taken");
    for secret in ["**/*.identity", "**/*.token", "**/*.key", "**/*.age", "**/*.pem", "**/tokens.toml"] {
        assert!(lines.contains(&secret), "{secret}");
    }
    let compose = std::fs::read_to_string(deploy().join("compose.yaml")).unwrap();
    assert!(compose.contains("${HALFLIGHT_SECRETS:?"), "secrets come from outside the sources");
    let container = std::fs::read_to_string(deploy().join("Containerfile")).unwrap();
    assert!(container.contains("USER 10001:10001") && container.contains("HEALTHCHECK"));
}
