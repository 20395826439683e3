//! Ceremonies with lies, silence, a dishonest clerk, a hostile store.

mod servers;

use std::collections::BTreeMap;

use qfe::shares::ceremony::{Blame, Fault, Participant};
use roles::ceremony::{AttendError, Definition, Mail, Transcript};
use roles::keyfile::Lock;
use servers::{Post, Server, cards, issue, new_key, run, servers, terms};

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

/// A dealer that seals rubbish to three of five stops a ceremony. The second attempt leaves out what it deals.
#[test]
fn a_second_attempt_goes_without_the_dealer_that_withheld() {
    let (five, mail) = (servers(1..=5), Post::default());
    let first = new_key(&five, 2, 1);
    lie(&five[3], 4, &first, &mail, &[]);
    for victim in [1, 2, 5] {
        mail.put(&format!("share-4-{victim}"), b"rubbish").unwrap();
    }
    let mut attending: BTreeMap<_, _> =
        [0, 1, 2, 4].map(|place| (place, five[place].enter(&first, &mail, "home", None).unwrap())).into();
    assert!(run(&mut attending).values().all(Result::is_err));
    assert!(Transcript::gather(&first, &mail).unwrap().is_none());

    let (again, mail) = (first.again(2, vec![4]).unwrap(), Post::default());
    let again = Definition::from_bytes(&again.to_bytes()).unwrap();
    assert_eq!((again.clerk_index(), again.without()), (2, &[4][..]));
    let enter = |place: usize| (place, five[place].enter(&again, &mail, "second", None).unwrap());
    let ended = run(&mut (0..5).map(enter).collect());
    for end in ended.into_values().map(Result::unwrap) {
        assert!(end.verified.outcome.blamed.is_empty() && end.holder.is_some());
        assert_eq!(end.verified.outcome.qualified, [1, 2, 3, 5]);
    }
    assert!(Transcript::gather(&again, &mail).unwrap().unwrap().verify().is_ok());
    let holders: Vec<_> = five.iter().map(|server| server.holder("second")).collect();
    let key = holders[0].key();
    let expected = issue(key, &[&holders[3], &holders[0], &holders[4]]);

    // New shares need a quorum of the holders, and no more.
    let renewal = Definition::renew(terms(&five, 2, 1), key, cards(&five)).unwrap();
    assert!(renewal.again(1, vec![1, 4, 5]).is_err());
    let (renewal, mail) = (renewal.again(3, vec![4, 5]).unwrap(), Post::default());
    let enter = |place: usize| (place, five[place].enter(&renewal, &mail, "new", Some(&holders[place])).unwrap());
    let ended = run(&mut (0..5).map(enter).collect());
    assert!(ended.values().all(|end| end.as_ref().unwrap().verified.outcome.qualified == [1, 2, 3]));
    let new: Vec<_> = five.iter().map(|server| server.holder("new")).collect();
    assert_eq!(issue(new[0].key(), &[&new[4], &new[3], &new[1]]).to_bytes(), expected.to_bytes());

    // Who neither deals nor receives is told so.
    let others = servers(11..=13);
    let moved = Definition::renew(terms(&others, 1, 1), new[0].key(), cards(&five)).unwrap();
    let moved = moved.again(1, vec![5]).unwrap();
    let post = Post::default();
    let idle = five[4].enter(&moved, &post, "moved", Some(&new[4]));
    assert!(matches!(idle, Err(AttendError::LeftOut { .. })));
    for (clerk, without) in [(0, vec![]), (6, vec![]), (1, vec![0]), (1, vec![6]), (1, vec![4, 4]), (1, vec![1, 2, 3])]
    {
        assert!(first.again(clerk, without.clone()).is_err(), "clerk {clerk} without {without:?}");
    }
}

/// The clerk is gone for good after the first step: another one ends the steps of a second attempt.
#[test]
fn a_second_attempt_has_another_clerk() {
    let (three, mail) = (servers(1..=3), Post::default());
    let first = new_key(&three, 1, 1);
    let mut attending: BTreeMap<_, _> =
        (0..3).map(|place| (place, three[place].enter(&first, &mail, "home", None).unwrap())).collect();
    for attendance in attending.values_mut() {
        assert!(attendance.advance(false).unwrap().is_err());
    }
    attending.remove(&0);
    assert!(run(&mut attending).values().all(Result::is_err));
    let (again, mail) = (first.again(2, Vec::new()).unwrap(), Post::default());
    // Nothing of the first attempt fits the second.
    assert_ne!(again.ceremony().unwrap().session(), first.ceremony().unwrap().session());
    let enter = |place: usize| (place, three[place].enter(&again, &mail, "second", None).unwrap());
    let ended = run(&mut [1, 2].map(enter).into());
    assert!(ended.values().all(|end| end.as_ref().unwrap().verified.endorsed == ["server-2", "server-3"]));
}
