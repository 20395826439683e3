//! The items of every batch, as a function of the seed and the number of the step alone, so that a
//! resumed run meets the same batches.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::cells::Cells;

/// Deals the same number of items from each of its piles to every batch.
pub(crate) struct Sampler {
    per_pile: usize,
    piles: Vec<Pile>,
}

impl Sampler {
    /// Batches of `batch` out of `count` items, each item once per round.
    pub(crate) fn shuffled(count: usize, batch: usize, seed: u64) -> Self {
        Self { per_pile: batch, piles: vec![Pile::new((0..count as u32).collect(), seed, 0)] }
    }

    /// Batches of `items` of every cell, ordered by class, value and item.
    pub(crate) fn stratified(cells: &Cells, items: usize, seed: u64) -> Self {
        let mut piles = Vec::new();
        for (class, cells_of_class) in (1..).zip(&cells.classes) {
            for (value, cell) in (0_u64..).zip(cells_of_class) {
                // With pairs all cells of a class share one order, so that they deal the same drawings.
                let stream = if cells.paired { class } else { (class << 32) | value };
                piles.push(Pile::new(cell.items.clone(), seed, stream));
            }
        }
        Self { per_pile: items, piles }
    }

    /// The items of batch number `step`.
    pub(crate) fn batch(&mut self, step: usize) -> Vec<u32> {
        let first = (step * self.per_pile) as u64;
        let mut batch = Vec::with_capacity(self.per_pile * self.piles.len());
        for pile in &mut self.piles {
            batch.extend((first..first + self.per_pile as u64).map(|position| pile.item(position)));
        }
        batch
    }
}

/// Deals its items again and again, each round in a new order.
struct Pile {
    items: Vec<u32>,
    seed: u64,
    stream: u64,
    round: Option<u64>,
    order: Vec<u32>,
}

impl Pile {
    fn new(items: Vec<u32>, seed: u64, stream: u64) -> Self {
        Self { items, seed, stream, round: None, order: Vec::new() }
    }

    /// The item at `position` of the endless deal.
    fn item(&mut self, position: u64) -> u32 {
        let count = self.items.len() as u64;
        let round = position / count;
        if self.round != Some(round) {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ round.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            rng.set_stream(self.stream);
            self.order = (0..count as u32).collect();
            self.order.shuffle(&mut rng);
            self.round = Some(round);
        }
        self.items[self.order[(position % count) as usize] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_once_per_round_and_any_step_at_once() {
        let mut sampler = Sampler::shuffled(10, 5, 3);
        let mut round: Vec<u32> = [sampler.batch(0), sampler.batch(1)].concat();
        let second = sampler.batch(2);
        assert_ne!(round[..5], second);
        round.sort_unstable();
        assert_eq!(round, (0..10).collect::<Vec<_>>());
        assert_eq!(Sampler::shuffled(10, 5, 3).batch(2), second);
    }
}
