//! The ledger in PostgreSQL, on a real server that the test starts for itself where one is installed.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{BEARER, loopback};
use roles::keyfile::Unlock;
use service::authority::{AuthorityServer, Issuer, POLICY, router};
use service::hash::Hash;
use service::ledger::{Event, Keyring, Ledger, LedgerError, LedgerReader, Signers};
use service::opened::opened;
use service::policy::starting_policy;
use service::signature::SigningKey;
use service::transport::Server;

/// A server in a folder of its own, ended with the test.
struct Postgres {
    folder: tempfile::TempDir,
    child: std::process::Child,
    port: u16,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The newest installed server's programs.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    if let Some(found) = std::env::split_paths(&path).find(|folder| has_programs(folder)) {
        return Some(found);
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    folders.filter(|folder| has_programs(folder)).max()
}

fn has_programs(folder: &Path) -> bool {
    folder.join("initdb").exists() && folder.join("postgres").exists()
}

/// The server refuses to run as root: then it runs as the user that its package made.
fn as_user(root: bool, program: &Path) -> Command {
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

fn start() -> Option<Postgres> {
    let programs = programs()?;
    let folder = tempfile::tempdir().ok()?;
    let data = folder.path().join("data");
    let root = Command::new("id").arg("-u").output().ok()?.stdout.starts_with(b"0");
    if root && !Command::new("chown").arg("postgres").arg(folder.path()).status().ok()?.success() {
        return None;
    }
    let mut initdb = as_user(root, &programs.join("initdb"));
    initdb.args(["--auth=trust", "--username=halflight", "--no-sync", "--pgdata"]).arg(&data);
    if !initdb.stdout(Stdio::null()).status().ok()?.success() {
        return None;
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
    let mut server = as_user(root, &programs.join("postgres"));
    server.args(["-h", "127.0.0.1", "-c", "unix_socket_directories=", "-p", &port.to_string(), "-D"]).arg(&data);
    let child = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let server = Postgres { folder, child, port };
    let up = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    up.then_some(server)
}

impl Postgres {
    fn url(&self) -> String {
        format!("postgres://halflight@127.0.0.1:{}/postgres", self.port)
    }
}

fn event(number: u32) -> Event {
    let public_key = Hash([number as u8; 32]);
    Event::Rotated { project: "p".into(), epoch: number, public_key, reason: "due".into(), by: "anna".into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_ledger_holds_in_postgresql() {
    let Some(server) = start() else {
        println!("skipped: no PostgreSQL server is installed, or it does not start");
        return;
    };
    let url = server.url();
    let head = server.folder.path().with_extension("head");
    let key = server.folder.path().with_extension("key");
    SigningKey::generate().unwrap().save_new(&key).unwrap();
    let signers = || Signers::new(SigningKey::load(&key).unwrap(), vec![]);
    // The port answers a little before the server takes connections.
    let mut opened = Ledger::open(&url, head.clone(), signers()).await;
    for _ in 0..50 {
        if opened.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        opened = Ledger::open(&url, head.clone(), signers()).await;
    }
    let ledger = std::sync::Arc::new(opened.unwrap());
    let other = std::sync::Arc::new(Ledger::open(&url, head.clone(), signers()).await.unwrap());
    let tasks: Vec<_> = (1..=20u32)
        .map(|number| {
            let ledger = std::sync::Arc::clone(if number % 2 == 0 { &ledger } else { &other });
            tokio::spawn(async move {
                let mut writing = ledger.begin().await.unwrap();
                writing.append(&event(number)).await.unwrap();
                writing.commit().await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(ledger.verify().await.unwrap().sequence, 20);
    let keyring = Keyring::new(vec![ledger.signers().key()]);
    let reader = LedgerReader::open(&url, head.clone(), keyring).await.unwrap();
    assert_eq!(reader.entries().await.unwrap().len(), 20);
    reader.close().await;

    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&url).await.unwrap();
    for statement in ["UPDATE ledger SET at = 1", "DELETE FROM ledger", "TRUNCATE ledger"] {
        let error = sqlx::query(statement).execute(&pool).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    for statement in ["DROP TRIGGER ledger_append_only ON ledger", "DELETE FROM ledger WHERE sequence = 7"] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    assert!(matches!(other.verify().await, Err(LedgerError::Broken { sequence: 7, .. })));
    let _ = std::fs::remove_file(&head);
    let _ = std::fs::remove_file(key);
    let _ = std::fs::remove_file(head.with_extension("head.lock"));
}

/// `/health` took twenty seconds, longer than any probe waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn health_answers_soon_while_the_database_is_down() {
    let Some(mut server) = start() else {
        println!("skipped: no PostgreSQL server is installed, or it does not start");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("authority");
    let (network, _) = common::network(folder.path(), 1, 3);
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join(POLICY), starting_policy(Hash(network.hash()), &opened(&[&network]).unwrap())).unwrap();
    let (identity, url) = (common::identity(), server.url());
    let open = || Issuer::open(&home, Some(&url), Unlock::identity(&identity).unwrap());
    let mut authority = open().await;
    for _ in 0..50 {
        if authority.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        authority = open().await;
    }
    let routes = router(AuthorityServer::new(authority.unwrap(), common::tokens(folder.path())).unwrap());
    let listener = Server::bind(loopback()).await.unwrap();
    let address = listener.address();
    tokio::spawn(listener.run(routes, std::future::pending()));
    let health = move || {
        let start = Instant::now();
        (common::send(address, "GET", "/health", &[BEARER], b"").status, start.elapsed())
    };
    let (status, _) = tokio::task::spawn_blocking(health).await.unwrap();
    assert_eq!(status, 200);
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    for _ in 0..3 {
        let (status, time) = tokio::task::spawn_blocking(health).await.unwrap();
        assert!(status >= 500 && time < Duration::from_secs(6), "{status} after {time:?}");
    }
}
