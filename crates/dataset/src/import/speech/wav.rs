//! WAV files of the common kinds to one channel of floats.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use hound::{SampleFormat, WavReader};

use crate::import::{Budget, Held};

/// A recording: samples in −1..1.
pub(super) struct Sound {
    pub samples: Vec<f32>,
    pub rate: u32,
}

/// Two minutes at 48 kHz: an item is a word or a phrase.
const MOST_SAMPLES: usize = 48_000 * 120;
const MOST_CHANNELS: u16 = 16;
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// What a sample takes while it is processed: itself, a changed copy, its part of overlapping windows.
const SAMPLE: u64 = 32;

/// A recording, and the memory reserved until it has been processed.
pub(super) fn read<'a>(path: &Path, budget: &'a Budget) -> Result<(Sound, Held<'a>), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let damaged = |error: hound::Error| format!("not a readable WAV file: {error}");
    let mut reader = WavReader::new(BufReader::new(file)).map_err(damaged)?;
    let spec = reader.spec();
    if !RATES.contains(&spec.sample_rate) {
        return Err(format!("its sample rate is {} Hz: convert it to 8 to 48 kHz", spec.sample_rate));
    }
    if spec.channels == 0 || spec.channels > MOST_CHANNELS {
        return Err(format!("it has {} channels: convert it to one", spec.channels));
    }
    let channels = usize::from(spec.channels);
    // The length from the header: a shorter file ends in an error, and no more than this is read.
    let frames = (reader.duration() as usize).min(MOST_SAMPLES + 1);
    let held = budget.hold(SAMPLE * frames as u64).map_err(|over| over.to_string())?;
    let samples = match spec.sample_format {
        SampleFormat::Float => mixed(reader.samples::<f32>(), channels, frames, |value| value),
        SampleFormat::Int => {
            let scale = 1.0 / (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            mixed(reader.samples::<i32>(), channels, frames, |value| value as f32 * scale)
        }
    };
    let samples = samples.map_err(damaged)?;
    if samples.len() > MOST_SAMPLES {
        return Err(format!("it is longer than {MOST_SAMPLES} samples: cut it into words"));
    }
    if !samples.iter().all(|value| value.is_finite()) {
        return Err("it has samples that are not finite numbers".into());
    }
    Ok((Sound { samples, rate: spec.sample_rate }, held))
}

/// The mean of all channels, at most this many samples.
fn mixed<T>(
    values: impl Iterator<Item = hound::Result<T>>,
    channels: usize,
    most: usize,
    turn: impl Fn(T) -> f32,
) -> hound::Result<Vec<f32>> {
    let (mut samples, mut sum) = (Vec::new(), 0.0);
    for (place, value) in values.take(most * channels).enumerate() {
        sum += turn(value?);
        if place % channels == channels - 1 {
            samples.push(sum / channels as f32);
            sum = 0.0;
        }
    }
    Ok(samples)
}
