//! Requests that another site's page made a browser send.
//!
//! A browser sends them to any address, including this machine's, and after DNS rebinding reads the answers. The page
//! cannot choose `Host` (the name in the address bar), `Origin`, and, without a preflight request, a content type like
//! JSON.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::grpc::{GRPC, GRPC_PROTO};
use super::names::Names;
use super::{Peer, Problem};

/// Content type of JSON.
pub(crate) const JSON: &str = "application/json";
/// Content type of bytes.
pub(crate) const BYTES: &str = "application/octet-stream";

/// Middleware: refuses foreign names, foreign pages, and bodies of the kinds that any page can send.
pub(super) async fn guard(request: Request, next: Next) -> Result<Response, Problem> {
    let host = host(&request)?;
    let peer = request.extensions().get::<Arc<Peer>>();
    // Without a connection there is nobody but this machine.
    let known = peer.map_or_else(|| Names::new(true, []).knows(host.host()), |peer| peer.ours.knows(host.host()));
    if !known {
        let shown: String = host.host().chars().take(80).collect();
        let detail = format!("this server is not called '{shown}'; start it with --public-name {shown} if it is");
        return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail));
    }
    if let Some(origin) = only(request.headers(), header::ORIGIN)?
        && !same(origin, &host)
    {
        let detail = "a page from another origin may not send requests here; a proxy must pass Host on unchanged";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        content(request.headers(), &[JSON, BYTES, GRPC, GRPC_PROTO], true)?;
    }
    Ok(next.run(request).await)
}

/// Refuses a body of another type than these. `absent`: whether it may have none.
pub(crate) fn content(headers: &HeaderMap, types: &[&str], absent: bool) -> Result<(), Problem> {
    let found = only(headers, header::CONTENT_TYPE)?;
    let found = found.map(|value| value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim());
    match found {
        None if absent => Ok(()),
        Some(found) if types.iter().any(|known| known.eq_ignore_ascii_case(found)) => Ok(()),
        _ => {
            let detail = format!("say which kind of body this is: content-type: {}", types.join(" or "));
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
        }
    }
}

/// Where the request was sent; what stands in its first line counts before the header, and both must agree.
fn host(request: &Request) -> Result<Authority, Problem> {
    let wrong = || Problem::bad_request("send one Host header with the name or address of this server");
    let named = only(request.headers(), header::HOST)?;
    let named = named.map(|value| Authority::try_from(value.as_bytes()).map_err(|_| wrong())).transpose()?;
    let host = match (request.uri().authority(), named) {
        (Some(line), Some(named)) if *line != named => return Err(wrong()),
        (Some(line), _) => line.clone(),
        (None, Some(named)) => named,
        (None, None) => return Err(wrong()),
    };
    if host.as_str().contains('@') { Err(wrong()) } else { Ok(host) }
}

/// A header that is there at most once.
fn only(headers: &HeaderMap, name: HeaderName) -> Result<Option<&HeaderValue>, Problem> {
    let mut found = headers.get_all(&name).iter();
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(Problem::bad_request(format!("{name} is given twice; send it once"))),
        (first, None) => Ok(first),
    }
}

/// Whether a page's origin is this very server. Its scheme may differ: TLS may end at a proxy.
fn same(origin: &HeaderValue, host: &Authority) -> bool {
    let Some((scheme, rest)) = origin.to_str().ok().and_then(|origin| origin.split_once("://")) else { return false };
    let Ok(origin) = rest.parse::<Authority>() else { return false };
    let port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    origin.host().eq_ignore_ascii_case(host.host())
        && origin.port_u16().unwrap_or(port) == host.port_u16().unwrap_or(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_or_not() {
        let own = Names::new(true, ["Halflight.example.".to_owned(), "*.wards.example".to_owned()]);
        for host in
            ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "[::1]", "halflight.EXAMPLE", "a.wards.example"]
        {
            assert!(own.knows(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "192.0.2.1", "[2001:db8::1]", "", "wards.example"] {
            assert!(!own.knows(host), "{host}");
        }
        assert!(!own.knows("a.b.wards.example") && !own.knows(".wards.example"));
        let wide = Names::new(false, []);
        assert!(wide.knows("192.0.2.1") && wide.knows("[2001:db8::1]") && !wide.knows("evil.example"));
    }

    #[test]
    fn only_its_own_pages_are_of_the_same_origin() {
        let same = |origin: &str, host: &str| same(&HeaderValue::from_str(origin).unwrap(), &host.parse().unwrap());
        assert!(same("http://127.0.0.1:8481", "127.0.0.1:8481"));
        assert!(same("https://halflight.example", "halflight.example"));
        assert!(same("https://halflight.example", "halflight.example:443"));
        for (origin, host) in [
            ("null", "127.0.0.1:8481"),
            ("http://127.0.0.1:9999", "127.0.0.1:8481"),
            ("http://evil.example", "127.0.0.1:8481"),
            ("http://127.0.0.1:8481.evil.example", "127.0.0.1:8481"),
            ("file://", "127.0.0.1:8481"),
            ("ftp://127.0.0.1:8481", "127.0.0.1:8481"),
        ] {
            assert!(!same(origin, host), "{origin}");
        }
    }
}
