//! Institutions that make a key over a store of messages: to the end, after restarts, renewed, moved.

mod servers;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use qfe::shares::ceremony::{Board, CeremonyError};
use qfe::shares::{PartialError, SeatError};
use roles::ceremony::{AttendError, Attendance, Credentials, Definition, Mail, MailFolder, STATE, Transcript, deal};
use roles::keyfile::load_key_share;
use roles::{ShareHolder, SharedKey};
use servers::{INPUTS, Post, Server, cards, issue, map, new_key, run, servers, terms, whole};

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
