//! The ledger on SQLite: what is appended, what was tampered with, what a crash leaves.

mod chain;

use chain::{broken, event, filled, head_of, open, tamper, tamper_again, write};
use service::ledger::{GENESIS, Keyring, Ledger, LedgerError, LedgerReader, Signers};
use service::signature::SigningKey;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

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
