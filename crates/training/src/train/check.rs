//! Checks of options and data before anything is computed.

use dataset::Dataset;

use super::TrainError;
use super::require::require;
use crate::TrainOptions;
use crate::defences::in_steps;

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
    let (none, defence) = (options.collateral.is_empty(), options.defence.method());
    require(
        !none || !defence.needs_collateral(),
        "collateral",
        "[]",
        "name the label column to defend against, or choose the defence `none`",
    )?;
    defence.check()?;
    let good = (0.0..=10.0).contains(&options.noise);
    require(good, "noise", options.noise, "choose a fraction of an output's deviation, from 0 to 10")?;
    let remedy = "the defence needs the noise that owners add: choose a fraction above 0, for example 0.2";
    require(options.noise > 0.0 || !defence.needs_noise(), "noise", options.noise, remedy)?;
    let one_loss = !defence.counts_epochs();
    let remedy = format!("use it with the defences {} and with `normalise`, or leave it out", in_steps());
    require(options.noise == 0.0 || one_loss && options.normalise, "noise", options.noise, &remedy)?;
    if let Some(fresh) = &options.fresh {
        let remedy = format!("use it with the defences {}, or leave it out", in_steps());
        require(one_loss, "fresh", "given", &remedy)?;
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
