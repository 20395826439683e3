//! Manual pages and completions, as `man` and shells take them.

mod workshop;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use workshop::Workshop;

/// Whether a program is there.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        println!("skipped: there is no {program}");
    }
    found
}

/// What a program says of a file: its output. It may complain of nothing but long addresses, which it cannot break.
fn says(program: &str, arguments: &[&str]) -> String {
    let output =
        Command::new(program).args(arguments).env("MANWIDTH", "100").env("LC_ALL", "C.UTF-8").output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = errors.lines().filter(|line| !line.contains("can't break line")).collect();
    assert!(output.status.success() && complaints.is_empty(), "{program} {arguments:?}: {complaints:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Without the characters that a backspace takes back.
fn struck_out(text: &str) -> String {
    text.chars().fold(String::new(), |mut kept, character| {
        match character {
            '\u{8}' => drop(kept.pop()),
            _ => kept.push(character),
        }
        kept
    })
}

#[test]
fn every_verb_has_a_page_that_man_shows() {
    let shop = Workshop::empty();
    let written = shop.json("man --out pages");
    let pages: BTreeSet<&str> =
        written["pages"].as_array().unwrap().iter().map(|page| page.as_str().unwrap()).collect();
    let verbs = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots")).unwrap();
    let verbs: BTreeSet<String> = verbs
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_prefix("help__")?.strip_suffix(".snap")?.to_owned()))
        .map(|verb| if verb == "halflight" { "halflight.1".to_owned() } else { format!("halflight-{verb}.1") })
        .collect();
    assert_eq!(pages, verbs.iter().map(String::as_str).collect());
    let page = std::fs::read_to_string(shop.path("pages/halflight-token-new.1")).unwrap();
    assert!(page.contains("halflight token new ward\\-3"), "{page}");
    if has("man") {
        for page in &pages {
            let path = shop.path("pages").join(page);
            let shown = says("man", &["--warnings", "--local-file", "-Tutf8", path.to_str().unwrap()]);
            // Without a terminal, bold letters are typed twice.
            let shown = struck_out(&shown);
            assert!(shown.contains("SYNOPSIS") && shown.contains("--json"), "{page}: {shown}");
        }
    }
}

#[test]
fn shells_complete_verbs_and_options() {
    let shop = Workshop::empty();
    for (shell, syntax) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let script = shop.path(shell);
        std::fs::write(&script, shop.works(&format!("completions {shell}"))).unwrap();
        if has(shell) {
            says(shell, &[syntax, script.to_str().unwrap()]);
        }
    }
    if has("bash") {
        let complete = |words: &str, at: usize| {
            let (file, before) = (shop.path("bash"), at - 1);
            let script = format!(
                "source {}; COMP_WORDS=({words}); COMP_CWORD={at}; \
                 _halflight halflight \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{before}]}}\"; echo \"${{COMPREPLY[@]}}\"",
                file.display()
            );
            says("bash", &["-c", &script]).trim().to_owned()
        };
        assert_eq!(complete("halflight keyg", 1), "keygen");
        assert_eq!(complete("halflight token new --no-e", 3), "--no-expiry");
    }
}
