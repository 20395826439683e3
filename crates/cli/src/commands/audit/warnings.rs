//! Data that an audit should not use.

use std::path::Path;

use anyhow::Result;
use dataset::Dataset;
use experiments::Seen;
use model::CompiledNetwork;

/// Fraction of the network's training items that makes a data set doubtful; tables with few distinct values repeat some
/// by chance.
const DOUBTFUL: f64 = 0.3;

/// Warnings about data sets whose items the network has seen, by its own record: attackers and test items, in this
/// order.
pub fn of(network: &CompiledNetwork, [train, test]: [(&Path, &Dataset); 2]) -> Result<Vec<String>> {
    let consequences = [
        "attackers learn from items whose outputs the network fitted, so they are misled about others; use items \
         that it never saw for --train",
        "what the network reveals about others is understated; use items that it never saw for --test",
    ];
    let mut told = Vec::new();
    for ((path, data), consequence) in [train, test].into_iter().zip(consequences) {
        if let Some(found) = experiments::seen(network, data)?.filter(|found| found.share() >= DOUBTFUL) {
            told.push(format!("{}: {} {consequence}", path.display(), share(&found)));
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
