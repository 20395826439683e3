//! Choosing an encoder from options and data.

use super::map::Map;
use super::record::Record;
use super::{EncodeError, Encoder, Images, transform};

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
    /// What is normalised.
    pub normalise: Normalise,
    /// The transform that gives the columns of `z`.
    pub transform: Transform,
}

/// What is normalised: each image, or each column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalise {
    /// Each image gets mean 0 and deviation 1: for pictures and sound, whose contrast or loudness carries no
    /// information.
    PerImage,
    /// Each cell gets mean 0 and deviation 1 over the fitted images: for tables.
    PerColumn,
}

/// The transform that gives the columns of `z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
    /// The cells themselves.
    Cells,
    /// The coefficients of the lowest `rows × columns` frequencies of the cosine transform (DCT-II)
    /// over the grid of cells, each scaled to mean 0 and deviation 1 over the fitted images.
    Dct {
        /// Vertical frequencies.
        rows: usize,
        /// Horizontal frequencies.
        columns: usize,
    },
    /// The principal components of the fitted images, largest first, each scaled to mean 0 and
    /// deviation 1.
    Pca {
        /// The number of components.
        components: usize,
    },
}

impl Default for EncoderOptions {
    fn default() -> Self {
        Self {
            bits: 4,
            pooling: 1,
            low: -0.5,
            high: 7.5,
            drop_dead: true,
            right: None,
            normalise: Normalise::PerImage,
            transform: Transform::Cells,
        }
    }
}

/// A range that clamps nothing.
const WIDE: (f32, f32) = (f32::MIN / 4.0, f32::MAX / 4.0);

impl EncoderOptions {
    /// The same with `low` and `high` at the quantiles 0.001 and 0.999 of all `z` of the data: for
    /// features, photographs and transforms, whose range is not that of ink.
    ///
    /// # Errors
    /// As [`Encoder::fit`].
    pub fn with_fitted_range(self, data: &dyn Images) -> Result<Self, EncodeError> {
        let encoder = Encoder::fit(data, &Self { low: WIDE.0, high: WIDE.1, ..self.clone() })?;
        // Some hundred thousand numbers are enough to estimate these quantiles.
        let items = transform::spread(data.len(), ((1 << 19) / encoder.features()).max(1));
        let mut z = vec![0.0; encoder.features()];
        let mut all = Vec::new();
        for item in items {
            encoder.standardise(data.image(item), &mut z)?;
            all.extend_from_slice(&z);
        }
        all.sort_by(f32::total_cmp);
        let tail = all.len() / 1000;
        let (low, high) = (all[tail], all[all.len() - 1 - tail]);
        let high = if high > low { high } else { low + 1.0 };
        Ok(Self { low, high, ..self })
    }
}

impl Encoder {
    /// Fits an encoder: the sign of ink from the images' borders, dead cells, means and scales,
    /// principal components, the columns of `v`.
    ///
    /// What is fitted becomes public with the encoder, so fit on public or training images. Of many images, a sample
    /// spread over all of them is measured: a million for means and scales, ten thousand for principal components.
    ///
    /// # Errors
    /// No image, or an option outside its range.
    pub fn fit(data: &dyn Images, options: &EncoderOptions) -> Result<Self, EncodeError> {
        if data.is_empty() {
            return Err(EncodeError::Empty);
        }
        let mut encoder = cells_only(data, options)?;
        let wide = Encoder { low: WIDE.0, high: WIDE.1, ..encoder.clone() };
        let moments = transform::Moments::of(&wide, data)?;
        let (map, variance) = match options.transform {
            Transform::Cells => match options.normalise {
                Normalise::PerImage => (Map::Cells, moments.variance),
                Normalise::PerColumn => transform::scaled(moments),
            },
            Transform::Dct { rows, columns } => transform::cosine(&wide, data, rows, columns)?,
            Transform::Pca { components } => transform::principal(&wide, data, &moments, components)?,
        };
        encoder.right = most_varying(&variance, options.right.unwrap_or(variance.len()))?;
        encoder.map = map;
        Ok(encoder)
    }
}

/// An encoder whose `z` are the cells.
fn cells_only(data: &dyn Images, options: &EncoderOptions) -> Result<Encoder, EncodeError> {
    let &EncoderOptions { bits, pooling, low, high, drop_dead, normalise, transform, .. } = options;
    let (height, width) = (data.height(), data.width());
    let mut record = Record {
        height,
        width,
        bits,
        low,
        high,
        pooling,
        dark: data.are_pictures() && is_dark_on_light(data),
        per_image: normalise == Normalise::PerImage,
        cells: vec![0],
        map: Map::Cells,
        right: vec![0],
        noise: None,
        schema: data.schema_hash(),
    };
    record.check()?;
    let across = width / pooling;
    let cells = 0..(height / pooling) * across;
    // A cosine wave runs over the whole grid.
    record.cells = if drop_dead && !matches!(transform, Transform::Dct { .. }) {
        let cell = |pixel| (pixel / width / pooling) * across + (pixel % width) / pooling;
        let mut kept = vec![false; cells.len()];
        for (pixel, &alive) in changing(data).iter().enumerate() {
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
    Encoder::try_from(record)
}

/// The `count` columns of largest variance, ascending.
fn most_varying(variance: &[f64], count: usize) -> Result<Vec<usize>, EncodeError> {
    if count == 0 || count > variance.len() {
        let remedy = format!("choose from 1 to the {} columns of u", variance.len());
        return Err(EncodeError::Field { field: "right", value: count.to_string(), remedy });
    }
    let mut columns: Vec<usize> = (0..variance.len()).collect();
    columns.sort_by(|&a, &b| variance[b].total_cmp(&variance[a]));
    columns.truncate(count);
    columns.sort_unstable();
    Ok(columns)
}

/// Whether the border, which is paper in pictures of characters, is lighter than mid-grey.
fn is_dark_on_light(data: &dyn Images) -> bool {
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
fn changing(data: &dyn Images) -> Vec<bool> {
    let mut alive = vec![false; data.height() * data.width()];
    let first = data.image(0);
    for item in 1..data.len() {
        for ((alive, first), pixel) in alive.iter_mut().zip(first).zip(data.image(item)) {
            *alive |= first != pixel;
        }
    }
    // A single image does not show which pixels change.
    if data.len() == 1 { vec![true; alive.len()] } else { alive }
}
