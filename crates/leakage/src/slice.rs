//! Items of one main class, as attackers see them.

use crate::attackers::Columns;
use crate::attackers::{Sample, Standardiser, Uncensored, Whitener};
use crate::observations::Observations;
use crate::training::Training;

/// Items of one main class, standardised by its training items.
pub(crate) struct Slice {
    pub class: u32,
    width: usize,
    train_rows: Vec<f32>,
    labels: Vec<u32>,
    test_rows: Vec<f32>,
    pub test_items: Vec<usize>,
    /// The same rows without correlations, where there are enough of them; and both side by side.
    white: Option<[Vec<f32>; 2]>,
    both: Option<[Vec<f32>; 2]>,
    /// Undefended outputs of the training items, if known.
    undefended: Vec<f32>,
    undefended_width: usize,
}

impl Slice {
    pub fn new(training: &Training, test: &Observations, class: u32) -> Slice {
        let train = &training.seen;
        let of = |labels: &[u32]| -> Vec<usize> {
            let items = labels.iter().enumerate().filter(|(_, l)| **l == class);
            items.map(|(i, _)| i).collect()
        };
        let (train_items, test_items) = (of(&train.main), of(&test.main));
        let standardiser = Standardiser::fit(&train.outputs, train.width, &train_items);
        let train_rows = standardiser.apply(&train.outputs, &train_items);
        let test_rows = standardiser.apply(&test.outputs, &test_items);
        let whitener = Whitener::fit(&train_rows, train.width);
        let white = whitener.map(|w| [w.apply(&train_rows), w.apply(&test_rows)]);
        let beside = |plain: &[f32], white: &[f32]| -> Vec<f32> {
            let rows = plain.chunks_exact(train.width).zip(white.chunks_exact(train.width));
            rows.flat_map(|(plain, white)| [plain, white].concat()).collect()
        };
        let both = white.as_ref().map(|[train, test]| [beside(&train_rows, train), beside(&test_rows, test)]);
        Slice {
            class,
            width: train.width,
            labels: train_items.iter().map(|&i| train.collateral[i]).collect(),
            white,
            both,
            train_rows,
            test_rows,
            test_items,
            undefended: training.undefended_rows(&train_items),
            undefended_width: training.undefended_width,
        }
    }

    pub fn uncensored(&self) -> Option<Uncensored<'_>> {
        (self.undefended_width > 0).then_some(Uncensored { rows: &self.undefended, width: self.undefended_width })
    }

    /// Training sample and test rows, in the form that a family looks at.
    pub fn tables(&self, values: usize, columns: Columns) -> (Sample<'_>, &[f32]) {
        let (width, tables) = match columns {
            Columns::Standardised => (self.width, None),
            Columns::Uncorrelated => (self.width, self.white.as_ref()),
            Columns::Both => (2 * self.width, self.both.as_ref()),
        };
        let (width, rows, test) = match tables {
            Some([train, test]) => (width, train, test),
            None => (self.width, &self.train_rows, &self.test_rows),
        };
        let labels = self.labels.as_slice().into();
        (Sample { rows: rows.as_slice().into(), width, labels, classes: values }, test)
    }
}

/// All classes in one table, the main label as extra columns of zeros and one 1.
pub(crate) fn with_label(slices: &[Slice], values: usize) -> (Sample<'static>, Vec<f32>) {
    let width = slices.first().map_or(0, |s| s.width);
    let extra = if slices.len() > 1 { slices.len() } else { 0 };
    let widen = |rows: fn(&Slice) -> &[f32]| -> Vec<f32> {
        let mut out = Vec::new();
        for (at, slice) in slices.iter().enumerate() {
            for row in rows(slice).chunks_exact(width) {
                out.extend_from_slice(row);
                out.extend((0..extra).map(|i| f32::from(u8::from(i == at))));
            }
        }
        out
    };
    let labels: Vec<u32> = slices.iter().flat_map(|s| &s.labels).copied().collect();
    let sample =
        Sample { rows: widen(|s| &s.train_rows).into(), width: width + extra, labels: labels.into(), classes: values };
    (sample, widen(|s| &s.test_rows))
}
