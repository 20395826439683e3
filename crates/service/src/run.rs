//! Servers that run until the process is asked to stop, for a command line.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use qfe::LogTable;
use roles::keyfile::Unlock;

use crate::authority::{self, AuthorityError, AuthorityServer, Issuer};
use crate::board::{self, Board, BoardError};
use crate::predictor::{self, PredictorOptions, PredictorServer};
use crate::transport::{AuthError, HttpMetrics, ServeError, Server, ServerOptions, Tokens, shutdown_signal};

/// Where to listen, and who is let in.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Address, TLS and limits.
    pub server: ServerOptions,
    /// File of tokens and certificates; none lets everyone in, which an authority never does.
    pub tokens: Option<PathBuf>,
    /// A second address for health, metrics and administration alone, whose connections are counted apart. On loopback
    /// it speaks plain HTTP, elsewhere as the first.
    pub admin: Option<SocketAddr>,
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
    /// The board of a ceremony.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// The system gives no threads.
    #[error("threads cannot be started: {0}")]
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
    /// What unlocks its master keys or shares.
    pub unlock: Unlock,
    /// Whether whole keys are kept away from it.
    pub shares_only: bool,
}

/// What a board of a ceremony serves.
pub struct BoardPart {
    /// Where.
    pub listen: Listen,
    /// The folder of the ceremony.
    pub folder: PathBuf,
}

/// Where a server can be reached.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// By everyone.
    pub main: SocketAddr,
    /// For health, metrics and administration, where that was asked for.
    pub admin: Option<SocketAddr>,
}

/// Serves predictions; `ready` hears the addresses.
///
/// # Errors
/// [`RunError`] when it cannot start.
pub fn predictor(part: PredictorPart, ready: impl FnOnce(Addresses)) -> Result<(), RunError> {
    block_on(async {
        let started = start_predictor(part).await?;
        ready(started.addresses());
        started.run().await;
        Ok(())
    })?
}

/// Serves an authority over a folder; `ready` hears the addresses.
///
/// # Errors
/// [`RunError`] when it cannot start: no policy, no caller that may ask, a ledger that does not verify, keys that do
/// not unlock.
pub fn authority(part: AuthorityPart, ready: impl FnOnce(Addresses)) -> Result<(), RunError> {
    block_on(async {
        let started = start_authority(part).await?;
        ready(started.addresses());
        started.run().await;
        Ok(())
    })?
}

/// Serves the messages of a ceremony; `ready` hears the addresses.
///
/// # Errors
/// [`RunError`] when it cannot start: no definition, no caller that may ask.
pub fn board(part: BoardPart, ready: impl FnOnce(Addresses)) -> Result<(), RunError> {
    block_on(async {
        let tokens = tokens(&part.listen)?;
        let board = Board::new(part.folder, tokens.clone())?;
        let server = part.listen.server.clone();
        let (main, _) = bind(&Listen { admin: None, ..part.listen }, &tokens).await?;
        tokio::spawn(reread(tokens, server, board.http_metrics()));
        let started = Started { main: (main, board::router(board)), admin: None, authority: None };
        ready(started.addresses());
        started.run().await;
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
        let issuing = start_authority(authority).await?;
        let predicting = start_predictor(predictor).await?;
        ready(issuing.addresses().main, predicting.addresses().main);
        tokio::join!(issuing.run(), predicting.run());
        Ok(())
    })?
}

/// A server with its addresses taken, and what it answers at each.
struct Started {
    main: (Server, Router),
    admin: Option<(Server, Router)>,
    /// What it does before the end, if it is an authority.
    authority: Option<Arc<AuthorityServer>>,
}

impl Started {
    fn addresses(&self) -> Addresses {
        Addresses { main: self.main.0.address(), admin: self.admin.as_ref().map(|(server, _)| server.address()) }
    }

    async fn run(self) {
        let admin = async {
            if let Some((server, router)) = self.admin {
                run(server, router).await;
            }
        };
        tokio::join!(run(self.main.0, self.main.1), admin);
        if let Some(authority) = self.authority {
            authority.finish().await;
        }
    }
}

async fn start_predictor(part: PredictorPart) -> Result<Started, RunError> {
    let tokens = tokens(&part.listen)?;
    // The addresses first: a second server on the same one is told before it loads models.
    let (main, admin) = bind(&part.listen, &tokens).await?;
    let predictor = PredictorServer::start(part.options, tokens.clone(), part.table)?;
    tokio::spawn(Arc::clone(&predictor).watch());
    observe(predictor.http_metrics(), &main, admin.as_ref());
    tokio::spawn(reread(tokens, part.listen.server.clone(), Arc::clone(predictor.http_metrics())));
    let admin = admin.map(|server| (server, predictor::admin_router(Arc::clone(&predictor))));
    Ok(Started { main: (main, predictor::router(predictor)), admin, authority: None })
}

async fn start_authority(part: AuthorityPart) -> Result<Started, RunError> {
    let tokens = tokens(&part.listen)?;
    // Before anything is bound or unlocked.
    if !tokens.required() {
        return Err(AuthError::Missing.into());
    }
    let (main, admin) = bind(&part.listen, &tokens).await?;
    let mut authority = Issuer::open(&part.folder, part.ledger.as_deref(), part.unlock).await?;
    if part.shares_only {
        authority = authority.with_shares_only().await?;
    }
    let server = AuthorityServer::new(authority, tokens.clone())?;
    observe(server.http_metrics(), &main, admin.as_ref());
    tokio::spawn(reread(tokens, part.listen.server.clone(), Arc::clone(server.http_metrics())));
    let admin = admin.map(|listener| (listener, authority::admin_router(Arc::clone(&server))));
    Ok(Started { main: (main, authority::router(Arc::clone(&server))), admin, authority: Some(server) })
}

/// Shows the connections of both addresses.
fn observe(metrics: &HttpMetrics, main: &Server, admin: Option<&Server>) {
    metrics.watch("main", main.connections());
    if let Some(admin) = admin {
        metrics.watch("admin", admin.connections());
    }
}

/// Reads the file of tokens again when it was replaced.
async fn reread(tokens: Tokens, server: ServerOptions, metrics: Arc<HttpMetrics>) {
    let certificates = server.tls.as_ref().is_some_and(|tls| tls.client_authorities.is_some());
    loop {
        tokio::time::sleep(server.reload).await;
        let known = tokens.clone();
        let read = tokio::task::spawn_blocking(move || known.reload(certificates)).await.ok().flatten();
        match read {
            None => continue,
            Some(Ok(())) => tracing::info!("tokens reloaded"),
            Some(Err(ref error)) => tracing::error!(%error, "tokens not reloaded: the old ones stay in use"),
        }
        metrics.reloaded("tokens", matches!(read, Some(Ok(()))));
    }
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
    let Some(path) = &listen.tokens else { return Ok(Tokens::none()) };
    let tokens = Tokens::load(path)?;
    let asked = listen.server.tls.as_ref().is_some_and(|tls| tls.client_authorities.is_some());
    if tokens.map_certificates() && !asked {
        return Err(AuthError::Unasked { path: path.clone() });
    }
    Ok(tokens)
}

async fn bind(listen: &Listen, tokens: &Tokens) -> Result<(Server, Option<Server>), ServeError> {
    let main = ServerOptions { authenticated: tokens.required(), ..listen.server.clone() };
    let admin = listen.admin.map(|address| {
        let tls = main.tls.clone().filter(|_| !address.ip().is_loopback());
        ServerOptions { listen: address, tls, ..main.clone() }
    });
    let main = Server::bind(main).await?;
    let admin = match admin {
        Some(options) => Some(Server::bind(options).await?),
        None => None,
    };
    Ok((main, admin))
}

async fn run(server: Server, router: Router) {
    tracing::info!(address = %server.address(), "listening");
    server.run(router, shutdown_signal()).await;
}
