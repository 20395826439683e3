//! The stored form of an encoder, and the rules that it must obey.

use serde::{Deserialize, Serialize};

use super::error::EncodeError;
use super::map::Map;
use super::noise::Noise;

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

/// More than any data set here needs; keeps every product far from overflow.
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
        require(self.schema.as_ref().is_none_or(hash), "schema", "not a hash", "give a SHA-256 in hexadecimal".into())?;
        check_ascending("right", &self.right, self.map.columns(self.cells.len()))
    }
}

impl Record {
    /// The form that hashes cover: JSON without spaces, members in the order of the fields, each float by the fewest
    /// digits that give it back. Written here member by member, so that no renamed field changes a hash.
    pub fn canonical(&self) -> String {
        let map = match &self.map {
            Map::Cells => "\"cells\"".to_owned(),
            Map::Scaled { mean, scale } => {
                format!("{{\"scaled\":{{\"mean\":{},\"scale\":{}}}}}", floats(mean), floats(scale))
            }
            Map::Linear { offset, weights } => {
                format!("{{\"linear\":{{\"offset\":{},\"weights\":{}}}}}", floats(offset), floats(weights))
            }
        };
        let noise = self.noise.as_ref().map_or(String::new(), |noise| {
            format!(",\"noise\":{{\"deviations\":{},\"tail\":{}}}", list(&noise.deviations), noise.tail)
        });
        let schema = self.schema.as_ref().map_or(String::new(), |hash| format!(",\"schema\":\"{hash}\""));
        format!(
            "{{\"height\":{},\"width\":{},\"bits\":{},\"low\":{},\"high\":{},\"pooling\":{},\"dark\":{},\
             \"per_image\":{},\"cells\":{},\"map\":{map},\"right\":{}{noise}{schema}}}",
            self.height,
            self.width,
            self.bits,
            float(self.low),
            float(self.high),
            self.pooling,
            self.dark,
            self.per_image,
            list(&self.cells),
            list(&self.right),
        )
    }
}

fn float(value: f32) -> String {
    zmij::Buffer::new().format(value).to_owned()
}

fn floats(values: &[f32]) -> String {
    format!("[{}]", values.iter().map(|&value| float(value)).collect::<Vec<_>>().join(","))
}

fn list<T: ToString>(values: &[T]) -> String {
    format!("[{}]", values.iter().map(T::to_string).collect::<Vec<_>>().join(","))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Encoder;
    use proptest::prelude::*;

    fn any_map() -> impl Strategy<Value = Map> {
        let numbers = |count| prop::collection::vec(-1e6_f32..1e6, count);
        prop_oneof![
            Just(Map::Cells),
            (numbers(3), numbers(3)).prop_map(|(mean, scale)| Map::Scaled { mean, scale }),
            (numbers(3), numbers(9)).prop_map(|(offset, weights)| Map::Linear { offset, weights }),
        ]
    }

    proptest! {
        /// What is hashed is what is stored.
        #[test]
        fn the_canonical_form_is_the_stored_text(
            map in any_map(),
            exponent in -30_i32..30,
            dark in any::<bool>(),
            noisy in any::<bool>(),
        ) {
            let schema = noisy.then(|| "0f".repeat(32));
            let noise = noisy.then(|| Noise { deviations: vec![3, 70_000], tail: 6 });
            let high = 10_f32.powi(exponent);
            let record = Record {
                height: 2, width: 3, bits: 4, low: -high / 3.0, high, pooling: 1, dark, per_image: !dark,
                cells: vec![0, 2, 5], map, right: vec![1, 2], noise, schema,
            };
            let encoder = Encoder::try_from(record.clone()).unwrap();
            prop_assert_eq!(record.canonical(), serde_json::to_string(&encoder).unwrap());
        }
    }

    #[test]
    fn the_canonical_form_is_known() {
        let encoder = Encoder::pixels(1, 2, 8).unwrap();
        let text = concat!(
            r#"{"height":1,"width":2,"bits":8,"low":0.0,"high":1.0,"pooling":1,"dark":false,"per_image":false,"#,
            r#""cells":[0,1],"map":"cells","right":[0,1]}"#
        );
        assert_eq!(encoder.canonical(), text);
        let numbers = [1e-7, 1e20, -0.0, 0.1, 16_777_216.0, 1.5e-10].map(float);
        assert_eq!(numbers, ["1e-7", "1e+20", "-0.0", "0.1", "16777216.0", "1.5e-10"]);
    }
}
