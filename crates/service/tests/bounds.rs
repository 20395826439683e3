//! What a caller who may ask, and is not allowed more than that, can make an authority keep.

mod common;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use common::{identity, network};
use model::{CompiledNetwork, ImportOptions, Inputs};
use roles::keyfile::Unlock;
use safetensors::tensor::{Dtype, TensorView};
use service::approval::{Approval, Subject};
use service::authority::{AuthorityError, Issuer, KeyRequest};
use service::hash::Hash;
use service::ledger::{Event, Witness};
use service::signature::SigningKey;
use tempfile::TempDir;

struct World {
    folder: TempDir,
    identity: String,
    allowed: Hash,
}

impl World {
    fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (network, _) = network(folder.path(), 1, 3);
        let world = Self { folder, identity: identity(), allowed: Hash(network.hash()) };
        std::fs::create_dir(world.home()).unwrap();
        world.set_policy(more);
        world
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("authority")
    }

    fn set_policy(&self, more: &str) {
        let text = format!(
            "version = 1\n[networks]\nallow = [\"{}\"]\n[limits]\nrank = 3\nbits = 500.0\n{more}\n",
            self.allowed
        );
        std::fs::write(self.home().join("policy.toml"), text).unwrap();
    }

    async fn open(&self) -> Issuer {
        Issuer::open(&self.home(), None, Unlock::identity(&self.identity).unwrap()).await.unwrap()
    }

    fn network(&self, seed: u64) -> Vec<u8> {
        std::fs::read(network(self.folder.path(), seed, 3).1).unwrap()
    }
}

/// An integer network of so many outputs and units that its outputs take a while to count.
fn large(folder: &Path) -> Vec<u8> {
    let (outputs, units, inputs) = (400, 2000, 17);
    let row = |length: usize, places: [usize; 2]| {
        (0..length).flat_map(move |place| i32::from(places.contains(&place)).to_le_bytes())
    };
    let p: Vec<u8> = (0..units).flat_map(|unit| row(inputs, [unit % inputs, unit / inputs % inputs])).collect();
    let d: Vec<u8> = (0..outputs).flat_map(|output| row(units, [output, units - 1 - output])).collect();
    let view = |shape: [usize; 2], data| TensorView::new(Dtype::I32, shape.to_vec(), data).unwrap();
    let tensors = HashMap::from([("P", view([units, inputs], &p)), ("D", view([outputs, units], &d))]);
    let path = folder.join("large.safetensors");
    safetensors::serialize_to_file(tensors, None, &path).unwrap();
    let inputs = Inputs::Pixels { height: 4, width: 4, bits: 4 };
    let network = CompiledNetwork::import(&path, &ImportOptions { inputs, ..ImportOptions::default() }).unwrap();
    network.save(&path).unwrap();
    std::fs::read(path).unwrap()
}

fn reasons<T>(refused: Result<T, AuthorityError>) -> String {
    match refused {
        Err(AuthorityError::Refused { reasons }) => reasons.join("; "),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("allowed"),
    }
}

async fn refusals(authority: &Issuer) -> Vec<(u64, String, usize)> {
    authority.ledger().verify().await.unwrap();
    let entries = authority.ledger().after(0).await.unwrap();
    let refused = entries.iter().filter_map(|entry| match serde_json::from_str(&entry.text).unwrap() {
        Event::Refused { unrecorded, by, .. } => Some((unrecorded, by, entry.text.len())),
        _ => None,
    });
    refused.collect()
}

/// A token that may register filled the disk with networks, each of which is kept for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_caller_registers_what_the_policy_allows_and_no_more() {
    let world = World::new("[register]\nnetworks = 2\n");
    let authority = world.open().await;
    for seed in [1, 2, 2, 1] {
        authority.register(world.network(seed), "ci").await.unwrap();
    }
    let refused = reasons(authority.register(world.network(3), "ci").await);
    assert!(refused.contains("ci has registered 2 networks") && refused.contains("[register]"), "{refused}");
    let files = || std::fs::read_dir(world.home().join("networks")).unwrap().count();
    assert_eq!(files(), 2);
    // Who registered is on record: starting again makes no room.
    authority.close().await;
    let authority = world.open().await;
    reasons(authority.register(world.network(3), "ci").await);
    authority.register(world.network(3), "anna").await.unwrap();
    authority.register(world.network(3), "ci").await.unwrap();

    // By bytes, over networks and audits.
    let bytes = world.network(4).len();
    assert!(bytes < 1_000_000);
    world.set_policy("[register]\nmegabytes = 0\n");
    authority.reload_policy("test").await.unwrap();
    let refused = reasons(authority.register(world.network(4), "otto").await);
    assert!(refused.contains("0 MB") && refused.contains("raise networks or megabytes"), "{refused}");
    world.set_policy("[register]\nmegabytes = 1\n");
    authority.reload_policy("test").await.unwrap();
    authority.register(world.network(4), "otto").await.unwrap();
    assert_eq!(authority.state().await.unwrap().brought("otto").bytes, bytes as u64);
    assert_eq!(files(), 4);
}

/// Each refusal was an entry: with many long reasons, those of a minute were more than a witness reads at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_refusals_of_a_caller_are_counted_and_not_all_kept() {
    let world = World::new("");
    let authority = world.open().await;
    for _ in 0..500 {
        reasons(authority.create_project("p", Hash([9; 32]), "noisy").await);
    }
    reasons(authority.create_project("p", Hash([9; 32]), "quiet").await);
    let (found, counted) = (refusals(&authority).await, authority.state().await.unwrap().refusals);
    let of = |by: &str| found.iter().filter(|(_, found, _)| found == by).map(|found| found.0).collect::<Vec<_>>();
    assert_eq!(of("noisy"), [vec![0; 64], vec![63, 127, 255][..2].to_vec()].concat());
    assert_eq!(of("quiet"), [0], "another caller's are recorded as before");
    assert_eq!(counted, 64 + 64 + 128 + 1);
    // What is left is recorded at the end, and starting again begins no new count.
    authority.close().await;
    let authority = world.open().await;
    assert_eq!(authority.state().await.unwrap().refusals, 501);
    reasons(authority.create_project("p", Hash([9; 32]), "noisy").await);
    assert_eq!(refusals(&authority).await.len(), 64 + 2 + 1 + 1);
    authority.close().await;
    let authority = world.open().await;
    assert_eq!(authority.state().await.unwrap().refusals, 502);
}

/// Whoever asks for a key can send many approvals, and each that does not fit is a reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_with_many_reasons_has_a_short_entry() {
    let world = World::new("");
    let authority = world.open().await;
    authority.register(world.network(1), "test").await.unwrap();
    authority.create_project("p", world.allowed, "test").await.unwrap();
    let (key, network) = (SigningKey::generate().unwrap(), world.allowed);
    let subject =
        Subject { public_key: network, network, holder: "x".into(), rank: 1, bits: 1.0, audits: Hash([0; 32]) };
    let approvals: Vec<Approval> = (0..200).map(|expires| Approval::sign(&subject, expires, &key)).collect();
    let request = KeyRequest { project: "p", network, holder: "h", approvals: &approvals, by: "test" };
    let refused = reasons(authority.issue(&request).await);
    assert!(refused.len() > 20_000, "the caller gets them all");
    let length = refusals(&authority).await[0].2;
    assert!(length < 10_000, "{length}");
    assert!(authority.ledger().after(0).await.unwrap().last().unwrap().text.contains(" more\""));
}

/// A witness takes a bounded part at a time. It could never catch up with a ledger that grew by more since it looked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_witness_catches_up_with_a_long_ledger_in_parts() {
    let key = SigningKey::generate().unwrap();
    let witnesses = format!("[ledger]\nwitnesses = {{ north = \"{}\" }}\nquorum = 1\n", key.verifying_key());
    let world = World::new(&witnesses);
    let authority = world.open().await;
    authority.register(world.network(1), "test").await.unwrap();
    authority.create_project("p", world.allowed, "test").await.unwrap();
    // The longest entries: policies.
    let filling = "\"".repeat(1_000_000);
    for number in 0..40 {
        world.set_policy(&format!("{witnesses}# {number} {filling}"));
        authority.reload_policy("test").await.unwrap();
    }
    let request = KeyRequest { project: "p", network: world.allowed, holder: "h", approvals: &[], by: "test" };
    let Err(AuthorityError::Unwitnessed { sequence, .. }) = authority.issue(&request).await else { panic!("issued") };
    let log = authority.ledger().signers().key();
    let witness = Witness::new("north", key, log, world.folder.path().join("north")).unwrap();
    let (mut seen, mut parts) = (0, 0);
    while seen < sequence {
        let handover = authority.handover(seen).await.unwrap();
        assert!(handover.to_bytes().len() < 34 << 20);
        let (head, note) = witness.cosign(&handover, seen == 0).unwrap();
        assert!(head.sequence > seen);
        authority.keep_cosigned(&note).await.unwrap();
        (seen, parts) = (head.sequence, parts + 1);
        assert_eq!(authority.issue(&request).await.is_ok(), seen >= sequence);
    }
    assert!(parts >= 2, "{parts}");
}

/// A dry run of a large network takes minutes of a core, and any number of them ran at once. Who may register networks is
/// not who allows them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_network_is_not_counted_before_it_is_allowed() {
    let world = World::new("");
    let authority = world.open().await;
    authority.register(world.network(1), "test").await.unwrap();
    authority.create_project("p", world.allowed, "test").await.unwrap();
    let network = authority.register(large(world.folder.path()), "test").await.unwrap();
    let request = KeyRequest { project: "p", network, holder: "h", approvals: &[], by: "test" };
    let decision = authority.consider(&request).await.unwrap().0;
    let refused = decision.refusals.join("; ");
    assert!(refused.contains("allow-list") && refused.contains("counted once the policy allows it"), "{refused}");
    assert_eq!(decision.after.rank, 0);
    let small = KeyRequest { network: authority.register(world.network(2), "test").await.unwrap(), ..request };
    assert_eq!(authority.consider(&small).await.unwrap().0.after.rank, 3);
}
