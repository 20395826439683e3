//! Tables and masks made in short steps, for programs of one thread that must stay
//! responsive, such as a page in a browser.
//!
//! A step handles one block of at most 128 bases: some 20 000 additions.

use rand::CryptoRng;

use crate::{
    encrypt::Encryptor,
    group::fixed_base::{Digits, Unfilled, blocks},
    keys::{PublicKey, PublicKeyId},
    mask::{Mask, MaskScalars, Part},
    raw::{Fp, Fp2},
};

/// An [`Encryptor`] in the making.
pub struct EncryptorSteps {
    id: PublicKeyId,
    inputs: (usize, usize),
    left: Unfilled<Fp>,
    right: Unfilled<Fp2>,
    done: usize,
}

brief!(EncryptorSteps { id, inputs, done });

impl EncryptorSteps {
    /// Begins with tables of at most `table_bytes` a side, as far as the smallest
    /// ones allow. More bytes take longer to fill and make masks quicker; up to
    /// [`Encryptor::TABLE_BYTES`] are of use for 784 inputs.
    pub fn new(key: &PublicKey, table_bytes: usize) -> Self {
        let (left, right) = (Unfilled::new(&key.s, table_bytes), Unfilled::new(&key.t, table_bytes));
        Self { id: key.id(), inputs: key.inputs(), left, right, done: 0 }
    }

    /// Steps in all.
    pub fn steps(&self) -> usize {
        let (n, m) = self.inputs;
        blocks(n).count() + blocks(m).count()
    }

    /// Takes one step and returns how many have been taken.
    pub fn step(&mut self) -> usize {
        if self.left.step() || self.right.step() {
            self.done += 1;
        }
        self.done
    }

    /// The encryptor, after the steps that are left.
    pub fn finish(mut self) -> Encryptor {
        while self.step() < self.steps() {}
        Encryptor::from_tables(self.id, self.inputs, self.left.table(), self.right.table())
    }
}

/// A [`Mask`] in the making, by the encryptor that began it.
#[allow(missing_debug_implementations)] // secret
pub struct MaskSteps {
    mask: Mask,
    left: Digits,
    right: Digits,
    inputs: (usize, usize),
    done: usize,
}

impl MaskSteps {
    /// Draws the scalars.
    pub fn new(encryptor: &Encryptor, rng: &mut impl CryptoRng) -> Self {
        let scalars = MaskScalars::draw(rng);
        let inputs = encryptor.inputs();
        let mut mask = Mask::empty(encryptor.id, inputs);
        mask.add(Part::Bases(Box::new(Mask::bases_vartime(encryptor.id, &scalars, &encryptor.combs))));
        Self {
            mask,
            left: encryptor.left.digits(&scalars.left),
            right: encryptor.right.digits(&scalars.right),
            inputs,
            done: 0,
        }
    }

    /// Steps in all.
    pub fn steps(&self) -> usize {
        blocks(self.inputs.0).count() + blocks(self.inputs.1).count()
    }

    /// Takes one step and returns how many have been taken; none with another
    /// encryptor than that of the beginning.
    pub fn step(&mut self, encryptor: &Encryptor) -> usize {
        if self.mask.id != encryptor.id {
            return self.done;
        }
        let (n, m) = self.inputs;
        if let Some(block) = blocks(n).nth(self.done) {
            self.mask.add(Part::Left(encryptor.left.mul_block_vartime(&self.left, block)));
        } else if let Some(block) = blocks(m).nth(self.done - blocks(n).count()) {
            self.mask.add(Part::Right(encryptor.right.mul_block_vartime(&self.right, block)));
        } else {
            return self.done;
        }
        self.done += 1;
        self.done
    }

    /// The mask, once every step has been taken.
    pub fn finish(self) -> Option<Mask> {
        (self.done == self.steps()).then_some(self.mask)
    }
}

#[cfg(test)]
mod tests {
    use host::Silent;
    use rand::SeedableRng;
    use rand_chacha::ChaCha12Rng;

    use super::*;
    use crate::setup;

    #[test]
    fn steps_make_what_one_call_makes() {
        let (_, public) = setup(70, 20, &mut ChaCha12Rng::seed_from_u64(1)).unwrap();
        let at_once = Encryptor::new(&public, &Silent);
        let mut steps = EncryptorSteps::new(&public, 1 << 20);
        assert_eq!((steps.steps(), steps.step(), steps.step()), (4, 1, 2));
        let stepped = steps.finish();

        let mut rng = ChaCha12Rng::seed_from_u64(2);
        let mut mask = MaskSteps::new(&stepped, &mut rng);
        assert!((1..=4).all(|done| mask.step(&stepped) == done));
        let mask = mask.finish().unwrap();
        let (u, v) = (vec![3; 70], vec![-5; 20]);
        let one = stepped.encrypt_with_mask(&u, &v, mask).unwrap();
        let other = at_once.encrypt(&u, &v, &mut ChaCha12Rng::seed_from_u64(2)).unwrap();
        assert!(one == other);
    }

    #[test]
    fn unfinished_and_foreign_masks_are_none() {
        let [(_, one), (_, other)] = [1, 2].map(|seed| setup(2, 2, &mut ChaCha12Rng::seed_from_u64(seed)).unwrap());
        let [one, other] = [one, other].map(|key| EncryptorSteps::new(&key, 0).finish());
        let mut mask = MaskSteps::new(&one, &mut ChaCha12Rng::seed_from_u64(3));
        assert_eq!((mask.step(&other), mask.step(&one), mask.step(&other)), (0, 1, 1));
        assert!(mask.finish().is_none());
    }
}
