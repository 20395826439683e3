//! What the main verbs print, for people and as JSON: a change shows in the stored texts (`cargo insta review`). What
//! differs from run to run or from machine to machine is left out: hashes, keys, dates, measured and large numbers.

mod institutions;
mod workshop;

use institutions::Institutions;
use workshop::Workshop;

/// Which numbers of a text are the same everywhere.
#[derive(Clone, Copy, PartialEq)]
enum Numbers {
    /// Short ones, such as counts of servers.
    Short,
    /// None: training rounds differently from machine to machine.
    None,
}

/// A printed text without what is not the same every time.
fn settled(text: &str, same: Numbers) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_' | '/' | '+' | '=');
        let length = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len()).max(first.len_utf8());
        let (word, after) = rest.split_at(length);
        match first {
            ' ' | '─' if out.ends_with(first) => {}
            _ if is_date(word) => out.push_str("[date]"),
            _ => out.push_str(
                &word.split_inclusive([':', '/', '=']).map(|part| settled_part(part, same)).collect::<String>(),
            ),
        }
        rest = after;
    }
    // Where lines of a table ended with different numbers of spaces.
    out.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// A date with its time, as RFC 3339 writes it.
fn is_date(word: &str) -> bool {
    word.contains('T')
        && word.bytes().next().is_some_and(|c| c.is_ascii_digit())
        && word.matches(['-', ':']).count() == 4
}

fn settled_part(part: &str, same: Numbers) -> String {
    let end = part.len() - usize::from(part.ends_with([':', '/', '=']));
    let (word, mark) = part.split_at(end);
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let bare = word.trim_start_matches(['-', '+']).trim_end_matches('.');
    let is_number = digits > 0 && bare.chars().all(|c| c.is_ascii_digit() || c == '.');
    let settled = if word.starts_with("age1") {
        "[identity]"
    } else if word.len() >= 12 && word.chars().all(|c| c.is_ascii_hexdigit()) {
        "[hex]"
    } else if word.len() >= 40 && digits > 4 {
        "[base64]"
    } else if is_number && (same == Numbers::None || bare.contains('.') || digits >= 3) {
        "#"
    } else {
        word
    };
    let stop = if settled == "#" && word.ends_with('.') { "." } else { "" };
    format!("{settled}{stop}{mark}")
}

/// Stores what a verb prints for people, and as JSON.
fn prints(shop: &Workshop, name: &str, arguments: &str, same: Numbers) {
    insta::assert_snapshot!(format!("{name}.text"), settled(&shop.works(arguments), same));
    // Files that the first run made.
    let again = arguments.replace("--out ", "--out again-");
    let json = shop.json(&again);
    insta::assert_snapshot!(format!("{name}.json"), settled(&serde_json::to_string_pretty(&json).unwrap(), same));
}

#[test]
fn numbers_and_names_that_differ_are_left_out() {
    let hash = "0123456789abcdef".repeat(4);
    let text = format!(
        "ed25519:{hash} took 1.25 s and 12 of 4096 items; digits-paper, -17 to 0.5.\n── ──   2026-11-30T07:56:07Z"
    );
    assert_eq!(
        settled(&text, Numbers::Short),
        "ed25519:[hex] took # s and 12 of # items; digits-paper, -17 to #.\n─ ─ [date]\n"
    );
}

#[test]
fn the_way_of_one_key() {
    let shop = Workshop::furnished();
    for (name, arguments) in [
        ("dataset-show", "dataset show data.safetensors"),
        ("compile", "compile network.safetensors --data data.safetensors --out second.safetensors"),
        ("check", "check compiled.safetensors --data data.safetensors --items 0..3"),
        ("authority-init", "authority init --network compiled.safetensors --folder second"),
        ("authority-register", "authority register --folder authority --network compiled.safetensors"),
        ("issue-dry-run", "authority issue --folder authority --network compiled.safetensors --dry-run"),
        ("issue", "authority issue --folder authority --network compiled.safetensors --holder ward --out ward.key"),
        (
            "verify-key",
            "authority verify-key functional.key --parameters authority/public --network compiled.safetensors",
        ),
        ("ledger-verify", "authority ledger verify --folder authority"),
        ("encrypt", "encrypt --parameters authority/public --data data.safetensors --items 3..5 --out more"),
        ("predict", "predict --key functional.key --network compiled.safetensors ciphertexts/0.ct ciphertexts/2.ct"),
        ("keygen", "keygen --out lab.key"),
        ("keygen-identity", "keygen --identity --out lab.identity"),
    ] {
        if name == "authority-init" {
            // Its folder is not an --out file.
            insta::assert_snapshot!("authority-init.text", settled(&shop.works(arguments), Numbers::None));
            continue;
        }
        prints(&shop, name, arguments, Numbers::None);
    }
}

#[test]
fn the_way_of_a_key_among_three() {
    let three = Institutions::new(3);
    let (shop, cards) = (&three.shop, three.cards());
    let init = format!("authority ceremony init --network good.safetensors --threshold 1 {cards} --out ceremony");
    prints(shop, "ceremony-init", &init, Numbers::Short);
    prints(
        shop,
        "ceremony-again",
        "authority ceremony again --ceremony ceremony --without s3 --out second",
        Numbers::Short,
    );
    prints(
        shop,
        "ceremony-join",
        "authority ceremony join --ceremony ceremony --key s1.key --identity s1.identity --home home1",
        Numbers::Short,
    );
    three.all_join("ceremony", "home", |_| "--wait 50".into());
    prints(shop, "ceremony-verify", "authority ceremony verify home1/transcript", Numbers::Short);
    let refresh = "authority ceremony refresh --from home1 --transcript home1/transcript --out renewal";
    prints(shop, "ceremony-refresh", refresh, Numbers::Short);
}
