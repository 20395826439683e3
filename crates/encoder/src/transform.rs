//! Fitting the affine part: scales, cosine transform, principal components.
//!
//! The encoders passed in here have a range that clamps nothing.

use std::f64::consts::PI;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::map::Map;
use super::{EncodeError, Encoder, Images};

/// Enough images for stable components, few enough to be quick.
const MOST_ITEMS: usize = 10_000;

/// Images that means and deviations are measured on, if there are more: to a thousandth of a deviation.
const MOST_MEASURED: usize = 1 << 20;

/// The covariance of more cells than this takes too much time and memory: pool first.
const MOST_CELLS: usize = 4096;

/// Passes of the power iteration; components of well separated variance converge far sooner.
const PASSES: usize = 60;

/// Items standardised at a time.
const CHUNK: usize = 1024;

/// `(√5 − 1) / 2`: its multiples fill the unit interval more evenly than those of any other number.
const GOLDEN_RATIO: f64 = 0.618_033_988_749_894_9;

/// Variances below this are rounding errors of f32.
const NO_VARIANCE: f64 = 1e-10;

/// Mean and variance of every column over the data.
pub(super) struct Moments {
    pub mean: Vec<f64>,
    pub variance: Vec<f64>,
}

impl Moments {
    pub fn of(encoder: &Encoder, data: &dyn Images) -> Result<Self, EncodeError> {
        let columns = encoder.features();
        let (mut sums, mut squares) = (vec![0.0; columns], vec![0.0; columns]);
        let items = spread(data.len(), MOST_MEASURED);
        for_items(encoder, data, &items, |z| {
            for ((sum, square), &z) in sums.iter_mut().zip(&mut squares).zip(z) {
                *sum += f64::from(z);
                *square += f64::from(z).powi(2);
            }
        })?;
        let items = items.len() as f64;
        let mean: Vec<f64> = sums.iter().map(|sum| sum / items).collect();
        let variance = squares.iter().zip(&mean).map(|(square, mean)| (square / items - mean * mean).max(0.0));
        Ok(Self { variance: variance.collect(), mean })
    }
}

/// Cells scaled to mean 0 and deviation 1; their own variance.
pub(super) fn scaled(moments: Moments) -> (Map, Vec<f64>) {
    let scale = moments.variance.iter().map(|&variance| inverse_deviation(variance) as f32);
    let map = Map::Scaled { scale: scale.collect(), mean: moments.mean.iter().map(|&mean| mean as f32).collect() };
    (map, moments.variance)
}

/// The low frequencies of the grid; their variance before scaling.
pub(super) fn cosine(
    encoder: &Encoder,
    data: &dyn Images,
    rows: usize,
    columns: usize,
) -> Result<(Map, Vec<f64>), EncodeError> {
    let (down, across) = (encoder.height / encoder.pooling, encoder.width / encoder.pooling);
    require("transform.rows", rows, down)?;
    require("transform.columns", columns, across)?;
    let wave = |frequency: usize, place: usize, size: usize| {
        let norm = if frequency == 0 { 1.0 } else { 2f64.sqrt() } / (size as f64).sqrt();
        norm * (PI * frequency as f64 * (place as f64 + 0.5) / size as f64).cos()
    };
    let mut directions = Vec::with_capacity(rows * columns);
    for (row, column) in (0..rows * columns).map(|place| (place / columns, place % columns)) {
        let cell = |cell: usize| wave(row, cell / across, down) * wave(column, cell % across, across);
        directions.push((0..down * across).map(cell).collect());
    }
    whitened(encoder, data, directions)
}

/// The leading eigenvectors of the covariance, by power iteration on an orthonormal block.
pub(super) fn principal(
    encoder: &Encoder,
    data: &dyn Images,
    moments: &Moments,
    components: usize,
) -> Result<(Map, Vec<f64>), EncodeError> {
    let cells = encoder.features();
    require("transform.components", components, cells)?;
    if cells > MOST_CELLS {
        let remedy = format!("pool until there are at most {MOST_CELLS} cells");
        return Err(EncodeError::Field { field: "transform.cells", value: cells.to_string(), remedy });
    }
    let covariance = covariance(encoder, data, moments)?;
    // A few spare directions make the last ones that are wanted converge faster.
    let block = (components + 8).min(cells);
    let mut random = start();
    let mut directions: Vec<Vec<f64>> =
        (0..block).map(|_| (0..cells).map(|_| symmetric(&mut random)).collect()).collect();
    orthonormalise(&mut directions);
    for _ in 0..PASSES {
        directions = directions.par_iter().map(|direction| multiply(&covariance, direction)).collect();
        orthonormalise(&mut directions);
    }
    let variance = |direction: &Vec<f64>| dot(direction, &multiply(&covariance, direction));
    let mut ranked: Vec<(f64, Vec<f64>)> = directions.into_iter().map(|found| (variance(&found), found)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked.truncate(components);
    whitened(encoder, data, ranked.into_iter().map(|(_, direction)| direction).collect())
}

/// Projections on the directions, each shifted and scaled to mean 0 and deviation 1; constant ones
/// are left out.
fn whitened(
    encoder: &Encoder,
    data: &dyn Images,
    mut directions: Vec<Vec<f64>>,
) -> Result<(Map, Vec<f64>), EncodeError> {
    let projected = |directions: &[Vec<f64>], offset: Vec<f32>| {
        let cells = 0..encoder.cells.len();
        let weights = cells.flat_map(|cell| directions.iter().map(move |direction| direction[cell] as f32));
        Encoder { map: Map::Linear { offset, weights: weights.collect() }, ..encoder.clone() }
    };
    let found = Moments::of(&projected(&directions, vec![0.0; directions.len()]), data)?;
    let mut varies = found.variance.iter().map(|&variance| variance > NO_VARIANCE).collect::<Vec<_>>();
    if !varies.contains(&true) {
        varies[0] = true;
    }
    let keep = |column: &usize| varies[*column];
    let kept: Vec<usize> = (0..directions.len()).filter(keep).collect();
    directions = kept
        .iter()
        .map(|&column| {
            let scale = inverse_deviation(found.variance[column]);
            directions[column].iter().map(|weight| weight * scale).collect()
        })
        .collect();
    let offset = kept.iter().map(|&column| (-found.mean[column] * inverse_deviation(found.variance[column])) as f32);
    let map = projected(&directions, offset.collect()).map;
    Ok((map, kept.iter().map(|&column| found.variance[column]).collect()))
}

fn covariance(encoder: &Encoder, data: &dyn Images, moments: &Moments) -> Result<Vec<Vec<f64>>, EncodeError> {
    let cells = encoder.features();
    let mut rows = vec![vec![0.0; cells]; cells];
    let items = spread(data.len(), MOST_ITEMS);
    let mut centred = vec![0.0; cells];
    for_items(encoder, data, &items, |z| {
        for ((centred, &z), mean) in centred.iter_mut().zip(z).zip(&moments.mean) {
            *centred = f64::from(z) - mean;
        }
        // Computes the upper half; the lower half mirrors it.
        for (place, (row, &factor)) in rows.iter_mut().zip(&centred).enumerate() {
            row[place..].iter_mut().zip(&centred[place..]).for_each(|(entry, value)| *entry += factor * value);
        }
    })?;
    let items = items.len() as f64;
    let entry = |row: usize, column: usize| rows[row.min(column)][row.max(column)] / items;
    Ok((0..cells).map(|row| (0..cells).map(|column| entry(row, column)).collect()).collect())
}

/// All of `items` items or, of more than `most`, one of each of `most` stretches. Its place in the stretch moves by the
/// golden ratio: data in pairs or in any other period would otherwise be met in step, and one font alone be measured.
pub(super) fn spread(items: usize, most: usize) -> Vec<usize> {
    if items <= most {
        return (0..items).collect();
    }
    let one_of = |stretch: usize| {
        let (start, end) = (stretch * items / most, (stretch + 1) * items / most);
        start + ((stretch as f64 * GOLDEN_RATIO).fract() * (end - start) as f64) as usize
    };
    (0..most).map(one_of).collect()
}

fn for_items(
    encoder: &Encoder,
    data: &dyn Images,
    items: &[usize],
    mut visit: impl FnMut(&[f32]),
) -> Result<(), EncodeError> {
    let width = encoder.features();
    let mut z = vec![0.0; width * CHUNK.min(items.len())];
    // Threads share the arithmetic; the visits keep their order, so that sums round the same everywhere.
    for items in items.chunks(CHUNK) {
        let rows = z.par_chunks_exact_mut(width).zip(items);
        rows.try_for_each(|(z, &item)| encoder.standardise(data.image(item), z))?;
        z.chunks_exact(width).take(items.len()).for_each(&mut visit);
    }
    Ok(())
}

/// The generator of the first directions, the same for all data.
fn start() -> ChaCha8Rng {
    let mut key = [0; 32];
    key[8] = 200;
    ChaCha8Rng::from_seed(key)
}

/// Uniform in −1..1: 24 bits, centred, exact in f32.
fn symmetric(random: &mut ChaCha8Rng) -> f64 {
    f64::from(((random.next_u32() >> 8) as f32 + 0.5) / (1 << 23) as f32 - 1.0)
}

/// Gram and Schmidt, twice for accuracy; a direction that vanishes becomes zero.
fn orthonormalise(directions: &mut [Vec<f64>]) {
    for place in 0..directions.len() {
        let (before, rest) = directions.split_at_mut(place);
        let direction = &mut rest[0];
        let length = dot(direction, direction).sqrt();
        for _ in 0..2 {
            for other in before.iter() {
                let overlap = dot(direction, other);
                direction.iter_mut().zip(other).for_each(|(value, other)| *value -= overlap * other);
            }
        }
        let left = dot(direction, direction).sqrt();
        let scale = if left > 1e-12 * length { 1.0 / left } else { 0.0 };
        direction.iter_mut().for_each(|value| *value *= scale);
    }
}

fn multiply(matrix: &[Vec<f64>], vector: &[f64]) -> Vec<f64> {
    matrix.iter().map(|row| dot(row, vector)).collect()
}

/// In four partial sums, which the processor can add in parallel.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a_blocks, a_rest) = a.as_chunks::<4>();
    let (b_blocks, b_rest) = b.as_chunks::<4>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

fn inverse_deviation(variance: f64) -> f64 {
    if variance > NO_VARIANCE { 1.0 / variance.sqrt() } else { 0.0 }
}

fn require(field: &'static str, value: usize, limit: usize) -> Result<(), EncodeError> {
    if (1..=limit).contains(&value) {
        return Ok(());
    }
    Err(EncodeError::Field { field, value: value.to_string(), remedy: format!("choose from 1 to {limit}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EncoderOptions, Pixels};

    #[test]
    fn items_of_all_data_are_measured_whatever_its_period() {
        for (items, most) in [(7, 10), (10, 10), (11, 10), (4_800, 1_000), (48_000, 1_000)] {
            let chosen = spread(items, most);
            assert_eq!(chosen.len(), items.min(most));
            assert!(chosen.is_sorted_by(|a, b| a < b) && *chosen.last().unwrap() < items, "{items}");
            for period in [2, 3, 5, 6, 10, 20].into_iter().filter(|_| items >= 4 * most) {
                let mut counts = vec![0; period];
                chosen.iter().for_each(|item| counts[item % period] += 1);
                let fair = most / period;
                assert!(
                    counts.iter().all(|count| (fair / 2..2 * fair).contains(count)),
                    "{items}, {period}: {counts:?}"
                );
            }
        }
    }

    #[test]
    fn sums_over_several_chunks_are_those_of_one_item_after_the_other() {
        let mut random = start();
        let items = 2 * CHUNK + 300;
        let bytes: Vec<u8> = (0..4 * items).map(|_| (random.next_u32() >> 24) as u8).collect();
        let data = Pixels { height: 2, width: 2, bytes: &bytes };
        let encoder = Encoder::fit(&data, &EncoderOptions::default()).unwrap();
        let found = Moments::of(&encoder, &data).unwrap();
        let (mut sums, mut z) = (vec![0.0; encoder.features()], vec![0.0; encoder.features()]);
        for item in 0..items {
            encoder.standardise(data.image(item), &mut z).unwrap();
            sums.iter_mut().zip(&z).for_each(|(sum, &z)| *sum += f64::from(z));
        }
        let mean: Vec<f64> = sums.iter().map(|sum| sum / items as f64).collect();
        assert_eq!(found.mean, mean);
    }
}
