//! What follows from a board: the qualified dealers, the key, the commitments.

use rayon::prelude::*;

use super::{Blame, Board, CeremonyError, Fault, Outcome, definition::Purpose};
use crate::{
    group::batch::{Scratch, ZipAdditions, add_all},
    keys::PublicKey,
    raw::{Coordinate, Fp, Point, Scalar},
    shares::{Commitments, Seat, lagrange},
};

impl Board {
    /// The result as far as the present messages say.
    ///
    /// # Errors
    /// Too few dealers qualify.
    pub fn outcome(&self) -> Result<Outcome, CeremonyError> {
        let dealers = 1..=self.ceremony.dealers.len() as u16;
        let (mut qualified, mut blamed) = (Vec::new(), Vec::new());
        for server in dealers.filter(|&server| self.ceremony.deals(server)) {
            match self.fault_of(server) {
                None => qualified.push(server),
                Some(fault) => blamed.push(Blame { server, fault }),
            }
        }
        let needed = match &self.ceremony.purpose {
            Purpose::Generate { .. } => self.ceremony.sharing.quorum(),
            Purpose::Reshare { commitments, .. } => commitments.seat().sharing.quorum(),
        };
        if qualified.len() < needed {
            return Err(CeremonyError::TooFew { found: qualified.len(), needed });
        }
        let (public, commitments) = match &self.ceremony.purpose {
            Purpose::Generate { .. } => self.generated(&qualified),
            Purpose::Reshare { public, commitments } => {
                qualified.truncate(needed);
                let rows = self.combined(&qualified);
                let epoch = commitments.seat().epoch.saturating_add(1);
                (public.clone(), self.commitments(public, epoch, rows))
            }
        };
        Ok(Outcome { public, commitments, qualified, blamed })
    }

    fn fault_of(&self, dealer: u16) -> Option<Fault> {
        let Some(dealt) = self.deals.get(&dealer) else { return Some(Fault::Silent) };
        if dealt.fault.is_some() {
            return dealt.fault;
        }
        let first = self.wrong.range((dealer, 0)..=(dealer, u16::MAX)).next();
        first.map(|&(_, receiver)| Fault::WrongShare { receiver })
    }

    fn commitments(&self, public: &PublicKey, epoch: u64, rows: Vec<Vec<Point<Fp>>>) -> Commitments {
        let seat = Seat { public_key_id: public.id(), epoch, sharing: self.ceremony.sharing, index: 0 };
        Commitments::new(seat, self.ceremony.inputs().1, rows)
    }

    /// The sums over the qualified dealings.
    fn generated(&self, qualified: &[u16]) -> (PublicKey, Commitments) {
        let dealt = || qualified.iter().filter_map(|dealer| self.deals.get(dealer));
        let rows: Vec<Vec<Point<Fp>>> =
            (0..self.ceremony.sharing.quorum()).map(|l| sum(dealt().map(|dealt| dealt.rows[l].as_slice()))).collect();
        let right = sum(dealt().map(|dealt| dealt.right.as_slice()));
        let public = PublicKey::new(rows[0].clone(), right);
        let commitments = self.commitments(&public, 0, rows);
        (public, commitments)
    }

    /// `Σ_i λ_i [a_l]₁` over the dealings of a quorum.
    fn combined(&self, quorum: &[u16]) -> Vec<Vec<Point<Fp>>> {
        let factors: Vec<Scalar> = lagrange(quorum);
        let dealt: Vec<_> = quorum.iter().filter_map(|dealer| self.deals.get(dealer)).collect();
        let coordinate = |l: usize, c: usize| {
            let points: Vec<_> = dealt.iter().map(|dealt| dealt.rows[l][c]).collect();
            Fp::combine_vartime(&points, &factors, 255)
        };
        let n = self.ceremony.inputs().0;
        let rows = 0..self.ceremony.sharing.quorum();
        rows.map(|l| (0..n).into_par_iter().map(|c| coordinate(l, c)).collect()).collect()
    }
}

fn sum<'a, F: Coordinate>(mut vectors: impl Iterator<Item = &'a [Point<F>]>) -> Vec<Point<F>> {
    let mut sum = vectors.next().map(<[_]>::to_vec).unwrap_or_default();
    for right in vectors {
        add_all(sum.len(), &mut ZipAdditions { left: &mut sum, right }, &mut Scratch::new());
    }
    sum
}
