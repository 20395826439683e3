//! Common code of the defences that train in the paper's three phases against simulated adversaries.

use model::Parameters;

use super::defence::{Kind, Method, Options};
use super::phases::{AdversarialOptions, Against};
use crate::features::Features;
use crate::train::optimiser::Optimiser;
use crate::train::state::{Part, State};
use crate::train::{Run, TrainError, adversarial, require};

/// A defence in three phases.
#[derive(Clone)]
pub(crate) struct Phases {
    pub kind: &'static Kind,
    pub options: AdversarialOptions,
    /// The term that the private part minimises for one adversary, from its logits and the attribute's one-hot rows.
    pub against: Against,
}

impl Method for Phases {
    fn kind(&self) -> &'static Kind {
        self.kind
    }

    fn copy(&self) -> Box<dyn Method> {
        Box::new(self.clone())
    }

    fn options(&self) -> Option<&dyn Options> {
        Some(&self.options)
    }

    fn check(&self) -> Result<(), TrainError> {
        let chosen = &self.options;
        let good = chosen.weight.is_finite() && chosen.weight >= 0.0;
        require(good, "defence.weight", chosen.weight, "choose a number from 0")?;
        let count = chosen.adversaries.len();
        require((1..=32).contains(&count), "defence.adversaries", count, "give from 1 to 32 adversaries")?;
        let good = chosen.rate.is_finite() && chosen.rate > 0.0;
        require(good, "defence.rate", chosen.rate, "choose a positive number")?;
        require((0.0..1.0).contains(&chosen.momentum), "defence.momentum", chosen.momentum, "choose from 0 to 1")?;
        let (initial, sabotage, recovery) = chosen.epochs;
        let sum = initial + sabotage + recovery;
        require((1..=100_000).contains(&sum), "defence.epochs", sum, "choose from 1 to 100000 in all")
    }

    fn weight(&self) -> f32 {
        self.options.weight
    }

    fn set_weight(&mut self, weight: f32) {
        self.options.weight = weight;
    }

    fn counts_epochs(&self) -> bool {
        true
    }

    fn set_epochs(&mut self, epochs: (usize, usize, usize)) {
        self.options.epochs = epochs;
    }

    fn set_rate(&mut self, rate: f32) {
        self.options.rate = rate;
    }

    fn optimiser(&self, weights: &Parameters) -> Optimiser {
        Optimiser::sgd(weights, self.options.momentum)
    }

    fn adversaries(&self, run: &Run) -> Vec<Part> {
        adversarial::fresh(run, &self.options, 0)
    }

    fn train(&self, run: &Run, state: &mut State, features: Features) -> Result<(), TrainError> {
        adversarial::run(run, state, &features, &self.options, self.against)
    }

    fn fine_tuning(&self) -> Option<f32> {
        None
    }
}
