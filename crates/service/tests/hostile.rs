//! Clients that do not mean well, or that break.

mod common;

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use common::{World, get, image, infer, loopback, post, predictor, predictor_with, receive, send};
use service::hash::Hash;
use service::transport::{ServeError, Server, ServerOptions, TlsOptions, Tokens};

fn raw(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let _ = stream.write_all(bytes);
    stream
}

#[test]
fn huge_lengths_are_refused_before_a_byte_is_read() {
    let world = World::new();
    let address = predictor(&world, |options| options.body = 1 << 20);
    for length in ["1048577", "99999999999999"] {
        let head =
            format!("POST /v2/models/digits/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n");
        let reply = receive(raw(address, head.as_bytes()));
        assert_eq!(reply.status, 413);
        assert!(reply.problem().contains("at most 1048576 bytes"));
    }
    // Without a length, the reading stops at the limit.
    let mut stream =
        raw(address, b"POST /v2/models/digits/infer HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x10000], b"\r\n".to_vec()].concat();
    for _ in 0..17 {
        let _ = stream.write_all(&chunk);
    }
    assert_eq!(receive(stream).status, 413);
    let long = "99999999999999999999999999";
    let head = format!("POST /v2/models/digits/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: {long}\r\n\r\n");
    assert_eq!(receive(raw(address, head.as_bytes())).status, 400);
    let headers = [("inference-header-content-length", "18446744073709551615")];
    assert_eq!(send(address, "POST", "/v2/models/digits/infer", &headers, b"{}").status, 400);
    let headers = [("content-encoding", "br")];
    assert_eq!(send(address, "POST", "/v2/models/digits/infer", &headers, b"{}").status, 415);
    assert_eq!(infer(address, "digits", &[world.encrypt(&image(1))]).status, 200);
}

#[test]
fn slow_clients_are_cut_off_and_hold_nobody_up() {
    let world = World::new();
    let server = ServerOptions { header_patience: Duration::from_millis(1500), ..loopback() };
    let address = predictor_with(&world, Tokens::none(), server, |options| {
        options.body_patience = Duration::from_millis(1500);
    });
    let start = Instant::now();
    let slow_head = raw(address, b"POST /v2/models/digits/infer HTTP/1.1\r\nhost:");
    let slow_body =
        raw(address, b"POST /v2/models/digits/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{");
    assert_eq!(infer(address, "digits", &[world.encrypt(&image(1))]).status, 200);
    let reply = receive(slow_body);
    assert_eq!(reply.status, 408, "{reply:?}");
    assert!(reply.problem().contains("did not arrive"));
    let mut rest = Vec::new();
    slow_head.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = std::io::Read::read_to_end(&mut &slow_head, &mut rest);
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[test]
fn bodies_together_have_a_limit() {
    let world = World::new();
    let address = predictor(&world, |options| {
        (options.body, options.memory, options.items) = (1 << 20, 2 << 20, 4);
    });
    let head = b"POST /v2/models/digits/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1048576\r\n\r\n";
    let most = [&head[..], &[b' '; (1 << 20) - 1]].concat();
    // One caller gets half of the memory, room for one of these; that all of it is never exceeded is tested where bodies
    // are counted. Which of the three waits for its last byte depends on how they arrive.
    let (answers, answered) = std::sync::mpsc::channel();
    for _ in 0..3 {
        let (stream, answers) = (raw(address, &most), answers.clone());
        std::thread::spawn(move || answers.send(receive(stream)));
    }
    for _ in 0..2 {
        let reply = answered.recv().unwrap();
        assert_eq!(reply.status, 429, "{reply:?}");
        assert!(reply.headers.contains_key("retry-after"));
    }
}

#[test]
fn garbage_and_path_tricks_find_nothing() {
    let world = World::new();
    let address = predictor(&world, |_| ());
    for bytes in [&b"\0\0\0\0"[..], b"GET", b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9.9\r\n\r\n"] {
        drop(raw(address, bytes));
    }
    for path in [
        "/v2/models/../digits",
        "/v2/models/..%2f..%2fetc%2fpasswd",
        "/v2/models/%2e%2e/ready",
        "/v2/models/digits%00",
        "/v2/models/digits%2f..%2fdigits/infer",
        "//v2",
        "/v1/models/digits/functional.key",
        "/v1/models/digits/../digits/functional.key",
        "/v2/models/%ff/ready",
        "/v2/models/digits/versions/%c0%ae",
    ] {
        let reply = get(address, path);
        assert!(matches!(reply.status, 400 | 404 | 405), "{path}: {reply:?}");
        assert!(!reply.problem().is_empty());
    }
    assert_eq!(post(address, "/v2/repository/models/..%2fauthority/load", b"").status, 404);
    assert_eq!(get(address, "/health").status, 200);
}

#[test]
fn tokens_decide_who_may_what() {
    let world = World::new();
    let path = world.folder.path().join("tokens.toml");
    let token = |name: &str, scope: &str, more: &str| {
        let hash = Hash::of_bytes(name.as_bytes());
        format!("[[token]]\nname = \"{name}\"\nsha256 = \"{hash}\"\nscopes = [\"{scope}\"]\n{more}\n")
    };
    let limit = "requests_per_minute = 2";
    std::fs::write(&path, token("ward", "infer", "") + &token("ops", "metrics", "") + &token("few", "infer", limit))
        .unwrap();
    let address = predictor_with(&world, Tokens::load(&path).unwrap(), loopback(), |_| ());
    let ask = |method: &str, path: &str, token: Option<&str>| {
        let value = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = value.iter().map(|value| ("authorization", value.as_str())).collect();
        send(address, method, path, &headers, b"").status
    };
    let infer = "/v2/models/digits/infer";
    assert_eq!(ask("GET", "/v2", None), 200);
    assert_eq!(ask("GET", "/v1/models/digits/parameters", None), 200);
    assert_eq!(ask("POST", infer, None), 401);
    assert_eq!(ask("POST", infer, Some("wrong")), 401);
    assert_eq!(ask("GET", "/health", Some("wrong")), 401);
    assert_eq!(ask("POST", infer, Some("ops")), 403);
    assert_eq!(ask("POST", infer, Some("ward")), 400);
    assert_eq!(ask("GET", "/metrics", Some("ward")), 403);
    assert_eq!(ask("GET", "/metrics", Some("ops")), 200);
    assert_eq!(ask("POST", "/v2/repository/models/digits/unload", Some("ward")), 403);
    assert_eq!([(); 3].map(|()| ask("POST", infer, Some("few"))), [400, 400, 429]);
    let late = send(address, "GET", "/v2", &[("authorization", "Bearer few")], b"");
    assert!(late.problem().contains("per minute") && late.headers.contains_key("retry-after"), "{late:?}");
}

#[test]
fn beyond_loopback_only_with_tls_and_callers_that_are_known() {
    let try_bind = |options: ServerOptions| service::run::block_on(Server::bind(options)).unwrap().err();
    let open = ServerOptions::on("0.0.0.0:0".parse().unwrap());
    assert!(matches!(try_bind(open.clone()), Some(ServeError::Exposed { .. })));
    assert!(matches!(
        try_bind(ServerOptions { authenticated: true, ..open.clone() }),
        Some(ServeError::Exposed { .. })
    ));
    assert!(try_bind(ServerOptions { insecure: true, ..open }).is_none());
}

#[test]
fn tls_with_client_certificates() {
    use service::owner::{ClientError, Connection, ConnectionOptions};

    let world = World::new();
    let folder = world.folder.path();
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let server = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let client = rcgen::generate_simple_self_signed(["owner".to_owned()]).unwrap();
    let certificates = write("server.pem", server.cert.pem());
    let key = write("server.key", server.signing_key.serialize_pem());
    let shown = (write("client.pem", client.cert.pem()), write("client.key", client.signing_key.serialize_pem()));
    let shown_ca = shown.0.clone();
    let tls = TlsOptions { certificates: certificates.clone(), key, client_authorities: Some(shown_ca.clone()) };
    let map = write("map.toml", "[[certificate]]\nname = \"owner\"\ndns = \"owner\"\nscopes = [\"infer\"]\n".into());
    let server = ServerOptions { tls: Some(tls), ..loopback() };
    let address = predictor_with(&world, Tokens::load(&map).unwrap(), server, |_| ());
    let connect = |certificate| {
        let url = format!("https://localhost:{}", address.port());
        let authorities = Some(certificates.clone());
        Connection::new(ConnectionOptions { url, token: None, authorities, certificate }).unwrap()
    };
    let answers = connect(Some(shown)).infer("digits", &[world.encrypt(&image(1))]).unwrap();
    assert_eq!(answers[0].output, world.expected(&image(1)));
    let refused = connect(None).infer("digits", &[world.encrypt(&image(1))]);
    assert!(matches!(refused, Err(ClientError::Transport { .. })), "{refused:?}");
    // Whoever does not know the certificate is told what to name.
    let url = format!("https://localhost:{}", address.port());
    let unknown =
        Connection::new(ConnectionOptions { url, authorities: Some(shown_ca), ..Default::default() }).unwrap();
    let refused = unknown.infer("digits", &[world.encrypt(&image(1))]);
    assert!(matches!(refused, Err(ClientError::Untrusted { .. })), "{refused:?}");
    let plain = Connection::new(ConnectionOptions { url: "http://example.org".into(), ..Default::default() });
    assert!(matches!(plain, Err(ClientError::Url(_))));
}
