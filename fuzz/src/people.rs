//! Tokens of people and the keys of their providers: no token is taken that nobody signed, whatever the keys are.

use std::sync::LazyLock;

use service::transport::Tokens;

use crate::Scratch;

static KEYS: LazyLock<Scratch> = LazyLock::new(|| CALLERS.beside("clinic.jwks"));
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

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    KEYS.put(KNOWN);
    Tokens::load(CALLERS.path()).expect("they are keys")
});

/// Runs one input.
pub fn run(data: &[u8]) {
    // Keys first, or a token for known ones.
    let tokens = &*TOKENS;
    if let Some((b'k', keys)) = data.split_first() {
        KEYS.put(keys);
        if let Ok(tokens) = Tokens::load(CALLERS.path()) {
            assert!(tokens.who("e30.e30.").is_err());
        }
    } else if let Ok(token) = std::str::from_utf8(data) {
        assert!(tokens.who(token).is_err());
    }
}
