//! The ledger on SQLite: the chain, its head, and what tampering leaves.

use service::hash::Hash;
use service::ledger::{
    Checkpoint, Event, GENESIS, Head, KeyFile, Keyring, Ledger, LedgerError, LedgerReader, Signers, Witness,
    WitnessError, note,
};
use service::signature::SigningKey;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tempfile::TempDir;

async fn open(folder: &TempDir) -> Result<Ledger, LedgerError> {
    let key = KeyFile::open(folder.path(), vec![])?;
    let ledger = open_as(folder, key.signers()).await?;
    key.keep()?;
    Ok(ledger)
}

async fn open_as(folder: &TempDir, signers: Signers) -> Result<Ledger, LedgerError> {
    let url = format!("sqlite:{}", folder.path().join("ledger db.sqlite").display());
    Ledger::open(&url, folder.path().join("ledger.head"), signers).await
}

fn head_of(folder: &TempDir) -> Head {
    Head::parse_copy(&std::fs::read_to_string(folder.path().join("ledger.head")).unwrap()).unwrap()
}

/// The hash of an entry, as its documentation says.
fn chain(sequence: i64, at: i64, text: &str, previous: Hash) -> Hash {
    let parts: [&[u8]; 4] = [&sequence.to_be_bytes(), &at.to_be_bytes(), text.as_bytes(), &previous.0];
    Hash::of("halflight ledger entry v1", &parts)
}

fn event(number: u32) -> Event {
    let public_key = Hash([number as u8; 32]);
    Event::Rotated { project: "p".into(), epoch: number, public_key, reason: "due".into(), by: "anna".into() }
}

async fn filled(entries: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&folder).await.unwrap();
    for number in 1..=entries {
        let mut writing = ledger.begin().await.unwrap();
        writing.append(&event(number)).await.unwrap();
        writing.commit().await.unwrap();
    }
    ledger.close().await;
    folder
}

/// What someone does who has the database file, past the triggers.
async fn tamper(folder: &TempDir, statement: &'static str) {
    let url = format!("sqlite://{}/ledger%20db.sqlite", folder.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    for trigger in ["DROP TRIGGER ledger_no_update", "DROP TRIGGER ledger_no_delete", statement] {
        sqlx::query(trigger).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// The same where the triggers are gone already.
async fn tamper_again(folder: &TempDir, statement: &'static str) {
    let url = format!("sqlite://{}/ledger%20db.sqlite", folder.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Puts a row in whose place and hashes fit.
async fn insert(
    folder: &TempDir,
    Head { sequence, hash: previous }: Head,
    event: &Event,
    signature: Option<String>,
) -> Head {
    let url = format!("sqlite://{}/ledger%20db.sqlite", folder.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let (sequence, text) = (sequence + 1, event.text());
    let hash = chain(sequence, 7, &text, previous);
    sqlx::query("INSERT INTO ledger (sequence, at, event, previous, hash, signature) VALUES (?, 7, ?, ?, ?, ?)")
        .bind(sequence)
        .bind(text)
        .bind(previous.to_string())
        .bind(hash.to_string())
        .bind(signature)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    Head { sequence, hash }
}

fn broken<T: std::fmt::Debug>(result: Result<T, LedgerError>, word: &str) {
    match result {
        Err(LedgerError::Broken { problem, .. }) if problem.contains(word) => {}
        other => panic!("{word}: {other:?}"),
    }
}

/// A row that anyone could insert after the head was verified and used.
#[tokio::test]
async fn an_inserted_entry_is_not_the_authoritys() {
    let folder = filled(2).await;
    let signed = open(&folder).await.unwrap().after(1).await.unwrap()[0].signature.clone().unwrap().to_string();
    for (signature, word) in [(None, "not signed"), (Some(signed), "was not signed by"), (Some("x".into()), "changed")]
    {
        let folder = filled(2).await;
        insert(&folder, head_of(&folder), &event(3), signature.clone()).await;
        let ledger = open(&folder).await.unwrap();
        // The signature of the other folder is by another key.
        let word = if word == "was not signed by" { "neither this authority's" } else { word };
        broken(ledger.verify().await, word);
    }
    // The signature of another entry by the same key.
    let own = open(&folder).await.unwrap().after(1).await.unwrap()[0].signature.clone().unwrap().to_string();
    insert(&folder, head_of(&folder), &event(3), Some(own)).await;
    broken(open(&folder).await.unwrap().verify().await, "was not signed by");
}

/// Chain and head written anew, by someone who has both files and no key, verified.
#[tokio::test]
async fn a_rewritten_ledger_with_its_head_is_found() {
    let folder = filled(3).await;
    let stranger = tempfile::tempdir().unwrap();
    let forged = open(&stranger).await.unwrap();
    for number in 1..=3 {
        let mut writing = forged.begin().await.unwrap();
        writing.append(&event(10 + number)).await.unwrap();
        writing.commit().await.unwrap();
    }
    forged.close().await;
    let copy = |name: &str| std::fs::copy(stranger.path().join(name), folder.path().join(name)).unwrap();
    let head = std::fs::read(folder.path().join("ledger.head")).unwrap();
    for name in ["ledger db.sqlite", "ledger.head"] {
        copy(name);
    }
    assert!(matches!(open(&folder).await, Err(LedgerError::HeadFormat { .. })));
    std::fs::write(folder.path().join("ledger.head"), head).unwrap();
    assert!(matches!(open(&folder).await, Err(LedgerError::Cut { .. })));

    // The same without signatures, and the head as it was written before there were any.
    let folder = filled(3).await;
    tamper(&folder, "UPDATE ledger SET signature = NULL").await;
    let Head { sequence, hash } = head_of(&folder);
    let old = format!("{{\"sequence\":{sequence},\"hash\":\"{hash}\"}}");
    std::fs::write(folder.path().join("ledger.head"), old).unwrap();
    assert!(matches!(open(&folder).await, Err(LedgerError::HeadFormat { .. })));
    let none = format!("{{\"sequence\":0,\"hash\":\"{GENESIS}\"}}");
    std::fs::write(folder.path().join("ledger.head"), none).unwrap();
    assert!(matches!(open(&folder).await, Err(LedgerError::HeadEmpty { .. })));
}

/// An empty head without a signature was taken for any end, so that the last entries could be cut off.
#[tokio::test]
async fn an_empty_head_hides_no_cut_end() {
    let folder = filled(3).await;
    tamper(&folder, "DELETE FROM ledger WHERE sequence = 3").await;
    let head = folder.path().join("ledger.head");
    let empty = format!("{{\"sequence\":0,\"hash\":\"{GENESIS}\"}}");
    std::fs::write(&head, &empty).unwrap();
    assert!(matches!(open(&folder).await, Err(LedgerError::HeadEmpty { .. })));
    assert_eq!(std::fs::read_to_string(&head).unwrap(), empty, "it is not signed by refusing it");

    // Accepted by a person, it is on record.
    let key = || KeyFile::open(folder.path(), vec![]).unwrap().signers().adopting_head("anna");
    let ledger = open_as(&folder, key()).await.unwrap();
    let adopted = ledger.after(2).await.unwrap();
    assert!(adopted[0].text.contains("head-adopted") && adopted[0].text.contains("anna"));
    assert_eq!(ledger.verify().await.unwrap(), head_of(&folder));
    ledger.close().await;
    assert!(matches!(open_as(&folder, key()).await, Err(LedgerError::HeadSigned { .. })));
    assert_eq!(open(&folder).await.unwrap().verify().await.unwrap().sequence, 3);

    // Where there are no entries it says the truth, and is signed from then on.
    let folder = filled(0).await;
    std::fs::write(folder.path().join("ledger.head"), empty).unwrap();
    open(&folder).await.unwrap().close().await;
    assert!(!std::fs::read_to_string(folder.path().join("ledger.head")).unwrap().starts_with('{'));
}

/// A database and a head as they were before entries were signed.
async fn unsigned(entries: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/ledger%20db.sqlite?mode=rwc", folder.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let create = "CREATE TABLE ledger (sequence BIGINT PRIMARY KEY, at BIGINT NOT NULL, event TEXT NOT NULL, \
                  previous TEXT NOT NULL UNIQUE, hash TEXT NOT NULL UNIQUE)";
    sqlx::query(create).execute(&mut connection).await.unwrap();
    let mut last = GENESIS;
    for sequence in 1..=i64::from(entries) {
        let (text, previous) = (event(sequence as u32).text(), last);
        last = chain(sequence, 7, &text, previous);
        sqlx::query("INSERT INTO ledger (sequence, at, event, previous, hash) VALUES (?, 7, ?, ?, ?)")
            .bind(sequence)
            .bind(text)
            .bind(previous.to_string())
            .bind(last.to_string())
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
    let head = format!("{{\"sequence\":{entries},\"hash\":\"{last}\"}}");
    std::fs::write(folder.path().join("ledger.head"), head).unwrap();
    folder
}

#[tokio::test]
async fn a_ledger_of_before_is_taken_over_once() {
    let folder = unsigned(3).await;
    let before = head_of(&folder);
    let ledger = open(&folder).await.unwrap();
    assert_eq!(ledger.verify().await.unwrap().sequence, 4);
    let entries = ledger.after(0).await.unwrap();
    assert_eq!(entries[3].check(4, before.hash).unwrap(), Event::Migrated { entries: 3, hash: before.hash });
    assert!(entries[2].signature.is_none() && entries[3].signature.is_some());
    let mut writing = ledger.begin().await.unwrap();
    writing.append(&event(5)).await.unwrap();
    writing.commit().await.unwrap();
    ledger.close().await;
    assert_eq!(open(&folder).await.unwrap().verify().await.unwrap(), head_of(&folder));
    assert_eq!(head_of(&folder).sequence, 5);
    // What was taken over cannot be changed either.
    tamper(&folder, "UPDATE ledger SET event = replace(event, 'anna', 'otto') WHERE sequence = 2").await;
    broken(open(&folder).await.unwrap().verify().await, "was changed");

    // A changed one is not taken over.
    let folder = unsigned(3).await;
    let url = format!("sqlite://{}/ledger%20db.sqlite", folder.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("UPDATE ledger SET at = 8 WHERE sequence = 2").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    broken(open(&folder).await.map(drop), "was changed");

    // A crash after the commit, before the head is written and the key is kept.
    let folder = unsigned(3).await;
    let old = std::fs::read(folder.path().join("ledger.head")).unwrap();
    let key = KeyFile::open(folder.path(), vec![]).unwrap();
    open_as(&folder, key.signers()).await.unwrap().close().await;
    drop(key);
    std::fs::write(folder.path().join("ledger.head"), old).unwrap();
    assert_eq!(open(&folder).await.unwrap().verify().await.unwrap().sequence, 4);
    assert!(folder.path().join("ledger.key").exists());
}

/// Without its key a signed ledger is not taken for one of before.
#[tokio::test]
async fn a_ledger_without_its_key_is_refused() {
    let folder = filled(2).await;
    std::fs::remove_file(folder.path().join("ledger.key")).unwrap();
    assert!(matches!(open(&folder).await, Err(LedgerError::HeadFormat { .. })));
}

#[tokio::test]
async fn several_writers_count_where_they_are_named() {
    let folder = filled(2).await;
    let own = SigningKey::load(&folder.path().join("ledger.key")).unwrap().verifying_key();
    let other = || SigningKey::load(&folder.path().join("other.key")).unwrap();
    SigningKey::generate().unwrap().save_new(&folder.path().join("other.key")).unwrap();
    let ledger = open_as(&folder, Signers::new(other(), vec![own.clone()])).await.unwrap();
    let mut writing = ledger.begin().await.unwrap();
    writing.append(&event(3)).await.unwrap();
    writing.commit().await.unwrap();
    assert_eq!(ledger.verify().await.unwrap().sequence, 3);
    ledger.close().await;
    let own = || SigningKey::load(&folder.path().join("ledger.key")).unwrap();
    assert!(matches!(open_as(&folder, Signers::new(own(), vec![])).await, Err(LedgerError::HeadFormat { .. })));
    let both = open_as(&folder, Signers::new(own(), vec![other().verifying_key()])).await.unwrap();
    assert_eq!(both.verify().await.unwrap().sequence, 3);
}

/// Two authorities on the database of `filled`, each with a head file of its own; their keys.
async fn two_writers(folder: &TempDir) -> (Ledger, Ledger, [SigningKey; 2]) {
    let path = |name: &str| folder.path().join(name);
    SigningKey::generate().unwrap().save_new(&path("other.key")).unwrap();
    std::fs::copy(path("ledger.head"), path("other.head")).unwrap();
    let key = |name: &str| SigningKey::load(&path(name)).unwrap();
    let signers = |own: &str, other: &str| Signers::new(key(own), vec![key(other).verifying_key()]);
    let a = open_as(folder, signers("ledger.key", "other.key")).await.unwrap();
    let url = format!("sqlite:{}", path("ledger db.sqlite").display());
    let b = Ledger::open(&url, path("other.head"), signers("other.key", "ledger.key")).await.unwrap();
    (a, b, [key("ledger.key"), key("other.key")])
}

async fn write(ledger: &Ledger, number: u32) {
    let mut writing = ledger.begin().await.unwrap();
    writing.append(&event(number)).await.unwrap();
    writing.commit().await.unwrap();
}

/// Each writer remembered only the last entry of its own.
#[tokio::test]
async fn a_database_rolled_back_behind_another_writers_entry_is_found() {
    let folder = filled(1).await;
    let (a, b, _) = two_writers(&folder).await;
    write(&b, 2).await;
    write(&a, 3).await;
    // What an authority does that reads it.
    b.remember().await.unwrap();
    tamper(&folder, "DELETE FROM ledger WHERE sequence = 3").await;
    assert!(matches!(b.begin().await.map(drop), Err(LedgerError::Cut { sequence: 3, .. })));
    assert!(matches!(a.begin().await.map(drop), Err(LedgerError::Cut { sequence: 3, .. })));
}

/// With a state for each writer, the ledger could go back for the one and not for the other.
#[tokio::test]
async fn a_witness_sees_one_ledger_whoever_signed_its_head() {
    let folder = filled(1).await;
    let (a, b, [first, second]) = two_writers(&folder).await;
    let witness = |log: &SigningKey, writers| {
        let state = folder.path().join("north.state");
        Witness::new("north", SigningKey::generate().unwrap(), log.verifying_key(), state)
            .unwrap()
            .with_writers(writers)
    };
    let early = a.handover(0).await.unwrap();
    write(&b, 2).await;
    let both = witness(&first, vec![second.verifying_key()]);
    assert_eq!(both.cosign(&b.handover(0).await.unwrap(), true).unwrap().0.sequence, 2);
    assert!(matches!(both.cosign(&early, false), Err(WitnessError::Older { offered: 1, seen: 2 })));
    assert_eq!(both.cosign(&a.handover(2).await.unwrap(), false).unwrap().0.sequence, 2);
    // One that knows the other writer alone is of the same ledger, or of none.
    let other = witness(&second, vec![first.verifying_key()]);
    assert_eq!(other.cosign(&a.handover(2).await.unwrap(), false).unwrap().0.sequence, 2);
    let alone = witness(&second, vec![]);
    assert!(matches!(alone.cosign(&a.handover(2).await.unwrap(), false), Err(WitnessError::Signature(_))));
}

#[tokio::test]
async fn the_head_is_a_signed_checkpoint() {
    let folder = filled(2).await;
    let text = std::fs::read_to_string(folder.path().join("ledger.head")).unwrap();
    let note = note::Note::parse(&text).unwrap();
    let key = SigningKey::load(&folder.path().join("ledger.key")).unwrap().verifying_key();
    let Checkpoint { origin, head } = Checkpoint::of(&note).unwrap();
    assert!(note.is_signed(&origin, &key));
    assert_eq!((text.lines().next().unwrap(), text.lines().nth(1).unwrap()), (origin.as_str(), "2"));
    assert_eq!(head, open(&folder).await.unwrap().verify().await.unwrap());
    std::fs::write(folder.path().join("ledger.head"), text.replacen("\n2\n", "\n1\n", 1)).unwrap();
    assert!(matches!(open(&folder).await, Err(LedgerError::HeadFormat { .. })));
}

/// A backup was put in place of the database, and the log of the old one stayed beside it.
#[tokio::test]
async fn a_log_left_beside_a_restored_backup_is_named() {
    let folder = filled(40).await;
    let path = |name: &str| folder.path().join(name);
    let ledger = open(&folder).await.unwrap();
    ledger.close().await;
    std::fs::copy(path("ledger db.sqlite"), path("backup")).unwrap();
    let ledger = open(&folder).await.unwrap();
    for number in 41..=90 {
        let mut writing = ledger.begin().await.unwrap();
        writing.append(&event(number)).await.unwrap();
        writing.commit().await.unwrap();
    }
    // As after a crash: the log holds pages that the database lacks. An older, smaller database comes in its place.
    let log = std::fs::read(path("ledger db.sqlite-wal")).unwrap();
    ledger.close().await;
    let small = filled(3).await;
    open(&small).await.unwrap().close().await;
    std::fs::copy(small.path().join("ledger db.sqlite"), path("ledger db.sqlite")).unwrap();
    std::fs::write(path("ledger db.sqlite-wal"), &log).unwrap();
    let restored = std::fs::read(path("ledger db.sqlite")).unwrap();
    match open(&folder).await {
        Err(LedgerError::Leftover { path: named }) => assert_eq!(named, path("ledger db.sqlite-wal")),
        other => panic!("{:?}", other.map(drop)),
    }
    assert_eq!(std::fs::read(path("ledger db.sqlite")).unwrap(), restored, "the backup is as it was");
    // Without the log, what is refused is that the backup is older than the head, or not this authority's.
    std::fs::remove_file(path("ledger db.sqlite-wal")).unwrap();
    assert!(matches!(open(&folder).await, Err(LedgerError::Cut { .. })));
}

#[tokio::test]
async fn what_is_appended_is_read_back_and_proven() {
    let folder = filled(3).await;
    let ledger = open(&folder).await.unwrap();
    let head = ledger.verify().await.unwrap();
    assert_eq!(head.sequence, 3);
    let entries = ledger.after(1).await.unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1].hash, head.hash);
    assert_eq!(entries[1].check(3, entries[0].hash).unwrap(), event(3));
}

/// A page was cut from the whole table, which every caller made the server read.
#[tokio::test]
async fn a_page_reads_no_more_than_its_entries() {
    let folder = filled(5).await;
    let ledger = open(&folder).await.unwrap();
    // Whatever comes after the page is not looked at.
    tamper(&folder, "UPDATE ledger SET hash = 'none' WHERE sequence = 4").await;
    assert!(ledger.after(1).await.is_err());
    let page = ledger.page(1, 2).await.unwrap();
    assert_eq!(page.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [2, 3]);
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_nothing() {
    let folder = filled(1).await;
    let ledger = open(&folder).await.unwrap();
    let mut writing = ledger.begin().await.unwrap();
    writing.append(&event(2)).await.unwrap();
    drop(writing);
    assert_eq!(ledger.verify().await.unwrap().sequence, 1);
}

#[tokio::test]
async fn entries_cannot_be_updated_or_deleted() {
    let folder = filled(2).await;
    let url = format!("sqlite://{}/ledger%20db.sqlite", folder.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    for statement in ["UPDATE ledger SET at = 1", "DELETE FROM ledger"] {
        let error = sqlx::query(statement).execute(&mut connection).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
}

#[tokio::test]
async fn tampering_is_found_and_named() {
    for (statement, at) in [
        ("UPDATE ledger SET event = replace(event, 'anna', 'otto') WHERE sequence = 2", 2),
        ("UPDATE ledger SET at = at - 1 WHERE sequence = 3", 3),
        ("DELETE FROM ledger WHERE sequence = 2", 2),
        ("UPDATE ledger SET hash = 'none' WHERE sequence = 1", 1),
        ("UPDATE ledger SET sequence = 9 WHERE sequence = 1", 1),
    ] {
        let folder = filled(4).await;
        tamper(&folder, statement).await;
        match open(&folder).await.unwrap().verify().await {
            Err(LedgerError::Broken { sequence, .. }) => assert_eq!(sequence, at, "{statement}"),
            other => panic!("{statement}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_cut_end_is_found_before_anything_is_written() {
    let folder = filled(3).await;
    tamper(&folder, "DELETE FROM ledger WHERE sequence = 3").await;
    assert!(matches!(open(&folder).await, Err(LedgerError::Cut { sequence: 3, .. })));
}

#[tokio::test]
async fn a_replaced_end_is_found() {
    let folder = filled(3).await;
    let other = "UPDATE ledger SET hash = '0000000000000000000000000000000000000000000000000000000000000001' \
                 WHERE sequence = 3";
    tamper(&folder, other).await;
    assert!(matches!(open(&folder).await, Err(LedgerError::Cut { sequence: 3, .. })));
}

#[tokio::test]
async fn a_missing_head_or_ledger_is_found() {
    let folder = filled(2).await;
    let head = folder.path().join("ledger.head");
    let kept = std::fs::read(&head).unwrap();
    std::fs::remove_file(&head).unwrap();
    assert!(matches!(open(&folder).await, Err(LedgerError::HeadMissing { .. })));
    std::fs::write(&head, kept).unwrap();
    assert_eq!(open(&folder).await.unwrap().verify().await.unwrap().sequence, 2);
    for name in ["ledger db.sqlite", "ledger db.sqlite-wal", "ledger db.sqlite-shm"] {
        let _ = std::fs::remove_file(folder.path().join(name));
    }
    assert!(matches!(open(&folder).await, Err(LedgerError::Cut { sequence: 2, .. })));
    assert!(!folder.path().join("ledger db.sqlite").exists(), "no empty one is made in its place");
}

#[tokio::test]
async fn a_head_behind_the_ledger_is_what_a_crash_leaves() {
    let folder = filled(2).await;
    let head = std::fs::read(folder.path().join("ledger.head")).unwrap();
    let ledger = open(&folder).await.unwrap();
    let mut writing = ledger.begin().await.unwrap();
    writing.append(&event(3)).await.unwrap();
    writing.commit().await.unwrap();
    std::fs::write(folder.path().join("ledger.head"), &head).unwrap();
    let ledger = open(&folder).await.unwrap();
    assert_eq!(ledger.verify().await.unwrap().sequence, 3);
    assert_eq!(head_of(&folder).sequence, 3, "opening brings it up");
    // A process that runs does so too: witnesses could never see the last entry otherwise.
    for number in 1..=2 {
        std::fs::write(folder.path().join("ledger.head"), &head).unwrap();
        match number {
            1 => drop(ledger.handover(0).await.unwrap()),
            _ => drop(ledger.begin().await.unwrap()),
        }
        assert_eq!(head_of(&folder), ledger.verify().await.unwrap());
    }
}

/// Whoever waited went away between the commit and the head, which lagged from then on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_nobody_waits_for_still_writes_the_head() {
    let folder = filled(1).await;
    let ledger = open(&folder).await.unwrap();
    let mut writing = ledger.begin().await.unwrap();
    writing.append(&event(2)).await.unwrap();
    let mut commit = Box::pin(writing.commit());
    let waker = std::task::Waker::noop();
    let _ = commit.as_mut().poll(&mut std::task::Context::from_waker(waker));
    drop(commit);
    // The next writer waits for it.
    assert_eq!(ledger.begin().await.unwrap().last().sequence, 2);
    assert_eq!(head_of(&folder).sequence, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let first = std::sync::Arc::new(open(&folder).await.unwrap());
    let second = std::sync::Arc::new(open(&folder).await.unwrap());
    let tasks: Vec<_> = (0..24u32)
        .map(|number| {
            let ledger = std::sync::Arc::clone(if number % 2 == 0 { &first } else { &second });
            tokio::spawn(async move {
                let mut writing = ledger.begin().await.unwrap();
                let before = writing.after(0).await.unwrap().len();
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                assert_eq!(writing.after(0).await.unwrap().len(), before);
                writing.append(&event(number)).await.unwrap();
                writing.commit().await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(first.verify().await.unwrap().sequence, 24);
    // The head was once written after the lock was given back, and could go back.
    assert_eq!(head_of(&folder).sequence, 24);
}

#[tokio::test]
async fn addresses_that_are_none_are_refused_without_their_password() {
    let folder = tempfile::tempdir().unwrap();
    let signers = || Signers::new(SigningKey::generate().unwrap(), vec![]);
    for url in ["mysql://u:pw@h/d", "", "sqlite:", "ledger.db", "file:x"] {
        let error = Ledger::open(url, folder.path().join("h"), signers()).await.err().unwrap();
        assert!(matches!(error, LedgerError::Url { .. }), "{url}");
        assert!(!error.to_string().contains("pw"));
    }
    // A password in the query was printed.
    for url in [
        "postgres://u@127.0.0.1:1/d?password=pw",
        "mysql://127.0.0.1:1/d?user=u&password=pw",
        "mysql://127.0.0.1:1/d?password=p@pw",
        "mysql://u:p?pw@h/d",
    ] {
        let error = Ledger::open(url, folder.path().join("h"), signers()).await.err().unwrap().to_string();
        assert!(!error.contains("pw"), "{error}");
    }
    let error = Ledger::open("mysql://u:pw@h/d?password=pw", folder.path().join("h"), signers()).await.err().unwrap();
    assert!(error.to_string().contains("mysql://…@h/d: "), "{error}");
}

/// Verifying made files, took locks, and asked for the secret key.
#[cfg(unix)]
#[tokio::test]
async fn a_reader_needs_no_secret_and_writes_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let folder = filled(3).await;
    let path = |name: &str| folder.path().join(name);
    let key = SigningKey::load(&path("ledger.key")).unwrap().verifying_key();
    std::fs::remove_file(path("ledger.key")).unwrap();
    for name in ["ledger db.sqlite", "ledger.head"] {
        std::fs::set_permissions(path(name), std::fs::Permissions::from_mode(0o444)).unwrap();
    }
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let listed = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|file| {
            let file = file.unwrap();
            (file.file_name(), file.metadata().unwrap().modified().unwrap(), std::fs::read(file.path()).unwrap())
        });
        let mut files: Vec<_> = files.collect();
        files.sort();
        files
    };
    let before = listed();
    let read = async |keys: Vec<_>| {
        let url = format!("sqlite:{}", path("ledger db.sqlite").display());
        let reader = LedgerReader::open(&url, path("ledger.head"), Keyring::new(keys)).await.unwrap();
        let entries = reader.entries().await;
        reader.close().await;
        entries
    };
    assert_eq!(read(vec![key.clone()]).await.unwrap().len(), 3);
    broken(read(vec![]).await, "neither this authority's");
    assert_eq!(listed(), before);
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();

    // What is wrong is named as a writer names it.
    let writable = |name: &str| {
        std::fs::set_permissions(path(name), std::fs::Permissions::from_mode(0o644)).unwrap();
    };
    ["ledger db.sqlite", "ledger.head"].iter().for_each(|name| writable(name));
    let head = std::fs::read_to_string(path("ledger.head")).unwrap();
    std::fs::write(path("ledger.head"), head.replacen("\n3\n", "\n2\n", 1)).unwrap();
    assert!(matches!(read(vec![key.clone()]).await, Err(LedgerError::HeadFormat { .. })));
    std::fs::remove_file(path("ledger.head")).unwrap();
    assert!(matches!(read(vec![key.clone()]).await, Err(LedgerError::HeadMissing { .. })));
    std::fs::write(path("ledger.head"), format!("{{\"sequence\":0,\"hash\":\"{GENESIS}\"}}")).unwrap();
    assert!(matches!(read(vec![key.clone()]).await, Err(LedgerError::HeadEmpty { .. })));
    std::fs::write(path("ledger.head"), head).unwrap();
    tamper(&folder, "DELETE FROM ledger WHERE sequence = 3").await;
    assert!(matches!(read(vec![key.clone()]).await, Err(LedgerError::Cut { sequence: 3, .. })));
    tamper_again(&folder, "UPDATE ledger SET at = 1 WHERE sequence = 2").await;
    broken(read(vec![key]).await, "was changed");
}

/// While an authority writes: its log of changes is read too.
#[tokio::test]
async fn a_reader_sees_what_a_running_authority_wrote() {
    let folder = filled(1).await;
    let ledger = open(&folder).await.unwrap();
    write(&ledger, 2).await;
    let url = format!("sqlite:{}", folder.path().join("ledger db.sqlite").display());
    let keyring = Keyring::new(vec![ledger.signers().key()]);
    let reader = LedgerReader::open(&url, folder.path().join("ledger.head"), keyring).await.unwrap();
    assert_eq!(reader.entries().await.unwrap().len(), 2);
    write(&ledger, 3).await;
    assert_eq!(reader.entries().await.unwrap().len(), 3);
}
