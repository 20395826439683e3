//! Long work without the interpreter's lock, with a callback and Ctrl-C.

use std::panic::resume_unwind;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use host::Progress;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::pool::{self, Place};

/// Time between two reports.
const INTERVAL: Duration = Duration::from_millis(100);

/// The progress of the work, for periodic reading; and whether it should stop.
#[derive(Default)]
struct Seen {
    total: AtomicU64,
    done: AtomicU64,
    words: Mutex<String>,
    cancelled: AtomicBool,
}

/// The payload that unwinds cancelled work. No message is printed.
struct Cancelled;

impl Seen {
    fn end_if_cancelled(&self) {
        if self.cancelled.load(Ordering::Relaxed) {
            resume_unwind(Box::new(Cancelled));
        }
    }
}

impl Progress for Seen {
    fn begin(&self, steps: u64) {
        self.end_if_cancelled();
        self.done.store(0, Ordering::Relaxed);
        self.total.store(steps, Ordering::Relaxed);
    }

    fn advance(&self, steps: u64) {
        self.end_if_cancelled();
        self.done.fetch_add(steps, Ordering::Relaxed);
    }

    fn note(&self, words: &str) {
        self.end_if_cancelled();
        words.clone_into(&mut self.words.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Work before the counted part: it can be cancelled, and is not shown.
pub struct Aside<'a>(pub &'a dyn Progress);

impl Progress for Aside<'_> {
    fn begin(&self, _: u64) {}

    fn advance(&self, _: u64) {
        self.0.advance(0);
    }
}

/// Runs `work` on its own threads while other Python threads continue, and calls `callback(done, total, message)` about
/// ten times a second and once at the end.
///
/// An exception of the callback, or Ctrl-C, ends the call at once, and the work at its next report.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    callback: Option<Py<PyAny>>,
    work: impl FnOnce(&dyn Progress) -> T + Send + 'static,
) -> PyResult<T> {
    let place = Place::enter()?;
    let here = process::id();
    let state = Arc::new(Seen::default());
    let (send, receive) = sync_channel(1);
    let seen = Arc::clone(&state);
    if cfg!(target_family = "wasm") {
        // A web page has one thread: nothing is reported meanwhile.
        return Ok(py.detach(|| place.install(|| work(&*seen))));
    }
    let started = thread::Builder::new().spawn(move || {
        let result = place.install(|| work(&*seen));
        // A caller that has the result may fork.
        drop(place);
        send.send(result)
    });
    started.map_err(|error| PyRuntimeError::new_err(format!("no thread can be started: {error}")))?;
    let flag = Arc::clone(&state);
    let report = move |last: bool| -> PyResult<()> {
        Python::attach(|py| {
            py.check_signals()?;
            let Some(callback) = &callback else { return Ok(()) };
            let total = state.total.load(Ordering::Relaxed);
            let done = if last { total } else { state.done.load(Ordering::Relaxed).min(total) };
            let words = state.words.lock().unwrap_or_else(PoisonError::into_inner).clone();
            callback.call1(py, (done, total, words)).map(drop)
        })
    };
    let wait = move || -> PyResult<T> {
        loop {
            match receive.recv_timeout(INTERVAL) {
                Ok(result) => {
                    report(true)?;
                    return Ok(result);
                }
                // The callback forked, and this is the child: no work runs here.
                Err(_) if Place::is_foreign(here) => return Err(pool::broken()),
                Err(RecvTimeoutError::Timeout) => report(false)?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(PyRuntimeError::new_err("the computation ended without a result: see standard error"));
                }
            }
        }
    };
    py.detach(move || wait().inspect_err(|_| flag.cancelled.store(true, Ordering::Relaxed)))
}
