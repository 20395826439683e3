//! Ledger keys that end: what they signed holds, and nothing that they sign later.

mod common;

use std::path::Path;

use common::{identity, issuer};
use roles::keyfile::Unlock;
use service::authority::{AuthorityError, Issuer, KeyRequest, open_ledger, read_ledger, rotate_ledger_key};
use service::ledger::{Checkpoint, Entry, Event, KeyFile, Ledger, LedgerError, Signers, Witness, WitnessError};
use service::signature::{SigningKey, VerifyingKey};

fn event(number: u32) -> Event {
    let public_key = service::hash::Hash([number as u8; 32]);
    Event::Rotated { project: "p".into(), epoch: number, public_key, reason: "due".into(), by: "anna".into() }
}

async fn write(ledger: &Ledger, number: u32) -> Result<(), LedgerError> {
    let mut writing = ledger.begin().await?;
    writing.append(&event(number)).await?;
    writing.commit().await.map(drop)
}

fn key(folder: &Path) -> SigningKey {
    SigningKey::load(&folder.join("ledger.key")).unwrap()
}

async fn entries(folder: &Path, keys: &[VerifyingKey]) -> Result<Vec<Entry>, LedgerError> {
    let reader = read_ledger(folder, None, keys.to_vec()).await.unwrap();
    let entries = reader.entries().await;
    reader.close().await;
    entries
}

fn broken<T: std::fmt::Debug>(result: Result<T, LedgerError>, word: &str) {
    match result {
        Err(LedgerError::Broken { problem, .. }) if problem.contains(word) => {}
        other => panic!("{word}: {other:?}"),
    }
}

/// Three entries, of which `before` is a copy, the retirement and one more; the folder and the old key.
async fn rotated() -> (tempfile::TempDir, SigningKey) {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let ledger = open_ledger(home, None).await.unwrap();
    for number in 1..=3 {
        write(&ledger, number).await.unwrap();
    }
    ledger.close().await;
    std::fs::create_dir(home.join("before")).unwrap();
    for name in ["ledger.sqlite", "ledger.head"] {
        std::fs::copy(home.join(name), home.join("before").join(name)).unwrap();
    }
    let old = key(home);
    let (new, head) = rotate_ledger_key(home, None, "anna").await.unwrap();
    assert_eq!((head.sequence, &new), (4, &key(home).verifying_key()));
    assert_ne!(new, old.verifying_key());
    let ledger = open_ledger(home, None).await.unwrap();
    write(&ledger, 5).await.unwrap();
    assert_eq!(ledger.verify().await.unwrap().sequence, 5);
    ledger.close().await;
    (folder, old)
}

/// Whoever knows one of the keys follows to or from the other.
#[tokio::test]
async fn a_rotated_ledger_holds_for_the_old_key_and_the_new() {
    let (folder, old) = rotated().await;
    let home = folder.path();
    let (old, new) = (old.verifying_key(), key(home).verifying_key());
    let both = [old.clone(), new];
    for keys in [&both[..0], &both[..1], &both[1..], &both[..]] {
        let read = entries(home, keys).await.unwrap();
        assert_eq!((read.len(), read[3].signature.as_ref().unwrap().key == old), (5, true));
        assert!(read[3].text.contains("ledger-key-retired") && read[3].text.contains("anna"));
    }
    let stranger = SigningKey::generate().unwrap().verifying_key();
    broken(entries(home, &[stranger]).await, "neither this authority's");
    // Twice: the chain of keys is followed over each.
    rotate_ledger_key(home, None, "anna").await.unwrap();
    for keys in [&[][..], &[old], &[key(home).verifying_key()]] {
        assert_eq!(entries(home, keys).await.unwrap().len(), 6);
    }
}

/// With the old key, which somebody has: it signed without end.
#[tokio::test]
async fn what_a_retired_key_signs_is_refused() {
    let (folder, old) = rotated().await;
    let home = folder.path();
    let url = format!("sqlite:{}", home.join("ledger.sqlite").display());
    // By the rules: the program itself refuses.
    let pair = || Signers::new(SigningKey::load(&home.join("old.key")).unwrap(), vec![key(home).verifying_key()]);
    old.save_new(&home.join("old.key")).unwrap();
    let ledger = Ledger::open(&url, home.join("ledger.head"), pair()).await.unwrap();
    let refused = write(&ledger, 6).await;
    assert!(matches!(&refused, Err(LedgerError::Retired { sequence: 4, key }) if *key == old.verifying_key()));
    ledger.close().await;
    // Past the program: an entry that fits and that the old key signed, as a ledger without the retirement has it.
    let other = tempfile::tempdir().unwrap();
    for name in ["ledger.sqlite", "ledger.head"] {
        std::fs::copy(home.join(name), other.path().join(name)).unwrap();
    }
    forge(&other.path().join("ledger.sqlite"), &old).await;
    for keys in [vec![old.verifying_key()], vec![key(home).verifying_key()], vec![]] {
        std::fs::copy(home.join("ledger.key"), other.path().join("ledger.key")).unwrap();
        broken(entries(other.path(), &keys).await, "was retired with entry 4");
    }
    let ledger = open_ledger(other.path(), None).await.unwrap();
    broken(ledger.verify().await, "was retired with entry 4");
    broken(write(&ledger, 7).await, "was retired with entry 4");
}

/// Appends an entry after the last that `key` signed.
async fn forge(database: &Path, key: &SigningKey) {
    use sqlx::{Connection, Row};
    let mut connection =
        sqlx::sqlite::SqliteConnection::connect(&format!("sqlite://{}", database.display())).await.unwrap();
    let last = sqlx::query("SELECT sequence, hash FROM ledger ORDER BY sequence DESC LIMIT 1");
    let last = last.fetch_one(&mut connection).await.unwrap();
    let (sequence, previous): (i64, String) = (last.get::<i64, _>(0) + 1, last.get(1));
    let text = event(9).text();
    let parent: service::hash::Hash = previous.parse().unwrap();
    let parts: [&[u8]; 4] = [&sequence.to_be_bytes(), &7i64.to_be_bytes(), text.as_bytes(), &parent.0];
    let hash = service::hash::Hash::of("halflight ledger entry v1", &parts);
    let signed = key.sign("halflight ledger entry signature v1", &[&hash.0]);
    let digits: String = signed.iter().map(|byte| format!("{byte:02x}")).collect();
    sqlx::query("INSERT INTO ledger (sequence, at, event, previous, hash, signature) VALUES (?, 7, ?, ?, ?, ?)")
        .bind(sequence)
        .bind(text)
        .bind(previous)
        .bind(hash.to_string())
        .bind(format!("{}/{digits}", key.verifying_key()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// A retirement that one of the two keys did not sign would hand the ledger to whoever writes to the database.
#[tokio::test]
async fn a_retirement_counts_for_its_place_and_by_both_keys() {
    let (folder, old) = rotated().await;
    let home = folder.path();
    let retirement = entries(home, &[]).await.unwrap()[3].text.clone();
    let new = key(home).verifying_key().to_string();
    let stranger = SigningKey::generate().unwrap().verifying_key().to_string();
    let accepted = "\"accepted\":\"";
    let place = retirement.find(accepted).unwrap() + accepted.len();
    let mut forged = retirement.clone();
    forged.replace_range(place..place + 2, if &forged[place..place + 2] == "00" { "01" } else { "00" });
    let cases = [
        (retirement.clone(), 3, true),
        (retirement.replace(&new, &stranger), 3, false),
        (forged, 3, false),
        // Of another ledger, or another place.
        (retirement, 0, false),
    ];
    for (text, entries, holds) in cases {
        let other = tempfile::tempdir().unwrap();
        if entries == 3 {
            for name in ["ledger.sqlite", "ledger.head"] {
                std::fs::copy(home.join("before").join(name), other.path().join(name)).unwrap();
            }
        }
        old.save_new(&other.path().join("ledger.key")).unwrap();
        let ledger = open_ledger(other.path(), None).await.unwrap();
        let mut writing = ledger.begin().await.unwrap();
        writing.append(&serde_json::from_str::<Event>(&text).unwrap()).await.unwrap();
        writing.commit().await.unwrap();
        match holds {
            true => assert_eq!(ledger.verify().await.unwrap().sequence, 4),
            false => broken(ledger.verify().await, "did not sign that"),
        }
    }
}

/// Between the entry and the file of the new key.
#[tokio::test]
async fn a_rotation_that_a_crash_broke_off_is_ended_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    open_ledger(home, None).await.unwrap().close().await;
    let old = key(home).verifying_key();
    let file = KeyFile::open(home, vec![]).unwrap().with_next().unwrap();
    let url = format!("sqlite:{}", home.join("ledger.sqlite").display());
    let head = home.join("ledger.head");
    let before = std::fs::read(&head).unwrap();
    let ledger = Ledger::open(&url, head.clone(), file.signers()).await.unwrap();
    let (new, _) = ledger.begin().await.unwrap().retire_key("anna").await.unwrap();
    ledger.close().await;
    drop(file);
    // The head was not written either.
    std::fs::write(head, before).unwrap();
    assert_eq!(key(home).verifying_key(), old);
    let ledger = open_ledger(home, None).await.unwrap();
    assert_eq!(key(home).verifying_key(), new);
    write(&ledger, 2).await.unwrap();
    assert_eq!(ledger.verify().await.unwrap().sequence, 2);
}

#[tokio::test]
async fn a_witness_follows_to_the_new_key_and_takes_no_head_of_the_old() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let ledger = open_ledger(home, None).await.unwrap();
    write(&ledger, 1).await.unwrap();
    let old = key(home);
    let witness = |log: VerifyingKey| {
        Witness::new("north", SigningKey::generate().unwrap(), log, home.join("north.state")).unwrap()
    };
    let north = witness(old.verifying_key());
    north.cosign(&ledger.handover(0).await.unwrap(), true).unwrap();
    // A ledger that was never rotated, from here.
    let fork = tempfile::tempdir().unwrap();
    ledger.close().await;
    for name in ["ledger.sqlite", "ledger.head", "ledger.key"] {
        std::fs::copy(home.join(name), fork.path().join(name)).unwrap();
    }
    let (new, head) = rotate_ledger_key(home, None, "anna").await.unwrap();
    let ledger = open_ledger(home, None).await.unwrap();
    write(&ledger, 3).await.unwrap();
    let handover = ledger.handover(1).await.unwrap();
    assert_eq!(north.cosign(&handover, false).unwrap().0.sequence, head.sequence + 1);
    write(&ledger, 4).await.unwrap();
    assert_eq!(north.cosign(&ledger.handover(3).await.unwrap(), false).unwrap().0.sequence, 4);
    // One that was given the new key in the meantime continues with the same state; a stranger's key does not count.
    witness(new).cosign(&ledger.handover(4).await.unwrap(), false).unwrap();
    let stranger = witness(SigningKey::generate().unwrap().verifying_key());
    assert!(matches!(stranger.cosign(&handover, false), Err(WitnessError::State { .. })));
    let forked = open_ledger(fork.path(), None).await.unwrap();
    for number in 2..=5 {
        write(&forked, number).await.unwrap();
    }
    assert!(north.cosign(&forked.handover(1).await.unwrap(), false).is_err());
}

/// A server that runs while its folder's key is rotated stops to write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_that_runs_with_a_retired_key_issues_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let unlock = identity();
    let (path, secret) = (folder.path().to_owned(), unlock.clone());
    let (authority, network) = tokio::task::spawn_blocking(move || issuer(&path, &secret)).await.unwrap();
    let home = folder.path().join("home");
    let request = KeyRequest { project: "p", network, holder: "h", approvals: &[], by: "test" };
    authority.issue(&request).await.unwrap();
    rotate_ledger_key(&home, None, "anna").await.unwrap();
    match authority.issue(&KeyRequest { holder: "other", ..request.clone() }).await {
        Err(AuthorityError::Ledger(LedgerError::Retired { .. })) => {}
        other => panic!("{:?}", other.map(|_| "issued")),
    }
    authority.close().await;
    let authority = Issuer::open(&home, None, Unlock::identity(&unlock).unwrap()).await.unwrap();
    authority.issue(&KeyRequest { holder: "other", ..request }).await.unwrap();
}

/// The database without its last entry, with a matching head: a holder of the old key can write one.
#[tokio::test]
async fn a_head_that_a_retired_key_signed_after_its_end_is_refused() {
    let (folder, old) = rotated().await;
    let home = folder.path();
    let last = entries(home, &[]).await.unwrap()[4].head();
    let checkpoint = Checkpoint { origin: Checkpoint::origin_of(&old.verifying_key()), head: last };
    let forged = |key: &SigningKey| {
        let mut note = checkpoint.note();
        note.sign(&checkpoint.origin, key);
        std::fs::write(home.join("ledger.head"), note.to_text()).unwrap();
    };
    forged(&old);
    for keys in [vec![old.verifying_key()], vec![key(home).verifying_key()], vec![]] {
        let refused = entries(home, &keys).await;
        assert!(matches!(refused, Err(LedgerError::HeadFormat { .. })), "{refused:?}");
    }
    forged(&key(home));
    assert_eq!(entries(home, &[old.verifying_key()]).await.unwrap().len(), 5);
}
