//! Ceremonies among five servers of which two are dishonest, in every way that comes to mind.

mod run;

use qfe::shares::KeyShare;
use qfe::shares::ceremony::{Blame, Board, Ceremony, CeremonyError, Fault, Participant};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use run::{INPUTS, Malice, Run, generate, issue, join, keys, new_key, opens, resigned, resigned_with, secret};

#[test]
fn honest_servers_make_a_key_that_every_quorum_issues_for() {
    let (run, outcome) = generate(&Malice::default(), 1);
    assert_eq!(outcome.qualified, [1, 2, 3, 4, 5]);
    assert!(outcome.blamed.is_empty());
    let shares = run.shares();
    let first = issue(&outcome.public, &outcome.commitments, &[&shares[0], &shares[1], &shares[2]]);
    let last = issue(&outcome.public, &outcome.commitments, &[&shares[4], &shares[3], &shares[1]]);
    assert_eq!(first.to_bytes(), last.to_bytes());
    outcome.public.verify(&first).unwrap();
    opens(&outcome.public, &first);
    let (_, other) = generate(&Malice::default(), 2);
    assert_ne!(other.public.id(), outcome.public.id());
}

#[test]
fn servers_that_vanish_are_left_out() {
    let malice = Malice { silent: vec![2], vanish: vec![5], ..Default::default() };
    let (run, outcome) = generate(&malice, 3);
    assert_eq!(outcome.qualified, [1, 3, 4]);
    let silent = |server| Blame { server, fault: Fault::Silent };
    assert_eq!(outcome.blamed, [silent(2), silent(5)]);
    let shares = run.shares();
    opens(&outcome.public, &issue(&outcome.public, &outcome.commitments, &[&shares[0], &shares[2], &shares[3]]));
}

#[test]
fn a_dealer_of_wrong_shares_is_disqualified_by_its_own_signature() {
    let malice =
        Malice { wrong_share: vec![(2, 1), (4, 3), (4, 5), (4, 1)], late_share: vec![(3, 5)], ..Default::default() };
    let (run, outcome) = generate(&malice, 4);
    assert_eq!(outcome.qualified, [1, 3, 5]);
    let wrong = |server, receiver| Blame { server, fault: Fault::WrongShare { receiver } };
    assert_eq!(outcome.blamed, [wrong(2, 1), wrong(4, 1)]);
    let shares = run.shares();
    opens(&outcome.public, &issue(&outcome.public, &outcome.commitments, &[&shares[4], &shares[0], &shares[1]]));
}

/// A receiver whose mail was lost complained of all dealers, all answered in the open, and everybody had its share.
#[test]
fn a_share_whose_message_was_lost_is_not_published() {
    let malice = Malice { late_share: (1..=5).map(|dealer| (dealer, 5)).collect(), ..Default::default() };
    let (run, outcome) = generate(&malice, 5);
    assert_eq!(outcome.qualified, [1, 2, 3, 4, 5]);
    let transcript = run.board.to_bytes();
    for (_, dealer) in &run.servers {
        for (to, message) in dealer.deal().unwrap().private {
            // The first of its scalars.
            let scalar = &message[72..104];
            assert!(!transcript.windows(32).any(|window| window == scalar), "a share of server {to}");
            assert_eq!(dealer.deliver_again(&run.board, to), Some(message));
        }
        assert!(dealer.complain().is_none());
        assert!([0, 6].iter().all(|&to| dealer.deliver_again(&run.board, to).is_none()));
        assert!(dealer.deliver_again(&Board::new(new_key(b"empty")), 1).is_none());
    }
    let shares = run.shares();
    opens(&outcome.public, &issue(&outcome.public, &outcome.commitments, &[&shares[4], &shares[0], &shares[1]]));
}

#[test]
fn a_share_that_is_withheld_leaves_its_receiver_without_one_and_the_dealer_known_to_it() {
    let malice = Malice { no_share: vec![(3, 5)], ..Default::default() };
    let (run, outcome) = generate(&malice, 21);
    assert_eq!(outcome.qualified, [1, 2, 3, 4, 5]);
    let receiver = &run.servers[4].1;
    assert_eq!(receiver.missing(&run.board), [3]);
    assert!(receiver.complain().is_none());
    assert!(matches!(receiver.finish(&run.board), Err(CeremonyError::MissingShare { server: 3 })));
    // Three more, and the result is not confirmed.
    let ceremony = new_key(b"withheld");
    let servers = (1..=5).map(|server| (server, join(&ceremony, server, None, 22))).collect();
    let mut run = Run::new(&ceremony, servers);
    let malice = Malice { no_share: vec![(3, 5), (3, 4), (3, 1)], ..Default::default() };
    let failed = run.complete(&malice, &|server| join(&ceremony, server, None, 23));
    assert!(matches!(failed, Err(CeremonyError::Endorsements { found: 2, needed: 3, .. })));
}

#[test]
fn slander_disqualifies_nobody() {
    let malice = Malice { slander: vec![2, 5], ..Default::default() };
    let (run, outcome) = generate(&malice, 6);
    assert_eq!(outcome.qualified, [1, 2, 3, 4, 5]);
    let shares = run.shares();
    opens(&outcome.public, &issue(&outcome.public, &outcome.commitments, &[&shares[1], &shares[4], &shares[2]]));
}

/// Any two of five servers do any of the above but withhold, alone or at once: honest ones always qualify and always make the key.
#[test]
fn two_dishonest_servers_stop_nothing_whatever_they_do() {
    let mut rng = ChaCha20Rng::seed_from_u64(20);
    for round in 0..25 {
        let first = rng.random_range(1..=5u8);
        let second = (first + rng.random_range(0..4u8)) % 5 + 1;
        let mut malice = Malice::default();
        for liar in [first, second] {
            let to = rng.random_range(1..=5);
            for behaviour in [rng.random_range(0..6), rng.random_range(0..6)] {
                match behaviour {
                    0 => malice.silent.push(liar),
                    1 => malice.vanish.push(liar),
                    2 => malice.switch.push(liar),
                    3 => malice.wrong_share.push((liar, to)),
                    4 => malice.late_share.push((liar, to)),
                    _ => malice.slander.push(liar),
                }
            }
        }
        let (run, outcome) = generate(&malice, 100 + round);
        let honest: Vec<u8> = (1..=5).filter(|server| ![first, second].contains(server)).collect();
        assert!(honest.iter().all(|&server| outcome.qualified.contains(&server.into())), "round {round}");
        let of = |server: &u8| run.servers[usize::from(*server) - 1].1.finish(&run.board).unwrap().share.unwrap();
        let shares: Vec<KeyShare> = honest.iter().map(of).collect();
        let shares: Vec<&KeyShare> = shares.iter().collect();
        outcome.public.verify(&issue(&outcome.public, &outcome.commitments, &shares)).unwrap();
    }
}

#[test]
fn a_dealing_chosen_after_the_others_were_seen_does_not_count() {
    let malice = Malice { switch: vec![1, 4], ..Default::default() };
    let (_, outcome) = generate(&malice, 7);
    let switched = |server| Blame { server, fault: Fault::Commitment };
    assert_eq!(outcome.blamed, [switched(1), switched(4)]);
    assert_eq!(outcome.qualified, [2, 3, 5]);
}

/// A dealing made of another's points, signed by the thief under its own name, has no proof.
#[test]
fn a_dealing_copied_from_another_server_does_not_count() {
    let ceremony = new_key(b"copy");
    let victim = join(&ceremony, 1, None, 8);
    let stolen = victim.deal().unwrap().public;
    let copy = resigned(&stolen, 2);
    let digest: [u8; 32] =
        sha2::Digest::finalize(sha2::Digest::chain_update(<sha2::Sha256 as sha2::Digest>::new(), &copy)).into();
    let thief = join(&ceremony, 2, None, 8).commit().unwrap();
    let commit = resigned_with(&thief, 2, |bytes| bytes[72..104].copy_from_slice(&digest));
    let mut board = Board::new(ceremony.clone());
    board.post(&commit).unwrap();
    for server in [1, 3, 4] {
        board.post(&join(&ceremony, server, None, 8).commit().unwrap()).unwrap();
    }
    board.end_step();
    board.post(&copy).unwrap();
    for server in [1, 3, 4] {
        board.post(&join(&ceremony, server, None, 8).deal().unwrap().public).unwrap();
    }
    let outcome = board.outcome().unwrap();
    assert!(outcome.blamed.contains(&Blame { server: 2, fault: Fault::Proof }));
    assert_eq!(outcome.qualified, [1, 3, 4]);
}

#[test]
fn the_board_takes_signed_messages_of_this_step_once() {
    let ceremony = new_key(b"board");
    let server = join(&ceremony, 1, None, 9);
    let mut board = Board::new(ceremony.clone());
    let commit = server.commit().unwrap();
    let mut damaged = commit.clone();
    damaged[80] ^= 1;
    assert!(matches!(board.post(&damaged), Err(CeremonyError::Wire(_))));
    // In another's name, with the thief's signature.
    let mut forged = resigned(&commit, 3);
    forged[68] = 2;
    let end = forged.len() - 32;
    let checksum: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(&forged[..end]).into();
    forged[end..].copy_from_slice(&checksum);
    assert!(matches!(board.post(&forged), Err(CeremonyError::Signature { server: 2 })));
    assert!(matches!(board.post(&server.deal().unwrap().public), Err(CeremonyError::Late { server: 1, .. })));
    board.post(&commit).unwrap();
    board.post(&commit).unwrap();
    let second = join(&ceremony, 1, None, 10).commit().unwrap();
    assert!(matches!(board.post(&second), Err(CeremonyError::Equivocation { server: 1 })));
    let elsewhere = join(&new_key(b"elsewhere"), 2, None, 9).commit().unwrap();
    assert!(matches!(board.post(&elsewhere), Err(CeremonyError::Session)));
    // Private messages are not posted.
    board.end_step();
    let (_, private) = &server.deal().unwrap().private[1];
    assert!(board.post(private).is_err());
    assert!(matches!(Participant::new(ceremony, &secret(9), None, &mut rand::rng()), Err(CeremonyError::Stranger)));
}

#[test]
fn definitions_that_cannot_work_are_refused() {
    let refused = |inputs, servers: &[[u8; 32]], threshold| Ceremony::generate(inputs, servers, threshold, b"").err();
    let four = keys(1..=4);
    assert!(matches!(refused(INPUTS, &four, 2), Some(CeremonyError::Threshold { servers: 4, threshold: 2 })));
    assert!(matches!(refused((0, 3), &four, 1), Some(CeremonyError::Map(_))));
    assert!(matches!(refused(INPUTS, &[], 0), Some(CeremonyError::Share(_))));
    assert!(matches!(refused(INPUTS, &[four[0], four[0], four[1]], 1), Some(CeremonyError::ServerKey { server: 2 })));
    // The identity, a key for which anybody signs.
    let mut weak = [0; 32];
    weak[0] = 1;
    assert!(matches!(refused(INPUTS, &[four[0], weak, four[1]], 1), Some(CeremonyError::ServerKey { server: 2 })));
}

#[test]
fn a_transcript_proves_the_key_to_anybody_later() {
    let malice = Malice { wrong_share: vec![(2, 1)], ..Default::default() };
    let (run, outcome) = generate(&malice, 11);
    let bytes = run.board.to_bytes();
    let again = Board::from_bytes(new_key(&11u64.to_le_bytes()), &bytes).unwrap().verify().unwrap();
    assert_eq!((again.public.id(), again.blamed), (outcome.public.id(), outcome.blamed));
    assert!(again.commitments == outcome.commitments);
    assert!(matches!(Board::from_bytes(new_key(b"other"), &bytes), Err(CeremonyError::Session)));
    for cut in [1, 7, 300, bytes.len() - 1] {
        let board = Board::from_bytes(new_key(&11u64.to_le_bytes()), &bytes[..cut]);
        assert!(matches!(board, Err(CeremonyError::Transcript { .. })), "{cut}");
    }
    // Without the endorsements of two servers nothing is missing, without three it is not confirmed.
    let endorsement = 8 + 68 + 4 + 32 + 64 + 32;
    let shorter = |missing: usize| {
        let bytes = &bytes[..bytes.len() - missing * endorsement];
        Board::from_bytes(new_key(&11u64.to_le_bytes()), bytes).unwrap().verify()
    };
    assert!(shorter(2).is_ok());
    assert!(matches!(shorter(3), Err(CeremonyError::Endorsements { found: 2, needed: 3, .. })));
}
