//! Every input of the committed corpora, as a regression test: `cargo test -p halflight-fuzz [-- TARGET...]`.
//!
//! `HALFLIGHT_FUZZ_SECONDS` says for how long each target then takes random changes of its inputs, without the
//! guidance of coverage; `HALFLIGHT_FUZZ_SEED` says which.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, panic};

use halflight_fuzz::{Target, scratch, targets};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Longest changed input, in bytes.
const LONGEST: usize = 4096;

fn main() -> ExitCode {
    let chosen: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let number = |name: &str| -> u64 { env::var(name).map_or(0, |text| text.parse().expect("it is a number")) };
    let (seconds, seed) = (number("HALFLIGHT_FUZZ_SECONDS"), number("HALFLIGHT_FUZZ_SEED"));
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut findings = 0;
    for (name, run) in targets() {
        if !chosen.is_empty() && !chosen.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let files = fs::read_dir(corpus.join(name)).expect("each target has a corpus");
        let mut files: Vec<_> = files.map(|entry| entry.expect("it can be listed").path()).collect();
        files.sort();
        let inputs: Vec<_> = files.iter().map(|path| fs::read(path).expect("it can be read")).collect();
        assert!(!inputs.is_empty(), "the corpus of {name} is empty");
        for (path, input) in files.iter().zip(&inputs) {
            findings += u32::from(is_finding(run, input, &format!("{name}: {}", path.display())));
        }
        println!("{name}: {} inputs", inputs.len());
        if seconds > 0 {
            findings += changed((name, run), &inputs, Duration::from_secs(seconds), seed);
        }
    }
    // Best effort: temporary files are in the way of nobody.
    let _ = fs::remove_dir_all(scratch());
    if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn is_finding(run: fn(&[u8]), input: &[u8], what: &str) -> bool {
    let finding = panic::catch_unwind(|| run(input)).is_err();
    if finding {
        eprintln!("{what} is a finding");
    }
    finding
}

/// Random changes of inputs; the number of findings, of which the first few are shown.
fn changed((name, run): Target, inputs: &[Vec<u8>], time: Duration, seed: u64) -> u32 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (start, mut count, mut findings) = (Instant::now(), 0_u64, 0);
    while start.elapsed() < time && findings < 3 {
        let mut input = inputs[random.random_range(0..inputs.len())].clone();
        for _ in 0..random.random_range(1..=8) {
            change(&mut input, inputs, &mut random);
        }
        input.truncate(LONGEST);
        count += 1;
        findings += u32::from(is_finding(run, &input, &format!("{name}: {}", input.escape_ascii())));
    }
    println!("{name}: {count} changed inputs, {:.0} a second", count as f64 / start.elapsed().as_secs_f64());
    findings
}

fn change(input: &mut Vec<u8>, inputs: &[Vec<u8>], random: &mut ChaCha8Rng) {
    const VALUES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'9', b'-'];
    let at = random.random_range(0..=input.len());
    match random.random_range(0..6) {
        0 => input.insert(at, random.random()),
        1 => input.insert(at, VALUES[random.random_range(0..VALUES.len())]),
        2 => input.truncate(at),
        3 if at < input.len() => drop(input.remove(at)),
        4 if at < input.len() => input[at] = random.random(),
        // What another input has at some place.
        5 => {
            let other = &inputs[random.random_range(0..inputs.len())];
            let from = random.random_range(0..=other.len());
            let length = random.random_range(0..=(other.len() - from).min(64));
            input.splice(at..at, other[from..from + length].iter().copied());
        }
        _ => {}
    }
}
