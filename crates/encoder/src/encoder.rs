//! The fitted encoder.

use rand::Rng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde::{Deserialize, Serialize};

use super::error::EncodeError;
use super::map::Map;
use super::noise::Noise;
use super::record::Record;

/// A fitted encoder. Reading one from JSON checks all of its rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct Encoder {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) bits: u32,
    pub(super) low: f32,
    pub(super) high: f32,
    pub(super) pooling: usize,
    /// Dark ink on light paper: `z` changes its sign.
    pub(super) dark: bool,
    /// Standardise within each image; otherwise divide by 255.
    pub(super) per_image: bool,
    /// The cells in use, ascending, of `(height / pooling) × (width / pooling)`.
    pub(super) cells: Vec<usize>,
    pub(super) map: Map,
    /// The columns of `z` that `v` carries, ascending.
    pub(super) right: Vec<usize>,
    /// Fresh coordinates at the end of `v`.
    pub(super) noise: Option<Noise>,
    /// The columns that it was fitted on.
    pub(super) schema: Option<String>,
}

/// An image as the two integer vectors that are encrypted; coordinate 0 of each is 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Encoded {
    /// The `n` coordinates of the wide side.
    pub u: Vec<i64>,
    /// The `m` coordinates of the narrow side.
    pub v: Vec<i64>,
}

/// The inclusive range of each coordinate of one side.
pub type Ranges = Vec<(i64, i64)>;

impl Encoder {
    /// The SHA-256, in hexadecimal, of the columns that it was fitted on, where they were measured; see
    /// `Dataset::schema_hash`.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The lengths `(n, m)` of `u` and `v`, each with its constant coordinate, `v` with its noise.
    pub fn inputs(&self) -> (usize, usize) {
        let noise = self.noise.as_ref().map_or(0, |noise| noise.deviations.len());
        (1 + self.features(), 1 + self.right.len() + noise)
    }

    /// The number of columns of `z`: `n − 1`.
    pub fn features(&self) -> usize {
        self.map.columns(self.cells.len())
    }

    /// The columns of `z` that `v` carries, ascending: `v[1 + i]` is the level of column `right()[i]`.
    pub fn right(&self) -> &[usize] {
        &self.right
    }

    /// The noise at the end of `v`, if any.
    pub fn noise(&self) -> Option<&Noise> {
        self.noise.as_ref()
    }

    /// The coordinates of `v` that are noise; an empty range at its end without noise.
    pub fn noise_coordinates(&self) -> std::ops::Range<usize> {
        1 + self.right.len()..self.inputs().1
    }

    /// The same encoder with this noise, or without noise.
    ///
    /// # Errors
    /// No coordinate, a deviation outside 1 to 2²⁴, a tail outside 1 to 16.
    pub fn with_noise(&self, noise: Option<Noise>) -> Result<Self, EncodeError> {
        noise.iter().try_for_each(Noise::check)?;
        Ok(Self { noise, ..self.clone() })
    }

    /// The same encoder with another number of bits per coordinate.
    ///
    /// # Errors
    /// Bits outside 1 to 16.
    pub fn with_bits(&self, bits: u32) -> Result<Self, EncodeError> {
        Self::try_from(Record { bits, ..self.clone().into() })
    }

    /// Whether `z` is the cells themselves, so that single columns of it can be left out.
    pub fn is_cells(&self) -> bool {
        matches!(self.map, Map::Cells)
    }

    /// The same encoder with fewer columns: `columns[i]` says whether to keep column `i` of `z`, and `right[i]` whether
    /// to keep the `i`-th column that `v` carries. Where `z` is not the cells themselves, all of its columns must be
    /// kept.
    ///
    /// # Errors
    /// Another number of columns, a side that keeps no column, a column of `v` that `z` does not keep.
    pub fn narrowed(&self, columns: &[bool], right: &[bool]) -> Result<Self, EncodeError> {
        let refuse =
            |field, value: usize, remedy: String| Err(EncodeError::Field { field, value: value.to_string(), remedy });
        if columns.len() != self.features() || !self.is_cells() && columns.contains(&false) {
            return refuse("cells", columns.len(), format!("give all {} columns", self.features()));
        }
        if right.len() != self.right.len() {
            return refuse("right", right.len(), format!("give all {} columns", self.right.len()));
        }
        let place = |column: usize| columns[..column].iter().filter(|kept| **kept).count();
        let kept_right: Vec<usize> =
            self.right.iter().zip(right).filter(|(_, kept)| **kept).map(|(&column, _)| column).collect();
        if let Some(&column) = kept_right.iter().find(|&&column| !columns[column]) {
            return refuse("right", column, "leave it out of `v` too".into());
        }
        let cells = match self.is_cells() {
            true => self.cells.iter().zip(columns).filter(|(_, kept)| **kept).map(|(&cell, _)| cell).collect(),
            false => self.cells.clone(),
        };
        let right = kept_right.into_iter().map(place).collect();
        Self::try_from(Record { cells, right, ..self.clone().into() })
    }

    /// An encoder whose levels are the pixels `0 ..= 255` themselves, scaled to `bits` bits and rounded.
    ///
    /// # Errors
    /// A side outside 1 to 2¹⁴, more than 2²⁰ pixels, bits outside 1 to 16.
    pub fn pixels(height: usize, width: usize, bits: u32) -> Result<Self, EncodeError> {
        const MOST_PIXELS: usize = 1 << 20;
        let pixels = height.checked_mul(width).filter(|&pixels| pixels <= MOST_PIXELS);
        let pixels = pixels.ok_or_else(|| EncodeError::Field {
            field: "height",
            value: format!("{height} times {width} columns"),
            remedy: format!("choose at most {MOST_PIXELS} pixels"),
        })?;
        let all: Vec<usize> = (0..pixels).collect();
        Self::try_from(Record {
            height,
            width,
            bits,
            low: 0.0,
            high: 1.0,
            pooling: 1,
            dark: false,
            per_image: false,
            cells: all.clone(),
            map: Map::Cells,
            right: all,
            noise: None,
            schema: None,
        })
    }

    /// Rows of the images it takes.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of the images it takes.
    pub fn width(&self) -> usize {
        self.width
    }

    /// `(low, step, highest level)`: `z ≈ low + step · level`, to within half a step.
    pub fn grid(&self) -> (f32, f32, u32) {
        let levels = (1 << self.bits) - 1;
        (self.low, (self.high - self.low) / levels as f32, levels)
    }

    /// Writes `z` of one image to `out` (`features()` columns): the input of the network in floats.
    ///
    /// An image of a single grey value has no standard deviation; its `z` is 0 everywhere, clamped.
    ///
    /// # Errors
    /// The image has another size than the encoder takes, or `out` another length than `features()`.
    pub fn standardise(&self, image: &[u8], out: &mut [f32]) -> Result<(), EncodeError> {
        if image.len() != self.height * self.width {
            let (found, height, width) = (image.len(), self.height, self.width);
            return Err(EncodeError::Size { found, height, width });
        }
        if out.len() != self.features() {
            return Err(EncodeError::Output { found: out.len(), expected: self.features() });
        }
        let (mean, scale) = self.mean_and_scale(image);
        let across = self.width / self.pooling;
        let area = (self.pooling * self.pooling) as f64;
        self.map.start(out);
        for (place, &cell) in self.cells.iter().enumerate() {
            let corner = (cell / across) * self.pooling * self.width + (cell % across) * self.pooling;
            let rows = (0..self.pooling).map(|row| &image[corner + row * self.width..][..self.pooling]);
            let sum: u32 = rows.flatten().map(|&pixel| u32::from(pixel)).sum();
            self.map.add(place, ((f64::from(sum) / area - mean) * scale) as f32, out);
        }
        out.iter_mut().for_each(|z| *z = z.clamp(self.low, self.high));
        Ok(())
    }

    /// As [`standardise`](Self::standardise), then rounded to the levels that are encrypted: `low + step·level`.
    ///
    /// # Errors
    /// As [`standardise`](Self::standardise).
    pub fn quantise(&self, image: &[u8], out: &mut [f32]) -> Result<(), EncodeError> {
        self.standardise(image, out)?;
        let (low, step, _) = self.grid();
        out.iter_mut().for_each(|z| *z = low + step * self.level(*z) as f32);
        Ok(())
    }

    fn level(&self, z: f32) -> u32 {
        let (low, step, highest) = self.grid();
        (((z - low) / step).round() as u32).min(highest)
    }

    /// The integers to encrypt for one image. Noise, if any, is drawn afresh from the system's generator.
    ///
    /// # Errors
    /// The image has another size than the encoder takes.
    pub fn encode(&self, image: &[u8]) -> Result<Encoded, EncodeError> {
        self.encode_with(image, &mut UnwrapErr(SysRng))
    }

    /// As [`encode`](Self::encode), with noise from the given generator: a cryptographic one where the item is
    /// encrypted, a seeded one for measurements that must repeat.
    ///
    /// # Errors
    /// The image has another size than the encoder takes.
    pub fn encode_with<R: Rng + ?Sized>(&self, image: &[u8], rng: &mut R) -> Result<Encoded, EncodeError> {
        let mut encoded = self.encode_without_noise(image)?;
        let drawn = self.noise.iter().flat_map(|noise| noise.sample(rng));
        encoded.v[self.noise_coordinates()].iter_mut().zip(drawn).for_each(|(place, noise)| *place = noise);
        Ok(encoded)
    }

    /// As [`encode`](Self::encode), with zeros where noise would be: for measurements in the clear.
    ///
    /// # Errors
    /// The image has another size than the encoder takes.
    pub fn encode_without_noise(&self, image: &[u8]) -> Result<Encoded, EncodeError> {
        let mut z = vec![0.0; self.features()];
        self.standardise(image, &mut z)?;
        let level = |z: f32| i64::from(self.level(z));
        let u = std::iter::once(1).chain(z.iter().map(|&z| level(z))).collect();
        let zeros = std::iter::repeat_n(0, self.noise_coordinates().len());
        let v = std::iter::once(1).chain(self.right.iter().map(|&column| level(z[column]))).chain(zeros).collect();
        Ok(Encoded { u, v })
    }

    /// The inclusive range of every coordinate of `u` and of `v`: `(1, 1)` for the constants, and the ends of the
    /// truncation for noise.
    pub fn ranges(&self) -> (Ranges, Ranges) {
        let (n, _) = self.inputs();
        let highest = i64::from(self.grid().2);
        let side = |length| std::iter::once((1, 1)).chain((1..length).map(|_| (0, highest)));
        let noise = self.noise.iter().flat_map(Noise::ranges);
        (side(n).collect(), side(self.noise_coordinates().start).chain(noise).collect())
    }

    /// The text that the hash of a network covers: the encoder's JSON, without spaces, in a fixed order.
    pub fn canonical(&self) -> String {
        Record::from(self.clone()).canonical()
    }

    /// Computed from integer sums, so that the order of summation cannot change it.
    fn mean_and_scale(&self, image: &[u8]) -> (f64, f64) {
        let sign = if self.dark { -1.0 } else { 1.0 };
        if !self.per_image {
            return (0.0, sign / 255.0);
        }
        let count = image.len() as f64;
        let sum: u64 = image.iter().map(|&pixel| u64::from(pixel)).sum();
        let squares: u64 = image.iter().map(|&pixel| u64::from(pixel).pow(2)).sum();
        let mean = sum as f64 / count;
        // count · squares − sum² is an integer: zero exactly for a flat image.
        let spread = u128::from(squares) * image.len() as u128 - u128::from(sum).pow(2);
        let deviation = (spread as f64).sqrt() / count;
        (mean, if spread == 0 { 0.0 } else { sign / deviation })
    }
}

impl TryFrom<Record> for Encoder {
    type Error = EncodeError;

    fn try_from(record: Record) -> Result<Self, EncodeError> {
        record.check()?;
        let Record { height, width, bits, low, high, pooling, dark, per_image, cells, map, right, noise, schema } =
            record;
        Ok(Self { height, width, bits, low, high, pooling, dark, per_image, cells, map, right, noise, schema })
    }
}

impl From<Encoder> for Record {
    fn from(encoder: Encoder) -> Self {
        let Encoder { height, width, bits, low, high, pooling, dark, per_image, cells, map, right, noise, schema } =
            encoder;
        Self { height, width, bits, low, high, pooling, dark, per_image, cells, map, right, noise, schema }
    }
}
