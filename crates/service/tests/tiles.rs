//! The ledger as a transparency log, read as any client of such logs reads it: from the checkpoint and the tiles alone.

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{BEARER, identity, issuer, loopback, send, serve};
use service::authority::{AuthorityServer, router};
use service::ledger::note::Note;
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
