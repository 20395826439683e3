//! Servers that run until the process is asked to end, for a command line.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use qfe::LogTable;
use roles::keyfile::Unlock;

use crate::authority::{self, Authority, AuthorityError, AuthorityServer};
use crate::predictor::{self, Predictor, PredictorOptions};
use crate::transport::{AuthError, ServeError, Server, ServerOptions, Tokens, shutdown_signal};

/// Where to listen, and who is let in.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Address, TLS and limits.
    pub server: ServerOptions,
    /// File of tokens; none lets everyone in.
    pub tokens: Option<PathBuf>,
}

/// A server that could not start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The address or its protection.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The tokens.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The system gives no threads.
    #[error("no threads: {0}")]
    Threads(#[from] std::io::Error),
}

/// What a predictor serves.
pub struct PredictorPart {
    /// Where.
    pub listen: Listen,
    /// The folder of models, and limits.
    pub options: PredictorOptions,
    /// Of discrete logarithms, for all models.
    pub table: Arc<LogTable>,
}

/// What an authority serves.
pub struct AuthorityPart {
    /// Where.
    pub listen: Listen,
    /// The authority's folder.
    pub folder: PathBuf,
    /// Where its ledger is; none means SQLite in the folder.
    pub ledger: Option<String>,
    /// What unlocks its master keys.
    pub unlock: Unlock,
}

/// Serves predictions; `ready` hears the address.
///
/// # Errors
/// [`RunError`] when it cannot start.
pub fn predictor(part: PredictorPart, ready: impl FnOnce(SocketAddr)) -> Result<(), RunError> {
    block_on(async {
        let (server, routes) = start_predictor(part).await?;
        ready(server.address());
        run(server, routes).await;
        Ok(())
    })?
}

/// Serves an authority over a folder; `ready` hears the address.
///
/// # Errors
/// [`RunError`] when it cannot start: no policy, a ledger that does not prove itself, keys that do not unlock.
pub fn authority(part: AuthorityPart, ready: impl FnOnce(SocketAddr)) -> Result<(), RunError> {
    block_on(async {
        let (server, routes) = start_authority(part).await?;
        ready(server.address());
        run(server, routes).await;
        Ok(())
    })?
}

/// Serves both in one process, which then holds every secret: for trying out. `ready` hears both addresses.
///
/// # Errors
/// [`RunError`] when either cannot start; then neither does.
pub fn both(
    authority: AuthorityPart,
    predictor: PredictorPart,
    ready: impl FnOnce(SocketAddr, SocketAddr),
) -> Result<(), RunError> {
    block_on(async {
        let (office, decisions) = start_authority(authority).await?;
        let (oracle, predictions) = start_predictor(predictor).await?;
        ready(office.address(), oracle.address());
        tokio::join!(run(office, decisions), run(oracle, predictions));
        Ok(())
    })?
}

async fn start_predictor(part: PredictorPart) -> Result<(Server, Router), RunError> {
    let tokens = tokens(&part.listen)?;
    // The address first: a second server on the same one is told before it loads models.
    let server = bind(&part.listen, &tokens).await?;
    let predictor = Predictor::start(part.options, tokens, part.table)?;
    tokio::spawn(Arc::clone(&predictor).watch());
    Ok((server, predictor::router(predictor)))
}

async fn start_authority(part: AuthorityPart) -> Result<(Server, Router), RunError> {
    let tokens = tokens(&part.listen)?;
    let server = bind(&part.listen, &tokens).await?;
    let authority = Authority::open(&part.folder, part.ledger.as_deref(), part.unlock).await?;
    Ok((server, authority::router(AuthorityServer::new(authority, tokens))))
}

/// Runs a future of this crate to its end, on threads of its own.
///
/// # Errors
/// The system gives no threads.
pub fn block_on<F: Future>(future: F) -> Result<F::Output, std::io::Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(future))
}

fn tokens(listen: &Listen) -> Result<Tokens, AuthError> {
    listen.tokens.as_deref().map_or_else(|| Ok(Tokens::none()), Tokens::load)
}

async fn bind(listen: &Listen, tokens: &Tokens) -> Result<Server, ServeError> {
    Server::bind(ServerOptions { authenticated: tokens.required(), ..listen.server.clone() }).await
}

async fn run(server: Server, router: Router) {
    tracing::info!(address = %server.address(), "listening");
    server.run(router, shutdown_signal()).await;
}
