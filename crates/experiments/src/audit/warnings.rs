//! Data that an audit should not use.

use dataset::Dataset;
use model::CompiledNetwork;

use crate::{ExperimentError, Seen, seen};

/// Share of the network's training items that makes a data set doubtful; tables of few values repeat some by chance.
const DOUBTFUL: f64 = 0.3;

/// Warnings about data sets whose items the network has seen, by its own record: first attackers, then test items.
pub(super) fn of(
    network: &CompiledNetwork,
    names: [&str; 2],
    data: [&Dataset; 2],
) -> Result<Vec<String>, ExperimentError> {
    let consequences = [
        "attackers learn from items whose outputs the network fitted, so that they are misled about others; let them \
         learn from items that it never saw",
        "what the network reveals about others is understated; test on items that it never saw",
    ];
    let mut told = Vec::new();
    for ((name, data), consequence) in names.into_iter().zip(data).zip(consequences) {
        if let Some(found) = seen(network, data)?.filter(|found| found.share() >= DOUBTFUL) {
            told.push(format!("{name}: {} {consequence}", share(&found)));
        }
    }
    Ok(told)
}

fn share(found: &Seen) -> String {
    match found.same {
        true => "the network was trained on exactly these items:".to_owned(),
        false => format!("it holds about {:.0} % of what the network was trained on:", 100.0 * found.share()),
    }
}
