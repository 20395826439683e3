//! Changed copies of a recording: what another day, another mouth or another room would have produced.

use items::sound::{Recording, SoundError};

use crate::draw::Random;

/// The stream of random numbers of changed copies.
const STREAM: u64 = 300;

/// Speed (and with it pitch) by ±10 %, up to 5 % cut at either end, noise 15 to 45 dB below.
pub(super) fn change(sound: &Recording, seed: u64, recording: u64, copy: usize) -> Result<Recording, SoundError> {
    let mut random = Random::new(seed, STREAM + copy as u64, recording);
    let speed = 1.0 + 0.1 * random.symmetric();
    let length = sound.samples().len();
    let mut cut = || (random.symmetric().abs() * 0.05 * length as f32) as usize;
    let (start, end) = (cut(), cut());
    let kept = &sound.samples()[start..length - end];

    let mut samples = Vec::with_capacity((kept.len() as f32 / speed) as usize + 1);
    for place in 0..(kept.len() as f32 / speed) as usize {
        let position = place as f32 * speed;
        let (before, share) = (position as usize, position.fract());
        let at = |place: usize| kept.get(place).copied().unwrap_or(0.0);
        samples.push(at(before) * (1.0 - share) + at(before + 1) * share);
    }

    let power = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32;
    let below = 30.0 + 15.0 * random.symmetric();
    // Uniform noise in −1..1 has a power of 1/3.
    let noise = (3.0 * power * 10f32.powf(-below / 10.0)).sqrt();
    samples.iter_mut().for_each(|sample| *sample += noise * random.symmetric());
    Recording::new(samples, sound.rate())
}
