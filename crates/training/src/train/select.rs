//! Selects among the late states of a run by the accuracy of an independent attacker on each.
//!
//! It keeps the state that leaks least among those whose main accuracy is within the tolerance of the best so far;
//! after a number of rejected candidates training may end early. The adversary of the training plays no role in it.

use super::state::{Candidate, State};
use super::{Run, TrainError, finish};
use crate::Selection;

/// Whether enough consecutive candidates were rejected to end the run.
pub(super) fn ended(selection: Option<&Selection>, state: &State) -> bool {
    selection.is_some_and(|chosen| chosen.patience > 0 && state.seen.in_vain >= chosen.patience)
}

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
    let seen = &mut state.seen;
    seen.highest = seen.highest.max(accuracy);
    let best = state.best.as_ref().map(|best| (best.accuracy, best.leak));
    if is_better((accuracy, leak), best, seen.highest - selection.tolerance) {
        seen.in_vain = 0;
        state.best = Some(Candidate { step: state.step, accuracy, leak, private, head });
    } else {
        seen.in_vain += 1;
    }
    Ok(())
}

/// Of two accurate states the one that leaks less; an inaccurate one is replaced. Each is its accuracy and its leak.
fn is_better((accuracy, leak): (f64, f64), kept: Option<(f64, f64)>, least: f64) -> bool {
    match kept {
        None => true,
        Some(_) if accuracy < least => false,
        Some((kept_accuracy, kept_leak)) => leak < kept_leak || kept_accuracy < least,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_does_not_drift_away_in_small_steps() {
        // Each leaks less than the one before and lies within 0.2 points of it, but not of the first.
        let (mut kept, mut highest) = (None, f64::MIN);
        let candidates: [(f64, f64); 4] = [(99.0, 60.0), (98.9, 58.0), (98.75, 56.0), (98.6, 54.0)];
        for candidate in candidates {
            highest = candidate.0.max(highest);
            if is_better(candidate, kept, highest - 0.2) {
                kept = Some(candidate);
            }
        }
        assert_eq!(kept, Some((98.9, 58.0)));
        // A much more accurate one puts it out of the tolerance.
        assert!(is_better((99.5, 70.0), kept, 99.3));
    }
}
