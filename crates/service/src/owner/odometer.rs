//! The odometer: how many items were sent, and what that many give away.
//!
//! One item leaks little about a collateral attribute; many items of one subject add up (`vote@k` of the audit). The
//! count is by public key, network and subject, and goes up before an item leaves.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::audit::AuditSummary;
use crate::files::{self, FileError};
use crate::hash::Hash;

/// The file of counts.
pub struct Odometer(PathBuf);

/// When to warn and when to stop. None sets no bound.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Warn from this many items on.
    pub warn_items: Option<u64>,
    /// Never send more than this many.
    pub most_items: Option<u64>,
    /// Never send more than vote@k, by the signed audit, makes worth this accuracy, in percent.
    pub most_accuracy: Option<f64>,
}

/// What is counted together.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The public key.
    pub public_key: Hash,
    /// The function.
    pub network: Hash,
    /// Whom the items are about; empty counts all together.
    pub subject: &'a str,
}

/// The count after sending.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// Items sent, these included.
    pub items: u64,
    /// Accuracy that an attacker reaches on one subject from that many items, in percent, by the audit.
    pub accuracy: Option<f64>,
    /// The attribute that the audit is about.
    pub attribute: Option<String>,
    /// Whether it is time to warn.
    pub warn: bool,
}

/// Items that must not be sent, or a file of counts that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OdometerError {
    /// Too many.
    #[error("odometer: {sent} items were sent, {more} more would exceed the limit of {most}; nothing was sent")]
    Items {
        /// Sent so far.
        sent: u64,
        /// Asked for.
        more: u64,
        /// The limit.
        most: u64,
    },
    /// They would give away too much.
    #[error(
        "odometer: {items} items of one subject let an attacker guess '{attribute}' with {accuracy:.1} %, above the \
         limit of {most:.1} %; nothing was sent"
    )]
    Accuracy {
        /// Items with those asked for.
        items: u64,
        /// The attribute.
        attribute: String,
        /// By the audit.
        accuracy: f64,
        /// The limit.
        most: f64,
    },
    /// A limit on accuracy needs an audit with votes.
    #[error(
        "odometer: the limit on accuracy needs a signed audit with vote figures, and there is none; nothing was sent"
    )]
    NoAudit,
    /// The file cannot be read or written.
    #[error("odometer {0}")]
    File(#[from] FileError),
    /// The file holds something else.
    #[error("odometer {path}: {problem}; restore the file: without it nothing is sent")]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
}

#[derive(Default, Serialize, Deserialize)]
struct Counts {
    version: u32,
    items: BTreeMap<String, u64>,
}

impl Odometer {
    /// Counts in a file, which need not exist.
    pub fn open(path: PathBuf) -> Self {
        Self(path)
    }

    /// Counts `more` items, unless a limit forbids them. Processes that share the file take turns.
    ///
    /// # Errors
    /// [`OdometerError`]; nothing is counted then.
    pub fn spend(
        &self,
        about: &About,
        more: u64,
        limits: &Limits,
        audit: Option<&AuditSummary>,
    ) -> Result<Reading, OdometerError> {
        let fail = |source| FileError::System { path: self.0.clone(), action: "written", source };
        let lock = File::create(self.0.with_extension("lock")).map_err(fail)?;
        lock.lock().map_err(fail)?;
        let mut counts = self.read()?;
        let count = counts.items.entry(about.name()).or_default();
        let items = count.saturating_add(more);
        if let Some(most) = limits.most_items.filter(|&most| items > most) {
            return Err(OdometerError::Items { sent: *count, more, most });
        }
        let accuracy = audit.and_then(|audit| audit.vote_at(items));
        if let Some(most) = limits.most_accuracy {
            let accuracy = accuracy.ok_or(OdometerError::NoAudit)?;
            if accuracy > most || accuracy.is_nan() {
                let attribute = audit.map(|audit| audit.attribute.clone()).unwrap_or_default();
                return Err(OdometerError::Accuracy { items, attribute, accuracy, most });
            }
        }
        *count = items;
        counts.version = 1;
        let text = serde_json::to_vec_pretty(&counts).map_err(|error| self.format(&error))?;
        files::write(&self.0, &text)?;
        let warn = limits.warn_items.is_some_and(|warn| items >= warn);
        Ok(Reading { items, accuracy, attribute: audit.map(|audit| audit.attribute.clone()), warn })
    }

    fn read(&self) -> Result<Counts, OdometerError> {
        if !self.0.exists() {
            return Ok(Counts::default());
        }
        let counts: Counts =
            serde_json::from_slice(&files::read(&self.0, 16 << 20)?).map_err(|error| self.format(&error))?;
        Ok(counts)
    }

    fn format(&self, error: &serde_json::Error) -> OdometerError {
        OdometerError::Format { path: self.0.clone(), problem: error.to_string() }
    }
}

impl About<'_> {
    fn name(&self) -> String {
        // Subjects may be names of people: the file holds only a hash of them.
        let subject = match self.subject {
            "" => String::new(),
            subject => Hash::of("halflight odometer subject v1", &[subject.as_bytes()]).to_string(),
        };
        format!("{}/{}/{subject}", self.public_key, self.network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Figure, VoteFigure};

    #[test]
    fn counts_warns_and_stops() {
        let folder = tempfile::tempdir().unwrap();
        let odometer = Odometer::open(folder.path().join("odometer.json"));
        let about = About { public_key: Hash([1; 32]), network: Hash([2; 32]), subject: "anna" };
        let limits = Limits { warn_items: Some(3), most_items: Some(5), most_accuracy: None };
        assert!(!odometer.spend(&about, 2, &limits, None).unwrap().warn);
        assert!(odometer.spend(&about, 2, &limits, None).unwrap().warn);
        assert!(matches!(odometer.spend(&about, 2, &limits, None), Err(OdometerError::Items { sent: 4, .. })));
        assert_eq!(odometer.spend(&about, 1, &limits, None).unwrap().items, 5);
        assert_eq!(odometer.spend(&About { subject: "", ..about }, 1, &limits, None).unwrap().items, 1);
        assert!(!std::fs::read_to_string(folder.path().join("odometer.json")).unwrap().contains("anna"));
    }

    #[test]
    fn the_audit_limits_by_what_many_items_give_away() {
        let folder = tempfile::tempdir().unwrap();
        let odometer = Odometer::open(folder.path().join("odometer.json"));
        let about = About { public_key: Hash([1; 32]), network: Hash([2; 32]), subject: "" };
        let strongest = Figure { family: "forest".into(), accuracy: 54.0, high: 55.0, chance: 50.0 };
        let vote = vec![VoteFigure { k: 1, accuracy: 54.0 }, VoteFigure { k: 21, accuracy: 70.0 }];
        let audit = AuditSummary {
            attribute: "font".into(),
            strongest,
            strongest_pooled: None,
            strongest_class: None,
            highest_pooled: None,
            vote,
        };
        let limits = Limits { most_accuracy: Some(60.0), ..Limits::default() };
        assert!(matches!(odometer.spend(&about, 1, &limits, None), Err(OdometerError::NoAudit)));
        assert_eq!(odometer.spend(&about, 1, &limits, Some(&audit)).unwrap().accuracy, Some(54.0));
        let refused = odometer.spend(&about, 1, &limits, Some(&audit));
        assert!(matches!(refused, Err(OdometerError::Accuracy { items: 2, .. })));
    }

    #[test]
    fn a_damaged_file_stops_everything() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odometer.json");
        std::fs::write(&path, "{").unwrap();
        let about = About { public_key: Hash([1; 32]), network: Hash([2; 32]), subject: "" };
        let spent = Odometer::open(path).spend(&about, 1, &Limits::default(), None);
        assert!(matches!(spent, Err(OdometerError::Format { .. })));
    }
}
