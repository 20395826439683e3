//! Addresses with a trailing slash mean the same as without it.

use axum::http::Uri;

/// The address without trailing slashes in its path.
pub(super) fn without_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    if path.len() < 2 || !path.ends_with('/') {
        return None;
    }
    let path = match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    };
    let target = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slashes_at_the_end_go() {
        let without = |text: &str| without_slash(&text.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(without("/v2/models/m/").as_deref(), Some("/v2/models/m"));
        assert_eq!(without("/v2//?a=/").as_deref(), Some("/v2?a=/"));
        assert_eq!(without("http://host:1/v2/").as_deref(), Some("http://host:1/v2"));
        assert_eq!(without("///").as_deref(), Some("/"));
        for text in ["/", "/v2", "/v2?a=/", "*"] {
            assert_eq!(without(text), None);
        }
    }
}
