//! Parities of any binary digits of the outputs, by elimination modulo 2.

use super::config::{AttackerConfig, Kind};
use super::hidden::{Hidden, Reading, outputs};
use super::reader::Reader;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

pub(super) static KIND: Kind = Kind::of_one(
    "parity",
    "parities of digits",
    "Looks for a sum modulo 2 of any binary digits of the outputs that equals the attribute, by elimination on small \
     samples.",
    |name, _| (name == "parity").then(AttackerConfig::parity),
    || vec![AttackerConfig::parity()],
);

/// The most outputs used, and the most digits in all.
const WORDS: usize = 32;
const DIGITS: usize = 480;
/// The most main classes that may shift the sum.
const CLASSES: usize = 30;
/// The most digits of the attribute's number.
const TARGETS: u32 = 4;
/// Samples: an exceptional item spoils those that contain it.
const TRIES: usize = 16;
/// Rows beyond the number of unknowns, and rows that judge a sum.
const SPARE: usize = 24;
const JUDGES: usize = 256;
/// Fraction of the judging rows that must agree.
const AGREED: f64 = 0.65;

#[derive(Debug)]
struct Parity;

impl AttackerConfig {
    /// Sums modulo 2 of binary digits of the outputs. Reads integers.
    pub fn parity() -> AttackerConfig {
        AttackerConfig::new(Parity)
    }
}

impl Reader for Parity {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn cost(&self) -> usize {
        2
    }

    fn columns(&self, width: usize) -> Vec<Vec<(usize, i64)>> {
        outputs(width, WORDS)
    }

    fn readings(&self, hidden: &Hidden, rng: &mut ChaCha8Rng) -> Vec<Reading> {
        let layout = Layout::new(hidden);
        let sides = [false, true].map(|of_test| {
            hidden
                .rows(of_test)
                .zip(hidden.mains(of_test))
                .map(|(row, &main)| layout.digits(&row, main))
                .collect::<Vec<Row>>()
        });
        let [rows, asked] = &sides;
        let values = hidden.labels.values as u32;
        let targets = (0..TARGETS).filter(|target| 1 << target < values);
        let readings = targets.filter_map(|target| {
            let wanted: Vec<bool> = hidden.labels.value.iter().map(|value| value >> target & 1 == 1).collect();
            let sum = (0..TRIES).find_map(|_| solve(rows, &wanted, layout.unknowns, rng))?;
            let coded = |rows: &[Row]| rows.iter().map(|row| u16::from(odd(row, &sum))).collect::<Vec<u16>>();
            Some(Reading::Given { train: coded(rows), test: coded(asked), cells: 2 })
        });
        readings.collect()
    }
}

/// Binary digits of a row, and one for its main class or for all classes.
type Row = [u64; 8];

struct Layout {
    /// Digits of every output.
    digits: Vec<u32>,
    classes: bool,
    unknowns: usize,
}

impl Layout {
    fn new(hidden: &Hidden) -> Layout {
        let words = &hidden.train;
        let width = words.columns.len();
        let most = DIGITS / width.max(1);
        let digits = (0..width).map(|word| {
            let (low, high) = words.range(word);
            // With the sign.
            let bits = u64::BITS - low.unsigned_abs().max(high.unsigned_abs()).leading_zeros() + 1;
            bits.min(most as u32)
        });
        let digits: Vec<u32> = digits.collect();
        let classes = hidden.labels.mains <= CLASSES;
        let unknowns = digits.iter().sum::<u32>() as usize + if classes { hidden.labels.mains } else { 1 };
        Layout { digits, classes, unknowns }
    }

    fn digits(&self, row: &[i64], main: u32) -> Row {
        let mut out = [0; 8];
        let mut at = 0;
        for (&x, &digits) in row.iter().zip(&self.digits) {
            for digit in 0..digits {
                out[at / 64] |= (x.cast_unsigned() >> digit & 1) << (at % 64);
                at += 1;
            }
        }
        at += if self.classes { main as usize } else { 0 };
        out[at / 64] |= 1 << (at % 64);
        out
    }
}

/// Whether an odd number of the chosen digits are 1.
fn odd(row: &Row, chosen: &Row) -> bool {
    row.iter().zip(chosen).fold(0, |sum, (a, b)| sum ^ (a & b)).count_ones() % 2 == 1
}

/// A sum that equals the target on as many random rows as there are unknowns, if it also does on other rows.
fn solve(rows: &[Row], wanted: &[bool], unknowns: usize, rng: &mut ChaCha8Rng) -> Option<Row> {
    let mut pick = |_| {
        let row = rng.random_range(0..rows.len());
        (rows[row], wanted[row])
    };
    let mut open: Vec<(Row, bool)> = (0..unknowns + SPARE).map(&mut pick).collect();
    let mut pivots: Vec<(usize, Row, bool)> = Vec::new();
    for unknown in 0..unknowns {
        let has = |row: &Row| row[unknown / 64] >> (unknown % 64) & 1 == 1;
        let Some(at) = open.iter().position(|(row, _)| has(row)) else { continue };
        let (pivot, value) = open.swap_remove(at);
        for (row, other) in open.iter_mut().filter(|(row, _)| has(row)) {
            row.iter_mut().zip(&pivot).for_each(|(a, b)| *a ^= b);
            *other ^= value;
        }
        pivots.push((unknown, pivot, value));
    }
    // Redundant rows show how likely a chance agreement is.
    let mut sum: Row = [0; 8];
    for (unknown, row, value) in pivots.iter().rev() {
        // Unknowns after this one are set already; the others of its row are 0.
        if odd(row, &sum) != *value {
            sum[unknown / 64] |= 1 << (unknown % 64);
        }
    }
    let agreed = (0..JUDGES).map(&mut pick).filter(|(row, value)| odd(row, &sum) == *value).count();
    (agreed as f64 >= AGREED * JUDGES as f64).then_some(sum)
}
