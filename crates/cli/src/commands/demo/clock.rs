//! How long the demo's steps take.

use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use crate::console::Console;

/// Times every step.
#[derive(Default)]
pub struct Clock(Vec<Step>);

/// One step: its duration, and the bytes of its result.
#[derive(Serialize)]
pub struct Step {
    pub name: String,
    pub ms: f64,
    pub bytes: usize,
}

impl Clock {
    /// Runs `work`, which returns its result and the size of the result in bytes (0 if meaningless).
    pub fn step<T>(&mut self, name: &str, console: &Console, work: impl FnOnce() -> Result<(T, usize)>) -> Result<T> {
        console.step(name);
        let start = Instant::now();
        let (result, bytes) = work()?;
        self.0.push(Step { name: name.to_owned(), ms: start.elapsed().as_secs_f64() * 1e3, bytes });
        Ok(result)
    }
    /// All steps, in order of time.
    pub fn steps(self) -> Vec<Step> {
        self.0
    }
}
