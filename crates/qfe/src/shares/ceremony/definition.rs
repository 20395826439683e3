//! The subject and the members of a ceremony.

use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

use super::CeremonyError;
use crate::{
    QuadraticMap,
    keys::PublicKey,
    shares::{Commitments, Sharing},
};

/// What a ceremony makes.
pub(super) enum Purpose {
    /// A new key for `n` and `m` inputs.
    Generate { inputs: (usize, usize) },
    /// New shares of a key.
    Reshare { public: PublicKey, commitments: Commitments },
}

/// The definition that all participants agree on beforehand; its hash is the session.
pub struct Ceremony {
    pub(super) purpose: Purpose,
    /// Keys that sign for the servers that deal, by index from 1.
    pub(super) dealers: Vec<VerifyingKey>,
    /// Likewise for those that receive.
    pub(super) receivers: Vec<VerifyingKey>,
    /// Dealers whose dealings do not count, ascending.
    without: Vec<u16>,
    pub(super) sharing: Sharing,
    pub(super) session: [u8; 32],
}

brief!(Ceremony { sharing, session });

impl Ceremony {
    /// A new key for `n` and `m` inputs, shared among `servers` (their Ed25519 keys, in the order of their
    /// indices) with `threshold`. `label` tells this ceremony from all others: use a fresh one each time.
    ///
    /// # Errors
    /// Impossible dimensions, keys that are none or the same, or a threshold of half the servers or more, which
    /// dishonest ones could then block.
    pub fn generate(
        (n, m): (usize, usize),
        servers: &[[u8; 32]],
        threshold: u16,
        label: &[u8],
    ) -> Result<Self, CeremonyError> {
        QuadraticMap::check_dimensions(n, m, 1, 1)?;
        let servers = keys(servers)?;
        Self::new(Purpose::Generate { inputs: (n, m) }, servers.clone(), servers, threshold, label)
    }

    /// New shares of a key, of the next epoch, which do not fit the old ones. `dealers` are the keys of
    /// the servers that hold shares, in the order of their indices, and `receivers` those of the servers that
    /// will. The same list twice renews shares, and gives back a share to a server that lost it: it takes
    /// part without one. After it everybody must erase the old shares.
    ///
    /// # Errors
    /// The commitments are not of this key; otherwise as [`Ceremony::generate`].
    pub fn reshare(
        public: &PublicKey,
        commitments: &Commitments,
        dealers: &[[u8; 32]],
        receivers: &[[u8; 32]],
        threshold: u16,
        label: &[u8],
    ) -> Result<Self, CeremonyError> {
        commitments.check(public)?;
        let servers = commitments.seat().sharing.servers();
        if dealers.len() != usize::from(servers) {
            return Err(CeremonyError::Servers { found: dealers.len(), expected: servers });
        }
        let purpose = Purpose::Reshare { public: public.clone(), commitments: commitments.clone() };
        Self::new(purpose, keys(dealers)?, keys(receivers)?, threshold, label)
    }

    fn new(
        purpose: Purpose,
        dealers: Vec<VerifyingKey>,
        receivers: Vec<VerifyingKey>,
        threshold: u16,
        label: &[u8],
    ) -> Result<Self, CeremonyError> {
        let servers = u16::try_from(receivers.len()).unwrap_or(u16::MAX);
        let sharing = Sharing::new(servers, threshold)?;
        if 2 * threshold >= servers && threshold > 0 {
            return Err(CeremonyError::Threshold { servers, threshold });
        }
        let mut hash = Sha256::new();
        hash.update(b"halflight qfe ceremony v2");
        match &purpose {
            Purpose::Generate { inputs: (n, m) } => {
                hash.update([0]);
                hash.update((*n as u64).to_le_bytes());
                hash.update((*m as u64).to_le_bytes());
            }
            Purpose::Reshare { public, commitments } => {
                hash.update([1]);
                hash.update(public.id().as_bytes());
                hash.update(Sha256::digest(commitments.to_bytes()));
            }
        }
        hash.update(threshold.to_le_bytes());
        for servers in [&dealers, &receivers] {
            hash.update((servers.len() as u64).to_le_bytes());
            servers.iter().for_each(|key| hash.update(key.as_bytes()));
        }
        hash.update(label);
        let session = hash.finalize().into();
        Ok(Self { purpose, dealers, receivers, without: Vec::new(), sharing, session })
    }

    /// The same ceremony, in which these servers deal nothing: those that withheld shares in an earlier attempt, by their
    /// indices in ascending order. They may still receive. Nothing that they deal is posted, so that they hold nobody up.
    ///
    /// # Errors
    /// No such dealers, or too few would be left: all but the threshold deal a new key, a quorum of the holders new shares.
    pub fn without(mut self, dealers: &[u16]) -> Result<Self, CeremonyError> {
        let known = dealers.iter().all(|&index| index > 0 && usize::from(index) <= self.dealers.len());
        if !known || !dealers.is_sorted_by(|a, b| a < b) {
            return Err(CeremonyError::Without { found: dealers.to_vec(), dealers: self.dealers.len() });
        }
        let (found, needed) = (self.dealers.len() - dealers.len(), self.needed());
        if found < needed {
            return Err(CeremonyError::TooFew { found, needed });
        }
        if !dealers.is_empty() {
            let mut hash = Sha256::new();
            hash.update(b"halflight qfe ceremony v2 without");
            hash.update(self.session);
            dealers.iter().for_each(|index| hash.update(index.to_le_bytes()));
            self.session = hash.finalize().into();
            self.without = dealers.to_vec();
        }
        Ok(self)
    }

    /// Dealers that must be left.
    fn needed(&self) -> usize {
        match &self.purpose {
            Purpose::Generate { .. } => usize::from(self.sharing.servers() - self.sharing.threshold()),
            Purpose::Reshare { commitments, .. } => commitments.seat().sharing.quorum(),
        }
    }

    /// Whether dealings of this server may count.
    pub fn deals(&self, index: u16) -> bool {
        (1..=self.dealers.len()).contains(&usize::from(index)) && !self.without.contains(&index)
    }

    /// SHA-256 of the definition; every message carries it.
    pub fn session(&self) -> &[u8; 32] {
        &self.session
    }

    /// Servers and threshold of the new shares.
    pub fn sharing(&self) -> Sharing {
        self.sharing
    }

    /// Inputs `(n, m)` of the key.
    pub fn inputs(&self) -> (usize, usize) {
        match &self.purpose {
            Purpose::Generate { inputs } => *inputs,
            Purpose::Reshare { public, .. } => public.inputs(),
        }
    }
}

/// Distinct, valid keys.
fn keys(servers: &[[u8; 32]]) -> Result<Vec<VerifyingKey>, CeremonyError> {
    let mut keys: Vec<VerifyingKey> = Vec::with_capacity(servers.len());
    for (place, bytes) in servers.iter().enumerate() {
        let server = place + 1;
        let key = VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak());
        let key = key.ok_or(CeremonyError::ServerKey { server })?;
        if keys.contains(&key) {
            return Err(CeremonyError::ServerKey { server });
        }
        keys.push(key);
    }
    Ok(keys)
}
