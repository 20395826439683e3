//! New shares of a key: renewed, recovered, for other servers.

mod run;

use std::sync::Arc;

use qfe::shares::ceremony::{Ceremony, CeremonyError, Participant};
use qfe::shares::{Combiner, PartialError, SeatError};
use run::{INPUTS, Malice, Run, generate, issue, join, keys, map, new_key, opens, resigned, secret};

#[test]
fn renewed_shares_keep_the_key_and_do_not_fit_the_old_ones() {
    let (run, before) = generate(&Malice::default(), 12);
    let old = run.shares();
    let ceremony = Ceremony::reshare(&before.public, &before.commitments, &keys(1..=5), &keys(1..=5), 2, b"renew");
    let ceremony = Arc::new(ceremony.unwrap());
    let share = |server: u8| old.get(usize::from(server) - 1);
    // Server 3 lost its share and gets one back; server 2 deals wrong shares; server 5 changes its mind.
    let lost = |server| if server == 3 { None } else { share(server) };
    let servers = (1..=5).map(|server| (server, join(&ceremony, server, lost(server), 13))).collect();
    let mut run = Run::new(&ceremony, servers);
    let malice = Malice { wrong_share: vec![(2, 3)], ..Default::default() };
    let after = run.complete(&malice, &|server| join(&ceremony, server, share(server), 14)).unwrap();
    assert_eq!(after.qualified, [1, 4, 5]);
    assert_eq!(after.public.id(), before.public.id());
    assert_eq!((before.commitments.seat().epoch, after.commitments.seat().epoch), (0, 1));
    let new = run.shares();
    let expected = issue(&before.public, &before.commitments, &[&old[0], &old[1], &old[2]]);
    let key = issue(&after.public, &after.commitments, &[&new[2], &new[1], &new[4]]);
    assert_eq!(key.to_bytes(), expected.to_bytes());
    opens(&after.public, &key);
    // Two old shares and a new one are refused; relabelled, they are wrong.
    let combiner = Combiner::new(&after.public, &after.commitments, &map()).unwrap();
    let stale = old[0].issue(&before.public, &map()).unwrap();
    let epoch = SeatError::Epoch { found: 0, expected: 1 };
    assert_eq!(combiner.verify(&stale), Err(PartialError::Seat(epoch)));
    assert!(old[0].verify(&after.commitments).is_err());
}

#[test]
fn a_share_that_is_not_the_dealers_own_does_not_count() {
    let (run, before) = generate(&Malice::default(), 15);
    let old = run.shares();
    let ceremony = Ceremony::reshare(&before.public, &before.commitments, &keys(1..=5), &keys(6..=8), 1, b"move");
    let ceremony = Arc::new(ceremony.unwrap());
    assert!(Participant::new(ceremony.clone(), &secret(1), Some(&old[1]), &mut rand::rng()).is_err());
    let (_, other) = generate(&Malice::default(), 16);
    assert!(matches!(
        Ceremony::reshare(&other.public, &before.commitments, &keys(1..=5), &keys(6..=8), 1, b""),
        Err(CeremonyError::Seat(_))
    ));
    assert!(matches!(
        Ceremony::reshare(&before.public, &before.commitments, &keys(1..=4), &keys(6..=8), 1, b""),
        Err(CeremonyError::Servers { found: 4, expected: 5 })
    ));
}

#[test]
fn shares_move_to_other_servers_with_another_threshold() {
    let (run, before) = generate(&Malice::default(), 17);
    let old = run.shares();
    let ceremony = Ceremony::reshare(&before.public, &before.commitments, &keys(1..=5), &keys(4..=10), 3, b"move");
    let ceremony = Arc::new(ceremony.unwrap());
    let share = |server: u8| old.get(usize::from(server) - 1);
    let servers = (1..=10).map(|server| (server, join(&ceremony, server, share(server), 18))).collect();
    let mut run = Run::new(&ceremony, servers);
    let malice = Malice { vanish: vec![1], ..Default::default() };
    let after = run.complete(&malice, &|server| join(&ceremony, server, share(server), 19)).unwrap();
    assert_eq!(after.qualified, [2, 3, 4]);
    let new = run.shares();
    assert_eq!((new.len(), new[0].seat().sharing.threshold()), (7, 3));
    let expected = issue(&before.public, &before.commitments, &[&old[0], &old[3], &old[4]]);
    let key = issue(&after.public, &after.commitments, &[&new[6], &new[0], &new[3], &new[1]]);
    assert_eq!(key.to_bytes(), expected.to_bytes());
    // Too few dealers end the ceremony.
    let servers = (1..=10).map(|server| (server, join(&ceremony, server, share(server), 18))).collect();
    let malice = Malice { vanish: vec![1, 2, 5], ..Default::default() };
    let mut run = Run::new(&ceremony, servers);
    let failed = run.complete(&malice, &|server| join(&ceremony, server, share(server), 19));
    assert!(matches!(failed, Err(CeremonyError::TooFew { found: 2, needed: 3 })));
}

#[test]
fn what_a_server_deals_that_was_left_out_is_not_posted() {
    let made = |without: &[u16]| Ceremony::generate(INPUTS, &keys(1..=5), 2, b"again").unwrap().without(without);
    assert!(matches!(made(&[1, 2, 3]), Err(CeremonyError::TooFew { found: 2, needed: 3 })));
    for bad in [&[0][..], &[6], &[2, 2], &[3, 1]] {
        assert!(matches!(made(bad), Err(CeremonyError::Without { .. })), "{bad:?}");
    }
    assert_eq!(made(&[]).unwrap().session(), new_key(b"again").session());
    assert_ne!(made(&[4]).unwrap().session(), new_key(b"again").session());
    let ceremony = Arc::new(made(&[4]).unwrap());
    assert!((1..=5).all(|server| ceremony.deals(server) == (server != 4)) && !ceremony.deals(0) && !ceremony.deals(6));
    let servers = (1..=5).map(|server| (server, join(&ceremony, server, None, 30))).collect();
    let mut run = Run::new(&ceremony, servers);
    let forged = resigned(&run.servers[0].1.commit().unwrap(), 4);
    assert!(matches!(run.board.post(&forged), Err(CeremonyError::LeftOut { server: 4 })));
    let outcome = run.complete(&Malice::default(), &|server| join(&ceremony, server, None, 31)).unwrap();
    assert_eq!(outcome.qualified, [1, 2, 3, 5]);
    assert!(outcome.blamed.is_empty());
    let shares = run.shares();
    opens(&outcome.public, &issue(&outcome.public, &outcome.commitments, &[&shares[3], &shares[0], &shares[4]]));
}
