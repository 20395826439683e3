//! What the system reports about a process or thread: Linux only, nothing elsewhere.

use std::fs;

/// Clock ticks a second of `/proc/PID/stat`, the same on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// Seconds of processor time that a process has used.
pub fn cpu_seconds(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in brackets, may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS)
}

/// Seconds that all processors together were idle since the machine started.
pub fn idle_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let mut fields = stat.lines().next()?.split_whitespace().skip(4).map(|field| field.parse::<f64>().ok());
    // Waiting for a disk is idle too.
    Some((fields.next()?? + fields.next()??) / TICKS)
}

/// Peak memory of a process so far, in bytes.
pub fn peak_bytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// Seconds of processor time that the calling thread has used.
pub fn thread_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
}
