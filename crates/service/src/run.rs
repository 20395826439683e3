//! Servers that run until the process is asked to end, for a command line.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use qfe::LogTable;
use qfe::keyfile::Unlock;

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

/// Serves predictions; `ready` hears the address.
///
/// # Errors
/// [`RunError`] when it cannot start.
pub fn predictor(
    listen: Listen,
    options: PredictorOptions,
    table: Arc<LogTable>,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), RunError> {
    block_on(async {
        let tokens = tokens(&listen)?;
        // The address first: a second server on the same one is told before it loads models.
        let server = bind(&listen, &tokens).await?;
        let predictor = Predictor::start(options, tokens, table)?;
        tokio::spawn(Arc::clone(&predictor).watch());
        run(server, predictor::router(predictor), ready).await;
        Ok(())
    })?
}

/// Serves an authority over a folder; `ready` hears the address.
///
/// # Errors
/// [`RunError`] when it cannot start: no policy, a ledger that does not prove itself, keys that do not unlock.
pub fn authority(
    listen: Listen,
    folder: &Path,
    ledger: Option<&str>,
    unlock: Unlock,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), RunError> {
    block_on(async {
        let tokens = tokens(&listen)?;
        let server = bind(&listen, &tokens).await?;
        let authority = Authority::open(folder, ledger, unlock).await?;
        let shared = AuthorityServer::new(authority, tokens);
        run(server, authority::router(shared), ready).await;
        Ok(())
    })?
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

async fn run(server: Server, router: Router, ready: impl FnOnce(SocketAddr)) {
    let address = server.address();
    tracing::info!(%address, "listening");
    ready(address);
    server.run(router, shutdown_signal()).await;
}
