//! The names and addresses under which a server is reached.

use std::net::IpAddr;

/// The names that a server answers to.
#[derive(Debug)]
pub(super) struct Names {
    /// Only this machine can reach it.
    loopback: bool,
    /// In lower case; a leading `*.` matches one label.
    names: Vec<String>,
}

impl Names {
    /// `loopback`: addresses of this machine are the only numeric ones; `names` are known besides.
    pub(super) fn new(loopback: bool, names: impl IntoIterator<Item = String>) -> Self {
        let clean = |name: String| name.trim_end_matches('.').to_ascii_lowercase();
        Self { loopback, names: names.into_iter().map(clean).collect() }
    }

    /// A numeric address cannot be rebound: whoever wrote it knew it.
    pub(super) fn knows(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
        if let Ok(address) = bare.parse::<IpAddr>()
            && (!self.loopback || address.to_canonical().is_loopback())
        {
            return true;
        }
        let named = |name: &String| match name.strip_prefix("*.") {
            Some(rest) => host.split_once('.').is_some_and(|(first, own)| !first.is_empty() && own == rest),
            None => *name == host || name.trim_matches(['[', ']']) == bare,
        };
        host == "localhost" || self.names.iter().any(named)
    }
}
