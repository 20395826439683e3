//! Tokens of people and the keys of their providers: no token is taken that nobody signed, whatever the keys are.
#![no_main]

use std::sync::LazyLock;

use halflight_fuzz::Scratch;
use libfuzzer_sys::fuzz_target;
use service::transport::Tokens;

static KEYS: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("clinic.jwks"));
static CALLERS: LazyLock<Scratch> = LazyLock::new(|| {
    let callers = Scratch::new("people.toml");
    callers.put(
        b"[[issuer]]\nname = \"c\"\nissuer = \"i\"\naudience = \"a\"\nkeys = \"clinic.jwks\"\n\
          [[group]]\nname = \"g\"\nissuer = \"c\"\nclaim = \"r\"\nvalue = \"v\"\nscopes = [\"admin\"]\n",
    );
    callers
});
/// A set whose secret nobody has.
const KNOWN: &[u8] = br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

fuzz_target!(|data: &[u8]| {
    halflight_fuzz::alone();
    let (keys, token) = match data.split_first() {
        Some((b'k', keys)) => (keys, &b"e30.e30."[..]),
        _ => (KNOWN, data),
    };
    KEYS.put(keys);
    let Ok(tokens) = Tokens::load(CALLERS.path()) else { return };
    let Ok(token) = std::str::from_utf8(token) else { return };
    assert!(tokens.who(token).is_err());
});
