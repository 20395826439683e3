//! Output values as attackers get them: exact.

/// Outputs of one network, row-major, N·S values.
///
/// Keys open integers of 30 to 40 bits, and 32-bit floats keep 24: a key holder would read the other bits, and no
/// attacker would see them. So integers stay integers.
#[derive(Debug, Clone, PartialEq)]
pub enum Outputs {
    /// What a functional key opens.
    Integers(Vec<i64>),
    /// Outputs of a network in floats, finite.
    Floats(Vec<f32>),
}

impl Outputs {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Outputs::Integers(values) => values.len(),
            Outputs::Floats(values) => values.len(),
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values, where they are integers.
    pub fn integers(&self) -> Option<&[i64]> {
        match self {
            Outputs::Integers(values) => Some(values),
            Outputs::Floats(_) => None,
        }
    }

    /// Value `at`, to the 53 bits of the result.
    ///
    /// # Panics
    /// If there is no such value.
    pub fn value(&self, at: usize) -> f64 {
        match self {
            Outputs::Integers(values) => values[at] as f64,
            Outputs::Floats(values) => f64::from(values[at]),
        }
    }

    /// Value `at` less `origin`, subtracted before anything is rounded.
    pub(crate) fn beyond(&self, at: usize, origin: i64) -> f64 {
        match self {
            Outputs::Integers(values) => (i128::from(values[at]) - i128::from(origin)) as f64,
            Outputs::Floats(values) => f64::from(values[at]) - origin as f64,
        }
    }

    /// A number near value `at` that [`Outputs::beyond`] may subtract; 0 for floats.
    pub(crate) fn origin(&self, at: usize) -> i64 {
        self.integers().map_or(0, |values| values[at])
    }

    /// The rows of the given items, `width` values each, in that order.
    ///
    /// # Panics
    /// If one of them does not exist.
    pub fn subset(&self, items: &[usize], width: usize) -> Outputs {
        fn rows<T: Copy>(values: &[T], items: &[usize], width: usize) -> Vec<T> {
            items.iter().flat_map(|&item| &values[item * width..(item + 1) * width]).copied().collect()
        }
        match self {
            Outputs::Integers(values) => Outputs::Integers(rows(values, items, width)),
            Outputs::Floats(values) => Outputs::Floats(rows(values, items, width)),
        }
    }

    /// Appends the values of `more`. Integers and floats together become floats.
    pub fn extend(&mut self, more: &Outputs) {
        match (&mut *self, more) {
            (Outputs::Integers(values), Outputs::Integers(more)) => values.extend(more),
            (Outputs::Floats(values), more) => values.extend((0..more.len()).map(|at| more.value(at) as f32)),
            (Outputs::Integers(values), Outputs::Floats(more)) => {
                let values = values.iter().map(|&value| value as f32).chain(more.iter().copied());
                *self = Outputs::Floats(values.collect());
            }
        }
    }

    /// The first value that is not finite, with its place.
    pub(crate) fn unsound(&self) -> Option<(usize, f32)> {
        match self {
            Outputs::Integers(_) => None,
            Outputs::Floats(values) => values.iter().position(|value| !value.is_finite()).map(|at| (at, values[at])),
        }
    }
}

impl Default for Outputs {
    fn default() -> Outputs {
        Outputs::Floats(Vec::new())
    }
}

impl From<Vec<i64>> for Outputs {
    fn from(values: Vec<i64>) -> Outputs {
        Outputs::Integers(values)
    }
}

impl From<Vec<f32>> for Outputs {
    fn from(values: Vec<f32>) -> Outputs {
        Outputs::Floats(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_bit_survives_next_to_the_highest() {
        let high = 1_i64 << 62;
        let outputs = Outputs::from(vec![high, high + 1, -high]);
        let origin = outputs.origin(0);
        assert_eq!([0, 1].map(|at| outputs.beyond(at, origin)), [0.0, 1.0]);
        assert_eq!(outputs.beyond(2, origin), -2.0 * high as f64);
        assert_eq!(outputs.subset(&[1], 1), vec![high + 1].into());
    }

    #[test]
    fn floats_make_floats_of_what_is_beside_them() {
        let mut mixed = Outputs::from(vec![1_i64, 2]);
        mixed.extend(&vec![0.5_f32].into());
        assert_eq!(mixed, vec![1.0_f32, 2.0, 0.5].into());
        mixed.extend(&vec![7_i64].into());
        assert_eq!(mixed.len(), 4);
        assert_eq!(Outputs::from(vec![0.0_f32, f32::INFINITY]).unsound(), Some((1, f32::INFINITY)));
    }
}
