//! How attackers improve with the number of items, and the resulting code length.

use crate::attackers::AttackerConfig;
use crate::metrics::{Calibration, wilson};
use crate::observations::Observations;
use crate::panel;
use crate::report::{CodeLength, Growth};
use crate::training::Training;
use host::Progress;

/// Sizes double from this many items per main class and value, and a few of every class.
const LEAST_PER_CELL: usize = 12;
const LEAST_OF_CLASS: usize = 10;
/// Fraction of a prefix that calibrates the code of the next block.
const CALIBRATION: usize = 5;

/// Prefix lengths of the training items: N, N/2, N/4 … as long as there are a dozen items per cell and ten of every
/// main class, smallest first.
/// class, smallest first.
pub(crate) fn sizes(train: &Observations) -> Vec<usize> {
    let cells = train.main_classes.len() * train.collateral_classes.len();
    let mut sizes = vec![train.len()];
    let enough = |size: usize| {
        let mut counts = vec![0_usize; train.main_classes.len()];
        train.main[..size].iter().for_each(|&main| counts[main as usize] += 1);
        size >= cells * LEAST_PER_CELL && counts.iter().all(|&count| count >= LEAST_OF_CLASS)
    };
    while sizes.len() < 8 && enough(sizes[sizes.len() - 1] / 2) {
        sizes.push(sizes[sizes.len() - 1] / 2);
    }
    sizes.reverse();
    sizes
}

/// Steps that [`measure`] adds to the progress.
pub(crate) fn steps(family: &AttackerConfig, train: &Observations) -> u64 {
    (2 * sizes(train).len() as u64 - 1) * panel::steps(std::slice::from_ref(family), train.main_classes.len())
}

/// One family trained on prefixes of the training items (which are in random order): its accuracy on the test items,
/// and the online code length of the attribute.
///
/// The code sends the first block with the frequencies within the main class known. It sends every later block with the
/// probabilities of an attacker trained on four fifths of the blocks before it and calibrated on the last one (Voita
/// and Titov, "Information-theoretic probing with minimum description length", 2020).
pub(crate) fn measure(
    family: &AttackerConfig,
    training: &Training,
    test: &Observations,
    seed: u64,
    progress: &dyn Progress,
) -> (Vec<Growth>, CodeLength) {
    let families = std::slice::from_ref(family);
    let train = &training.seen;
    let sizes = sizes(train);
    let prefix = |to: usize| training.subset(&(0..to).collect::<Vec<_>>());
    let range = |from: usize, to: usize| train.subset(&(from..to).collect::<Vec<_>>());
    let uniform = entropy_within(train);
    let mut bits = sizes[0] as f64 * uniform;
    let mut growth = Vec::with_capacity(sizes.len());
    for (i, &size) in sizes.iter().enumerate() {
        let scores = &panel::run(families, &prefix(size), test, seed, progress)[0];
        let right = scores.correct(&test.collateral) as f64;
        let items = test.len() as f64;
        let (low, high) = wilson(right, items, 0.95);
        growth.push(Growth { train: size, accuracy: 100.0 * right / items, low: 100.0 * low, high: 100.0 * high });
        let Some(&next) = sizes.get(i + 1) else { break };
        let split = size - size / CALIBRATION;
        let (tuned, block) = (range(split, size), range(size, next));
        let mut both = tuned.clone();
        both.outputs.extend(&block.outputs);
        both.main.extend_from_slice(&block.main);
        both.collateral.extend_from_slice(&block.collateral);
        let scores = &panel::run(families, &prefix(split), &both, seed, progress)[0];
        let [tuning, coding] = [(0, tuned.len()), (tuned.len(), both.len())]
            .map(|(from, to)| scores.subset(&(from..to).collect::<Vec<_>>()));
        let calibration = Calibration::fit(&tuning, &tuned.collateral);
        bits += block.len() as f64 * calibration.code_length(&coding, &block.collateral);
    }
    let per_item = bits / train.len() as f64;
    let code = CodeLength { family: family.to_string(), bits_per_item: per_item, without_outputs: uniform };
    (growth, code)
}

/// Conditional entropy of the attribute given the main label, bits.
fn entropy_within(data: &Observations) -> f64 {
    let values = data.collateral_classes.len();
    let mut counts = vec![0.0; data.main_classes.len() * values];
    for (&main, &value) in data.main.iter().zip(&data.collateral) {
        counts[main as usize * values + value as usize] += 1.0;
    }
    let n = data.len().max(1) as f64;
    let classes = counts.chunks_exact(values).map(|counts| {
        let total: f64 = counts.iter().sum();
        let present = counts.iter().filter(|c| **c > 0.0);
        present.map(|c| -c / n * (c / total).log2()).sum::<f64>()
    });
    classes.sum()
}
