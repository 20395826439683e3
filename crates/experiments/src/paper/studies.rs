//! The rows of every study: what is trained, how it is attacked, and the paper's figures.

use std::str::FromStr;

use encoder::EncoderOptions;
use leakage::AttackerConfig;
use training::{AdversarialOptions, CompileOptions, Defence, MatchOptions, Precision, TrainOptions};

use super::published;
use super::sizes::Sizes;
use crate::ExperimentError;

/// One figure or table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Study {
    /// Output size without defence.
    Size,
    /// α of the paper's defence.
    Alpha,
    /// Output size with the paper's defence, and with matching.
    Defended,
    /// All attackers.
    Panel,
    /// Precision, accuracy, leak and cost of integers.
    Integers,
}

/// One training and how it is measured.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name within the study.
    pub name: String,
    /// The training, without its seed.
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
    pub const ALL: [Self; 5] = [Self::Size, Self::Alpha, Self::Defended, Self::Panel, Self::Integers];

    /// Its name, in results and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Alpha => "alpha",
            Self::Defended => "defended",
            Self::Panel => "panel",
            Self::Integers => "integers",
        }
    }

    /// What it varies, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Self::Size => "Output size without defence",
            Self::Alpha => "α of the paper's defence",
            Self::Defended => "Output size with the paper's defence, and with matching",
            Self::Panel => "All attackers",
            Self::Integers => "Precision, accuracy, leak and cost of integers",
        }
    }

    /// Its rows, with these epochs and steps, against these attackers.
    pub fn rows(self, sizes: &Sizes, attackers: &[AttackerConfig]) -> Vec<Row> {
        let &Sizes { epochs, steps, .. } = sizes;
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

impl FromStr for Study {
    type Err = ExperimentError;

    fn from_str(name: &str) -> Result<Self, ExperimentError> {
        Self::ALL.into_iter().find(|study| study.name() == name).ok_or_else(|| ExperimentError::UnknownStudy {
            name: name.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// No defence.
pub(super) fn bare(steps: usize) -> TrainOptions {
    TrainOptions { steps, ..TrainOptions::quick(Defence::none()) }
}

/// Matching in paired data.
fn matching(steps: usize) -> TrainOptions {
    TrainOptions { steps, ..TrainOptions::quick(Defence::matching(MatchOptions::default())) }
}

/// The paper's network, phases and adversary.
pub(super) fn paper(alpha: f32, (initial, sabotage): (usize, usize)) -> TrainOptions {
    let adversarial =
        AdversarialOptions { weight: alpha, epochs: (initial, sabotage, 0), ..AdversarialOptions::default() };
    TrainOptions::paper(Defence::paper(adversarial))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn studies_are_found_by_their_names() {
        for study in Study::ALL {
            assert_eq!(study.name().parse::<Study>().unwrap(), study);
        }
        let refused = "beta".parse::<Study>().unwrap_err().to_string();
        assert!(refused.contains("`beta`") && refused.contains("alpha"), "{refused}");
    }

    #[test]
    fn rows_carry_what_the_paper_prints() {
        let rows = Study::Integers.rows(&Sizes::quick(), &AttackerConfig::quick());
        assert_eq!(rows.iter().filter(|row| row.published == Some((published::INTEGER_MAIN, None))).count(), 1);
        assert!(rows.iter().all(|row| row.compile.as_ref().is_some_and(|compile| compile.steps == 20)));
        let rows = Study::Defended.rows(&Sizes::default(), &[]);
        assert_eq!(rows.len(), 2 * published::DEFENDED.len());
    }
}
