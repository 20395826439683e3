//! Labels in file names.

use super::error::ImportError;

/// A file name with placeholders.
pub(super) struct Pattern {
    start: String,
    /// The label of each placeholder, empty to ignore it, and the text after it.
    holes: Vec<(String, String)>,
}

impl Pattern {
    pub fn parse(text: &str) -> Result<Self, ImportError> {
        let wrong = |remedy: &str| ImportError::Option {
            field: "pattern",
            value: text.into(),
            remedy: format!("{remedy}, as in {{digit}}_{{speaker}}_{{}}.wav"),
        };
        let mut parts = text.split('{');
        let start = parts.next().unwrap_or_default().to_string();
        let mut holes = Vec::new();
        for part in parts {
            let (name, after) = part.split_once('}').ok_or_else(|| wrong("close every brace"))?;
            holes.push((name.to_string(), after.to_string()));
        }
        if holes.iter().rev().skip(1).any(|(_, after)| after.is_empty()) {
            return Err(wrong("put some text between two placeholders"));
        }
        let mut names: Vec<&String> = holes.iter().map(|(name, _)| name).filter(|name| !name.is_empty()).collect();
        names.sort();
        if names.is_empty() || names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(wrong("name at least one label, and each once"));
        }
        Ok(Self { start, holes })
    }

    pub fn names(&self) -> Vec<String> {
        self.holes.iter().map(|(name, _)| name).filter(|name| !name.is_empty()).cloned().collect()
    }

    /// The labels, if the name matches and none of them is empty.
    pub fn matches(&self, text: &str) -> Option<Vec<String>> {
        let mut rest = text.strip_prefix(self.start.as_str())?;
        let mut labels = Vec::new();
        for (place, (name, after)) in self.holes.iter().enumerate() {
            let last = place + 1 == self.holes.len();
            let end = if last { rest.strip_suffix(after.as_str())?.len() } else { rest.find(after.as_str())? };
            if !name.is_empty() {
                labels.push(rest[..end].to_string());
            }
            rest = &rest[end + after.len()..];
        }
        labels.iter().all(|label| !label.is_empty()).then_some(labels)
    }
}
