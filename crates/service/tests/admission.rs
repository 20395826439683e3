//! Who is let in, under which name, and what a foreign page can make a browser do: nothing.

mod common;

use std::io::Write;
use std::net::SocketAddr;

use common::{BEARER, Reply, World, head, identity, issuer, loopback, predictor, read, send, serve, tls};
use roles::keyfile::Unlock;
use service::authority::{AuthorityServer, Issuer, router};
use service::hash::Hash;
use service::run::{self, AuthorityPart, Listen};
use service::transport::{AuthError, ServeError, Server, ServerOptions, Tokens};

/// An authority with the project `p` that knows one token.
fn authority(folder: &std::path::Path) -> (SocketAddr, Hash) {
    let (authority, network) = issuer(folder, &identity());
    let tokens = common::tokens(folder);
    (serve(move || router(AuthorityServer::new(authority, tokens).unwrap()), loopback()), network)
}

fn ask(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    send(address, method, path, &[&[BEARER], headers].concat(), body)
}

/// `Host: evil.example`, `Origin: http://evil.example` and `text/plain` rotated a project and fetched a key.
#[test]
fn a_foreign_page_cannot_make_a_browser_rotate_or_issue() {
    let folder = tempfile::tempdir().unwrap();
    let (address, network) = authority(folder.path());
    let rotation = (r"/v1/projects/p/rotate", r#"{"reason":"r"}"#.to_owned());
    let key = ("/v1/projects/p/keys", format!(r#"{{"network":"{network}","holder":"h"}}"#));
    let own = format!("http://{address}");
    let port = format!("http://127.0.0.1:{}", address.port() ^ 1);
    let host = address.to_string();
    let cases: [(&[(&str, &str)], u16); 10] = [
        (&[("host", "evil.example")], 421),
        (&[("host", "evil.example"), ("origin", "http://evil.example")], 421),
        (&[("host", "192.0.2.1")], 421),
        (&[("origin", "http://evil.example")], 403),
        (&[("origin", "null")], 403),
        (&[("host", &host), ("origin", &port)], 403),
        (&[("content-type", "text/plain")], 415),
        (&[("content-type", "text/plain; charset=application/json")], 415),
        (&[("content-type", "application/octet-stream")], 415),
        (&[("content-type", "")], 415),
    ];
    for (headers, status) in cases {
        for (path, body) in [&rotation, &key] {
            let reply = ask(address, "POST", path, headers, body.as_bytes());
            assert_eq!(reply.status, status, "{path} {headers:?}: {reply:?}");
            assert!(!reply.problem().is_empty());
        }
    }
    // Not even reading is for foreign pages, nor for a request that does not say whom it wants.
    assert_eq!(ask(address, "GET", "/health", &[("host", "evil.example")], b"").status, 421);
    assert_eq!(ask(address, "GET", "http://evil.example/health", &[], b"").status, 400);
    let twice = [("host", "localhost"), ("host", "localhost")];
    assert_eq!(ask(address, "GET", "/health", &twice, b"").status, 400);
    let epochs = || ask(address, "GET", "/v1/projects/p", &[], b"").json()["epochs"].as_array().unwrap().len();
    assert_eq!(epochs(), 1, "nothing was rotated");
    let own = [("host", host.as_str()), ("origin", own.as_str())];
    assert_eq!(ask(address, "POST", rotation.0, &own, rotation.1.as_bytes()).status, 200);
    assert_eq!(epochs(), 2);
}

/// The page's own requests go on: same origin, or a name that the server was given.
#[test]
fn a_predictor_answers_to_its_names_and_its_own_page() {
    let world = World::new();
    let named = ServerOptions { names: vec!["Digits.example".into()], ..loopback() };
    let address = common::predictor_with(&world, Tokens::none(), named, |_| ());
    let body = common::infer_body(&[world.encrypt(&common::image(1))]);
    let infer = |headers: &[(&str, &str)]| {
        let length = [("inference-header-content-length", body.1.as_str())];
        send(address, "POST", "/v2/models/digits/infer", &[&length, headers].concat(), &body.0).status
    };
    let (host, own) = (address.to_string(), format!("http://{address}"));
    assert_eq!(infer(&[("host", &host), ("origin", &own)]), 200);
    assert_eq!(infer(&[("host", "digits.example"), ("origin", "https://digits.example")]), 200);
    assert_eq!(infer(&[("host", "digits.example"), ("origin", "https://evil.example")]), 403);
    assert_eq!(infer(&[("host", "other.example")]), 421);
    assert_eq!(infer(&[("content-type", "text/plain")]), 415);
    let plain = predictor(&world, |_| ());
    let error = send(plain, "GET", "/v2", &[("host", "digits.example")], b"").problem();
    assert!(error.contains("--public-name digits.example"), "{error}");
}

/// On loopback without tokens an authority obeyed everybody.
#[test]
fn an_authority_without_tokens_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let identity = identity();
    let (authority, _) = issuer(folder.path(), &identity);
    assert!(matches!(AuthorityServer::new(authority, Tokens::none()), Err(AuthError::Missing)));
    let part = AuthorityPart {
        listen: Listen { server: loopback(), tokens: None, admin: None },
        folder: folder.path().join("home"),
        ledger: None,
        unlock: Unlock::identity(&identity).unwrap(),
        shares_only: false,
    };
    let error = run::authority(part, |_| panic!("it listens")).unwrap_err().to_string();
    assert!(error.contains("--tokens") && error.contains("keygen --token"), "{error}");
}

/// A server over TLS that knows clients by their certificates only.
struct ByCertificate {
    folder: tempfile::TempDir,
    own: tls::Identity,
    clients: [tls::Identity; 3],
    address: SocketAddr,
    unlock: String,
}

impl ByCertificate {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = tls::identity(folder.path(), "server", "localhost");
        let clients = [("ops", "ops.example"), ("ward", "ward.example"), ("stranger", "stranger.example")];
        let clients = clients.map(|(name, dns)| tls::identity(folder.path(), name, dns));
        let map = folder.path().join("map.toml");
        std::fs::write(
            &map,
            "[[certificate]]\nname = \"the-operator\"\nsubject = \"ops\"\nscopes = [\"admin\", \"ledger\"]\n\
             [[certificate]]\nname = \"ward-3\"\ndns = \"ward.example\"\nscopes = [\"issue\"]\n",
        )
        .unwrap();
        let unlock = identity();
        let (authority, _) = issuer(folder.path(), &unlock);
        let tokens = Tokens::load(&map).unwrap();
        let options = ServerOptions { authenticated: true, ..tls::server(&own, &clients) };
        let address = serve(move || router(AuthorityServer::new(authority, tokens).unwrap()), options);
        Self { folder, own, clients, address, unlock }
    }

    fn rotate(&self, client: usize) -> Reply {
        let body = br#"{"reason":"r"}"#;
        let mut stream = tls::connect(self.address, &self.own, Some(&self.clients[client]));
        stream.write_all(head("POST", "/v1/projects/p/rotate", &[], body).as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        read(stream)
    }
}

/// Any certificate was an administrator, and the ledger called him anonymous.
#[test]
fn a_certificate_may_do_what_its_name_may_and_the_ledger_has_the_name() {
    let server = ByCertificate::new();
    assert_eq!(server.rotate(0).status, 200);
    let ward = server.rotate(1);
    assert_eq!((ward.status, ward.problem().contains("'ward-3' lacks the scope admin")), (403, true), "{ward:?}");
    assert_eq!(server.rotate(2).status, 401, "a certificate without an entry admits nobody");
    let entries = run::block_on(async {
        let home = server.folder.path().join("home");
        let authority = Issuer::open(&home, None, Unlock::identity(&server.unlock).unwrap()).await.unwrap();
        authority.ledger().after(0).await.unwrap()
    });
    let last = entries.unwrap().last().unwrap().text.clone();
    assert!(last.contains("rotated") && last.contains("\"by\":\"the-operator\""), "{last}");
}

#[test]
fn client_certificates_without_names_do_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let [own, client] = ["server", "client"].map(|name| tls::identity(folder.path(), name, "localhost"));
    let options = tls::server(&own, std::slice::from_ref(&client));
    let bound = run::block_on(Server::bind(options.clone())).unwrap();
    assert!(matches!(bound, Err(ServeError::Unmapped)));
    assert!(run::block_on(Server::bind(ServerOptions { authenticated: true, ..options })).unwrap().is_ok());
    // Names in certificates that nobody asks for.
    let map = folder.path().join("map.toml");
    std::fs::write(&map, "[[certificate]]\nname = \"a\"\nsubject = \"a\"\nscopes = [\"admin\"]\n").unwrap();
    let part = AuthorityPart {
        listen: Listen { server: loopback(), tokens: Some(map), admin: None },
        folder: folder.path().to_owned(),
        ledger: None,
        unlock: Unlock::identity(&identity()).unwrap(),
        shares_only: false,
    };
    let error = run::authority(part, |_| panic!("it listens")).unwrap_err().to_string();
    assert!(error.contains("--client-authorities"), "{error}");
}

/// Names, rank and head were told to everybody.
#[test]
fn projects_and_head_are_told_to_those_who_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let (address, network) = authority(folder.path());
    for path in ["/v1/projects", "/v1/projects/p"] {
        assert_eq!(send(address, "GET", path, &[], b"").status, 401, "{path}");
        assert_eq!(ask(address, "GET", path, &[], b"").status, 200, "{path}");
    }
    let health = send(address, "GET", "/health", &[], b"").json();
    assert_eq!(health, serde_json::json!({ "status": "ok" }));
    let opened = || ask(address, "GET", "/v1/projects/p", &[], b"").json()["opened"]["rank"].as_u64();
    assert_eq!(opened(), Some(0));
    let key = format!(r#"{{"network":"{network}","holder":"h"}}"#);
    assert_eq!(ask(address, "POST", "/v1/projects/p/keys", &[], key.as_bytes()).status, 201);
    assert_eq!((opened(), opened()), (Some(3), Some(3)));
    assert!(ask(address, "GET", "/health", &[], b"").json()["ledger"]["sequence"].as_i64() > Some(2));
}

/// `GET /v1/ledger/0` stopped at 500 entries without a word.
#[test]
fn a_long_ledger_comes_in_pages_that_name_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _) = authority(folder.path());
    let policy = folder.path().join("home/policy.toml");
    let text = std::fs::read_to_string(&policy).unwrap();
    for number in 0..500 {
        std::fs::write(&policy, format!("{text}# {number}\n")).unwrap();
        assert_eq!(ask(address, "POST", "/v1/policy/reload", &[], b"").status, 200);
    }
    let first = ask(address, "GET", "/v1/ledger/0", &[], b"");
    assert_eq!(first.json().as_array().unwrap().len(), 500);
    let link = &first.headers["link"];
    assert_eq!(link, "</v1/ledger/500>; rel=\"next\"");
    let rest = ask(address, "GET", "/v1/ledger/500", &[], b"");
    assert_eq!(rest.json()[0]["sequence"], 501);
    assert!(!rest.headers.contains_key("link"));
}
