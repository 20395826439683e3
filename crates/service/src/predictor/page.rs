//! The page at `/`, which encrypts in the browser: files embedded when this was built, under a policy that lets them
//! load nothing from elsewhere.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::PredictorServer;
use super::version::ready;
use crate::hash::Hash;
use crate::transport::Problem;

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// Nothing but this server: no inline script or style, no frame around it, no form. WebAssembly is compiled.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The text at `/` if the page was not built before the server.
const UNBUILT: &str = include_str!("unbuilt.html");

/// A file of the page.
struct Asset {
    plain: Form,
    /// The same in gzip, for the many who take it: a third of the bytes.
    packed: Option<Form>,
    kind: &'static str,
}

/// Bytes as they are sent.
struct Form {
    content: Bytes,
    tag: HeaderValue,
}

static ASSETS: LazyLock<BTreeMap<&'static str, Asset>> = LazyLock::new(|| {
    let asset = |&(name, content): &(&'static str, &'static [u8])| Some((name, Asset::new(content, kind(name)?)));
    EMBEDDED.iter().filter_map(asset).collect()
});

/// The addresses of the page.
pub fn routes() -> Router<Arc<PredictorServer>> {
    Router::new()
        .route("/", get(index))
        .route("/page/{file}", get(file))
        .route("/v1/models/{model}/page", get(page_file))
}

async fn index(headers: HeaderMap) -> Response {
    static PLAIN: LazyLock<Asset> = LazyLock::new(|| Asset::new(UNBUILT.as_bytes(), "text/html; charset=utf-8"));
    ASSETS.get("index.html").unwrap_or(&PLAIN).answer(&headers)
}

/// Only names that were embedded exist; no path is ever opened.
async fn file(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let asset = ASSETS.get(file.as_str()).ok_or_else(|| Problem::not_found("the page has no such file"))?;
    Ok(asset.answer(&headers))
}

async fn page_file(
    State(predictor): State<Arc<PredictorServer>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let model = ready(&predictor, &name, None)?;
    let page = model.page();
    let (bytes, hash) =
        page.ok_or_else(|| Problem::not_found("no page.json is kept here; make one with `halflight page`"))?;
    let tag = tag(hash);
    Ok(cached(&headers, &tag, "application/json", bytes))
}

impl Asset {
    fn new(content: &'static [u8], kind: &'static str) -> Self {
        let form = |content: Bytes| Form { tag: tag(Hash::of_bytes(&content)), content };
        let packed = pack(content).ok().filter(|packed| packed.len() < content.len());
        Self { plain: form(Bytes::from_static(content)), packed: packed.map(|packed| form(packed.into())), kind }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let packed = self.packed.as_ref().filter(|_| takes_gzip(headers));
        let Form { content, tag } = packed.unwrap_or(&self.plain);
        let mut response = cached(headers, tag, self.kind, content.clone());
        if packed.is_some() {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let fixed = [
            (header::VARY, "accept-encoding"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
            (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(self)"),
        ];
        response.headers_mut().extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
        response
    }
}

fn pack(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(content)?;
    packer.finish()
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let taken = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    taken.flat_map(|list| list.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// The content, or 304 where the caller has it.
fn cached(headers: &HeaderMap, tag: &HeaderValue, kind: &'static str, content: Bytes) -> Response {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let same = known.flat_map(|list| list.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.trim_start_matches("W/").as_bytes() == tag.as_bytes()
    });
    let mut response = if same { StatusCode::NOT_MODIFIED.into_response() } else { content.into_response() };
    let fixed = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::ETAG, tag.clone()),
        // Kept, but asked for again each time: a new server may bring a new page.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, value);
    }
    response
}

fn tag(hash: Hash) -> HeaderValue {
    // Hexadecimal digits in quotes: always a header value.
    HeaderValue::from_str(&format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// The type of a file; others are not part of a page.
fn kind(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        _ => return None,
    })
}
