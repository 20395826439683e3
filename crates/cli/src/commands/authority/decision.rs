//! A policy's decision for people.

use service::clock;
use service::policy::Decision;

/// What a key would add, and the policy's answer.
pub(super) fn text(decision: &Decision) -> String {
    let Decision { refusals, before, after, expires, .. } = decision;
    let added = format!(
        "open under this public key: rank {} before, {} after; {:.1} bits before, {:.1} after, {:.1} of them without noise",
        before.rank, after.rank, before.bits, after.bits, after.unnoised_bits
    );
    if !refusals.is_empty() {
        return format!("{added}\nrefused: {}", refusals.join("\n         "));
    }
    let until = expires.map_or_else(|| "without end".to_owned(), |expires| format!("until {}", clock::utc(expires)));
    format!("{added}\nallowed, {until}")
}
