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
    _memory: OwnedSemaphorePermit,
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
        let expected = announced.unwrap_or(limit as u64);
        if expected > limit as u64 {
            return Err(too_long());
        }
        let units = (expected as usize).div_ceil(UNIT).max(1);
        let units = u32::try_from(units).map_err(|_| too_long())?;
        let memory = Arc::clone(&self.memory).try_acquire_many_owned(units);
        let memory = memory.map_err(|_| Problem::busy(1, "other requests fill the memory for bodies; try again"))?;
        let bytes = tokio::time::timeout(self.patience, collect(body, expected as usize, limit)).await;
        let bytes = bytes.map_err(|_| {
            let detail = format!("the body did not arrive within {} s", self.patience.as_secs());
            Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
        })?;
        Ok(RequestBody { bytes: bytes?.ok_or_else(too_long)?, _memory: memory })
    }
}

/// The bytes; none where there are more than `limit`.
async fn collect(mut body: Body, expected: usize, limit: usize) -> Result<Option<Vec<u8>>, Problem> {
    // A claimed length reserves little: memory grows with what arrives.
    let mut bytes = Vec::with_capacity(expected.min(1 << 16));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::bad_request("the body broke off"))?;
        let data: Bytes = frame.into_data().unwrap_or_default();
        if data.len() > limit - bytes.len() {
            return Ok(None);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Some(bytes))
}
