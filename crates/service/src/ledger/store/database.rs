//! Rows of entries in SQLite or PostgreSQL. Verifying them is not done here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Row, Transaction};

use super::super::{Entry, Head, LedgerError};
use super::address::{Backend, address, sqlite_path, without_credentials};
use crate::hash::Hash;

/// A database with the table of a ledger.
pub(super) struct Database {
    pool: AnyPool,
    backend: Backend,
    url: String,
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS ledger (sequence BIGINT PRIMARY KEY, at BIGINT NOT NULL, \
                      event TEXT NOT NULL, previous TEXT NOT NULL UNIQUE, hash TEXT NOT NULL UNIQUE, signature TEXT)";
const COLUMNS: &str =
    "SELECT sequence, at, event, previous, hash, signature FROM ledger WHERE sequence > $1 ORDER BY sequence";
const PAGE: &str = "SELECT sequence, at, event, previous, hash, signature FROM ledger WHERE sequence > $1 \
                    ORDER BY sequence LIMIT $2";
const LAST: &str = "SELECT sequence, at, event, previous, hash, signature FROM ledger ORDER BY sequence DESC LIMIT 1";

/// How long lent connections are waited for at the end.
const RETURN: Duration = Duration::from_secs(5);
/// How long a database may take to answer at all.
const ACQUIRE: Duration = Duration::from_secs(5);

impl Database {
    /// Connects; a SQLite file that is missing is made.
    pub async fn open(url: &str) -> Result<Self, LedgerError> {
        Self::connect(url, "?mode=rwc", SQLITE_SETTINGS, &[]).await
    }

    /// Connects to read alone: nothing is written, not even next to the database.
    pub async fn open_read_only(url: &str) -> Result<Self, LedgerError> {
        let logged = |path: PathBuf| {
            let mut log = path.into_os_string();
            log.push("-wal");
            Path::new(&log).metadata().is_ok_and(|data| data.len() > 0)
        };
        // SQLite makes files next to a database that it reads. Without a log of changes it does not need them.
        let mode = if sqlite_path(url).is_some_and(logged) { "?mode=ro" } else { "?mode=ro&immutable=1" };
        Self::connect(url, mode, &SQLITE_SETTINGS[..1], POSTGRES_READ_ONLY).await
    }

    async fn connect(
        url: &str,
        sqlite: &str,
        sqlite_settings: &'static [&'static str],
        postgres_settings: &'static [&'static str],
    ) -> Result<Self, LedgerError> {
        sqlx::any::install_default_drivers();
        let shown = without_credentials(url);
        let (backend, mut address) = address(url).ok_or_else(|| LedgerError::Url { url: shown.clone() })?;
        let settings = match backend {
            Backend::Sqlite => {
                address.push_str(sqlite);
                sqlite_settings
            }
            Backend::Postgres => postgres_settings,
        };
        let pool = AnyPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(ACQUIRE)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    for setting in settings {
                        sqlx::query(*setting).fetch_optional(&mut *connection).await?;
                    }
                    Ok(())
                })
            })
            .connect(&address)
            .await
            .map_err(|source| LedgerError::Database { url: shown.clone(), source })?;
        Ok(Self { pool, backend, url: shown })
    }

    /// Creates the table if it is missing, with the triggers that keep others from changing it.
    pub async fn create(&self, connection: &mut AnyConnection) -> Result<(), LedgerError> {
        let statements: &[&'static str] = match self.backend {
            Backend::Sqlite => &[CREATE, SQLITE_NO_UPDATE, SQLITE_NO_DELETE],
            // Two processes that create the same table at once would collide in the catalogue.
            Backend::Postgres => &[POSTGRES_TURN, CREATE, POSTGRES_FUNCTION, POSTGRES_TRIGGER, POSTGRES_NO_TRUNCATE],
        };
        for statement in statements {
            sqlx::query(*statement).fetch_optional(&mut *connection).await.map_err(|source| self.fail(source))?;
        }
        self.add_signatures(connection).await
    }

    /// Databases from before entries were signed have no such column.
    async fn add_signatures(&self, connection: &mut AnyConnection) -> Result<(), LedgerError> {
        let present = match self.backend {
            Backend::Sqlite => "SELECT name FROM pragma_table_info('ledger') WHERE name = 'signature'",
            Backend::Postgres => {
                "SELECT attname::text FROM pg_attribute WHERE attrelid = 'ledger'::regclass AND attname = 'signature'"
            }
        };
        let found = sqlx::query(present).fetch_optional(&mut *connection).await.map_err(|source| self.fail(source))?;
        if found.is_none() {
            let added = sqlx::query("ALTER TABLE ledger ADD COLUMN signature TEXT").execute(connection).await;
            added.map_err(|source| self.fail(source))?;
        }
        Ok(())
    }

    /// A transaction that excludes every other writer of the database.
    pub async fn transaction(&self) -> Result<Transaction<'static, Any>, LedgerError> {
        let transaction = match self.backend {
            Backend::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await,
            Backend::Postgres => self.pool.begin().await,
        };
        transaction.map_err(|source| self.fail(source))
    }

    /// The same, over a table that is there: in PostgreSQL a transaction alone excludes nobody.
    pub async fn writing(&self) -> Result<Transaction<'static, Any>, LedgerError> {
        let mut transaction = self.transaction().await?;
        if self.backend == Backend::Postgres {
            let lock = sqlx::query("LOCK TABLE ledger IN EXCLUSIVE MODE").execute(&mut *transaction).await;
            lock.map_err(|source| self.fail(source))?;
        }
        Ok(transaction)
    }

    pub async fn connection(&self) -> Result<PoolConnection<Any>, LedgerError> {
        self.pool.acquire().await.map_err(|source| self.fail(source))
    }

    /// The entries after `sequence`, unchecked.
    pub async fn after(&self, connection: &mut AnyConnection, sequence: i64) -> Result<Vec<Entry>, LedgerError> {
        let rows = sqlx::query(COLUMNS).bind(sequence).fetch_all(connection).await;
        rows.map_err(|source| self.fail(source))?.iter().map(|row| self.entry(row)).collect()
    }

    /// The first of them.
    pub async fn page(&self, sequence: i64, most: usize) -> Result<Vec<Entry>, LedgerError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = sqlx::query(PAGE).bind(sequence).bind(most).fetch_all(&self.pool).await;
        rows.map_err(|source| self.fail(source))?.iter().map(|row| self.entry(row)).collect()
    }

    pub async fn last(&self, connection: &mut AnyConnection) -> Result<Head, LedgerError> {
        let row = sqlx::query(LAST).fetch_optional(connection).await.map_err(|source| self.fail(source))?;
        let Some(row) = row else { return Ok(Head::EMPTY) };
        let entry = self.entry(&row)?;
        Ok(entry.head())
    }

    /// Number of the last entry, whatever it holds; 0 if the ledger is empty.
    pub async fn newest(&self, connection: &mut AnyConnection) -> Result<i64, LedgerError> {
        let last = "SELECT sequence FROM ledger ORDER BY sequence DESC LIMIT 1";
        let row = sqlx::query(last).fetch_optional(connection).await.map_err(|source| self.fail(source))?;
        row.map_or(Ok(0), |row| row.try_get(0)).map_err(|source| self.fail(source))
    }

    pub async fn hash_at(&self, connection: &mut AnyConnection, sequence: i64) -> Result<Option<String>, LedgerError> {
        let row = sqlx::query("SELECT hash FROM ledger WHERE sequence = $1")
            .bind(sequence)
            .fetch_optional(connection)
            .await
            .map_err(|source| self.fail(source))?;
        row.map(|row| row.try_get(0)).transpose().map_err(|source| self.fail(source))
    }

    pub async fn insert(&self, connection: &mut AnyConnection, entry: &Entry) -> Result<(), LedgerError> {
        let insert =
            "INSERT INTO ledger (sequence, at, event, previous, hash, signature) VALUES ($1, $2, $3, $4, $5, $6)";
        sqlx::query(insert)
            .bind(entry.sequence)
            .bind(entry.at)
            .bind(entry.text.as_str())
            .bind(entry.previous.to_string())
            .bind(entry.hash.to_string())
            .bind(entry.signature.as_ref().map(ToString::to_string))
            .execute(connection)
            .await
            .map_err(|source| self.fail(source))?;
        Ok(())
    }

    fn entry(&self, row: &AnyRow) -> Result<Entry, LedgerError> {
        let sequence: i64 = row.try_get(0).map_err(|source| self.fail(source))?;
        let text = |index: usize| row.try_get::<String, _>(index).map_err(|source| self.fail(source));
        let hash = |index: usize| {
            let text = text(index)?;
            text.parse::<Hash>()
                .map_err(|error| LedgerError::Broken { sequence, problem: format!("was changed: {error}") })
        };
        let signature: Option<String> = row.try_get(5).map_err(|source| self.fail(source))?;
        Ok(Entry {
            sequence,
            at: row.try_get(1).map_err(|source| self.fail(source))?,
            text: text(2)?,
            previous: hash(3)?,
            hash: hash(4)?,
            signature: signature
                .map(|text| text.parse())
                .transpose()
                .map_err(|error| LedgerError::Broken { sequence, problem: format!("was changed: {error}") })?,
        })
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

    /// The database, as errors call it.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn fail(&self, source: sqlx::Error) -> LedgerError {
        LedgerError::Database { url: self.url.clone(), source }
    }
}

/// Every commit reaches the disk before it is acknowledged; readers do not wait for writers.
const SQLITE_SETTINGS: &[&str] =
    &["PRAGMA busy_timeout = 15000", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"];
const SQLITE_NO_UPDATE: &str = "CREATE TRIGGER IF NOT EXISTS ledger_no_update BEFORE UPDATE ON ledger \
                                BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END";
const SQLITE_NO_DELETE: &str = "CREATE TRIGGER IF NOT EXISTS ledger_no_delete BEFORE DELETE ON ledger \
                                BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END";
const POSTGRES_READ_ONLY: &[&str] = &["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"];
const POSTGRES_TURN: &str = "SELECT 1 FROM (SELECT pg_advisory_xact_lock(7214301)) AS locked";
const POSTGRES_FUNCTION: &str = "CREATE OR REPLACE FUNCTION ledger_append_only() RETURNS trigger AS $$ \
                                 BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$ LANGUAGE plpgsql";
const POSTGRES_TRIGGER: &str = "CREATE OR REPLACE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger \
                                FOR EACH ROW EXECUTE FUNCTION ledger_append_only()";
const POSTGRES_NO_TRUNCATE: &str = "CREATE OR REPLACE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger \
                                    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()";
