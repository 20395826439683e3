//! Cosets of the lattice that differences of items of one value span.

use super::config::{AttackerConfig, Kind};
use super::hidden::{Dyadic, Hidden, Lattice, Reading, outputs};
use super::reader::Reader;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

pub(super) static KIND: Kind = Kind::of_one(
    "lattice",
    "lattices of differences",
    "Finds moduli and factors in which items of one value agree, from the lattice of their differences: one to three \
           outputs modulo anything, all of them modulo powers of two.",
    |name, _| (name == "lattice").then(AttackerConfig::lattice),
    || vec![AttackerConfig::lattice()],
);

/// The most outputs used.
const WORDS: usize = 16;
/// The most sets of outputs used together.
const GROUPS: usize = 64;
/// The most main classes with their own lattices.
const CLASSES: usize = 16;
/// Lattices from different items: it is enough if one of them contains no exceptional item.
const TRIES: usize = 8;
/// Differences beyond the dimension: this many random vectors fail to span the whole lattice once in several hundred
/// times.
const SPARE: usize = 8;
/// The most lattices that are used.
const LATTICES: usize = 96;
/// The most cosets that are distinguished.
const COSETS: usize = 255;
/// Rows among which cosets must repeat.
const SAMPLE: usize = 2_048;

#[derive(Debug)]
struct Lattices;

impl AttackerConfig {
    /// Finds moduli and factors from the differences of items of one value. Reads integers.
    pub fn lattice() -> AttackerConfig {
        AttackerConfig::new(Lattices)
    }
}

impl Reader for Lattices {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn cost(&self) -> usize {
        3
    }

    fn columns(&self, width: usize) -> Vec<Vec<(usize, i64)>> {
        outputs(width, WORDS)
    }

    fn readings(&self, hidden: &Hidden, rng: &mut ChaCha8Rng) -> Vec<Reading> {
        let rows: Vec<Vec<i64>> = hidden.rows(false).collect();
        let asked: Vec<Vec<i64>> = hidden.rows(true).collect();
        let readings =
            lattices(hidden, &rows, rng).into_iter().filter_map(|found| found.reading(&rows, &asked)).collect();
        hidden.strongest(readings, 8_192, 24)
    }
}

/// Cosets of some outputs.
#[derive(PartialEq)]
enum Cosets {
    Whole(Vec<usize>, Lattice),
    Dyadic(Dyadic),
}

impl Cosets {
    /// A number that identifies the coset of a row.
    fn of(&self, row: &[i64]) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self {
            Cosets::Whole(group, lattice) => {
                lattice.coset(group.iter().map(|&output| row[output].into()).collect()).hash(&mut hasher);
            }
            Cosets::Dyadic(module) => module.coset(row.iter().map(|x| x.cast_unsigned()).collect()).hash(&mut hasher),
        }
        hasher.finish()
    }

    /// `None` where all rows lie in one coset, or hardly any two in the same one.
    fn reading(&self, rows: &[Vec<i64>], asked: &[Vec<i64>]) -> Option<Reading> {
        let count = |rows: &[Vec<i64>]| {
            let mut counts: HashMap<u64, usize> = HashMap::new();
            rows.iter().for_each(|row| *counts.entry(self.of(row)).or_default() += 1);
            counts
        };
        let first = &rows[..rows.len().min(SAMPLE)];
        let some = count(first);
        if some.len() < 2 || 2 * some.len() > first.len() {
            return None;
        }
        let mut counts: Vec<(usize, u64)> = count(rows).into_iter().map(|(coset, items)| (items, coset)).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let codes: HashMap<u64, u16> =
            counts.iter().take(COSETS).zip(1..).map(|(&(_, coset), code)| (coset, code)).collect();
        let coded = |rows: &[Vec<i64>]| {
            rows.iter().map(|row| codes.get(&self.of(row)).copied().unwrap_or(0)).collect::<Vec<u16>>()
        };
        Some(Reading::Given { train: coded(rows), test: coded(asked), cells: codes.len() + 1 })
    }
}

/// The proper sublattices, without duplicates.
fn lattices(hidden: &Hidden, rows: &[Vec<i64>], rng: &mut ChaCha8Rng) -> Vec<Cosets> {
    let labels = &hidden.labels;
    let mut cells = vec![Vec::new(); labels.mains * labels.values];
    for (row, (&main, &value)) in labels.main.iter().zip(&labels.value).enumerate() {
        cells[main as usize * labels.values + value as usize].push(row);
    }
    let cells_of = |class: Option<usize>| -> Vec<&Vec<usize>> {
        let of_class = cells.iter().enumerate().filter(|(at, _)| class.is_none_or(|class| at / labels.values == class));
        of_class.map(|(_, cell)| cell).filter(|cell| cell.len() > 1).collect()
    };
    let own = if (2..=CLASSES).contains(&labels.mains) { labels.mains } else { 0 };
    let width = rows.first().map_or(0, Vec::len);
    let groups = groups(width);
    let mut found: Vec<Cosets> = Vec::new();
    for class in std::iter::once(None).chain((0..own).map(Some)) {
        let cells = cells_of(class);
        if cells.is_empty() {
            continue;
        }
        for _ in 0..TRIES {
            let mut difference = || -> Vec<i64> {
                let cell = cells[rng.random_range(0..cells.len())];
                let [a, b] = [0; 2].map(|_| &rows[cell[rng.random_range(0..cell.len())]]);
                a.iter().zip(b).map(|(a, b)| a.wrapping_sub(*b)).collect()
            };
            let differences: Vec<Vec<i64>> = (0..width + SPARE).map(|_| difference()).collect();
            let mut module = Dyadic::new(width);
            differences.iter().for_each(|row| module.insert(row.iter().map(|x| x.cast_unsigned()).collect()));
            let whole = groups.iter().filter_map(|group| {
                let mut lattice = Lattice::new(group.len());
                for row in &differences[..group.len() + SPARE] {
                    lattice.insert(group.iter().map(|&output| row[output].into()).collect())?;
                }
                (!lattice.is_everything()).then(|| Cosets::Whole(group.clone(), lattice))
            });
            let dyadic = (!module.is_everything()).then_some(Cosets::Dyadic(module));
            for cosets in whole.chain(dyadic) {
                if !found.contains(&cosets) {
                    found.push(cosets);
                }
            }
            if found.len() >= LATTICES {
                found.truncate(LATTICES);
                return found;
            }
        }
    }
    found
}

/// Sets of one, two and three outputs, as many as the limit allows.
fn groups(width: usize) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = (0..width).map(|a| vec![a]).collect();
    groups.extend((0..width).flat_map(|b| (0..b).map(move |a| vec![a, b])));
    groups.extend((0..width).flat_map(|c| (0..c).flat_map(move |b| (0..b).map(move |a| vec![a, b, c]))));
    groups.truncate(GROUPS);
    groups
}
