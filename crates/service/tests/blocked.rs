//! Files that take their time: nobody else waits for them, and many who ask at once cost one reading.
#![cfg(unix)]

mod common;

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{BEARER, Reply, get, head, identity, issuer, loopback, receive, send, serve};
use service::authority::{AuthorityServer, router};
use service::hash::Hash;

/// More than the server has threads for.
const CROWD: usize = 24;

/// An authority's address and folder, its network and its public key. One key is issued, and nothing was asked for yet.
fn authority(folder: &Path) -> (SocketAddr, PathBuf, Hash, String) {
    let (authority, network) = issuer(folder, &identity());
    let tokens = common::tokens(folder);
    let address = serve(move || router(AuthorityServer::new(authority, tokens).unwrap()), loopback());
    let key = format!(r#"{{"network":"{network}","holder":"h"}}"#);
    assert_eq!(send(address, "POST", "/v1/projects/p/keys", &[BEARER], key.as_bytes()).status, 201);
    let projects = send(address, "GET", "/v1/projects", &[BEARER], b"").json();
    let public_key = projects[0]["epochs"][0]["public_key"].as_str().unwrap().to_owned();
    (address, folder.join("home"), network, public_key)
}

/// A file whose readers wait until it is written to its end; gives back what it held.
fn pipe(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    std::fs::remove_file(path).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    bytes
}

fn ask(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head(method, path, &[BEARER], body).as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream
}

/// That the server answers others while `path` is read, to whom it then gives what it holds. Only one reading is fed:
/// whoever reads for himself waits without end.
fn answers_meanwhile(address: SocketAddr, path: &Path, asked: Vec<TcpStream>) -> Vec<Reply> {
    let bytes = pipe_of(path);
    // Opens once somebody reads: the reading has begun, and is in the middle of it from here on.
    let mut pipe = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    pipe.write_all(&bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(get(address, "/health").status, 200);
    // Nobody holds the state meanwhile.
    assert_eq!(send(address, "GET", "/v1/projects", &[BEARER], b"").status, 200);
    pipe.write_all(&bytes[bytes.len() / 2..]).unwrap();
    drop(pipe);
    asked.into_iter().map(receive).collect()
}

/// Where [`pipe`] put what the file held.
fn pipe_of(path: &Path) -> Vec<u8> {
    std::fs::read(path.with_extension("bytes")).unwrap()
}

/// The file becomes a pipe, and the requests for it are sent.
fn crowd(address: SocketAddr, path: &Path, requests: usize, method: &str, route: &str, body: &[u8]) -> Vec<TcpStream> {
    let bytes = pipe(path);
    std::fs::write(path.with_extension("bytes"), bytes).unwrap();
    (0..requests).map(|_| ask(address, method, route, body)).collect()
}

/// Each call read and checked the whole key, for anybody.
#[test]
fn a_public_key_is_read_once_for_all_who_ask() {
    let folder = tempfile::tempdir().unwrap();
    let (address, home, _, id) = authority(folder.path());
    let path = home.join("keys").join(&id).join("public.key");
    let asked = crowd(address, &path, CROWD, "GET", &format!("/v1/public-keys/{id}"), b"");
    let replies = answers_meanwhile(address, &path, asked);
    assert!(replies.iter().all(|reply| reply.status == 200 && reply.body == pipe_of(&path)), "{:?}", replies[0]);
}

#[test]
fn parameters_are_made_once_for_all_who_ask() {
    let folder = tempfile::tempdir().unwrap();
    let (address, home, network, _) = authority(folder.path());
    let path = home.join("networks").join(format!("{network}.safetensors"));
    let asked = crowd(address, &path, CROWD, "GET", &format!("/v1/projects/p/parameters/{network}"), b"");
    let replies = answers_meanwhile(address, &path, asked);
    let header = |reply: &Reply| reply.headers.get("halflight-parameters-signature").cloned();
    assert!(replies.iter().all(|reply| reply.status == 200 && reply.body == replies[0].body), "{:?}", replies[0]);
    assert!(header(&replies[0]).unwrap().starts_with("parameters2:ed25519:"));
    assert!(replies.iter().all(|reply| header(reply) == header(&replies[0])));
}

/// A dry run held the state, for which every decision and every look waits, while it read and counted.
#[test]
fn a_dry_run_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let (address, home, network, _) = authority(folder.path());
    // Asked for a network that is registered and not issued: it is read once.
    let (other, file) = common::network(folder.path(), 2, 3);
    let bytes = std::fs::read(file).unwrap();
    assert_eq!(send(address, "POST", "/v1/networks", &[BEARER], &bytes).status, 201);
    let other = Hash(other.hash());
    assert_ne!(other, network);
    let path = home.join("networks").join(format!("{other}.safetensors"));
    let body = format!(r#"{{"network":"{other}","holder":"h","dry_run":true}}"#);
    let asked = crowd(address, &path, 1, "POST", "/v1/projects/p/keys", body.as_bytes());
    let replies = answers_meanwhile(address, &path, asked);
    assert_eq!((replies[0].status, &replies[0].json()["decision"]["after"]["rank"]), (200, &serde_json::json!(6)));
}

/// A hundred who looked at a project delayed an issue by 3.8 seconds: each counted what is open, and held the state.
#[test]
fn a_project_is_counted_once_for_all_who_look_and_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let (address, home, network, _) = authority(folder.path());
    let path = home.join("networks").join(format!("{network}.safetensors"));
    let asked = crowd(address, &path, CROWD, "GET", "/v1/projects/p", b"");
    let replies = answers_meanwhile(address, &path, asked);
    assert!(replies.iter().all(|reply| reply.status == 200 && reply.json()["opened"]["rank"] == 3), "{:?}", replies[0]);
}

/// While networks are read that are posted: `/health` of everybody answers, whoever holds the state.
#[test]
fn networks_that_are_read_hold_up_no_health() {
    let folder = tempfile::tempdir().unwrap();
    let (address, home, network, _) = authority(folder.path());
    let path = home.join("networks").join(format!("{network}.safetensors"));
    let bytes = pipe(&path);
    // Registered already: the file is compared with what comes.
    let asked: Vec<_> = (0..CROWD).map(|_| ask(address, "POST", "/v1/networks", &bytes)).collect();
    let mut pipe = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    pipe.write_all(&bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(get(address, "/health").status, 200);
    // The others compare for themselves, one after the other.
    let whole = path.with_extension("whole");
    std::fs::write(&whole, &bytes).unwrap();
    std::fs::rename(&whole, &path).unwrap();
    pipe.write_all(&bytes[bytes.len() / 2..]).unwrap();
    drop(pipe);
    assert!(asked.into_iter().all(|stream| receive(stream).status == 201));
}
