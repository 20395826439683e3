//! The result of a ceremony.

use crate::{keys::PublicKey, shares::Commitments};

/// Why a dealer is disqualified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It did not commit, or did not deal.
    Silent,
    /// The dealing is not the one that it committed to.
    Commitment,
    /// The dealing has not the parts that it should have.
    Shape,
    /// A proof of knowledge does not hold.
    Proof,
    /// It deals something else than its own share.
    OtherShare,
    /// It signed a wrong share for this receiver (the first, where there are several).
    WrongShare {
        /// The receiver.
        receiver: u16,
    },
}

/// A disqualified dealer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blame {
    /// The dealer.
    pub server: u16,
    /// What it did.
    pub fault: Fault,
}

/// The result of a ceremony.
#[derive(Debug)]
pub struct Outcome {
    /// The public key: new, or the one whose shares were renewed.
    pub public: PublicKey,
    /// Commitments to the new sharing.
    pub commitments: Commitments,
    /// Dealers whose dealings count.
    pub qualified: Vec<u16>,
    /// Disqualified dealers.
    pub blamed: Vec<Blame>,
}
