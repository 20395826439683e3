//! Authorities that hold shares of one key: each decides and records for itself, enough of them make the key.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{BEARER, identity, network, send, serve};
use model::CompiledNetwork;
use roles::ceremony::{Attendance, Credentials, Definition, MailFolder, ServerCard, Terms, deal};
use roles::keyfile::Unlock;
use roles::signature::SigningKey;
use roles::{SHARE, ShareHolder, SharedKey};
use service::authority::{AuthorityError, AuthorityServer, Issuer, KeyRequest, KeySource, POLICY, router};
use service::hash::Hash;
use service::ledger::Event;
use service::opened::opened;
use service::owner::{Connection, ConnectionOptions};
use service::policy::starting_policy;
use service::quorum::{Holder, QuorumError, Verdict, Wish, collect};
use tempfile::TempDir;

/// Three institutions with one key among them, of which two issue.
struct World {
    folder: TempDir,
    network: CompiledNetwork,
    bytes: Vec<u8>,
    identities: Vec<String>,
    keys: Vec<SigningKey>,
    key: SharedKey,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (network, path) = network(folder.path(), 1, 3);
        let identities: Vec<String> = (0..3).map(|_| identity()).collect();
        let keys: Vec<SigningKey> = (0..3).map(|_| SigningKey::generate().unwrap()).collect();
        let cards = cards(&keys, &identities);
        let terms = Terms { name: "test", servers: cards, threshold: 1, clerk: 1 };
        let definition = Definition::generate(terms, network.inputs()).unwrap();
        let key = deal(&definition, &folder.path().join("first")).unwrap();
        Self { bytes: fs::read(path).unwrap(), folder, network, identities, keys, key }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn unlock(&self, server: usize) -> Unlock {
        Unlock::identity(&self.identities[server]).unwrap()
    }

    fn share(&self, shares: &str, server: usize) -> PathBuf {
        self.path(shares).join(format!("s{}", server + 1))
    }

    async fn open(&self, server: usize) -> Issuer {
        let home = self.path(&format!("seat{server}"));
        fs::create_dir_all(&home).unwrap();
        if !home.join(POLICY).exists() {
            let hash = Hash(self.network.hash());
            fs::write(home.join(POLICY), starting_policy(hash, &opened(&[&self.network]).unwrap())).unwrap();
        }
        Issuer::open(&home, None, self.unlock(server)).await.unwrap()
    }

    /// A seat with a project over the share.
    async fn seat(&self, server: usize) -> Issuer {
        let issuer = self.open(server).await;
        let hash = issuer.register(self.bytes.clone(), "test").await.unwrap();
        let share = self.share("first", server);
        issuer.create_project_with("p", hash, KeySource::Share(&share), "test").await.unwrap();
        issuer
    }

    fn request(&self) -> KeyRequest<'_> {
        let network = Hash(self.network.hash());
        KeyRequest { project: "p", network, holder: "h", approvals: &[], by: "test" }
    }

    fn wish(&self) -> Wish<'_> {
        Wish { project: "p", network: Hash(self.network.hash()), holder: "h", approvals: &[] }
    }

    /// A renewal of all three shares, into `shares`.
    fn renew(&self, from: &str, shares: &str) -> SharedKey {
        let cards = cards(&self.keys, &self.identities);
        let terms = Terms { name: "test", servers: cards.clone(), threshold: 1, clerk: 1 };
        let before = SharedKey::read(&self.share(from, 0)).unwrap();
        let definition = Definition::renew(terms, &before, cards).unwrap();
        let mail = MailFolder::new(self.path(&format!("{shares}-messages"))).unwrap();
        let unlocks: Vec<Unlock> = (0..3).map(|server| self.unlock(server)).collect();
        let holders: Vec<ShareHolder> =
            (0..3).map(|server| ShareHolder::load(&self.share(from, server), &unlocks[server]).unwrap()).collect();
        let mut attending: BTreeMap<usize, Attendance<'_>> = BTreeMap::new();
        for server in 0..3 {
            let credentials = Credentials { key: &self.keys[server], unlock: &unlocks[server] };
            let (home, share) = (self.share(shares, server), Some(holders[server].share()));
            attending.insert(
                server,
                Attendance::enter(definition.clone(), &mail, credentials, &home, share, false).unwrap(),
            );
        }
        for _ in 0..8 {
            attending.retain(|_, attendance| attendance.advance(false).unwrap().is_err());
        }
        assert!(attending.is_empty());
        SharedKey::read(&self.share(shares, 0)).unwrap()
    }
}

fn cards(keys: &[SigningKey], identities: &[String]) -> Vec<ServerCard> {
    let card = |(place, (key, identity)): (usize, (&SigningKey, &String))| ServerCard {
        name: format!("s{}", place + 1),
        key: key.verifying_key(),
        recipient: Unlock::identity(identity).unwrap().recipient().unwrap(),
    };
    keys.iter().zip(identities).enumerate().map(card).collect()
}

/// An authority over HTTP.
fn holder(name: &str, issuer: Issuer, folder: &Path) -> Holder {
    let tokens = common::tokens(folder);
    let address = serve(move || router(AuthorityServer::new(issuer, tokens).unwrap()), common::loopback());
    Holder { name: name.into(), connection: connection(&format!("http://{address}")) }
}

fn connection(url: &str) -> Connection {
    let token = BEARER.1.strip_prefix("Bearer ").map(str::to_owned);
    Connection::new(ConnectionOptions { url: url.into(), token, ..Default::default() }).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seats_with_shares_make_a_key_together_and_none_alone() {
    let world = World::new();
    let mut holders = Vec::new();
    for server in 0..3 {
        let issuer = world.seat(server).await;
        // Alone it makes no key, and says so; nothing is recorded of it.
        assert!(matches!(issuer.issue(&world.request()).await, Err(AuthorityError::Shared { .. })));
        assert!(issuer.state().await.unwrap().grants.is_empty());
        holders.push(holder(&format!("s{}", server + 1), issuer, &world.path(&format!("seat{server}"))));
    }
    let collected =
        tokio::task::block_in_place(|| collect(&world.key, world.network.map(), &holders, &world.wish())).unwrap();
    world.key.public().verify(&collected.key).unwrap();
    let verdicts: Vec<_> = collected.replies.iter().map(|reply| reply.verdict.clone()).collect();
    assert_eq!(verdicts, [Verdict::Used, Verdict::Used, Verdict::Spare]);
    let parts: Vec<u16> = collected.grants.iter().map(|grant| grant.grant.part.unwrap().server).collect();
    assert_eq!(parts, [1, 2]);
    assert!(collected.pin.is_some());
    // One server under three names is one server.
    let one = || Holder { name: "again".into(), connection: connection(holders[0].connection.url()) };
    let alone = [one(), one(), one()];
    let refused = tokio::task::block_in_place(|| collect(&world.key, world.network.map(), &alone, &world.wish()));
    assert!(matches!(refused, Err(QuorumError::TooFew { found: 1, needed: 2, .. })));
}

/// What a server answers is not believed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commitments_and_keys_are_where_others_find_them() {
    let world = World::new();
    let issuer = world.seat(0).await;
    let id = Hash(*world.key.public().id().as_bytes());
    let tokens = common::tokens(world.folder.path());
    let address = serve(move || router(AuthorityServer::new(issuer, tokens).unwrap()), common::loopback());
    let found = send(address, "GET", &format!("/v1/public-keys/{id}/commitments"), &[], b"");
    assert_eq!(found.body, world.key.commitments().to_bytes());
    let none = send(address, "GET", &format!("/v1/public-keys/{}/commitments", Hash([1; 32])), &[], b"");
    assert_eq!(none.status, 404);
    let body = format!(r#"{{"network":"{}","holder":"h"}}"#, Hash(world.network.hash()));
    let stranger = send(address, "POST", "/v1/projects/p/partial-keys", &[], body.as_bytes());
    assert_eq!(stranger.status, 401);
    let whole = send(address, "POST", "/v1/projects/p/keys", &[BEARER], body.as_bytes());
    assert!(whole.status == 409 && whole.problem().contains("part 1 of 3"), "{whole:?}");
    // A ledger that the policy does not name is not cosigned.
    let unknown = send(address, "GET", &format!("/v1/witness/{}", "2".repeat(64)), &[BEARER], b"");
    assert_eq!(unknown.status, 404, "{unknown:?}");
    let part = send(address, "POST", "/v1/projects/p/partial-keys", &[BEARER], body.as_bytes());
    assert!(part.status == 201 && part.json()["partial"].is_string(), "{part:?}");
    assert_eq!(part.json()["grant"]["grant"]["part"]["servers"], 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_share_takes_over_for_good() {
    let world = World::new();
    let issuer = world.seat(0).await;
    let before = issuer.issue_partial(&world.request()).await.unwrap();
    let key = world.renew("first", "second");
    // Another server's share does not open; the one on record changes nothing.
    assert!(issuer.take_share(&world.share("second", 1), "test").await.is_err());
    assert_eq!(issuer.take_share(&world.share("first", 0), "test").await.unwrap().epoch, 0);
    // By another process, while this one runs.
    let command = world.open(0).await;
    let part = command.take_share(&world.share("second", 0), "test").await.unwrap();
    assert_eq!((part.server, part.epoch), (1, 1));
    command.close().await;
    let older = issuer.take_share(&world.share("first", 0), "test").await;
    assert!(matches!(older, Err(AuthorityError::Field { field: "share", .. })));
    let after = issuer.issue_partial(&world.request()).await.unwrap();
    assert_ne!(before.key, after.key);
    assert_eq!(after.grant.grant.part.unwrap().epoch, 1);
    let read = |bytes: &[u8]| qfe::shares::PartialKey::from_bytes(bytes).unwrap();
    let combiner = key.combiner(world.network.map()).unwrap();
    combiner.verify(&read(&after.key)).unwrap();
    assert!(combiner.verify(&read(&before.key)).is_err());
    issuer.close().await;
    // It is there after a start, too, and the ledger says what was taken when.
    let issuer = world.open(0).await;
    assert_eq!(issuer.issue_partial(&world.request()).await.unwrap().key, after.key);
    let entries = issuer.ledger().after(0).await.unwrap();
    let taken = entries.iter().filter_map(|entry| match serde_json::from_str(&entry.text).unwrap() {
        Event::ShareTaken { part, .. } => Some(part.epoch),
        _ => None,
    });
    assert_eq!(taken.collect::<Vec<_>>(), [0, 1]);
    // An older share from a backup makes no parts.
    issuer.close().await;
    let folder = world.path("seat0/keys").join(Hash(*key.public().id().as_bytes()).to_string());
    for name in [SHARE, "commitments"] {
        fs::copy(world.share("first", 0).join(name), folder.join(name)).unwrap();
    }
    let issuer = world.open(0).await;
    let stale = issuer.issue_partial(&world.request()).await.err().unwrap();
    assert!(stale.to_string().contains("epoch 1"), "{stale}");
    // The one on record is brought again.
    issuer.take_share(&world.share("second", 0), "test").await.unwrap();
    assert_eq!(issuer.issue_partial(&world.request()).await.unwrap().key, after.key);
}

/// A process that ends between any two of the files leaves one share that counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_was_cut_off_is_finished_at_the_next_start() {
    let names = ["public.key", "commitments", SHARE];
    for moved in 0..=names.len() {
        let world = World::new();
        let issuer = world.seat(0).await;
        let key = world.renew("first", "second");
        issuer.take_share(&world.share("second", 0), "test").await.unwrap();
        issuer.close().await;
        // As it was when the ledger had it, and the first `moved` files were in place.
        let folder = world.path("seat0/keys").join(Hash(*key.public().id().as_bytes()).to_string());
        let next = folder.join("next");
        fs::create_dir(&next).unwrap();
        for (place, name) in names.iter().enumerate() {
            if place >= moved {
                fs::rename(folder.join(name), next.join(name)).unwrap();
                fs::copy(world.share("first", 0).join(name), folder.join(name)).unwrap();
            }
        }
        let issuer = world.open(0).await;
        let part = issuer.issue_partial(&world.request()).await.unwrap_or_else(|error| panic!("{moved}: {error}"));
        assert_eq!(part.grant.grant.part.unwrap().epoch, 1, "{moved} files moved");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_keys_and_shares_are_kept_apart() {
    let world = World::new();
    let issuer = world.seat(0).await.with_shares_only().await.unwrap();
    let drawn = issuer.create_project("q", Hash(world.network.hash()), "test").await;
    assert!(matches!(drawn, Err(AuthorityError::SharesOnly { .. })));
    assert!(matches!(issuer.rotate("p", "due", "test").await, Err(AuthorityError::SharesOnly { .. })));
    let twice = issuer
        .create_project_with("q", Hash(world.network.hash()), KeySource::Share(&world.share("first", 0)), "test")
        .await;
    assert!(matches!(twice, Err(AuthorityError::Unknown(_))));
    issuer.close().await;
    // A whole key in the folder, and it does not start.
    let issuer = world.open(0).await;
    issuer.create_project("q", Hash(world.network.hash()), "test").await.unwrap();
    assert!(matches!(issuer.with_shares_only().await, Err(AuthorityError::SharesOnly { .. })));
    // With both, each project issues what it holds.
    let issuer = world.open(0).await;
    let request = KeyRequest { project: "q", ..world.request() };
    let whole = issuer.issue(&request).await.unwrap();
    let key = qfe::FunctionalKey::from_bytes(&whole.key).unwrap();
    let public = issuer.public_key(whole.grant.grant.public_key).await.unwrap();
    qfe::PublicKey::from_bytes(&public).unwrap().verify(&key).unwrap();
    assert!(whole.grant.grant.part.is_none());
    // The part of the only holder is the key.
    let part = qfe::shares::PartialKey::from_bytes(&issuer.issue_partial(&request).await.unwrap().key).unwrap();
    assert_eq!((part.seat().sharing.servers(), part.seat().sharing.quorum()), (1, 1));
}
