//! The odometer: how many items were sent, and how much they reveal.
//!
//! One item leaks little about a collateral attribute; many items of one subject add up (`vote@k` of the audit). Items
//! are counted by public key and subject, over all functions, because outputs of several functions add up too. The
//! count is raised before an item is sent. Subjects may be names of people: the file stores their hashes, with its own
//! salt.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use rand::RngExt;
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
    /// They would reveal too much.
    #[error(
        "odometer: from {items} items of one subject an attacker identifies '{attribute}' with {accuracy:.1} %, above \
         the limit of {most:.1} %; nothing was sent"
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
        "odometer: the limit on accuracy needs a signed audit with vote figures, but there is none; nothing was sent"
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

#[derive(Serialize, Deserialize)]
struct Counts {
    version: u32,
    /// Drawn once for the file; none in version 1.
    #[serde(default)]
    salt: Option<Hash>,
    /// By `KEY/SUBJECT`; in version 1 by `KEY/NETWORK/SUBJECT`, without salt.
    items: BTreeMap<String, u64>,
}

impl Odometer {
    /// Counts in a file, which need not exist.
    pub fn open(path: PathBuf) -> Self {
        Self(path)
    }

    /// What the count would be after `more` items, unless a limit forbids them; nothing is counted.
    ///
    /// # Errors
    /// [`OdometerError`].
    pub fn allow(
        &self,
        about: &About,
        more: u64,
        limits: &Limits,
        audit: Option<&AuditSummary>,
    ) -> Result<Reading, OdometerError> {
        let _turn = self.turn()?;
        self.assess(&self.read()?, about, more, limits, audit)
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
        let _turn = self.turn()?;
        let mut counts = self.read()?;
        let reading = self.assess(&counts, about, more, limits, audit)?;
        counts.items.insert(counts.name(about), reading.items);
        let text = serde_json::to_vec_pretty(&counts).map_err(|error| self.format(&error))?;
        files::write(&self.0, &text)?;
        Ok(reading)
    }

    fn turn(&self) -> Result<File, OdometerError> {
        let fail = |source| FileError::System { path: self.0.clone(), action: "written", source };
        let lock = File::create(self.0.with_extension("lock")).map_err(fail)?;
        lock.lock().map_err(fail)?;
        Ok(lock)
    }

    fn assess(
        &self,
        counts: &Counts,
        about: &About,
        more: u64,
        limits: &Limits,
        audit: Option<&AuditSummary>,
    ) -> Result<Reading, OdometerError> {
        let sent = counts.items.get(&counts.name(about)).copied().unwrap_or_default();
        let items = sent.saturating_add(more);
        if let Some(most) = limits.most_items.filter(|&most| items > most) {
            return Err(OdometerError::Items { sent, more, most });
        }
        let accuracy = audit.and_then(|audit| audit.vote_at(items));
        if let Some(most) = limits.most_accuracy {
            let accuracy = accuracy.ok_or(OdometerError::NoAudit)?;
            if accuracy > most || accuracy.is_nan() {
                let attribute = audit.map(|audit| audit.attribute.clone()).unwrap_or_default();
                return Err(OdometerError::Accuracy { items, attribute, accuracy, most });
            }
        }
        let warn = limits.warn_items.is_some_and(|warn| items >= warn);
        Ok(Reading { items, accuracy, attribute: audit.map(|audit| audit.attribute.clone()), warn })
    }

    fn read(&self) -> Result<Counts, OdometerError> {
        let Some(bytes) = files::read_if_there(&self.0, 16 << 20)? else {
            return Ok(Counts { version: 2, salt: Some(draw()), items: BTreeMap::new() });
        };
        let counts: Counts = serde_json::from_slice(&bytes).map_err(|error| self.format(&error))?;
        match (counts.version, counts.salt) {
            (1, None) => Ok(counts.salted()),
            (2, Some(_)) => Ok(counts),
            (version, _) => Err(self.format(&format!("version {version}, or no salt"))),
        }
    }

    fn format(&self, problem: &dyn std::fmt::Display) -> OdometerError {
        OdometerError::Format { path: self.0.clone(), problem: problem.to_string() }
    }
}

impl Counts {
    /// Those of a file of version 1: over all networks of a key, and with a salt.
    fn salted(self) -> Self {
        let mut counts = Self { version: 2, salt: Some(draw()), items: BTreeMap::new() };
        for (name, items) in self.items {
            let mut parts = name.splitn(3, '/');
            let (key, subject) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
            let count: &mut u64 = counts.items.entry(counts.salt_name(key, subject)).or_default();
            *count = count.saturating_add(items);
        }
        counts
    }

    fn name(&self, about: &About) -> String {
        let subject = match about.subject {
            "" => String::new(),
            subject => Hash::of("halflight odometer subject v1", &[subject.as_bytes()]).to_string(),
        };
        self.salt_name(&about.public_key.to_string(), &subject)
    }

    fn salt_name(&self, key: &str, subject: &str) -> String {
        let salt = self.salt.unwrap_or(Hash([0; 32]));
        match subject {
            "" => format!("{key}/"),
            subject => format!("{key}/{}", Hash::of("halflight odometer subject v2", &[&salt.0, subject.as_bytes()])),
        }
    }
}

fn draw() -> Hash {
    Hash(host::fresh_rng().random())
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Figure, VoteFigure};

    #[test]
    fn counts_warns_and_stops() {
        let folder = tempfile::tempdir().unwrap();
        let odometer = Odometer::open(folder.path().join("odometer.json"));
        let about = About { public_key: Hash([1; 32]), subject: "anna" };
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
        let about = About { public_key: Hash([1; 32]), subject: "" };
        let strongest = Figure { family: "forest".into(), accuracy: 54.0, high: 55.0, chance: 50.0 };
        let vote = vec![VoteFigure { k: 1, accuracy: 54.0 }, VoteFigure { k: 21, accuracy: 70.0 }];
        let audit = AuditSummary {
            certificate: None,
            attribute: "font".into(),
            strongest,
            strongest_pooled: None,
            strongest_class: None,
            highest_pooled: None,
            strongest_balanced: None,
            highest_balanced: None,
            vote,
        };
        let limits = Limits { most_accuracy: Some(60.0), ..Limits::default() };
        assert!(matches!(odometer.spend(&about, 1, &limits, None), Err(OdometerError::NoAudit)));
        assert_eq!(odometer.spend(&about, 1, &limits, Some(&audit)).unwrap().accuracy, Some(54.0));
        let refused = odometer.spend(&about, 1, &limits, Some(&audit));
        assert!(matches!(refused, Err(OdometerError::Accuracy { items: 2, .. })));
    }

    /// Counts were kept by network, and the hash of a short name can be found by trying names.
    #[test]
    fn counts_of_before_are_taken_over_networks_and_salted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odometer.json");
        let (key, anna) = (Hash([1; 32]), Hash::of("halflight odometer subject v1", &[b"anna"]));
        let old = serde_json::json!({ "version": 1, "items": {
            format!("{key}/{}/{anna}", Hash([2; 32])): 3, format!("{key}/{}/{anna}", Hash([3; 32])): 4,
            format!("{key}/{}/", Hash([2; 32])): 2,
        }});
        std::fs::write(&path, old.to_string()).unwrap();
        let odometer = Odometer::open(path.clone());
        let spend = |subject| odometer.spend(&About { public_key: key, subject }, 1, &Limits::default(), None).unwrap();
        assert_eq!((spend("anna").items, spend("").items, spend("otto").items, spend("anna").items), (8, 3, 1, 9));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&anna.to_string()) && !text.contains("anna"), "{text}");
        // Another file has another salt.
        let other = Odometer::open(folder.path().join("other.json"));
        other.spend(&About { public_key: key, subject: "anna" }, 1, &Limits::default(), None).unwrap();
        let other = std::fs::read_to_string(folder.path().join("other.json")).unwrap();
        let names = |text: &str| text.lines().filter(|line| line.contains('/')).map(str::to_owned).collect::<Vec<_>>();
        assert!(names(&other).iter().all(|line| !text.contains(line.split('"').nth(1).unwrap())), "{other}");
    }

    #[test]
    fn what_is_only_asked_for_is_not_counted() {
        let folder = tempfile::tempdir().unwrap();
        let odometer = Odometer::open(folder.path().join("odometer.json"));
        let about = About { public_key: Hash([1; 32]), subject: "anna" };
        assert_eq!(odometer.allow(&about, 5, &Limits::default(), None).unwrap().items, 5);
        assert_eq!(odometer.spend(&about, 2, &Limits::default(), None).unwrap().items, 2);
    }

    #[test]
    fn a_damaged_file_stops_everything() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odometer.json");
        std::fs::write(&path, "{").unwrap();
        let about = About { public_key: Hash([1; 32]), subject: "" };
        let spent = Odometer::open(path).spend(&about, 1, &Limits::default(), None);
        assert!(matches!(spent, Err(OdometerError::Format { .. })));
    }
}
