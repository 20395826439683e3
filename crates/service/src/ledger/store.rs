//! The ledger in a database.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::{Any, AnyConnection, AnyPool, Row, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::head::HeadFile;
use super::note::{self, Note};
use super::witness::{Handover, Quorum};
use super::{Chain, Checkpoint, Entry, Event, Head, LedgerError, Signers, leftover};
use crate::clock;
use crate::files::{self, FileError};
use crate::hash::Hash;

/// The ledger of one authority.
pub struct Ledger {
    pool: AnyPool,
    backend: Backend,
    url: String,
    head: HeadFile,
    signers: Signers,
    /// One writer of this process at a time: those that wait for the database would hold all of its connections.
    turn: Arc<Mutex<()>>,
}

/// A transaction that excludes every other writer of the ledger, in this and in other processes.
pub struct Writing<'a> {
    ledger: &'a Ledger,
    transaction: Transaction<'static, Any>,
    last: Head,
    // Given back in this order, both after commit and head.
    _lock: File,
    _turn: OwnedMutexGuard<()>,
}

#[derive(Clone, Copy, PartialEq)]
enum Backend {
    Sqlite,
    Postgres,
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
/// How long other processes may hold the head.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a database may take to answer at all.
const ACQUIRE: Duration = Duration::from_secs(5);

impl Ledger {
    /// Opens or creates the ledger at `url` (`sqlite:PATH` or `postgres://…`), whose head is remembered in `head`. One
    /// from before entries were signed is taken over where `signers` says so.
    ///
    /// # Errors
    /// [`LedgerError`] when the address is unknown, the database refuses, the end of the ledger is missing, or its head is
    /// signed by nobody who counts.
    pub async fn open(url: &str, head: PathBuf, signers: Signers) -> Result<Self, LedgerError> {
        sqlx::any::install_default_drivers();
        let shown = without_credentials(url);
        let (backend, address) = address(url).ok_or_else(|| LedgerError::Url { url: shown.clone() })?;
        let head = HeadFile(head);
        if let (Some(remembered), Some(path)) =
            (head.read(&signers)?.filter(|head| head.sequence > 0), sqlite_path(url))
            && !path.exists()
        {
            // It would be made anew, and empty.
            return Err(head.cut(remembered, "is missing".into()));
        }
        // SQLite gives its log files the mode of the database.
        if let Some(path) = sqlite_path(url).filter(|path| path.parent().is_some_and(Path::is_dir)) {
            files::make_secret_file(&path).map_err(LedgerError::File)?;
            // While nobody writes, so that database and log are of one moment.
            let _lock = lock(&head).await?;
            leftover::check(&path).await?;
        }
        let fail = |source| LedgerError::Database { url: shown.clone(), source };
        let pool = AnyPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(ACQUIRE)
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
        let ledger = Self { pool, backend, url: shown, head, signers, turn: Arc::default() };
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

    /// The first entries behind `sequence`, at most `most` of them; otherwise as [`Ledger::after`].
    ///
    /// # Errors
    /// As [`Ledger::after`].
    pub async fn page(&self, sequence: i64, most: usize) -> Result<Vec<Entry>, LedgerError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = sqlx::query(PAGE).bind(sequence).bind(most).fetch_all(&self.pool).await;
        rows.map_err(|source| self.fail(source))?.iter().map(|row| self.entry(row)).collect()
    }

    /// Proves the whole chain with all signatures, and that its end is the one remembered.
    ///
    /// # Errors
    /// [`LedgerError`] names the first entry at fault.
    pub async fn verify(&self) -> Result<Head, LedgerError> {
        let remembered = self.head.read(&self.signers)?;
        let mut chain = Chain::default();
        for entry in self.after(0).await? {
            chain.follow(&entry, &self.signers)?;
        }
        chain.finish()?;
        if let Some(head) = remembered.filter(|head| head.sequence > chain.head().sequence) {
            return Err(self.head.cut(head, format!("ends with entry {}", chain.head().sequence)));
        }
        self.check_head_anew().await?;
        Ok(chain.head())
    }

    /// Whose entries count.
    pub fn signers(&self) -> &Signers {
        &self.signers
    }

    /// Begins to write: waits for every other writer to end.
    ///
    /// # Errors
    /// The database refuses, or the end of the ledger is missing.
    pub async fn begin(&self) -> Result<Writing<'_>, LedgerError> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        // Held until the head is written: else a slower process could put an older head in place of a newer one.
        let lock = lock(&self.head).await?;
        let mut transaction = self.transaction().await?;
        if self.backend == Backend::Postgres {
            let lock = sqlx::query("LOCK TABLE ledger IN EXCLUSIVE MODE").execute(&mut *transaction).await;
            lock.map_err(|source| self.fail(source))?;
        }
        // On the connection of the transaction: one more per writer could exhaust the pool while all wait for one.
        self.check_head(&mut transaction).await?;
        self.catch_up(&mut transaction).await?;
        let last = self.last(&mut transaction).await?;
        Ok(Writing { ledger: self, transaction, last, _lock: lock, _turn: turn })
    }

    /// Remembers the last entry, once what is behind the head is proven: where another authority wrote it, this is what
    /// shows later that it is gone.
    ///
    /// # Errors
    /// The end of the ledger is missing, an entry does not hold, or the head cannot be written.
    pub async fn remember(&self) -> Result<(), LedgerError> {
        let _turn = self.turn.lock().await;
        let _lock = lock(&self.head).await?;
        let mut connection = self.pool.acquire().await.map_err(|source| self.fail(source))?;
        self.check_head(&mut connection).await?;
        self.catch_up(&mut connection).await
    }

    /// Remembers the last entry where the head lags behind it: a process ended between entry and head, or another
    /// authority wrote. Only entries that are proven are remembered. The caller holds the lock and has checked the head.
    async fn catch_up(&self, connection: &mut AnyConnection) -> Result<(), LedgerError> {
        let head = match self.head.read(&self.signers)? {
            Some(head) if !self.head.is_unsigned()? => head,
            _ => Head::EMPTY,
        };
        let entries = self.read(connection, head.sequence).await?;
        let mut chain = Chain::behind(head);
        entries.iter().try_for_each(|entry| chain.follow(entry, &self.signers).map(drop))?;
        chain.finish()?;
        if chain.head() != head {
            self.head.write(chain.head(), &self.signers)?;
        }
        Ok(())
    }

    async fn transaction(&self) -> Result<Transaction<'static, Any>, LedgerError> {
        let transaction = match self.backend {
            Backend::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await,
            Backend::Postgres => self.pool.begin().await,
        };
        transaction.map_err(|source| self.fail(source))
    }

    async fn last(&self, connection: &mut AnyConnection) -> Result<Head, LedgerError> {
        let row = sqlx::query(LAST).fetch_optional(connection).await.map_err(|source| self.fail(source))?;
        let Some(row) = row else { return Ok(Head::EMPTY) };
        let entry = self.entry(&row)?;
        Ok(entry.head())
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
            Backend::Postgres => &[CREATE, POSTGRES_FUNCTION, POSTGRES_TRIGGER, POSTGRES_NO_TRUNCATE],
        };
        let _lock = lock(&self.head).await?;
        let mut transaction = self.transaction().await?;
        if self.backend == Backend::Postgres {
            // Two processes that create the same table at once would collide in the catalogue.
            let lock = sqlx::query("SELECT 1 FROM (SELECT pg_advisory_xact_lock(7214301)) AS locked");
            lock.fetch_optional(&mut *transaction).await.map_err(|source| self.fail(source))?;
        }
        for statement in statements {
            sqlx::query(*statement).execute(&mut *transaction).await.map_err(|source| self.fail(source))?;
        }
        self.add_signatures(&mut transaction).await?;
        let last = self.newest(&mut transaction).await?;
        let remembered = self.head.read(&self.signers)?;
        let unsigned = self.head.is_unsigned()?;
        let lost = remembered.is_none() || unsigned && remembered == Some(Head::EMPTY);
        let mut head = remembered.unwrap_or(Head::EMPTY);
        if let Some(by) = &self.signers.adopt_head {
            if !lost {
                return Err(LedgerError::HeadSigned { path: self.head.path().to_owned() });
            }
            let mut chain = Chain::default();
            for entry in self.read(&mut transaction, 0).await? {
                chain.follow(&entry, &self.signers)?;
            }
            chain.finish()?;
            let Head { sequence: entries, hash } = chain.head();
            let event = Event::HeadAdopted { entries, hash, by: by.clone() };
            head = self.append(&mut transaction, chain.head(), &event).await?.head();
        } else if remembered.is_none() && last > 0 {
            return Err(LedgerError::HeadMissing { path: self.head.path().to_owned() });
        } else {
            self.check_head(&mut transaction).await?;
        }
        if self.signers.adopt && last > 0 {
            let entries = self.read(&mut transaction, 0).await?;
            if entries.iter().all(|entry| entry.signature.is_none()) {
                let mut chain = Chain::default();
                entries.iter().try_for_each(|entry| chain.follow(entry, &self.signers).map(drop))?;
                let event = Event::Migrated { entries: last, hash: chain.head().hash };
                head = self.append(&mut transaction, chain.head(), &event).await?.head();
            }
        }
        transaction.commit().await.map_err(|source| self.fail(source))?;
        // Written before the first entry, so that a head that is missing later was removed; and signed from now on.
        if lost || Some(head) != remembered {
            self.head.write(head, &self.signers)?;
        }
        let mut connection = self.pool.acquire().await.map_err(|source| self.fail(source))?;
        self.check_head(&mut connection).await?;
        match self.catch_up(&mut connection).await {
            // Whoever reads or writes is told; the rest of the ledger stays readable.
            Err(LedgerError::Broken { .. }) => Ok(()),
            done => done,
        }
    }

    /// Place of the last entry, whatever it holds; 0 where there is none.
    async fn newest(&self, connection: &mut AnyConnection) -> Result<i64, LedgerError> {
        let last = "SELECT sequence FROM ledger ORDER BY sequence DESC LIMIT 1";
        let row = sqlx::query(last).fetch_optional(connection).await.map_err(|source| self.fail(source))?;
        row.map_or(Ok(0), |row| row.try_get(0)).map_err(|source| self.fail(source))
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

    async fn read(&self, connection: &mut AnyConnection, after: i64) -> Result<Vec<Entry>, LedgerError> {
        let rows = sqlx::query(COLUMNS).bind(after).fetch_all(connection).await;
        rows.map_err(|source| self.fail(source))?.iter().map(|row| self.entry(row)).collect()
    }

    async fn append(&self, connection: &mut AnyConnection, last: Head, event: &Event) -> Result<Entry, LedgerError> {
        let entry = Entry::next(clock::now(), event, last, self.signers.own());
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
        Ok(entry)
    }

    /// The signed head and the entries behind `after`, for witnesses.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn handover(&self, after: i64) -> Result<Handover, LedgerError> {
        let _lock = lock(&self.head).await?;
        let mut connection = self.pool.acquire().await.map_err(|source| self.fail(source))?;
        self.check_head(&mut connection).await?;
        self.catch_up(&mut connection).await?;
        drop(connection);
        let note = self.head.note(&self.signers)?;
        let size = Checkpoint::of(&note).map_err(LedgerError::Checkpoint)?.head.sequence;
        let mut entries = self.after(after).await?;
        entries.retain(|entry| entry.sequence <= size);
        Ok(Handover::new(&note, &entries))
    }

    /// Keeps the cosignatures of a checkpoint of this ledger beside the head; gives back the checkpoint and how many
    /// different witnesses of the quorum cosigned it.
    ///
    /// # Errors
    /// It is no checkpoint of this ledger, or nothing can be written.
    pub async fn keep_cosigned(&self, text: &str, quorum: &Quorum) -> Result<(Head, usize), LedgerError> {
        let mut note = Note::parse(text).map_err(LedgerError::Checkpoint)?;
        let checkpoint = Checkpoint::of(&note).map_err(LedgerError::Checkpoint)?;
        let _lock = lock(&self.head).await?;
        if !self.holds(&note, &checkpoint).await? {
            return Err(LedgerError::Checkpoint(
                "it is not of this ledger: its key did not sign it, or its entry is not here".into(),
            ));
        }
        if quorum.count(&note) == 0 {
            return Err(LedgerError::Checkpoint("none of the policy's witnesses cosigned it".into()));
        }
        if let Some(kept) = self.cosigned()? {
            let before = Checkpoint::of(&kept).map_err(LedgerError::Checkpoint)?;
            if before.head.sequence > checkpoint.head.sequence && quorum.is_reached(&kept) {
                return Ok((before.head, quorum.count(&kept)));
            }
            note.merge(&kept);
        }
        files::write(&self.cosigned_path(), note.to_text().as_bytes())?;
        Ok((checkpoint.head, quorum.count(&note)))
    }

    /// The last entry that a quorum of witnesses is shown to have seen; none where there was none.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn witnessed(&self, quorum: &Quorum) -> Result<Option<Head>, LedgerError> {
        let Some(note) = self.cosigned()? else { return Ok(None) };
        let checkpoint = Checkpoint::of(&note).map_err(LedgerError::Checkpoint)?;
        let holds = quorum.is_reached(&note) && self.holds(&note, &checkpoint).await?;
        Ok(holds.then_some(checkpoint.head))
    }

    /// Whether a key that counts signed a checkpoint, and its entry is here.
    async fn holds(&self, note: &Note, checkpoint: &Checkpoint) -> Result<bool, LedgerError> {
        if !self.signers.keys().any(|key| note.is_signed(&checkpoint.origin, &key)) {
            return Ok(false);
        }
        let mut connection = self.pool.acquire().await.map_err(|source| self.fail(source))?;
        let found = self.hash_at(&mut connection, checkpoint.head.sequence).await?;
        Ok(found.is_some_and(|hash| hash == checkpoint.head.hash.to_string()))
    }

    fn cosigned(&self) -> Result<Option<Note>, LedgerError> {
        let path = self.cosigned_path();
        if !path.exists() {
            return Ok(None);
        }
        let text = files::read_text(&path, note::MAX_BYTES as u64)?;
        let format = |problem| LedgerError::HeadFormat { path: path.clone(), problem };
        Note::parse(&text).map(Some).map_err(format)
    }

    fn cosigned_path(&self) -> PathBuf {
        self.head.path().with_extension("witnessed")
    }

    async fn hash_at(&self, connection: &mut AnyConnection, sequence: i64) -> Result<Option<String>, LedgerError> {
        let row = sqlx::query("SELECT hash FROM ledger WHERE sequence = $1")
            .bind(sequence)
            .fetch_optional(connection)
            .await
            .map_err(|source| self.fail(source))?;
        row.map(|row| row.try_get(0)).transpose().map_err(|source| self.fail(source))
    }

    /// The remembered entry must be there; entries behind it may be, where a process ended before it wrote the head.
    async fn check_head(&self, connection: &mut AnyConnection) -> Result<(), LedgerError> {
        let Some(head) = self.head.read(&self.signers)? else { return Ok(()) };
        if head.sequence == 0 {
            // Anybody could have written it to hide that the end was cut off.
            let suspect = !self.signers.adopt && self.head.is_unsigned()? && self.newest(connection).await? > 0;
            return if suspect { Err(self.head.empty()) } else { Ok(()) };
        }
        match self.hash_at(connection, head.sequence).await? {
            Some(hash) if hash == head.hash.to_string() => Ok(()),
            Some(hash) => Err(self.head.cut(head, format!("has {hash} there"))),
            None => Err(self.head.cut(head, "has no such entry".into())),
        }
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
        self.ledger.read(&mut self.transaction, sequence).await
    }

    /// The last entry: those appended here included.
    pub fn last(&self) -> Head {
        self.last
    }

    /// Appends an event, signed.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn append(&mut self, event: &Event) -> Result<Entry, LedgerError> {
        let entry = self.ledger.append(&mut self.transaction, self.last, event).await?;
        self.last = entry.head();
        Ok(entry)
    }

    /// Makes what was appended last: on the disk when this returns.
    ///
    /// # Errors
    /// The database refuses, or the head cannot be written.
    pub async fn commit(self) -> Result<Head, LedgerError> {
        let Self { ledger, transaction, last, _lock, _turn } = self;
        let (url, head, signers) = (ledger.url.clone(), ledger.head.clone(), ledger.signers.clone());
        // A task of its own: whoever waits may go away between the two, and the head would lag.
        let done = tokio::spawn(async move {
            transaction.commit().await.map_err(|source| LedgerError::Database { url, source })?;
            head.write(last, &signers)?;
            drop((_lock, _turn));
            Ok::<_, LedgerError>(last)
        });
        let path = ledger.head.path();
        let ended = |error| FileError::System {
            path: path.to_owned(),
            action: "written",
            source: std::io::Error::other(error),
        };
        done.await.map_err(ended)?
    }
}

/// Excludes every other process that keeps this head.
async fn lock(head: &HeadFile) -> Result<File, LedgerError> {
    let path = head.path().with_extension("head.lock");
    let fail = |source| FileError::System { path: path.clone(), action: "written", source };
    let file = File::options().append(true).create(true).open(&path).map_err(fail)?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Err(std::fs::TryLockError::WouldBlock) => return Err(LedgerError::Held { path }),
            Err(std::fs::TryLockError::Error(source)) => return Err(fail(source).into()),
        }
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

/// Host and database of an address, or the path: passwords stand before the host or in the query.
fn without_credentials(url: &str) -> String {
    if url.starts_with("sqlite:") {
        return url.to_owned();
    }
    let (place, query) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    // A '?' may be part of a password that is not encoded.
    let Some((scheme, place)) = place.split_once("://").filter(|_| !query.contains('@')) else {
        return "…".into();
    };
    match place.rsplit_once('@') {
        Some((_, place)) => format!("{scheme}://…@{place}"),
        None => format!("{scheme}://{place}"),
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
const POSTGRES_NO_TRUNCATE: &str = "CREATE OR REPLACE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger \
                                    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()";
