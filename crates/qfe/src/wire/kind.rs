//! The kinds of objects, and their numbers.

use std::fmt;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The owner's key.
    PublicKey,
    /// The authority's secret.
    MasterKey,
    /// The predictor's key.
    FunctionalKey,
    /// An encryption.
    Ciphertext,
    /// A mask for one encryption.
    Mask,
    /// One server's share of a master key.
    KeyShare,
    /// One server's part of a functional key.
    PartialKey,
    /// Commitments to the polynomial that shares a master key.
    Commitments,
    /// A message of a ceremony.
    CeremonyMessage,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::PublicKey,
        Self::MasterKey,
        Self::FunctionalKey,
        Self::Ciphertext,
        Self::Mask,
        Self::KeyShare,
        Self::PartialKey,
        Self::Commitments,
        Self::CeremonyMessage,
    ];

    pub(super) fn number(self) -> u8 {
        1 + Self::ALL.iter().position(|&kind| kind == self).unwrap_or(0) as u8
    }

    pub(super) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PublicKey => "public key",
            Self::MasterKey => "master key",
            Self::FunctionalKey => "functional key",
            Self::Ciphertext => "ciphertext",
            Self::Mask => "mask",
            Self::KeyShare => "key share",
            Self::PartialKey => "partial key",
            Self::Commitments => "set of commitments",
            Self::CeremonyMessage => "message of a ceremony",
        })
    }
}
