//! Ceremonies among five servers, of which some are dishonest.

#![allow(dead_code)] // each test program uses its own part

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use host::Silent;
use qfe::shares::ceremony::{Board, Ceremony, CeremonyError, Outcome, Participant};
use qfe::shares::{Combiner, Commitments, KeyShare};
use qfe::{Encryptor, Evaluator, FunctionalKey, LogTable, PublicKey, QuadraticMap};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

pub const INPUTS: (usize, usize) = (4, 3);

pub fn secret(server: u8) -> [u8; 32] {
    [server; 32]
}

pub fn keys(servers: impl IntoIterator<Item = u8>) -> Vec<[u8; 32]> {
    servers.into_iter().map(|server| SigningKey::from_bytes(&secret(server)).verifying_key().to_bytes()).collect()
}

pub fn new_key(label: &[u8]) -> Arc<Ceremony> {
    Arc::new(Ceremony::generate(INPUTS, &keys(1..=5), 2, label).unwrap())
}

pub fn join(ceremony: &Arc<Ceremony>, server: u8, share: Option<&KeyShare>, seed: u64) -> Participant {
    let mut rng = ChaCha20Rng::seed_from_u64(seed * 256 + u64::from(server));
    Participant::new(ceremony.clone(), &secret(server), share, &mut rng).unwrap()
}

/// A ceremony under way, with the participants' keys for names.
pub struct Run {
    pub board: Board,
    pub servers: Vec<(u8, Participant)>,
}

/// What dishonest servers do; honest ones do what they should.
#[derive(Default)]
pub struct Malice {
    /// Say nothing at all.
    pub silent: Vec<u8>,
    /// Commit, but do not deal.
    pub vanish: Vec<u8>,
    /// Deal something else than was committed to.
    pub switch: Vec<u8>,
    /// `(from, to)`: send a share of another dealing.
    pub wrong_share: Vec<(u8, u8)>,
    /// `(from, to)`: send no share.
    pub no_share: Vec<(u8, u8)>,
    /// `(from, to)`: send it when asked again.
    pub late_share: Vec<(u8, u8)>,
    /// Complain of right shares.
    pub slander: Vec<u8>,
}

impl Run {
    pub fn new(ceremony: &Arc<Ceremony>, servers: Vec<(u8, Participant)>) -> Self {
        Self { board: Board::new(ceremony.clone()), servers }
    }

    /// All steps; the dishonest servers have a second self with another polynomial.
    pub fn complete(&mut self, malice: &Malice, second: &dyn Fn(u8) -> Participant) -> Result<Outcome, CeremonyError> {
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

    pub fn shares(&self) -> Vec<KeyShare> {
        self.servers.iter().filter_map(|(_, participant)| participant.finish(&self.board).unwrap().share).collect()
    }
}

/// A complaint of right shares, of shares for others and of a share that nobody signed.
pub fn slander(liar: &Participant, server: u8, private: &[Vec<u8>]) -> Vec<u8> {
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
pub fn complaint(any: &[u8], server: u8, quoted: &[Vec<u8>]) -> Vec<u8> {
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

pub fn generate(malice: &Malice, seed: u64) -> (Run, Outcome) {
    let ceremony = new_key(&seed.to_le_bytes());
    let servers = (1..=5).map(|server| (server, join(&ceremony, server, None, seed))).collect();
    let mut run = Run::new(&ceremony, servers);
    let outcome = run.complete(malice, &|server| join(&ceremony, server, None, seed + 1000)).unwrap();
    (run, outcome)
}

pub fn map() -> QuadraticMap {
    QuadraticMap::new(4, 3, 2, 2, vec![1, -2, 3, 0, 2, 2, -1, 5], vec![2, 0, 1, -4, 1, 1], vec![1, 3, -2, 5]).unwrap()
}

/// The key that a quorum issues, and that it opens what the public key encrypts.
pub fn issue(public: &PublicKey, commitments: &Commitments, shares: &[&KeyShare]) -> FunctionalKey {
    let partials: Vec<_> = shares.iter().map(|share| share.issue(public, &map()).unwrap()).collect();
    let combined = Combiner::new(public, commitments, &map()).unwrap().combine(&partials).unwrap();
    assert!(combined.refused.is_empty());
    combined.key
}

pub fn opens(public: &PublicKey, key: &FunctionalKey) {
    let (u, v) = ([1, 2, 3, 4], [-1, 0, 6]);
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let ciphertext = Encryptor::new(public, &Silent).encrypt(&u, &v, &mut rng).unwrap();
    let table = Arc::new(LogTable::build(12, &Silent).unwrap());
    let outputs = Evaluator::new(key, table, &[(-5000, 5000); 2]).unwrap().evaluate(&ciphertext).unwrap();
    let clear = map().evaluate(&u, &v).unwrap();
    assert_eq!(outputs.into_iter().map(i128::from).collect::<Vec<_>>(), clear);
}

/// The message as if `server` had made it.
pub fn resigned(message: &[u8], server: u8) -> Vec<u8> {
    resigned_with(message, server, |_| ())
}

pub fn resigned_with(message: &[u8], server: u8, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
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
