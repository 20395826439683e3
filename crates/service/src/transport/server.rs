//! The accept loop: limits on connections and time, TLS, and a shutdown that finishes accepted requests.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::addresses::{Addresses, Place};
use super::metrics::Connections;
use super::path::without_slash;
use super::patient::Patient;
use super::settle::Watched;
use super::tls::{Current, Identity};
use super::{CertificateNames, Peer, TlsError, TlsOptions};
use crate::clock::utc;

/// Bytes of answers that the system keeps for a peer that does not read.
const SEND_BUFFER: u32 = 256 << 10;
/// The name of HTTP/2 in ALPN.
const HTTP2: &[u8] = b"h2";
/// Concurrent calls on one HTTP/2 connection.
const STREAMS: u32 = 64;
/// Flow-control window of one HTTP/2 call, in bytes.
const WINDOW: u32 = 1 << 20;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// The answer to a connection from an address that has too many, sent before anything is read.
const CROWDED: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n\
    content-type: application/problem+json\r\ncontent-length: 115\r\n\r\n\
    {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"detail\":\"too many connections from \
    this address\"}";

/// Where and how to listen.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The address.
    pub listen: SocketAddr,
    /// TLS, or plain HTTP.
    pub tls: Option<TlsOptions>,
    /// Names under which clients reach this server, besides its addresses, `localhost` and those in its certificate.
    pub names: Vec<String>,
    /// Whether tokens or mapped certificates identify callers.
    pub authenticated: bool,
    /// Listen beyond loopback without TLS or without authentication.
    pub insecure: bool,
    /// Maximum number of connections at once; further ones wait to be accepted.
    pub connections: usize,
    /// Maximum number of connections at once from one address (for IPv6, the first 64 bits); more get 503.
    pub per_address: usize,
    /// Time for the headers of a request, for the next request of an idle connection, and for a TLS handshake.
    pub header_patience: Duration,
    /// Time in which a peer that reads slowly must take 16 KiB of its answers.
    pub write_patience: Duration,
    /// Time for accepted requests to finish when the server ends.
    pub drain: Duration,
    /// How often files of TLS and of tokens are looked at: replaced ones are read again.
    pub reload: Duration,
}

/// A server that is bound to its address.
pub struct Server {
    listener: TcpListener,
    identity: Arc<Identity>,
    connections: Arc<Connections>,
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
        /// What is missing.
        lacking: &'static str,
    },
    /// Client certificates admit callers that cannot be told apart.
    #[error(
        "client certificates: nothing says who their holders are, so each could do everything; give a file with \
         --tokens that maps names in certificates ([[certificate]]) or holds tokens ([[token]])"
    )]
    Unmapped,
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
            names: Vec::new(),
            authenticated: false,
            insecure: false,
            connections: 512,
            per_address: 128,
            header_patience: Duration::from_secs(10),
            write_patience: Duration::from_secs(20),
            drain: Duration::from_secs(30),
            reload: Duration::from_secs(2),
        }
    }

    fn check_exposure(&self) -> Result<(), ServeError> {
        if !self.authenticated && self.tls.as_ref().is_some_and(|tls| tls.client_authorities.is_some()) {
            return Err(ServeError::Unmapped);
        }
        let lacking = match (&self.tls, self.authenticated) {
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
        let identity =
            Arc::new(Identity::new(options.tls.clone(), options.names.clone(), options.listen.ip().is_loopback())?);
        let connections = Arc::new(Connections::default());
        connections.most.store(i64::try_from(options.connections).unwrap_or(i64::MAX), Ordering::Relaxed);
        connections.certificate.store(identity.current().expires.unwrap_or(0), Ordering::Relaxed);
        let listener = listen(options.listen).map_err(|source| ServeError::Bind { address: options.listen, source })?;
        Ok(Self { listener, identity, connections, options })
    }

    /// Its connections, for whoever counts them.
    pub fn connections(&self) -> Arc<Connections> {
        Arc::clone(&self.connections)
    }

    /// The address, with the port that the system chose where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.options.listen)
    }

    /// Answers until `end` is ready, then stops accepting and finishes what it accepted.
    pub async fn run(self, router: Router, end: impl Future<Output = ()>) {
        let connections = Arc::new(Semaphore::new(self.options.connections));
        let addresses = Addresses::default();
        let watching = tokio::spawn(watch(Arc::clone(&self.identity), self.connections(), self.options.reload));
        let graceful = GracefulShutdown::new();
        let mut end = std::pin::pin!(end);
        loop {
            let accepted = tokio::select! {
                accepted = accept(&self.listener, &connections) => accepted,
                () = &mut end => break,
            };
            let Some((stream, address, permit)) = accepted else { continue };
            let Current { acceptor, names, .. } = self.identity.current();
            let Some(place) = addresses.take(address.ip(), self.options.per_address) else {
                self.connections.crowded.fetch_add(1, Ordering::Relaxed);
                turn_away(stream, acceptor.is_some());
                continue;
            };
            let connection = Connection {
                peer: Peer { address, certificate: None, ours: names },
                router: router.clone(),
                watcher: graceful.watcher(),
                patience: self.options.header_patience,
                _held: (permit, place, Open::new(&self.connections)),
            };
            tokio::spawn(connection.serve(stream, self.options.write_patience, acceptor));
        }
        watching.abort();
        drop(self.listener);
        tracing::info!("shutting down: finishing accepted requests");
        if tokio::time::timeout(self.options.drain, graceful.shutdown()).await.is_err() {
            tracing::warn!("shut down with unfinished requests");
        }
    }
}

/// Reads certificates again when they were replaced.
async fn watch(identity: Arc<Identity>, connections: Arc<Connections>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let looking = Arc::clone(&identity);
        let read = tokio::task::spawn_blocking(move || looking.refresh()).await.ok().flatten();
        match read {
            None => {}
            Some(Ok(())) => {
                let expires = identity.current().expires;
                connections.certificate.store(expires.unwrap_or(0), Ordering::Relaxed);
                connections.renewed.fetch_add(1, Ordering::Relaxed);
                tracing::info!(expires = expires.map(utc), "certificates reloaded");
            }
            Some(Err(error)) => {
                connections.unrenewed.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%error, "certificates not reloaded: the old ones stay in use");
            }
        }
    }
}

type Permit = tokio::sync::OwnedSemaphorePermit;

/// Counts a connection as long as it lasts.
struct Open(Arc<Connections>);

impl Open {
    fn new(connections: &Arc<Connections>) -> Self {
        connections.open.fetch_add(1, Ordering::Relaxed);
        connections.accepted.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(connections))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A listener whose connections buffer little for peers that do not read.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As TcpListener::bind: a server that was just ended leaves its address in use for a while otherwise.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept(listener: &TcpListener, connections: &Arc<Semaphore>) -> Option<(TcpStream, SocketAddr, Permit)> {
    let permit = Arc::clone(connections).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => {
            // Answers are small and whole; waiting to fill packets would only delay them.
            let _ = stream.set_nodelay(true);
            Some((stream, address, permit))
        }
        Err(error) => {
            // Out of file descriptors, or a client that left: not a reason to end, but to breathe.
            tracing::warn!(%error, "accept failed");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

/// Sends the answer if that does not block, and closes the connection.
fn turn_away(stream: TcpStream, tls: bool) {
    tracing::debug!("too many connections from one address");
    if let (false, Ok(stream)) = (tls, stream.into_std()) {
        // The buffer of a new connection takes it whole, or the peer is gone.
        let _ = std::io::Write::write(&mut &stream, CROWDED);
    }
}

/// A connection that was let in.
struct Connection {
    peer: Peer,
    router: Router,
    watcher: Watcher,
    patience: Duration,
    _held: (Permit, Place, Open),
}

impl Connection {
    async fn serve(mut self, stream: TcpStream, patience: Duration, tls: Option<TlsAcceptor>) {
        let Some(tls) = tls else {
            match prefers_http2(&stream, self.patience).await {
                Some(newer) => self.speak(Patient::new(stream, patience), newer).await,
                None => tracing::debug!("a silent connection"),
            }
            return;
        };
        match tokio::time::timeout(self.patience, tls.accept(Patient::new(stream, patience))).await {
            Ok(Ok(stream)) => {
                let session = stream.get_ref().1;
                let shown = session.peer_certificates().and_then(<[_]>::first);
                self.peer.certificate = shown.and_then(CertificateNames::of);
                let newer = session.alpn_protocol() == Some(HTTP2);
                self.speak(stream, newer).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake too slow"),
        }
    }

    /// `newer`: in HTTP/2, which gRPC speaks.
    async fn speak(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, newer: bool) {
        let (routes, peer) = (TowerToHyperService::new(self.router), Arc::new(self.peer));
        let service = service_fn(move |request: Request<Incoming>| {
            let (parts, body) = request.into_parts();
            let (body, reading) = Watched::new(&parts.headers, body);
            let mut request = Request::from_parts(parts, body);
            if let Some(uri) = without_slash(request.uri()) {
                *request.uri_mut() = uri;
            }
            request.extensions_mut().insert(Arc::clone(&peer));
            let answer = routes.call(request);
            async move {
                let mut response = answer.await?;
                // A stream of HTTP/2 ends alone.
                if !newer {
                    reading.settle(&mut response).await;
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let stream = TokioIo::new(stream);
        let ended = match newer {
            false => {
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(self.patience)
                    .max_buf_size(64 << 10)
                    .serve_connection(stream, service);
                self.watcher.watch(connection).await
            }
            true => {
                let connection = http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .max_concurrent_streams(STREAMS)
                    .max_header_list_size(16 << 10)
                    .max_send_buf_size(SEND_BUFFER as usize)
                    .initial_stream_window_size(WINDOW)
                    .initial_connection_window_size(4 * WINDOW)
                    // A peer that does not answer is gone.
                    .keep_alive_interval(self.patience)
                    .keep_alive_timeout(self.patience)
                    .serve_connection(stream, service);
                self.watcher.watch(connection).await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended early");
        }
    }
}

/// Whether a peer without TLS begins in HTTP/2: with its first four bytes, which no request of HTTP/1 begins with. None
/// where it does not begin.
async fn prefers_http2(stream: &TcpStream, patience: Duration) -> Option<bool> {
    const PREFACE: &[u8; 4] = b"PRI ";
    let look = async {
        let mut first = [0; PREFACE.len()];
        loop {
            match stream.peek(&mut first).await {
                Ok(count) if count > 0 && PREFACE.starts_with(&first[..count]) => {
                    if count == PREFACE.len() {
                        return true;
                    }
                    // The rest is under way.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                _ => return false,
            }
        }
    };
    tokio::time::timeout(patience, look).await.ok()
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
