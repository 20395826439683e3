//! Bodies that are refused before they are read, or read within bounds of size, memory and time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Problem;

const UNIT: usize = 1024;

/// How much of bodies is held at once, and for how long one may take.
#[derive(Clone)]
pub struct BodyLimits {
    memory: Arc<Semaphore>,
    patience: Duration,
}

/// A body, and its share of the memory.
pub struct RequestBody {
    /// The bytes.
    pub bytes: Vec<u8>,
    memory: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for RequestBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl BodyLimits {
    /// `memory`: bytes of all bodies together; `patience`: time for one body.
    pub fn new(memory: usize, patience: Duration) -> Self {
        let units = (memory / UNIT).clamp(1, Semaphore::MAX_PERMITS);
        Self { memory: Arc::new(Semaphore::new(units)), patience }
    }

    /// Reads a body of at most `limit` bytes.
    ///
    /// # Errors
    /// 413 for a longer one, before it is read where its length is given; 408 for a slow one; 415 for a compressed
    /// one; 503 while other bodies take the memory.
    pub async fn read(&self, headers: &HeaderMap, body: Body, limit: usize) -> Result<RequestBody, Problem> {
        if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "compressed bodies are not read; send it plain",
            ));
        }
        let too_long = || {
            let detail = format!("the body may have at most {limit} bytes here");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        };
        let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|announced| announced > limit as u64) {
            return Err(too_long());
        }
        let collected = tokio::time::timeout(self.patience, self.collect(body, limit)).await;
        let collected = collected.map_err(|_| {
            let detail = format!("the body did not arrive within {} s", self.patience.as_secs());
            Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
        })?;
        collected?.ok_or_else(too_long)
    }

    /// The bytes, with memory taken as they arrive, so that nobody holds what he only announces; none where there are
    /// more than `limit`.
    async fn collect(&self, mut body: Body, limit: usize) -> Result<Option<RequestBody>, Problem> {
        let mut read = RequestBody { bytes: Vec::new(), memory: None };
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Problem::bad_request("the body broke off"))?;
            let data: Bytes = frame.into_data().unwrap_or_default();
            if data.len() > limit - read.bytes.len() {
                return Ok(None);
            }
            self.take(&mut read.memory, read.bytes.len() + data.len())?;
            read.bytes.extend_from_slice(&data);
        }
        Ok(Some(read))
    }

    /// Memory for `length` bytes in all.
    fn take(&self, held: &mut Option<OwnedSemaphorePermit>, length: usize) -> Result<(), Problem> {
        let full = || Problem::busy(1, "other requests fill the memory for bodies; try again");
        let more = length.div_ceil(UNIT) - held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(more).map_err(|_| full())?;
        let more = Arc::clone(&self.memory).try_acquire_many_owned(more).map_err(|_| full())?;
        match held {
            Some(held) => held.merge(more),
            None => *held = Some(more),
        }
        Ok(())
    }
}
