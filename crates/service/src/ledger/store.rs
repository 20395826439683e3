//! The ledger in a database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::{Any, AnyConnection, AnyPool, Row, Transaction};
use tokio::sync::{Mutex, MutexGuard};

use super::head::{Head, HeadFile};
use super::{Entry, Event, GENESIS, LedgerError};
use crate::clock;
use crate::files;
use crate::hash::Hash;

/// The ledger of one authority.
pub struct Ledger {
    pool: AnyPool,
    backend: Backend,
    url: String,
    head: HeadFile,
    /// One writer of this process at a time: those that wait for the database would hold all of its connections.
    turn: Mutex<()>,
}

/// A transaction that excludes every other writer of the ledger, in this and in other processes.
pub struct Writing<'a> {
    ledger: &'a Ledger,
    transaction: Transaction<'static, Any>,
    last: Head,
    _turn: MutexGuard<'a, ()>,
}

#[derive(Clone, Copy, PartialEq)]
enum Backend {
    Sqlite,
    Postgres,
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS ledger (sequence BIGINT PRIMARY KEY, at BIGINT NOT NULL, \
                      event TEXT NOT NULL, previous TEXT NOT NULL UNIQUE, hash TEXT NOT NULL UNIQUE)";
const COLUMNS: &str = "SELECT sequence, at, event, previous, hash FROM ledger WHERE sequence > $1 ORDER BY sequence";

/// How long lent connections are waited for at the end.
const RETURN: Duration = Duration::from_secs(5);

impl Ledger {
    /// Opens or creates the ledger at `url` (`sqlite:PATH` or `postgres://…`), whose head is remembered in `head`.
    ///
    /// # Errors
    /// [`LedgerError`] when the address is unknown, the database refuses, or the end of the ledger is missing.
    pub async fn open(url: &str, head: PathBuf) -> Result<Self, LedgerError> {
        sqlx::any::install_default_drivers();
        let shown = without_credentials(url);
        let (backend, address) = address(url).ok_or_else(|| LedgerError::Url { url: shown.clone() })?;
        let head = HeadFile(head);
        if let (Some(remembered), Some(path)) = (head.read()?.filter(|head| head.sequence > 0), sqlite_path(url))
            && !path.exists()
        {
            // It would be made anew, and empty.
            return Err(head.cut(remembered, "is missing".into()));
        }
        // SQLite gives its log files the mode of the database.
        if let Some(path) = sqlite_path(url).filter(|path| path.parent().is_some_and(Path::is_dir)) {
            files::make_secret_file(&path).map_err(LedgerError::File)?;
        }
        let fail = |source| LedgerError::Database { url: shown.clone(), source };
        let pool = AnyPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(20))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if backend == Backend::Sqlite {
                        for pragma in SQLITE_SETTINGS {
                            sqlx::query(*pragma).fetch_optional(&mut *connection).await?;
                        }
                    }
                    Ok(())
                })
            })
            .connect(&address)
            .await
            .map_err(fail)?;
        let ledger = Self { pool, backend, url: shown, head, turn: Mutex::new(()) };
        match ledger.prepare().await {
            Ok(()) => Ok(ledger),
            Err(error) => {
                ledger.close().await;
                Err(error)
            }
        }
    }

    /// The entries behind `sequence`, in order, as they stand (see [`Entry::check`]).
    ///
    /// # Errors
    /// The database refuses, or holds a hash that is none.
    pub async fn after(&self, sequence: i64) -> Result<Vec<Entry>, LedgerError> {
        let rows = sqlx::query(COLUMNS).bind(sequence).fetch_all(&self.pool).await;
        rows.map_err(|source| self.fail(source))?.iter().map(|row| self.entry(row)).collect()
    }

    /// Proves the whole chain, and that its end is the one remembered.
    ///
    /// # Errors
    /// [`LedgerError`] names the first entry at fault.
    pub async fn verify(&self) -> Result<Head, LedgerError> {
        let remembered = self.head.read()?;
        let mut last = Head { sequence: 0, hash: GENESIS };
        for entry in self.after(0).await? {
            entry.check(last.sequence + 1, last.hash)?;
            last = Head { sequence: entry.sequence, hash: entry.hash };
        }
        if let Some(head) = remembered.filter(|head| head.sequence > last.sequence) {
            return Err(self.head.cut(head, format!("ends with entry {}", last.sequence)));
        }
        self.check_head_anew().await?;
        Ok(last)
    }

    /// Begins to write: waits for every other writer to end.
    ///
    /// # Errors
    /// The database refuses, or the end of the ledger is missing.
    pub async fn begin(&self) -> Result<Writing<'_>, LedgerError> {
        let turn = self.turn.lock().await;
        let mut transaction = match self.backend {
            Backend::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await,
            Backend::Postgres => self.pool.begin().await,
        }
        .map_err(|source| self.fail(source))?;
        if self.backend == Backend::Postgres {
            let lock = sqlx::query("LOCK TABLE ledger IN EXCLUSIVE MODE").execute(&mut *transaction).await;
            lock.map_err(|source| self.fail(source))?;
        }
        // On the connection of the transaction: one more per writer could exhaust the pool while all wait for one.
        self.check_head(&mut transaction).await?;
        let row = sqlx::query("SELECT sequence, at, event, previous, hash FROM ledger ORDER BY sequence DESC LIMIT 1")
            .fetch_optional(&mut *transaction)
            .await
            .map_err(|source| self.fail(source))?;
        let last = match row {
            None => Head { sequence: 0, hash: GENESIS },
            Some(row) => {
                let entry = self.entry(&row)?;
                Head { sequence: entry.sequence, hash: entry.hash }
            }
        };
        Ok(Writing { ledger: self, transaction, last, _turn: turn })
    }

    /// Ends all connections.
    pub async fn close(self) {
        // SQLite takes its `-wal` and `-shm` files away with the last connection, but not if two end at once: those
        // lent are waited for, so that the pool ends them one by one.
        let returned = async {
            while self.pool.num_idle() < self.pool.size() as usize {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        // What is not back by then is ended where it is.
        let _ = tokio::time::timeout(RETURN, returned).await;
        self.pool.close().await;
    }

    /// Where the head is remembered.
    pub fn head_path(&self) -> &std::path::Path {
        self.head.path()
    }

    async fn prepare(&self) -> Result<(), LedgerError> {
        let statements: &[&'static str] = match self.backend {
            Backend::Sqlite => &[CREATE, SQLITE_NO_UPDATE, SQLITE_NO_DELETE],
            Backend::Postgres => &[CREATE, POSTGRES_FUNCTION, POSTGRES_TRIGGER],
        };
        let mut transaction = match self.backend {
            Backend::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await,
            Backend::Postgres => self.pool.begin().await,
        }
        .map_err(|source| self.fail(source))?;
        if self.backend == Backend::Postgres {
            // Two processes that create the same table at once would collide in the catalogue.
            let lock = sqlx::query("SELECT 1 FROM (SELECT pg_advisory_xact_lock(7214301)) AS locked");
            lock.fetch_optional(&mut *transaction).await.map_err(|source| self.fail(source))?;
        }
        for statement in statements {
            sqlx::query(*statement).execute(&mut *transaction).await.map_err(|source| self.fail(source))?;
        }
        transaction.commit().await.map_err(|source| self.fail(source))?;
        if self.head.read()?.is_none() {
            // Written before the first entry, so that a head that is missing later was removed.
            if !self.after(0).await?.is_empty() {
                return Err(LedgerError::HeadMissing { path: self.head.path().to_owned() });
            }
            self.head.write(Head { sequence: 0, hash: GENESIS })?;
        }
        self.check_head_anew().await
    }

    /// The remembered entry must be there; entries behind it may be, where a process ended before it wrote the head.
    async fn check_head(&self, connection: &mut AnyConnection) -> Result<(), LedgerError> {
        let Some(head) = self.head.read()?.filter(|head| head.sequence > 0) else { return Ok(()) };
        let row = sqlx::query("SELECT hash FROM ledger WHERE sequence = $1")
            .bind(head.sequence)
            .fetch_optional(connection)
            .await
            .map_err(|source| self.fail(source))?;
        let Some(row) = row else { return Err(self.head.cut(head, "has no such entry".into())) };
        let hash: String = row.try_get(0).map_err(|source| self.fail(source))?;
        if hash != head.hash.to_string() {
            return Err(self.head.cut(head, format!("has {hash} there")));
        }
        Ok(())
    }

    async fn check_head_anew(&self) -> Result<(), LedgerError> {
        let mut connection = self.pool.acquire().await.map_err(|source| self.fail(source))?;
        self.check_head(&mut connection).await
    }

    fn entry(&self, row: &AnyRow) -> Result<Entry, LedgerError> {
        let sequence: i64 = row.try_get(0).map_err(|source| self.fail(source))?;
        let text = |index: usize| row.try_get::<String, _>(index).map_err(|source| self.fail(source));
        let hash = |index: usize| {
            let text = text(index)?;
            text.parse::<Hash>()
                .map_err(|error| LedgerError::Broken { sequence, problem: format!("was changed: {error}") })
        };
        Ok(Entry {
            sequence,
            at: row.try_get(1).map_err(|source| self.fail(source))?,
            text: text(2)?,
            previous: hash(3)?,
            hash: hash(4)?,
        })
    }

    fn fail(&self, source: sqlx::Error) -> LedgerError {
        LedgerError::Database { url: self.url.clone(), source }
    }
}

impl Writing<'_> {
    /// The entries behind `sequence`; none can be added by others until this transaction ends.
    ///
    /// # Errors
    /// As [`Ledger::after`].
    pub async fn after(&mut self, sequence: i64) -> Result<Vec<Entry>, LedgerError> {
        let rows = sqlx::query(COLUMNS).bind(sequence).fetch_all(&mut *self.transaction).await;
        rows.map_err(|source| self.ledger.fail(source))?.iter().map(|row| self.ledger.entry(row)).collect()
    }

    /// Appends an event.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn append(&mut self, event: &Event) -> Result<Entry, LedgerError> {
        let entry = Entry::next(self.last.sequence + 1, clock::now(), event, self.last.hash);
        sqlx::query("INSERT INTO ledger (sequence, at, event, previous, hash) VALUES ($1, $2, $3, $4, $5)")
            .bind(entry.sequence)
            .bind(entry.at)
            .bind(entry.text.as_str())
            .bind(entry.previous.to_string())
            .bind(entry.hash.to_string())
            .execute(&mut *self.transaction)
            .await
            .map_err(|source| self.ledger.fail(source))?;
        self.last = Head { sequence: entry.sequence, hash: entry.hash };
        Ok(entry)
    }

    /// Makes what was appended last: on the disk when this returns.
    ///
    /// # Errors
    /// The database refuses, or the head cannot be written.
    pub async fn commit(self) -> Result<Head, LedgerError> {
        self.transaction.commit().await.map_err(|source| self.ledger.fail(source))?;
        self.ledger.head.write(self.last)?;
        Ok(self.last)
    }
}

/// The database behind an address, and the address as its driver wants it.
fn address(url: &str) -> Option<(Backend, String)> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Some((Backend::Postgres, url.to_owned()));
    }
    let path = sqlite_path(url)?;
    let mut encoded = String::new();
    for c in path.to_str()?.chars() {
        match c {
            '%' | '?' | '#' | ' ' => encoded.push_str(&format!("%{:02X}", c as u32)),
            c => encoded.push(c),
        }
    }
    Some((Backend::Sqlite, format!("sqlite://{encoded}?mode=rwc")))
}

fn sqlite_path(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:").filter(|path| !path.is_empty())?;
    std::path::absolute(path.strip_prefix("//").unwrap_or(path)).ok()
}

fn without_credentials(url: &str) -> String {
    match (url.split_once("://"), url.rfind('@')) {
        (Some((scheme, _)), Some(at)) => format!("{scheme}://…{}", &url[at..]),
        _ => url.to_owned(),
    }
}

/// Every commit reaches the disk before it is acknowledged; readers do not wait for writers.
const SQLITE_SETTINGS: &[&str] =
    &["PRAGMA busy_timeout = 15000", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"];
const SQLITE_NO_UPDATE: &str = "CREATE TRIGGER IF NOT EXISTS ledger_no_update BEFORE UPDATE ON ledger \
                                BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END";
const SQLITE_NO_DELETE: &str = "CREATE TRIGGER IF NOT EXISTS ledger_no_delete BEFORE DELETE ON ledger \
                                BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END";
const POSTGRES_FUNCTION: &str = "CREATE OR REPLACE FUNCTION ledger_append_only() RETURNS trigger AS $$ \
                                 BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$ LANGUAGE plpgsql";
const POSTGRES_TRIGGER: &str = "CREATE OR REPLACE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger \
                                FOR EACH ROW EXECUTE FUNCTION ledger_append_only()";
