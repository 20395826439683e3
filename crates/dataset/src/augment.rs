//! Changed copies of pictures: what another hand or another camera would have produced.
//!
//! Every pixel `p` of a copy is the original's at
//!
//! ```text
//! q = c + A⁻¹·(p − c − t) + d(p)          c the middle, A = scale · rotation · shear, t the shift
//! ```
//!
//! bilinear, with the border's pixels repeated outside; `d` is the elastic field that drawn characters
//! get too (Simard, Steinkraus, Platt 2003). One random number each for angle, scale, shear and both
//! shifts, uniform between minus and plus the option's value.

use host::Progress;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::draw::{Random, Warp};
use crate::{Dataset, DatasetError, Labels};

/// The stream of random numbers of changed copies.
const STREAM: u64 = 400;

/// Bytes of the enlarged data set.
const MOST_BYTES: usize = 4 << 30;

/// How far copies differ from their originals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentOptions {
    /// Copies of every item besides itself, 1 to 1000.
    pub copies: usize,
    /// Maximum shift along either axis, 0 to 100 pixels.
    pub shift: f32,
    /// Largest angle in degrees, 0 to 180.
    pub rotation: f32,
    /// Largest change of size as a fraction, 0 to 0.9.
    pub scale: f32,
    /// Largest slant as a fraction of the height, 0 to 2.
    pub shear: f32,
    /// Strength of the elastic warp in pixels, 0 to 1000; 0 for none.
    pub elastic_alpha: f32,
    /// Smoothness of the elastic warp in pixels, 0.1 to 100.
    pub elastic_sigma: f32,
    /// Random seed of the copies.
    pub seed: u64,
}

impl Default for AugmentOptions {
    fn default() -> Self {
        Self {
            copies: 9,
            shift: 1.5,
            rotation: 10.0,
            scale: 0.1,
            shear: 0.15,
            elastic_alpha: 25.0,
            elastic_sigma: 4.0,
            seed: 0,
        }
    }
}

/// Why a data set cannot be enlarged.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum AugmentError {
    /// An option outside its limits.
    #[error("`{field}` is {value}: choose from {low} to {high}")]
    Option {
        /// The option.
        field: &'static str,
        /// Its value.
        value: f32,
        /// Least value.
        low: f32,
        /// Largest value.
        high: f32,
    },
    /// Measured values have no geometry to change.
    #[error("this data set holds features, not pictures: enlarge speech with the copies of its import")]
    NotPictures,
    /// More memory than the limit.
    #[error("{items} items with {copies} copies each take more than {MOST_BYTES} bytes: choose fewer copies")]
    Size {
        /// Items given.
        items: usize,
        /// Copies asked for.
        copies: usize,
    },
    /// A label named `copy` exists already.
    #[error(transparent)]
    Content(#[from] DatasetError),
}

impl Dataset {
    /// The data set with changed copies after every item; the label `copy` is 0 for originals.
    ///
    /// Split before enlarging, or copies of one picture land on both sides of a test. Deterministic from the seed,
    /// whatever the number of threads.
    pub fn augmented(&self, options: &AugmentOptions, progress: &dyn Progress) -> Result<Dataset, AugmentError> {
        options.check()?;
        if self.features().is_some() {
            return Err(AugmentError::NotPictures);
        }
        let (pixels, group) = (self.height() * self.width(), 1 + options.copies);
        let size = self.images().len().checked_mul(group).filter(|&size| size <= MOST_BYTES);
        let size = size.ok_or(AugmentError::Size { items: self.len(), copies: options.copies })?;
        let warp = (options.elastic_alpha > 0.0)
            .then(|| Warp::new(self.height(), self.width(), options.elastic_sigma, options.elastic_alpha));
        progress.begin(self.len() as u64);
        let mut images = vec![0; size];
        images.par_chunks_exact_mut(pixels * group).enumerate().for_each(|(item, copies)| {
            let original = self.image(item);
            for (copy, out) in copies.chunks_exact_mut(pixels).enumerate() {
                match copy {
                    0 => out.copy_from_slice(original),
                    copy => self.change(options, warp.as_ref(), (item, copy), out),
                }
            }
            progress.advance(1);
        });
        let repeat = |values: &[u32]| values.iter().flat_map(|&value| std::iter::repeat_n(value, group)).collect();
        let mut labels: Vec<Labels> = self.columns().to_vec();
        labels.iter_mut().for_each(|column| column.values = repeat(&column.values));
        labels.push(Labels {
            name: "copy".into(),
            classes: (0..group).map(|copy| copy.to_string()).collect(),
            values: (0..self.len()).flat_map(|_| 0..group as u32).collect(),
        });
        Ok(Dataset::new(self.height(), self.width(), images, labels, self.about().clone())?)
    }

    fn change(&self, options: &AugmentOptions, warp: Option<&Warp>, (item, copy): (usize, usize), out: &mut [u8]) {
        let (height, width, image) = (self.height(), self.width(), self.image(item));
        let mut random = Random::new(options.seed, STREAM + copy as u64, item as u64);
        let angle = f64::from(options.rotation * random.symmetric()).to_radians();
        let (sin, cos) = (libm::sin(angle) as f32, libm::cos(angle) as f32);
        let scale = 1.0 + options.scale * random.symmetric();
        let slant = options.shear * random.symmetric();
        let shift = (options.shift * random.symmetric(), options.shift * random.symmetric());
        let fields = warp.map(|warp| {
            let (mut down, mut across) = (vec![0.0; out.len()], vec![0.0; out.len()]);
            let mut room = vec![0.0; out.len()];
            warp.field(&mut random, &mut down, &mut room);
            warp.field(&mut random, &mut across, &mut room);
            (down, across)
        });
        let middle = ((height as f32 - 1.0) / 2.0, (width as f32 - 1.0) / 2.0);
        for (place, out) in out.iter_mut().enumerate() {
            let row = (place / width) as f32 - middle.0 - shift.0;
            let column = (place % width) as f32 - middle.1 - shift.1;
            let (down, right) = ((cos * row - sin * column) / scale, (sin * row + cos * column) / scale);
            let mut source = (middle.0 + down, middle.1 + right - slant * down);
            if let Some((rows, columns)) = &fields {
                source = (source.0 + rows[place], source.1 + columns[place]);
            }
            *out = sample(image, (height, width), source);
        }
    }
}

/// Bilinear interpolation, with the border repeated outside.
fn sample(image: &[u8], (height, width): (usize, usize), (row, column): (f32, f32)) -> u8 {
    let (row, column) = (row.clamp(0.0, (height - 1) as f32), column.clamp(0.0, (width - 1) as f32));
    let (top, left) = (row as usize, column as usize);
    let (bottom, right) = ((top + 1).min(height - 1), (left + 1).min(width - 1));
    let (down, across) = (row - top as f32, column - left as f32);
    let at = |row: usize, column: usize| f32::from(image[row * width + column]);
    let upper = at(top, left) * (1.0 - across) + at(top, right) * across;
    let lower = at(bottom, left) * (1.0 - across) + at(bottom, right) * across;
    (upper * (1.0 - down) + lower * down).round() as u8
}

impl AugmentOptions {
    fn check(&self) -> Result<(), AugmentError> {
        let limits = [
            ("copies", self.copies as f32, 1.0, 1000.0),
            ("shift", self.shift, 0.0, 100.0),
            ("rotation", self.rotation, 0.0, 180.0),
            ("scale", self.scale, 0.0, 0.9),
            ("shear", self.shear, 0.0, 2.0),
            ("elastic_alpha", self.elastic_alpha, 0.0, 1000.0),
            ("elastic_sigma", self.elastic_sigma, 0.1, 100.0),
        ];
        match limits.into_iter().find(|&(_, value, low, high)| !(low..=high).contains(&value)) {
            Some((field, value, low, high)) => Err(AugmentError::Option { field, value, low, high }),
            None => Ok(()),
        }
    }
}
