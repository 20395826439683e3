//! Signed notes: a text, and lines that sign it, as [c2sp.org/signed-note] writes them.
//!
//! A note is text that ends with a line break, an empty line, and signature lines `— NAME BASE64`, where the base64
//! holds four bytes that name the key and then the signature. Two kinds of signature are known: Ed25519 over the text
//! (kind 1), and the cosignature of a witness (kind 4, [c2sp.org/tlog-cosignature]), which also signs a time.
//!
//! [c2sp.org/signed-note]: https://c2sp.org/signed-note
//! [c2sp.org/tlog-cosignature]: https://c2sp.org/tlog-cosignature

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::signature::{SigningKey, VerifyingKey};

/// Most bytes of a note.
pub const MAX_BYTES: usize = 64 << 10;
/// Most signatures of a note.
const MAX_LINES: usize = 64;

/// A text and who signed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// The text, with the line break at its end.
    pub text: String,
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq)]
struct Line {
    name: String,
    id: [u8; 4],
    signature: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Kind {
    Ed25519 = 1,
    Cosignature = 4,
}

impl Note {
    /// A text that nobody signed yet; it must end with a line break.
    pub fn new(text: String) -> Self {
        Self { text, lines: Vec::new() }
    }

    /// Reads a note. Nothing is checked yet: see [`Note::is_signed`] and [`Note::cosigned_at`].
    ///
    /// # Errors
    /// What is wrong with its layout.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("it has {} bytes, more than {MAX_BYTES}", text.len()));
        }
        let (body, signatures) = text.rsplit_once("\n\n").ok_or("it has no empty line before its signatures")?;
        let mut lines = Vec::new();
        for line in signatures.lines() {
            let (name, encoded) = line
                .strip_prefix("— ")
                .and_then(|line| line.split_once(' '))
                .ok_or("a signature line is not `— NAME BASE64`")?;
            let bytes = STANDARD.decode(encoded).map_err(|error| format!("a signature is not base64: {error}"))?;
            let (id, signature) = bytes.split_first_chunk().ok_or("a signature is too short")?;
            if !is_name(name) || signature.is_empty() || lines.len() == MAX_LINES {
                return Err(format!("a signature line has no name, no signature, or follows {MAX_LINES} others"));
            }
            lines.push(Line { name: name.to_owned(), id: *id, signature: signature.to_vec() });
        }
        Ok(Self { text: format!("{body}\n"), lines })
    }

    /// Reads at most so many notes that follow one another, an empty line between; none of them has an empty line in its
    /// text.
    ///
    /// # Errors
    /// What is wrong with the layout of one of them.
    pub fn parse_all(text: &str, most: usize) -> Result<Vec<Self>, String> {
        let parts: Vec<&str> = text.trim_end().split("\n\n").collect();
        if parts.len() > 2 * most || !parts.len().is_multiple_of(2) {
            return Err(format!("it is not 1 to {most} notes"));
        }
        parts.chunks(2).map(|pair| Self::parse(&pair.join("\n\n"))).collect()
    }

    /// The note as it is written.
    pub fn to_text(&self) -> String {
        let mut out = format!("{}\n", self.text);
        for Line { name, id, signature } in &self.lines {
            let bytes = [&id[..], signature].concat();
            out.push_str(&format!("— {name} {}\n", STANDARD.encode(bytes)));
        }
        out
    }

    /// Adds a signature of the text.
    pub fn sign(&mut self, name: &str, key: &SigningKey) {
        let signature = key.sign_text(self.text.as_bytes()).to_vec();
        let id = key_id(name, Kind::Ed25519, &key.verifying_key());
        self.lines.push(Line { name: name.to_owned(), id, signature });
    }

    /// Adds a witness's cosignature of the text, at a time in seconds since 1970.
    pub fn cosign(&mut self, name: &str, key: &SigningKey, time: u64) {
        let signed = key.sign_text(cosigned(&self.text, time).as_bytes());
        let signature = [&time.to_be_bytes()[..], &signed].concat();
        let id = key_id(name, Kind::Cosignature, &key.verifying_key());
        self.lines.push(Line { name: name.to_owned(), id, signature });
    }

    /// Whether this key signed the text under this name.
    pub fn is_signed(&self, name: &str, key: &VerifyingKey) -> bool {
        self.signed_line(name, key).is_some()
    }

    /// When this key, as a witness of this name, cosigned the text, if it did: seconds since 1970.
    pub fn cosigned_at(&self, name: &str, key: &VerifyingKey) -> Option<u64> {
        self.cosigned_line(name, key).map(|(_, time)| time)
    }

    /// The same text with the signatures alone that these keys made, by name: one of each of `logs`, one cosignature of each
    /// of `witnesses`.
    pub fn only<'l, 'w>(
        &self,
        logs: impl IntoIterator<Item = (&'l str, &'l VerifyingKey)>,
        witnesses: impl IntoIterator<Item = (&'w str, &'w VerifyingKey)>,
    ) -> Self {
        let signed = logs.into_iter().filter_map(|(name, key)| self.signed_line(name, key));
        let cosigned = witnesses.into_iter().filter_map(|(name, key)| Some(self.cosigned_line(name, key)?.0));
        let mut note = Self::new(self.text.clone());
        for line in signed.chain(cosigned) {
            if !note.lines.contains(line) {
                note.lines.push(line.clone());
            }
        }
        note
    }

    /// Takes the signatures of another note of the same text that are not here yet, as far as they fit.
    pub fn merge(&mut self, other: &Self) {
        for line in other.lines.iter().filter(|_| other.text == self.text) {
            if !self.lines.contains(line) && self.lines.len() < MAX_LINES {
                self.lines.push(line.clone());
            }
        }
    }

    fn signed_line(&self, name: &str, key: &VerifyingKey) -> Option<&Line> {
        self.by(name, Kind::Ed25519, key).find(|line| {
            let signature = line.signature.as_slice().try_into();
            signature.is_ok_and(|signature| key.verify_text(self.text.as_bytes(), signature))
        })
    }

    fn cosigned_line(&self, name: &str, key: &VerifyingKey) -> Option<(&Line, u64)> {
        self.by(name, Kind::Cosignature, key).find_map(|line| {
            let (time, signature) = line.signature.split_first_chunk()?;
            let time = u64::from_be_bytes(*time);
            let text = cosigned(&self.text, time);
            key.verify_text(text.as_bytes(), signature.try_into().ok()?).then_some((line, time))
        })
    }

    fn by(&self, name: &str, kind: Kind, key: &VerifyingKey) -> impl Iterator<Item = &Line> {
        let id = key_id(name, kind, key);
        self.lines.iter().filter(move |line| line.name == name && line.id == id)
    }
}

/// Whether a name can stand in a signature line.
pub fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

fn key_id(name: &str, kind: Kind, key: &VerifyingKey) -> [u8; 4] {
    let digest =
        Sha256::new_with_prefix(name).chain_update([b'\n', kind as u8]).chain_update(key.to_bytes()).finalize();
    let mut id = [0; 4];
    id.copy_from_slice(&digest[..4]);
    id
}

fn cosigned(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn signatures_are_for_one_text_name_and_key() {
        let [log, witness] = [(); 2].map(|()| SigningKey::generate().unwrap());
        let mut note = Note::new("origin\n3\nAAAA\n".into());
        note.sign("origin", &log);
        note.cosign("north", &witness, 1_795_355_100);
        let read = Note::parse(&note.to_text()).unwrap();
        assert_eq!(read, note);
        let (log, witness) = (log.verifying_key(), witness.verifying_key());
        assert!(
            read.is_signed("origin", &log) && !read.is_signed("origin", &witness) && !read.is_signed("other", &log)
        );
        assert_eq!(read.cosigned_at("north", &witness), Some(1_795_355_100));
        assert_eq!(read.cosigned_at("north", &log), None);
        assert_eq!(read.cosigned_at("origin", &log), None);
        let changed = Note::parse(&note.to_text().replacen("\n3\n", "\n4\n", 1)).unwrap();
        assert!(!changed.is_signed("origin", &log) && changed.cosigned_at("north", &witness).is_none());
    }

    /// The example of the Go module `golang.org/x/mod/sumdb/note`, whose format this is.
    #[test]
    fn the_published_example_verifies() {
        let text = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n\n\
                    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let note = Note::parse(text).unwrap();
        let key = STANDARD.decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        let key = VerifyingKey::from_bytes(key[1..].try_into().unwrap()).unwrap();
        assert!(note.is_signed("PeterNeumann", &key));
        assert_eq!(note.to_text(), text);
    }

    proptest! {
        #[test]
        fn no_text_panics(parts in proptest::collection::vec(0..9usize, 0..60)) {
            let words = ["\n", "\n\n", "— ", "north ", "AAAAAAAA", "=", "é", " ", "7"];
            let text: String = parts.into_iter().map(|part| words[part]).collect();
            let _ = Note::parse_all(&text, 2);
            if let Ok(note) = Note::parse(&text) {
                prop_assert_eq!(Note::parse(&note.to_text()).unwrap(), note);
            }
        }
    }
}
