//! The control attack: what the network reveals about the items that it was trained on, compared with others.

use crate::balance::{Answers, Shares};
use crate::examine::{EveryRun, Found};
use crate::level::LEVEL;
use crate::metrics::Calibration;
use crate::observations::Observations;
use crate::panel;
use crate::report::Members;
use host::Silent;

/// Scores the attacker with the largest balanced accuracy on `members`, as trained for the test items.
///
/// What holds for people in general, a network reveals about everybody; what it reveals about its training items alone,
/// it has memorised (the control attack of Giomi and others, "A unified framework for quantifying privacy risk in
/// synthetic data", 2023). `None` where the attribute does not vary.
pub(crate) fn measure(members: &Observations, found: &Found, of: &EveryRun) -> Option<Members> {
    let family = &found.strongest_balanced.as_ref()?.family;
    let at = of.options.families.iter().position(|other| other.to_string() == *family)?;
    let shares = Shares::of(&of.training.seen);
    let families = std::slice::from_ref(&of.options.families[at]);
    let answered = found.runs.iter().zip(&of.options.seeds).filter_map(|(run, &seed)| {
        let scores = panel::run(families, of.training, members, seed, &Silent).pop()?;
        let calibration = Calibration::fit(&run.held_scores[at], &run.held.collateral);
        Some(Answers::of(&scores, members, &calibration, &shares))
    });
    let answered = Answers::mean(&answered.collect::<Vec<_>>()).balance(None, LEVEL)?;
    let control = found.answers.get(at)?.balance(None, LEVEL)?;
    let difference = answered.accuracy - control.accuracy;
    let reach = |a: f64, b: f64| a.hypot(b);
    let below = reach(answered.accuracy - answered.low, control.high - control.accuracy);
    let above = reach(answered.high - answered.accuracy, control.accuracy - control.low);
    let rest = 1.0 - control.accuracy;
    Some(Members {
        items: members.len(),
        family: family.clone(),
        accuracy: 100.0 * answered.accuracy,
        control: 100.0 * control.accuracy,
        difference: 100.0 * difference,
        low: 100.0 * (difference - below),
        high: 100.0 * (difference + above),
        risk: if rest > 0.0 { (difference / rest).max(0.0) } else { 0.0 },
    })
}
