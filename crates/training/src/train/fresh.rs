//! New drawings instead of old ones during training, for data from our own generator.
//!
//! Matching overfits the images of a training set long before the classes do, so new images help more than any other
//! choice. Item by item, an old image is replaced by a new one of the same character and font; labels and batches do
//! not change. With paired data the images of a pair are replaced together and still share their deformation.

use dataset::Dataset;
use dataset::draw::Generator;
use rayon::prelude::*;

use super::{Run, TrainError};
use crate::Fresh;
use crate::features::Features;

/// Draws the images that enter before each step.
pub(super) struct Renewal {
    generator: Generator,
    seed: u64,
    /// Items that share a deformation.
    group: usize,
    /// Groups of the data set, and how many are replaced before each step.
    groups: usize,
    per_step: usize,
    /// Character and font of every item, as the generator numbers them.
    drawn: Vec<(usize, usize)>,
}

impl Renewal {
    pub(super) fn new(run: &Run, fresh: &Fresh, paired: bool) -> Result<Self, TrainError> {
        let generator = Generator::new(&fresh.specification)?;
        let specification = generator.spec();
        let characters: Vec<String> = specification.characters.iter().map(char::to_string).collect();
        let fonts: Vec<String> = specification.fonts.iter().map(|font| font.name.clone()).collect();
        let characters = column(run.train, "character", &characters)?;
        let fonts = column(run.train, "font", &fonts)?;
        let size = (specification.height, specification.width);
        if size != (run.train.height(), run.train.width()) {
            let remedy = format!("draw {}x{} pixels, as the data has", run.train.height(), run.train.width());
            return Err(option("fresh.specification", format!("{}x{} pixels", size.0, size.1), remedy));
        }
        let group = if paired { run.targets.values } else { 1 };
        let per_step = fresh.per_step.div_ceil(group);
        let drawn = characters.into_iter().zip(fonts).collect();
        Ok(Self { generator, seed: fresh.seed, group, groups: run.train.len() / group, per_step, drawn })
    }

    /// Replaces the images due before step `step`.
    pub(super) fn advance(&self, step: usize, features: &mut Features, run: &Run) -> Result<(), TrainError> {
        let first = step * self.per_step;
        self.replace(first..first + self.per_step.min(self.groups), features, run)
    }

    /// Brings the data set to its state after the replacements before `step`.
    pub(super) fn catch_up(&self, step: usize, features: &mut Features, run: &Run) -> Result<(), TrainError> {
        let next = step * self.per_step;
        self.replace(next.saturating_sub(self.groups)..next, features, run)
    }

    /// Draws the groups with these running numbers; number `j` is at place `j` modulo the number of groups.
    fn replace(&self, numbers: std::ops::Range<usize>, features: &mut Features, run: &Run) -> Result<(), TrainError> {
        let pixels = run.train.height() * run.train.width();
        let items: Vec<(usize, u64)> = numbers
            .flat_map(|number| {
                let first = number % self.groups * self.group;
                (first..first + self.group).map(move |item| (item, number as u64))
            })
            .collect();
        let rows: Result<Vec<Vec<u16>>, TrainError> = items
            .par_iter()
            .map(|&(item, number)| {
                let (character, font) = self.drawn[item];
                let mut image = vec![0; pixels];
                self.generator.render(self.seed, number, character, font, &mut image);
                Ok(features.row(&image, &run.encoder)?)
            })
            .collect();
        for ((item, _), row) in items.iter().zip(rows?) {
            features.replace(*item, &row);
        }
        Ok(())
    }
}

/// The generator's number for each item of a label column.
fn column(data: &Dataset, name: &str, classes: &[String]) -> Result<Vec<usize>, TrainError> {
    let labels = data.labels(name)?;
    let numbers: Option<Vec<usize>> =
        labels.classes.iter().map(|class| classes.iter().position(|other| other == class)).collect();
    let numbers = numbers.ok_or_else(|| {
        let remedy = format!("draw all of the data's `{name}` classes: {}", labels.classes.join(", "));
        option("fresh.specification", classes.join(", "), remedy)
    })?;
    Ok(labels.values.iter().map(|&value| numbers[value as usize]).collect())
}

fn option(field: &'static str, value: String, remedy: String) -> TrainError {
    TrainError::Option { field, value, remedy }
}
