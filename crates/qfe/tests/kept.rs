//! A restarted dealer continues with its stored dealing, and with no other.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use qfe::shares::ceremony::{Board, Ceremony, CeremonyError, Participant};

fn ceremony(label: &[u8]) -> Arc<Ceremony> {
    let keys: Vec<[u8; 32]> =
        (1..=3).map(|server| SigningKey::from_bytes(&[server; 32]).verifying_key().to_bytes()).collect();
    Arc::new(Ceremony::generate((3, 2), &keys, 1, label).unwrap())
}

#[test]
fn a_kept_dealing_is_the_same_one_and_fits_nothing_else() {
    let session = ceremony(b"one");
    let server = Participant::new(session.clone(), &[1; 32], None, &mut rand::rng()).unwrap();
    let kept = server.keep().unwrap();
    let again = Participant::resume(session.clone(), &[1; 32], &kept).unwrap();
    assert_eq!(server.commit(), again.commit());
    let (first, second) = (server.deal().unwrap(), again.deal().unwrap());
    assert_eq!(first.public, second.public);
    assert!(first.private == second.private);
    // Of another server, another ceremony, truncated, longer, with another coefficient.
    let refused = |session: &Arc<Ceremony>, secret, kept: &[u8]| {
        matches!(Participant::resume(session.clone(), &[secret; 32], kept), Err(CeremonyError::Kept))
    };
    assert!(refused(&session, 2, &kept));
    assert!(refused(&ceremony(b"two"), 1, &kept));
    assert!(refused(&session, 1, &kept[..kept.len() - 1]));
    assert!(refused(&session, 1, &[&kept[..], &[0]].concat()));
    for place in [0, 8, 90, kept.len() - 32 * 6, kept.len() - 1] {
        let mut damaged = kept.to_vec();
        damaged[place] ^= 1;
        assert!(refused(&session, 1, &damaged), "byte {place}");
    }
    let stranger = Participant::resume(session.clone(), &[9; 32], &kept);
    assert!(matches!(stranger, Err(CeremonyError::Stranger)));
    // Who only receives keeps nothing; `t`, which is erased, is in nothing that is kept.
    let scalars = 2 * 3;
    assert_eq!(kept.len(), 8 + first.public.len() + 32 * scalars);
}

#[test]
fn an_empty_report_blames_nobody_and_names_who_posted() {
    let session = ceremony(b"report");
    let servers: Vec<Participant> = (1..=3)
        .map(|server| Participant::new(session.clone(), &[server; 32], None, &mut rand::rng()).unwrap())
        .collect();
    let mut board = Board::new(session.clone());
    for (index, server) in (1..).zip(&servers) {
        assert!(!board.has_committed(index));
        assert_eq!(board.post(&server.commit().unwrap()).unwrap(), index);
        assert!(board.has_committed(index));
    }
    assert_eq!(board.posted(), [1, 2, 3]);
    board.end_step();
    assert!(board.posted().is_empty());
    for server in &servers {
        board.post(&server.deal().unwrap().public).unwrap();
    }
    board.end_step();
    for (index, server) in (1..).zip(&servers) {
        assert_eq!(board.post(&server.report().unwrap()).unwrap(), index);
    }
    assert!(board.outcome().unwrap().blamed.is_empty());
}
