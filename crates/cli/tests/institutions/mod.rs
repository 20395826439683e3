//! Institutions that hold one key together: their files in one folder, the real command for all that they do.

#![allow(dead_code)] // each test program uses its own part

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use encoder::Encoder;
use model::{CompiledNetwork, Origin, Parts, PublicHead};
use qfe::QuadraticMap;
use serde_json::Value;

use crate::workshop::{Served, Workshop};

/// Servers by number, from 1: `s1.key`, `s1.identity`, tokens, and a folder of networks.
pub struct Institutions {
    pub shop: Workshop,
    pub count: usize,
    cards: Vec<String>,
}

/// A network of two outputs over two pixels; another `weight` is another network.
pub fn network(weight: i32) -> CompiledNetwork {
    CompiledNetwork::new(Parts {
        encoder: Encoder::pixels(1, 2, 8).unwrap(),
        map: QuadraticMap::new(3, 3, 2, 2, vec![0, 1, 0, 0, 1, 1], vec![0, 0, 1, weight, 0, 0], vec![1, 0, 0, 1])
            .unwrap(),
        squares: false,
        head: PublicHead::Largest,
        main: "kind".into(),
        classes: vec!["product".into(), "sum".into()],
        origin: Origin::Imported { file: "by hand".into() },
    })
    .unwrap()
}

impl Institutions {
    /// So many, with their keys and identities; `good.safetensors` and `evil.safetensors` are networks.
    pub fn new(count: usize) -> Self {
        let shop = Workshop::empty();
        network(255).save(&shop.path("good.safetensors")).unwrap();
        network(7).save(&shop.path("evil.safetensors")).unwrap();
        let card = |server: usize| {
            let public = |flags: &str, file: &str| {
                let made = shop.json(&format!("keygen {flags} --out s{server}.{file}"));
                made["public"].as_str().unwrap().to_owned()
            };
            format!("s{server}={},{}", public("", "key"), public("--identity", "identity"))
        };
        let cards = (1..=count).map(card).collect();
        let entry = shop.works("keygen --token combiner --scopes issue,ledger --out combiner.token");
        fs::write(shop.path("tokens.toml"), entry).unwrap();
        Self { shop, count, cards }
    }

    /// The flags that name all servers.
    pub fn cards(&self) -> String {
        self.cards.iter().map(|card| format!("--server {card} ")).collect()
    }

    /// The flags that name them as holders.
    pub fn holders(&self) -> String {
        self.cards.iter().map(|card| format!("--holder {card} ")).collect()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.shop.path(name)
    }

    /// The command by which a server joins; what it prints goes to `NAME.out` and `NAME.err`.
    pub fn join(&self, server: usize, ceremony: &str, home: &str, flags: &str) -> Child {
        let arguments = format!(
            "authority ceremony join --ceremony {ceremony} --key s{server}.key --identity s{server}.identity \
             --home {home} --json {flags}"
        );
        let file = |kind: &str| fs::File::create(self.path(&format!("{home}.{kind}"))).unwrap();
        Command::new(env!("CARGO_BIN_EXE_halflight"))
            .args(arguments.split_whitespace())
            .current_dir(self.path("."))
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap()
    }

    /// What a server's join said.
    pub fn said(&self, home: &str) -> (Option<Value>, String) {
        let read = |kind: &str| fs::read_to_string(self.path(&format!("{home}.{kind}"))).unwrap_or_default();
        (serde_json::from_str(&read("out")).ok(), read("err"))
    }

    /// All servers join at once and end.
    pub fn all_join(&self, ceremony: &str, homes: &str, flags: impl Fn(usize) -> String) {
        let servers = 1..=self.count;
        let home = |server: usize| format!("{homes}{server}");
        let running: Vec<_> =
            servers.map(|server| (server, self.join(server, ceremony, &home(server), &flags(server)))).collect();
        for (server, mut child) in running {
            let status = wait(&mut child, Duration::from_secs(60));
            assert!(status == Some(true), "server {server}: {:?}", self.said(&home(server)));
        }
    }

    /// A server as a process; more flags for TLS.
    pub fn serve(&self, folder: &str, server: usize, flags: &str) -> Served {
        self.shop.serve(
            &format!(
                "serve authority --share --folder {folder} --identity s{server}.identity --tokens tokens.toml \
                 --listen 127.0.0.1:0 {flags}"
            ),
            "authority at ",
        )
    }

    /// The command that collects a key.
    pub fn issue(&self, served: &[(String, String)], flags: &str) -> std::process::Output {
        let servers: Vec<_> = served.iter().map(|(name, url)| format!("{name}={url}")).collect();
        self.shop
            .run(&format!("authority issue --servers {} --token-file combiner.token --json {flags}", servers.join(",")))
    }
}

/// Whether a process ended well; none where it did not end in time, and was ended.
pub fn wait(child: &mut Child, time: Duration) -> Option<bool> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.success());
        }
        if begun.elapsed() > time {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
