//! The authority: what it issues, what it refuses, and that the ledger says so.

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{BEARER, identity, network, send, serve};
use model::CompiledNetwork;
use qfe::{Encryptor, Evaluator, FunctionalKey, LogTable, PublicKey};
use roles::keyfile::Unlock;
use service::approval::{Approval, Subject};
use service::audit::{Evidence, SignedAudit};
use service::authority::{AuthorityError, AuthorityServer, Issued, Issuer, KeyRequest, router};
use service::clock;
use service::files::FileError;
use service::hash::Hash;
use service::parameters::Parameters;
use service::signature::SigningKey;
use tempfile::TempDir;

/// An authority's folder, two networks of 3 outputs each, and the people around it.
struct World {
    folder: TempDir,
    networks: [(CompiledNetwork, Vec<u8>); 2],
    auditor: SigningKey,
    approvers: [SigningKey; 2],
}

impl World {
    fn new(rank: usize, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let networks = [1, 2].map(|seed| {
            let (network, path) = network(folder.path(), seed, 3);
            (network, std::fs::read(path).unwrap())
        });
        let auditor = SigningKey::generate().unwrap();
        let approvers = [(); 2].map(|()| SigningKey::generate().unwrap());
        let world = Self { folder, networks, auditor, approvers };
        let [first, second] = [0, 1].map(|which| world.hash(which));
        let more = more
            .replace("LAB", &world.auditor.verifying_key().to_string())
            .replace("ANNA", &world.approvers[0].verifying_key().to_string())
            .replace("BEN", &world.approvers[1].verifying_key().to_string());
        let text = format!(
            "version = 1\n[networks]\nallow = [\"{first}\", \"{second}\"]\n[limits]\nrank = {rank}\nbits = 500.0\n{more}"
        );
        std::fs::create_dir(world.home()).unwrap();
        std::fs::write(world.home().join("policy.toml"), text).unwrap();
        world
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("authority")
    }

    fn hash(&self, which: usize) -> Hash {
        Hash(self.networks[which].0.hash())
    }

    async fn open(&self, identity: &str) -> Issuer {
        Issuer::open(&self.home(), None, Unlock::identity(identity).unwrap()).await.unwrap()
    }

    /// With both networks registered and the project `p` made.
    async fn ready(&self, identity: &str) -> Issuer {
        let authority = self.open(identity).await;
        for (_, bytes) in &self.networks {
            authority.register(bytes.clone(), "test").await.unwrap();
        }
        authority.create_project("p", self.hash(0), "test").await.unwrap();
        authority
    }

    async fn issue(&self, authority: &Issuer, which: usize) -> Result<Issued, AuthorityError> {
        authority.issue(&self.request(which, &[])).await
    }

    fn request<'a>(&self, which: usize, approvals: &'a [Approval]) -> KeyRequest<'a> {
        KeyRequest { project: "p", network: self.hash(which), holder: "predictor", approvals, by: "test" }
    }
}

/// A report of this figure, signed now.
fn signed(network: Hash, high: f64, key: &SigningKey) -> Vec<u8> {
    let report =
        format!(r#"{{"attribute":"font","strongest":{{"family":"forest","accuracy":54,"high":{high},"chance":50}}}}"#);
    let evidence = Evidence::now(&report, None, None).unwrap();
    SignedAudit::sign(network, &report, &evidence, key).unwrap().to_bytes()
}

fn reasons(error: Result<Issued, AuthorityError>) -> String {
    match error {
        Err(AuthorityError::Refused { reasons }) => reasons.join("; "),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("issued"),
    }
}

async fn last_event(authority: &Issuer) -> String {
    authority.ledger().verify().await.unwrap();
    authority.ledger().after(0).await.unwrap().last().unwrap().text.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issued_key_opens_what_the_public_key_encrypts() {
    let (world, identity) = (World::new(3, ""), identity());
    let authority = world.ready(&identity).await;
    let issued = world.issue(&authority, 0).await.unwrap();
    let public = authority.public_key(issued.parameters.public_key).await.unwrap();
    let public = PublicKey::from_bytes(&public).unwrap();
    let key = FunctionalKey::from_bytes(&issued.key).unwrap();
    let network = &world.networks[0].0;
    let hidden = host::Silent;
    let table = Arc::new(LogTable::build(12, &hidden).unwrap());
    let evaluator = Evaluator::new(&key, table, network.bounds()).unwrap();
    let item = network.encoder().encode(&common::image(3)).unwrap();
    let ciphertext = Encryptor::new(&public, &hidden).encrypt(&item.u, &item.v, &mut rand::rng()).unwrap();
    assert_eq!(evaluator.evaluate(&ciphertext).unwrap(), network.evaluate(&item).unwrap());
    let (file, signature) = authority.parameters("p", world.hash(0)).await.unwrap();
    let parameters = Parameters::from_bytes(&file, Some(issued.parameters.pin())).unwrap();
    assert_eq!(parameters, issued.parameters);
    signature.check(&parameters, parameters.pin()).unwrap();
    let purpose = signature.purpose.unwrap();
    assert_eq!((purpose.project.as_str(), purpose.epoch, &signature.authority), ("p", 1, &authority.key()));
    assert!(last_event(&authority).await.contains("key-issued"));

    // Another process with the same folder: same state, same key for free, another passphrase opens nothing.
    let again = world.open(&identity).await;
    assert_eq!(world.issue(&again, 0).await.unwrap().key, issued.key);
    assert_eq!(again.opened("p").await.unwrap().rank, 3);
    let stranger = Issuer::open(&world.home(), None, Unlock::identity(&common::identity()).unwrap()).await;
    assert!(matches!(stranger, Err(AuthorityError::KeyFile(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_network_exceeds_the_rank_until_the_key_is_rotated() {
    let (world, identity) = (World::new(5, ""), identity());
    let authority = world.ready(&identity).await;
    let old = world.issue(&authority, 0).await.unwrap();
    let dry = authority.consider(&world.request(1, &[])).await.unwrap().0;
    assert_eq!((dry.before.rank, dry.after.rank, dry.refusals.len()), (3, 6, 1));
    let entries = authority.ledger().after(0).await.unwrap().len();
    assert!(reasons(world.issue(&authority, 1).await).contains("the policy allows 5"));
    assert_eq!(
        authority.ledger().after(0).await.unwrap().len(),
        entries + 1,
        "a dry run leaves no entry, a refusal one"
    );
    assert!(last_event(&authority).await.contains("the policy allows 5"));
    let epoch = authority.rotate("p", "limits spent", "test").await.unwrap();
    assert_ne!(epoch.public_key, old.parameters.public_key);
    let new = world.issue(&authority, 1).await.unwrap();
    assert_eq!((new.grant.grant.epoch, new.grant.grant.rank), (2, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_race_for_the_last_key_one_wins() {
    let (world, identity) = (World::new(5, ""), identity());
    drop(world.ready(&identity).await);
    for round in 0..4 {
        let (first, second) = (world.open(&identity).await, world.open(&identity).await);
        let (a, b) = tokio::join!(world.issue(&first, 0), world.issue(&second, 1));
        assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "round {round}");
        let refused = if a.is_ok() { b } else { a };
        assert!(reasons(refused).contains("rank"));
        assert!(last_event(&first).await.contains("refused"));
        first.rotate("p", "next round", "test").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_needs_a_signed_audit_of_exactly_this_network() {
    let policy = "[audit]\nattributes = [\"font\"]\nstrongest_below = 60.0\nauditors = { lab = \"LAB\" }\n";
    let (world, identity) = (World::new(6, policy), identity());
    let authority = world.ready(&identity).await;
    let signed = |which: usize, high: f64, key: &SigningKey| signed(world.hash(which), high, key);
    assert!(reasons(world.issue(&authority, 0).await).contains("none recorded"));
    authority.record_audit(signed(1, 55.0, &world.auditor), "test").await.unwrap();
    assert!(reasons(world.issue(&authority, 0).await).contains("none recorded"));
    let stranger = authority.record_audit(signed(0, 55.0, &world.approvers[0]), "test").await;
    assert!(matches!(stranger, Err(AuthorityError::Refused { .. })));
    assert!(last_event(&authority).await.contains("is not an auditor of the policy"));
    authority.record_audit(signed(0, 60.5, &world.auditor), "test").await.unwrap();
    assert!(reasons(world.issue(&authority, 0).await).contains("60.50 %"));
    assert!(world.issue(&authority, 1).await.is_ok());
}

/// Good, bad, and the old good one again: it was taken, with a new age.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_on_record_cannot_be_posted_again() {
    let policy = "[audit]\nattributes = [\"font\"]\nstrongest_below = 60.0\nauditors = { lab = \"LAB\" }\n";
    let (world, identity) = (World::new(6, policy), identity());
    let authority = world.ready(&identity).await;
    // In two seconds: of two audits of one date the worse one counts anyway.
    let good = signed(world.hash(0), 55.0, &world.auditor);
    let bad = signed(world.hash(0), 90.0, &world.auditor);
    authority.record_audit(good.clone(), "test").await.unwrap();
    authority.record_audit(bad, "test").await.unwrap();
    let spaced = [&good[..], b"\n\n"].concat();
    for replayed in [good, spaced] {
        let again = authority.record_audit(replayed, "test").await;
        assert!(matches!(again, Err(AuthorityError::Refused { .. })), "{again:?}");
        assert!(last_event(&authority).await.contains("recorded already"));
    }
    assert!(reasons(world.issue(&authority, 0).await).contains("90.00 %"));
}

/// The hash does not cover where a network comes from: another file of the same hash replaced the approved one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_file_of_a_registered_hash_is_refused() {
    let (world, identity) = (World::new(6, ""), identity());
    let authority = world.ready(&identity).await;
    let path = world.home().join("networks").join(format!("{}.safetensors", world.hash(0)));
    let approved = std::fs::read(&path).unwrap();
    authority.register(approved.clone(), "test").await.unwrap();
    let text = String::from_utf8_lossy(&approved).into_owned();
    let name = text.split("raw-").nth(1).and_then(|rest| rest.split('.').next()).expect("the file names its origin");
    let other = "9".repeat(name.len());
    assert_ne!(other, name);
    let place = approved.windows(4).position(|window| window == b"raw-").unwrap() + 4;
    let mut changed = approved.clone();
    changed[place..place + name.len()].copy_from_slice(other.as_bytes());
    assert!(matches!(authority.register(changed, "test").await, Err(AuthorityError::Refused { .. })));
    assert!(last_event(&authority).await.contains("another file of this hash"));
    assert_eq!(std::fs::read(&path).unwrap(), approved);
}

/// Ledger and keys were readable by everybody on the machine.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ledger_and_keys_are_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let (world, identity) = (World::new(6, ""), identity());
    let _authority = world.ready(&identity).await;
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "keys", "signing.key"] {
        let mode = std::fs::metadata(world.home().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn above_a_threshold_two_people_must_sign_for_this_very_key() {
    let policy = "[approval]\nabove_rank = 2\nabove_bits = 400.0\napprovers = { anna = \"ANNA\", ben = \"BEN\" }\n";
    let (world, identity) = (World::new(6, policy), identity());
    let authority = world.ready(&identity).await;
    let (decision, proposal) = authority.consider(&world.request(0, &[])).await.unwrap();
    // What approvers look at is the authority's word, and the very thing that they sign.
    let proposal = proposal.open(&authority.key()).unwrap();
    let subject = proposal.subject;
    assert_eq!((Some(&subject), proposal.rank_before), (decision.approval.as_ref(), 0));
    assert_eq!((subject.rank, subject.holder.as_str()), (3, "predictor"));
    let until = clock::now() + 86_400;
    let [anna, ben] = [0, 1].map(|who| Approval::sign(&subject, until, &world.approvers[who]));
    let ben_on = |subject: &Subject, until| Approval::sign(subject, until, &world.approvers[1]);
    let unfit = [
        (ben_on(&Subject { holder: "other".into(), ..subject.clone() }, until), "the signature is invalid"),
        (ben_on(&Subject { rank: 2, ..subject.clone() }, until), "signed for rank 2"),
        (ben_on(&Subject { bits: subject.bits - 1.0, ..subject.clone() }, until), "would be open"),
        (ben_on(&Subject { audits: Hash([0; 32]), ..subject.clone() }, until), "other audits"),
        (ben_on(&subject, clock::now() - 1), "expired"),
        (ben_on(&subject, clock::now() + 400 * 86_400), "longer than the policy's 30 days"),
    ];
    for approvals in [vec![], vec![anna.clone()], vec![anna.clone(), anna.clone()]] {
        assert!(reasons(authority.issue(&world.request(0, &approvals)).await).contains("2 people must sign"));
    }
    for (approval, word) in unfit {
        let refused = reasons(authority.issue(&world.request(0, &[anna.clone(), approval])).await);
        assert!(refused.contains("2 people must sign, but 1 did") && refused.contains(word), "{word}: {refused}");
    }
    let old = format!("approval:{}/{}", world.approvers[0].verifying_key(), "0".repeat(128));
    assert!(old.parse::<Approval>().unwrap_err().to_string().contains("names no totals"));
    let approvals = [anna.to_string().parse().unwrap(), ben];
    let issued = authority.issue(&world.request(0, &approvals)).await.unwrap();
    let names: BTreeSet<&str> = issued.grant.grant.approved_by.iter().map(String::as_str).collect();
    assert_eq!(names, ["anna", "ben"].into());
    // The same key for someone else opens nothing new, and needs people all the same; these approvals are not theirs.
    let mallory = KeyRequest { holder: "mallory", ..world.request(0, &approvals) };
    assert!(reasons(authority.issue(&mallory).await).contains("2 people must sign, but 0 did"));
    let mallory = KeyRequest { holder: "mallory", ..world.request(0, &[]) };
    assert!(reasons(authority.issue(&mallory).await).contains("2 people must sign, but 0 did"));
    // Its holder has it already, and gets it for longer while the approvals hold.
    assert!(reasons(authority.issue(&world.request(0, &[])).await).contains("2 people must sign, but 0 did"));
    assert!(authority.issue(&world.request(0, &approvals)).await.is_ok());
    let end = clock::now() + 4;
    let ending = [0, 1].map(|who| Approval::sign(&subject, end, &world.approvers[who]));
    assert!(authority.issue(&world.request(0, &ending)).await.is_ok());
    while clock::now() <= end {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let refused = reasons(authority.issue(&world.request(0, &ending)).await);
    assert!(refused.contains("2 people must sign, but 0 did") && refused.contains("expired"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_holders_than_the_policy_allows() {
    let (world, identity) = (World::new(6, "holders = 2\n"), identity());
    let authority = world.ready(&identity).await;
    for holder in ["a", "b", "a"] {
        authority.issue(&KeyRequest { holder, ..world.request(0, &[]) }).await.unwrap();
    }
    let third = authority.issue(&KeyRequest { holder: "c", ..world.request(0, &[]) }).await;
    assert!(reasons(third).contains("3 would have keys"));
    authority.rotate("p", "new holders", "test").await.unwrap();
    authority.issue(&KeyRequest { holder: "c", ..world.request(0, &[]) }).await.unwrap();
}

/// The key of an auditor was lost and replaced under the same name: what the old key signed counts no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_counts_by_its_auditors_key() {
    let policy = "[audit]\nattributes = [\"font\"]\nstrongest_below = 60.0\nauditors = { lab = \"LAB\" }\n";
    let (world, identity) = (World::new(6, policy), identity());
    let authority = world.ready(&identity).await;
    authority.record_audit(signed(world.hash(0), 55.0, &world.auditor), "test").await.unwrap();
    assert!(last_event(&authority).await.contains(&format!("\"key\":\"{}\"", world.auditor.verifying_key())));
    assert!(world.issue(&authority, 0).await.is_ok());
    let path = world.home().join("policy.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let new = SigningKey::generate().unwrap();
    let text = text.replace(&world.auditor.verifying_key().to_string(), &new.verifying_key().to_string());
    std::fs::write(&path, &text).unwrap();
    authority.reload_policy("anna").await.unwrap();
    // The text of the policy, and who had it read, are in the ledger.
    let event = last_event(&authority).await;
    assert!(event.contains("policy-changed") && event.contains("strongest_below") && event.contains("anna"), "{event}");
    assert!(reasons(world.issue(&authority, 0).await).contains("none recorded"));
    authority.record_audit(signed(world.hash(0), 55.0, &new), "test").await.unwrap();
    assert!(world.issue(&authority, 0).await.is_ok());
}

/// The file was read before its turn came: of two that reloaded, the one that ended last had the older file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_is_read_once_its_turn_has_come() {
    let (world, identity) = (World::new(6, ""), identity());
    let authority = world.ready(&identity).await;
    let path = world.home().join("policy.toml");
    let text = std::fs::read_to_string(&path).unwrap() + "# later\n";
    let writing = authority.ledger().begin().await.unwrap();
    let change = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        std::fs::write(&path, &text).unwrap();
        drop(writing);
    };
    let (reloaded, ()) = tokio::join!(authority.reload_policy("anna"), change);
    reloaded.unwrap();
    assert_eq!(authority.policy().text(), text);
}

/// The file of a recorded audit is read again when it counts: one that is changed or gone helps nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn audit_files_are_checked_at_the_decision() {
    let policy = "[audit]\nattributes = [\"font\"]\nstrongest_below = 60.0\nauditors = { lab = \"LAB\" }\n";
    let (world, identity) = (World::new(6, policy), identity());
    let authority = world.ready(&identity).await;
    let good = authority.record_audit(signed(world.hash(0), 55.0, &world.auditor), "test").await.unwrap();
    let bad = authority.record_audit(signed(world.hash(0), 90.0, &world.auditor), "test").await.unwrap();
    let path = |hash: Hash| world.home().join("audits").join(format!("{hash}.json"));
    std::fs::remove_file(path(bad)).unwrap();
    assert!(reasons(world.issue(&authority, 0).await).contains("cannot be used"));
    std::fs::copy(path(good), path(bad)).unwrap();
    assert!(reasons(world.issue(&authority, 0).await).contains("its hash is not its name"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_unknown_or_damaged_is_refused_and_recorded() {
    let (world, identity) = (World::new(6, ""), identity());
    let authority = world.ready(&identity).await;
    assert!(authority.register(b"garbage", "test").await.is_err());
    assert!(last_event(&authority).await.contains("refused"));
    let unknown = KeyRequest { network: Hash([1; 32]), ..world.request(0, &[]) };
    let refused = reasons(authority.issue(&unknown).await);
    assert!(refused.contains("not registered") && refused.contains("allow-list"), "{refused}");
    let nowhere = KeyRequest { project: "q", ..world.request(0, &[]) };
    assert!(reasons(authority.issue(&nowhere).await).contains("no project 'q'"));
    assert!(matches!(authority.create_project("../x", world.hash(0), "t").await, Err(AuthorityError::Field { .. })));
    assert!(matches!(authority.create_project("p", world.hash(0), "t").await, Err(AuthorityError::Refused { .. })));
    // What was sent may be quoted, but not at any length: the ledger keeps it.
    let long = format!("{{\"{}\": 1}}", "n".repeat(100_000));
    assert!(authority.record_audit(long.into_bytes(), "test").await.is_err());
    let event = last_event(&authority).await;
    assert!(event.contains("unknown field") && event.len() < 2000, "{} bytes", event.len());
    // A network that is swapped on the disk is found by its hash.
    let path = |which| world.home().join("networks").join(format!("{}.safetensors", world.hash(which)));
    std::fs::copy(path(1), path(0)).unwrap();
    assert!(matches!(world.issue(&authority, 0).await, Err(AuthorityError::File(FileError::Content { .. }))));
}

/// A large network that nobody allowed was read and counted while every issue waited.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_is_not_allowed_is_not_read_at_the_issue() {
    let (world, identity) = (World::new(6, ""), identity());
    let authority = world.ready(&identity).await;
    let (other, path) = common::network(world.folder.path(), 99, 3);
    let hash = authority.register(std::fs::read(path).unwrap(), "test").await.unwrap();
    assert_eq!(hash, Hash(other.hash()));
    let request = KeyRequest { network: hash, ..world.request(0, &[]) };
    assert_eq!(authority.consider(&request).await.unwrap().0.after.rank, 3);
    std::fs::remove_file(world.home().join("networks").join(format!("{hash}.safetensors"))).unwrap();
    assert!(matches!(authority.consider(&request).await, Err(AuthorityError::File(_))));
    assert!(reasons(authority.issue(&request).await).contains("not in the policy's allow-list"));
}

/// Marks of direction and joiners make a name that approvers read as another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holders_that_look_alike_are_refused() {
    let (world, identity) = (World::new(6, ""), identity());
    let authority = world.ready(&identity).await;
    for holder in ["ward\u{200b}", "ward\u{202e}x", "ward\u{a0}", " ward", "ward ", "", "wa\nrd", "\u{feff}ward"] {
        let asked = authority.issue(&KeyRequest { holder, ..world.request(0, &[]) }).await;
        assert!(matches!(asked, Err(AuthorityError::Field { field: "holder", .. })), "{holder:?}");
    }
    // The first letter is Cyrillic, the last one Greek, the others are of wide print.
    for holder in ["\u{441}linic", "war\u{3bf}", "w\u{ff41}rd"] {
        let asked = authority.issue(&KeyRequest { holder, ..world.request(0, &[]) }).await.err().unwrap();
        assert!(asked.to_string().contains("one alphabet") && asked.to_string().contains("\\u{"), "{asked}");
    }
    for holder in ["ward", "Wärd 3 (north)", "o'neill", "病棟 B", "клиника 3", "κλινική"] {
        authority.issue(&KeyRequest { holder, ..world.request(0, &[]) }).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tampered_ledger_stops_everything() {
    let (world, identity) = (World::new(6, ""), identity());
    let authority = world.ready(&identity).await;
    world.issue(&authority, 0).await.unwrap();
    drop(authority);
    tamper(&world.home().join("ledger.sqlite")).await;
    let opened = Issuer::open(&world.home(), None, Unlock::identity(&identity).unwrap()).await;
    assert!(matches!(opened, Err(AuthorityError::Ledger(_))));
}

async fn tamper(path: &Path) {
    use sqlx::Connection;
    let mut connection =
        sqlx::sqlite::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let change = "UPDATE ledger SET event = replace(event, '\"rank\":3', '\"rank\":1')";
    for statement in ["DROP TRIGGER ledger_no_update", change] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
}

#[test]
fn the_same_over_http() {
    let (world, identity) = (World::new(5, ""), identity());
    let authority = service::run::block_on(world.open(&identity)).unwrap();
    let tokens = common::tokens(world.folder.path());
    let routes = move || router(AuthorityServer::new(authority, tokens).unwrap());
    let address = serve(routes, common::loopback());
    let post = |address, path: &str, body: &[u8]| send(address, "POST", path, &[BEARER], body);
    let get = |address, path: &str| send(address, "GET", path, &[BEARER], b"");
    for (_, bytes) in &world.networks {
        assert_eq!(post(address, "/v1/networks", bytes).status, 201);
    }
    let [first, second] = [0, 1].map(|which| world.hash(which));
    let project = format!(r#"{{"project":"p","network":"{first}"}}"#);
    assert_eq!(post(address, "/v1/projects", project.as_bytes()).status, 201);
    let key = |network: Hash, dry: bool| format!(r#"{{"network":"{network}","holder":"h","dry_run":{dry}}}"#);
    let dry = post(address, "/v1/projects/p/keys", key(first, true).as_bytes());
    assert_eq!((dry.status, &dry.json()["decision"]["after"]["rank"]), (200, &serde_json::json!(3)));
    let issued = post(address, "/v1/projects/p/keys", key(first, false).as_bytes());
    assert_eq!(issued.status, 201, "{issued:?}");
    let pin = issued.json()["pin"].as_str().unwrap().to_owned();
    let parameters = get(address, &format!("/v1/projects/p/parameters/{first}"));
    assert_eq!(Hash::of_bytes(&parameters.body).to_string(), pin);
    let refused = post(address, "/v1/projects/p/keys", key(second, false).as_bytes());
    assert_eq!(refused.status, 403);
    assert!(refused.json()["reasons"][0].as_str().unwrap().contains("rank"));
    assert_eq!(post(address, "/v1/ledger/verify", b"").json()["verified"]["sequence"], 6);
    assert_eq!(get(address, "/v1/ledger/4").json().as_array().unwrap().len(), 2);
    for path in ["/v1/projects/..%2f..%2fetc", "/v1/public-keys/..%2fmaster.age", "/v1/ledger/-", "/../policy.toml"] {
        assert_eq!(get(address, path).status, 404, "{path}");
    }
    assert_eq!(post(address, "/v1/projects/p/keys", b"{\"network\":1}").status, 400);
    assert_eq!(get(address, "/v1/projects/p").json()["opened"]["rank"], 3);
    let document = get(address, "/openapi.json").json();
    assert!(document["paths"].as_object().unwrap().len() >= 12);
}

/// Two authorities on one ledger: what the other rotated to has its master key there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_key_at_another_authority_is_named() {
    let (world, identity) = (World::new(6, ""), identity());
    let first = world.ready(&identity).await;
    // Another folder on the same database, with the head of the first, and each other's ledger keys in the policies.
    let other = world.folder.path().join("other");
    std::fs::create_dir_all(other.join("networks")).unwrap();
    let own = first.ledger().signers().key();
    let key = SigningKey::generate().unwrap();
    let policy = std::fs::read_to_string(world.home().join("policy.toml")).unwrap();
    std::fs::write(other.join("policy.toml"), format!("{policy}[ledger]\nwriters = [\"{own}\"]\n")).unwrap();
    let with_other = format!("{policy}[ledger]\nwriters = [\"{}\"]\n", key.verifying_key());
    std::fs::write(world.home().join("policy.toml"), with_other).unwrap();
    key.save_new(&other.join("ledger.key")).unwrap();
    std::fs::copy(world.home().join("ledger.head"), other.join("ledger.head")).unwrap();
    for (network, bytes) in &world.networks {
        std::fs::write(other.join("networks").join(format!("{}.safetensors", Hash(network.hash()))), bytes).unwrap();
    }
    first.close().await;
    let first = world.open(&identity).await;
    let url = format!("sqlite:{}", world.home().join("ledger.sqlite").display());
    let second = Issuer::open(&other, Some(&url), Unlock::identity(&identity).unwrap()).await.unwrap();
    second.rotate("p", "due", "test").await.unwrap();
    match world.issue(&first, 0).await {
        Err(error @ AuthorityError::KeyElsewhere { .. }) => assert!(error.to_string().contains("Another authority")),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("issued"),
    }
    assert!(world.issue(&second, 0).await.is_ok());
    let tokens = common::tokens(world.folder.path());
    let routes = move || router(AuthorityServer::new(first, tokens).unwrap());
    let address = serve(routes, common::loopback());
    let body = format!(r#"{{"network":"{}","holder":"h"}}"#, world.hash(0));
    let reply = send(address, "POST", "/v1/projects/p/keys", &[BEARER], body.as_bytes());
    assert!(reply.status == 409 && reply.problem().contains("master key"), "{reply:?}");
}

/// Signed anew at every request, the parameters of a network that was replaced became the newer ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_are_dated_by_the_issue_of_their_network() {
    let (world, unlock) = (World::new(6, ""), identity());
    let authority = world.ready(&unlock).await;
    let network = world.hash(0);
    let request = KeyRequest { project: "p", network, holder: "h", approvals: &[], by: "test" };
    let issued = authority.issue(&request).await.unwrap().grant.parameters.unwrap().purpose.unwrap().date;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let dated = async |authority: &Issuer| authority.parameters("p", network).await.unwrap().1.purpose.unwrap().date;
    assert_eq!(dated(&authority).await, issued);
    authority.close().await;
    assert_eq!(dated(&world.open(&unlock).await).await, issued);
}
