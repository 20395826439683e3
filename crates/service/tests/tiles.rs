//! The ledger as a transparency log, read as any client of such logs reads it: from the checkpoint and the tiles alone.

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{BEARER, identity, issuer, loopback, send, serve};
use service::authority::{AuthorityServer, router};
use service::hash::to_hex;
use service::ledger::note::Note;
use service::ledger::{Handover, Witness};
use service::signature::SigningKey;
use sha2::{Digest, Sha256};

/// The hash of a tree, from its leaves upwards by pairs: another way than that of the server.
fn root(mut level: Vec<[u8; 32]>) -> [u8; 32] {
    while level.len() > 1 {
        let pair = |pair: &[[u8; 32]]| match pair {
            [left, right] => Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into(),
            alone => alone[0],
        };
        level = level.chunks(2).map(pair).collect();
    }
    level[0]
}

#[test]
fn the_checkpoint_is_the_root_of_the_tiles_and_the_tiles_are_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, network) = issuer(folder.path(), &identity());
    let (key, tokens) = (authority.ledger().signers().key(), common::tokens(folder.path()));
    let address = serve(move || router(AuthorityServer::new(authority, tokens).unwrap()), loopback());
    let get = |path: &str| send(address, "GET", path, &[BEARER], b"");
    let text = |path: &str| String::from_utf8(get(path).body).unwrap();
    let before: u64 = text("/v1/tlog/checkpoint").lines().nth(1).unwrap().parse().unwrap();
    for holder in ["a", "b", "c"] {
        let body = format!(r#"{{"network":"{network}","holder":"{holder}"}}"#);
        assert_eq!(send(address, "POST", "/v1/projects/p/keys", &[BEARER], body.as_bytes()).status, 201);
    }
    let note = Note::parse(&text("/v1/tlog/checkpoint")).unwrap();
    let lines: Vec<&str> = note.text.lines().collect();
    assert!(lines[0].ends_with("/tree") && note.is_signed(lines[0], &key), "{note:?}");
    let size: usize = lines[1].parse().unwrap();
    assert_eq!(size as u64, before + 3);
    let leaves = get(&format!("/v1/tlog/tile/0/000.p/{size}")).body;
    let leaves: Vec<[u8; 32]> = leaves.chunks(32).map(|leaf| leaf.try_into().unwrap()).collect();
    assert_eq!(STANDARD.decode(lines[2]).unwrap(), root(leaves.clone()));
    // The leaves stand for the entries that the other address gives.
    let bundle = get(&format!("/v1/tlog/tile/entries/000.p/{size}")).body;
    let entries = get("/v1/ledger/0").json();
    for (place, leaf) in leaves.iter().enumerate() {
        let entry = &bundle[34 * place + 2..34 * (place + 1)];
        assert_eq!(leaf[..], Sha256::new().chain_update([0]).chain_update(entry).finalize()[..]);
        let hash: String = entry.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(entries[place]["hash"], hash);
    }
    for path in ["0/000", "0/001.p/1", "9/000", "entries/abc"] {
        assert_eq!(get(&format!("/v1/tlog/tile/{path}")).status, 404, "{path}");
    }
    assert_eq!(common::get(address, "/v1/tlog/checkpoint").status, 401);
}

/// Two witnesses cosign the tree, and a reader in another language, which knows only the specifications, believes them.
#[test]
fn another_reader_checks_the_cosigned_checkpoint_and_its_tiles() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, network) = issuer(folder.path(), &identity());
    let names = ["north", "south.example"];
    let keys = [(); 2].map(|()| SigningKey::generate().unwrap());
    let public = [0, 1].map(|which| keys[which].verifying_key());
    let policy = folder.path().join("home/policy.toml");
    let text = std::fs::read_to_string(&policy).unwrap();
    let witnesses = format!("{} = \"{}\", \"{}\" = \"{}\"", names[0], public[0], names[1], public[1]);
    std::fs::write(&policy, format!("{text}\n[ledger]\nwitnesses = {{ {witnesses} }}\nquorum = 2\n")).unwrap();
    service::run::block_on(authority.reload_policy("test")).unwrap().unwrap();
    let log = authority.ledger().signers().key();
    let tokens = common::tokens(folder.path());
    let address = serve(move || router(AuthorityServer::new(authority, tokens).unwrap()), loopback());
    let post = |path: &str, body: String| send(address, "POST", path, &[BEARER], body.as_bytes());
    let checkpoint =
        || Note::parse(&String::from_utf8(send(address, "GET", "/v1/tlog/checkpoint", &[BEARER], b"").body).unwrap());
    let watching: Vec<Witness> = names
        .iter()
        .zip(keys)
        .map(|(name, key)| Witness::new(name, key, log.clone(), folder.path().join(name)).unwrap())
        .collect();
    let offered = |after: i64| {
        let answer = send(address, "GET", &format!("/v1/ledger/{after}/handover"), &[BEARER], b"").json();
        Handover::from_bytes(answer["handover"].to_string().as_bytes()).unwrap()
    };
    let keep = |note: &str| post("/v1/ledger/cosigned", serde_json::json!({ "note": note }).to_string());
    let mut seen = 0;
    for holder in ["a", "b"] {
        let body = format!(r#"{{"network":"{network}","holder":"{holder}"}}"#);
        assert_eq!(post("/v1/projects/p/keys", body.clone()).status, 409);
        let handover = offered(seen);
        for (place, witness) in watching.iter().enumerate() {
            let (head, note) = witness.cosign(&handover, seen == 0).unwrap();
            let reply = keep(&note);
            assert_eq!((reply.status, reply.json()["witnesses"].as_u64()), (200, Some(place as u64 + 1)));
            if place == 1 {
                seen = head.sequence;
            }
        }
        assert_eq!(post("/v1/projects/p/keys", body).status, 201);
        let note = checkpoint().unwrap();
        assert_eq!(note.text.lines().nth(1), Some(seen.to_string().as_str()));
        assert!(public.iter().zip(names).all(|(key, name)| note.cosigned_at(name, key).is_some()));
    }
    // One that the witnesses have not seen yet does not replace one that they cosigned.
    let body = format!(r#"{{"network":"{network}","holder":"c"}}"#);
    assert_eq!(post("/v1/projects/p/keys", body).status, 409);
    assert_eq!(checkpoint().unwrap().text.lines().nth(1), Some(seen.to_string().as_str()));
    // A tree that is not that of the entries, and a cosigned one that was changed.
    let mut lie: serde_json::Value = serde_json::from_slice(&offered(seen).to_bytes()).unwrap();
    lie["tree"] = serde_json::from_slice::<serde_json::Value>(&offered(0).to_bytes()).unwrap()["tree"]
        .as_str()
        .unwrap()
        .replacen(&format!("\n{}\n", seen + 1), &format!("\n{seen}\n"), 1)
        .into();
    assert!(watching[0].cosign(&Handover::from_bytes(lie.to_string().as_bytes()).unwrap(), false).is_err());
    let (_, note) = watching[0].cosign(&offered(seen), false).unwrap();
    assert_eq!(keep(&note.replacen("/tree\n", "/trees\n", 1)).status, 422);

    // A witness from before the tree existed needs all entries once.
    let path = folder.path().join(names[1]);
    let mut state: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(state.as_object_mut().unwrap().remove("edge").is_some());
    std::fs::write(&path, state.to_string()).unwrap();
    for (after, with_tree) in [(seen, false), (0, true), (seen, true)] {
        let (_, note) = watching[1].cosign(&offered(after), false).unwrap();
        assert_eq!(note.contains("/tree\n"), with_tree, "{after}");
    }

    let python = std::env::var("HALFLIGHT_PYTHON").unwrap_or_else(|_| "python3".into());
    let run = |arguments: &[&str]| std::process::Command::new(&python).args(arguments).output();
    if !run(&["-c", "import cryptography"]).is_ok_and(|output| output.status.success()) {
        println!("skipped: {python} has no cryptography");
        return;
    }
    let script = format!("{}/tests/tlog.py", env!("CARGO_MANIFEST_DIR"));
    let (url, token) = (format!("http://{address}"), BEARER.1.strip_prefix("Bearer ").unwrap());
    let log = to_hex(&log.to_bytes());
    let [north, south] = [0, 1].map(|which| format!("{}={}", names[which], to_hex(&public[which].to_bytes())));
    let output = run(&[&script, &url, token, &log, &north, &south]).unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim() == format!("{seen} 2"), "{said}");
    let swapped = [0, 1].map(|which| format!("{}={}", names[which], to_hex(&public[1 - which].to_bytes())));
    assert!(!run(&[&script, &url, token, &log, &swapped[0], &swapped[1]]).unwrap().status.success());
}
