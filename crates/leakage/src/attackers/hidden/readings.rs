//! Readings of integers that take few values.

use super::words::Words;

/// One reading. Quotients are rounded down, so that negative numbers have the digits of two's complement.
#[derive(Debug, Clone)]
pub(crate) enum Reading {
    /// Digits number `shift` to `shift + bits − 1` of a word in base two.
    Bits { word: usize, shift: u32, bits: u32 },
    /// `⌊x / step⌋ mod modulus`.
    Remainder { word: usize, step: i64, modulus: i64 },
    /// Digits of two words side by side, `bits` of each.
    Pair { words: [usize; 2], shifts: [u32; 2], bits: u32 },
    /// The arc of `frequency·(x − origin)` on a circle of circumference 1, divided into `arcs`.
    Phase { word: usize, origin: i64, frequency: f64, arcs: u16 },
    /// Codes that the attacker computed, below `cells`.
    Given { train: Vec<u16>, test: Vec<u16>, cells: usize },
}

impl Reading {
    /// Maximum number of values that it can take.
    pub fn cells(&self) -> usize {
        match self {
            Reading::Bits { bits, .. } => 1 << bits,
            Reading::Remainder { modulus, .. } => *modulus as usize,
            Reading::Pair { bits, .. } => 1 << (2 * bits),
            Reading::Phase { arcs, .. } => usize::from(*arcs),
            Reading::Given { cells, .. } => *cells,
        }
    }

    /// Its values for the first `rows` rows; `of_test` for test rows.
    pub fn codes(&self, words: &Words, rows: usize, of_test: bool) -> Vec<u16> {
        let column = |word: usize| &words.columns[word][..rows];
        match *self {
            Reading::Bits { word, shift, bits } => {
                let mask = (1 << bits) - 1;
                column(word).iter().map(|x| ((x >> shift.min(63)) & mask) as u16).collect()
            }
            Reading::Remainder { word, step, modulus } => {
                column(word).iter().map(|x| x.div_euclid(step).rem_euclid(modulus) as u16).collect()
            }
            Reading::Pair { words: [a, b], shifts: [of_a, of_b], bits } => {
                let mask = (1 << bits) - 1;
                let digits = |x: &i64, shift: u32| (x >> shift.min(63)) & mask;
                let both = column(a).iter().zip(column(b));
                both.map(|(a, b)| (digits(a, of_a) << bits | digits(b, of_b)) as u16).collect()
            }
            Reading::Phase { word, origin, frequency, arcs } => {
                let arc = |x: &i64| {
                    let turns = x.wrapping_sub(origin) as f64 * frequency;
                    (((turns - turns.floor()) * f64::from(arcs)) as u16).min(arcs - 1)
                };
                column(word).iter().map(arc).collect()
            }
            Reading::Given { ref train, ref test, .. } => {
                if of_test {
                    test[..rows].to_vec()
                } else {
                    train[..rows].to_vec()
                }
            }
        }
    }
}
