//! A TCP stream whose peer must keep reading, and may finish sending after it was refused.
//!
//! Answers that a peer never reads fill the buffers and would hold the connection open; here they end it. A stream that
//! is closed with unread bytes is reset by the system, and a reset can overtake the last answer; so incoming bytes are
//! first read and discarded for a while. This layer is below TLS, so that both apply to either kind of connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// Bytes that a peer must take in each span of patience while answers wait for it.
const LEAST: usize = 16 << 10;
/// Bytes of a refused request that are still read: more than any body that is taken.
const LINGER_BYTES: usize = 96 << 20;
/// Silence after which a refused peer has nothing more to say.
const LINGER_SILENCE: Duration = Duration::from_secs(2);
/// Time for a refused peer to finish.
const LINGER: Duration = Duration::from_secs(10);

/// A stream with limits on the patience with its peer.
pub(super) struct Patient {
    stream: TcpStream,
    patience: Duration,
    stall: Option<Stall>,
    ending: Option<Ending>,
}

/// Bytes wait that the peer does not take.
struct Stall {
    until: Pin<Box<Sleep>>,
    taken: usize,
}

/// The last answer is out; what still comes is thrown away.
struct Ending {
    until: Pin<Box<Sleep>>,
    silence: Pin<Box<Sleep>>,
    left: usize,
}

impl Patient {
    /// `patience`: time in which a slow peer must take 16 KiB.
    pub(super) fn new(stream: TcpStream, patience: Duration) -> Self {
        Self { stream, patience, stall: None, ending: None }
    }

    fn written(&mut self, count: usize) {
        if let Some(stall) = &mut self.stall {
            stall.taken += count;
            if stall.taken >= LEAST {
                self.stall = None;
            }
        }
    }

    /// Nothing can be written now: an error once that has lasted too long.
    fn blocked(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let patience = self.patience;
        let stall = self.stall.get_or_insert_with(|| Stall { until: Box::pin(sleep(patience)), taken: 0 });
        ready!(stall.until.as_mut().poll(context));
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read its answers"))
    }
}

impl Ending {
    fn poll(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<()> {
        let mut space = [std::mem::MaybeUninit::uninit(); 16 << 10];
        while self.until.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::uninit(&mut space);
            match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                Poll::Pending => return self.silence.as_mut().poll(context),
                Poll::Ready(Err(_)) => break,
                Poll::Ready(Ok(())) => {
                    let count = buffer.filled().len();
                    self.left = self.left.saturating_sub(count);
                    if count == 0 || self.left == 0 {
                        break;
                    }
                    self.silence.as_mut().reset(Instant::now() + LINGER_SILENCE);
                }
            }
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write(context, bytes) {
            Poll::Pending => this.blocked(context).map(Err),
            Poll::Ready(written) => Poll::Ready(written.inspect(|&count| this.written(count))),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write_vectored(context, parts) {
            Poll::Pending => this.blocked(context).map(Err),
            Poll::Ready(written) => Poll::Ready(written.inspect(|&count| this.written(count))),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called when everything was handed to the system: the peer is not late.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_flush(context))?;
        this.stall = None;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ending.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let new =
            || Ending { until: Box::pin(sleep(LINGER)), silence: Box::pin(sleep(LINGER_SILENCE)), left: LINGER_BYTES };
        this.ending.get_or_insert_with(new).poll(&mut this.stream, context).map(Ok)
    }
}
