//! Files written by operators: policies, options of models, lists of tokens. Any text is read or refused.

use std::path::Path;
use std::sync::LazyLock;

use service::hash::Hash;
use service::policy::Policy;
use service::predictor::ModelOptions;
use service::transport::Tokens;

use crate::Scratch;

static TOKENS: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("tokens.toml"));

/// Runs one input.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(policy) = Policy::parse(text, Path::new("policy.toml")) {
        assert_eq!(policy.hash(), Hash::of_bytes(data));
        assert!(policy.valid_days() != Some(0));
    }
    let _ = toml::from_str::<ModelOptions>(text);
    let _ = Tokens::load(TOKENS.put(data));
}
