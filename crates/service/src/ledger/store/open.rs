//! Opening a ledger: creates what is missing, migrates old entries, detects truncation.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Mutex;

use super::super::head::HeadFile;
use super::super::{Chain, Event, Head, LedgerError, Signers, leftover};
use super::Ledger;
use super::address::{address, sqlite_path, without_credentials};
use super::database::Database;
use super::lock::lock;
use crate::files;

impl Ledger {
    /// Opens or creates the ledger at `url` (`sqlite:PATH` or `postgres://…`), whose head is remembered in `head`. One
    /// from before entries were signed is taken over where `signers` says so.
    ///
    /// # Errors
    /// [`LedgerError`] when the address is unknown, the database refuses, the end of the ledger is missing, or its head is
    /// signed by nobody who counts.
    pub async fn open(url: &str, head: PathBuf, signers: Signers) -> Result<Self, LedgerError> {
        sqlx::any::install_default_drivers();
        if address(url).is_none() {
            return Err(LedgerError::Url { url: without_credentials(url) });
        }
        let head = HeadFile(head);
        if let (Some(remembered), Some(path)) =
            (head.read(signers.keyring().keys(), signers.adopt)?.filter(|head| head.sequence > 0), sqlite_path(url))
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
        let database = Database::open(url).await?;
        let ledger = Self { database, head, signers, turn: Arc::default(), proven: Mutex::default() };
        match ledger.prepare().await {
            Ok(()) => Ok(ledger),
            Err(error) => {
                ledger.close().await;
                Err(error)
            }
        }
    }

    async fn prepare(&self) -> Result<(), LedgerError> {
        let _lock = lock(&self.head).await?;
        let mut transaction = self.database.transaction().await?;
        self.database.create(&mut transaction).await?;
        let last = self.database.newest(&mut transaction).await?;
        let remembered = self.remembered()?;
        let unsigned = self.head.is_unsigned()?;
        let lost = remembered.is_none() || unsigned && remembered == Some(Head::EMPTY);
        let mut head = remembered.unwrap_or(Head::EMPTY);
        if let Some(by) = &self.signers.adopt_head {
            if !lost {
                return Err(LedgerError::HeadSigned { path: self.head.path().to_owned() });
            }
            let mut chain = Chain::default();
            for entry in self.database.after(&mut transaction, 0).await? {
                chain.follow(&entry, self.signers.keyring())?;
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
            let entries = self.database.after(&mut transaction, 0).await?;
            if entries.iter().all(|entry| entry.signature.is_none()) {
                let mut chain = Chain::default();
                entries.iter().try_for_each(|entry| chain.follow(entry, self.signers.keyring()).map(drop))?;
                let event = Event::Migrated { entries: last, hash: chain.head().hash };
                head = self.append(&mut transaction, chain.head(), &event).await?.head();
            }
        }
        transaction.commit().await.map_err(|source| self.database.fail(source))?;
        // Written before the first entry, so that a head that is missing later was removed; and signed from now on.
        if lost || Some(head) != remembered {
            self.head.write(head, &self.signers)?;
        }
        let mut connection = self.database.connection().await?;
        self.check_head(&mut connection).await?;
        match self.catch_up(&mut connection).await {
            // Whoever reads or writes is told; the rest of the ledger stays readable.
            Err(LedgerError::Broken { .. }) => Ok(()),
            done => done,
        }
    }
}
