//! Evaluation: from a functional key and a ciphertext to the outputs.
//!
//! `e([γ]₁, [f_j(s,t)]₂) · Π_k (e([P_k·a]₁, [R_k·b]₂))^{D_jk} = gT^{f_j(u,v)}`, where
//! the pairing of two pairs of points is the product of both pairings. Then a
//! bounded discrete logarithm per output.

use std::sync::Arc;

use rayon::prelude::*;
use thiserror::Error;

use crate::{
    dlog::{LogError, LogTable},
    encrypt::Ciphertext,
    group::{
        lanes_powers::LanePowers,
        lanes_target::{easy_vectors, final_exponentiations},
        miller::{Pair, products, vectors},
        powers::Powers,
        project::{Projection, run_both},
        target::easy_part,
    },
    keys::{FunctionalKey, PublicKeyId},
    plan::{Plan, Strategy, dense, folded},
    raw::{Coordinate, Fp12, G1, G2, Point, ifma::Ifma},
    unit_keys::spread,
};

/// Why a ciphertext cannot be evaluated.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The ciphertext is of another public key.
    #[error(
        "the ciphertext was made with public key {ciphertext}, but the functional key belongs to {key}: encrypt with \
         the right public key"
    )]
    WrongKey {
        /// Public key of the ciphertext.
        ciphertext: PublicKeyId,
        /// Public key of the functional key.
        key: PublicKeyId,
    },
    /// The ciphertext does not have the function's inputs.
    #[error(
        "the ciphertext has {ciphertext:?} inputs (n, m), but the function takes {function:?}: encrypt with the \
         function's encoder"
    )]
    Inputs {
        /// `(n, m)` of the ciphertext.
        ciphertext: (usize, usize),
        /// `(n, m)` of the function.
        function: (usize, usize),
    },
    /// There are not as many bounds as outputs.
    #[error("{found} bounds given for {expected} outputs: give one inclusive range per output")]
    Bounds {
        /// Bounds given.
        found: usize,
        /// Outputs of the function.
        expected: usize,
    },
    /// A strategy that the function does not admit.
    #[error("the strategy `{}` cannot serve this function: its weights or dimensions are too large", strategy.name())]
    Strategy {
        /// The strategy.
        strategy: Strategy,
    },
    /// No logarithm for one output.
    #[error("output {output}: {source}")]
    Log {
        /// Index of the output.
        output: usize,
        /// What went wrong.
        source: LogError,
    },
}

/// Evaluates ciphertexts with one functional key.
pub struct Evaluator {
    id: PublicKeyId,
    inputs: (usize, usize),
    outputs: usize,
    plan: Plan,
    work: Work,
    values: Vec<G2>,
    table: Arc<LogTable>,
    bounds: Vec<(i64, i64)>,
}

brief!(Evaluator { id, inputs, outputs, plan });

/// The compiled form of a strategy; `None` stands for the identity.
enum Work {
    Combine { left: Arc<Projection>, right: Arc<Projection>, combined: Box<Combined> },
    Products { left: Vec<Option<Arc<Projection>>>, right: Vec<Option<Arc<Projection>>> },
}

/// `D` in the target group.
struct Combined {
    powers: Powers,
    lane_powers: LanePowers,
    /// The functional key, unit by unit.
    unit_keys: Vec<(usize, G2)>,
}

impl Work {
    fn new(key: &FunctionalKey, strategy: Strategy) -> Option<Self> {
        let map = key.map();
        let (n, m) = map.inputs();
        let outputs = 0..map.outputs();
        let left = || Arc::new(Projection::thorough(n, map.left()));
        let right = || Arc::new(Projection::thorough(m, map.right()));
        let same = |projection: Arc<Projection>| vec![Some(projection); map.outputs()];
        let each = |columns: usize, weights: &dyn Fn(usize) -> Option<Vec<i32>>| -> Option<Vec<_>> {
            let project = |j| Some(Some(Arc::new(Projection::thorough(columns, &weights(j)?))));
            outputs.clone().map(project).collect()
        };
        let identity = vec![None; map.outputs()];
        Some(match strategy {
            Strategy::Combine => {
                let left = left();
                let squares = n == m && map.left() == map.right();
                let right = if squares { left.clone() } else { right() };
                let combined = Combined {
                    powers: Powers::new(map.units(), map.combine()),
                    lane_powers: LanePowers::new(map.units(), map.combine()),
                    unit_keys: spread(map, &key.values),
                };
                Self::Combine { left, right, combined: Box::new(combined) }
            }
            Strategy::FoldLeft => {
                Self::Products { left: each(n, &|j| folded(map, j, map.left(), n))?, right: same(right()) }
            }
            Strategy::FoldRight => {
                Self::Products { left: same(left()), right: each(m, &|j| folded(map, j, map.right(), m))? }
            }
            Strategy::DenseLeft => Self::Products { left: each(n, &|j| dense(map, j, true))?, right: identity },
            Strategy::DenseRight => Self::Products { left: identity, right: each(m, &|j| dense(map, j, false))? },
        })
    }
}

impl Evaluator {
    /// Prepares a key: chooses the cheapest strategy and compiles its projections.
    /// `bounds` are the inclusive ranges of the outputs.
    ///
    /// # Errors
    /// Not one range for each output, or a range that the table cannot search.
    pub fn new(key: &FunctionalKey, table: Arc<LogTable>, bounds: &[(i64, i64)]) -> Result<Self, EvaluateError> {
        Self::prepare(key, table, bounds, Plan::choose(key.map()))
    }

    /// The same with a given strategy, for comparisons.
    ///
    /// # Errors
    /// As [`new`](Self::new), and a strategy that the function does not admit.
    pub fn with_strategy(
        key: &FunctionalKey,
        table: Arc<LogTable>,
        bounds: &[(i64, i64)],
        strategy: Strategy,
    ) -> Result<Self, EvaluateError> {
        let plan = Plan::with(key.map(), strategy).ok_or(EvaluateError::Strategy { strategy })?;
        Self::prepare(key, table, bounds, plan)
    }

    fn prepare(
        key: &FunctionalKey,
        table: Arc<LogTable>,
        bounds: &[(i64, i64)],
        plan: Plan,
    ) -> Result<Self, EvaluateError> {
        let map = key.map();
        if bounds.len() != map.outputs() {
            return Err(EvaluateError::Bounds { found: bounds.len(), expected: map.outputs() });
        }
        for (output, &(low, high)) in bounds.iter().enumerate() {
            table.check_bounds(low, high).map_err(|source| EvaluateError::Log { output, source })?;
        }
        let strategy = plan.strategy();
        let work = Work::new(key, strategy).ok_or(EvaluateError::Strategy { strategy })?;
        Ok(Self {
            id: key.public_key_id(),
            inputs: map.inputs(),
            outputs: map.outputs(),
            plan,
            work,
            values: key.values.clone(),
            table,
            bounds: bounds.to_vec(),
        })
    }

    /// How it evaluates, and what else was considered.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Outputs `S`.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The outputs `f_j(u, v)`, exactly, or an error; variable-time in the outputs.
    ///
    /// # Errors
    /// The ciphertext is of another public key or of other lengths, or an output lies outside its bounds.
    pub fn evaluate(&self, ciphertext: &Ciphertext) -> Result<Vec<i64>, EvaluateError> {
        self.evaluate_in_steps(ciphertext, || ())
    }

    /// The same; `paired` is called between the pairings and the search for discrete logarithms, for whoever times them.
    ///
    /// # Errors
    /// As [`Evaluator::evaluate`].
    pub fn evaluate_in_steps(&self, ciphertext: &Ciphertext, paired: impl FnOnce()) -> Result<Vec<i64>, EvaluateError> {
        let targets = self.targets(ciphertext)?;
        paired();
        self.logarithms(&targets)
    }

    /// `gT^{f_j(u, v)}` for every output.
    pub(crate) fn targets(&self, ciphertext: &Ciphertext) -> Result<Vec<Fp12>, EvaluateError> {
        self.check(ciphertext)?;
        Ok(self.targets_of(&[ciphertext]).concat())
    }

    /// Whether a ciphertext is one that this key evaluates.
    pub(crate) fn check(&self, ciphertext: &Ciphertext) -> Result<(), EvaluateError> {
        if ciphertext.id != self.id {
            return Err(EvaluateError::WrongKey { ciphertext: ciphertext.id, key: self.id });
        }
        if ciphertext.inputs() != self.inputs {
            return Err(EvaluateError::Inputs { ciphertext: ciphertext.inputs(), function: self.inputs });
        }
        Ok(())
    }

    /// The same for a power of two of ciphertexts that were checked: they share lanes and inversions.
    pub(crate) fn targets_of(&self, ciphertexts: &[&Ciphertext]) -> Vec<Vec<Fp12>> {
        match &self.work {
            Work::Combine { left, right, combined } => self.combine(ciphertexts, left, right, combined),
            Work::Products { left, right } => self.products(ciphertexts, left, right),
        }
    }

    /// Units first, then `D` in the target group.
    fn combine(
        &self,
        ciphertexts: &[&Ciphertext],
        left: &Projection,
        right: &Projection,
        Combined { powers, lane_powers, unit_keys }: &Combined,
    ) -> Vec<Vec<Fp12>> {
        let copies = ciphertexts.len();
        let mut units = project_units(ciphertexts, left, right);
        for (unit, value) in unit_keys {
            let pairs = units[unit * copies..].iter_mut().zip(ciphertexts);
            pairs.for_each(|(pairs, ciphertext)| pairs.push((ciphertext.gamma, *value)));
        }
        let lanes = Ifma::detect().and_then(|token| {
            let parts: Vec<&[Pair]> = units.iter().map(Vec::as_slice).collect();
            Some((token, easy_vectors(token, &vectors(token, &parts))?))
        });
        let targets = if let Some((token, parts)) = lanes {
            lane_powers.hard_parts(token, &parts, copies)
        } else {
            let parts: Vec<Fp12> = products(&units).par_iter().map(easy_part).collect();
            let mut out = vec![Fp12::one(); self.outputs * copies];
            for copy in 0..copies {
                let bases: Vec<Fp12> = parts.iter().skip(copy).step_by(copies).copied().collect();
                let targets = powers.hard_parts(&bases);
                out.iter_mut().skip(copy).step_by(copies).zip(targets).for_each(|(out, target)| *out = target);
            }
            out
        };
        by_ciphertext(&targets, copies)
    }

    /// One long product of pairings per output.
    fn products(
        &self,
        ciphertexts: &[&Ciphertext],
        left: &[Option<Arc<Projection>>],
        right: &[Option<Arc<Projection>>],
    ) -> Vec<Vec<Fp12>> {
        let sides: Vec<_> = ciphertexts
            .par_iter()
            .map(|c| rayon::join(|| project_all(left, &c.a), || project_all(right, &c.b)))
            .collect();
        let mut groups: Vec<Vec<Pair>> = Vec::with_capacity(self.outputs * ciphertexts.len());
        for (j, value) in self.values.iter().enumerate() {
            for (c, (left, right)) in ciphertexts.iter().zip(&sides) {
                let own = std::iter::once((c.gamma, *value));
                groups.push(own.chain(left[j].iter().copied().zip(right[j].iter().copied())).collect());
            }
        }
        by_ciphertext(&final_exponentiations(&products(&groups)), ciphertexts.len())
    }

    /// The logarithms of all targets within the bounds.
    pub(crate) fn logarithms(&self, targets: &[Fp12]) -> Result<Vec<i64>, EvaluateError> {
        targets
            .par_iter()
            .zip(&self.bounds)
            .enumerate()
            .map(|(output, (target, &(low, high)))| {
                self.table.search_vartime(target, low, high).map_err(|source| EvaluateError::Log { output, source })
            })
            .collect()
    }
}

/// Points of one side that are projected together, as far as there are several ciphertexts.
const TOGETHER: usize = 2048;

/// Both pairs of every unit, and within a unit of every ciphertext.
fn project_units(ciphertexts: &[&Ciphertext], left: &Projection, right: &Projection) -> Vec<Vec<Pair>> {
    let points = ciphertexts[0].a.len().max(ciphertexts[0].b.len());
    let together = (TOGETHER / points.max(1)).max(1).min(ciphertexts.len());
    // A power of two, as the number of ciphertexts is.
    let together = 1 << together.ilog2();
    let sides: Vec<_> = ciphertexts
        .chunks(together)
        .map(|chunk| {
            let a: Vec<&[G1]> = chunk.iter().map(|c| c.a.as_slice()).collect();
            let b: Vec<&[G2]> = chunk.iter().map(|c| c.b.as_slice()).collect();
            run_both((left, &interleaved(&a)), (right, &interleaved(&b)), 2 * chunk.len())
        })
        .collect();
    let units = sides[0].0.len() / (2 * together);
    let mut groups = Vec::with_capacity(units * ciphertexts.len());
    for unit in 0..units {
        for (a, b) in &sides {
            let pairs = |copy: usize| {
                let place = 2 * (unit * together + copy);
                vec![(a[place], b[place]), (a[place + 1], b[place + 1])]
            };
            groups.extend((0..together).map(pairs));
        }
    }
    groups
}

/// The two coordinates of every input side by side, ciphertext by ciphertext.
fn interleaved<F: Coordinate>(sides: &[&[Point<F>]]) -> Vec<Point<F>> {
    let inputs = 0..sides[0].len() / 2;
    inputs.flat_map(|i| sides.iter().flat_map(move |side| [side[2 * i], side[2 * i + 1]])).collect()
}

/// From output by output to ciphertext by ciphertext.
fn by_ciphertext(targets: &[Fp12], copies: usize) -> Vec<Vec<Fp12>> {
    (0..copies).map(|copy| targets.iter().skip(copy).step_by(copies).copied().collect()).collect()
}

/// The points of one side for every output; equal projections run once.
fn project_all<F: Coordinate>(sides: &[Option<Arc<Projection>>], points: &[Point<F>]) -> Vec<Arc<[Point<F>]>> {
    let mut out: Vec<Arc<[Point<F>]>> = Vec::with_capacity(sides.len());
    for (j, side) in sides.iter().enumerate() {
        let same = j > 0
            && match (side, &sides[j - 1]) {
                (Some(this), Some(last)) => Arc::ptr_eq(this, last),
                (this, last) => this.is_none() && last.is_none(),
            };
        let projected = match side {
            _ if same => out[j - 1].clone(),
            Some(projection) => projection.run(points, 2).into(),
            None => points.into(),
        };
        out.push(projected);
    }
    out
}
