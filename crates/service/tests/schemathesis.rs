//! Both servers against their published OpenAPI documents, by schemathesis, where it is installed.

mod common;

use std::net::SocketAddr;
use std::process::Command;

use common::{BEARER, World, get, identity, issuer, loopback, predictor, send, serve};
use service::authority::{AuthorityServer, router};
use service::hash::Hash;

/// Runs it; `leave_out`: operations that would end the others.
fn check(python: &str, address: SocketAddr, ids: [Hash; 3], leave_out: &[&str], bearer: bool) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("schemathesis.toml");
    let mut text = include_str!("schemathesis.toml").to_owned();
    for (name, id) in ["VERSION", "NETWORK", "PUBLIC_KEY"].into_iter().zip(ids) {
        text = text.replace(name, &id.to_string());
    }
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(python);
    command.current_dir(folder.path()).args(["-m", "schemathesis.cli", "--config-file"]).arg(config);
    command.args(["run", "--seed", "1", "--max-examples", "10", "--continue-on-failure"]);
    command.args(leave_out.iter().flat_map(|operation| ["--exclude-operation-id", operation]));
    if bearer {
        // Spelled so: schemathesis looks for credentials to remove by this spelling alone.
        command.args(["--header", &format!("Authorization: {}", BEARER.1)]);
    }
    let output = command.arg(format!("http://{address}/openapi.json")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("passed"), "{said}");
}

/// An interpreter with schemathesis: HALFLIGHT_PYTHON names one, such as that of a virtual environment.
fn python() -> Option<String> {
    let python = std::env::var("HALFLIGHT_PYTHON").unwrap_or_else(|_| "python3".into());
    let present = Command::new(&python).args(["-c", "import schemathesis.cli"]).output();
    if !present.is_ok_and(|output| output.status.success()) {
        println!("skipped: {python} has no schemathesis; install it, or name another one in HALFLIGHT_PYTHON");
        return None;
    }
    Some(python)
}

#[test]
fn the_predictor_does_what_its_document_says() {
    let Some(python) = python() else { return };
    let world = World::new();
    let address = predictor(&world, |_| ());
    let about = get(address, "/v2/models/digits").json();
    let version = about["versions"][0].as_str().unwrap().parse().unwrap();
    check(&python, address, [version, Hash(world.network.hash()), world.public_key()], &["unload"], false);
}

#[test]
fn the_authority_does_what_its_document_says() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (authority, network) = issuer(folder.path(), &identity());
    let tokens = common::tokens(folder.path());
    let address = serve(move || router(AuthorityServer::new(authority, tokens).unwrap()), loopback());
    let post = |address, path: &str, body: &[u8]| send(address, "POST", path, &[BEARER], body);
    let key = format!(r#"{{"network":"{network}","holder":"h"}}"#);
    let issued = post(address, "/v1/projects/p/keys", key.as_bytes());
    assert_eq!(issued.status, 201, "{issued:?}");
    let public_key = issued.json()["parameters"]["public_key"].as_str().unwrap().parse().unwrap();
    // Rotation would close the project to the network that the others ask for.
    check(&python, address, [network, network, public_key], &["rotate"], true);
    assert_eq!(post(address, "/v1/ledger/verify", b"").status, 200);
}
