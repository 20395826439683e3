//! Log-mel energies of a fixed number of bands and frames.

use std::collections::HashMap;

use libm::{cosf, log10f, powf};
use microfft::real::{rfft_128, rfft_256, rfft_512, rfft_1024, rfft_2048, rfft_4096, rfft_8192};
use num_complex::Complex32;

use super::analysis::{Analysis, FLOOR};
use super::{Recording, SoundError};

const WINDOW_SECONDS: f32 = 0.032;
const HOP_SECONDS: f32 = 0.008;

/// The analysers of one thread, one for each sample rate met.
#[derive(Debug, Default)]
pub(super) struct Analysers(HashMap<u32, Analyser>);

/// Everything that depends on the sample rate only.
#[derive(Debug)]
struct Analyser {
    rate: u32,
    hop: usize,
    window: Vec<f32>,
    /// First bin and weights of each band's triangle.
    bands: Vec<(usize, Vec<f32>)>,
    input: Vec<f32>,
}

impl Analysers {
    /// `bands × frames` energies in dB below the loudest, at least [`FLOOR`], low bands first.
    pub fn energies(&mut self, sound: &Recording, options: &Analysis) -> Result<Vec<f32>, SoundError> {
        let (rate, high) = (sound.rate(), options.high);
        if high > rate as f32 / 2.0 {
            return Err(SoundError::High { rate, high });
        }
        let analyser = self.0.entry(rate).or_insert_with(|| Analyser::new(rate, options));
        let powers = analyser.powers(sound.samples())?;
        let spoken = spoken(&powers, options.trim).ok_or(SoundError::Silent)?;
        let powers = &powers[spoken];
        let loudest = powers.iter().flatten().copied().fold(0.0, f32::max);
        let decibels = |power: f32| (10.0 * log10f((power / loudest).max(1e-12))).max(FLOOR);
        let frames: Vec<Vec<f32>> =
            powers.iter().map(|frame| frame.iter().map(|&power| decibels(power)).collect()).collect();
        let row = |band: usize| stretch(&frames, band, options.frames);
        Ok((0..options.bands).flat_map(row).collect())
    }
}

impl Analyser {
    fn new(rate: u32, options: &Analysis) -> Self {
        let length = (rate as f32 * WINDOW_SECONDS) as usize;
        let size = length.next_power_of_two();
        let hann = |place: usize| 0.5 - 0.5 * cosf(std::f32::consts::TAU * (place as f32 + 0.5) / length as f32);
        let (low, high) = (mel(options.low), mel(options.high));
        let corner = |place: usize| hertz(low + (high - low) * place as f32 / (options.bands + 1) as f32);
        let per_bin = rate as f32 / size as f32;
        let triangle = |band: usize| {
            let (left, middle, right) = (corner(band), corner(band + 1), corner(band + 2));
            // A band narrower than a bin still gets its nearest one.
            let first = ((left / per_bin).ceil() as usize).min((middle / per_bin).round() as usize);
            let last = ((right / per_bin).floor() as usize).max(first).min(size / 2);
            let weight = |bin: usize| {
                let frequency = bin as f32 * per_bin;
                ((frequency - left) / (middle - left)).min((right - frequency) / (right - middle)).max(0.0)
            };
            let mut weights: Vec<f32> = (first..=last).map(weight).collect();
            let total: f32 = weights.iter().sum();
            if total > 0.0 {
                weights.iter_mut().for_each(|weight| *weight /= total);
            } else {
                weights = vec![1.0];
            }
            (first.min(size / 2), weights)
        };
        Self {
            rate,
            hop: ((rate as f32 * HOP_SECONDS) as usize).max(1),
            window: (0..length).map(hann).collect(),
            bands: (0..options.bands).map(triangle).collect(),
            input: vec![0.0; size],
        }
    }

    /// The power of each band in each window; at least one window, padded with silence.
    fn powers(&mut self, samples: &[f32]) -> Result<Vec<Vec<f32>>, SoundError> {
        if samples.is_empty() {
            return Err(SoundError::Empty);
        }
        let windows = 1 + samples.len().saturating_sub(self.window.len()) / self.hop;
        let mut powers = Vec::with_capacity(windows);
        for start in (0..windows).map(|window| window * self.hop) {
            self.input.fill(0.0);
            let windowed = samples[start..].iter().zip(&self.window).map(|(sample, weight)| sample * weight);
            self.input.iter_mut().zip(windowed).for_each(|(input, value)| *input = value);
            let spectrum = spectrum(&mut self.input).ok_or(SoundError::Rate(self.rate))?;
            let band = |(first, weights): &(usize, Vec<f32>)| {
                let bins = spectrum[*first..].iter().zip(weights);
                bins.map(|(power, weight)| power * weight).sum()
            };
            powers.push(self.bands.iter().map(band).collect());
        }
        Ok(powers)
    }
}

/// The power of each frequency, from 0 to half the rate; none for a length that no window has.
fn spectrum(input: &mut [f32]) -> Option<Vec<f32>> {
    macro_rules! of_length {
        ($($length:literal $transform:ident),*) => {
            match input.len() {
                $($length => $transform(input.try_into().ok()?).as_slice(),)*
                _ => return None,
            }
        };
    }
    let bins: &[Complex32] = of_length!(
        128 rfft_128, 256 rfft_256, 512 rfft_512, 1024 rfft_1024, 2048 rfft_2048, 4096 rfft_4096, 8192 rfft_8192
    );
    // The first holds two real ones: frequency 0, and half the rate.
    let (ends, rest) = bins.split_first()?;
    let mut powers = Vec::with_capacity(bins.len() + 1);
    powers.push(ends.re * ends.re);
    powers.extend(rest.iter().map(Complex32::norm_sqr));
    powers.push(ends.im * ends.im);
    Some(powers)
}

/// The windows from the first to the last that is not `trim` dB below the loudest.
fn spoken(powers: &[Vec<f32>], trim: f32) -> Option<std::ops::Range<usize>> {
    let totals: Vec<f32> = powers.iter().map(|frame| frame.iter().sum()).collect();
    let loudest = totals.iter().copied().fold(0.0, f32::max);
    // Below this, rounding errors of 16-bit zero.
    if loudest < 1e-10 {
        return None;
    }
    let heard = |&total: &f32| total >= loudest * powf(10.0, -trim / 10.0);
    let first = totals.iter().position(heard)?;
    let last = totals.iter().rposition(heard)?;
    Some(first..last + 1)
}

/// The average of a band over each of `count` equal parts of the time.
fn stretch(frames: &[Vec<f32>], band: usize, count: usize) -> impl Iterator<Item = f32> {
    (0..count).map(move |part| {
        let from = part as f64 * frames.len() as f64 / count as f64;
        let to = (part + 1) as f64 * frames.len() as f64 / count as f64;
        let last = (to.ceil() as usize).min(frames.len());
        let (mut sum, mut length) = (0.0, 0.0);
        for (place, frame) in frames.iter().enumerate().take(last).skip(from as usize) {
            let share = (to.min(place as f64 + 1.0) - from.max(place as f64)).max(0.0);
            sum += share * f64::from(frame[band]);
            length += share;
        }
        if length > 0.0 { (sum / length) as f32 } else { FLOOR }
    })
}

fn mel(hertz: f32) -> f32 {
    2595.0 * log10f(1.0 + hertz / 700.0)
}

fn hertz(mel: f32) -> f32 {
    700.0 * (powf(10.0, mel / 2595.0) - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(frequency: f32, rate: u32, seconds: f32) -> Recording {
        let samples = (0..(rate as f32 * seconds) as usize)
            .map(|place| (std::f32::consts::TAU * frequency * place as f32 / rate as f32).sin() * 0.3);
        Recording::new(samples.collect(), rate).unwrap()
    }

    fn loudest_band(sound: &Recording) -> usize {
        let options = Analysis::default();
        let energies = Analysers::default().energies(sound, &options).unwrap();
        let mean = |band: usize| energies[band * 24..][..24].iter().sum::<f32>();
        (0..20).max_by(|&a, &b| mean(a).total_cmp(&mean(b))).unwrap()
    }

    #[test]
    fn a_spectrum_is_the_sum_over_all_samples() {
        let samples: Vec<f32> = (0..128).map(|place| ((place * place) % 17) as f32 - 8.0).collect();
        let found = spectrum(&mut samples.clone()).unwrap();
        assert_eq!(found.len(), 65);
        for (bin, found) in found.into_iter().enumerate() {
            let turn = |place: usize| std::f64::consts::TAU * (bin * place) as f64 / 128.0;
            let part = |wave: fn(f64) -> f64| {
                let values = samples.iter().enumerate().map(|(place, &sample)| f64::from(sample) * wave(turn(place)));
                values.sum::<f64>()
            };
            let expected = part(f64::cos).powi(2) + part(f64::sin).powi(2);
            assert!((f64::from(found) - expected).abs() < 0.5 + 1e-4 * expected, "{bin}: {found} {expected}");
        }
        assert_eq!(spectrum(&mut [0.0; 100]), None);
    }

    #[test]
    fn a_tone_lies_in_its_band_at_every_rate() {
        let spacing = (mel(4000.0) - mel(60.0)) / 21.0;
        for frequency in [200.0, 1000.0, 3000.0] {
            let expected = ((mel(frequency) - mel(60.0)) / spacing - 1.0).round() as usize;
            for rate in [8000, 16_000, 22_050, 44_100, 48_000] {
                assert_eq!(loudest_band(&tone(frequency, rate, 0.3)), expected, "{frequency} {rate}");
            }
        }
    }

    #[test]
    fn loudness_and_surrounding_silence_change_little() {
        let options = Analysis::default();
        let word = tone(700.0, 8000, 0.4);
        let quiet = Recording::new(word.samples().iter().map(|sample| sample * 0.1).collect(), 8000).unwrap();
        let silence = vec![0.0; 4000];
        let within = Recording::new([&silence[..], word.samples(), &silence].concat(), 8000).unwrap();
        let energies = |sound: &Recording| Analysers::default().energies(sound, &options).unwrap();
        let distance =
            |a: Vec<f32>, b: Vec<f32>| a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f32>() / a.len() as f32;
        assert!(distance(energies(&word), energies(&quiet)) < 0.1);
        assert!(distance(energies(&word), energies(&within)) < 6.0);
    }

    #[test]
    fn averaging_keeps_the_mean_whatever_the_number_of_frames() {
        let frames: Vec<Vec<f32>> = (0..7).map(|frame| vec![(frame * frame) as f32]).collect();
        for count in [1, 3, 7, 12, 100] {
            let out: Vec<f32> = stretch(&frames, 0, count).collect();
            assert!((out.iter().sum::<f32>() / count as f32 - 13.0).abs() < 1e-3, "{count}");
        }
    }
}
