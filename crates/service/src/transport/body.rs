//! Bodies that are refused before they are read, or read within limits of size, memory and time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;

use super::decode::{Coding, Decoder};
use super::{Caller, Problem};

/// How much of bodies is held at once, by everybody and by one caller, and for how long one may take.
#[derive(Clone)]
pub struct BodyLimits {
    memory: Arc<Memory>,
    patience: Duration,
}

/// Bytes of bodies that are held.
struct Memory {
    most: usize,
    /// Of these, of one caller.
    share: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    bytes: usize,
    by: HashMap<Arc<str>, usize>,
}

/// A body, and its part of the memory.
pub struct RequestBody {
    /// The bytes.
    pub bytes: Vec<u8>,
    part: Part,
}

/// The memory reserved for one body, until it is dropped.
struct Part {
    memory: Arc<Memory>,
    caller: Arc<str>,
    bytes: usize,
}

impl AsRef<[u8]> for RequestBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl RequestBody {
    /// The same, unpacked to at most `limit` bytes.
    pub(super) async fn unpack(mut self, coding: Coding, limit: usize) -> Result<Self, Problem> {
        let too_long = || {
            let detail = format!("the message may have at most {limit} bytes here");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        };
        let mut bytes = Vec::new();
        let mut decoder = Decoder::new(coding);
        for piece in self.bytes.chunks(Decoder::PIECE) {
            if !add(&mut bytes, &decoder.unpack(piece)?, &mut self.part, limit)? {
                return Err(too_long());
            }
            tokio::task::yield_now().await;
        }
        if !add(&mut bytes, &decoder.finish()?, &mut self.part, limit)? {
            return Err(too_long());
        }
        self.bytes = bytes;
        Ok(self)
    }
}

/// Adds the decompressed bytes; false if the total exceeds `limit`.
fn add(bytes: &mut Vec<u8>, more: &[u8], part: &mut Part, limit: usize) -> Result<bool, Problem> {
    if more.len() > limit - bytes.len() {
        return Ok(false);
    }
    part.take(more.len())?;
    bytes.extend_from_slice(more);
    Ok(true)
}

impl BodyLimits {
    /// `memory`: bytes of all bodies together. One caller gets half of them, but always room for one body of the longest
    /// kind, of `longest` bytes. `patience`: time for one body.
    pub fn new(memory: usize, longest: usize, patience: Duration) -> Self {
        let share = (memory / 2).max(longest);
        Self { memory: Arc::new(Memory { most: memory, share, held: Mutex::default() }), patience }
    }

    /// Bytes that are held, and most of them.
    pub(super) fn memory(&self) -> (usize, usize) {
        (self.memory.held.lock().unwrap_or_else(PoisonError::into_inner).bytes, self.memory.most)
    }

    /// Reads a body of at most `limit` bytes, as it was sent and after it was unpacked: gzip and deflate are known.
    ///
    /// # Errors
    /// 413 for a longer one, before it is read where its length is given; 408 for a slow one; 415 for one in another
    /// coding; 503 while other bodies take the memory, 429 while those of this caller take its share.
    pub async fn read(
        &self,
        caller: &Caller,
        headers: &HeaderMap,
        body: Body,
        limit: usize,
    ) -> Result<RequestBody, Problem> {
        let coding = Coding::of(headers)?;
        let too_long = || {
            let detail = format!("the body may have at most {limit} bytes here");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        };
        let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|announced| announced > limit as u64) {
            return Err(too_long());
        }
        let part = Part { memory: Arc::clone(&self.memory), caller: Arc::clone(caller.source()), bytes: 0 };
        let collected = tokio::time::timeout(self.patience, collect(part, body, limit, coding)).await;
        let collected = collected.map_err(|_| {
            let detail = format!("the body did not arrive within {} s", self.patience.as_secs());
            Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
        })?;
        collected?.ok_or_else(too_long)
    }
}

/// The bytes, with memory taken as they arrive or are unpacked, so that nobody holds what he only announces; none where
/// there are more than `limit`.
async fn collect(
    mut part: Part,
    mut body: Body,
    limit: usize,
    coding: Option<Coding>,
) -> Result<Option<RequestBody>, Problem> {
    let mut bytes = Vec::new();
    let mut decoder = coding.map(Decoder::new);
    let mut arrived = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::bad_request("the body is incomplete"))?;
        let data: Bytes = frame.into_data().unwrap_or_default();
        if data.len() > limit - arrived {
            return Ok(None);
        }
        arrived += data.len();
        let Some(decoder) = &mut decoder else {
            part.take(data.len())?;
            bytes.extend_from_slice(&data);
            continue;
        };
        // In small pieces, each of which unpacks to little, so that other requests have their turn.
        for piece in data.chunks(Decoder::PIECE) {
            if !add(&mut bytes, &decoder.unpack(piece)?, &mut part, limit)? {
                return Ok(None);
            }
            tokio::task::yield_now().await;
        }
    }
    if let Some(decoder) = decoder
        && !add(&mut bytes, &decoder.finish()?, &mut part, limit)?
    {
        return Ok(None);
    }
    Ok(Some(RequestBody { bytes, part }))
}

impl Part {
    /// So many more bytes.
    fn take(&mut self, more: usize) -> Result<(), Problem> {
        let mut held = self.memory.held.lock().unwrap_or_else(PoisonError::into_inner);
        let own = held.by.get(&self.caller).copied().unwrap_or(0);
        if own + more > self.memory.share {
            let detail = "your requests fill your part of the memory for bodies; try again later";
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(1));
        }
        if held.bytes + more > self.memory.most {
            return Err(Problem::busy(1, "other requests fill the memory for bodies; try again"));
        }
        held.bytes += more;
        held.by.insert(Arc::clone(&self.caller), own + more);
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let mut held = self.memory.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.bytes -= self.bytes;
        if let Some(own) = held.by.get_mut(&self.caller) {
            *own -= self.bytes;
            if *own == 0 {
                held.by.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(limits: &BodyLimits, caller: &str) -> Part {
        Part { memory: Arc::clone(&limits.memory), caller: caller.into(), bytes: 0 }
    }

    #[test]
    fn one_caller_holds_its_share_and_gives_it_back() {
        let limits = BodyLimits::new(100, 40, Duration::from_secs(1));
        let [mut first, mut second] = ["a", "a"].map(|caller| part(&limits, caller));
        first.take(30).unwrap();
        second.take(20).unwrap();
        assert_eq!(second.take(1).unwrap_err().status(), StatusCode::TOO_MANY_REQUESTS);
        let (mut other, mut third) = (part(&limits, "b"), part(&limits, "c"));
        other.take(50).unwrap();
        assert_eq!(third.take(1).unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
        drop(first);
        third.take(30).unwrap();
        drop((second, other, third));
        let held = limits.memory.held.lock().unwrap();
        assert!(held.bytes == 0 && held.by.is_empty());
    }

    /// A body that may be sent at all is read where nobody else sends one.
    #[test]
    fn a_share_has_room_for_one_body() {
        part(&BodyLimits::new(100, 90, Duration::from_secs(1)), "a").take(90).unwrap();
    }
}
