//! New bearer tokens.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng;
use zeroize::Zeroizing;

use super::{AuthError, Scope};
use crate::clock;
use crate::files::{self, FileError, is_plain_name};
use crate::hash::Hash;

/// Draws a token of 256 bits, writes it to a new file that only its owner can read, and returns the entry that
/// registers it with a server. The entry is `[[token]]` with `name`, `scopes` and, if it expires, `expires`, in seconds
/// since 1970.
///
/// # Errors
/// An invalid name, or a file that exists already or cannot be written.
pub fn new_token(path: &Path, name: &str, scopes: &[Scope], expires: Option<i64>) -> Result<String, AuthError> {
    if !is_plain_name(name) || name == "anonymous" {
        return Err(AuthError::Name { name: name.chars().take(80).collect() });
    }
    let mut secret = Zeroizing::new([0; 32]);
    let drawn = rand::rngs::SysRng.try_fill_bytes(secret.as_mut_slice()).map_err(std::io::Error::other);
    drawn.map_err(|source| FileError::System { path: path.to_owned(), action: "written", source })?;
    let token = Zeroizing::new(URL_SAFE_NO_PAD.encode(secret.as_slice()));
    let line = Zeroizing::new(format!("{}\n", token.as_str()));
    files::write_new(path, line.as_bytes())?;
    let hash = Hash::of_bytes(token.as_bytes());
    let scopes: Vec<String> = scopes.iter().map(|scope| format!("\"{scope}\"")).collect();
    let entry = format!("[[token]]\nname = \"{name}\"\nsha256 = \"{hash}\"\nscopes = [{}]\n", scopes.join(", "));
    Ok(entry + &expires.map_or_else(String::new, |at| format!("expires = {}\n", clock::utc(at))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Tokens;

    #[test]
    fn a_new_token_is_known_by_its_entry_and_replaces_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ward.token");
        let entry = new_token(&path, "ward", &[Scope::Infer, Scope::Metrics], Some(1_593_475_200)).unwrap();
        assert!(entry.contains("scopes = [\"infer\", \"metrics\"]"), "{entry}");
        std::fs::write(folder.path().join("tokens.toml"), entry).unwrap();
        let tokens = Tokens::load(&folder.path().join("tokens.toml")).unwrap();
        assert!(tokens.required() && tokens.expiries()["ward"] == 1_593_475_200);
        assert!(std::fs::read_to_string(&path).unwrap().trim().len() == 43);
        assert!(new_token(&path, "ward", &[], None).is_err());
        assert!(matches!(new_token(&path, "a\"b", &[], None), Err(AuthError::Name { .. })));
    }
}
