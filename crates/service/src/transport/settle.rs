//! Answers sent before their request was read completely. Where little of it is left, that is read and thrown away, so
//! that the connection serves the next request: a caller who is told to come back needs no other, and no handshake.
//! Otherwise the connection closes after the answer, and the answer says so.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// Bytes of a request that are read after its answer is known.
const SHORT: u64 = 1 << 20;
/// Time for them to arrive.
const SOON: Duration = Duration::from_millis(250);

/// The body of a request, and whether its end was reached.
pub(super) struct Watched {
    /// None once it is dropped.
    body: Option<Incoming>,
    left: Arc<Left>,
}

/// What was not read of a body, once nobody reads it any more.
#[derive(Default)]
struct Left {
    read: AtomicBool,
    rest: Mutex<Option<Incoming>>,
}

/// Knows whether the body was read to its end.
pub(super) struct Reading {
    left: Arc<Left>,
    /// Whether the caller sends the body only when told to.
    waits: bool,
}

impl Watched {
    pub(super) fn new(headers: &HeaderMap, body: Incoming) -> (Self, Reading) {
        let left = Arc::new(Left { read: AtomicBool::new(body.is_end_stream()), ..Left::default() });
        let reading = Reading { left: Arc::clone(&left), waits: headers.contains_key(header::EXPECT) };
        (Self { body: Some(body), left }, reading)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.left.read.load(Ordering::Relaxed) {
            *self.left.rest.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
        }
    }
}

impl Reading {
    /// Marks an answer as the last one of its connection where the rest of the request is in the way of a next one.
    pub(super) async fn settle<B>(&self, response: &mut Response<B>) {
        if !self.finish().await {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// Reads what is left, if that is little. False if something is still left.
    async fn finish(&self) -> bool {
        if self.left.read.load(Ordering::Relaxed) {
            return true;
        }
        let rest = self.left.rest.lock().unwrap_or_else(PoisonError::into_inner).take();
        let short = |body: &Incoming| body.size_hint().exact().is_some_and(|bytes| bytes <= SHORT);
        let Some(mut body) = rest.filter(|body| !self.waits && short(body)) else { return false };
        let read = async {
            while let Some(frame) = body.frame().await {
                if frame.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(SOON, read).await.unwrap_or(false)
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(&mut *body).poll_frame(context));
        let ended = frame.is_none() || body.is_end_stream();
        if ended {
            self.left.read.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}
