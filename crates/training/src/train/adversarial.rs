//! The paper's three phases, and defences of the same shape.
//!
//! | phase | per batch |
//! |---|---|
//! | initial | private part and head on `L_main`; then each adversary on its own loss |
//! | sabotage | head on `L_main`; each adversary; then the private part alone on `L_main ∓ α·mean L` |
//! | recovery | head on `L_main`; each adversary |
//!
//! Each loss moves the weights named next to it and no others: frozen parts are constants of the computation, so that
//! neither old gradients nor momentum can move them. No part applies a ReLU to the outputs that it reads.

use burn::tensor::Tensor;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::batches::Batches;
use super::descent::check_finite;
use super::optimiser::Optimiser;
use super::select;
use super::state::{Part, State};
use super::{Run, TrainError};
use crate::defences::{AdversarialOptions, Against};
use crate::features::Features;
use crate::float::adversary::Adversary;
use crate::float::parameters::{Leaves, Trained, matrix, to_host};
use crate::float::{head, private};

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Initial,
    Sabotage,
    Recovery,
}

pub(crate) fn run(
    run: &Run,
    state: &mut State,
    features: &Features,
    chosen: &AdversarialOptions,
    against: Against,
) -> Result<(), TrainError> {
    let options = run.options;
    let count = run.train.len();
    let mut batches = Batches::new(&run.targets, None, options.batch, options.seed)?;
    let round = count.div_ceil(options.batch.min(count));
    let (initial, sabotage, recovery) = chosen.epochs;
    let steps = (initial + sabotage + recovery) * round;
    run.progress.begin(steps as u64);
    run.progress.advance(state.step as u64);
    while state.step < steps && !select::ended(options.selection.as_ref(), state) {
        let (step, epoch) = (state.step, state.step / round);
        let phase = match epoch {
            epoch if epoch < initial => Phase::Initial,
            epoch if epoch < initial + sabotage => Phase::Sabotage,
            _ => Phase::Recovery,
        };
        let restarts = phase == Phase::Sabotage && chosen.restart > 0 && step.is_multiple_of(round);
        if restarts && (epoch - initial) % chosen.restart == 0 && epoch > initial {
            state.adversaries = fresh(run, chosen, epoch as u64);
        }
        let items = batches.items(step);
        let losses = Step { run, features, chosen, against, phase, items: &items }.take(state);
        if let Some((name, _)) = losses.iter().find(|(_, loss)| !loss.is_finite()) {
            return Err(TrainError::NotFinite { tensor: format!("{name} loss"), step });
        }
        let mut parts = vec![&state.private, &state.head];
        parts.extend(&state.adversaries);
        check_finite(&parts, step)?;
        state.step += 1;
        run.progress.advance(1);
        if step.is_multiple_of(20) {
            let text: Vec<String> = losses.iter().map(|(name, loss)| format!("{name} {loss:.3}")).collect();
            run.progress.note(&text.join(", "));
        }
        if let Some(selection) = &options.selection {
            select::consider(run, state, selection, steps)?;
        }
        run.save_if_due(state)?;
    }
    Ok(())
}

/// Initial adversaries; each `generation` starts from other weights.
pub(crate) fn fresh(run: &Run, chosen: &AdversarialOptions, generation: u64) -> Vec<Part> {
    let mut rng = ChaCha8Rng::seed_from_u64(run.options.seed);
    rng.set_stream(1 + generation);
    let fresh = chosen.adversaries.iter().map(|adversary| {
        let parameters = adversary.initial(run.options.outputs, run.targets.values, &mut rng);
        Part { optimiser: Optimiser::sgd(&parameters, chosen.momentum), parameters }
    });
    fresh.collect()
}

/// One batch in one phase.
struct Step<'a> {
    run: &'a Run<'a>,
    features: &'a Features,
    chosen: &'a AdversarialOptions,
    against: Against,
    phase: Phase,
    items: &'a [u32],
}

impl Step<'_> {
    /// Updates the weights; returns the losses of the head and of the first adversary.
    fn take(&self, state: &mut State) -> [(&'static str, f32); 2] {
        let run = self.run;
        let targets = &run.targets;
        let label = |column: &[u32]| self.items.iter().map(|&item| column[item as usize]).collect::<Vec<_>>();
        let main = head::one_hot(&label(&targets.main), targets.classes.len(), None, &run.device);
        let collateral = head::one_hot(&label(&targets.collateral), targets.values, None, &run.device);

        let main_loss = if self.phase == Phase::Initial {
            self.move_both(state, main.clone())
        } else {
            let q = self.outputs(&state.private.parameters.bind(&run.device, false));
            self.move_head(&mut state.head, q, main.clone())
        };
        let q = self.outputs(&state.private.parameters.bind(&run.device, false));
        let mut adversary_loss = 0.0;
        let pairs = self.chosen.adversaries.iter().zip(&mut state.adversaries);
        for (position, (adversary, part)) in pairs.enumerate() {
            let loss = self.move_adversary(adversary, part, q.clone(), collateral.clone());
            if position == 0 {
                adversary_loss = loss;
            }
        }
        if self.phase == Phase::Sabotage {
            self.sabotage(state, main, collateral);
        }
        [("main", main_loss), ("adversary", adversary_loss)]
    }

    fn outputs(&self, private: &Leaves) -> Tensor<2> {
        let x = self.features.batch(self.items);
        let rows = self.items.len();
        let narrow = self.features.narrow(&x).map(|narrow| {
            let columns = narrow.len() / rows;
            matrix(narrow, rows, columns, &self.run.device)
        });
        let columns = x.len() / rows;
        let q = private::forward(private, matrix(x, rows, columns, &self.run.device), narrow);
        if self.run.options.normalise { private::normalise(q) } else { q }
    }

    fn move_both(&self, state: &mut State, main: Tensor<2>) -> f32 {
        let private = state.private.parameters.bind(&self.run.device, true);
        let leaves = state.head.parameters.bind(&self.run.device, true);
        let loss = head::cross_entropy(head::forward(&leaves, self.outputs(&private)), main);
        let value = to_host(loss.clone().detach())[0];
        let mut gradients = loss.backward();
        let (of_private, of_head) = (private.gradients(&mut gradients), leaves.gradients(&mut gradients));
        self.step(&mut state.private, &of_private);
        self.step(&mut state.head, &of_head);
        value
    }

    fn move_head(&self, part: &mut Part, q: Tensor<2>, main: Tensor<2>) -> f32 {
        let leaves = part.parameters.bind(&self.run.device, true);
        let loss = head::cross_entropy(head::forward(&leaves, q), main);
        self.follow(part, &leaves, loss)
    }

    fn move_adversary(&self, adversary: &Adversary, part: &mut Part, q: Tensor<2>, collateral: Tensor<2>) -> f32 {
        let leaves = part.parameters.bind(&self.run.device, true);
        let loss = head::cross_entropy(adversary.forward(&leaves, q), collateral);
        self.follow(part, &leaves, loss)
    }

    fn follow(&self, part: &mut Part, leaves: &Leaves, loss: Tensor<1>) -> f32 {
        let value = to_host(loss.clone().detach())[0];
        let gradients = leaves.gradients(&mut loss.backward());
        self.step(part, &gradients);
        value
    }

    /// The loss of the private part, with head and adversaries as constants.
    fn sabotage(&self, state: &mut State, main: Tensor<2>, collateral: Tensor<2>) {
        let device = &self.run.device;
        let private = state.private.parameters.bind(device, true);
        let q = self.outputs(&private);
        let logits = head::forward(&state.head.parameters.bind(device, false), q.clone());
        let mut loss = head::cross_entropy(logits, main);
        let share = self.chosen.weight / state.adversaries.len() as f32;
        for (adversary, part) in self.chosen.adversaries.iter().zip(&state.adversaries) {
            let logits = adversary.forward(&part.parameters.bind(device, false), q.clone());
            loss = loss + (self.against)(logits, collateral.clone()) * share;
        }
        let gradients = private.gradients(&mut loss.backward());
        self.step(&mut state.private, &gradients);
    }

    fn step(&self, part: &mut Part, gradients: &[Vec<f32>]) {
        part.optimiser.step(&mut part.parameters, gradients, self.chosen.rate);
    }
}
