//! Escaping and numbers.

use crate::report::AuditReport;

/// Text made safe for element content and quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Control characters are not allowed in HTML, whatever the escape.
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// `52.3`: percent with one decimal.
pub(super) fn percent(value: f64) -> String {
    format!("{value:.1}")
}

/// `51.9 to 52.7`.
pub(super) fn range(low: f64, high: f64) -> String {
    format!("{low:.1} to {high:.1}")
}

/// A whole number with thin spaces between groups of three.
pub(super) fn count(value: usize) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

/// Family names as a person would write them; not escaped.
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

/// How far above chance the surest finding about one item lies, and what many items of one subject add, in words that
/// [`super::method`] defines.
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
    fn nothing_escapes_unescaped() {
        assert_eq!(escape("<a b='c'>&\"\u{0}é"), "&lt;a b=&#39;c&#39;&gt;&amp;&quot;\u{fffd}é");
        assert_eq!(count(1234), "1234");
        assert_eq!(count(120_000), "120\u{202f}000");
        assert_eq!(family("knn-15"), "15 nearest neighbours");
    }
}
