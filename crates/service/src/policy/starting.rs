//! The initial policy of an authority: one network and room for nothing else.

use quadratic::Opened;

use crate::hash::Hash;

/// The text of a policy that allows one network, with comments on everything else that can be demanded.
///
/// `opened`: what a key of the network opens ([`opened`](crate::opened::opened)); the limits are its rank and its bits,
/// rounded up.
pub fn starting_policy(network: Hash, opened: &Opened) -> String {
    let (rank, bits) = (opened.rank.max(1), opened.bits.ceil().max(1.0));
    let unnoised = opened.unnoised_bits.ceil();
    format!(
        r#"# What this authority may issue. The command line reads it at every request, a running server when it starts and
# at POST /v1/policy/reload. Every decision goes to the ledger with the hash of this file, and so does the file itself.
version = 1

[networks]
# Hashes of the compiled networks that may be opened; nothing else ever is.
allow = [
    "{network}",
]

[limits]
# Per public key, over everyone who holds keys: holders can pool them. These leave room for the network above alone.
rank = {rank}        # dimension of the span of all functions opened
bits = {bits:.1}   # log2 of the exact ranges of a basis of that span, over every encoder in use
# unnoised_bits = {unnoised:.1}    # those bits that no noise covers: where a network can hide what it likes
holders = 16   # different people or machines with keys

[keys]
# Predictors refuse a key after so many days; 0 means never. What ends a key for certain is a new public key.
valid_days = 90

# What one caller may register over time, the megabytes of networks and audits together:
#
# [register]
# networks = 1000
# megabytes = 4096

# A signed audit of exactly the network, with the strongest attacker below a threshold (percent):
#
# [audit]
# attributes = ["font"]
# strongest_below = 60.0
# max_age_days = 365                       # from the date that the auditor signed
# min_attackers = 20
# min_items = 1000
# panel = "full"
# auditors = {{ lab = "ed25519:…" }}        # the public key that `halflight keygen --out lab.key` prints

# A certificate in that audit (`halflight audit --certify`), with what no attacker exceeds, percent:
#
# [certificate]
# pooled_below = 55.0
# class_below = 60.0
# votes = {{ 20 = 75.0 }}                    # from so many items of one subject
# confidence = 0.999

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
# max_days = 30                            # longest time that an approval may hold
# new_holders = true                       # a new holder needs it too, where others have the key already
# approvers = {{ anna = "ed25519:…", ben = "ed25519:…" }}

# Witnesses elsewhere who cosign the ledger; keys are handed out once so many saw their issue:
#
# [ledger]
# witnesses = {{ north = "ed25519:…" }}
# quorum = 1
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
        let text = starting_policy(Hash([7; 32]), &Opened { rank: 1, bits: 9.97, noise_free: 1, unnoised_bits: 4.2 });
        let path = Path::new("policy.toml");
        assert_eq!(Policy::parse(&text, path).unwrap().valid_days(), Some(90));
        assert!(
            text.contains("rank = 1 ") && text.contains("bits = 10.0 ") && text.contains("unnoised_bits = 5.0 "),
            "{text}"
        );
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
        assert_eq!(keys, 4);
        assert!(Policy::parse(&full, path).is_ok(), "{full}");
    }
}
