//! Ledgers on SQLite, and ways to tamper with them.

#![allow(dead_code)] // each test program uses its own part

use service::hash::Hash;
use service::ledger::{Event, Head, KeyFile, Ledger, LedgerError, Signers};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tempfile::TempDir;

pub async fn open(folder: &TempDir) -> Result<Ledger, LedgerError> {
    let key = KeyFile::open(folder.path(), vec![])?;
    let ledger = open_as(folder, key.signers()).await?;
    key.keep()?;
    Ok(ledger)
}

pub async fn open_as(folder: &TempDir, signers: Signers) -> Result<Ledger, LedgerError> {
    let url = format!("sqlite:{}", folder.path().join("ledger db.sqlite").display());
    Ledger::open(&url, folder.path().join("ledger.head"), signers).await
}

pub fn head_of(folder: &TempDir) -> Head {
    Head::parse_copy(&std::fs::read_to_string(folder.path().join("ledger.head")).unwrap()).unwrap()
}

/// The hash of an entry, as its documentation says.
pub fn chain(sequence: i64, at: i64, text: &str, previous: Hash) -> Hash {
    let parts: [&[u8]; 4] = [&sequence.to_be_bytes(), &at.to_be_bytes(), text.as_bytes(), &previous.0];
    Hash::of("halflight ledger entry v1", &parts)
}

pub fn event(number: u32) -> Event {
    let public_key = Hash([number as u8; 32]);
    Event::Rotated { project: "p".into(), epoch: number, public_key, reason: "due".into(), by: "anna".into() }
}

pub async fn filled(entries: u32) -> TempDir {
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
pub async fn tamper(folder: &TempDir, statement: &'static str) {
    let url = format!("sqlite://{}/ledger%20db.sqlite", folder.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    for trigger in ["DROP TRIGGER ledger_no_update", "DROP TRIGGER ledger_no_delete", statement] {
        sqlx::query(trigger).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// The same where the triggers are gone already.
pub async fn tamper_again(folder: &TempDir, statement: &'static str) {
    let url = format!("sqlite://{}/ledger%20db.sqlite", folder.path().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Puts a row in whose place and hashes fit.
pub async fn insert(
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

pub fn broken<T: std::fmt::Debug>(result: Result<T, LedgerError>, word: &str) {
    match result {
        Err(LedgerError::Broken { problem, .. }) if problem.contains(word) => {}
        other => panic!("{word}: {other:?}"),
    }
}

pub async fn write(ledger: &Ledger, number: u32) {
    let mut writing = ledger.begin().await.unwrap();
    writing.append(&event(number)).await.unwrap();
    writing.commit().await.unwrap();
}
