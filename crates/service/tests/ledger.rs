//! The ledger on SQLite: the chain, its head, and what tampering leaves behind.

use service::hash::Hash;
use service::ledger::{Event, Ledger, LedgerError};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tempfile::TempDir;

async fn open(folder: &TempDir) -> Result<Ledger, LedgerError> {
    let url = format!("sqlite:{}", folder.path().join("ledger db.sqlite").display());
    Ledger::open(&url, folder.path().join("ledger.head")).await
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
    folder
}

/// What someone does who has the database file, past the triggers.
async fn tamper(folder: &TempDir, statement: &'static str) {
    let url = format!("sqlite://{}/ledger%20db.sqlite", folder.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    for trigger in ["DROP TRIGGER ledger_no_update", "DROP TRIGGER ledger_no_delete", statement] {
        sqlx::query(trigger).execute(&mut connection).await.unwrap();
    }
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
    std::fs::write(folder.path().join("ledger.head"), head).unwrap();
    assert_eq!(open(&folder).await.unwrap().verify().await.unwrap().sequence, 3);
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
}

#[tokio::test]
async fn addresses_that_are_none_are_refused_without_their_password() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["mysql://u:pw@h/d", "", "sqlite:", "ledger.db", "file:x"] {
        let error = Ledger::open(url, folder.path().join("h")).await.err().unwrap();
        assert!(matches!(error, LedgerError::Url { .. }), "{url}");
        assert!(!error.to_string().contains("pw"));
    }
}
