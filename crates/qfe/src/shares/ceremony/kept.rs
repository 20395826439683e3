//! What a dealer stores between steps, so that a restarted process can continue with the same dealing.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use super::{Ceremony, CeremonyError, Participant, board::open_message, participant::Dealer};
use crate::{
    raw::Scalar,
    shares::{Polynomial, commitments::opens},
    wire::MessageBody,
};

impl Participant {
    /// The dealing with its secret polynomial, for a file that only this server opens, written before the commitment
    /// is posted and erased at the end of the ceremony. `t` is not in it. None for who does not deal.
    pub fn keep(&self) -> Option<Zeroizing<Vec<u8>>> {
        let Dealer { polynomial, message, .. } = self.dealer.as_ref()?;
        let scalars: usize = polynomial.coefficients.iter().map(Vec::len).sum();
        let mut out = Zeroizing::new(Vec::with_capacity(8 + message.len() + 32 * scalars));
        out.extend_from_slice(&(message.len() as u64).to_le_bytes());
        out.extend_from_slice(message);
        for scalar in polynomial.coefficients.iter().flatten() {
            out.extend_from_slice(&*Zeroizing::new(scalar.to_bytes()));
        }
        Some(out)
    }

    /// The participant that kept these bytes, with the same dealing.
    ///
    /// # Errors
    /// The key belongs to no server of this ceremony, or the bytes are not its dealing in this ceremony.
    pub fn resume(ceremony: Arc<Ceremony>, signing_key: &[u8; 32], kept: &[u8]) -> Result<Self, CeremonyError> {
        let mut participant = Self::receiver(ceremony.clone(), SigningKey::from_bytes(signing_key))?;
        let place = participant.place(&ceremony.dealers).filter(|&place| ceremony.deals(place));
        let place = place.ok_or(CeremonyError::Kept)?;
        let dealer = read(&ceremony, place, kept).ok_or(CeremonyError::Kept)?;
        participant.dealer = Some(dealer);
        Ok(participant)
    }

    /// The report of a receiver in step 3: its complaint, or an empty one, which says that no share that came is
    /// wrong, so that nobody waits for it.
    pub fn report(&self) -> Option<Vec<u8>> {
        let receiver = self.receiver?;
        let wrong = self.wrong.values().cloned().collect();
        Some(self.message(receiver, 0, &MessageBody::Complain(wrong)).to_vec())
    }
}

fn read(ceremony: &Ceremony, index: u16, kept: &[u8]) -> Option<Dealer> {
    let (length, rest) = kept.split_first_chunk::<8>()?;
    let (message, mut rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let (head, body) = open_message(ceremony, message).ok()?;
    let MessageBody::Deal(deal) = body else { return None };
    let mut polynomial = Polynomial { coefficients: Vec::new() };
    for row in &deal.rows {
        let mut scalars = Vec::with_capacity(row.len());
        for _ in row {
            let (bytes, after) = rest.split_first_chunk::<32>()?;
            scalars.push(Scalar::from_bytes(bytes)?);
            rest = after;
        }
        let right = opens(row, &scalars, &mut host::fresh_rng());
        polynomial.coefficients.push(scalars);
        if !right {
            return None;
        }
    }
    let whole = rest.is_empty() && head.from == index && deal.rows.len() == ceremony.sharing.quorum();
    whole.then(|| Dealer { index, polynomial, message: message.to_vec() })
}
