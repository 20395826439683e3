//! A folder in which the real command has made one file of every kind; a copy for each test.

#![allow(dead_code)] // each test program uses its own part

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// Passphrase of every master key in the tests.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// A server, until it is dropped.
pub struct Served {
    pub address: String,
    child: Child,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command, in a folder.
pub struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    /// An empty folder.
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A folder of its own with every kind of file: `data`, `network`, `compiled` (safetensors), `authority/`,
    /// `functional.key`, `ciphertexts/`.
    pub fn furnished() -> Self {
        static MODEL: OnceLock<Workshop> = OnceLock::new();
        let model = MODEL.get_or_init(|| {
            let workshop = Self::empty();
            for arguments in [
                "dataset import handwriting --out data.safetensors",
                "train --data data.safetensors --main digit --collateral ink --defence none --outputs 4 --units 12 \
                 --steps 200 --batch 100 --out network.safetensors",
                "compile network.safetensors --data data.safetensors --out compiled.safetensors",
                "authority init --network compiled.safetensors --folder authority",
                "authority issue --folder authority --network compiled.safetensors --out functional.key",
                "encrypt --parameters authority/public --data data.safetensors --items 0..3 --out ciphertexts",
            ] {
                workshop.works(arguments);
            }
            workshop
        });
        let workshop = Self::empty();
        copy(model.folder.path(), workshop.folder.path());
        workshop
    }

    /// Copies a folder.
    pub fn copy(&self, from: &str, to: &str) {
        copy(&self.path(from), &self.path(to));
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `halflight` with arguments separated by spaces.
    pub fn run(&self, arguments: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_halflight"))
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env("HALFLIGHT_PASSPHRASE", PASSPHRASE)
            .env("HALFLIGHT_CLIENT", self.folder.path().join("owner"))
            .env("SOFTHSM2_CONF", self.folder.path().join("softhsm2.conf"))
            .output()
            .expect("the command starts")
    }

    /// Runs it and expects success; returns what it printed.
    pub fn works(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "halflight {arguments}: {errors}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// Runs it with `--json` and parses the one object on stdout.
    pub fn json(&self, arguments: &str) -> Value {
        let text = self.works(&format!("{arguments} --json"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("halflight {arguments}: {error} in {text}"))
    }

    /// Runs it and expects a clean refusal that names every one of `words`: exit code 1 or 2, nothing on stdout,
    /// no panic, and no file called `out` (or a temporary one) left over.
    pub fn refuses(&self, arguments: &str, words: &[&str]) {
        let before = self.listing();
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code();
        assert!(matches!(code, Some(1 | 2)), "halflight {arguments}: exit {code:?}: {errors}");
        assert!(!errors.contains("panicked"), "halflight {arguments}: {errors}");
        assert!(output.stdout.is_empty(), "halflight {arguments} printed a result");
        for word in words {
            assert!(errors.contains(word), "halflight {arguments}: no `{word}` in: {errors}");
        }
        assert_eq!(before, self.listing(), "halflight {arguments} left something behind");
    }

    /// Starts a server; ends with what is given back. The address is what it prints after `says`.
    pub fn serve(&self, arguments: &str, says: &str) -> Served {
        let mut child = Command::new(env!("CARGO_BIN_EXE_halflight"))
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env("HALFLIGHT_PASSPHRASE", PASSPHRASE)
            .env("HALFLIGHT_CLIENT", self.folder.path().join("owner"))
            .env("SOFTHSM2_CONF", self.folder.path().join("softhsm2.conf"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let mut said = String::new();
        let found = lines.by_ref().map_while(Result::ok).find_map(|line| {
            said.push_str(&line);
            line.strip_prefix(says).map(str::to_owned)
        });
        // What it logs from now on must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Served { address: found.unwrap_or_else(|| panic!("halflight {arguments}: {said}")), child }
    }

    /// Copies a file with one change.
    pub fn damaged(&self, name: &str, copy: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = std::fs::read(self.path(name)).expect("the file is there");
        change(&mut bytes);
        std::fs::write(self.path(copy), bytes).expect("the copy is written");
    }

    fn listing(&self) -> Vec<(PathBuf, u64)> {
        let mut found = Vec::new();
        list(self.folder.path(), &mut found);
        found.sort();
        found
    }
}

fn copy(from: &Path, to: &Path) {
    let mut found = Vec::new();
    list(from, &mut found);
    for (path, _) in found {
        let copy = to.join(path.strip_prefix(from).expect("inside"));
        std::fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder is made");
        std::fs::copy(path, copy).expect("a file is copied");
    }
}

fn list(folder: &Path, found: &mut Vec<(PathBuf, u64)>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(&path, found);
        } else {
            found.push((path, entry.metadata().expect("metadata").len()));
        }
    }
}
