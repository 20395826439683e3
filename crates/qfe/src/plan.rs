//! How a function is best evaluated: strategies and their costs by counts.
//!
//! - *combine*: project both halves once (`d` rows each), one product of two
//!   pairings per unit, combine with `D` in the target group, `S` hard parts;
//! - *fold left* or *right*: scale the rows of one side by `D`, so that each output is
//!   one long product of pairings with shared squarings and one exponentiation: good
//!   when `S` is small;
//! - *dense left* or *right*: multiply out `F_j = Pᵀ diag(D_j) R`, project one side
//!   by `F_j` and pair with the other side as it is: good when `d` is not small.

use crate::{
    QuadraticMap,
    cost::Costs,
    group::{
        lanes_powers::LanePowers,
        powers::Powers,
        project::{count_matrix, estimate_matrix},
    },
    raw::ifma::Ifma,
};

/// A way to evaluate a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// Project both sides, combine in the target group.
    Combine,
    /// Fold `D` into the left projection.
    FoldLeft,
    /// Fold `D` into the right projection.
    FoldRight,
    /// Project the left side by the full matrix of each output.
    DenseLeft,
    /// Project the right side by the full matrix of each output.
    DenseRight,
}

impl Strategy {
    /// All strategies.
    pub const ALL: [Self; 5] = [Self::Combine, Self::FoldLeft, Self::FoldRight, Self::DenseLeft, Self::DenseRight];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Combine => "project both sides and combine in the target group",
            Self::FoldLeft => "fold D into the left side",
            Self::FoldRight => "fold D into the right side",
            Self::DenseLeft => "project the left side by the full matrix",
            Self::DenseRight => "project the right side by the full matrix",
        }
    }
}

/// Operation counts of one strategy.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Batched additions in G1.
    pub additions_g1: f64,
    /// Batched additions in G2.
    pub additions_g2: f64,
    /// Pairs in Miller loops.
    pub pairs: f64,
    /// Products in the target group.
    pub products: f64,
    /// Squarings in the target group.
    pub squarings: f64,
    /// Final exponentiations (hard parts).
    pub exponentiations: f64,
    /// The sum, in field multiplications on one thread.
    pub field_muls: f64,
}

/// The strategy chosen and what was considered.
#[derive(Clone, Debug)]
pub struct Plan {
    strategy: Strategy,
    candidates: Vec<(Strategy, Counts)>,
}

impl Plan {
    /// The cheapest strategy by counts. Strategies whose pairings alone cost more
    /// than another strategy are not looked at: writing their matrices down is work.
    pub fn choose(map: &QuadraticMap) -> Self {
        let candidates = candidates(map, true);
        let strategy = candidates.first().map_or(Strategy::Combine, |candidate| candidate.0);
        Self { strategy, candidates }
    }

    /// The same with a strategy that was asked for; `None` if it cannot serve.
    pub(crate) fn with(map: &QuadraticMap, strategy: Strategy) -> Option<Self> {
        let candidates = candidates(map, false);
        let possible = candidates.iter().any(|candidate| candidate.0 == strategy);
        possible.then_some(Self { strategy, candidates })
    }

    /// The strategy.
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// Its estimate in field multiplications on one thread.
    pub fn field_muls(&self) -> f64 {
        let chosen = self.candidates.iter().find(|candidate| candidate.0 == self.strategy);
        chosen.map_or(0.0, |candidate| candidate.1.field_muls)
    }

    /// All strategies that can serve, with their counts, cheapest first.
    pub fn candidates(&self) -> &[(Strategy, Counts)] {
        &self.candidates
    }

    /// The choice in words, one line per strategy.
    pub fn lines(&self) -> Vec<String> {
        let line = |(strategy, c): &(Strategy, Counts)| {
            let mark = if *strategy == self.strategy { "*" } else { " " };
            format!(
                "{mark} {}: {:.0} additions in G1, {:.0} in G2, {:.0} pairs, {:.0} products, {:.0} squarings, {:.0} exponentiations = {:.0} field multiplications",
                strategy.name(),
                c.additions_g1,
                c.additions_g2,
                c.pairs,
                c.products,
                c.squarings,
                c.exponentiations,
                c.field_muls
            )
        };
        self.candidates.iter().map(line).collect()
    }
}

/// The part of the additions by the formula that common sums save, at most.
const MOST_SAVED: f64 = 0.5;

/// Additions of a matrix.
type Additions = fn(usize, &[i32]) -> f64;

/// Strategies that can serve, cheapest first.
fn candidates(map: &QuadraticMap, prune: bool) -> Vec<(Strategy, Counts)> {
    let costs = Costs::current();
    let mut candidates: Vec<(Strategy, Counts)> = Vec::new();
    for strategy in Strategy::ALL {
        let least = candidates.iter().map(|candidate| candidate.1.field_muls).fold(f64::INFINITY, f64::min);
        if prune && strategy != Strategy::Combine && pairs(map, strategy) * costs.long_pair > least {
            continue;
        }
        // Matrices of strategies that are far from winning are not compiled.
        let exact = strategy == Strategy::Combine;
        let counts = count(map, strategy, &costs, if exact { count_matrix } else { estimate_matrix }).and_then(|c| {
            let additions = c.additions_g1 * costs.add[0] + c.additions_g2 * costs.add[1];
            let near = !exact && c.field_muls - MOST_SAVED * additions < least;
            if near { count(map, strategy, &costs, count_matrix) } else { Some(c) }
        });
        candidates.extend(counts.map(|counts| (strategy, counts)));
    }
    candidates.sort_by(|a, b| a.1.field_muls.total_cmp(&b.1.field_muls));
    candidates
}

/// Pairs in Miller loops.
fn pairs(map: &QuadraticMap, strategy: Strategy) -> f64 {
    let (n, m) = map.inputs();
    let (units, outputs) = (map.units(), map.outputs());
    (match strategy {
        Strategy::Combine => 2 * units + outputs,
        Strategy::FoldLeft | Strategy::FoldRight => outputs * (2 * units + 1),
        Strategy::DenseLeft => outputs * (2 * m + 1),
        Strategy::DenseRight => outputs * (2 * n + 1),
    }) as f64
}

/// The weights that one output needs of one side, row-major; `None` when a product
/// leaves 32 bits.
pub(crate) fn folded(map: &QuadraticMap, output: usize, rows: &[i32], columns: usize) -> Option<Vec<i32>> {
    let weights = &map.combine()[output * map.units()..][..map.units()];
    rows.chunks_exact(columns)
        .zip(weights)
        .flat_map(|(row, &weight)| row.iter().map(move |&w| w.checked_mul(weight)))
        .collect()
}

/// `F_j` transposed (`m×n`, for the left side) or not (`n×m`, for the right side).
pub(crate) fn dense(map: &QuadraticMap, output: usize, left: bool) -> Option<Vec<i32>> {
    let (n, m) = map.inputs();
    let weights = &map.combine()[output * map.units()..][..map.units()];
    let mut matrix = vec![0i64; n * m];
    for (k, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight != 0) {
        for (i, &p) in map.left()[k * n..][..n].iter().enumerate().filter(|(_, p)| **p != 0) {
            let scale = i64::from(p).checked_mul(i64::from(weight))?;
            for (j, &r) in map.right()[k * m..][..m].iter().enumerate() {
                let place = if left { j * n + i } else { i * m + j };
                matrix[place] = matrix[place].checked_add(scale.checked_mul(i64::from(r))?)?;
            }
        }
    }
    matrix.into_iter().map(|entry| i32::try_from(entry).ok()).collect()
}

fn count(map: &QuadraticMap, strategy: Strategy, costs: &Costs, additions: Additions) -> Option<Counts> {
    let (n, m) = map.inputs();
    let (units, outputs) = (map.units(), map.outputs());
    let mut c = Counts { exponentiations: outputs as f64, pairs: pairs(map, strategy), ..Counts::default() };
    let per_output = |side: &dyn Fn(usize) -> Option<Vec<i32>>, columns: usize| -> Option<f64> {
        (0..outputs).map(|j| side(j).map(|weights| additions(columns, &weights))).sum()
    };
    let mut miller = 0.0;
    match strategy {
        Strategy::Combine => {
            let squares = n == m && map.left() == map.right();
            let right = || (!squares).then(|| additions(m, map.right()));
            let (left, right) = rayon::join(|| additions(n, map.left()), right);
            (c.additions_g1, c.additions_g2) = (2.0 * left, 2.0 * right.unwrap_or(left));
            let (products, squarings) = if Ifma::detect().is_some() {
                LanePowers::new(units, map.combine()).operations()
            } else {
                Powers::new(units, map.combine()).operations()
            };
            (c.products, c.squarings) = (products as f64, squarings as f64);
            miller += 2.0 * units as f64 * costs.short_pair + outputs as f64 * costs.third_pair;
            miller += units as f64 * costs.easy;
        }
        // Matrices of many outputs are not even written down: they never win.
        _ if outputs > 4 => return None,
        Strategy::FoldLeft => {
            c.additions_g1 = 2.0 * per_output(&|j| folded(map, j, map.left(), n), n)?;
            c.additions_g2 = 2.0 * additions(m, map.right());
        }
        Strategy::FoldRight => {
            c.additions_g1 = 2.0 * additions(n, map.left());
            c.additions_g2 = 2.0 * per_output(&|j| folded(map, j, map.right(), m), m)?;
        }
        _ if n.saturating_mul(m).saturating_mul(units) > 1 << 27 => return None,
        Strategy::DenseLeft => {
            c.additions_g1 = 2.0 * per_output(&|j| dense(map, j, true), n)?;
        }
        Strategy::DenseRight => {
            c.additions_g2 = 2.0 * per_output(&|j| dense(map, j, false), m)?;
        }
    }
    if strategy != Strategy::Combine {
        miller = c.pairs * costs.long_pair + outputs as f64 * costs.easy;
    }
    c.field_muls = c.additions_g1 * costs.add[0]
        + c.additions_g2 * costs.add[1]
        + miller
        + c.products * costs.product
        + c.squarings * costs.square
        + costs.hard_parts(outputs);
    Some(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::project::Projection;

    #[test]
    fn plans_count_the_additions_that_are_compiled() {
        let (n, units, outputs) = (40, 24, 2);
        let weights = |seed: usize, count: usize| -> Vec<i32> {
            (0..count).map(|k| ((k * k * 7 + k * seed) % 15) as i32 - 7).collect()
        };
        let (left, right, combine) = (weights(13, units * n), weights(5, units * n), weights(3, outputs * units));
        let counts = |left: &[i32], right: &[i32]| {
            let map = QuadraticMap::new(n, n, units, outputs, left.to_vec(), right.to_vec(), combine.clone()).unwrap();
            let plan = Plan::with(&map, Strategy::Combine).unwrap();
            assert_eq!(plan.candidates().len(), Strategy::ALL.len());
            let found = plan.candidates().iter().find(|candidate| candidate.0 == Strategy::Combine).unwrap().1;
            assert_eq!(found.field_muls, plan.field_muls());
            [found.additions_g1, found.additions_g2]
        };
        let compiled = |weights: &[i32]| 2.0 * Projection::thorough(n, weights).additions() as f64;
        assert_eq!(counts(&left, &right), [compiled(&left), compiled(&right)]);
        assert_eq!(counts(&left, &left), [compiled(&left); 2]);
        assert!(compiled(&left) < 2.0 * estimate_matrix(n, &left));
    }
}
