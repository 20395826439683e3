//! Long work without the interpreter's lock, with a callback and Ctrl-C.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use host::Progress;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Time between two reports.
const INTERVAL: Duration = Duration::from_millis(100);

/// How far the work has come, for whoever looks now and then.
#[derive(Default)]
struct Seen {
    total: AtomicU64,
    done: AtomicU64,
    words: Mutex<String>,
}

impl Progress for Seen {
    fn begin(&self, steps: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(steps, Ordering::Relaxed);
    }

    fn advance(&self, steps: u64) {
        self.done.fetch_add(steps, Ordering::Relaxed);
    }

    fn note(&self, words: &str) {
        words.clone_into(&mut self.words.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Runs `work` on its own thread while other Python threads go on, and calls
/// `callback(done, total, message)` about ten times a second and once at the end.
///
/// An exception of the callback, or Ctrl-C, ends the call at once; work that has begun goes on to its
/// end in the background, and its result is dropped.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    callback: Option<Py<PyAny>>,
    work: impl FnOnce(&dyn Progress) -> T + Send + 'static,
) -> PyResult<T> {
    let state = Arc::new(Seen::default());
    let (send, receive) = sync_channel(1);
    let seen = Arc::clone(&state);
    thread::spawn(move || send.send(work(&*seen)));
    let report = |last: bool| -> PyResult<()> {
        Python::attach(|py| {
            py.check_signals()?;
            let Some(callback) = &callback else { return Ok(()) };
            let total = state.total.load(Ordering::Relaxed);
            let done = if last { total } else { state.done.load(Ordering::Relaxed).min(total) };
            let words = state.words.lock().unwrap_or_else(PoisonError::into_inner).clone();
            callback.call1(py, (done, total, words)).map(drop)
        })
    };
    py.detach(move || {
        loop {
            match receive.recv_timeout(INTERVAL) {
                Ok(result) => {
                    report(true)?;
                    return Ok(result);
                }
                Err(RecvTimeoutError::Timeout) => report(false)?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(PyRuntimeError::new_err("the computation ended without a result: see standard error"));
                }
            }
        }
    })
}
