//! The stored form of an encoder, and the rules it must obey.

use serde::{Deserialize, Serialize};

use super::map::Map;
use super::{EncodeError, Encoder, Noise};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub height: usize,
    pub width: usize,
    pub bits: u32,
    pub low: f32,
    pub high: f32,
    pub pooling: usize,
    pub dark: bool,
    pub per_image: bool,
    pub cells: Vec<usize>,
    pub map: Map,
    pub right: Vec<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<Noise>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
}

/// Larger sides than any data set here; keeps every product far from overflow.
const SIDE_LIMIT: usize = 1 << 14;

impl Record {
    pub fn check(&self) -> Result<(), EncodeError> {
        let sides = [("height", self.height), ("width", self.width)];
        for (field, side) in sides {
            let remedy = format!("choose from 1 to {SIDE_LIMIT}");
            require((1..=SIDE_LIMIT).contains(&side), field, side, remedy)?;
            let divides = self.pooling > 0 && side.is_multiple_of(self.pooling);
            require(divides, "pooling", self.pooling, format!("choose a divisor of the {field} {side}"))?;
        }
        require((1..=16).contains(&self.bits), "bits", self.bits, "choose from 1 to 16".into())?;
        require(self.low.is_finite(), "low", self.low, "choose a finite number".into())?;
        require(self.high.is_finite(), "high", self.high, "choose a finite number".into())?;
        let step = (self.high - self.low) / ((1 << self.bits) - 1) as f32;
        let wide = step.is_finite() && step > 0.0;
        require(wide, "high", self.high, format!("choose a number above `low`, which is {}", self.low))?;
        let cells = (self.height / self.pooling) * (self.width / self.pooling);
        check_ascending("cells", &self.cells, cells)?;
        let sound = self.map.is_sound(self.cells.len());
        require(sound, "map", "inconsistent", format!("give finite numbers for all {} cells", self.cells.len()))?;
        self.noise.iter().try_for_each(Noise::check)?;
        let hash = |hash: &String| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        require(self.schema.as_ref().is_none_or(hash), "schema", "no hash", "give a SHA-256 in hexadecimal".into())?;
        check_ascending("right", &self.right, self.map.columns(self.cells.len()))
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

fn check_ascending(field: &'static str, list: &[usize], limit: usize) -> Result<(), EncodeError> {
    let ascending = list.is_sorted_by(|a, b| a < b) && list.last().is_some_and(|&last| last < limit);
    require(
        ascending,
        field,
        format!("{} numbers", list.len()),
        format!("list ascending numbers below {limit}, at least one"),
    )
}

fn require(holds: bool, field: &'static str, value: impl ToString, remedy: String) -> Result<(), EncodeError> {
    if holds { Ok(()) } else { Err(EncodeError::Field { field, value: value.to_string(), remedy }) }
}
