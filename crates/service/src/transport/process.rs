//! What the system reports about this process, under the names that every Prometheus client uses.

use std::fmt::Write;
use std::fs;

/// Clock ticks in a second: what Linux gives to programs on every processor.
const TICKS: f64 = 100.0;

/// Time, memory and files of this process.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Process {
    cpu_seconds: f64,
    start_seconds: f64,
    virtual_bytes: u64,
    resident_bytes: u64,
    open_files: u64,
    most_files: u64,
    threads: u64,
}

impl Process {
    /// From `/proc`; none on a system without it.
    pub fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let boot = fs::read_to_string("/proc/stat").ok()?;
        let limits = fs::read_to_string("/proc/self/limits").ok()?;
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let files = fs::read_dir("/proc/self/fd").ok()?.count() as u64;
        Self::parse(&stat, &boot, &limits, &status, files)
    }

    fn parse(stat: &str, boot: &str, limits: &str, status: &str, open_files: u64) -> Option<Self> {
        // The name of the process may hold anything, spaces and brackets too; its end is the last bracket.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |place: usize| fields.get(place - 3)?.parse::<u64>().ok();
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
        };
        let boot: u64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        let most = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        Some(Self {
            cpu_seconds: (number(14)? + number(15)?) as f64 / TICKS,
            start_seconds: boot as f64 + number(22)? as f64 / TICKS,
            virtual_bytes: number(23)?,
            resident_bytes: kib("VmRSS")?,
            open_files,
            // `unlimited` is none.
            most_files: most.split_whitespace().next()?.parse().unwrap_or(0),
            threads: number(20)?,
        })
    }

    /// Appends the text.
    pub fn write(&self, out: &mut String) {
        let mut gauge = |name: &str, help: &str, value: f64| {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "# HELP process_{name} {help}.\n# TYPE process_{name} gauge\nprocess_{name} {value}");
        };
        gauge("start_time_seconds", "When the process began, in seconds since 1970", self.start_seconds);
        gauge("resident_memory_bytes", "Memory in use", self.resident_bytes as f64);
        gauge("virtual_memory_bytes", "Memory that is mapped", self.virtual_bytes as f64);
        gauge("open_fds", "Open files and connections", self.open_files as f64);
        gauge("max_fds", "Most of these", self.most_files as f64);
        gauge("threads", "Threads", self.threads as f64);
        let cpu = self.cpu_seconds;
        let _ = writeln!(
            out,
            "# HELP process_cpu_seconds Processor time used.\n# TYPE process_cpu_seconds counter\n\
             process_cpu_seconds_total {cpu}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_proc() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 7 0 1000 8192 3 18446744073709551615";
        let limits = "Limit  Soft Limit  Hard Limit\nMax open files            1024                 4096      files\n";
        let found = Process::parse(stat, "cpu 1\nbtime 1700000000\n", limits, "VmRSS:\t  12 kB\n", 5).unwrap();
        let expected = Process {
            cpu_seconds: 2.0,
            start_seconds: 1_700_000_010.0,
            virtual_bytes: 8192,
            resident_bytes: 12288,
            open_files: 5,
            most_files: 1024,
            threads: 7,
        };
        assert_eq!(found, expected);
        assert!(Process::parse("", "", "", "", 0).is_none());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_read() {
        let own = Process::read().unwrap();
        assert!(own.resident_bytes > 1 << 20 && own.open_files > 2 && own.start_seconds > 1.7e9, "{own:?}");
    }
}
