//! Witnesses of an authority's ledger, some of whom would rather that no key is handed out.

mod common;

use common::{identity, network};
use roles::keyfile::Unlock;
use service::authority::{AuthorityError, Issuer, KeyRequest};
use service::hash::Hash;
use service::ledger::Witness;
use service::signature::SigningKey;
use tempfile::TempDir;

/// An authority whose keys wait for two witnesses, and these.
struct World {
    folder: TempDir,
    authority: Issuer,
    network: Hash,
    north: Witness,
    south: Witness,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (network, path) = network(folder.path(), 1, 3);
        let network = Hash(network.hash());
        let [north, south] = [(); 2].map(|()| SigningKey::generate().unwrap());
        let home = folder.path().join("authority");
        std::fs::create_dir(&home).unwrap();
        let policy = format!(
            "version = 1\n[networks]\nallow = [\"{network}\"]\n[limits]\nrank = 3\nbits = 500.0\n[ledger]\nquorum = 2\n\
             witnesses = {{ north = \"{}\", south = \"{}\" }}\n",
            north.verifying_key(),
            south.verifying_key()
        );
        std::fs::write(home.join("policy.toml"), policy).unwrap();
        let authority = Issuer::open(&home, None, Unlock::identity(&identity()).unwrap()).await.unwrap();
        authority.register(std::fs::read(path).unwrap(), "test").await.unwrap();
        authority.create_project("p", network, "test").await.unwrap();
        let log = authority.ledger().signers().key();
        let witness = |name: &str, key| Witness::new(name, key, log.clone(), folder.path().join(name)).unwrap();
        let (north, south) = (witness("north", north), witness("south", south));
        Self { folder, authority, network, north, south }
    }

    async fn issue(&self, holder: &str) -> Result<(), AuthorityError> {
        let request = KeyRequest { project: "p", network: self.network, holder, approvals: &[], by: "test" };
        self.authority.issue(&request).await.map(drop)
    }

    /// The head of this moment, cosigned.
    async fn cosigned(&self, witness: &Witness) -> String {
        let first = witness.last().unwrap().is_none();
        witness.cosign(&self.authority.handover(0).await.unwrap(), first).unwrap().1
    }

    /// An entry that says nothing of keys.
    async fn refuse(&self) {
        assert!(self.authority.create_project("p", self.network, "test").await.is_err());
    }
}

fn waits(issued: &Result<(), AuthorityError>) -> bool {
    matches!(issued, Err(AuthorityError::Unwitnessed { people: 2, .. }))
}

/// Whoever may bring cosignatures added lines of their own to a note. Together they were longer than a file of notes may
/// be: it could not be read again, and no key was handed out any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signatures_of_nobody_do_not_fill_the_file_of_cosignatures() {
    let world = World::new().await;
    assert!(waits(&world.issue("h").await));
    let note = world.cosigned(&world.north).await;
    let head = note.split_inclusive("\n\n").take(1).chain(note.split("\n\n").nth(1)).collect::<String>();
    for letter in ["A", "B", "C"] {
        let padded = format!("{}\n— nobody {}\n", head.trim_end(), letter.repeat(60_000));
        world.authority.keep_cosigned(&padded).await.unwrap();
    }
    let lines: String = (0..60).map(|line| format!("— nobody AAAA{line:04}\n")).collect();
    world.authority.keep_cosigned(&format!("{}\n{lines}", head.trim_end())).await.unwrap();
    assert!(waits(&world.issue("h").await), "one witness is not two");
    assert_eq!(world.authority.keep_cosigned(&world.cosigned(&world.south).await).await.unwrap().1, 2);
    world.issue("h").await.unwrap();
    let kept = std::fs::read_to_string(world.folder.path().join("authority/ledger.witnessed")).unwrap();
    assert!(kept.len() < 1000 && !kept.contains("nobody"), "{kept}");
}

/// A witness that cosigned a newer head alone, or an older one again, took the place of what a quorum had seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_witness_does_not_undo_what_others_saw() {
    let world = World::new().await;
    let old = world.cosigned(&world.north).await;
    assert!(waits(&world.issue("h").await));
    for witness in [&world.south, &world.north] {
        world.authority.keep_cosigned(&world.cosigned(witness).await).await.unwrap();
    }
    world.refuse().await;
    let newer = world.cosigned(&world.north).await;
    assert_eq!(world.authority.keep_cosigned(&newer).await.unwrap().1, 1);
    assert_eq!(world.authority.keep_cosigned(&old).await.unwrap().1, 2, "both saw later heads");
    world.issue("h").await.unwrap();

    // Heads of two moments: each includes the issue.
    assert!(waits(&world.issue("other").await));
    world.authority.keep_cosigned(&world.cosigned(&world.south).await).await.unwrap();
    assert!(waits(&world.issue("other").await), "one witness is not two");
    world.refuse().await;
    world.authority.keep_cosigned(&world.cosigned(&world.north).await).await.unwrap();
    world.issue("other").await.unwrap();
}
