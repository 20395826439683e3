//! kill -9 at any moment: no entry that was acknowledged is lost, and the chain holds.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use service::hash::Hash;
use service::ledger::{Event, Ledger};

const FOLDER: &str = "HALFLIGHT_TEST_LEDGER";
const ROUNDS: u64 = 12;

async fn open(folder: &Path) -> Ledger {
    let url = format!("sqlite:{}", folder.join("ledger.sqlite").display());
    Ledger::open(&url, folder.join("ledger.head")).await.unwrap()
}

/// What the killed process does: appends for ever, and says what is on the disk.
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
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["append_for_ever", "--exact", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Some rounds end before the first entry, most in the middle of one.
        let first = if round % 4 == 3 { None } else { lines.find(|line| line.as_ref().unwrap().starts_with("entry")) };
        std::thread::sleep(Duration::from_millis(7 * (round * 5 % 11)));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in first.into_iter().chain(lines) {
            let line = line.unwrap();
            // The last line may be cut in the middle.
            let Some((sequence, hash)) = line.strip_prefix("entry ").and_then(|rest| rest.split_once(' ')) else {
                continue;
            };
            if hash.len() == 64 {
                acknowledged.push((sequence.parse().unwrap(), hash.to_owned()));
            }
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
