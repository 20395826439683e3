//! WAV files of the common kinds to one channel of floats.

use std::io::Read;

use hound::{SampleFormat, WavReader, WavSpec};

use super::SoundError;

/// Two minutes at 48 kHz: an item is a word or a phrase.
const MOST_SAMPLES: usize = 48_000 * 120;
const MOST_CHANNELS: u16 = 16;
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// One channel of samples in −1..1.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    samples: Vec<f32>,
    rate: u32,
}

impl Recording {
    /// Samples at a rate in Hz.
    ///
    /// # Errors
    /// A rate outside 4 to 192 kHz, too many samples, or some that are not finite.
    pub fn new(samples: Vec<f32>, rate: u32) -> Result<Self, SoundError> {
        if !RATES.contains(&rate) {
            return Err(SoundError::Rate(rate));
        }
        if samples.len() > MOST_SAMPLES {
            return Err(SoundError::Long(MOST_SAMPLES));
        }
        if !samples.iter().all(|value| value.is_finite()) {
            return Err(SoundError::Numbers);
        }
        Ok(Self { samples, rate })
    }

    /// The whole of a WAV file.
    ///
    /// # Errors
    /// [`SoundError`].
    pub fn from_wav(file: impl Read) -> Result<Self, SoundError> {
        WavFile::open(file)?.read()
    }

    /// The samples.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Samples in a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }
}

/// A WAV file whose header was read.
#[expect(missing_debug_implementations, reason = "its reader has none")]
pub struct WavFile<R> {
    reader: WavReader<R>,
    spec: WavSpec,
    frames: usize,
}

impl<R: Read> WavFile<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// Not a WAV file, or a rate or channels that no recording has.
    pub fn open(file: R) -> Result<Self, SoundError> {
        let reader = WavReader::new(file).map_err(damaged)?;
        let spec = reader.spec();
        if !RATES.contains(&spec.sample_rate) {
            return Err(SoundError::Rate(spec.sample_rate));
        }
        if spec.channels == 0 || spec.channels > MOST_CHANNELS {
            return Err(SoundError::Channels(spec.channels));
        }
        // The length from the header: a shorter file ends in an error, and no more than this is read.
        let frames = (reader.duration() as usize).min(MOST_SAMPLES + 1);
        Ok(Self { reader, spec, frames })
    }

    /// The samples that will be read of each channel.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Reads the samples.
    ///
    /// # Errors
    /// Fewer than the header says, or more than two minutes, or some that are not finite.
    pub fn read(self) -> Result<Recording, SoundError> {
        let Self { mut reader, spec, frames } = self;
        let channels = usize::from(spec.channels);
        let samples = match spec.sample_format {
            SampleFormat::Float => mixed(reader.samples::<f32>(), channels, frames, |value| value),
            SampleFormat::Int => {
                let scale = 1.0 / (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
                mixed(reader.samples::<i32>(), channels, frames, |value| value as f32 * scale)
            }
        };
        Recording::new(samples.map_err(damaged)?, spec.sample_rate)
    }
}

fn damaged(error: hound::Error) -> SoundError {
    SoundError::Wav(error.to_string())
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
