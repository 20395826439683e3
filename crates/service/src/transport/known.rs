//! The file of callers: tokens, certificates and people, with names and scopes.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::jwks::{self, KeySet, KeySetError};
use super::jwt::{self, Claims, Issuer};
use super::stamp::Stamp;
use super::{CertificateNames, Problem, Scope, expiry};
use crate::files::{self, FileError, folder_of, is_plain_name};
use crate::hash::Hash;

/// All known callers.
pub(super) struct Known {
    pub entries: Vec<Entry>,
    issuers: Vec<Issuer>,
}

/// A known caller, or a group of people.
pub(super) struct Entry {
    pub name: String,
    pub proof: Proof,
    pub scopes: BTreeSet<Scope>,
    pub requests_per_minute: Option<u32>,
    /// Seconds since 1970.
    pub expires: Option<i64>,
}

/// The proof of a caller's identity.
#[derive(PartialEq)]
pub(super) enum Proof {
    Token(Hash),
    Subject(String),
    Dns(String),
    Uri(String),
    /// Issuer and subject of a person's token.
    Person(String, String),
    /// Issuer, field, and the value that it has or holds.
    Group(String, String, String),
}

/// The files that were read, with their state when read.
#[derive(Clone)]
pub(super) struct Sources {
    paths: Vec<PathBuf>,
    stamp: Stamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    token: Vec<Row>,
    #[serde(default)]
    certificate: Vec<Row>,
    #[serde(default)]
    issuer: Vec<Provider>,
    #[serde(default)]
    person: Vec<Row>,
    #[serde(default)]
    group: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    sha256: Option<Hash>,
    subject: Option<String>,
    dns: Option<String>,
    uri: Option<String>,
    issuer: Option<String>,
    claim: Option<String>,
    value: Option<String>,
    scopes: BTreeSet<Scope>,
    requests_per_minute: Option<u32>,
    expires: Option<toml::value::Datetime>,
}

/// An identity provider.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    name: String,
    issuer: String,
    audience: String,
    keys: PathBuf,
    algorithms: Option<Vec<String>>,
}

/// A file of callers that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// An authority for everyone.
    #[error(
        "tokens: an authority serves only callers that it knows, on this machine too; name a file with --tokens \
         that holds [[token]] entries (`halflight keygen --token NAME --scopes admin,register,issue,ledger --out FILE` \
         draws a token and prints its entry), or [[certificate]] entries beside --client-authorities"
    )]
    Missing,
    /// An invalid name.
    #[error("token: '{name}' is not a valid name; use 1 to 64 letters, digits, '-', '_' and '.', and not 'anonymous'")]
    Name {
        /// The name.
        name: String,
    },
    /// Certificate entries, but no client certificates are requested.
    #[error(
        "tokens {path}: maps certificates, but clients are not asked for them; name their authorities with \
         --client-authorities, or remove the [[certificate]] entries"
    )]
    Unasked {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("tokens {0}")]
    File(#[from] FileError),
    /// It is not a token file.
    #[error("tokens {path}: {problem}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        problem: String,
    },
    /// Keys of an identity provider cannot be used.
    #[error("keys of issuer '{issuer}': {problem}")]
    Keys {
        /// The provider's name in the file.
        issuer: String,
        /// Why.
        problem: KeySetError,
    },
}

impl Sources {
    /// Whether one of them was written since.
    pub fn changed(&self) -> bool {
        self.stamp != Stamp::of(self.paths.iter().map(PathBuf::as_path))
    }
}

impl Known {
    /// Reads the file and the key sets that it names; returns the stamp of the files read even if they cannot be used.
    pub fn read(path: &Path) -> (Sources, Result<Self, AuthError>) {
        let mut sources = Sources { paths: vec![path.to_owned()], stamp: Stamp::of([path]) };
        let known = Self::parse(path, &mut sources);
        (sources, known)
    }

    fn parse(path: &Path, sources: &mut Sources) -> Result<Self, AuthError> {
        let text = files::read_text(path, 1 << 20)?;
        let syntax = |problem: String| AuthError::Syntax { path: path.to_owned(), problem };
        let File { token, certificate, issuer, person, group } =
            toml::from_str(&text).map_err(|error| syntax(error.to_string()))?;
        let mut names = HashSet::new();
        let mut entries: Vec<Entry> = Vec::new();
        let tables = [("token", token), ("certificate", certificate), ("person", person), ("group", group)];
        for (table, row) in tables.into_iter().flat_map(|(table, rows)| rows.into_iter().map(move |row| (table, row))) {
            let entry = row.entry(table).map_err(syntax)?;
            let name = &entry.name;
            if name.is_empty() || name == "anonymous" || !names.insert(name.clone()) {
                return Err(syntax(format!("the name '{name}' is empty, reserved or used twice")));
            }
            if let Some(other) = entries.iter().find(|other| other.proof == entry.proof) {
                return Err(syntax(format!("'{name}' and '{}' have the same proof of identity", other.name)));
            }
            entries.push(entry);
        }
        if entries.is_empty() {
            return Err(syntax("no token, no certificate and no person; nobody could make a request".into()));
        }
        let issuers = issuer.into_iter().map(|provider| provider.load(path, sources));
        let known = Self { entries, issuers: issuers.collect::<Result<_, _>>()? };
        known.check().map_err(syntax)?;
        Ok(known)
    }

    /// Checks that the issuers of people and groups exist, and that no name looks like that of an issuer's person.
    fn check(&self) -> Result<(), String> {
        let named = |entry: &Entry| match &entry.proof {
            Proof::Person(issuer, _) | Proof::Group(issuer, ..) => Some(issuer.clone()),
            _ => None,
        };
        for entry in &self.entries {
            if let Some(name) = named(entry).filter(|name| !self.issuers.iter().any(|issuer| issuer.name == *name)) {
                return Err(format!("'{}': there is no [[issuer]] called '{name}'", entry.name));
            }
        }
        for (place, Issuer { name, issuer, .. }) in self.issuers.iter().enumerate() {
            if self.issuers[..place].iter().any(|other| other.name == *name || other.issuer == *issuer) {
                return Err(format!("issuer '{name}' is defined twice"));
            }
            if let Some(entry) = self.entries.iter().find(|entry| entry.name.starts_with(&format!("{name}:"))) {
                return Err(format!("'{}' is reserved for people of issuer '{name}'", entry.name));
            }
            if !self.entries.iter().any(|entry| named(entry).as_ref() == Some(name)) {
                return Err(format!("issuer '{name}': no [[person]] and no [[group]] uses it"));
            }
        }
        Ok(())
    }

    pub fn maps_certificates(&self) -> bool {
        let maps = |proof: &Proof| matches!(proof, Proof::Subject(_) | Proof::Dns(_) | Proof::Uri(_));
        self.entries.iter().any(|entry| maps(&entry.proof))
    }

    /// The entry of a bearer token.
    pub fn by_token(&self, given: &[u8]) -> Option<&Entry> {
        let hash = Hash::of_bytes(given);
        // Every token is compared, in constant time, so that time tells nothing about which are near.
        let same = |entry: &&Entry| match &entry.proof {
            Proof::Token(known) => bool::from(known.0.ct_eq(&hash.0)),
            _ => false,
        };
        self.entries.iter().fold(None, |found, entry| if same(&entry) { Some(entry) } else { found })
    }

    /// Whether people may sign in through an issuer.
    pub fn knows_people(&self) -> bool {
        !self.issuers.is_empty()
    }

    /// The name of the holder of a person's token, and the entries that apply: the person's own, or else those of their
    /// groups.
    pub fn by_claims(&self, token: &[u8]) -> Result<(String, Vec<&Entry>), Problem> {
        let refuse = |refusal: jwt::Refusal| {
            let code = refusal.code();
            Problem::new(StatusCode::UNAUTHORIZED, format!("the token: {refusal}")).with("reason", code)
        };
        let (Issuer { name, .. }, claims) = jwt::check(&self.issuers, token).map_err(refuse)?;
        let own =
            |entry: &&Entry| matches!(&entry.proof, Proof::Person(of, who) if of == name && *who == claims.subject);
        if let Some(entry) = self.entries.iter().find(own) {
            return Ok((entry.name.clone(), vec![entry]));
        }
        let groups: Vec<&Entry> = self.entries.iter().filter(|entry| entry.proof.is_group_of(name, &claims)).collect();
        let caller = format!("{name}:{}", claims.subject);
        if groups.is_empty() {
            let detail = format!(
                "'{caller}' is in no group and has no entry here; ask the administrator of the file of callers"
            );
            return Err(Problem::new(StatusCode::FORBIDDEN, detail).with("reason", "unknown"));
        }
        Ok((caller, groups))
    }

    /// The entry of a certificate; a certificate that fits several entries is refused.
    pub fn by_certificate(&self, names: &CertificateNames) -> Result<Option<&Entry>, Problem> {
        let fits = |entry: &&Entry| match &entry.proof {
            Proof::Subject(name) => names.subject.as_ref() == Some(name),
            Proof::Dns(name) => names.dns.contains(name),
            Proof::Uri(name) => names.uri.contains(name),
            _ => false,
        };
        let mut fitting = self.entries.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(one), Some(other)) => {
                let detail = format!("the client certificate is both '{}' and '{}'", one.name, other.name);
                Err(Problem::new(StatusCode::FORBIDDEN, detail))
            }
            (found, _) => Ok(found),
        }
    }
}

impl Proof {
    /// The table of the file that holds such entries.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Subject(_) | Self::Dns(_) | Self::Uri(_) => "certificate",
            Self::Person(..) => "person",
            Self::Group(..) => "group",
        }
    }

    fn is_group_of(&self, issuer: &str, claims: &Claims) -> bool {
        matches!(self, Self::Group(of, claim, value) if of == issuer && claims.holds(claim, value))
    }
}

impl Row {
    /// The entry of a row of this table.
    fn entry(self, table: &'static str) -> Result<Entry, String> {
        let Self { name, sha256, subject, dns, uri, issuer, claim, value, scopes, requests_per_minute, expires } = self;
        let given = [
            ("sha256", sha256.is_some()),
            ("subject", subject.is_some()),
            ("dns", dns.is_some()),
            ("uri", uri.is_some()),
            ("issuer", issuer.is_some()),
            ("claim", claim.is_some()),
            ("value", value.is_some()),
        ];
        let known: &[&str] = match table {
            "token" => &["sha256"],
            "certificate" => &["subject", "dns", "uri"],
            "person" => &["issuer", "subject"],
            _ => &["issuer", "claim", "value"],
        };
        if let Some((field, _)) = given.iter().find(|(field, given)| *given && !known.contains(field)) {
            return Err(format!("{table} '{name}': unknown field '{field}'"));
        }
        let proof = match (table, sha256, subject, dns, uri, issuer, claim, value) {
            ("token", Some(hash), ..) => Proof::Token(hash),
            ("certificate", _, Some(subject), None, None, ..) => Proof::Subject(subject),
            ("certificate", _, None, Some(dns), None, ..) => Proof::Dns(dns.to_ascii_lowercase()),
            ("certificate", _, None, None, Some(uri), ..) => Proof::Uri(uri),
            ("certificate", ..) => return Err(format!("{table} '{name}' needs exactly one of {}", known.join(", "))),
            ("person", _, Some(subject), _, _, Some(issuer), ..) => Proof::Person(issuer, subject),
            ("group", _, _, _, _, Some(issuer), Some(claim), Some(value)) => Proof::Group(issuer, claim, value),
            _ => return Err(format!("{table} '{name}' needs {}", known.join(", "))),
        };
        let expires = expires.map(|date| {
            let wrong = || format!("'{name}': expires is {date}; write a date such as 2027-06-30");
            expiry::of_toml(&date).ok_or_else(wrong)
        });
        Ok(Entry { expires: expires.transpose()?, name, proof, scopes, requests_per_minute })
    }
}

impl Provider {
    /// With its keys; a relative path starts at the folder of the file of callers.
    fn load(self, beside: &Path, sources: &mut Sources) -> Result<Issuer, AuthError> {
        let Self { name, issuer, audience, keys, algorithms } = self;
        let syntax = |problem: String| AuthError::Syntax { path: beside.to_owned(), problem };
        if !is_plain_name(&name) || issuer.is_empty() || audience.is_empty() {
            return Err(syntax(format!("issuer '{name}': its name is invalid, or issuer or audience is empty")));
        }
        let algorithms = match algorithms {
            None => jwt::ALGORITHMS.to_vec(),
            Some(named) => {
                let found = named.iter().map(|name| jwks::algorithm(name).ok_or(name));
                let found: Result<Vec<_>, _> = found.collect();
                found.map_err(|unknown| {
                    let known = "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA";
                    syntax(format!("issuer '{name}': '{unknown}' is not a public-key algorithm; choose from {known}"))
                })?
            }
        };
        if algorithms.is_empty() {
            return Err(syntax(format!("issuer '{name}': algorithms is empty")));
        }
        let path = folder_of(beside).join(keys);
        sources.stamp.add(&path);
        sources.paths.push(path.clone());
        let keys = KeySet::load(&path).map_err(|problem| AuthError::Keys { issuer: name.clone(), problem })?;
        Ok(Issuer { name, issuer, audience, algorithms, keys })
    }
}
