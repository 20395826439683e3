//! How much is drawn and trained.

/// How much is drawn and trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Images to train on.
    pub images: usize,
    /// Images that attackers learn from.
    pub attack: usize,
    /// Images that networks are tested and attackers scored on.
    pub test: usize,
    /// Epochs of the paper's phases: initial, sabotage.
    pub epochs: (usize, usize),
    /// Steps of the trainings without phases.
    pub steps: usize,
}

impl Default for Sizes {
    /// Those of the paper.
    fn default() -> Self {
        Self { images: 60_000, attack: 60_000, test: 10_000, epochs: (10, 50), steps: 3000 }
    }
}

impl Sizes {
    /// Few images and steps, to check that everything runs.
    pub fn quick() -> Self {
        Self { images: 400, attack: 600, test: 300, epochs: (1, 1), steps: 20 }
    }

    /// Identifies them in the files of results.
    pub(super) fn name(&self) -> String {
        let Self { images, attack, test, epochs: (initial, sabotage), steps } = self;
        format!("{images}-{attack}-{test}-{steps}-{initial}x{sabotage}")
    }
}
