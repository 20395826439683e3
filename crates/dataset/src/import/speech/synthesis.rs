//! Spoken words by espeak-ng, for as much data as needed: voices are accents, variants are speakers.
//!
//! Every recording is one run of `espeak-ng -v VOICE+VARIANT -s SPEED -p PITCH -w FILE WORD`, with speed
//! (130 to 200 words a minute) and pitch (25 to 75 of 99) drawn at random. Synthetic voices are far more alike than
//! people: figures on them say little about people.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use host::Progress;
use rayon::prelude::*;

use crate::draw::Random;
use crate::import::LabelSource;

/// The stream of random numbers of recordings.
const STREAM: u64 = 600;

/// Recordings of one run.
const MOST: usize = 1_000_000;

/// What is spoken, by which voices and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SynthesisOptions {
    /// The program: `espeak-ng`, or its path.
    pub program: PathBuf,
    /// The words: classes of the label `word`.
    pub words: Vec<String>,
    /// Voices as `espeak-ng --voices` names languages: classes of the label `accent`.
    pub voices: Vec<String>,
    /// Variants as `espeak-ng --voices=variant` names them: classes of the label `speaker`.
    pub variants: Vec<String>,
    /// Recordings of every word in every voice and variant.
    pub takes: usize,
    /// Random seed of speed and pitch.
    pub seed: u64,
}

impl Default for SynthesisOptions {
    fn default() -> Self {
        let strings = |list: &[&str]| list.iter().map(|text| text.to_string()).collect();
        Self {
            program: "espeak-ng".into(),
            words: strings(&["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]),
            voices: strings(&["en-us", "en-gb-scotland", "en-gb-x-rp", "en-029"]),
            variants: strings(&["m1", "m3", "m5", "m7", "f1", "f2", "f4", "f5"]),
            takes: 5,
            seed: 0,
        }
    }
}

/// Why words cannot be spoken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynthesisError {
    /// The program cannot be started.
    #[error(
        "{} cannot be started ({source}): install espeak-ng (Debian and Ubuntu: `apt install espeak-ng`, macOS: `brew install espeak-ng`) or give its path", program.display()
    )]
    Missing {
        /// Its name.
        program: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It ran, but made no recording.
    #[error(
        "{} made no recording of `{word}` by {voice}: {problem}: choose voices that `espeak-ng --voices` lists", program.display()
    )]
    Failed {
        /// The program.
        program: PathBuf,
        /// The word.
        word: String,
        /// Voice and variant.
        voice: String,
        /// Its message.
        problem: String,
    },
    /// An option outside its limits.
    #[error("`{field}` is {value}: {remedy}")]
    Option {
        /// The option.
        field: &'static str,
        /// Its value.
        value: String,
        /// The allowed values.
        remedy: String,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}: check the path and its permissions", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Writes recordings and a list of them, `list.csv`, to a folder; returns where their labels are, as
/// [`speech`](super::speech()) takes it.
pub fn synthesise(
    folder: &Path,
    options: &SynthesisOptions,
    progress: &dyn Progress,
) -> Result<LabelSource, SynthesisError> {
    options.check()?;
    let missing = |source| SynthesisError::Missing { program: options.program.clone(), source };
    Command::new(&options.program).arg("--version").output().map_err(missing)?;
    let takes = options.takes();
    progress.begin(takes.len() as u64);
    let names: Vec<String> = (0..takes.len()).map(|number| format!("{number:06}.wav")).collect();
    takes.par_iter().zip(&names).enumerate().try_for_each(|(number, (take, name))| {
        let spoken = options.speak(take, number as u64, &folder.join(name));
        progress.advance(1);
        spoken
    })?;

    let path = folder.join("list.csv");
    let io = |source| SynthesisError::Io { path: path.clone(), source };
    let mut list = csv::Writer::from_writer(Vec::new());
    let mut write = |row: [&str; 5]| list.write_record(row).map_err(|error| io(error.into()));
    write(["file", "word", "accent", "speaker", "take"])?;
    for (take, name) in takes.iter().zip(&names) {
        write([name, take.word, take.voice, take.variant, &take.take.to_string()])?;
    }
    let text = list.into_inner().map_err(|error| io(error.into_error()))?;
    fs::write(&path, text).map_err(io)?;
    Ok(LabelSource::Csv { path, file: "file".into(), labels: vec![] })
}

struct Take<'a> {
    word: &'a str,
    voice: &'a str,
    variant: &'a str,
    take: usize,
}

impl SynthesisOptions {
    fn takes(&self) -> Vec<Take<'_>> {
        let mut takes = Vec::new();
        for word in &self.words {
            for voice in &self.voices {
                for variant in &self.variants {
                    takes.extend((0..self.takes).map(|take| Take { word, voice, variant, take }));
                }
            }
        }
        takes
    }

    fn speak(&self, take: &Take, number: u64, path: &Path) -> Result<(), SynthesisError> {
        let mut random = Random::new(self.seed, STREAM, number);
        let (speed, pitch) = (130 + random.below(71), 25 + random.below(51));
        let voice = format!("{}+{}", take.voice, take.variant);
        let mut command = Command::new(&self.program);
        command.args(["-v", &voice, "-s", &speed.to_string(), "-p", &pitch.to_string(), "-w"]).arg(path);
        let output = command.arg(take.word).output();
        let output = output.map_err(|source| SynthesisError::Missing { program: self.program.clone(), source })?;
        // A header alone is not a recording.
        let made = fs::metadata(path).is_ok_and(|file| file.len() > 44);
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_string();
        if output.status.success() && made {
            return Ok(());
        }
        let problem = if complaint.is_empty() { output.status.to_string() } else { complaint };
        let (program, word) = (self.program.clone(), take.word.to_string());
        Err(SynthesisError::Failed { program, word, voice, problem })
    }

    fn check(&self) -> Result<(), SynthesisError> {
        let wrong = |field, value: String, remedy: &str| {
            Err(SynthesisError::Option { field, value, remedy: remedy.to_string() })
        };
        for (field, list) in [("words", &self.words), ("voices", &self.voices), ("variants", &self.variants)] {
            if list.is_empty() {
                return wrong(field, "empty".into(), "name at least one");
            }
            // The program would take a text that begins with a dash as an option.
            if let Some(text) = list.iter().find(|text| text.trim().is_empty() || text.starts_with('-')) {
                return wrong(field, format!("{text:?}"), "give texts that do not begin with a dash");
            }
        }
        let groups = self.words.len().saturating_mul(self.voices.len()).saturating_mul(self.variants.len());
        if self.takes == 0 || groups.saturating_mul(self.takes) > MOST {
            return wrong("takes", self.takes.to_string(), &format!("make from 1 to {MOST} recordings in all"));
        }
        Ok(())
    }
}
