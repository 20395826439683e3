//! What options and data must satisfy before anything is computed.

use dataset::Dataset;

use super::TrainError;
use crate::{Defence, TrainOptions};

pub(super) fn options(options: &TrainOptions) -> Result<(), TrainError> {
    let at_least_one =
        [("units", options.units), ("outputs", options.outputs), ("steps", options.steps), ("batch", options.batch)];
    for (field, value) in at_least_one {
        require((1..=1 << 20).contains(&value), field, value, "choose from 1 to 1048576")?;
    }
    require(options.head.len() <= 16, "head", options.head.len(), "choose at most 16 hidden layers")?;
    for &width in &options.head {
        require((1..=1 << 16).contains(&width), "head", width, "choose widths from 1 to 65536")?;
    }
    require(options.rate.is_finite() && options.rate > 0.0, "rate", options.rate, "choose a positive number")?;
    require(options.clip > 0.0, "clip", options.clip, "choose a positive number")?;
    let none = options.collateral.is_empty();
    require(
        !none || matches!(options.defence, Defence::None),
        "collateral",
        "[]",
        "name the label column to defend against, or choose the defence `none`",
    )?;
    match &options.defence {
        Defence::None => {}
        Defence::Match(chosen) => {
            let good = chosen.weight.is_finite() && chosen.weight >= 0.0;
            require(good, "defence.weight", chosen.weight, "choose a number from 0")?;
            let good = chosen.pairing.is_finite() && chosen.pairing >= 0.0;
            require(good, "defence.pairing", chosen.pairing, "choose a number from 0")?;
            require((1..=16).contains(&chosen.scales), "defence.scales", chosen.scales, "choose from 1 to 16")?;
            let (from, to) = chosen.ramp;
            let good = (0.0..=1.0).contains(&from) && (from..=1.0).contains(&to);
            require(good, "defence.ramp", format!("{from}..{to}"), "choose two shares of the run, ascending, 0 to 1")?;
        }
        Defence::Paper(chosen) | Defence::MaxEnt(chosen) | Defence::Ensemble(chosen) => {
            let good = chosen.weight.is_finite() && chosen.weight >= 0.0;
            require(good, "defence.weight", chosen.weight, "choose a number from 0")?;
            let count = chosen.adversaries.len();
            require((1..=32).contains(&count), "defence.adversaries", count, "give from 1 to 32 adversaries")?;
            let good = chosen.rate.is_finite() && chosen.rate > 0.0;
            require(good, "defence.rate", chosen.rate, "choose a positive number")?;
            require((0.0..1.0).contains(&chosen.momentum), "defence.momentum", chosen.momentum, "choose from 0 to 1")?;
            let (initial, sabotage, recovery) = chosen.epochs;
            let sum = initial + sabotage + recovery;
            require((1..=100_000).contains(&sum), "defence.epochs", sum, "choose from 1 to 100000 in all")?;
        }
    }
    let good = (0.0..=10.0).contains(&options.noise);
    require(good, "noise", options.noise, "choose a share of an output's deviation, from 0 to 10")?;
    let one_loss = matches!(options.defence, Defence::None | Defence::Match(_)) && options.normalise;
    let remedy = "use it with the defences `none` and `match` and with `normalise`, or leave it out";
    require(options.noise == 0.0 || one_loss, "noise", options.noise, remedy)?;
    if let Some(fresh) = &options.fresh {
        let good = matches!(options.defence, Defence::None | Defence::Match(_));
        require(good, "fresh", "given", "use it with the defences `none` and `match`, or leave it out")?;
        require(fresh.per_step > 0, "fresh.per_step", fresh.per_step, "choose at least 1")?;
    }
    if let Some(selection) = &options.selection {
        require(!none, "selection", "given", "name the collateral label that the attacker reads, or select nothing")?;
        require(selection.every > 0, "selection.every", selection.every, "choose at least 1")?;
    }
    if let Some(checkpoint) = &options.checkpoint {
        require(checkpoint.every > 0, "checkpoint.every", checkpoint.every, "choose at least 1")?;
    }
    Ok(())
}

pub(super) fn data(train: &Dataset, validation: &Dataset, options: &TrainOptions) -> Result<(), TrainError> {
    for (which, data) in [("training", train), ("validation", validation)] {
        if data.len() < 2 {
            let remedy = "give a larger data set".to_string();
            return Err(TrainError::Items { which, found: data.len(), needed: 2, remedy });
        }
    }
    for label in std::iter::once(&options.main).chain(&options.collateral) {
        let expected = train.labels(label)?.classes.len();
        let found = validation.labels(label)?.classes.len();
        if found != expected {
            return Err(TrainError::Classes { label: label.clone(), found, expected });
        }
    }
    if options.collateral.contains(&options.main) {
        let remedy = "name another label column than the main one".to_string();
        return Err(TrainError::Option { field: "collateral", value: options.main.clone(), remedy });
    }
    Ok(())
}

fn require(holds: bool, field: &'static str, value: impl ToString, remedy: &str) -> Result<(), TrainError> {
    if holds {
        return Ok(());
    }
    Err(TrainError::Option { field, value: value.to_string(), remedy: remedy.to_string() })
}
