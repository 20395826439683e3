//! Threads for the work of this process, and for that of its forked children.
//!
//! A forked child has one thread: those of the parent's pools are gone, and a lock that one of them held is never
//! released. Every call therefore takes a pool that its own process made. Two calls never share one, so that no thread
//! that waits in one call begins the work of another. A child that was forked while work was running gets an error.

use std::mem;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::exception;

/// Idle pools that are kept.
const KEPT: usize = 4;

/// The process that the state below belongs to; 0 before the first call.
static PROCESS: AtomicU32 = AtomicU32::new(0);
/// Calls that are running.
static RUNNING: AtomicUsize = AtomicUsize::new(0);
/// The process was forked while work was running.
static BROKEN: AtomicBool = AtomicBool::new(false);
static IDLE: Mutex<Vec<ThreadPool>> = Mutex::new(Vec::new());

/// A private pool, until dropped.
pub struct Place {
    pool: Option<ThreadPool>,
    process: u32,
}

impl Place {
    /// Takes an idle pool or makes one.
    ///
    /// # Errors
    /// This process was forked while work was running; no thread can be started.
    pub fn enter() -> PyResult<Self> {
        forked();
        if BROKEN.load(SeqCst) {
            return Err(broken());
        }
        // Before the lock: a child that is forked from here on knows that it may be held.
        RUNNING.fetch_add(1, SeqCst);
        let mut place = Self { pool: None, process: process::id() };
        if cfg!(target_family = "wasm") {
            // A web page has one thread, which does all the work itself.
            return Ok(place);
        }
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        place.pool = Some(match idle {
            Some(pool) => pool,
            None => ThreadPoolBuilder::new()
                .thread_name(|index| format!("halflight-{index}"))
                .build()
                .map_err(|error| PyRuntimeError::new_err(format!("no threads can be started: {error}")))?,
        });
        Ok(place)
    }

    /// Runs the work there.
    pub fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Whether this process is a copy of the one that entered.
    pub fn is_foreign(process: u32) -> bool {
        process::id() != process
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if Self::is_foreign(self.process) {
            // Its threads are in another process, and cannot be stopped.
            mem::forget(self.pool.take());
            return;
        }
        if let Some(pool) = self.pool.take() {
            let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < KEPT {
                idle.push(pool);
            }
        }
        RUNNING.fetch_sub(1, SeqCst);
    }
}

/// Work without the interpreter's lock, on all cores; it cannot be cancelled.
pub fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    let place = Place::enter()?;
    Ok(py.detach(|| place.install(work)))
}

/// The error of a call in a child that was forked while work was running.
pub fn broken() -> PyErr {
    let message = "this process was forked while halflight was working in another thread or in a callback, so its \
                   locks may never be released: fork before or after, or start processes by `spawn` or `forkserver`";
    exception("ForkError", "Running", message)
}

/// Forgets what belongs to the parent, in a child; Python calls it after every fork.
#[pyfunction]
pub fn forked() {
    let here = process::id();
    let before = PROCESS.swap(here, SeqCst);
    if before == here || before == 0 {
        return;
    }
    if RUNNING.swap(0, SeqCst) > 0 {
        BROKEN.store(true, SeqCst);
    } else {
        mem::forget(mem::take(&mut *IDLE.lock().unwrap_or_else(PoisonError::into_inner)));
    }
}

/// Running calls, including cancelled ones until they have ended.
#[pyfunction]
pub fn running() -> usize {
    RUNNING.load(SeqCst)
}
