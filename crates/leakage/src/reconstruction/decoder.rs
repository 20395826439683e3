//! Two decoders, of which the better one on held-out items is used.

use super::inputs::Inputs;
use crate::attackers::{Standardiser, nearest_items, neural_fit, neural_predict};
use host::Progress;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Maximum number of training items.
pub(super) const ROWS: usize = 20_000;
/// Held out to choose the decoder: one item in this many.
const HELD_OUT: usize = 10;
const NEIGHBOURS: usize = 15;
const EPOCHS: usize = 8;

/// Pictures in 0..1.
pub(super) struct Decoded {
    pub name: &'static str,
    /// One for each requested item.
    pub pictures: Vec<f32>,
    /// One per main class: the mean of its training items.
    pub means: Vec<f32>,
}

/// Both decoders see the outputs and the main label, and predict the difference from the class's mean.
pub(super) fn decode(
    train: &Inputs,
    learned: &[usize],
    test: &Inputs,
    asked: &[usize],
    seed: u64,
    progress: &dyn Progress,
) -> Decoded {
    let size = train.height * train.across;
    let (held, fit) = learned.split_at(learned.len() / HELD_OUT);
    let means = class_means(train, fit, size);
    let standardiser = Standardiser::fit(train.outputs, train.width, fit);
    let rows = |inputs: &Inputs, items: &[usize]| {
        let outputs = standardiser.apply(inputs.outputs, items);
        let mut rows = Vec::with_capacity(items.len() * (train.width + train.classes));
        for (row, &i) in outputs.chunks_exact(train.width).zip(items) {
            rows.extend_from_slice(row);
            // Twice the usual weight: neighbours should be of the same class first.
            rows.extend((0..train.classes).map(|c| if c == inputs.main[i] as usize { 2.0 } else { 0.0 }));
        }
        rows
    };
    let differences: Vec<f32> = fit
        .iter()
        .flat_map(|&i| {
            let mean = &means[train.main[i] as usize * size..][..size];
            train.pixels[i * size..(i + 1) * size].iter().zip(mean).map(|(&p, m)| p as f32 / 255.0 - m)
        })
        .collect();
    let width = train.width + train.classes;
    let (fit_rows, held_rows, asked_rows) = (rows(train, fit), rows(train, held), rows(test, asked));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let widths = [width, 96, 160, size];
    progress.begin(1);
    let network =
        neural_fit(&widths, &fit_rows, &differences, EPOCHS, &mut rng, |out, target| (out - target).square().mean());
    progress.advance(1);
    let by_network = |rows: &[f32]| neural_predict(&network, rows, width);
    let by_neighbours = |rows: &[f32]| {
        let found = nearest_items(&fit_rows, width, rows, NEIGHBOURS);
        let mut out = vec![0.0; rows.len() / width * size];
        for (picture, items) in out.chunks_exact_mut(size).zip(&found) {
            for &item in items {
                let difference = &differences[item as usize * size..][..size];
                picture.iter_mut().zip(difference).for_each(|(p, d)| *p += d / items.len() as f32);
            }
        }
        out
    };
    let error = |differences: &[f32]| -> f64 {
        let rows = differences.chunks_exact(size).zip(held);
        let errors = rows.map(|(row, &i)| {
            let mean = &means[train.main[i] as usize * size..][..size];
            let pixels = &train.pixels[i * size..(i + 1) * size];
            let each = row.iter().zip(mean).zip(pixels);
            each.map(|((d, m), &p)| (d + m - p as f32 / 255.0).powi(2) as f64).sum::<f64>()
        });
        errors.sum()
    };
    let network_wins = error(&by_network(&held_rows)) <= error(&by_neighbours(&held_rows));
    let (name, mut pictures) = match network_wins {
        true => ("network", by_network(&asked_rows)),
        false => ("neighbours", by_neighbours(&asked_rows)),
    };
    for (picture, &i) in pictures.chunks_exact_mut(size).zip(asked) {
        let mean = &means[test.main[i] as usize * size..][..size];
        picture.iter_mut().zip(mean).for_each(|(p, m)| *p = (*p + m).clamp(0.0, 1.0));
    }
    Decoded { name, pictures, means }
}

fn class_means(train: &Inputs, items: &[usize], size: usize) -> Vec<f32> {
    let mut sums = vec![0.0f64; train.classes * size];
    let mut counts = vec![0.0f64; train.classes];
    for &i in items {
        let class = train.main[i] as usize;
        counts[class] += 1.0;
        let pixels = &train.pixels[i * size..(i + 1) * size];
        let sums = &mut sums[class * size..(class + 1) * size];
        sums.iter_mut().zip(pixels).for_each(|(s, &p)| *s += p as f64 / 255.0);
    }
    let scaled = sums.chunks_exact(size).zip(&counts);
    scaled.flat_map(|(sums, n)| sums.iter().map(move |s| (s / n.max(1.0)) as f32)).collect()
}
