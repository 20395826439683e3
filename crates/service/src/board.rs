//! The messages of a ceremony over HTTP: a folder that servers read and write remotely. It is trusted only to keep
//! messages; its tokens keep strangers from stopping a ceremony.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use prometheus_client::registry::Registry;
use roles::ceremony::{AttendError, Definition, Mail, MailError, ServerCard};

use crate::files::{self, FileError, is_plain_name};
use crate::owner::{ClientError, Connection};
use crate::transport::{AuthError, BYTES, BodyLimits, Caller, HttpMetrics, Problem, Scope, Tokens, content, frame};

/// Name of the definition in the folder of a ceremony.
pub const DEFINITION: &str = "ceremony.json";
/// Name of the folder of messages in it.
pub const MESSAGES: &str = "messages";
/// Maximum size of a definition, and of a message, in bytes.
const MOST: usize = 512 << 20;

/// A ceremony's folder over HTTP.
pub struct Board {
    folder: PathBuf,
    definition: Definition,
    tokens: Tokens,
    bodies: BodyLimits,
    http: Arc<HttpMetrics>,
}

/// A board that cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The definition.
    #[error(transparent)]
    Definition(#[from] AttendError),
    /// Nobody who may ask.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

impl Board {
    /// Serves the ceremony in a folder. A token's name is the name of a server, which puts its own messages alone.
    ///
    /// # Errors
    /// There is no definition, or everyone would be let in.
    pub fn new(folder: PathBuf, tokens: Tokens) -> Result<Arc<Self>, BoardError> {
        if !tokens.required() {
            return Err(AuthError::Missing.into());
        }
        let definition = Definition::from_bytes(&files::read(&folder.join(DEFINITION), MOST as u64)?)?;
        definition.ceremony()?;
        files::make_folder(&folder.join(MESSAGES))?;
        let longest = usize::try_from(definition.most()).unwrap_or(MOST).min(MOST);
        let bodies = BodyLimits::new(4 * longest, longest, Duration::from_secs(120));
        let http = Arc::new(HttpMetrics::register(&mut Registry::with_prefix("halflight"), "board"));
        Ok(Arc::new(Self { folder, definition, tokens, bodies, http }))
    }

    /// Counts of requests.
    pub fn http_metrics(&self) -> Arc<HttpMetrics> {
        Arc::clone(&self.http)
    }

    fn longest(&self) -> usize {
        usize::try_from(self.definition.most()).unwrap_or(MOST).min(MOST)
    }
}

/// Whether a message of this name is one that the server of this name puts.
fn is_own(definition: &Definition, server: &str, message: &str) -> bool {
    let index =
        |cards: &[ServerCard]| cards.iter().position(|card| card.name == server).map(|place| (place + 1).to_string());
    let (dealer, receiver) = (index(definition.dealers()), index(definition.servers()));
    // Shares for servers that are none would fill the disk.
    let is_server = |number: &str| (1..=definition.servers().len()).any(|index| index.to_string() == number);
    match message.split('-').collect::<Vec<_>>()[..] {
        ["commit" | "deal", own] => dealer.as_deref() == Some(own),
        ["share", own, to] => dealer.as_deref() == Some(own) && is_server(to),
        ["report" | "endorse", own] => receiver.as_deref() == Some(own),
        ["minutes", "1" | "2" | "3"] => definition.clerk().name == server,
        _ => false,
    }
}

type Shared = State<Arc<Board>>;

/// All routes, with identification and logging around them.
pub fn router(board: Arc<Board>) -> Router {
    let (tokens, http) = (board.tokens.clone(), Arc::clone(&board.http));
    let routes = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/v1/definition", get(definition))
        .route("/v1/messages/{name}", get(read).post(put));
    frame(routes, tokens, http).with_state(board)
}

async fn definition(State(board): Shared, Extension(caller): Extension<Caller>) -> Result<Response, Problem> {
    caller.require(Scope::Ceremony)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], board.definition.to_bytes()).into_response())
}

async fn read(
    State(board): Shared,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    caller.require(Scope::Ceremony)?;
    let none = || Problem::not_found("no such message has arrived");
    let path = board.folder.join(MESSAGES).join(&name);
    if !is_plain_name(&name) || !path.exists() {
        return Err(none());
    }
    let longest = board.longest() as u64;
    let bytes = tokio::task::spawn_blocking(move || files::read(&path, longest)).await;
    let bytes = bytes.map_err(|error| Problem::internal(&error))?.map_err(|error| Problem::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

async fn put(
    State(board): Shared,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    caller.require(Scope::Ceremony)?;
    if !is_plain_name(&name) || !is_own(&board.definition, &caller.name, &name) {
        let detail = format!("'{}' may not send this message: a token needs the server's name", caller.name);
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    content(&headers, &[BYTES], false)?;
    let body = board.bodies.read(&caller, &headers, body, board.longest()).await?;
    let path = board.folder.join(MESSAGES).join(&name);
    let written = tokio::task::spawn_blocking(move || files::write(&path, &body.bytes)).await;
    written.map_err(|error| Problem::internal(&error))?.map_err(|error| Problem::internal(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The messages of a ceremony on a board elsewhere.
pub struct RemoteMail(Connection);

impl RemoteMail {
    /// Over a connection to a board.
    pub fn new(connection: Connection) -> Self {
        Self(connection)
    }

    /// The definition that the board has.
    ///
    /// # Errors
    /// It cannot be fetched, or is none.
    pub fn definition(&self) -> Result<Definition, MailError> {
        Ok(Definition::from_bytes(&self.0.get(&["v1", "definition"], MOST)?)?)
    }
}

impl Mail for RemoteMail {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, MailError> {
        let limit = usize::try_from(limit).unwrap_or(MOST).min(MOST);
        match self.0.get(&["v1", "messages", name], limit) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(ClientError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), MailError> {
        Ok(self.0.post_bytes(&["v1", "messages", name], bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use roles::ceremony::Terms;
    use roles::keyfile::Unlock;

    use super::*;
    use crate::signature::SigningKey;

    /// Shares for any number of servers that do not exist were taken, each as long as the longest message.
    #[test]
    fn a_server_puts_its_own_messages_and_none_for_servers_that_are_none() {
        let card = |name: &str| ServerCard {
            name: name.into(),
            key: SigningKey::generate().unwrap().verifying_key(),
            recipient: Unlock::generate_identity().0.recipient().unwrap(),
        };
        let servers = ["north", "east", "south", "west"].map(card).to_vec();
        let terms = Terms { name: "wards", servers, threshold: 1, clerk: 2 };
        let definition = Definition::generate(terms, (3, 2)).unwrap();
        for message in ["commit-1", "deal-1", "share-1-1", "share-1-4", "report-1", "endorse-1"] {
            assert!(is_own(&definition, "north", message), "{message}");
            assert!(!is_own(&definition, "east", message) && !is_own(&definition, "nobody", message), "{message}");
        }
        for message in
            ["share-1-0", "share-1-5", "share-1-01", "share-1-x", "share-1-1-1", "commit-01", "minutes-1", ""]
        {
            assert!(!is_own(&definition, "north", message), "{message}");
        }
        assert!(is_own(&definition, "east", "minutes-1") && !is_own(&definition, "east", "minutes-4"));
    }
}
