//! The defence of the collateral attribute during fine-tuning.

use std::fmt;

use serde::de::{Deserializer, EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::CompileError;
use super::error::require;
use crate::defences::read_variant;
use crate::{Defence, MatchOptions};

/// The text in files for a network that is fine-tuned with the defence of its training.
const AS_TRAINED: &str = "astrained";

/// The defence during fine-tuning.
#[derive(Clone, Debug, PartialEq)]
pub enum CompileDefence {
    /// The defence of the training; matching gets five times the weight, because rounding undoes much of it. A network
    /// that was trained against adversaries is only rounded, and its head fitted: fine-tuning has no adversaries, and
    /// would undo half of their effect.
    AsTrained,
    /// This defence, whatever the network was trained with. The ramp of its weight does not apply. Defences with
    /// adversaries are refused.
    Chosen(Defence),
}

impl CompileDefence {
    /// The loss on outputs that the network was trained with, at another weight; matching if it had none.
    pub fn with_weight(trained: &Defence, weight: f32) -> Self {
        let penalised = trained.method().penalty().map(|_| trained.clone());
        let mut chosen = penalised.unwrap_or_else(|| Defence::matching(MatchOptions::default()));
        chosen.set_weight(weight);
        Self::Chosen(chosen)
    }

    pub(super) fn check(&self) -> Result<(), CompileError> {
        let Self::Chosen(chosen) = self else { return Ok(()) };
        let remedy = "fine-tuning has no adversaries: choose `astrained` or a defence without adversaries";
        require(chosen.method().fine_tuning().is_some(), "defence", format!("`{chosen}`"), remedy)?;
        Ok(chosen.method().check()?)
    }

    /// The defence of a network that was trained with `trained`; `None` where the network is only rounded.
    pub(super) fn of(&self, trained: &Defence) -> Option<Defence> {
        match self {
            Self::AsTrained => trained.method().fine_tuning().map(|heavier| {
                let mut defence = trained.clone();
                defence.set_weight(heavier * trained.weight());
                defence
            }),
            Self::Chosen(chosen) => Some(chosen.clone()),
        }
    }
}

/// `"astrained"`, or the form of the defence: all of them are variants of one enum.
impl Serialize for CompileDefence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AsTrained => serializer.serialize_unit_variant("CompileDefence", 0, AS_TRAINED),
            Self::Chosen(chosen) => chosen.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for CompileDefence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("CompileDefence", &[], Variants)
    }
}

struct Variants;

impl<'de> Visitor<'de> for Variants {
    type Value = CompileDefence;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{AS_TRAINED}` or a defence")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<CompileDefence, A::Error> {
        let (name, options) = data.variant::<String>()?;
        match name.as_str() {
            AS_TRAINED => options.unit_variant().map(|()| CompileDefence::AsTrained),
            name => read_variant(name, options).map(CompileDefence::Chosen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiled networks store it, with all options of their compilation.
    #[test]
    fn stored_forms_stay() {
        let matching = r#"{"weight":30.0,"pairing":0.3,"scales":6,"whiten":true,"paired":null,"ramp":[0.03,0.23]}"#;
        let cases = [
            (CompileDefence::AsTrained, r#""astrained""#.to_owned()),
            (CompileDefence::Chosen(Defence::none()), r#""none""#.to_owned()),
            (CompileDefence::Chosen(Defence::matching(MatchOptions::default())), format!(r#"{{"match":{matching}}}"#)),
        ];
        for (defence, expected) in cases {
            assert_eq!(serde_json::to_string(&defence).unwrap(), expected);
            assert_eq!(serde_json::from_str::<CompileDefence>(&expected).unwrap(), defence);
        }
        let error = serde_json::from_str::<CompileDefence>(r#""magic""#).unwrap_err().to_string();
        assert!(error.contains("unknown defence `magic`"), "{error}");
    }

    #[test]
    fn a_weight_goes_to_the_trained_loss_or_to_matching() {
        let trained = MatchOptions { scales: 3, ..MatchOptions::default() };
        let heavier = Defence::matching(MatchOptions { weight: 90.0, ..trained.clone() });
        let trained = Defence::matching(trained);
        assert_eq!(CompileDefence::with_weight(&trained, 90.0), CompileDefence::Chosen(heavier));
        let matching = Defence::matching(MatchOptions { weight: 90.0, ..MatchOptions::default() });
        for other in [Defence::none(), "paper".parse().unwrap()] {
            assert_eq!(CompileDefence::with_weight(&other, 90.0), CompileDefence::Chosen(matching.clone()));
        }
        let tuned = CompileDefence::AsTrained.of(&trained).unwrap();
        assert_eq!(tuned.weight(), 150.0);
        assert_eq!(CompileDefence::AsTrained.of(&"maxent".parse().unwrap()), None);
    }
}
