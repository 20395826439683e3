//! Every kind of attacker, in the order of panels and lists: a new kind needs one file and one line here.

use super::config::{AttackerConfig, Kind};
use crate::error::AuditError;
use std::str::FromStr;

const KINDS: &[&Kind] = &[
    &super::logistic::KIND,
    &super::ridge::KIND,
    &super::qda::KIND,
    &super::naive_bayes::KIND,
    &super::knn::KIND,
    &super::kde::KIND,
    &super::fourier::KIND,
    &super::gp::KIND,
    &super::tree::KIND,
    &super::forest::KIND,
    &super::extra_trees::KIND,
    &super::boosting::KIND,
    &super::mlp::KIND,
    &super::cnn::KIND,
    &super::digits::KIND,
    &super::lattice::KIND,
    &super::period::KIND,
    &super::parity::KIND,
    &super::decensor::KIND,
];

impl AttackerConfig {
    /// The quick panel: every kind that is known to find in seconds what others miss.
    pub fn quick() -> Vec<AttackerConfig> {
        KINDS.iter().flat_map(|kind| (kind.quick)()).collect()
    }

    /// Every kind that needs only outputs (those that read integers are left out where outputs are floats), with the
    /// settings that have made a difference; takes minutes, not seconds.
    pub fn full() -> Vec<AttackerConfig> {
        KINDS.iter().flat_map(|kind| (kind.full)()).collect()
    }

    /// Name form, title and description of every kind in the registry, for lists.
    pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        KINDS.iter().map(|kind| (kind.form, kind.title, kind.text))
    }

    /// How many attackers of how many kinds `panel` holds, in words: `31 attackers of 18 kinds`.
    pub fn count(panel: &[AttackerConfig]) -> String {
        let mut kinds: Vec<&str> = panel.iter().map(AttackerConfig::kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let (attackers, kinds) = (panel.len(), kinds.len());
        format!("{attackers} attacker{} of {kinds} kind{}", plural(attackers), plural(kinds))
    }
}

impl FromStr for AttackerConfig {
    type Err = AuditError;

    /// Parses the names of configurations.
    ///
    /// # Errors
    /// A name that is not in the registry, or a setting that its kind refuses.
    fn from_str(name: &str) -> Result<AttackerConfig, AuditError> {
        let unknown = || {
            let forms: Vec<&str> = KINDS.iter().map(|kind| kind.form).collect();
            AuditError::UnknownFamily { name: name.to_owned(), known: forms.join(", ") }
        };
        let config = read(name).ok_or_else(unknown)?;
        config.validate()?;
        Ok(config)
    }
}

fn read(name: &str) -> Option<AttackerConfig> {
    // A nested name is shorter than the name around it, so the recursion ends.
    KINDS.iter().find_map(|kind| (kind.parse)(name, &|inner: &str| inner.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_setting_is_sound_and_reads_back_from_its_name() {
        for kind in KINDS {
            for config in (kind.quick)().into_iter().chain((kind.full)()) {
                assert_eq!(config.kind(), kind.form, "{config} is listed under another kind");
                assert_eq!(config.to_string().parse::<AttackerConfig>(), Ok(config));
            }
        }
    }

    #[test]
    fn panels_keep_their_order_since_equal_attackers_are_told_apart_by_it() {
        let names =
            |panel: Vec<AttackerConfig>| panel.iter().map(AttackerConfig::to_string).collect::<Vec<_>>().join(" ");
        let quick = "logistic qda knn-7 knn-15 knn-51 knn-201 forest-5 boosting mlp-64x32 digits lattice \
                     period parity";
        assert_eq!(names(AttackerConfig::quick()), quick);
        let full = "logistic ridge qda naive-bayes knn-7 knn-15 knn-31 knn-51 knn-101 knn-201 kde-0.05 kde-0.1 kde-0.2 \
                    kde-0.4 kde-0.8 fourier-300 gp-500 tree forest-1 forest-10 extra-trees-5 boosting mlp-64 mlp-64x32 \
                    mlp-128x64x32 mlp-256x128 cnn digits lattice period parity";
        assert_eq!(names(AttackerConfig::full()), full);
        assert_eq!(AttackerConfig::count(&AttackerConfig::full()), "31 attackers of 18 kinds");
    }

    #[test]
    fn no_two_kinds_share_a_form_and_each_explains_itself() {
        for (i, (form, title, text)) in AttackerConfig::kinds().enumerate() {
            assert!(AttackerConfig::kinds().take(i).all(|earlier| earlier.0 != form), "{form}");
            assert!(!title.is_empty() && text.ends_with('.'), "{form}");
        }
    }
}
