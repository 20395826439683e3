//! Naive Bayes on digits of the outputs, of their sums and of their differences.

use super::config::{AttackerConfig, Kind};
use super::hidden::{Hidden, Reading, combinations};
use super::reader::Reader;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind::of_one(
    "digits",
    "digits",
    "Naive Bayes on binary and decimal digits and small remainders of the outputs, of their pairwise sums and \
           differences, and on digits of two outputs side by side.",
    |name, _| (name == "digits").then(AttackerConfig::digits),
    || vec![AttackerConfig::digits()],
);

/// The most columns used.
const WORDS: usize = 72;
/// Binary digits in a reading: of one word, and of each of two.
const BITS: u32 = 4;
const BITS_OF_TWO: u32 = 3;
const MODULI: [i64; 13] = [3, 5, 7, 9, 11, 13, 17, 19, 23, 25, 27, 29, 31];
/// The most readings of two outputs.
const PAIRS: usize = 8192;
/// Rows that rank readings of one word, and of two.
const ROWS: [usize; 2] = [16_384, 8_192];
/// Readings that may enter the model.
const KEPT: [usize; 2] = [32, 24];

#[derive(Debug)]
struct Digits;

impl AttackerConfig {
    /// Naive Bayes on digits and small remainders of the outputs and of small combinations of them. Reads integers.
    pub fn digits() -> AttackerConfig {
        AttackerConfig::new(Digits)
    }
}

impl Reader for Digits {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn cost(&self) -> usize {
        8
    }

    fn columns(&self, width: usize) -> Vec<Vec<(usize, i64)>> {
        combinations(width, WORDS)
    }

    fn readings(&self, hidden: &Hidden, rng: &mut ChaCha8Rng) -> Vec<Reading> {
        let mut chosen = hidden.strongest(of_one(hidden), ROWS[0], KEPT[0]);
        chosen.extend(hidden.strongest(of_two(hidden, rng), ROWS[1], KEPT[1]));
        chosen
    }
}

/// Every digit of every word, with those below it.
fn of_one(hidden: &Hidden) -> Vec<Reading> {
    let mut readings = Vec::new();
    for word in 0..hidden.train.columns.len() {
        let bits = hidden.train.bits(word);
        let windows = (1..=(bits + 1).min(63)).map(|top| {
            let shift = top.saturating_sub(BITS);
            Reading::Bits { word, shift, bits: top - shift }
        });
        readings.extend(windows);
        readings.extend(MODULI.map(|modulus| Reading::Remainder { word, step: 1, modulus }));
        let steps = (0..19).map(|digit| 10_i64.pow(digit)).take_while(|step| step.ilog2() <= bits);
        readings.extend(steps.map(|step| Reading::Remainder { word, step, modulus: 10 }));
    }
    readings
}

/// Digits of two outputs side by side: all at equal places, and others as far as the limit allows.
fn of_two(hidden: &Hidden, rng: &mut ChaCha8Rng) -> Vec<Reading> {
    let width = hidden.outputs.min(hidden.train.columns.len());
    let bits: Vec<u32> = (0..width).map(|word| hidden.train.bits(word).min(62)).collect();
    let pair = |words: [usize; 2], shifts: [u32; 2]| Reading::Pair { words, shifts, bits: BITS_OF_TWO };
    let words: Vec<[usize; 2]> = (1..width).flat_map(|b| (0..b).map(move |a| [a, b])).collect();
    let of_one_place = words.iter().flat_map(|&[a, b]| (0..=bits[a].max(bits[b])).map(move |at| ([a, b], [at, at])));
    let mut readings: Vec<Reading> = of_one_place.map(|(words, shifts)| pair(words, shifts)).take(PAIRS).collect();
    let of_others: usize = words.iter().map(|&[a, b]| (bits[a] as usize + 1) * (bits[b] as usize + 1)).sum();
    if of_others <= PAIRS {
        for &[a, b] in &words {
            for of_a in 0..=bits[a] {
                let others = (0..=bits[b]).filter(|of_b| of_a != *of_b);
                readings.extend(others.map(|of_b| pair([a, b], [of_a, of_b])));
            }
        }
    } else {
        while readings.len() < PAIRS {
            let [a, b] = words[rng.random_range(0..words.len())];
            readings.push(pair([a, b], [rng.random_range(0..=bits[a]), rng.random_range(0..=bits[b])]));
        }
    }
    readings
}
