//! Choosing among the late states of a run by what an independent attacker reads from each.
//!
//! Kept is the state that leaks least among those whose main accuracy is within the tolerance of the
//! best seen so far. The adversary of training has no voice in it.

use super::state::{Candidate, State};
use super::{Run, TrainError, finish};
use crate::Selection;

/// Measures the state if one is due, and keeps it if it is better than the one kept.
pub(super) fn consider(run: &Run, state: &mut State, selection: &Selection, steps: usize) -> Result<(), TrainError> {
    let late = state.step as f64 >= selection.from * steps as f64;
    let due = state.step.is_multiple_of(selection.every) || state.step == steps;
    if !late || !due {
        return Ok(());
    }
    let (private, head) = (state.private.parameters.clone(), state.head.parameters.clone());
    let network = finish::fold(run, private.clone(), head.clone(), state.step)?;
    let (Some(leak), accuracy) = (network.record.neighbours, network.record.accuracy) else {
        return Ok(());
    };
    let candidate = Candidate { step: state.step, accuracy, leak, private, head };
    let better = match &state.best {
        None => true,
        // Of two accurate ones the one that leaks less; an inaccurate one gives way.
        Some(best) if accuracy >= best.accuracy - selection.tolerance => {
            leak < best.leak || best.accuracy < accuracy - selection.tolerance
        }
        Some(_) => false,
    };
    if better {
        state.best = Some(candidate);
    }
    Ok(())
}
