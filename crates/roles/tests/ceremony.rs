//! Institutions that make a key over a store of messages: restarts, lies, silence, a dishonest clerk, a hostile store.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use qfe::{
    FunctionalKey, QuadraticMap,
    shares::{
        PartialError, SeatError,
        ceremony::{Blame, Board, CeremonyError, Fault, Participant},
    },
};
use roles::{
    ShareHolder, SharedKey,
    ceremony::{
        AttendError, Attendance, Concluded, Credentials, Definition, Mail, MailError, MailFolder, STATE, ServerCard,
        Terms, Transcript, Waiting, deal,
    },
    keyfile::{Lock, Unlock, load_key_share},
    signature::SigningKey,
};
use tempfile::TempDir;

const INPUTS: (usize, usize) = (4, 3);

/// A store of messages that anybody can read and change.
#[derive(Default)]
struct Post(Mutex<BTreeMap<String, Vec<u8>>>);

impl Mail for Post {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, MailError> {
        let found = self.0.lock().unwrap().get(name).cloned();
        if found.as_ref().is_some_and(|found| found.len() as u64 > limit) {
            return Err("too long".into());
        }
        Ok(found)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), MailError> {
        self.0.lock().unwrap().insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }
}

impl Post {
    fn take(&self, name: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().remove(name)
    }
}

/// An institution: what it signs with, what opens its shares, and its folders.
struct Server {
    card: ServerCard,
    seed: [u8; 32],
    key: SigningKey,
    unlock: Unlock,
    folder: TempDir,
}

impl Server {
    fn new(index: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        let seed = [index; 32];
        let digits: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
        fs::write(&path, format!("ed25519-secret:{digits}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let key = SigningKey::load(&path).unwrap();
        let (unlock, recipient) = Unlock::generate_identity();
        let card = ServerCard { name: format!("server-{index}"), key: key.verifying_key(), recipient };
        Self { card, seed, key, unlock, folder }
    }

    fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn credentials(&self) -> Credentials<'_> {
        Credentials { key: &self.key, unlock: &self.unlock }
    }

    fn enter<'a>(
        &'a self,
        definition: &Definition,
        mail: &'a dyn Mail,
        home: &str,
        share: Option<&ShareHolder>,
    ) -> Result<Attendance<'a>, AttendError> {
        let lost = share.is_none();
        let share = share.map(ShareHolder::share);
        Attendance::enter(definition.clone(), mail, self.credentials(), &self.home(home), share, lost)
    }

    fn holder(&self, home: &str) -> ShareHolder {
        ShareHolder::load(&self.home(home), &self.unlock).unwrap()
    }
}

fn servers(indices: impl IntoIterator<Item = u8>) -> Vec<Server> {
    indices.into_iter().map(Server::new).collect()
}

fn cards(servers: &[Server]) -> Vec<ServerCard> {
    servers.iter().map(|server| server.card.clone()).collect()
}

fn terms(servers: &[Server], threshold: u16, clerk: u16) -> Terms<'static> {
    Terms { name: "test", servers: cards(servers), threshold, clerk }
}

fn new_key(servers: &[Server], threshold: u16, clerk: u16) -> Definition {
    Definition::generate(terms(servers, threshold, clerk), INPUTS).unwrap()
}

/// Lets all go on by turns until nobody can; `late` once nobody could go on in time.
fn run(attending: &mut BTreeMap<usize, Attendance<'_>>) -> BTreeMap<usize, Result<Box<Concluded>, Waiting>> {
    let mut ended = BTreeMap::new();
    for late in [false, false, false, false, true, true, true, true, true, true] {
        for (&place, attendance) in attending.iter_mut() {
            if !matches!(ended.get(&place), Some(Ok(_))) {
                ended.insert(place, attendance.advance(late).unwrap());
            }
        }
    }
    ended
}

fn whole(servers: &[Server], definition: &Definition, mail: &Post, home: &str) -> Vec<Concluded> {
    let enter = |place: usize| (place, servers[place].enter(definition, mail, home, None).unwrap());
    let mut attending: BTreeMap<_, _> = (0..servers.len()).map(enter).collect();
    run(&mut attending).into_values().map(|ended| *ended.unwrap_or_else(|waiting| panic!("{waiting:?}"))).collect()
}

fn map() -> QuadraticMap {
    QuadraticMap::new(4, 3, 2, 2, vec![1, -2, 3, 0, 2, 2, -1, 5], vec![2, 0, 1, -4, 1, 1], vec![1, 3, -2, 5]).unwrap()
}

fn issue(key: &SharedKey, holders: &[&ShareHolder]) -> FunctionalKey {
    let partials: Vec<_> = holders.iter().map(|holder| holder.issue_partial(&map()).unwrap()).collect();
    let combined = key.combiner(&map()).unwrap().combine(&partials).unwrap();
    assert!(combined.refused.is_empty());
    combined.key
}

#[test]
fn three_institutions_make_a_key_over_a_folder() {
    let (three, folder) = (servers(1..=3), tempfile::tempdir().unwrap());
    let mail = MailFolder::new(folder.path().join("messages")).unwrap();
    // What is written is what is agreed on.
    let definition = Definition::from_bytes(&new_key(&three, 1, 2).to_bytes()).unwrap();
    let mut attending: BTreeMap<_, _> = three
        .iter()
        .enumerate()
        .map(|(place, server)| (place, server.enter(&definition, &mail, "home", None).unwrap()))
        .collect();
    let ended: Vec<_> = run(&mut attending).into_values().map(Result::unwrap).collect();
    let ids: BTreeSet<_> = ended.iter().map(|end| end.verified.outcome.public.id()).collect();
    assert_eq!(ids.len(), 1);
    for (server, end) in three.iter().zip(&ended) {
        assert_eq!(end.verified.endorsed, ["server-1", "server-2", "server-3"]);
        let home = server.home("home");
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(home.clone()), mode(home.join("share.age"))), (0o700, 0o600));
        // The polynomial is erased.
        assert!(!home.join(STATE).exists());
        let verified = Transcript::from_bytes(&fs::read(home.join("transcript")).unwrap()).unwrap().verify().unwrap();
        assert_eq!(verified.key().unwrap(), SharedKey::read(&home).unwrap());
        let again = server.enter(&definition, &mail, "home", None);
        assert!(matches!(again, Err(AttendError::Ended { .. })));
        // Nobody opens the share of another.
        for other in three.iter().filter(|other| other.card != server.card) {
            assert!(load_key_share(&home.join("share.age"), &other.unlock).is_err());
        }
    }
    let holders: Vec<_> = three.iter().map(|server| server.holder("home")).collect();
    let key = holders[0].key();
    let first = issue(key, &[&holders[0], &holders[2]]);
    assert_eq!(first.to_bytes(), issue(key, &[&holders[2], &holders[1]]).to_bytes());
    key.public().verify(&first).unwrap();
    assert!(!holders[0].is_whole() && holders[0].issue(&map()).is_err());
    // No share lies in the store in the clear: not one scalar of one.
    for holder in &holders {
        let scalar = &holder.share().to_bytes()[84..116];
        for file in fs::read_dir(folder.path().join("messages")).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(32).any(|window| window == scalar));
        }
    }
}

/// A process for each turn: every one may end at any moment and start again.
#[test]
fn servers_that_start_again_go_on_with_the_same_dealing() {
    let (three, mail) = (servers(1..=3), Post::default());
    let definition = new_key(&three, 1, 1);
    let mut ended = BTreeMap::new();
    for _ in 0..8 {
        for (place, server) in three.iter().enumerate() {
            if !ended.contains_key(&place)
                && let Ok(end) = server.enter(&definition, &mail, "home", None).unwrap().advance(false).unwrap()
            {
                ended.insert(place, end);
            }
        }
    }
    assert_eq!(ended.len(), 3);
    assert!(ended.values().all(|end| end.holder.is_some() && end.verified.outcome.blamed.is_empty()));
    let holders: Vec<_> = three.iter().map(|server| server.holder("home")).collect();
    issue(holders[0].key(), &[&holders[0], &holders[1]]);
}

#[test]
fn a_server_whose_dealing_is_gone_cannot_deal_twice() {
    let (three, mail) = (servers(1..=3), Post::default());
    let definition = new_key(&three, 1, 1);
    drop(three[1].enter(&definition, &mail, "home", None).unwrap().advance(false).unwrap());
    // Another one's file is none of this server.
    fs::copy(three[1].home("home").join(STATE), three[2].home(STATE)).unwrap();
    fs::create_dir(three[2].home("home")).unwrap();
    fs::copy(three[2].home(STATE), three[2].home("home").join(STATE)).unwrap();
    assert!(matches!(three[2].enter(&definition, &mail, "home", None), Err(AttendError::KeyFile(_))));
    fs::remove_file(three[1].home("home").join(STATE)).unwrap();
    let lost = three[1].enter(&definition, &mail, "home", None);
    assert!(matches!(lost, Err(AttendError::Lost { .. })));
    // A commitment that others put in its name holds nobody up.
    fs::remove_file(three[2].home("home").join(STATE)).unwrap();
    mail.put("commit-3", &mail.take("commit-2").unwrap()).unwrap();
    let mut fooled = three[2].enter(&definition, &mail, "home", None).unwrap();
    assert_eq!(fooled.advance(false).unwrap().err().unwrap().step, 1);
    let commit = mail.take("commit-3").unwrap();
    assert_eq!(Board::new(definition.ceremony().unwrap()).post(&commit).unwrap(), 3);
}

#[test]
fn credentials_of_another_server_are_refused() {
    let (three, mail) = (servers(1..=3), Post::default());
    let definition = new_key(&three, 1, 1);
    let mixed = Credentials { key: &three[0].key, unlock: &three[1].unlock };
    let refused = Attendance::enter(definition.clone(), &mail, mixed, &three[0].home("home"), None, false);
    assert!(matches!(refused, Err(AttendError::Credentials { .. })));
    let stranger = Server::new(9);
    let refused = stranger.enter(&definition, &mail, "home", None);
    assert!(matches!(refused, Err(AttendError::Protocol(CeremonyError::Stranger))));
}

/// Puts the messages of a dealer that deals one thing to all and another to its victims; it never reports.
fn lie(liar: &Server, index: u16, definition: &Definition, mail: &Post, victims: &[u16]) {
    let draw = || Participant::new(definition.ceremony().unwrap(), &liar.seed, None, &mut rand::rng()).unwrap();
    let (said, other) = (draw(), draw());
    let (dealing, other) = (said.deal().unwrap(), other.deal().unwrap());
    mail.put(&format!("commit-{index}"), &said.commit().unwrap()).unwrap();
    mail.put(&format!("deal-{index}"), &dealing.public).unwrap();
    for ((to, right), (_, wrong)) in dealing.private.iter().zip(&other.private) {
        let message = if victims.contains(to) { wrong } else { right };
        let lock = Lock::recipient(&definition.servers()[usize::from(*to) - 1].recipient).unwrap();
        mail.put(&format!("share-{index}-{to}"), &sealed(message, &lock)).unwrap();
    }
}

/// As any age program would seal it.
fn sealed(bytes: &[u8], lock: &Lock) -> Vec<u8> {
    let Lock::Recipient(recipient) = lock else { panic!("no recipient") };
    age::encrypt(recipient, bytes).unwrap()
}

#[test]
fn a_dealer_that_lies_is_named_in_the_transcript_and_left_out() {
    let (five, mail) = (servers(1..=5), Post::default());
    let definition = new_key(&five, 2, 1);
    lie(&five[3], 4, &definition, &mail, &[2, 5]);
    let mut attending: BTreeMap<_, _> =
        [0, 1, 2, 4].map(|place| (place, five[place].enter(&definition, &mail, "home", None).unwrap())).into();
    for end in run(&mut attending).into_values().map(Result::unwrap) {
        let outcome = end.verified.outcome;
        assert_eq!(outcome.blamed, [Blame { server: 4, fault: Fault::WrongShare { receiver: 2 } }]);
        assert_eq!(outcome.qualified, [1, 2, 3, 5]);
    }
    let holders: Vec<_> = [4, 1, 2].iter().map(|&place| five[place].holder("home")).collect();
    issue(holders[0].key(), &holders.iter().collect::<Vec<_>>());
}

/// What is sealed cannot be complained of: its receiver has no share, the others have theirs, and a renewal gives it one.
#[test]
fn rubbish_in_place_of_a_share_costs_its_receiver_the_share_and_nobody_else() {
    let (five, mail) = (servers(1..=5), Post::default());
    let definition = new_key(&five, 2, 1);
    lie(&five[3], 4, &definition, &mail, &[]);
    mail.put("share-4-5", b"rubbish").unwrap();
    let mut attending: BTreeMap<_, _> =
        [0, 1, 2, 4].map(|place| (place, five[place].enter(&definition, &mail, "home", None).unwrap())).into();
    let mut ended = run(&mut attending);
    assert!(ended.remove(&4).unwrap().unwrap().holder.is_none());
    let end = ended.remove(&0).unwrap().unwrap();
    assert_eq!(end.verified.endorsed, ["server-1", "server-2", "server-3"]);
    let old: Vec<_> = (0..3).map(|place| five[place].holder("home")).collect();
    let (mail, renewal) = (Post::default(), Definition::renew(terms(&five, 2, 1), old[0].key(), cards(&five)).unwrap());
    let mut attending: BTreeMap<_, _> =
        [0, 1, 2, 4].map(|place| (place, five[place].enter(&renewal, &mail, "new", old.get(place)).unwrap())).into();
    assert!(run(&mut attending).values().all(Result::is_ok));
    let new: Vec<_> = [4, 0, 2].iter().map(|&place| five[place].holder("new")).collect();
    issue(new[0].key(), &new.iter().collect::<Vec<_>>());
}

#[test]
fn servers_that_say_nothing_are_left_out_when_time_is_over_and_no_sooner() {
    let (five, mail) = (servers(1..=5), Post::default());
    let definition = new_key(&five, 2, 5);
    let mut attending: BTreeMap<_, _> =
        [0, 2, 4].map(|place| (place, five[place].enter(&definition, &mail, "home", None).unwrap())).into();
    for _ in 0..5 {
        for attendance in attending.values_mut() {
            let waiting = attendance.advance(false).unwrap().err().unwrap();
            assert_eq!(waiting.step, 1);
        }
    }
    let ended = run(&mut attending);
    for end in ended.values().map(|end| end.as_ref().unwrap()) {
        assert_eq!(end.verified.outcome.qualified, [1, 3, 5]);
        assert_eq!(end.verified.endorsed.len(), 3);
    }
    // Two of five are too few, however late.
    let mail = Post::default();
    let mut attending: BTreeMap<_, _> =
        [0, 4].map(|place| (place, five[place].enter(&definition, &mail, "again", None).unwrap())).into();
    assert!(run(&mut attending).values().all(|ended| ended.as_ref().err().unwrap().step == 1));
}

/// The clerk took a message of one server in all places for messages of all, and signed minutes with too few.
#[test]
fn a_message_in_the_places_of_others_is_not_theirs() {
    let (five, mail) = (servers(1..=5), Post::default());
    let definition = new_key(&five, 2, 3);
    let liar = Participant::new(definition.ceremony().unwrap(), &five[0].seed, None, &mut rand::rng()).unwrap();
    for place in 1..=5 {
        mail.put(&format!("commit-{place}"), &liar.commit().unwrap()).unwrap();
    }
    let mut clerk = five[2].enter(&definition, &mail, "home", None).unwrap();
    let waiting = clerk.advance(false).unwrap().err().unwrap();
    assert_eq!((waiting.step, waiting.missing), (1, ["commit-2", "commit-4", "commit-5"].map(String::from).to_vec()));
    // Two are too few, however late.
    assert!(clerk.advance(true).unwrap().is_err() && mail.get("minutes-1", 1 << 20).unwrap().is_none());
    let mut attending = BTreeMap::from([(2, clerk)]);
    for place in [1, 3, 4] {
        attending.insert(place, five[place].enter(&definition, &mail, "home", None).unwrap());
    }
    let ended = run(&mut attending);
    assert!(ended.values().all(|end| end.as_ref().unwrap().verified.outcome.qualified == [2, 3, 4, 5]));
}

#[test]
fn minutes_that_the_clerk_did_not_sign_or_that_leave_out_too_many_are_refused() {
    let (three, mail) = (servers(1..=3), Post::default());
    let definition = new_key(&three, 1, 1);
    let mut attending: Vec<_> =
        three.iter().map(|server| server.enter(&definition, &mail, "home", None).unwrap()).collect();
    let waiting = attending[1].advance(false).unwrap().err().unwrap();
    assert_eq!(waiting.missing, ["minutes-1"]);
    attending[2].advance(false).unwrap().err().unwrap();
    attending[0].advance(false).unwrap().err().unwrap();
    let right = mail.take("minutes-1").unwrap();
    for place in [0, 8, 40, 41, 73, 80, 300, right.len() - 1] {
        let mut forged = right.clone();
        forged[place] ^= 1;
        mail.put("minutes-1", &forged).unwrap();
        assert!(matches!(attending[1].advance(false), Err(AttendError::Minutes { step: 1, .. })), "{place}");
    }
    // Signed, but by a server that is no clerk, and one message alone.
    let alone = new_key(&three, 1, 3);
    let other = Post::default();
    let mut clerk = three[2].enter(&alone, &other, "other", None).unwrap();
    clerk.advance(true).unwrap().err().unwrap();
    assert!(other.take("minutes-1").is_none(), "one of three is too few");
    mail.put("minutes-1", &right).unwrap();
    let mut attending: BTreeMap<_, _> = attending.into_iter().enumerate().collect();
    assert!(run(&mut attending).values().all(Result::is_ok));
}

/// A clerk that shows each its own board: nobody ends with a result that others do not have.
#[test]
fn a_clerk_with_two_minutes_stops_the_ceremony_and_makes_no_key() {
    let three = servers(1..=3);
    let definition = new_key(&three, 1, 1);
    let (north, south) = (Post::default(), Post::default());
    let enter = |place: usize, mail, home| three[place].enter(&definition, mail, home, None).unwrap();
    // The clerk deals in two ways, to either side.
    let mut one = BTreeMap::from([(0, enter(0, &north, "one")), (1, enter(1, &north, "home"))]);
    let mut two = BTreeMap::from([(0, enter(0, &south, "two")), (2, enter(2, &south, "home"))]);
    // With n = 3 and one dishonest, two endorsements are enough on either side: that much is lost when n is not more
    // than three times the threshold, and both sides have a key that the clerk alone cannot use.
    let (one, two) = (run(&mut one), run(&mut two));
    let (one, two) = (one[&1].as_ref().unwrap(), two[&2].as_ref().unwrap());
    assert_ne!(one.verified.outcome.public.id(), two.verified.outcome.public.id());
    // Whoever compares public keys or transcripts sees it; with four servers it cannot end twice.
    let four = servers(1..=4);
    let definition = new_key(&four, 1, 1);
    let (north, south) = (Post::default(), Post::default());
    let enter = |place: usize, mail, home| four[place].enter(&definition, mail, home, None).unwrap();
    let mut one = BTreeMap::from([(0, enter(0, &north, "one")), (1, enter(1, &north, "home"))]);
    let mut two =
        BTreeMap::from([(0, enter(0, &south, "two")), (2, enter(2, &south, "home")), (3, enter(3, &south, "home"))]);
    assert!(run(&mut one).values().all(Result::is_err));
    assert!(run(&mut two).values().all(Result::is_ok));
}

#[test]
fn a_transcript_with_any_byte_changed_does_not_hold() {
    let (three, mail) = (servers(1..=3), Post::default());
    let definition = new_key(&three, 1, 1);
    let ended = whole(&three, &definition, &mail, "home");
    let bytes = fs::read(three[0].home("home").join("transcript")).unwrap();
    let holds = |bytes: &[u8]| Transcript::from_bytes(bytes).and_then(|transcript| transcript.verify());
    assert_eq!(holds(&bytes).unwrap().outcome.public.id(), ended[0].verified.outcome.public.id());
    for place in (0..bytes.len()).step_by(bytes.len() / 150).chain([0, 7, 8, 20, bytes.len() - 1]) {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(holds(&changed).is_err(), "byte {place}");
    }
    for cut in [5, 100, bytes.len() / 2, bytes.len() - 300] {
        assert!(holds(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    // Its endorsements are the last messages: without two of three it is not confirmed.
    let endorsement = 8 + 68 + 4 + 32 + 64 + 32;
    assert!(holds(&bytes[..bytes.len() - endorsement]).is_ok());
    assert!(holds(&bytes[..bytes.len() - 2 * endorsement]).is_err());
}

#[test]
fn shares_are_renewed_recovered_and_moved_and_epochs_never_mix() {
    let (three, mail) = (servers(1..=3), Post::default());
    let first = whole(&three, &new_key(&three, 1, 1), &mail, "home").swap_remove(0);
    let old: Vec<_> = three.iter().map(|server| server.holder("home")).collect();
    let key = old[0].key().clone();
    let expected = issue(&key, &[&old[0], &old[1]]);

    // Server 3 lost its share.
    let mail = Post::default();
    let renewal = Definition::renew(terms(&three, 1, 1), &key, cards(&three)).unwrap();
    let renewal = Definition::from_bytes(&renewal.to_bytes()).unwrap();
    let forgot = Attendance::enter(renewal.clone(), &mail, three[2].credentials(), &three[2].home("new"), None, false);
    assert!(matches!(forgot, Err(AttendError::NoShare { .. })));
    let held = |place: usize| Some(&old[place]).filter(|_| place != 2);
    let mut attending: BTreeMap<_, _> =
        (0..3).map(|place| (place, three[place].enter(&renewal, &mail, "new", held(place)).unwrap())).collect();
    let second = run(&mut attending).remove(&2).unwrap().unwrap();
    second.verified.follows(&first.verified).unwrap();
    assert!(first.verified.follows(&second.verified).is_err());
    let new: Vec<_> = three.iter().map(|server| server.holder("new")).collect();
    let renewed = new[2].key();
    assert_eq!((renewed.public().id(), renewed.seat().epoch), (key.public().id(), 1));
    assert_eq!(issue(renewed, &[&new[2], &new[0]]).to_bytes(), expected.to_bytes());
    let mixed = [old[0].issue_partial(&map()).unwrap(), new[1].issue_partial(&map()).unwrap()];
    let combiner = renewed.combiner(&map()).unwrap();
    assert!(combiner.combine(&mixed).is_err());
    let stale = SeatError::Epoch { found: 0, expected: 1 };
    assert_eq!(combiner.verify(&mixed[0]), Err(PartialError::Seat(stale)));
    // An old share does not deal in the next ceremony.
    let next = Definition::renew(terms(&three, 1, 1), renewed, cards(&three)).unwrap();
    assert!(three[0].enter(&next, &Post::default(), "next", Some(&old[0])).is_err());

    // To four others, of whom one stays, with the threshold that they can bear.
    let others: Vec<_> = servers(11..=13).into_iter().chain(servers([1])).collect();
    let mail = Post::default();
    let moved = Definition::renew(terms(&others, 1, 4), renewed, cards(&three)).unwrap();
    // The one that stays has another identity now; it deals under its old place by its key.
    let mut attending = BTreeMap::new();
    for place in [1, 2] {
        attending.insert(place, three[place].enter(&moved, &mail, "moved", Some(&new[place])).unwrap());
    }
    for (place, other) in others.iter().enumerate().take(4) {
        let share = (place == 3).then_some(&new[0]);
        attending.insert(10 + place, other.enter(&moved, &mail, "moved", share).unwrap());
    }
    let mut ended = run(&mut attending);
    assert!(ended.remove(&1).unwrap().unwrap().holder.is_none());
    let third = ended.remove(&11).unwrap().unwrap();
    third.verified.follows(&second.verified).unwrap();
    let moved: Vec<_> = others.iter().map(|server| server.holder("moved")).collect();
    assert_eq!(issue(moved[0].key(), &[&moved[3], &moved[0]]).to_bytes(), expected.to_bytes());
}

#[test]
fn definitions_that_cannot_be_are_refused() {
    let mut three = servers(1..=3);
    let refused = |three: &[Server], threshold, clerk, inputs| {
        Definition::generate(terms(three, threshold, clerk), inputs).err().map(|error| error.to_string())
    };
    assert!(refused(&three, 2, 1, INPUTS).is_some(), "half could block");
    assert!(refused(&three, 1, 0, INPUTS).unwrap().contains("clerk"));
    assert!(refused(&three, 1, 4, INPUTS).unwrap().contains("clerk"));
    assert!(refused(&three, 1, 1, (0, 3)).is_some());
    assert!(refused(&[], 0, 1, INPUTS).is_some());
    let definition = new_key(&three, 1, 1);
    // Another nonce, clerk or recipient is another session.
    let text = String::from_utf8(definition.to_bytes()).unwrap();
    let session = |text: &str| *Definition::from_bytes(text.as_bytes()).unwrap().ceremony().unwrap().session();
    assert_ne!(session(&text), session(&text.replace("\"clerk\": 1", "\"clerk\": 2")));
    assert_ne!(session(&text), *new_key(&three, 1, 1).ceremony().unwrap().session());
    for (from, to) in [("\"clerk\": 1", "\"clerk\": 9"), ("\"version\": 1", "\"version\": 2"), ("\"name\"", "\"nom\"")]
    {
        assert!(Definition::from_bytes(text.replace(from, to).as_bytes()).is_err(), "{to}");
    }
    three[1].card.recipient = three[0].card.recipient.clone();
    assert!(refused(&three, 1, 1, INPUTS).unwrap().contains("read its shares"));
    three[1].card.recipient = "age1nobody".into();
    assert!(refused(&three, 1, 1, INPUTS).unwrap().contains("recipient"));
    three[1] = Server::new(2);
    three[1].card.name = "../2".into();
    assert!(refused(&three, 1, 1, INPUTS).unwrap().contains("letters"));
    three[1].card.name = "server-1".into();
    assert!(refused(&three, 1, 1, INPUTS).unwrap().contains("this name"));
}

#[test]
fn a_dealer_seals_every_share_to_its_server() {
    let (three, folder) = (servers(1..=3), tempfile::tempdir().unwrap());
    let definition = new_key(&three, 1, 1);
    let key = deal(&definition, folder.path()).unwrap();
    let load = |server: &Server| ShareHolder::load(&folder.path().join(&server.card.name), &server.unlock);
    let holders: Vec<_> = three.iter().map(|server| load(server).unwrap()).collect();
    assert!(ShareHolder::load(&folder.path().join("server-1"), &three[1].unlock).is_err());
    issue(&key, &[&holders[1], &holders[2]]);
    // Never over another one.
    assert!(deal(&definition, folder.path()).is_err());
    // They renew what was dealt, and the dealer's shares are worth nothing from then on.
    let mail = Post::default();
    let renewal = Definition::renew(terms(&three, 1, 2), &key, cards(&three)).unwrap();
    assert!(deal(&renewal, folder.path()).is_err());
    let mut attending: BTreeMap<_, _> = (0..3)
        .map(|place| (place, three[place].enter(&renewal, &mail, "new", Some(&holders[place])).unwrap()))
        .collect();
    assert!(run(&mut attending).values().all(Result::is_ok));
    assert!(Board::new(Arc::clone(&renewal.ceremony().unwrap())).verify().is_err());
}
