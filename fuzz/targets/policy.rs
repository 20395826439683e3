//! Files written by operators: policies, options of models, lists of tokens. Any text is read or refused.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use halflight_fuzz::Scratch;
use libfuzzer_sys::fuzz_target;
use service::hash::Hash;
use service::policy::Policy;
use service::predictor::ModelOptions;
use service::transport::Tokens;

static TOKENS: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("tokens.toml"));

fuzz_target!(|data: &[u8]| {
    halflight_fuzz::alone();
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(policy) = Policy::parse(text, Path::new("policy.toml")) {
        assert_eq!(policy.hash(), Hash::of_bytes(data));
        assert!(policy.valid_days() != Some(0));
    }
    let _ = toml::from_str::<ModelOptions>(text);
    let _ = Tokens::load(TOKENS.put(data));
});
