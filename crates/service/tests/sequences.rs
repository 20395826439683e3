//! An authority as a state machine: whatever order requests, requests that are broken off, restarts, restored copies
//! and forgeries come in, the keys that left never open more than the policy says.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::task::Poll;

use common::{identity, network};
use model::CompiledNetwork;
use proptest::prelude::*;
use qfe::{FormSpan, FunctionalKey};
use roles::keyfile::Unlock;
use service::authority::{AuthorityError, Issued, Issuer, KeyRequest};
use service::hash::Hash;
use service::ledger::{Event, Grant, Head, Witness};
use service::signature::SigningKey;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tempfile::TempDir;

const NETWORKS: usize = 3;
const OUTPUTS: usize = 2;
/// Two of the three networks.
const RANK: usize = 2 * OUTPUTS;
const HOLDERS: usize = 2;
const FILES: [&str; 3] = ["ledger.sqlite", "ledger.head", "ledger.witnessed"];

/// What somebody does.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// Asks for a key of a network for a holder.
    Issue(usize, usize),
    /// The same, and goes away after so many steps.
    BrokenOff(usize, usize, usize),
    /// A witness looks at the ledger.
    Witness,
    /// The authority's project gets another public key.
    Rotate,
    /// The process ends and starts.
    Restart,
    /// Somebody keeps a copy of database and heads.
    Copy,
    /// Somebody puts the copy back: with the cosignatures that were on it, or beside those of today.
    Restore(bool),
    /// Somebody writes an entry past the authority, looks whether a key comes, and cleans up.
    Forge(Forgery, usize),
}

#[derive(Clone, Copy, Debug)]
enum Forgery {
    /// The project has a fresh epoch under the same public key.
    Epoch,
    /// A key was issued to this holder already.
    Grant,
    /// The last entry never was.
    Cut,
}

fn action() -> impl Strategy<Value = Action> {
    let (network, holder) = (0..NETWORKS, 0..HOLDERS + 2);
    prop_oneof![
        6 => (network.clone(), holder.clone()).prop_map(|(network, holder)| Action::Issue(network, holder)),
        3 => (network.clone(), holder, 0..60usize).prop_map(|(network, holder, steps)| Action::BrokenOff(network, holder, steps)),
        6 => Just(Action::Witness),
        1 => Just(Action::Rotate),
        2 => Just(Action::Restart),
        2 => Just(Action::Copy),
        2 => any::<bool>().prop_map(Action::Restore),
        3 => (prop_oneof![Just(Forgery::Epoch), Just(Forgery::Grant), Just(Forgery::Cut)], network)
            .prop_map(|(forgery, network)| Action::Forge(forgery, network)),
    ]
}

struct World {
    folder: TempDir,
    networks: Vec<(CompiledNetwork, Vec<u8>)>,
    identity: String,
    witness: SigningKey,
}

/// All that ever left the authority.
#[derive(Default)]
struct Left {
    keys: BTreeMap<Hash, Vec<FunctionalKey>>,
    holders: BTreeMap<Hash, BTreeSet<String>>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let networks = (1..=NETWORKS as u64).map(|seed| {
            let (network, path) = network(folder.path(), seed, OUTPUTS);
            (network, std::fs::read(path).unwrap())
        });
        let networks: Vec<_> = networks.collect();
        let witness = SigningKey::generate().unwrap();
        let allow: Vec<String> = networks.iter().map(|(network, _)| format!("\"{}\"", Hash(network.hash()))).collect();
        let text = format!(
            "version = 1\n[networks]\nallow = [{}]\n[limits]\nrank = {RANK}\nbits = 500.0\nholders = {HOLDERS}\n\
             [ledger]\nwitnesses = {{ north = \"{}\" }}\nquorum = 1\n",
            allow.join(", "),
            witness.verifying_key()
        );
        let world = Self { folder, networks, identity: identity(), witness };
        std::fs::create_dir(world.home()).unwrap();
        std::fs::create_dir(world.copy()).unwrap();
        std::fs::write(world.home().join("policy.toml"), text).unwrap();
        world
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("authority")
    }

    fn copy(&self) -> PathBuf {
        self.folder.path().join("copy")
    }

    fn hash(&self, which: usize) -> Hash {
        Hash(self.networks[which].0.hash())
    }

    async fn open(&self) -> Result<Issuer, AuthorityError> {
        Issuer::open(&self.home(), None, Unlock::identity(&self.identity).unwrap()).await
    }

    async fn ready(&self) -> Issuer {
        let authority = self.open().await.unwrap();
        for (_, bytes) in &self.networks {
            authority.register(bytes.clone(), "test").await.unwrap();
        }
        authority.create_project("p", self.hash(0), "test").await.unwrap();
        authority
    }

    fn request<'a>(&self, network: usize, holder: &'a str) -> KeyRequest<'a> {
        KeyRequest { project: "p", network: self.hash(network), holder, approvals: &[], by: "test" }
    }
}

fn copy(from: &Path, to: &Path) {
    for name in FILES {
        let _ = std::fs::remove_file(to.join(name));
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

/// What a future gives if it is done after so many steps; else it is dropped where it stands.
async fn after_steps<F: Future>(future: F, mut steps: usize) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if steps == 0 => Poll::Ready(None),
        Poll::Pending => {
            steps -= 1;
            Poll::Pending
        }
    })
    .await
}

impl Left {
    /// Takes a key that was given out, and counts all of its public key anew, from the keys themselves.
    fn take(&mut self, issued: &Issued, holder: &str) {
        let public_key = issued.parameters.public_key;
        self.keys.entry(public_key).or_default().push(FunctionalKey::from_bytes(&issued.key).unwrap());
        let holders = self.holders.entry(public_key).or_default();
        holders.insert(holder.to_owned());
        assert!(holders.len() <= HOLDERS, "{holders:?}");
        let keys = &self.keys[&public_key];
        let (n, m) = keys[0].map().inputs();
        let mut span = FormSpan::new(n, m);
        for key in keys {
            span.insert(key.map()).unwrap();
        }
        assert!(span.rank() <= RANK, "{} keys of rank {}", keys.len(), span.rank());
    }
}

async fn connect(world: &World) -> SqliteConnection {
    let url = format!("sqlite://{}", world.home().join("ledger.sqlite").display());
    SqliteConnection::connect(&url).await.unwrap()
}

async fn forge(world: &World, forgery: Forgery, head: Head, public_key: Hash) {
    let mut connection = connect(world).await;
    if let Forgery::Cut = forgery {
        let last = "DELETE FROM ledger WHERE sequence = (SELECT max(sequence) FROM ledger)";
        for statement in ["DROP TRIGGER IF EXISTS ledger_no_delete", last] {
            sqlx::query(statement).execute(&mut connection).await.unwrap();
        }
    } else {
        let (project, by) = ("p".to_owned(), "test".to_owned());
        let event = match forgery {
            Forgery::Grant => Event::KeyIssued(Grant {
                project,
                epoch: 1,
                public_key,
                network: world.hash(0),
                holder: "holder 3".into(),
                rank: 0,
                bits: 0.0,
                expires: None,
                approved_by: vec![],
                policy: Hash([0; 32]),
                by,
                part: None,
            }),
            _ => Event::Rotated { project, epoch: 9, public_key, reason: "due".into(), by },
        };
        let (sequence, at, text) = (head.sequence + 1, service::clock::now(), event.text());
        let parts: [&[u8]; 4] = [&sequence.to_be_bytes(), &at.to_be_bytes(), text.as_bytes(), &head.hash.0];
        let hash = Hash::of("halflight ledger entry v1", &parts);
        sqlx::query("INSERT INTO ledger (sequence, at, event, previous, hash) VALUES (?, ?, ?, ?, ?)")
            .bind(sequence)
            .bind(at)
            .bind(text.as_str())
            .bind(head.hash.to_string())
            .bind(hash.to_string())
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
}

/// Runs a sequence; how many keys left.
async fn run(actions: &[Action]) -> usize {
    let world = World::new();
    let mut authority = Some(world.ready().await);
    let log = authority.as_ref().unwrap().ledger().signers().key();
    let state = world.folder.path().join("witness");
    let copy_of = |key: &SigningKey| {
        let path = world.folder.path().join("north.key");
        if !path.exists() {
            key.save_new(&path).unwrap();
        }
        SigningKey::load(&path).unwrap()
    };
    let witness = Witness::new("north", copy_of(&world.witness), log, state).unwrap();
    let mut left = Left::default();
    let mut given = 0;
    for action in actions {
        let running = authority.take().unwrap();
        authority = Some(match *action {
            Action::Issue(network, holder) => {
                let holder = format!("holder {holder}");
                if let Ok(issued) = running.issue(&world.request(network, &holder)).await {
                    left.take(&issued, &holder);
                    given += 1;
                }
                running
            }
            Action::BrokenOff(network, holder, steps) => {
                let holder = format!("holder {holder}");
                let request = world.request(network, &holder);
                if let Some(Ok(issued)) = after_steps(running.issue(&request), steps).await {
                    left.take(&issued, &holder);
                    given += 1;
                }
                // What was left in the middle of a commit ends first.
                drop(running.ledger().begin().await.unwrap());
                running
            }
            Action::Witness => {
                let seen = witness.last().unwrap();
                // After a restore it may be asked for entries that are not there.
                let after = seen.map_or(0, |head| head.sequence);
                if let Ok(handover) = running.handover(after).await
                    && let Ok((_, note)) = witness.cosign(&handover, seen.is_none())
                {
                    running.keep_cosigned(&note).await.unwrap();
                }
                running
            }
            Action::Rotate => {
                running.rotate("p", "due", "test").await.unwrap();
                running
            }
            Action::Restart => {
                running.close().await;
                world.open().await.unwrap()
            }
            Action::Copy => {
                running.close().await;
                copy(&world.home(), &world.copy());
                world.open().await.unwrap()
            }
            Action::Restore(cosignatures) => {
                running.close().await;
                if world.copy().join(FILES[0]).exists() {
                    let newest = std::fs::read(world.home().join(FILES[2]));
                    copy(&world.copy(), &world.home());
                    if let (false, Ok(newest)) = (cosignatures, newest) {
                        std::fs::write(world.home().join(FILES[2]), newest).unwrap();
                    }
                }
                world.open().await.unwrap()
            }
            Action::Forge(forgery, network) => {
                let head = running.ledger().verify().await.unwrap();
                let public_key = running.state().await.unwrap().projects["p"].current().public_key;
                running.close().await;
                let honest = tempfile::tempdir().unwrap();
                copy(&world.home(), honest.path());
                let running = world.open().await.unwrap();
                forge(&world, forgery, head, public_key).await;
                for holder in 0..HOLDERS + 2 {
                    let holder = format!("holder {holder}");
                    let issued = running.issue(&world.request(network, &holder)).await;
                    assert!(matches!(issued, Err(AuthorityError::Ledger(_))), "{forgery:?}: {:?}", issued.err());
                }
                running.close().await;
                assert!(matches!(world.open().await, Err(AuthorityError::Ledger(_))), "{forgery:?}");
                copy(honest.path(), &world.home());
                world.open().await.unwrap()
            }
        });
    }
    authority.unwrap().ledger().verify().await.unwrap();
    given
}

/// How many sequences; `HALFLIGHT_SEQUENCES` says another number.
fn cases() -> u32 {
    std::env::var("HALFLIGHT_SEQUENCES").map_or(24, |text| text.parse().expect("HALFLIGHT_SEQUENCES is a number"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_requests_crashes_restores_and_forgeries_opens_more_than_the_policy(
        actions in proptest::collection::vec(action(), 1..24)
    ) {
        service::run::block_on(run(&actions)).unwrap();
    }
}

/// The machine can give keys at all, and each of the two limits can stop it.
#[test]
fn the_sequence_of_an_honest_day_gives_its_keys() {
    use Action::{BrokenOff, Copy, Issue, Restart, Restore, Rotate, Witness};
    let day = [Issue(0, 0), Witness, Issue(0, 0), Issue(1, 0), Witness, Restart, Issue(1, 0), Issue(2, 0), Witness];
    assert_eq!(service::run::block_on(run(&day)).unwrap(), 2);
    let holders = [0, 1, 2, 3].map(|holder| Issue(0, holder));
    let twice = [&holders[..], &[Witness], &holders].concat();
    assert_eq!(service::run::block_on(run(&twice)).unwrap(), HOLDERS);
    // A copy that is put back brings back what was open then, and a public key that was left counts on.
    let back =
        [Issue(0, 0), Witness, Copy, Rotate, Issue(1, 1), Witness, Restore(true), Issue(0, 0), Issue(1, 1), Witness];
    assert_eq!(service::run::block_on(run(&back)).unwrap(), 1);
    // Whoever asks again after they went away gets the key that was recorded.
    let broken = [BrokenOff(0, 0, 1000), Witness, BrokenOff(0, 0, 1000)];
    assert_eq!(service::run::block_on(run(&broken)).unwrap(), 1);
}
