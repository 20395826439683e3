//! Ceremonies among five servers of which two are dishonest, in every way that comes to mind.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use host::Silent;
use qfe::{
    Encryptor, Evaluator, FunctionalKey, LogTable, PublicKey, QuadraticMap,
    shares::{
        Combiner, Commitments, KeyShare, PartialError, SeatError,
        ceremony::{Blame, Board, Ceremony, CeremonyError, Fault, Outcome, Participant},
    },
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

const INPUTS: (usize, usize) = (4, 3);

fn secret(server: u8) -> [u8; 32] {
    [server; 32]
}

fn keys(servers: impl IntoIterator<Item = u8>) -> Vec<[u8; 32]> {
    servers.into_iter().map(|server| SigningKey::from_bytes(&secret(server)).verifying_key().to_bytes()).collect()
}

fn new_key(label: &[u8]) -> Arc<Ceremony> {
    Arc::new(Ceremony::generate(INPUTS, &keys(1..=5), 2, label).unwrap())
}

fn join(ceremony: &Arc<Ceremony>, server: u8, share: Option<&KeyShare>, seed: u64) -> Participant {
    let mut rng = ChaCha20Rng::seed_from_u64(seed * 256 + u64::from(server));
    Participant::new(ceremony.clone(), &secret(server), share, &mut rng).unwrap()
}

/// A ceremony under way, with the participants' keys for names.
struct Run {
    board: Board,
    servers: Vec<(u8, Participant)>,
}

/// What dishonest servers do; honest ones do what they should.
#[derive(Default)]
struct Malice {
    /// Say nothing at all.
    silent: Vec<u8>,
    /// Commit, but do not deal.
    vanish: Vec<u8>,
    /// Deal something else than was committed to.
    switch: Vec<u8>,
    /// `(from, to)`: send a share of another dealing.
    wrong_share: Vec<(u8, u8)>,
    /// `(from, to)`: send no share.
    no_share: Vec<(u8, u8)>,
    /// `(from, to)`: send it when asked again.
    late_share: Vec<(u8, u8)>,
    /// Complain of right shares.
    slander: Vec<u8>,
}

impl Run {
    fn new(ceremony: &Arc<Ceremony>, servers: Vec<(u8, Participant)>) -> Self {
        Self { board: Board::new(ceremony.clone()), servers }
    }

    /// All steps; the dishonest servers have a second self with another polynomial.
    fn complete(&mut self, malice: &Malice, second: &dyn Fn(u8) -> Participant) -> Result<Outcome, CeremonyError> {
        let talks = |server: &u8| !malice.silent.contains(server);
        for (_, participant) in self.servers.iter().filter(|(server, _)| talks(server)) {
            participant.commit().map(|message| self.board.post(&message)).transpose()?;
        }
        self.board.end_step();
        let mut private = Vec::new();
        for (server, participant) in &self.servers {
            if !talks(server) || malice.vanish.contains(server) {
                continue;
            }
            let Some(mut dealing) = participant.deal() else { continue };
            if malice.switch.contains(server) {
                dealing = second(*server).deal().unwrap();
            }
            self.board.post(&dealing.public)?;
            for (to, message) in dealing.private {
                let pair = (*server, to as u8);
                if malice.wrong_share.contains(&pair) {
                    private.push(second(*server).deal().unwrap().private.swap_remove(usize::from(to) - 1).1.to_vec());
                } else if !malice.no_share.contains(&pair) && !malice.late_share.contains(&pair) {
                    private.push(message.to_vec());
                }
            }
        }
        self.board.end_step();
        for message in &private {
            // Everybody but its receiver refuses it.
            for (_, participant) in &mut self.servers {
                match participant.receive(&self.board, message) {
                    Ok(()) => {}
                    Err(CeremonyError::Receiver { .. } | CeremonyError::WrongShare { .. }) => {}
                    Err(CeremonyError::NoDealing { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        for (server, participant) in self.servers.iter().filter(|(server, _)| talks(server)) {
            let complaint = match malice.slander.contains(server) {
                true => Some(slander(participant, *server, &private)),
                false => participant.complain(),
            };
            complaint.map(|message| self.board.post(&message)).transpose()?;
        }
        self.board.end_step();
        for place in 0..self.servers.len() {
            let to = self.servers[place].0;
            for dealer in self.servers[place].1.missing(&self.board) {
                let dealer = self.servers.iter().find(|(server, _)| u16::from(*server) == dealer).unwrap();
                if !malice.no_share.contains(&(dealer.0, to)) {
                    let again = dealer.1.deliver_again(&self.board, to.into()).unwrap();
                    self.servers[place].1.receive(&self.board, &again)?;
                }
            }
        }
        for (_, participant) in self.servers.iter().filter(|(server, _)| talks(server)) {
            let finished = match participant.finish(&self.board) {
                Err(CeremonyError::MissingShare { .. }) => continue,
                finished => finished?,
            };
            finished.endorsement.map(|message| self.board.post(&message)).transpose()?;
        }
        self.board.end_step();
        self.board.verify()
    }

    fn shares(&self) -> Vec<KeyShare> {
        self.servers.iter().filter_map(|(_, participant)| participant.finish(&self.board).unwrap().share).collect()
    }
}

/// A complaint of right shares, of shares for others and of a share that nobody signed.
fn slander(liar: &Participant, server: u8, private: &[Vec<u8>]) -> Vec<u8> {
    let mut quoted = private.to_vec();
    // Another share under the dealer's signature.
    let mut forged = quoted[0].clone();
    let body = forged.len() - 32;
    forged[70] = server;
    forged[80] ^= 1;
    let checksum: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(&forged[..body]).into();
    forged[body..].copy_from_slice(&checksum);
    quoted.push(forged);
    complaint(&liar.commit().unwrap(), server, &quoted)
}

/// A signed complaint that quotes whatever it is given.
fn complaint(any: &[u8], server: u8, quoted: &[Vec<u8>]) -> Vec<u8> {
    let content: usize = quoted.iter().map(Vec::len).sum();
    let mut bytes = any[..60].to_vec();
    bytes[52] = 4;
    bytes[56..60].copy_from_slice(&(quoted.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&(4 + content as u64 + 64).to_le_bytes());
    bytes.extend_from_slice(&[server, 0, 0, 0]);
    quoted.iter().for_each(|message| bytes.extend_from_slice(message));
    bytes.extend_from_slice(&[0; 96]);
    resigned(&bytes, server)
}

fn generate(malice: &Malice, seed: u64) -> (Run, Outcome) {
    let ceremony = new_key(&seed.to_le_bytes());
    let servers = (1..=5).map(|server| (server, join(&ceremony, server, None, seed))).collect();
    let mut run = Run::new(&ceremony, servers);
    let outcome = run.complete(malice, &|server| join(&ceremony, server, None, seed + 1000)).unwrap();
    (run, outcome)
}

fn map() -> QuadraticMap {
    QuadraticMap::new(4, 3, 2, 2, vec![1, -2, 3, 0, 2, 2, -1, 5], vec![2, 0, 1, -4, 1, 1], vec![1, 3, -2, 5]).unwrap()
}

/// The key that a quorum issues, and that it opens what the public key encrypts.
fn issue(public: &PublicKey, commitments: &Commitments, shares: &[&KeyShare]) -> FunctionalKey {
    let partials: Vec<_> = shares.iter().map(|share| share.issue(public, &map()).unwrap()).collect();
    let combined = Combiner::new(public, commitments, &map()).unwrap().combine(&partials).unwrap();
    assert!(combined.refused.is_empty());
    combined.key
}

fn opens(public: &PublicKey, key: &FunctionalKey) {
    let (u, v) = ([1, 2, 3, 4], [-1, 0, 6]);
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let ciphertext = Encryptor::new(public, &Silent).encrypt(&u, &v, &mut rng).unwrap();
    let table = Arc::new(LogTable::build(12, &Silent).unwrap());
    let outputs = Evaluator::new(key, table, &[(-5000, 5000); 2]).unwrap().evaluate(&ciphertext).unwrap();
    let clear = map().evaluate(&u, &v).unwrap();
    assert_eq!(outputs.into_iter().map(i128::from).collect::<Vec<_>>(), clear);
}

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

/// The message as if `server` had made it.
fn resigned(message: &[u8], server: u8) -> Vec<u8> {
    resigned_with(message, server, |_| ())
}

fn resigned_with(message: &[u8], server: u8, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    use ed25519_dalek::Signer;
    use sha2::{Digest, Sha256};
    let mut bytes = message.to_vec();
    let signed = bytes.len() - 96;
    bytes[68] = server;
    change(&mut bytes);
    let signature = SigningKey::from_bytes(&secret(server)).sign(&bytes[..signed]);
    bytes[signed..signed + 64].copy_from_slice(&signature.to_bytes());
    let checksum = Sha256::digest(&bytes[..signed + 64]);
    bytes[signed + 64..].copy_from_slice(&checksum);
    bytes
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
