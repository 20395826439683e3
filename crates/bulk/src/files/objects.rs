//! Objects of a store that speaks S3: listed, read in pieces, written whole.
//!
//! `s3://bucket/folder/name` is an address. The environment variables of other tools give the store and the
//! credentials:
//! `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`. Without keys
//! requests are not signed, as public buckets take them.

use std::env;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use host::files::FileError;
use rusty_s3::actions::{CompleteMultipartUploadResponse, CreateMultipartUpload, ListObjectsV2, S3Action};
use rusty_s3::{Bucket, Credentials, UrlStyle};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};
use url::Url;

use crate::BulkError;

const SCHEME: &str = "s3://";
/// Bytes of one request: held in memory, and sent again if a connection breaks.
const PIECE: u64 = 16 << 20;
/// Maximum number of parts of one upload.
const MOST_PIECES: u64 = 10_000;
/// Maximum size of an answer other than an object, in bytes.
const MOST_TOLD: u64 = 16 << 20;
/// Maximum number of objects in one folder.
const MOST_OBJECTS: usize = 1_000_000;
/// How long a signature is valid.
const SIGNED: Duration = Duration::from_secs(900);
/// Longest time for one request.
const PATIENCE: Duration = Duration::from_secs(180);
/// Attempts at a request, and the pause before the second.
const TRIES: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// A store and one of its buckets.
#[derive(Debug)]
struct Store {
    bucket: Bucket,
    credentials: Option<Credentials>,
    agent: Agent,
}

/// An object, or the prefix of a folder's objects.
#[derive(Clone, Debug)]
pub(super) struct Address {
    store: Arc<Store>,
    key: String,
}

/// An object that existed when its folder was listed.
#[derive(Clone, Debug)]
pub(super) struct Object {
    address: Address,
    size: u64,
    tag: Option<String>,
}

/// A store's answer.
struct Answer {
    status: StatusCode,
    tag: Option<String>,
    length: Option<u64>,
    body: Vec<u8>,
}

type Sent = Result<Response<Body>, ureq::Error>;

impl Address {
    /// The address that a path names; none if it is a path on this machine.
    ///
    /// # Errors
    /// It names no bucket, or the variables name no store.
    pub fn of(path: &Path) -> Result<Option<Self>, BulkError> {
        let Some((bucket, key)) = path.to_str().and_then(|text| text.strip_prefix(SCHEME)).map(split) else {
            return Ok(None);
        };
        let variable = |name| env::var(name).ok().filter(|value| !value.trim().is_empty());
        let endpoint = variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL"));
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        let store = Store::new(bucket, endpoint.as_deref(), region.as_deref().unwrap_or("us-east-1"))
            .map_err(|problem| BulkError::input(path, problem))?;
        Ok(Some(Self { store: Arc::new(store), key: key.to_owned() }))
    }

    /// Its name in messages.
    pub fn shown(&self) -> PathBuf {
        PathBuf::from(format!("{SCHEME}{}/{}", self.store.bucket.name(), self.key))
    }

    /// The object of this name in the folder.
    pub fn join(&self, name: &str) -> Self {
        let folder = self.key.trim_end_matches('/');
        let key = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        Self { store: Arc::clone(&self.store), key }
    }

    /// The object, the objects of the folder, or those whose names fit the pattern, in the order of their names. `wanted`
    /// is asked for a pattern and a name.
    pub fn find(&self, wanted: &dyn Fn(&str, &str) -> bool) -> Result<Vec<Object>, BulkError> {
        let (folder, last) = self.key.rsplit_once('/').unwrap_or(("", &self.key));
        let pattern = if last.contains(['*', '?']) { last } else { "" };
        if pattern.is_empty()
            && !last.is_empty()
            && let Some(object) = self.object()?
        {
            return Ok(vec![object]);
        }
        let folder = if pattern.is_empty() { self.key.trim_end_matches('/') } else { folder };
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut found = self.list(&prefix)?;
        found.retain(|object| wanted(pattern, object.name()));
        found.sort_by(|a, b| a.address.key.cmp(&b.address.key));
        Ok(found)
    }

    /// The object of this name, if it exists.
    pub fn object(&self) -> Result<Option<Object>, BulkError> {
        let Store { bucket, credentials, agent } = &*self.store;
        let answer = self.ask(&|| {
            let url = bucket.head_object(credentials.as_ref(), &self.key).sign(SIGNED);
            agent.head(url.as_str()).call()
        })?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = self.checked(answer)?;
        let size = answer.length.ok_or_else(|| self.problem("the store does not give its length"))?;
        Ok(Some(Object { address: self.clone(), size, tag: answer.tag }))
    }

    /// Writes a whole object or none; an existing one is replaced.
    pub fn upload(&self, path: &Path) -> Result<(), BulkError> {
        let failed = |source| FileError::System { path: path.to_owned(), action: "read", source };
        let mut file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let piece = PIECE.max(size.div_ceil(MOST_PIECES));
        let mut next = || {
            let mut bytes = Vec::new();
            Read::by_ref(&mut file).take(piece).read_to_end(&mut bytes).map_err(failed).map(|_| bytes)
        };
        let Store { bucket, credentials, agent } = &*self.store;
        if size <= piece {
            let bytes = next()?;
            let answer = self.ask(&|| {
                let url = bucket.put_object(credentials.as_ref(), &self.key).sign(SIGNED);
                agent.put(url.as_str()).send(&bytes[..])
            })?;
            return self.checked(answer).map(|_| ());
        }
        let told = self.checked(self.ask(&|| {
            let url = bucket.create_multipart_upload(credentials.as_ref(), &self.key).sign(SIGNED);
            agent.post(url.as_str()).send_empty()
        })?)?;
        let upload = CreateMultipartUpload::parse_response(&self.text(told)?).map_err(|error| self.problem(error))?;
        let upload = upload.upload_id();
        let done = self.pieces(upload, size.div_ceil(piece), &mut next);
        if done.is_err() {
            // Pieces of an upload that nobody ends would stay and cost; the error is what counts.
            let url = bucket.abort_multipart_upload(credentials.as_ref(), &self.key, upload).sign(SIGNED);
            agent.delete(url.as_str()).call().ok();
        }
        done
    }

    fn pieces(
        &self,
        upload: &str,
        count: u64,
        next: &mut dyn FnMut() -> Result<Vec<u8>, FileError>,
    ) -> Result<(), BulkError> {
        let Store { bucket, credentials, agent } = &*self.store;
        let mut tags = Vec::new();
        for number in 1..=count {
            let bytes = next()?;
            let number = u16::try_from(number).map_err(|_| self.problem("too many pieces"))?;
            let answer = self.ask(&|| {
                let url = bucket.upload_part(credentials.as_ref(), &self.key, number, upload).sign(SIGNED);
                agent.put(url.as_str()).send(&bytes[..])
            })?;
            let tag = self.checked(answer)?.tag;
            tags.push(tag.ok_or_else(|| self.problem("the store gives no tag for a part"))?);
        }
        let tags = || tags.iter().map(String::as_str);
        let answer = self.checked(self.ask(&|| {
            let whole = bucket.complete_multipart_upload(credentials.as_ref(), &self.key, upload, tags());
            agent.post(whole.sign(SIGNED).as_str()).send(whole.body())
        })?)?;
        // A store may answer that all is well before it knows, and then tell an error.
        CompleteMultipartUploadResponse::parse(&self.text(answer)?).map_err(|error| self.problem(error))?;
        Ok(())
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, BulkError> {
        let Store { bucket, credentials, agent } = &*self.store;
        let (mut found, mut token) = (Vec::new(), None::<String>);
        loop {
            let answer = self.ask(&|| {
                let mut list = bucket.list_objects_v2(credentials.as_ref());
                list.with_prefix(prefix);
                list.with_delimiter("/");
                token.iter().for_each(|token| list.with_continuation_token(token));
                agent.get(list.sign(SIGNED).as_str()).call()
            })?;
            let told = self.text(self.checked(answer)?)?;
            let listed = ListObjectsV2::parse_response(&told)
                .map_err(|error| self.problem(format!("the store's list cannot be read: {error}")))?;
            found.extend(listed.contents.into_iter().filter(|object| object.key.len() > prefix.len()).map(|object| {
                let address = Self { store: Arc::clone(&self.store), key: object.key };
                Object { address, size: object.size.unwrap_or(0), tag: object.etag }
            }));
            if found.len() > MOST_OBJECTS {
                return Err(self.problem(format!("holds more than {MOST_OBJECTS} objects: divide the job")));
            }
            token = listed.next_continuation_token;
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Sends a request until its answer is final.
    fn ask(&self, request: &dyn Fn() -> Sent) -> Result<Answer, BulkError> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            match request().and_then(received) {
                Ok(answer) if !busy(answer.status) => return Ok(answer),
                _ => thread::sleep(wait),
            }
            wait *= 2;
        }
        let last = request().and_then(received);
        last.map_err(|error| self.problem(format!("no answer from {}: {error}", self.store.host())))
    }

    /// Turns a refusal into an error.
    fn checked(&self, answer: Answer) -> Result<Answer, BulkError> {
        if answer.status.is_success() {
            return Ok(answer);
        }
        let said = String::from_utf8_lossy(&answer.body);
        let between = |tag: &str| {
            let (_, rest) = said.split_once(&format!("<{tag}>"))?;
            Some(rest.split_once("</")?.0.chars().filter(|c| !c.is_control()).take(300).collect::<String>())
        };
        let reason = between("Message").or_else(|| between("Code")).unwrap_or_default();
        let remedy = match answer.status {
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
                ": AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say who asks"
            }
            StatusCode::NOT_FOUND => ": AWS_ENDPOINT_URL and AWS_REGION say which store",
            StatusCode::PRECONDITION_FAILED => ": the object was replaced while it was read",
            _ => "",
        };
        Err(self.problem(format!("{} refused with {} {reason}{remedy}", self.store.host(), answer.status.as_u16())))
    }

    fn text(&self, answer: Answer) -> Result<String, BulkError> {
        String::from_utf8(answer.body).map_err(|_| self.problem("the store's answer is not text"))
    }

    fn problem(&self, problem: impl ToString) -> BulkError {
        BulkError::input(&self.shown(), problem.to_string())
    }
}

impl Object {
    /// Its name in messages.
    pub fn shown(&self) -> PathBuf {
        self.address.shown()
    }

    /// The last part of its name.
    pub fn name(&self) -> &str {
        self.address.key.rsplit('/').next().unwrap_or_default()
    }

    /// Writes the last `count` bytes to their place in a file of the same length; the bytes before stay empty.
    pub fn copy_end(&self, count: u64, file: &mut File) -> Result<(), BulkError> {
        self.copy(self.size.saturating_sub(count), file)
    }

    /// Writes all bytes to a file.
    pub fn copy_all(&self, file: &mut File) -> Result<(), BulkError> {
        self.copy(0, file)
    }

    fn copy(&self, mut at: u64, file: &mut File) -> Result<(), BulkError> {
        let failed = |source| FileError::System { path: self.shown(), action: "copied to this machine", source };
        file.set_len(self.size).and_then(|()| file.seek(SeekFrom::Start(at))).map_err(failed)?;
        while at < self.size {
            let end = self.size.min(at + PIECE);
            file.write_all(&self.piece(at, end)?).map_err(failed)?;
            at = end;
        }
        Ok(())
    }

    /// Some bytes of the listed object; refused if it was replaced since.
    fn piece(&self, start: u64, end: u64) -> Result<Vec<u8>, BulkError> {
        let Address { store, key } = &self.address;
        let Store { bucket, credentials, agent } = &**store;
        let answer = self.address.ask(&|| {
            let url = bucket.get_object(credentials.as_ref(), key).sign(SIGNED);
            let mut request = agent.get(url.as_str()).header("range", format!("bytes={start}-{}", end - 1));
            if let Some(tag) = &self.tag {
                request = request.header("if-match", tag);
            }
            request.call()
        })?;
        let answer = self.address.checked(answer)?;
        if answer.body.len() as u64 != end - start {
            let problem = format!("{} bytes came where {} were asked for", answer.body.len(), end - start);
            return Err(self.address.problem(problem));
        }
        Ok(answer.body)
    }
}

impl Store {
    fn new(bucket: &str, endpoint: Option<&str>, region: &str) -> Result<Self, String> {
        if bucket.is_empty() {
            return Err("names no bucket: write s3://BUCKET/FOLDER".into());
        }
        let (text, style) = match endpoint {
            Some(endpoint) => (endpoint.to_owned(), UrlStyle::Path),
            // A dot would be one too many for the certificate.
            None if bucket.contains('.') => (format!("https://s3.{region}.amazonaws.com"), UrlStyle::Path),
            None => (format!("https://s3.{region}.amazonaws.com"), UrlStyle::VirtualHost),
        };
        let remedy = "AWS_ENDPOINT_URL is https://HOST:PORT or, on this machine alone, http://localhost:PORT";
        let url = Url::parse(&text).map_err(|error| format!("'{text}' is no address, {error}: {remedy}"))?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let local = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        if url.scheme() != "https" && !(url.scheme() == "http" && local) {
            return Err(format!("'{text}' would send everything in the clear: {remedy}"));
        }
        let bucket = Bucket::new(url, style, bucket.to_owned(), region.to_owned())
            .map_err(|_| format!("'{bucket}' cannot be a bucket of {text}"))?;
        let agent = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .new_agent();
        Ok(Self { bucket, credentials: Credentials::from_env(), agent })
    }

    fn host(&self) -> &str {
        self.bucket.base_url().host_str().unwrap_or_default()
    }
}

/// The bucket and the key of an address without its scheme.
fn split(rest: &str) -> (&str, &str) {
    rest.split_once('/').unwrap_or((rest, ""))
}

fn received(mut response: Response<Body>) -> Result<Answer, ureq::Error> {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (tag, length) = (header("etag"), header("content-length").and_then(|length| length.parse().ok()));
    let status = response.status();
    let body = response.body_mut().with_config().limit(MOST_TOLD.max(PIECE) + 1).read_to_vec()?;
    Ok(Answer { status, tag, length, body })
}

/// Whether to try again.
fn busy(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_paths_are_told_apart() {
        assert!(Address::of(Path::new("folder/*.parquet")).unwrap().is_none());
        assert!(Address::of(Path::new("s3:/bucket")).unwrap().is_none());
        assert_eq!(split("bucket/a/b.parquet"), ("bucket", "a/b.parquet"));
        assert_eq!(split("bucket"), ("bucket", ""));
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        for (endpoint, sound) in [
            (None, true),
            (Some("https://store.example:9000"), true),
            (Some("http://127.0.0.1:9000"), true),
            (Some("http://localhost:9000"), true),
            (Some("http://[::1]:9000"), true),
            (Some("http://store.example"), false),
            (Some("ftp://localhost"), false),
            (Some("store"), false),
        ] {
            assert_eq!(Store::new("bucket", endpoint, "eu-central-1").is_ok(), sound, "{endpoint:?}");
        }
        assert!(Store::new("", None, "eu-central-1").is_err());
    }
}
