//! Data that an audit should not rest on.

use std::path::Path;

use anyhow::Result;
use dataset::Dataset;
use experiments::Seen;
use model::CompiledNetwork;

/// Share of the network's training items that makes a data set doubtful; tables of few values repeat some by chance.
const DOUBTFUL: f64 = 0.3;

/// What to say of data sets whose items the network has seen, by its own record: attackers and test items, in this order.
pub fn of(network: &CompiledNetwork, [train, test]: [(&Path, &Dataset); 2]) -> Result<Vec<String>> {
    let consequences = [
        "attackers learn from items whose outputs the network fitted, so that they are misled about others; take items \
         that it never saw for --train",
        "what the network gives away about others is understated; take items that it never saw for --test",
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
