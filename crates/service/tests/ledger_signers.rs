//! Who signed a ledger: the authority, several writers, an older version, a witness.

mod chain;

use chain::{broken, chain, event, filled, head_of, insert, open, open_as, tamper, write};
use service::ledger::{
    Checkpoint, Event, GENESIS, Head, KeyFile, Ledger, LedgerError, Signers, Witness, WitnessError, note,
};
use service::signature::SigningKey;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tempfile::TempDir;

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

/// An empty head without a signature was taken for any end, so that the last entries could be removed.
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

/// Without its key a signed ledger is not taken for an old unsigned one.
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
    // As after a crash: the log holds pages that the database lacks. An older, smaller database replaces it.
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
