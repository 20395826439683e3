//! The state of an unfinished run in a file, and resuming from it.

use serde::{Deserialize, Serialize};

use super::optimiser::Optimiser;
use super::state::{Candidate, Part, Seen, State};
use super::{Run, TrainError};
use model::Parameters;
use model::storage::{self, Stored, Tensors, Values};

const FORMAT: &str = "halflight checkpoint 2";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    format: String,
    /// Identifies options and data of the run.
    run: String,
    step: usize,
    /// Steps of Adam of every part, 0 for SGD.
    adam: Vec<u64>,
    /// Step, accuracy and leak of the state kept by selection.
    best: Option<(usize, f64, f64)>,
    seen: Seen,
    /// Running leaks of the main classes, if there is a penalty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    leaks: Vec<f32>,
}

impl Run<'_> {
    /// Resumes from the checkpoint file, if there is one.
    pub(super) fn resume(&self, state: &mut State) -> Result<(), TrainError> {
        let Some(checkpoint) = &self.options.checkpoint else {
            return Ok(());
        };
        if !checkpoint.path.exists() {
            return Ok(());
        }
        let failed = |problem: String| TrainError::Checkpoint { path: checkpoint.path.clone(), problem };
        let stored = Stored::read(&checkpoint.path).map_err(|error| failed(error.to_string()))?;
        let about: About = stored.about().map_err(|error| failed(error.to_string()))?;
        if about.format != FORMAT || about.run != self.fingerprint {
            let problem = "belongs to a run with other options or data: remove it, or name another file";
            return Err(failed(problem.into()));
        }
        read(&stored, &about, state).map_err(|error| failed(error.to_string()))
    }

    /// Writes the state at the configured interval.
    pub(super) fn save_if_due(&self, state: &State) -> Result<(), TrainError> {
        match &self.options.checkpoint {
            Some(checkpoint) if state.step.is_multiple_of(checkpoint.every) => self.save(state),
            _ => Ok(()),
        }
    }

    /// Writes the state.
    pub(super) fn save(&self, state: &State) -> Result<(), TrainError> {
        let Some(checkpoint) = &self.options.checkpoint else {
            return Ok(());
        };
        let mut tensors = Tensors::default();
        for (prefix, part) in parts(state) {
            insert(&mut tensors, &format!("{prefix}/weights"), &part.parameters, None);
            for (slot, values) in slots(&part.optimiser) {
                insert(&mut tensors, &format!("{prefix}/{slot}"), &part.parameters, Some(values));
            }
        }
        if let Some(best) = &state.best {
            insert(&mut tensors, "best/private", &best.private, None);
            insert(&mut tensors, "best/head", &best.head, None);
        }
        let parts = parts(state);
        let adam = parts.iter().map(|(_, part)| match part.optimiser {
            Optimiser::Adam { steps, .. } => steps,
            Optimiser::Sgd { .. } => 0,
        });
        let about = About {
            format: FORMAT.into(),
            run: self.fingerprint.clone(),
            step: state.step,
            adam: adam.collect(),
            best: state.best.as_ref().map(|best| (best.step, best.accuracy, best.leak)),
            seen: state.seen,
            leaks: state.tilt.leaks().to_vec(),
        };
        storage::write(&checkpoint.path, &tensors, &about)
            .map_err(|error| TrainError::Checkpoint { path: checkpoint.path.clone(), problem: error.to_string() })
    }
}

fn parts(state: &State) -> Vec<(String, &Part)> {
    let mut parts = vec![("private".to_string(), &state.private), ("head".to_string(), &state.head)];
    parts.extend(state.adversaries.iter().enumerate().map(|(i, part)| (format!("adversary {i}"), part)));
    parts
}

fn slots(optimiser: &Optimiser) -> Vec<(&'static str, &Vec<Vec<f32>>)> {
    match optimiser {
        Optimiser::Sgd { velocity, .. } => vec![("velocity", velocity)],
        Optimiser::Adam { first, second, .. } => vec![("first moment", first), ("second moment", second)],
    }
}

fn insert(tensors: &mut Tensors, prefix: &str, parameters: &Parameters, values: Option<&Vec<Vec<f32>>>) {
    for (position, parameter) in parameters.0.iter().enumerate() {
        let values = values.map_or(&parameter.values, |values| &values[position]);
        let name = format!("{prefix}/{}", parameter.name);
        tensors.insert(name, &parameter.shape, Values::F32(values.clone()));
    }
}

/// Overwrites an initial state, whose shapes the file must have.
fn read(stored: &Stored, about: &About, state: &mut State) -> Result<(), storage::FileError> {
    let fill = |prefix: String, parameters: &mut Parameters| {
        for parameter in &mut parameters.0 {
            let name = format!("{prefix}/{}", parameter.name);
            parameter.values = stored.floats_shaped(&name, &parameter.shape)?;
        }
        Ok::<_, storage::FileError>(())
    };
    if let Some((step, accuracy, leak)) = about.best {
        let (mut private, mut head) = (state.private.parameters.clone(), state.head.parameters.clone());
        fill("best/private".into(), &mut private)?;
        fill("best/head".into(), &mut head)?;
        state.best = Some(Candidate { step, accuracy, leak, private, head });
    }
    (state.step, state.seen) = (about.step, about.seen);
    state.tilt.resume(about.leaks.clone());
    let mut adam = about.adam.iter();
    let adversaries = state.adversaries.iter_mut().enumerate().map(|(i, part)| (format!("adversary {i}"), part));
    let own = [("private".to_string(), &mut state.private), ("head".to_string(), &mut state.head)];
    for (prefix, part) in own.into_iter().chain(adversaries) {
        fill(format!("{prefix}/weights"), &mut part.parameters)?;
        let read = |slot: &str| {
            let mut values = part.parameters.clone();
            fill(format!("{prefix}/{slot}"), &mut values)?;
            Ok::<_, storage::FileError>(values.0.into_iter().map(|parameter| parameter.values).collect())
        };
        match &mut part.optimiser {
            Optimiser::Sgd { velocity, .. } => *velocity = read("velocity")?,
            Optimiser::Adam { steps, first, second } => {
                *steps = adam.next().copied().unwrap_or(0);
                (*first, *second) = (read("first moment")?, read("second moment")?);
            }
        }
    }
    Ok(())
}
