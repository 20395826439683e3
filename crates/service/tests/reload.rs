//! Tokens and certificates that are replaced while a server runs.

mod common;

use std::io::Write;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use common::{World, head, read, tls};
use service::hash::Hash;
use service::predictor::PredictorOptions;
use service::run::{self, Listen, PredictorPart};
use service::transport::ServerOptions;

fn entry(name: &str) -> String {
    let hash = Hash::of_bytes(name.as_bytes());
    format!("[[token]]\nname = \"{name}\"\nsha256 = \"{hash}\"\nscopes = [\"infer\", \"metrics\"]\n")
}

fn until(what: impl Fn() -> bool) {
    let seen = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(25));
        what()
    });
    assert!(seen, "not within 5 s");
}

/// A new token needed a restart, and so did a new certificate.
#[test]
fn tokens_and_certificates_are_read_again_while_the_server_runs() {
    let world = World::new();
    let folder = world.folder.path();
    let (path, certificate) = (folder.join("tokens.toml"), tls::identity(folder, "server", "localhost"));
    std::fs::write(&path, entry("ward")).unwrap();
    let server = tls::server(&certificate, &[]);
    let server = ServerOptions { reload: Duration::from_millis(50), ..server };
    let part = PredictorPart {
        listen: Listen { server, tokens: Some(path.clone()), admin: None },
        options: PredictorOptions::over(world.models()),
        table: std::sync::Arc::new(qfe::LogTable::build(12, &host::Silent).unwrap()),
    };
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || run::predictor(part, |at| tell.send(at.main).unwrap()));
    let address: SocketAddr = told.recv_timeout(Duration::from_secs(30)).unwrap();
    let ask = |certificate: &tls::Identity, token: &str| {
        let mut stream = tls::connect(address, certificate, None);
        let bearer = format!("Bearer {token}");
        stream.write_all(head("GET", "/metrics", &[("authorization", &bearer)], b"").as_bytes()).unwrap();
        read(stream)
    };
    assert_eq!((ask(&certificate, "ward").status, ask(&certificate, "new").status), (200, 401));
    std::fs::write(&path, entry("new") + &entry("other")).unwrap();
    until(|| ask(&certificate, "new").status == 200);
    assert_eq!(ask(&certificate, "ward").status, 401, "who is gone from the file is let in no more");
    std::fs::write(&path, "damaged").unwrap();
    until(|| {
        let text = String::from_utf8(ask(&certificate, "new").body).unwrap();
        text.contains("halflight_reloads_total{file=\"tokens\",result=\"failed\"} 1")
    });
    let renewed = tls::identity(folder, "server", "localhost");
    until(|| catch_unwind(AssertUnwindSafe(|| ask(&renewed, "new").status == 200)).unwrap_or(false));
    let text = String::from_utf8(ask(&renewed, "new").body).unwrap();
    assert!(text.contains("halflight_reloads_total{file=\"certificates\",result=\"done\"}"), "{text}");
    assert!(text.contains("halflight_tls_certificate_expiry_timestamp_seconds{listener=\"main\"}"), "{text}");
    until(|| {
        let text = String::from_utf8(ask(&renewed, "new").body).unwrap();
        text.contains("halflight_connections_open{listener=\"main\"} 1\n")
    });
}
