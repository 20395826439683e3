//! What callers may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scope {
    /// Ask for predictions.
    Infer,
    /// Load and unload models; create and rotate projects.
    Admin,
    /// Register networks and audits.
    Register,
    /// Ask for functional keys.
    Issue,
    /// Read the ledger.
    Ledger,
    /// Read `/metrics`.
    Metrics,
    /// Read and put messages of a ceremony.
    Ceremony,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Infer => "infer",
            Self::Admin => "admin",
            Self::Register => "register",
            Self::Issue => "issue",
            Self::Ledger => "ledger",
            Self::Metrics => "metrics",
            Self::Ceremony => "ceremony",
        })
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Infer, Self::Admin, Self::Register, Self::Issue, Self::Ledger, Self::Metrics, Self::Ceremony];
        let found = all.into_iter().find(|scope| scope.to_string() == text);
        found.ok_or_else(|| format!("is none of {}", all.map(|scope| scope.to_string()).join(", ")))
    }
}
