//! Choosing an encoder from options and data.

use super::record::Record;
use super::{EncodeError, Encoder};
use crate::Dataset;

/// What to fit; `..EncoderOptions::default()` fills the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderOptions {
    /// Bits per coordinate, 1 to 16: levels go from 0 to `2^bits − 1`.
    pub bits: u32,
    /// Side of the square cells whose pixels are averaged; must divide height and width.
    pub pooling: usize,
    /// The `z` of level 0.
    pub low: f32,
    /// The `z` of the highest level.
    pub high: f32,
    /// Drop the cells whose pixels never change over the fitted images, such as margins.
    pub drop_dead: bool,
    /// How many columns `v` carries: those of the largest variance; `None` for all of them.
    pub right: Option<usize>,
}

impl Default for EncoderOptions {
    fn default() -> Self {
        Self { bits: 4, pooling: 1, low: -0.5, high: 7.5, drop_dead: true, right: None }
    }
}

impl Encoder {
    /// Fits an encoder: the sign of ink from the images' borders, dead cells, the columns of `v`.
    ///
    /// What is fitted becomes public with the encoder, so fit on public or training images.
    pub fn fit(data: &Dataset, options: &EncoderOptions) -> Result<Self, EncodeError> {
        if data.is_empty() {
            return Err(EncodeError::Empty);
        }
        let &EncoderOptions { bits, pooling, low, high, drop_dead, right } = options;
        let (height, width) = (data.height(), data.width());
        let mut record = Record {
            height,
            width,
            bits,
            low,
            high,
            pooling,
            dark: is_dark_on_light(data),
            cells: vec![0],
            right: vec![0],
        };
        record.check()?;

        let across = width / pooling;
        let cells = 0..(height / pooling) * across;
        record.cells = if drop_dead {
            let alive = changing(data);
            let cell = |pixel| (pixel / width / pooling) * across + (pixel % width) / pooling;
            let mut kept = vec![false; cells.len()];
            for (pixel, &alive) in alive.iter().enumerate() {
                kept[cell(pixel)] |= alive;
            }
            cells.filter(|&cell| kept[cell]).collect()
        } else {
            cells.collect()
        };
        // Every image the same: keep one cell rather than an encoder without input.
        if record.cells.is_empty() {
            record.cells = vec![0];
        }
        record.right = (0..record.cells.len()).collect();
        let encoder = Encoder::try_from(record)?;
        match right {
            Some(count) if count != encoder.features() => encoder.with_right(data, count),
            _ => Ok(encoder),
        }
    }

    /// Leaves `v` the `count` columns of largest variance.
    fn with_right(mut self, data: &Dataset, count: usize) -> Result<Self, EncodeError> {
        if count == 0 || count > self.features() {
            let remedy = format!("choose from 1 to the {} columns of u", self.features());
            return Err(EncodeError::Field { field: "right", value: count.to_string(), remedy });
        }
        let mut z = vec![0.0; self.features()];
        let mut sums = vec![(0.0, 0.0); self.features()];
        for item in 0..data.len() {
            self.standardise(data.image(item), &mut z)?;
            for (sum, &z) in sums.iter_mut().zip(&z) {
                *sum = (sum.0 + f64::from(z), sum.1 + f64::from(z).powi(2));
            }
        }
        let items = data.len() as f64;
        let variance = |column: usize| sums[column].1 / items - (sums[column].0 / items).powi(2);
        let mut columns: Vec<usize> = (0..self.features()).collect();
        columns.sort_by(|&a, &b| variance(b).total_cmp(&variance(a)));
        columns.truncate(count);
        columns.sort_unstable();
        self.right = columns;
        Ok(self)
    }
}

/// Whether the border, which is paper in pictures of characters, is lighter than mid-grey.
fn is_dark_on_light(data: &Dataset) -> bool {
    let (height, width) = (data.height(), data.width());
    let border = |pixel: usize| {
        let (row, column) = (pixel / width, pixel % width);
        row == 0 || column == 0 || row + 1 == height || column + 1 == width
    };
    let border: Vec<usize> = (0..height * width).filter(|&pixel| border(pixel)).collect();
    let light = |item: usize| border.iter().filter(|&&pixel| data.image(item)[pixel] > 127).count();
    let light: usize = (0..data.len()).map(light).sum();
    2 * light > border.len() * data.len()
}

/// For every pixel, whether two images differ in it.
fn changing(data: &Dataset) -> Vec<bool> {
    let mut alive = vec![false; data.height() * data.width()];
    let first = data.image(0);
    for item in 1..data.len() {
        for ((alive, first), pixel) in alive.iter_mut().zip(first).zip(data.image(item)) {
            *alive |= first != pixel;
        }
    }
    // A single image tells nothing of what changes.
    if data.len() == 1 { vec![true; alive.len()] } else { alive }
}
