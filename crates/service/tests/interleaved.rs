//! Writers of one ledger that go away at any step, while others write and readers look: no entry that was acknowledged
//! is lost, and the head is the last entry whenever somebody holds the turn.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use service::hash::Hash;
use service::ledger::{Event, Head, KeyFile, Ledger, LedgerError};
use tempfile::TempDir;

async fn open(folder: &TempDir) -> Ledger {
    let key = KeyFile::open(folder.path(), vec![]).unwrap();
    let url = format!("sqlite:{}", folder.path().join("ledger.sqlite").display());
    let ledger = Ledger::open(&url, folder.path().join("ledger.head"), key.signers()).await.unwrap();
    key.keep().unwrap();
    ledger
}

fn event(number: u32) -> Event {
    let public_key = Hash([number as u8; 32]);
    Event::Rotated { project: "p".into(), epoch: number, public_key, reason: "due".into(), by: "anna".into() }
}

/// Begins, appends, commits: the head that it was told.
async fn write(ledger: &Ledger, number: u32) -> Result<Head, LedgerError> {
    let mut writing = ledger.begin().await?;
    writing.append(&event(number)).await?;
    writing.commit().await
}

/// What a future gives if it is done after so many steps; else it is dropped where it stands.
async fn after_steps<F: Future>(future: F, mut steps: usize) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if steps == 0 => Poll::Ready(None),
        Poll::Pending => {
            steps -= 1;
            Poll::Pending
        }
    })
    .await
}

/// With the turn: the head file names the last entry, and every acknowledged entry is there.
async fn check(folder: &TempDir, ledger: &Ledger, acknowledged: &[Head]) {
    let mut writing = ledger.begin().await.unwrap();
    let text = std::fs::read_to_string(folder.path().join("ledger.head")).unwrap_or_default();
    let head = if text.is_empty() { Head::EMPTY } else { Head::parse_copy(&text).unwrap() };
    assert_eq!(head, writing.last());
    let entries = writing.after(0).await.unwrap();
    for known in acknowledged {
        assert_eq!(entries[known.sequence as usize - 1].hash, known.hash, "an acknowledged entry is lost");
    }
}

/// One writer that goes away after every possible number of steps.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_goes_away_at_any_step_leaves_a_ledger_that_holds() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&folder).await;
    let (mut acknowledged, mut finished) = (Vec::new(), 0);
    for steps in 0.. {
        if let Some(head) = after_steps(write(&ledger, steps as u32), steps).await {
            acknowledged.push(head.unwrap());
            finished += 1;
        }
        check(&folder, &ledger, &acknowledged).await;
        // How many steps it takes differs from time to time.
        if finished == 8 {
            break;
        }
    }
    ledger.verify().await.unwrap();
}

/// Two handles, as two processes have, in random orders; each seed is one. `HALFLIGHT_INTERLEAVINGS` says how many.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_random_interleavings_the_head_is_the_last_entry_and_nothing_acknowledged_is_lost() {
    let seeds = std::env::var("HALFLIGHT_INTERLEAVINGS");
    let seeds: u64 = seeds.map_or(12, |text| text.parse().expect("HALFLIGHT_INTERLEAVINGS is a number"));
    for seed in 0..seeds {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let ledgers = [Arc::new(open(&folder).await), Arc::new(open(&folder).await)];
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = (0..8u32)
            .map(|task| {
                let ledger = Arc::clone(&ledgers[task as usize % 2]);
                let acknowledged = Arc::clone(&acknowledged);
                tokio::spawn(async move {
                    let mut random = ChaCha8Rng::seed_from_u64(100 * seed + u64::from(task));
                    for number in 0..4 {
                        match random.random_range(0..4) {
                            0 => ledger.remember().await.unwrap(),
                            1 => drop(after_steps(write(&ledger, number), random.random_range(0..40)).await),
                            2 => drop(ledger.verify().await.unwrap()),
                            _ => {
                                let head = write(&ledger, number).await.unwrap();
                                acknowledged.lock().unwrap().push(head);
                            }
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
        for ledger in &ledgers {
            check(&folder, ledger, &acknowledged).await;
            ledger.verify().await.unwrap();
        }
    }
}
