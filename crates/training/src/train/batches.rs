//! Which items form a batch, and how its rows are weighted and matched.

use super::TrainError;
use super::cells::{Cells, Targets};
use super::sampler::Sampler;
use crate::defences::Penalty;

/// Items per cell below which a discrepancy is unreliable.
const LEAST_PER_CELL: usize = 4;

/// Batches of a run, and the shape that all of them have.
pub(crate) struct Batches {
    sampler: Sampler,
    pub strata: Option<Strata>,
}

/// The shape of stratified batches: classes, then cells, then items.
pub(crate) struct Strata {
    /// Cells of each main class.
    pub shape: Vec<usize>,
    /// Items per cell.
    pub items: usize,
    /// Whether item `i` of all cells of a class is the same drawing.
    pub paired: bool,
    /// The weight of each row, so that the head learns the frequencies of the data. Mean 1.
    pub weights: Vec<f32>,
}

impl Batches {
    /// Shuffled batches, or stratified ones for a penalty.
    pub(crate) fn new(
        targets: &Targets,
        penalty: Option<&dyn Penalty>,
        batch: usize,
        seed: u64,
    ) -> Result<Self, TrainError> {
        let count = targets.main.len();
        let Some(penalty) = penalty else {
            return Ok(Self { sampler: Sampler::shuffled(count, batch.min(count), seed), strata: None });
        };
        let paired = match penalty.paired() {
            Some(true) if !targets.are_paired() => return Err(TrainError::NotPaired),
            Some(paired) => paired,
            None => targets.are_paired(),
        };
        let cells = Cells::new(targets, paired);
        let items = (batch / cells.len()).max(LEAST_PER_CELL);
        let share = |items: usize| (items * cells.len()) as f32 / count as f32;
        let weights = cells.classes.iter().flatten().flat_map(|cell| vec![share(cell.items.len()); items]).collect();
        let shape = cells.classes.iter().map(Vec::len).collect();
        let sampler = Sampler::stratified(&cells, items, seed);
        Ok(Self { sampler, strata: Some(Strata { shape, items, paired, weights }) })
    }

    /// The items of batch number `step`.
    pub(crate) fn items(&mut self, step: usize) -> Vec<u32> {
        self.sampler.batch(step)
    }
}
