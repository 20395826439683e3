//! Every kind of defence, in the order of lists: a new kind needs one file and one line here.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::defence::{Defence, Kind, Read};
use crate::TrainOptions;
use crate::train::TrainError;

const KINDS: &[&Kind] = &[
    &super::none::KIND,
    &super::paper::KIND,
    &super::maxent::KIND,
    &super::ensemble::KIND,
    &super::matching::KIND,
    &super::certify::KIND,
];

impl Defence {
    /// Name and description of every kind in the registry, for lists.
    pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
        KINDS.iter().map(|kind| (kind.name, kind.text))
    }
}

impl Defence {
    /// The same with some options changed, by their names in files.
    ///
    /// # Errors
    /// A defence without options, an unknown option, a value of another type.
    pub fn with_options(&self, given: &Map<String, Value>) -> Result<Self, TrainError> {
        if given.is_empty() {
            return Ok(self.clone());
        }
        let refuse = |value: String, remedy: String| TrainError::Option { field: "defence", value, remedy };
        let mut stored = serde_json::to_value(self).map_err(|error| refuse(error.to_string(), String::new()))?;
        let Some(Value::Object(options)) = stored.get_mut(self.name()) else {
            return Err(refuse(format!("`{self}`"), "it has no options: leave them out".into()));
        };
        options.extend(given.clone());
        serde_json::from_value(stored).map_err(|error| refuse(format!("`{self}`"), error.to_string()))
    }
}

impl TrainOptions {
    /// The default preset of a training with this defence.
    pub fn standard(defence: Defence) -> Self {
        (defence.method().kind().preset)(defence)
    }
}

impl FromStr for Defence {
    type Err = TrainError;

    /// The defence of this name, with default options.
    ///
    /// # Errors
    /// A name that is not in the registry.
    fn from_str(name: &str) -> Result<Self, TrainError> {
        let kind = kind(name).ok_or_else(|| TrainError::Option {
            field: "defence",
            value: format!("`{name}`"),
            remedy: format!("choose one of {}", names()),
        })?;
        Ok((kind.standard)())
    }
}

fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

fn names() -> String {
    KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ")
}

/// The names of the defences that train in gradient steps on one loss, in words.
pub(crate) fn in_steps() -> String {
    let in_steps = KINDS.iter().filter(|kind| !(kind.standard)().counts_epochs());
    let names: Vec<String> = in_steps.map(|kind| format!("`{}`", kind.name)).collect();
    match &names[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        names => names.concat(),
    }
}

/// `"none"`, or `{"match": {…}}`: the form of an enum with a variant for each kind.
impl Serialize for Defence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = self.name();
        let position = (0..).zip(KINDS).find(|(_, kind)| kind.name == name).map_or(0, |(position, _)| position);
        match self.method().options() {
            Some(options) => serializer.serialize_newtype_variant("Defence", position, name, options),
            None => serializer.serialize_unit_variant("Defence", position, name),
        }
    }
}

impl<'de> Deserialize<'de> for Defence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("Defence", &[], Variants)
    }
}

/// Reads the options after the name of a kind.
pub(crate) fn read_variant<'de, A: VariantAccess<'de>>(name: &str, options: A) -> Result<Defence, A::Error> {
    let unknown = || de::Error::custom(format!("unknown defence `{name}`: choose one of {}", names()));
    let kind = kind(name).ok_or_else(unknown)?;
    match kind.read {
        Some(read) => options.newtype_variant_seed(Stored(read)),
        None => options.unit_variant().map(|()| (kind.standard)()),
    }
}

struct Variants;

impl<'de> Visitor<'de> for Variants {
    type Value = Defence;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a defence: {}", names())
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Defence, A::Error> {
        let (name, options) = data.variant::<String>()?;
        read_variant(&name, options)
    }
}

struct Stored(Read);

impl<'de> DeserializeSeed<'de> for Stored {
    type Value = Defence;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Defence, D::Error> {
        (self.0)(&mut <dyn erased_serde::Deserializer>::erase(deserializer)).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every() -> impl Iterator<Item = Defence> {
        KINDS.iter().map(|kind| (kind.standard)())
    }

    #[test]
    fn every_kind_is_found_by_its_name_and_is_sound() {
        for (kind, defence) in KINDS.iter().zip(every()) {
            assert_eq!(defence.name(), kind.name, "listed under another kind");
            assert_eq!(kind.name.parse::<Defence>().unwrap(), defence);
            assert_eq!(defence.to_string(), kind.name);
            defence.method().check().unwrap();
            assert!(!kind.text.is_empty() && kind.text.chars().next().is_some_and(char::is_uppercase));
        }
    }

    #[test]
    fn no_two_kinds_share_a_name() {
        for (i, kind) in KINDS.iter().enumerate() {
            let other = |earlier: &&&Kind| earlier.name == kind.name || earlier.title == kind.title;
            assert!(!KINDS[..i].iter().any(|earlier| other(&earlier)), "{}", kind.name);
        }
    }

    /// Files of networks hold the first form, and checkpoints a hash of the second.
    #[test]
    fn stored_and_debug_forms_stay() {
        let adversarial = |adversaries: &str, restart: usize| {
            format!(
                r#"{{"weight":1.7,"adversaries":[{adversaries}],"epochs":[10,50,0],"rate":0.002,"momentum":0.5,"restart":{restart}}}"#
            )
        };
        let one = adversarial(r#""convolutional""#, 0);
        let several = adversarial(r#"{"feedforward":[64,32]},{"feedforward":[128]},{"feedforward":[64,32,16,8]}"#, 5);
        let matching = r#"{"weight":30.0,"pairing":0.3,"scales":6,"whiten":true,"paired":null,"ramp":[0.03,0.23]}"#;
        let expected = [
            r#""none""#.to_owned(),
            format!(r#"{{"paper":{one}}}"#),
            format!(r#"{{"maxent":{one}}}"#),
            format!(r#"{{"ensemble":{several}}}"#),
            format!(r#"{{"match":{matching}}}"#),
            r#"{"certify":{"weight":30.0,"width":0.005,"sharp":0.2,"pairing":0.3,"scales":5,"paired":null,"ramp":[0.03,0.23]}}"#
                .to_owned(),
        ];
        for (defence, expected) in every().zip(expected) {
            let stored = serde_json::to_string(&defence).unwrap();
            assert_eq!(stored, expected);
            assert_eq!(serde_json::from_str::<Defence>(&stored).unwrap(), defence);
            let value = serde_json::to_value(&defence).unwrap();
            assert_eq!(serde_json::from_value::<Defence>(value).unwrap(), defence);
        }
        let debug: Vec<String> = every().map(|defence| format!("{defence:?}")).collect();
        assert_eq!(debug[0], "None");
        let one = "AdversarialOptions { weight: 1.7, adversaries: [Convolutional], epochs: (10, 50, 0), rate: 0.002, \
                   momentum: 0.5, restart: 0 }";
        assert_eq!(debug[1], format!("Paper({one})"));
        assert_eq!(debug[2], format!("MaxEnt({one})"));
        assert!(
            debug[3].starts_with("Ensemble(AdversarialOptions { weight: 1.7, adversaries: [FeedForward([64, 32]), ")
        );
        let matching = "Match(MatchOptions { weight: 30.0, pairing: 0.3, scales: 6, whiten: true, paired: None, ramp: \
                        (0.03, 0.23) })";
        assert_eq!(debug[4], matching);
    }

    #[test]
    fn options_are_set_by_their_names() {
        let given = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        let certify: Defence = "certify".parse().unwrap();
        let wider = certify.with_options(&given(r#"{"width":0.5,"weight":7}"#)).unwrap();
        assert_eq!(wider.weight(), 7.0);
        assert!(serde_json::to_string(&wider).unwrap().contains(r#""width":0.5"#));
        let tilted = certify.with_options(&given(r#"{"tilt":1.5}"#)).unwrap();
        assert!(serde_json::to_string(&tilted).unwrap().contains(r#""tilt":1.5"#));
        let error = |defence: &Defence, text| defence.with_options(&given(text)).unwrap_err().to_string();
        assert!(error(&certify, r#"{"wide":1}"#).contains("unknown field `wide`, expected one of "));
        assert!(error(&certify, r#"{"width":"much"}"#).contains("invalid type"));
        assert!(error(&Defence::none(), r#"{"width":1}"#).contains("has no options"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = "magic".parse::<Defence>().unwrap_err().to_string();
        let list = "choose one of none, paper, maxent, ensemble, match, certify";
        assert_eq!(error, format!("training option `defence` is `magic`: {list}"));
        let cases = [
            (r#""magic""#, "unknown defence `magic`: choose one of none, paper, maxent, ensemble, match, certify"),
            (r#"{"magic":{}}"#, "unknown defence `magic`"),
            (r#"{"match":{"wait":3}}"#, "unknown field `wait`"),
            (r#"{"none":{"weight":3}}"#, "unit"),
            (r#""match""#, "newtype variant"),
        ];
        for (stored, expected) in cases {
            let error = serde_json::from_str::<Defence>(stored).unwrap_err().to_string();
            assert!(error.contains(expected), "{stored}: {error}");
        }
    }

    #[test]
    fn a_weight_is_set_where_there_is_one() {
        for mut defence in every() {
            let has_weight = defence.weight() != 0.0;
            defence.set_weight(7.5);
            assert_eq!(defence.weight(), if has_weight { 7.5 } else { 0.0 }, "{defence}");
            assert_eq!(defence == (defence.method().kind().standard)(), !has_weight);
        }
        assert_eq!(in_steps(), "`none`, `match` and `certify`");
    }
}
