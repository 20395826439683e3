//! WAV files of any common kind to one channel of floats.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use hound::{SampleFormat, WavReader};

/// A recording: samples in −1..1.
pub(super) struct Sound {
    pub samples: Vec<f32>,
    pub rate: u32,
}

/// Two minutes at 48 kHz: an item is a word or a phrase.
const MOST_SAMPLES: usize = 48_000 * 120;
const MOST_CHANNELS: u16 = 16;
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

pub(super) fn read(path: &Path) -> Result<Sound, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let damaged = |error: hound::Error| format!("not a readable WAV file: {error}");
    let mut reader = WavReader::new(BufReader::new(file)).map_err(damaged)?;
    let spec = reader.spec();
    if !RATES.contains(&spec.sample_rate) {
        return Err(format!("its rate is {} Hz: convert it to 8 to 48 kHz", spec.sample_rate));
    }
    if spec.channels == 0 || spec.channels > MOST_CHANNELS {
        return Err(format!("it has {} channels: convert it to one", spec.channels));
    }
    let most = MOST_SAMPLES * usize::from(spec.channels);
    let values: Vec<f32> = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().take(most + 1).collect::<Result<_, _>>().map_err(damaged)?,
        SampleFormat::Int => {
            let scale = 1.0 / (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            let values = reader.samples::<i32>().take(most + 1);
            values.map(|value| value.map(|value| value as f32 * scale)).collect::<Result<_, _>>().map_err(damaged)?
        }
    };
    if values.len() > most {
        return Err(format!("it is longer than {MOST_SAMPLES} samples: cut it into words"));
    }
    if !values.iter().all(|value| value.is_finite()) {
        return Err("it has samples that are no numbers".into());
    }
    let channels = usize::from(spec.channels);
    let samples = values.chunks(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect();
    Ok(Sound { samples, rate: spec.sample_rate })
}
