//! Escaping and numbers.

/// Text made safe for element content and quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // HTML does not allow control characters, however they are escaped.
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// `52.3`: percent with one decimal.
pub(super) fn percent(value: f64) -> String {
    format!("{value:.1}")
}

/// `51.9 to 52.7`.
pub(super) fn range(low: f64, high: f64) -> String {
    format!("{low:.1} to {high:.1}")
}

/// A whole number with thin spaces between groups of three.
pub(super) fn count(value: usize) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_unescaped() {
        assert_eq!(escape("<a b='c'>&\"\u{0}é"), "&lt;a b=&#39;c&#39;&gt;&amp;&quot;\u{fffd}é");
        assert_eq!(count(1234), "1234");
        assert_eq!(count(120_000), "120\u{202f}000");
    }
}
