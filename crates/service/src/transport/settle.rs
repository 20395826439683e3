//! Answers sent before their request was read completely: the connection closes after them, and the answer says so.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::Bytes;
use axum::http::{HeaderValue, Response, header};
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// The body of a request, and whether its end was reached.
pub(super) struct Watched {
    body: Incoming,
    read: Arc<AtomicBool>,
}

/// Tells whether the body was read to its end.
pub(super) struct Reading(Arc<AtomicBool>);

impl Watched {
    pub(super) fn new(body: Incoming) -> (Self, Reading) {
        let read = Arc::new(AtomicBool::new(body.is_end_stream()));
        (Self { body, read: Arc::clone(&read) }, Reading(read))
    }
}

impl Reading {
    /// Marks an answer as the last one of its connection where the rest of the request is in the way of a next one.
    pub(super) fn settle<B>(&self, response: &mut Response<B>) {
        if !self.0.load(Ordering::Relaxed) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.read.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
