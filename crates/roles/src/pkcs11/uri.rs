//! Where a key in a token is: `pkcs11:token=…;object=…?module-path=…&pin-source=…` (RFC 7512).

use std::io::Read;
use std::path::PathBuf;

use age::secrecy::SecretString;
use zeroize::Zeroizing;

use super::error::TokenError;
use crate::closed;

/// The scheme of such addresses.
pub(crate) const SCHEME: &str = "pkcs11:";
/// Environment variable that may hold the PIN.
const VARIABLE: &str = "HALFLIGHT_PIN";
/// Longest PIN.
const MAX_PIN: u64 = 256;

/// The address of a key.
pub(super) struct Uri {
    /// As it was written; it holds no secret.
    pub text: String,
    pub token: String,
    pub serial: Option<String>,
    pub object: Option<String>,
    pub id: Option<Vec<u8>>,
    pub module: PathBuf,
    pin: Option<PathBuf>,
}

impl Uri {
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        Self::read(text.trim()).map_err(TokenError::Uri)
    }

    fn read(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix(SCHEME).ok_or("the address of a key in a token begins with pkcs11:")?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut token, mut serial, mut object, mut id, mut module, mut pin) = (None, None, None, None, None, None);
        let parts = path.split(';').chain(query.split('&')).filter(|part| !part.is_empty());
        for part in parts {
            let (name, value) = part.split_once('=').ok_or(format!("'{part}' is not NAME=VALUE"))?;
            let bytes = decode(value).ok_or(format!("{name} has a '%' without two digits"))?;
            let words = || String::from_utf8(bytes.clone()).map_err(|_| format!("{name} is not valid UTF-8"));
            let twice = match name {
                "token" => token.replace(words()?).is_some(),
                "serial" => serial.replace(words()?).is_some(),
                "object" => object.replace(words()?).is_some(),
                "id" => id.replace(bytes).is_some(),
                "module-path" => module.replace(PathBuf::from(words()?)).is_some(),
                "pin-source" => {
                    let words = words()?;
                    let path = words.strip_prefix("file:").unwrap_or(&words);
                    pin.replace(PathBuf::from(path.strip_prefix("//").unwrap_or(path))).is_some()
                }
                "type" if value == "private" => false,
                "pin-value" => return Err("a PIN must not be in an address".into()),
                _ => return Err(format!("'{name}' is not used here")),
            };
            if twice {
                return Err(format!("{name} is given twice"));
            }
        }
        if object.is_none() && id.is_none() {
            return Err("it names no key; give object or id".into());
        }
        let token = token.ok_or("it names no token")?;
        let module = module.ok_or("it names no module; give module-path")?;
        if !module.is_absolute() {
            return Err("module-path is not absolute".into());
        }
        Ok(Self { text: text.to_owned(), token, serial, object, id, module, pin })
    }

    /// The address for messages.
    pub fn name(&self) -> String {
        let id = || self.id.iter().flatten().map(|byte| format!("{byte:02x}")).collect();
        self.object.clone().unwrap_or_else(id)
    }

    /// The PIN, from its file or from the environment.
    pub fn pin(&self) -> Result<SecretString, TokenError> {
        let fail = |problem: String| TokenError::Pin { token: self.token.clone(), problem };
        let text = match (&self.pin, std::env::var(VARIABLE)) {
            (Some(path), _) => {
                let file = closed::open(path, MAX_PIN).map_err(|error| fail(error.to_string()))?;
                let mut text = Zeroizing::new(String::with_capacity(MAX_PIN as usize));
                let read = file.take(MAX_PIN).read_to_string(&mut text);
                read.map_err(|error| fail(format!("{}: {error}", path.display())))?;
                text
            }
            (None, Ok(value)) => Zeroizing::new(value),
            (None, Err(_)) => return Err(fail("nobody gave it".into())),
        };
        match text.lines().next().unwrap_or_default() {
            "" => Err(fail("it is empty".into())),
            pin => Ok(SecretString::from(pin.to_owned())),
        }
    }
}

/// Decodes percent encoding: `%41` is A.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |place: usize| char::from(*after.get(place)?).to_digit(16);
        out.push(u8::try_from(16 * digit(0)? + digit(1)?).ok()?);
        rest = &after[2..];
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_names_token_key_module_and_pin() {
        let uri = Uri::read(
            "pkcs11:token=The%20Safe;object=authority;id=%01%ff?module-path=/usr/lib/m.so&pin-source=file:///run/pin",
        )
        .unwrap();
        assert_eq!(
            (uri.token.as_str(), uri.object.as_deref(), uri.id.as_deref()),
            ("The Safe", Some("authority"), Some(&[1, 255][..]))
        );
        assert_eq!((uri.module, uri.pin), ("/usr/lib/m.so".into(), Some("/run/pin".into())));
        for (text, word) in [
            ("token=a", "begins with"),
            ("pkcs11:token=a;object=b", "module-path"),
            ("pkcs11:token=a?module-path=/m", "no key"),
            ("pkcs11:object=a?module-path=/m", "no token"),
            ("pkcs11:token=a;object=b?module-path=m.so", "absolute"),
            ("pkcs11:token=a;token=b;object=b?module-path=/m", "twice"),
            ("pkcs11:token=a;object=b?module-path=/m&pin-value=1234", "must not"),
            ("pkcs11:token=a;object=%4?module-path=/m", "two digits"),
            ("pkcs11:token=a;color=b?module-path=/m", "not used"),
        ] {
            let error = Uri::read(text).err().unwrap_or_default();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_address_panics(parts in proptest::collection::vec(0..9usize, 0..30)) {
            let words = ["pkcs11:", "token=", "a", "%", "4", ";", "?", "module-path=/", "é"];
            let text: String = parts.into_iter().map(|part| words[part]).collect();
            let _ = Uri::read(&text);
        }
    }
}
