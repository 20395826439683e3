//! Long work without the interpreter's lock, with a callback and Ctrl-C.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use indicatif::ProgressBar;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Time between two reports.
const INTERVAL: Duration = Duration::from_millis(100);

/// Runs `work` on its own thread while other Python threads go on, and calls
/// `callback(done, total, message)` about ten times a second and once at the end.
///
/// An exception of the callback, or Ctrl-C, ends the call at once; work that has begun goes on to its
/// end in the background, and its result is dropped.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    callback: Option<Py<PyAny>>,
    work: impl FnOnce(&ProgressBar) -> T + Send + 'static,
) -> PyResult<T> {
    let bar = ProgressBar::hidden();
    let (send, receive) = sync_channel(1);
    let seen = bar.clone();
    thread::spawn(move || send.send(work(&seen)));
    let report = |last: bool| -> PyResult<()> {
        Python::attach(|py| {
            py.check_signals()?;
            let Some(callback) = &callback else { return Ok(()) };
            let total = bar.length().unwrap_or(0);
            let done = if last { total } else { bar.position().min(total) };
            callback.call1(py, (done, total, bar.message())).map(drop)
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
