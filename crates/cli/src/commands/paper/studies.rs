//! The rows of every study: what is trained, how it is attacked, and what the paper says of it.

use clap::ValueEnum;
use encoder::EncoderOptions;
use leakage::AttackerConfig;
use training::{AdversarialOptions, CompileOptions, Defence, MatchOptions, Precision, TrainOptions};

use super::published;

/// One figure or table.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Study {
    /// Output size without defence
    Size,
    /// α of the paper's defence
    Alpha,
    /// Output size with the paper's defence, and with matching
    Defended,
    /// All attackers
    Panel,
    /// Precision, accuracy, leak and cost of integers
    Integers,
}

/// One training and what is done with it.
pub struct Row {
    /// Names it within the study.
    pub name: String,
    /// The training, but for its seed.
    pub options: TrainOptions,
    /// Its compilation; `None` to measure the floats, as the paper does.
    pub compile: Option<CompileOptions>,
    /// The attackers.
    pub families: Vec<AttackerConfig>,
    /// Main and collateral accuracy in the paper.
    pub published: Option<(f64, Option<f64>)>,
}

/// α of the paper's final networks.
const ALPHA: f32 = 1.7;

impl Study {
    /// All of them.
    pub fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Alpha => "alpha",
            Self::Defended => "defended",
            Self::Panel => "panel",
            Self::Integers => "integers",
        }
    }

    /// Its rows, with these epochs of the paper's phases, steps of the other trainings, and attackers.
    pub fn rows(self, epochs: (usize, usize), steps: usize, attackers: &[AttackerConfig]) -> Vec<Row> {
        let row = |name: String, options: TrainOptions, published| Row {
            name,
            options,
            compile: None,
            families: attackers.to_vec(),
            published,
        };
        match self {
            Self::Size => {
                let each = published::SIZE.iter().map(|&(outputs, main, collateral)| {
                    let options = TrainOptions { units: 40, ..bare(steps) };
                    let published = Some((main, Some(collateral)));
                    row(format!("S{outputs}"), TrainOptions { outputs, ..options }, published)
                });
                each.collect()
            }
            Self::Alpha => {
                let each = published::ALPHA.iter().map(|&(alpha, main, collateral)| {
                    row(format!("alpha{alpha}"), paper(alpha, epochs), Some((main, Some(collateral))))
                });
                each.collect()
            }
            Self::Defended => {
                let each = published::DEFENDED.iter().flat_map(|&(outputs, main, collateral)| {
                    let theirs = TrainOptions { outputs, ..paper(ALPHA, epochs) };
                    let ours = TrainOptions { outputs, ..matching(steps) };
                    [
                        row(format!("match-S{outputs}"), ours, None),
                        row(format!("paper-S{outputs}"), theirs, Some((main, Some(collateral)))),
                    ]
                });
                each.collect()
            }
            Self::Panel => {
                let (main, collateral) = published::STRONGEST;
                let theirs = row("paper".into(), paper(ALPHA, epochs), Some((main, Some(collateral))));
                vec![row("match".into(), matching(steps), None), theirs]
            }
            Self::Integers => {
                let bits = [(2, 3, 2), (3, 4, 3), (4, 5, 4), (5, 6, 4), (8, 8, 8)];
                let each = bits.iter().map(|&(both, combine, input)| {
                    let precision = Precision { left: both, right: both, combine, input: Some(input) };
                    let compile = CompileOptions { precision, steps, log_bits: 63, ..CompileOptions::default() };
                    let encoder = EncoderOptions { bits: input, ..EncoderOptions::default() };
                    let published = (both == 4).then_some((published::INTEGER_MAIN, None));
                    let name = format!("match-{both}.{combine}.{input}");
                    Row { compile: Some(compile), ..row(name, TrainOptions { encoder, ..matching(steps) }, published) }
                });
                each.collect()
            }
        }
    }
}

/// No defence.
pub fn bare(steps: usize) -> TrainOptions {
    TrainOptions { steps, ..TrainOptions::quick(Defence::none()) }
}

/// Matching in paired data.
pub fn matching(steps: usize) -> TrainOptions {
    TrainOptions { steps, ..TrainOptions::quick(Defence::matching(MatchOptions::default())) }
}

/// The paper's network, phases and adversary.
pub fn paper(alpha: f32, (initial, sabotage): (usize, usize)) -> TrainOptions {
    let adversarial =
        AdversarialOptions { weight: alpha, epochs: (initial, sabotage, 0), ..AdversarialOptions::default() };
    TrainOptions::paper(Defence::paper(adversarial))
}
