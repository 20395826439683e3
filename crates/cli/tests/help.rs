//! What `--help` says, verb by verb: a change shows in the stored texts (`cargo insta review`).

use std::process::Command;

/// The help of one verb, as a terminal of a hundred columns shows it.
fn help(verbs: &[String]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_halflight")).args(verbs).arg("--help").env_remove("COLUMNS").output();
    let output = output.unwrap();
    assert!(output.status.success(), "{verbs:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Names under `Commands:`, except `help`.
fn verbs(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names =
        lines.take_while(|line| !line.is_empty()).filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_verb_says_what_it_did() {
    let mut open = vec![Vec::new()];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        let text = help(&path);
        let name = if path.is_empty() { "halflight".to_owned() } else { path.join("-") };
        insta::assert_snapshot!(name, text);
        open.extend(verbs(&text).into_iter().map(|verb| [path.clone(), vec![verb]].concat()));
        seen += 1;
    }
    // Less would mean that the verbs are not found.
    assert!(seen > 25, "{seen} verbs");
}
