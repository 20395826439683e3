//! Statistics of the network on data: how often inputs are lit, and how much each unit varies.

use burn::tensor::Device;
use dataset::Dataset;
use encoder::Encoder;

use super::CompileError;
use super::latent::Activity;
use crate::features::Features;
use crate::float::parameters::{Trained, matrix, to_host};
use crate::network::Network;
use crate::train::finish::moments;

/// Items looked at.
const ITEMS: usize = 4000;

pub(super) fn measure(network: &Network, encoder: &Encoder, data: &Dataset) -> Result<Activity, CompileError> {
    let items: Vec<u32> = (0..data.len().min(ITEMS) as u32).collect();
    let subset: Vec<usize> = items.iter().map(|&item| item as usize).collect();
    let features = Features::new(&data.subset(&subset), encoder)?;
    let z = features.batch(&items);
    let narrow = features.narrow(&z);
    let rows = items.len();
    let columns = z.len() / rows;

    let device = Device::flex();
    let leaves = network.private.bind(&device, false);
    let z = matrix(z, rows, columns, &device);
    let narrow = match narrow {
        Some(narrow) => {
            let columns = narrow.len() / rows;
            matrix(narrow, rows, columns, &device)
        }
        None => z.clone(),
    };
    let projected = z.matmul(leaves.get(0));
    let other = if leaves.len() == 2 { projected.clone() } else { narrow.matmul(leaves.get(1)) };
    let products = to_host(projected * other);
    let units = network.units();

    let features = features.levels();
    let levels = features.batch(&items);
    let narrow = features.narrow(&levels);
    let left = mean_squares(&levels, columns);
    let right = narrow.as_ref().map_or(left.clone(), |narrow| mean_squares(narrow, narrow.len() / rows));
    let variance = |unit: usize| (moments(&products, units, unit).1 as f32).powi(2);
    Ok(Activity { levels: [left, right], units: (0..units).map(variance).collect() })
}

fn mean_squares(rows: &[f32], columns: usize) -> Vec<f32> {
    let mut sums = vec![0.0; columns];
    for row in rows.chunks_exact(columns) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * value);
    }
    let count = (rows.len() / columns) as f32;
    sums.into_iter().map(|sum| sum / count).collect()
}
