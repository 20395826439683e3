//! What a defence is, and one of them with its options.

use std::fmt;

use model::Parameters;

use super::loss::Noise;
use super::loss::discrepancy::{Discriminant, Layout};
use crate::TrainOptions;
use crate::features::Features;
use crate::train::optimiser::Optimiser;
use crate::train::state::{Part, State};
use crate::train::{Run, TrainError, descent};

/// Reads the options of a defence as files store them.
pub(crate) type Read = fn(&mut dyn erased_serde::Deserializer) -> Result<Defence, erased_serde::Error>;

/// One kind of defence: its description, and how its options are made and read.
pub(crate) struct Kind {
    /// Its name on the command line and in files.
    pub name: &'static str,
    /// Its name in the debug form, which identifies the run of a checkpoint.
    pub title: &'static str,
    /// A short description, for lists.
    pub text: &'static str,
    /// The defence with default options.
    pub standard: fn() -> Defence,
    /// The preset that a training with it starts from.
    pub preset: fn(Defence) -> TrainOptions,
    /// How its options are read; `None` where there are none, and files store only its name.
    pub read: Option<Read>,
}

/// Options of a defence as files and checkpoints see them.
pub(crate) trait Options: fmt::Debug + erased_serde::Serialize {}

impl<T: fmt::Debug + serde::Serialize> Options for T {}

erased_serde::serialize_trait_object!(Options);

/// A defence with its options.
pub(crate) trait Method: Send + Sync {
    /// The kind in the registry.
    fn kind(&self) -> &'static Kind;

    fn copy(&self) -> Box<dyn Method>;

    /// The stored form, which the kind's `read` parses.
    fn options(&self) -> Option<&dyn Options> {
        None
    }

    /// Refuses an option outside its range.
    fn check(&self) -> Result<(), TrainError> {
        Ok(())
    }

    /// Whether it relies on the noise that owners add, so that there must be some.
    fn needs_noise(&self) -> bool {
        false
    }

    /// Whether it needs to know an attribute to defend.
    fn needs_collateral(&self) -> bool {
        true
    }

    /// Weight of its loss, in addition to the main loss.
    fn weight(&self) -> f32 {
        0.0
    }

    fn set_weight(&mut self, _weight: f32) {}

    /// Its changes to the quick preset, which `options` holds.
    fn quick(&self, _options: &mut TrainOptions) {}

    /// Its changes to the thorough preset, which `options` holds.
    fn thorough(&self, _options: &mut TrainOptions) {}

    /// Whether it trains in its own phases, of this many epochs, instead of gradient steps on one loss for all weights.
    fn counts_epochs(&self) -> bool {
        false
    }

    fn set_epochs(&mut self, _epochs: (usize, usize, usize)) {}

    /// Sets the learning rate, if it has its own.
    fn set_rate(&mut self, _rate: f32) {}

    /// The optimiser of private part and head.
    fn optimiser(&self, weights: &Parameters) -> Optimiser {
        Optimiser::adam(weights)
    }

    /// Simulated adversaries at the start of a run.
    fn adversaries(&self, _run: &Run) -> Vec<Part> {
        Vec::new()
    }

    /// The loss on the outputs, in addition to the main loss.
    fn penalty(&self) -> Option<&dyn Penalty> {
        None
    }

    /// Trains from `state` to the end of the run.
    fn train(&self, run: &Run, state: &mut State, features: Features) -> Result<(), TrainError> {
        descent::run(run, state, features)
    }

    /// The factor of its weight while fine-tuning with rounded weights. `None` where fine-tuning would undo it, so that
    /// weights are only rounded.
    fn fine_tuning(&self) -> Option<f32> {
        Some(1.0)
    }
}

/// A loss on the outputs of a batch, in addition to the main loss. Batches are stratified for it, as [`Layout`]
/// describes.
pub(crate) trait Penalty: Sync {
    /// The name of its value during training.
    fn name(&self) -> &'static str;

    /// Whether to use pairs; `None` to follow the data set.
    fn paired(&self) -> Option<bool> {
        None
    }

    /// The fraction of its weight when this fraction of the run is done.
    fn ramp(&self, _done: f64) -> f32 {
        1.0
    }

    /// Whether the discriminant ratio may be added to it.
    fn takes_discriminant(&self) -> bool {
        false
    }

    /// How much more those main classes count that leak more than others; 0 for not at all.
    fn tilt(&self) -> f32 {
        0.0
    }

    /// Its value for every main class on the outputs `q` [rows, outputs] of a batch, and the gradient with respect to `q`
    /// of `weight` times the whole loss, a mean over classes. A class has an effect on the gradient of its own rows only.
    fn descend(
        &self,
        q: &[f32],
        outputs: usize,
        layout: Layout,
        weight: f32,
        noise: Noise,
        discriminant: Option<Discriminant>,
    ) -> (Vec<f64>, Vec<f32>);
}

/// The training's defence of the collateral attribute: one defence with its options.
///
/// Parses from and displays as the name of its kind; files store the options too. Equal options are equal defences.
pub struct Defence(Box<dyn Method>);

impl Defence {
    pub(crate) fn new(method: impl Method + 'static) -> Self {
        Self(Box::new(method))
    }

    pub(crate) fn method(&self) -> &dyn Method {
        &*self.0
    }

    /// Name of its kind, as [`Defence::kinds`] lists it.
    pub fn name(&self) -> &'static str {
        self.0.kind().name
    }

    /// Weight of its loss, in addition to the main loss: λ of matching, α of an adversary; 0 without defence.
    pub fn weight(&self) -> f32 {
        self.0.weight()
    }

    /// Sets the weight, if there is a loss that has one.
    pub fn set_weight(&mut self, weight: f32) {
        self.0.set_weight(weight);
    }

    /// Whether it trains in phases of epochs, against simulated adversaries, instead of gradient steps.
    pub fn counts_epochs(&self) -> bool {
        self.0.counts_epochs()
    }

    /// Sets the epochs of its phases (initial, sabotage, recovery), if it has phases.
    pub fn set_epochs(&mut self, epochs: (usize, usize, usize)) {
        self.0.set_epochs(epochs);
    }

    /// Sets its learning rate, if it has its own.
    pub fn set_rate(&mut self, rate: f32) {
        self.0.set_rate(rate);
    }

    /// Whether it compares items of one drawing, so that it works best with paired data.
    pub fn takes_pairs(&self) -> bool {
        self.0.penalty().is_some()
    }
}

impl Clone for Defence {
    fn clone(&self) -> Self {
        Self(self.0.copy())
    }
}

impl PartialEq for Defence {
    fn eq(&self, other: &Self) -> bool {
        // The debug form holds every option, floats to the last bit.
        format!("{self:?}") == format!("{other:?}")
    }
}

impl fmt::Debug for Defence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = self.0.kind().title;
        match self.0.options() {
            Some(options) => f.debug_tuple(title).field(&options).finish(),
            None => f.write_str(title),
        }
    }
}

impl fmt::Display for Defence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use dataset::handwriting;
    use host::Silent;

    use super::*;
    use crate::{CompileOptions, compile, train};

    static KIND: Kind = Kind {
        name: "sum",
        title: "Sum",
        text: "Outputs of a small sum",
        standard: Defence::none,
        preset: TrainOptions::quick,
        read: None,
    };

    /// Records what it was asked.
    #[derive(Clone)]
    struct Sum {
        weight: f32,
        asked: Arc<Mutex<Vec<f32>>>,
    }

    impl Method for Sum {
        fn kind(&self) -> &'static Kind {
            &KIND
        }

        fn copy(&self) -> Box<dyn Method> {
            Box::new(self.clone())
        }

        fn weight(&self) -> f32 {
            self.weight
        }

        fn set_weight(&mut self, weight: f32) {
            self.weight = weight;
        }

        fn penalty(&self) -> Option<&dyn Penalty> {
            Some(self)
        }

        fn fine_tuning(&self) -> Option<f32> {
            Some(2.0)
        }
    }

    impl Penalty for Sum {
        fn name(&self) -> &'static str {
            "sum"
        }

        fn ramp(&self, done: f64) -> f32 {
            if done < 0.5 { 0.0 } else { 1.0 }
        }

        fn descend(
            &self,
            q: &[f32],
            outputs: usize,
            layout: Layout,
            weight: f32,
            _: Noise,
            _: Option<Discriminant>,
        ) -> (Vec<f64>, Vec<f32>) {
            assert_eq!(q.len(), layout.cells.iter().sum::<usize>() * layout.items * outputs);
            self.asked.lock().unwrap().push(weight);
            (vec![q.iter().map(|&value| f64::from(value)).sum()], vec![weight; q.len()])
        }
    }

    /// Trainer and compiler only ask a defence what its own file defines.
    #[test]
    fn a_defence_that_the_rest_does_not_know_trains_and_fine_tunes() {
        let few: Vec<usize> = (0..400).collect();
        let data = handwriting::digits().subset(&few);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let options = TrainOptions {
            main: "digit".into(),
            collateral: vec!["loop".into()],
            units: 4,
            head: vec![8],
            steps: 4,
            batch: 80,
            defence: Defence::new(Sum { weight: 3.0, asked: asked.clone() }),
            ..TrainOptions::default()
        };
        let network = train(&data, &data, &options, &Silent).unwrap();
        assert_eq!(*asked.lock().unwrap(), [3.0, 3.0]);
        let options = CompileOptions { steps: 2, batch: 80, log_bits: 63, ..CompileOptions::default() };
        compile(&network, &data, &options, &Silent).unwrap();
        assert_eq!(asked.lock().unwrap()[2..], [6.0, 6.0]);
        let options = CompileOptions { discriminant: 1.0, ..options };
        let error = compile(&network, &data, &options, &Silent).unwrap_err().to_string();
        assert!(error.contains("`discriminant` is 1"), "{error}");
    }
}
