//! Whether a network has seen the items that it is judged on.

use std::collections::BTreeSet;

use dataset::Dataset;
use model::CompiledNetwork;
use training::History;

use crate::ExperimentError;

/// What a network's record shows about some items.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Marks of items that trained, selected or tuned the network which are found among the items.
    pub found: usize,
    /// Marks that the record keeps.
    pub kept: usize,
    /// Number of items that the network has seen.
    pub items: usize,
    /// Whether the whole data set is the one that it was trained on.
    pub same: bool,
}

impl Seen {
    /// Fraction of the items that trained the network which are found among these, 0 to 1.
    pub fn share(&self) -> f64 {
        if self.same { 1.0 } else { self.found as f64 / self.kept.max(1) as f64 }
    }
}

/// How many of the items trained, selected or tuned a network, according to its own record; `None` if it has no record
/// of its items.
///
/// A record keeps 256 marks. If `n` of these items are among the `N` that the network saw, all escape detection with
/// probability `exp(−256·n/N)`.
///
/// # Errors
/// A record that cannot be read.
pub fn seen(network: &CompiledNetwork, data: &Dataset) -> Result<Option<Seen>, ExperimentError> {
    let Some(History { record, report }) = History::of(network)? else { return Ok(None) };
    let same = [training::data_hash(data), training::data_hash(&training::hold_out(data).0)];
    let same = same.contains(&record.data_hash);
    let sketches = [&record.seen, &report.seen].into_iter().flatten();
    let all = sketches.map(|sketch| (sketch.found_in(data), sketch.hashes.len(), sketch.items));
    let most = all.max_by_key(|&(found, ..)| found);
    let recorded = record.seen.is_some() && report.seen.is_some();
    if !recorded && !same && most.is_none_or(|(found, ..)| found == 0) {
        return Ok(None);
    }
    let (found, kept, items) = most.unwrap_or_default();
    Ok(Some(Seen { found, kept, items, same }))
}

/// Whether the marks may have been found only because a population with few distinct values repeats itself: no more
/// than one eighth of the data finds in the rest, plus three deviations.
pub(crate) fn coincidence(seen: Seen, data: &Dataset) -> bool {
    let part = |first: bool| (0..data.len()).filter(move |item| (item % 8 == 0) == first).map(|item| data.image(item));
    let (some, rest): (BTreeSet<_>, BTreeSet<_>) = (part(true).collect(), part(false).collect());
    let share = some.intersection(&rest).count() as f64 / some.len().max(1) as f64;
    let kept = seen.kept.max(1) as f64;
    let error = (share * (1.0 - share) / kept + share * (1.0 - share) / some.len().max(1) as f64).sqrt();
    !seen.same && seen.share() <= share + 3.0 * error
}
