//! Items of one main class, in the form that attackers read.

use crate::attackers::Columns;
use crate::attackers::{Beside, Integers, Sample, Standardiser, Uncensored, Whitener};
use crate::observations::Observations;
use crate::outputs::Outputs;
use crate::training::Training;

/// Items of one main class, standardised by its training items.
pub(crate) struct Slice {
    pub class: u32,
    width: usize,
    train_rows: Vec<f32>,
    labels: Vec<u32>,
    test_rows: Vec<f32>,
    train_items: Vec<usize>,
    pub test_items: Vec<usize>,
    /// The same rows decorrelated, if there are enough of them; and both side by side.
    white: Option<[Vec<f32>; 2]>,
    both: Option<[Vec<f32>; 2]>,
    /// Undefended outputs of the training items, if known.
    undefended: Outputs,
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
        let exact = [(train, &train_items), (test, &test_items)]
            .map(|(data, items)| standardiser.apply_exactly(&data.outputs, items));
        let whitener = match train.outputs {
            Outputs::Integers(_) => Whitener::fit_exactly(&exact[0], train.width),
            Outputs::Floats(_) => Whitener::fit(&exact[0], train.width),
        };
        let white = whitener.map(|w| [w.apply(&exact[0]), w.apply(&exact[1])]);
        let [train_rows, test_rows] = exact.map(|rows| rows.into_iter().map(|x| x as f32).collect::<Vec<f32>>());
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
            train_items,
            undefended_width: training.undefended_width,
        }
    }

    pub fn beside(&self) -> Beside<'_> {
        let uncensored = Uncensored { rows: &self.undefended, width: self.undefended_width };
        Beside { uncensored: (self.undefended_width > 0).then_some(uncensored), integers: None }
    }

    /// Training sample and test rows, in the form that a family reads.
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

/// The integers of all classes, in the order of [`with_label`].
pub(crate) struct WholeNumbers {
    train: Vec<i64>,
    test: Vec<i64>,
    width: usize,
    train_main: Vec<u32>,
    test_main: Vec<u32>,
    main_classes: usize,
}

impl WholeNumbers {
    /// `None` if the outputs of either side are floats.
    pub fn new(slices: &[Slice], train: &Observations, test: &Observations) -> Option<WholeNumbers> {
        let sides = [(train, |slice: &Slice| &slice.train_items), (test, |slice: &Slice| &slice.test_items)]
            as [(&Observations, fn(&Slice) -> &Vec<usize>); 2];
        let rows = sides.map(|(data, items)| {
            let items: Vec<usize> = slices.iter().flat_map(items).copied().collect();
            let main: Vec<u32> = items.iter().map(|&item| data.main[item]).collect();
            match data.outputs.subset(&items, data.width) {
                Outputs::Integers(values) => Some((values, main)),
                Outputs::Floats(_) => None,
            }
        });
        let [Some((train_rows, train_main)), Some((test_rows, test_main))] = rows else { return None };
        let (width, main_classes) = (train.width, train.main_classes.len());
        Some(WholeNumbers { train: train_rows, test: test_rows, width, train_main, test_main, main_classes })
    }

    pub fn beside(&self) -> Beside<'_> {
        let WholeNumbers { train, test, width, train_main, test_main, main_classes } = self;
        let (width, main_classes) = (*width, *main_classes);
        Beside {
            uncensored: None,
            integers: Some(Integers { train, test, width, train_main, test_main, main_classes }),
        }
    }
}
