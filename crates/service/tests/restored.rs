//! Ledgers that somebody else wrote, wrote anew or put back: no key is issued on them.

mod common;

use std::path::{Path, PathBuf};

use common::{identity, network};
use roles::keyfile::Unlock;
use service::audit::{Evidence, SignedAudit};
use service::authority::{AuthorityError, Issuer, KeyRequest};
use service::hash::Hash;
use service::ledger::{Event, Handover, Head, LedgerError, Witness, WitnessError};
use service::signature::SigningKey;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tempfile::TempDir;

/// An authority's folder with one network and the project `p`, which demands an audit.
struct World {
    folder: TempDir,
    network: Hash,
    bytes: Vec<u8>,
    lab: SigningKey,
    identity: String,
}

impl World {
    fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (network, path) = network(folder.path(), 1, 3);
        let (network, bytes) = (Hash(network.hash()), std::fs::read(path).unwrap());
        let world = Self { folder, network, bytes, lab: SigningKey::generate().unwrap(), identity: identity() };
        let text = format!(
            "version = 1\n[networks]\nallow = [\"{network}\"]\n[limits]\nrank = 3\nbits = 500.0\n[audit]\n\
             attributes = [\"font\"]\nstrongest_below = 60.0\nauditors = {{ lab = \"{}\" }}\n{more}",
            world.lab.verifying_key()
        );
        std::fs::create_dir(world.home()).unwrap();
        std::fs::write(world.home().join("policy.toml"), text).unwrap();
        world
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("authority")
    }

    async fn open(&self) -> Result<Issuer, AuthorityError> {
        Issuer::open(&self.home(), None, Unlock::identity(&self.identity).unwrap()).await
    }

    async fn ready(&self) -> Issuer {
        let authority = self.open().await.unwrap();
        authority.register(self.bytes.clone(), "test").await.unwrap();
        authority.create_project("p", self.network, "test").await.unwrap();
        authority
    }

    fn request<'a>(&self, holder: &'a str) -> KeyRequest<'a> {
        KeyRequest { project: "p", network: self.network, holder, approvals: &[], by: "test" }
    }

    fn audit(&self) -> SignedAudit {
        let report = r#"{"attribute":"font","strongest":{"family":"a","accuracy":54,"high":55,"chance":50}}"#;
        SignedAudit::sign(self.network, report, &Evidence::now(report, None, None).unwrap(), &self.lab).unwrap()
    }

    /// Database and heads, as a backup has them.
    fn copy(&self, from: &Path, to: &Path) {
        for name in ["ledger.sqlite", "ledger.head", "ledger.witnessed"] {
            let _ = std::fs::remove_file(to.join(name));
            if from.join(name).exists() {
                std::fs::copy(from.join(name), to.join(name)).unwrap();
            }
        }
    }
}

/// One row that says that an audit was recorded, after the untouched head: it was verified and used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inserted_audit_is_refused_at_issue() {
    let world = World::new("");
    let authority = world.ready().await;
    let before = world.folder.path().join("before");
    std::fs::create_dir(&before).unwrap();
    let head = authority.ledger().verify().await.unwrap();
    let audit = Hash::of_bytes(&world.audit().to_bytes());
    let event = Event::AuditRecorded {
        network: world.network,
        audit,
        attribute: "font".into(),
        strongest: 54.0,
        high: 55.0,
        auditor: "lab".into(),
        key: Some(world.lab.verifying_key()),
        date: Some(service::clock::now()),
        bytes: 0,
        by: "lab".into(),
    };
    std::fs::write(world.home().join("audits").join(format!("{audit}.json")), world.audit().to_bytes()).unwrap();
    insert(&world.home(), head, &event).await;
    // The process that runs, and one that starts.
    let issued = authority.issue(&world.request("h")).await;
    assert!(matches!(issued, Err(AuthorityError::Ledger(LedgerError::Broken { .. }))), "{:?}", issued.err());
    drop(authority);
    assert!(matches!(world.open().await, Err(AuthorityError::Ledger(LedgerError::Broken { .. }))));
}

async fn insert(home: &Path, Head { sequence, hash: previous }: Head, event: &Event) {
    let url = format!("sqlite://{}", home.join("ledger.sqlite").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let (sequence, at, text) = (sequence + 1, service::clock::now(), event.text());
    let parts: [&[u8]; 4] = [&sequence.to_be_bytes(), &at.to_be_bytes(), text.as_bytes(), &previous.0];
    sqlx::query("INSERT INTO ledger (sequence, at, event, previous, hash) VALUES (?, ?, ?, ?, ?)")
        .bind(sequence)
        .bind(at)
        .bind(text.as_str())
        .bind(previous.to_string())
        .bind(Hash::of("halflight ledger entry v1", &parts).to_string())
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// Another whole ledger with its head, that opened nothing yet, in place of the authority's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rewritten_ledger_is_refused_at_issue() {
    let (world, other) = (World::new(""), World::new(""));
    let authority = world.ready().await;
    authority.record_audit(world.audit().to_bytes(), "test").await.unwrap();
    authority.issue(&world.request("h")).await.unwrap();
    authority.close().await;
    other.ready().await.close().await;
    world.copy(&other.home(), &world.home());
    assert!(matches!(world.open().await, Err(AuthorityError::Ledger(LedgerError::HeadFormat { .. }))));
}

/// An older database with its own head proves itself: only witnesses know better.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_ledger_is_refused_at_issue() {
    let key = SigningKey::generate().unwrap();
    let keys = tempfile::tempdir().unwrap();
    key.save_new(&keys.path().join("north.key")).unwrap();
    let north = key.verifying_key();
    let world = World::new(&format!("[ledger]\nwitnesses = {{ north = \"{north}\" }}\nquorum = 1\n"));
    let authority = world.ready().await;
    authority.record_audit(world.audit().to_bytes(), "test").await.unwrap();
    let log = authority.ledger().signers().key();
    let witness = Witness::new("north", key, log.clone(), keys.path().join("state")).unwrap();
    let pass = |handover: Handover| Handover::from_bytes(&handover.to_bytes()).unwrap();

    // Recorded, and handed out only once a witness saw that it is.
    let unwitnessed = |issued: Result<_, AuthorityError>| match issued {
        Err(AuthorityError::Unwitnessed { sequence, people: 1 }) => sequence,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("issued"),
    };
    let first = unwitnessed(authority.issue(&world.request("first")).await);
    assert_eq!(unwitnessed(authority.issue(&world.request("first")).await), first, "recorded once");
    let handover = pass(authority.handover(0).await.unwrap());
    assert!(matches!(witness.cosign(&handover, false), Err(WitnessError::First(_))));
    let (head, note) = witness.cosign(&handover, true).unwrap();
    assert_eq!(head.sequence, first);
    // A cosignature by somebody else, and one of something else, are none.
    let stranger = SigningKey::generate().unwrap();
    let stranger = Witness::new("north", stranger, log, keys.path().join("stranger")).unwrap();
    let (_, forged) = stranger.cosign(&handover, true).unwrap();
    assert!(authority.keep_cosigned(&forged).await.is_err());
    assert!(authority.keep_cosigned(&note.replacen(&format!("\n{first}\n"), "\n99\n", 1)).await.is_err());
    unwitnessed(authority.issue(&world.request("first")).await);
    authority.keep_cosigned(&note).await.unwrap();
    let issued = authority.issue(&world.request("first")).await.unwrap();
    assert_eq!(issued.grant.sequence, first);
    authority.close().await;
    let backup = world.folder.path().join("backup");
    std::fs::create_dir(&backup).unwrap();
    world.copy(&world.home(), &backup);

    // A second holder, by the rules, with only the entries since.
    let authority = world.open().await.unwrap();
    let second = unwitnessed(authority.issue(&world.request("second")).await);
    let (_, note) = witness.cosign(&pass(authority.handover(first).await.unwrap()), false).unwrap();
    assert_eq!(authority.keep_cosigned(&note).await.unwrap().0.sequence, second);
    authority.issue(&world.request("second")).await.unwrap();
    authority.close().await;

    // The backup, with its head and its cosignatures: it opens, and issues nothing new.
    world.copy(&backup, &world.home());
    let authority = world.open().await.unwrap();
    assert!(matches!(
        witness.cosign(&pass(authority.handover(0).await.unwrap()), false),
        Err(WitnessError::Older { .. })
    ));
    unwitnessed(authority.issue(&world.request("third")).await);
    for holder in ["fourth", "fifth"] {
        let refused = witness.cosign(&pass(authority.handover(0).await.unwrap()), false);
        assert!(matches!(refused, Err(WitnessError::Forked { .. })), "{refused:?}");
        // What was cosigned before the restore is of a ledger that is no more.
        assert!(authority.keep_cosigned(&note).await.is_err());
        unwitnessed(authority.issue(&world.request("third")).await);
        unwitnessed(authority.issue(&world.request(holder)).await);
    }
}

/// The database went back under a process that runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_replaced_under_a_running_authority_is_noticed() {
    let world = World::new("");
    let authority = world.ready().await;
    authority.record_audit(world.audit().to_bytes(), "test").await.unwrap();
    let url = format!("sqlite://{}", world.home().join("ledger.sqlite").display());
    let head = std::fs::read(world.home().join("ledger.head")).unwrap();
    authority.issue(&world.request("h")).await.unwrap();
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let last = "DELETE FROM ledger WHERE sequence = (SELECT max(sequence) FROM ledger)";
    for statement in ["DROP TRIGGER ledger_no_delete", last] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    std::fs::write(world.home().join("ledger.head"), head).unwrap();
    let issued = authority.issue(&world.request("other")).await;
    assert!(matches!(issued, Err(AuthorityError::Ledger(LedgerError::Cut { .. }))), "{:?}", issued.err());
}
