//! Addresses of ledgers: which database, and which part of an address may be shown.

use std::path::PathBuf;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Backend {
    Sqlite,
    Postgres,
}

/// The database at an address, and the address as its driver wants it.
pub(super) fn address(url: &str) -> Option<(Backend, String)> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Some((Backend::Postgres, url.to_owned()));
    }
    let path = sqlite_path(url)?;
    let mut encoded = String::new();
    for c in path.to_str()?.chars() {
        match c {
            '%' | '?' | '#' | ' ' => encoded.push_str(&format!("%{:02X}", c as u32)),
            c => encoded.push(c),
        }
    }
    Some((Backend::Sqlite, format!("sqlite://{encoded}")))
}

/// The file of a SQLite database.
pub(super) fn sqlite_path(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:").filter(|path| !path.is_empty())?;
    std::path::absolute(path.strip_prefix("//").unwrap_or(path)).ok()
}

/// Host and database of an address, or the path: passwords stand before the host or in the query.
pub(super) fn without_credentials(url: &str) -> String {
    if url.starts_with("sqlite:") {
        return url.to_owned();
    }
    let (place, query) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    // A '?' may be part of a password that is not encoded.
    let Some((scheme, place)) = place.split_once("://").filter(|_| !query.contains('@')) else {
        return "…".into();
    };
    match place.rsplit_once('@') {
        Some((_, place)) => format!("{scheme}://…@{place}"),
        None => format!("{scheme}://{place}"),
    }
}
