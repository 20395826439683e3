//! kill -9 at any moment: no entry that was acknowledged is lost, the chain holds, no key is without its entry, and a
//! predictor comes back with right answers.

mod common;

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{World, identity, image, issuer, loopback};
use roles::keyfile::Unlock;
use service::authority::{Issuer, KeyRequest};
use service::hash::Hash;
use service::ledger::{Event, KeyFile, Ledger};
use service::owner::{Connection, ConnectionOptions};
use service::predictor::{PredictorOptions, PredictorServer, router};
use service::transport::{Server, Tokens};

const FOLDER: &str = "HALFLIGHT_TEST_FOLDER";
const ROUNDS: u64 = 12;

/// One of the endless tests below, in a process of its own.
fn start(test: &str, folder: &Path) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

/// The place and hash that a line reports after `word`; none where the kill cut it.
fn report(line: &str, word: &str) -> Option<(i64, String)> {
    let (sequence, hash) = line.strip_prefix(word)?.trim_start().split_once(' ')?;
    (hash.len() == 64).then(|| (sequence.parse().unwrap(), hash.to_owned()))
}

async fn open(folder: &Path) -> Ledger {
    let url = format!("sqlite:{}", folder.join("ledger.sqlite").display());
    let key = KeyFile::open(folder, vec![]).unwrap();
    let ledger = Ledger::open(&url, folder.join("ledger.head"), key.signers()).await.unwrap();
    key.keep().unwrap();
    ledger
}

/// What the killed process does: appends without end, and says what is on the disk.
#[test]
#[ignore = "run by the test below in a process of its own"]
fn append_for_ever() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    service::run::block_on(async {
        let ledger = open(Path::new(&folder)).await;
        loop {
            let mut writing = ledger.begin().await.unwrap();
            let event = Event::Rotated {
                project: "p".into(),
                epoch: 1,
                public_key: Hash([1; 32]),
                reason: "x".repeat(3000),
                by: "test".into(),
            };
            let entry = writing.append(&event).await.unwrap();
            writing.commit().await.unwrap();
            println!("entry {} {}", entry.sequence, entry.hash);
        }
    })
    .unwrap()
}

#[test]
fn nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<(i64, String)> = Vec::new();
    for round in 0..ROUNDS {
        let (mut child, mut lines) = start("append_for_ever", folder.path());
        // Some rounds end before the first entry, most in the middle of one.
        let first = if round % 4 == 3 { None } else { lines.find(|line| line.as_ref().unwrap().starts_with("entry")) };
        std::thread::sleep(Duration::from_millis(7 * (round * 5 % 11)));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in first.into_iter().chain(lines) {
            acknowledged.extend(report(&line.unwrap(), "entry"));
        }
        let entries = service::run::block_on(async {
            let ledger = open(folder.path()).await;
            ledger.verify().await.unwrap();
            ledger.after(0).await.unwrap()
        })
        .unwrap();
        for (sequence, hash) in &acknowledged {
            assert_eq!(entries[*sequence as usize - 1].hash.to_string(), *hash);
        }
    }
    // Three rounds in four wait for an entry before they kill.
    assert!(acknowledged.len() as u64 >= ROUNDS / 4 * 3, "{}", acknowledged.len());
}

/// What the killed authority does: rotates and issues without end, and says which grants it handed out.
#[test]
#[ignore = "run by the test below in a process of its own"]
fn issue_for_ever() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let identity = std::fs::read_to_string(folder.join("identity")).unwrap();
    let (authority, network) = issuer(folder, &identity);
    service::run::block_on(async {
        loop {
            let request = KeyRequest { project: "p", network, holder: "h", approvals: &[], by: "test" };
            let issued = authority.issue(&request).await.unwrap();
            println!("grant {} {}", issued.grant.sequence, issued.grant.entry);
            authority.rotate("p", "again", "test").await.unwrap();
        }
    })
    .unwrap()
}

#[test]
fn no_key_is_without_its_entry() {
    let folder = tempfile::tempdir().unwrap();
    let identity = identity();
    std::fs::write(folder.path().join("identity"), &identity).unwrap();
    let mut granted = Vec::new();
    for round in 0..ROUNDS {
        let (mut child, mut lines) = start("issue_for_ever", folder.path());
        let first = if round % 4 == 3 { None } else { lines.find(|line| line.as_ref().unwrap().starts_with("grant")) };
        std::thread::sleep(Duration::from_millis(5 * (round * 7 % 13)));
        child.kill().unwrap();
        child.wait().unwrap();
        granted.extend(first.into_iter().chain(lines).filter_map(|line| report(&line.unwrap(), "grant")));
        let entries = service::run::block_on(async {
            let home = folder.path().join("home");
            if !home.join("ledger.sqlite").exists() {
                return Vec::new();
            }
            // Opening unlocks every master key in use: none was lost or cut.
            let authority = Issuer::open(&home, None, Unlock::identity(&identity).unwrap()).await.unwrap();
            authority.ledger().verify().await.unwrap();
            authority.ledger().after(0).await.unwrap()
        })
        .unwrap();
        for (sequence, hash) in &granted {
            let entry = &entries[*sequence as usize - 1];
            assert_eq!(entry.hash.to_string(), *hash);
            assert!(entry.text.contains("key-issued"), "{}", entry.text);
        }
    }
    assert!(granted.len() as u64 >= ROUNDS / 4 * 3, "{}", granted.len());
}

/// What the killed predictor does.
#[test]
#[ignore = "run by the test below in a process of its own"]
fn predict_for_ever() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let hidden = host::Silent;
    let table = std::sync::Arc::new(qfe::LogTable::build(12, &hidden).unwrap());
    service::run::block_on(async {
        let server = Server::bind(loopback()).await.unwrap();
        let options = PredictorOptions::over(Path::new(&folder).to_owned());
        let predictor = PredictorServer::start(options, Tokens::none(), table).unwrap();
        println!("at http://{}", server.address());
        server.run(router(predictor), std::future::pending()).await;
    })
    .unwrap()
}

#[test]
fn a_killed_predictor_comes_back_with_right_answers() {
    let world = World::new();
    let items: Vec<_> = (0..4).map(|seed| (world.encrypt(&image(seed)), world.expected(&image(seed)))).collect();
    let answered = AtomicUsize::new(0);
    for round in 0..ROUNDS / 2 {
        let (mut child, mut lines) = start("predict_for_ever", &world.models());
        let url = lines.find_map(|line| line.unwrap().strip_prefix("at ").map(str::to_owned)).unwrap();
        let connect =
            || Connection::new(ConnectionOptions { url: url.clone(), ..ConnectionOptions::default() }).unwrap();
        let (ciphertext, expected) = &items[0];
        assert_eq!(connect().infer("digits", std::slice::from_ref(ciphertext)).unwrap()[0].output, *expected);
        std::thread::scope(|scope| {
            for (ciphertext, expected) in &items {
                let (connection, answered) = (connect(), &answered);
                scope.spawn(move || {
                    // Until the kill breaks the connection.
                    while let Ok(answer) = connection.infer("digits", std::slice::from_ref(ciphertext)) {
                        assert_eq!(answer[0].output, *expected);
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(20 + 11 * round));
            child.kill().unwrap();
            child.wait().unwrap();
        });
    }
    assert!(answered.into_inner() > 0);
}
