//! The policy that a new authority begins with: one network and room for nothing else.

use crate::accounting::{Opening, Span};
use crate::hash::Hash;

/// The text of a policy that allows one network, with comments on everything else that can be demanded.
///
/// `opening`: the network's function; the limits are its rank and its bits, rounded up.
pub fn starting_policy(network: Hash, opening: &Opening) -> String {
    let (n, m) = (opening.left.len() / opening.units, opening.right.len() / opening.units);
    let mut span = Span::new(n, m, opening.bounds.len() + 8, m..m);
    span.add(opening);
    let opened = span.opened();
    let (rank, bits) = (opened.rank.max(1), opened.bits.ceil().max(1.0));
    format!(
        r#"# What this authority may issue. The command line reads it at every request, a running server when it starts and
# at POST /v1/policy/reload. Every decision goes to the ledger with the hash of this file.
version = 1

[networks]
# Hashes of the compiled networks that may be opened; nothing else ever is.
allow = [
    "{network}",
]

[limits]
# Per public key, over everyone who holds keys: holders can pool them. These leave room for the network above alone.
rank = {rank}        # dimension of the span of all functions opened
bits = {bits:.1}   # log2 of the ranges of a basis of that span

[keys]
# Predictors refuse a key after so many days; 0 means never. What ends a key for certain is a new public key.
valid_days = 90

# A signed audit of exactly the network, with the strongest attacker below a threshold (percent):
#
# [audit]
# attributes = ["font"]
# strongest_below = 60.0
# max_age_days = 365
# auditors = {{ lab = "ed25519:…" }}        # the public key that `halflight keygen --out lab.key` prints

# No combination of opened functions without the noise that owners add:
#
# [noise]
# required = true

# Two people who sign for every key that takes the totals above these:
#
# [approval]
# above_rank = 3
# above_bits = 100.0
# people = 2
# approvers = {{ anna = "ed25519:…", ben = "ed25519:…" }}
"#
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::policy::Policy;

    #[test]
    fn the_text_is_a_policy_with_and_without_its_comments() {
        let opening =
            Opening { left: &[1, 2], right: &[3, 4], combine: &[1, 2], units: 1, bounds: &[(0, 1000), (0, 2000)] };
        let text = starting_policy(Hash([7; 32]), &opening);
        let path = Path::new("policy.toml");
        assert_eq!(Policy::parse(&text, path).unwrap().valid_days(), Some(90));
        // Two multiples of one form: rank 1, and the bits of the first.
        assert!(text.contains("rank = 1 ") && text.contains("bits = 10.0 "), "{text}");
        let key = |byte: u8| {
            let key = ed25519_dalek::SigningKey::from_bytes(&[byte; 32]).verifying_key();
            format!("\"ed25519:{}\"", crate::hash::to_hex(&key.to_bytes()))
        };
        let mut keys = 0;
        let mut full = String::new();
        for line in text.lines() {
            let line =
                line.strip_prefix("# ").filter(|line| line.contains('=') || line.starts_with('[')).unwrap_or(line);
            let parts: Vec<&str> = line.split("\"ed25519:…\"").collect();
            full.push_str(parts[0]);
            for part in &parts[1..] {
                keys += 1;
                full.push_str(&(key(keys) + part));
            }
            full.push('\n');
        }
        assert_eq!(keys, 3);
        assert!(Policy::parse(&full, path).is_ok(), "{full}");
    }
}
