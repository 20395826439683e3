//! The part of a run that changes: weights, optimisers, the step, and the candidates so far.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::Run;
use super::optimiser::Optimiser;
use super::tilt::Tilt;
use crate::defences::Penalty;
use crate::float::{head, private};
use model::Parameters;

/// Weights that are optimised together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub parameters: Parameters,
    pub optimiser: Optimiser,
}

/// A state of the network that selection may choose.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub step: usize,
    /// Main accuracy on the validation data.
    pub accuracy: f64,
    /// Accuracy of the independent attacker.
    pub leak: f64,
    pub private: Parameters,
    pub head: Parameters,
}

/// What selection remembers about all candidates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Highest main accuracy.
    pub highest: f64,
    /// Candidates since the one that was kept.
    pub in_vain: usize,
}

/// Everything that a checkpoint stores.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    /// Steps taken.
    pub step: usize,
    pub private: Part,
    pub head: Part,
    pub adversaries: Vec<Part>,
    /// The leaks of the main classes, by which the penalty counts them.
    pub tilt: Tilt,
    pub best: Option<Candidate>,
    pub seen: Seen,
}

impl State {
    /// Initial weights from the run's seed.
    pub(crate) fn start(run: &Run) -> Self {
        let options = run.options;
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        let (n, m) = run.encoder.inputs();
        let features = (n - 1, m - 1);
        let fresh = if options.normalise { private::initial } else { private::initial_by_fan_in };
        let private = fresh(options.kind, features, options.units, options.outputs, &mut rng);
        let mut widths = vec![options.outputs];
        widths.extend(&options.head);
        widths.push(run.targets.classes.len());
        let head = head::initial("head", &widths, &mut rng);
        let defence = options.defence.method();
        let part = |parameters: Parameters| Part { optimiser: defence.optimiser(&parameters), parameters };
        let seen = Seen { highest: 0.0, in_vain: 0 };
        let (private, head, adversaries) = (part(private), part(head), defence.adversaries(run));
        let tilt = Tilt::new(defence.penalty().map_or(0.0, Penalty::tilt));
        Self { step: 0, private, head, adversaries, tilt, best: None, seen }
    }
}
