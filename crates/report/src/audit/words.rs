//! Names and findings in words.

use crate::text::percent;
use leakage::AuditReport;

/// Names of the networks.
pub(super) fn networks<'a>(reports: &'a [&AuditReport]) -> impl Iterator<Item = &'a str> {
    reports.iter().map(|report| report.network.as_str())
}

/// Family names in readable form; not escaped.
pub(super) fn family(name: &str) -> String {
    let (kind, rest) = name.split_once('-').unwrap_or((name, ""));
    match (kind, rest) {
        ("logistic", "") => "logistic regression".to_owned(),
        ("ridge", "") => "ridge regression".to_owned(),
        ("qda", "") => "quadratic discriminant".to_owned(),
        ("naive", "bayes") => "naive Bayes".to_owned(),
        ("knn", k) => format!("{k} nearest neighbours"),
        ("kde", width) => format!("kernel density, width {width}"),
        ("fourier", features) => format!("kernel machine, {features} features"),
        ("tree", "") => "decision tree".to_owned(),
        ("forest", leaf) => format!("random forest, leaf {leaf}"),
        ("extra", leaf) => format!("extra trees, leaf {}", leaf.trim_start_matches("trees-")),
        ("boosting", "") => "gradient boosting".to_owned(),
        ("gp", rows) => format!("Gaussian process, {rows} items"),
        ("mlp", widths) => format!("network {}", widths.replace('x', "–")),
        ("cnn", _) => "convolutional network".to_owned(),
        ("decensor", rest) => format!("de-censoring, {}", family(rest)),
        _ => name.to_owned(),
    }
}

/// How far above chance the most certain finding about one item lies, and how much several items of one subject add, in
/// words that [`super::method`] defines.
pub(super) fn verdict(report: &AuditReport) -> String {
    let classes = report.strongest_class.iter().chain(&report.highest_class);
    let findings = [&report.strongest_pooled, &report.highest_pooled].into_iter().chain(classes);
    let sure = findings.filter(|found| found.low > found.chance).map(|found| found.advantage);
    let word = match sure.fold(None, |most: Option<f64>, next| Some(most.map_or(next, |most| most.max(next)))) {
        None => "nothing measurable",
        Some(advantage) if advantage < 0.05 => "a trace",
        Some(advantage) if advantage < 0.25 => "a clear leak",
        Some(_) => "a strong leak",
    };
    let floor = |k: usize| {
        let votes = report.controls.shuffled.iter().flat_map(|control| &control.vote);
        votes.filter(|vote| vote.k == k).map(|vote| vote.accuracy).fold(0.0, f64::max)
    };
    match report.vote.iter().filter(|vote| vote.k > 1).max_by_key(|vote| vote.k) {
        Some(vote) if vote.low > vote.chance.max(floor(vote.k)) => {
            format!("{word} in one item, {} % by {} of one subject,", percent(vote.accuracy), vote.k)
        }
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_named_as_a_person_would() {
        assert_eq!(family("knn-15"), "15 nearest neighbours");
        assert_eq!(family("decensor-qda"), "de-censoring, quadratic discriminant");
        assert_eq!(family("of-ones-own"), "of-ones-own");
    }
}
