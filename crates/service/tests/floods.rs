//! Many connections, many bodies, many ciphertexts: who floods a server harms himself.

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{World, head, image, infer, infer_body, loopback, predictor, predictor_with, read, receive, send, tls};
use host::Silent;
use qfe::LogTable;
use service::clock;
use service::envelope::Envelope;
use service::hash::Hash;
use service::predictor::PredictorOptions;
use service::run::{self, Addresses, Listen, PredictorPart};
use service::transport::{ServerOptions, Tokens};

const INFER: &str = "/v2/models/digits/infer";

/// A predictor as the command starts it, with a second address for health.
fn started(world: &World, server: ServerOptions) -> Addresses {
    let (tell, told) = std::sync::mpsc::channel();
    let options = PredictorOptions::over(world.models());
    std::thread::spawn(move || {
        let table = Arc::new(LogTable::build(12, &Silent).unwrap());
        let listen = Listen { server, tokens: None, admin: Some("127.0.0.1:0".parse().unwrap()) };
        run::predictor(PredictorPart { listen, options, table }, move |addresses| tell.send(addresses).unwrap())
    });
    told.recv_timeout(Duration::from_secs(30)).unwrap()
}

/// A connection from an address of this machine, with little room for answers.
fn connect(from: &str, to: SocketAddr) -> std::io::Result<TcpStream> {
    let connect = async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4096)?;
        socket.bind(format!("{from}:0").parse().unwrap())?;
        let stream = socket.connect(to).await?.into_std()?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    };
    run::block_on(connect)?
}

fn health(from: &str, to: SocketAddr) -> (u16, Duration) {
    let start = Instant::now();
    let mut stream = connect(from, to).unwrap();
    stream.write_all(head("GET", "/health", &[], b"").as_bytes()).unwrap();
    (receive(stream).status, start.elapsed())
}

/// 512 connections that pipelined and never read stopped `/health` for as long as they liked.
#[test]
fn connections_that_pipeline_and_never_read_are_closed_and_health_answers() {
    let world = World::new();
    let patience = Duration::from_secs(5);
    let server = ServerOptions { connections: 300, per_address: 250, write_patience: patience, ..loopback() };
    let Addresses { main, admin } = started(&world, server);
    let admin = admin.unwrap();
    let pipelined = "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(200);
    let start = Instant::now();
    let mut flood: Vec<TcpStream> = (0..400)
        .map(|_| {
            let mut stream = connect("127.0.0.1", main).unwrap();
            stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
            // Until the server reads no more; those beyond the share of the address are turned away.
            let _ = stream.write_all(pipelined.as_bytes());
            stream
        })
        .collect();
    let (own, others) = (health("127.0.0.1", admin), health("127.0.0.2", main));
    println!("health while {} connections hang: {own:?} of its own, {others:?} at the first address", flood.len());
    for (status, time) in [own, others] {
        assert!(status == 200 && time < Duration::from_secs(1), "{status} after {time:?}");
    }
    let end = Instant::now() + patience + Duration::from_secs(20);
    while !flood.is_empty() {
        // A disconnected client notices when it continues.
        flood.retain_mut(|stream| match stream.write(b"G") {
            Ok(_) => true,
            Err(error) => matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
        });
        assert!(Instant::now() < end, "{} connections are still held", flood.len());
        std::thread::sleep(Duration::from_millis(50));
    }
    println!("all closed after {:?}", start.elapsed());
    assert_eq!(health("127.0.0.1", main).0, 200);
}

/// One address filled every place.
#[test]
fn an_address_with_too_many_connections_hears_so() {
    let world = World::new();
    let server = ServerOptions { per_address: 3, ..loopback() };
    let address = predictor_with(&world, Tokens::none(), server, |_| ());
    let held: Vec<_> = (0..3).map(|_| connect("127.0.0.1", address).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(200));
    let reply = receive(connect("127.0.0.1", address).unwrap());
    assert_eq!((reply.status, reply.headers["retry-after"].as_str()), (503, "5"));
    assert!(reply.problem().contains("too many connections"));
    assert_eq!(health("127.0.0.2", address).0, 200);
    drop(held);
    until(200, || health("127.0.0.1", address).0);
}

/// Asks until the answer has this status: what was given up is noticed a moment later.
fn until(status: u16, ask: impl Fn() -> u16) {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        match ask() {
            got if got == status => return,
            got => assert!(Instant::now() < end, "{got}, not {status}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Of 20 early refusals over TLS, 20 were a TLS error to their client.
#[test]
fn early_refusals_over_tls_reach_clients_that_are_still_sending() {
    let world = World::new();
    let folder = world.folder.path();
    let own = tls::identity(folder, "server", "localhost");
    let tokens = folder.join("tokens.toml");
    let entry = |name: &str, more: &str| {
        let hash = Hash::of_bytes(name.as_bytes());
        format!("[[token]]\nname = \"{name}\"\nsha256 = \"{hash}\"\nscopes = [\"infer\"]\n{more}\n")
    };
    std::fs::write(&tokens, entry("ward", "") + &entry("few", "requests_per_minute = 0")).unwrap();
    let tokens = Tokens::load(&tokens).unwrap();
    let address = predictor_with(&world, tokens, tls::server(&own, &[]), |options| {
        (options.body, options.queue, options.workers) = (64 << 20, 1, 1);
    });
    // More than the buffers of both sockets hold.
    let body = vec![b' '; 24 << 20];
    let ask = |path: &str, headers: &[(&str, &str)]| {
        let mut stream = tls::connect(address, &own, None);
        stream.write_all(head("POST", path, headers, &body).as_bytes()).unwrap();
        stream.write_all(&body).unwrap_or_else(|error| panic!("{path} {headers:?}: {error}"));
        read(stream)
    };
    let (ward, few) = (("authorization", "Bearer ward"), ("authorization", "Bearer few"));
    // A body that does not arrive holds the one place of the queue for a while.
    let hold = || {
        let mut stream = tls::connect(address, &own, None);
        stream.write_all(head("POST", INFER, &[ward, ("content-length", "9")], b"").as_bytes()).unwrap();
        stream.flush().unwrap();
        std::thread::sleep(Duration::from_millis(200));
        stream
    };
    for _ in 0..3 {
        let long = format!("{}", 80usize << 20);
        let cases: [Case; 6] = [
            (401, INFER, &[]),
            (404, "/v2/models/none/infer", &[ward]),
            (413, INFER, &[ward, ("content-length", &long)]),
            (415, INFER, &[ward, ("content-encoding", "br")]),
            (415, INFER, &[ward, ("content-type", "text/plain")]),
            (429, INFER, &[few]),
        ];
        for (status, path, headers) in cases {
            let reply = ask(path, headers);
            assert_eq!((reply.status, reply.headers["connection"].as_str()), (status, "close"), "{reply:?}");
            assert!(!reply.problem().is_empty());
        }
        let held = hold();
        let busy = ask(INFER, &[ward]);
        assert_eq!((busy.status, busy.headers["connection"].as_str()), (503, "close"), "{busy:?}");
        assert!(busy.headers.contains_key("retry-after"));
        drop(held);
        // A body that is no request at all, where the place is free again.
        until(400, || ask(INFER, &[ward]).status);
    }
    // A request that was read to its end leaves the connection open.
    let mut stream = tls::connect(address, &own, None);
    for _ in 0..2 {
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        let mut start = [0; 15];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 200 OK");
        let mut rest = vec![0; 4096];
        let _ = stream.read(&mut rest).unwrap();
    }
}

/// Status, path and headers of a request that is refused.
type Case<'a> = (u16, &'a str, &'a [(&'a str, &'a str)]);

/// An envelope whose ciphertext has a head and nothing after it.
fn sealed(world: &World, nonce: u8, body: Vec<u8>) -> Vec<u8> {
    let envelope = Envelope {
        suite: qfe::SUITE,
        public_key: world.public_key(),
        nonce: [nonce; 16],
        sent: clock::now(),
        destination: None,
        context: String::new(),
        body,
        signer: None,
    };
    envelope.seal(None).unwrap()
}

/// 262,144 stubs filled the table of envelopes; and who was turned away could not come again.
#[test]
fn envelopes_that_were_not_evaluated_are_not_remembered() {
    let world = World::new();
    let address = predictor(&world, |options| (options.queue, options.workers) = (1, 1));
    let mut stub = world.encrypt(&image(1));
    stub.truncate(200);
    let stub = sealed(&world, 1, stub);
    for _ in 0..2 {
        let reply = infer(address, "digits", std::slice::from_ref(&stub));
        assert_eq!(reply.status, 400, "{reply:?}");
    }
    let good = sealed(&world, 2, world.encrypt(&image(1)));
    let held = hold(address, &[]);
    assert_eq!(infer(address, "digits", std::slice::from_ref(&good)).status, 503);
    drop(held);
    until(200, || infer(address, "digits", std::slice::from_ref(&good)).status);
    assert_eq!(infer(address, "digits", std::slice::from_ref(&good)).status, 409);
}

/// A request whose body does not come.
fn hold(address: SocketAddr, headers: &[(&str, &str)]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let headers = [&[("content-length", "900000")][..], headers].concat();
    stream.write_all((head("POST", INFER, &headers, b"") + "{").as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    stream
}

/// Eight sockets that announced 32 MiB and sent nothing held the memory for bodies.
#[test]
fn announced_bodies_hold_no_memory() {
    let world = World::new();
    let address = predictor(&world, |options| {
        (options.body, options.memory, options.items) = (1 << 20, 1 << 20, 4);
    });
    let held: Vec<_> = (0..8).map(|_| hold(address, &[])).collect();
    let reply = infer(address, "digits", &[world.encrypt(&image(1))]);
    assert_eq!(reply.status, 200, "{reply:?}");
    drop(held);
}

/// Bodies were read, parsed and inspected before the queue said 503.
#[test]
fn a_full_queue_refuses_before_the_body_comes_and_keeps_no_room_for_one_that_does_not() {
    let world = World::new();
    let address = predictor(&world, |options| (options.queue, options.workers) = (1, 1));
    let held = hold(address, &[]);
    let start = Instant::now();
    let reply = receive(hold(address, &[]));
    assert_eq!((reply.status, reply.headers["connection"].as_str()), (503, "close"), "{reply:?}");
    // The patience with bodies is 30 seconds.
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    // The first body still does not come: its place is given to another.
    until(200, || infer(address, "digits", &[world.encrypt(&image(1))]).status);
    drop(held);
}

/// Every refusal cost a caller its connection, and each retry a new one.
#[test]
fn a_refused_caller_whose_body_is_short_keeps_its_connection() {
    let world = World::new();
    let address = predictor(&world, |options| (options.queue, options.workers) = (1, 1));
    let held = hold(address, &[]);
    let ask = |stream: &mut TcpStream, headers: &[(&str, &str)], body: &[u8]| {
        let headers = [&[("connection", "keep-alive")][..], headers].concat();
        stream.write_all(head("POST", INFER, &headers, body).as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let (mut reply, mut bytes) = (String::new(), [0; 4096]);
        // Problems are JSON objects.
        while !reply.ends_with('}') {
            let count = stream.read(&mut bytes).unwrap();
            assert!(count > 0, "{reply}");
            reply += &String::from_utf8_lossy(&bytes[..count]).to_ascii_lowercase();
        }
        reply
    };
    let body = vec![b' '; 70 << 10];
    // On a busy machine a body may come too late.
    let kept = (0..10).any(|_| {
        let mut stream = TcpStream::connect(address).unwrap();
        (0..3).all(|_| {
            let reply = ask(&mut stream, &[], &body);
            assert!(reply.starts_with("http/1.1 503"), "{reply}");
            !reply.contains("connection: close")
        })
    });
    assert!(kept);
    // Who waits to be told to send is told that he need not.
    let mut stream = TcpStream::connect(address).unwrap();
    let reply = ask(&mut stream, &[("expect", "100-continue"), ("content-length", "9")], b"");
    assert!(reply.starts_with("http/1.1 503") && reply.contains("connection: close"), "{reply}");
    drop(held);
}

/// One token could fill the queue.
#[test]
fn one_caller_fills_its_share_of_the_queue_and_no_more() {
    let world = World::new();
    let path = world.folder.path().join("tokens.toml");
    let entry = |name: &str| {
        let hash = Hash::of_bytes(name.as_bytes());
        format!("[[token]]\nname = \"{name}\"\nsha256 = \"{hash}\"\nscopes = [\"infer\"]\n")
    };
    std::fs::write(&path, entry("greedy") + &entry("modest")).unwrap();
    let address = predictor_with(&world, Tokens::load(&path).unwrap(), loopback(), |options| {
        (options.queue, options.share) = (4, 2);
    });
    let (body, length) = infer_body(&[world.encrypt(&image(1))]);
    let ask = |token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("inference-header-content-length", &length)];
        send(address, "POST", INFER, &headers, &body)
    };
    let greedy = [("authorization", "Bearer greedy")];
    let held: Vec<_> = (0..2).map(|_| hold(address, &greedy)).collect();
    let reply = ask("greedy");
    assert_eq!((reply.status, reply.headers.contains_key("retry-after")), (429, true), "{reply:?}");
    assert_eq!(ask("modest").status, 200);
    drop(held);
}

/// One caller whose bodies come and do not end held the memory for all.
#[test]
fn one_caller_fills_its_share_of_the_memory_for_bodies_and_no_more() {
    let world = World::new();
    let path = world.folder.path().join("tokens.toml");
    let entry = |name: &str| {
        let hash = Hash::of_bytes(name.as_bytes());
        format!("[[token]]\nname = \"{name}\"\nsha256 = \"{hash}\"\nscopes = [\"infer\"]\n")
    };
    std::fs::write(&path, entry("greedy") + &entry("modest")).unwrap();
    let address = predictor_with(&world, Tokens::load(&path).unwrap(), loopback(), |options| {
        (options.body, options.memory, options.items) = (256 << 10, 1 << 20, 4);
    });
    let (body, length) = infer_body(&[world.encrypt(&image(1))]);
    let ask = |token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("inference-header-content-length", &length)];
        send(address, "POST", INFER, &headers, &body)
    };
    // All but the last byte of two bodies: half of the memory, less two bytes.
    let long = vec![b' '; 256 << 10];
    let announced = long.len().to_string();
    let hold = || {
        let mut stream = TcpStream::connect(address).unwrap();
        let headers = [("authorization", "Bearer greedy"), ("content-length", announced.as_str())];
        stream.write_all(head("POST", INFER, &headers, b"").as_bytes()).unwrap();
        // Who is turned away may hear so before all is sent.
        let _ = stream.write_all(&long[1..]);
        stream
    };
    // They arrive at any time, and one that arrives together with the question is refused instead of it.
    let mut held = Vec::new();
    let mut asked = (0..40).map(|_| {
        held.push(hold());
        std::thread::sleep(Duration::from_millis(200));
        ask("greedy")
    });
    let refused = asked.find(|reply| reply.status != 200).expect("a refusal");
    assert_eq!((refused.status, refused.headers.contains_key("retry-after")), (429, true), "{refused:?}");
    assert!(refused.problem().contains("memory for bodies"), "{refused:?}");
    assert_eq!(ask("modest").status, 200);
    drop(held);
}
