//! The accept loop: limits on connections and headers, TLS, and an end that finishes what was accepted.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::{TlsError, TlsOptions};

/// Where and how to listen.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The address.
    pub listen: SocketAddr,
    /// TLS, or plain HTTP.
    pub tls: Option<TlsOptions>,
    /// Whether callers must show a token.
    pub authenticated: bool,
    /// Listen beyond loopback without TLS or without authentication.
    pub insecure: bool,
    /// Most connections at once; further ones wait to be accepted.
    pub connections: usize,
    /// Time for the headers of a request, and for a TLS handshake.
    pub header_patience: Duration,
    /// Time for accepted requests to finish when the server ends.
    pub drain: Duration,
}

/// A server that is bound to its address.
pub struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    options: ServerOptions,
}

/// A server that cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Open to others without protection.
    #[error(
        "listen: {address} can be reached from other machines, but there is {lacking}; give certificates and tokens \
         (or client certificates), listen on 127.0.0.1, or say --insecure"
    )]
    Exposed {
        /// The address.
        address: SocketAddr,
        /// What is lacking.
        lacking: &'static str,
    },
    /// The address cannot be had.
    #[error("listen: {address}: {source}; is another server running there?")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl ServerOptions {
    /// Plain HTTP on one address, with limits that suit a small machine.
    pub fn on(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: None,
            authenticated: false,
            insecure: false,
            connections: 512,
            header_patience: Duration::from_secs(10),
            drain: Duration::from_secs(30),
        }
    }

    fn check_exposure(&self) -> Result<(), ServeError> {
        let known_callers = self.authenticated || self.tls.as_ref().is_some_and(|tls| tls.client_authorities.is_some());
        let lacking = match (&self.tls, known_callers) {
            (Some(_), true) => return Ok(()),
            (None, true) => "no TLS",
            (Some(_), false) => "no authentication",
            (None, false) => "neither TLS nor authentication",
        };
        if self.listen.ip().is_loopback() || self.insecure {
            return Ok(());
        }
        Err(ServeError::Exposed { address: self.listen, lacking })
    }
}

impl Server {
    /// Takes the address.
    ///
    /// # Errors
    /// [`ServeError`]: open to others without protection, taken, or certificates that cannot be used.
    pub async fn bind(options: ServerOptions) -> Result<Self, ServeError> {
        options.check_exposure()?;
        let tls = options.tls.as_ref().map(TlsOptions::server).transpose()?.map(TlsAcceptor::from);
        let bind = TcpListener::bind(options.listen).await;
        let listener = bind.map_err(|source| ServeError::Bind { address: options.listen, source })?;
        Ok(Self { listener, tls, options })
    }

    /// The address, with the port that the system chose where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.options.listen)
    }

    /// Answers until `end` is ready, then stops accepting and finishes what it accepted.
    pub async fn run(self, router: Router, end: impl Future<Output = ()>) {
        let connections = Arc::new(Semaphore::new(self.options.connections));
        let graceful = GracefulShutdown::new();
        let mut end = std::pin::pin!(end);
        loop {
            let accepted = tokio::select! {
                accepted = accept(&self.listener, &connections) => accepted,
                () = &mut end => break,
            };
            let Some((stream, permit)) = accepted else { continue };
            let (tls, router, watcher) = (self.tls.clone(), router.clone(), graceful.watcher());
            let patience = self.options.header_patience;
            tokio::spawn(async move {
                match tls {
                    None => converse(stream, router, watcher, patience).await,
                    Some(tls) => match tokio::time::timeout(patience, tls.accept(stream)).await {
                        Ok(Ok(stream)) => converse(stream, router, watcher, patience).await,
                        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                        Err(_) => tracing::debug!("TLS handshake too slow"),
                    },
                }
                drop(permit);
            });
        }
        drop(self.listener);
        tracing::info!("ending: finishing what was accepted");
        if tokio::time::timeout(self.options.drain, graceful.shutdown()).await.is_err() {
            tracing::warn!("ended with requests unfinished");
        }
    }
}

type Permit = tokio::sync::OwnedSemaphorePermit;

async fn accept(listener: &TcpListener, connections: &Arc<Semaphore>) -> Option<(TcpStream, Permit)> {
    let permit = Arc::clone(connections).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            // Answers are small and whole; waiting to fill packets would only delay them.
            let _ = stream.set_nodelay(true);
            Some((stream, permit))
        }
        Err(error) => {
            // Out of file descriptors, or a client that left: not a reason to end, but to breathe.
            tracing::warn!(%error, "accept failed");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    watcher: Watcher,
    patience: Duration,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "connection ended early");
    }
}

/// Ready when the process is asked to end (interrupt, or terminate).
pub async fn shutdown_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
