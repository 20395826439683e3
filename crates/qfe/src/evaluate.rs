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
        project::Projection,
        target::{easy_part, hard_part, product_of_powers},
    },
    keys::{FunctionalKey, PublicKeyId},
    raw::{Fp12, Lines, miller_loop},
};

/// Why a ciphertext cannot be evaluated.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The ciphertext is of another public key.
    #[error(
        "the ciphertext was made with public key {ciphertext}, the functional key belongs to {key}: encrypt with the right public key"
    )]
    WrongKey {
        /// Public key of the ciphertext.
        ciphertext: PublicKeyId,
        /// Public key of the functional key.
        key: PublicKeyId,
    },
    /// The ciphertext does not have the function's inputs.
    #[error(
        "the ciphertext has {ciphertext:?} inputs (n, m), the function takes {function:?}: encrypt with the function's encoder"
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
    units: usize,
    combine: Vec<i32>,
    left: Arc<Projection>,
    right: Arc<Projection>,
    values: Vec<Lines>,
    table: Arc<LogTable>,
    bounds: Vec<(i64, i64)>,
}

impl Evaluator {
    /// Prepares a key: compiles the projections and precomputes the pairing's lines.
    /// `bounds` are the inclusive ranges of the outputs.
    pub fn new(key: &FunctionalKey, table: Arc<LogTable>, bounds: &[(i64, i64)]) -> Result<Self, EvaluateError> {
        let map = key.map();
        if bounds.len() != map.outputs() {
            return Err(EvaluateError::Bounds { found: bounds.len(), expected: map.outputs() });
        }
        for (output, &(low, high)) in bounds.iter().enumerate() {
            table.check_bounds(low, high).map_err(|source| EvaluateError::Log { output, source })?;
        }
        let (n, m) = map.inputs();
        let left = Arc::new(Projection::new(n, map.left()));
        let right =
            if n == m && map.left() == map.right() { left.clone() } else { Arc::new(Projection::new(m, map.right())) };
        Ok(Self {
            id: key.public_key_id(),
            inputs: (n, m),
            units: map.units(),
            combine: map.combine().to_vec(),
            left,
            right,
            values: key.values.par_iter().map(Lines::new).collect(),
            table,
            bounds: bounds.to_vec(),
        })
    }

    /// The outputs `f_j(u, v)`, exactly, or an error; variable-time in the outputs.
    pub fn evaluate(&self, ciphertext: &Ciphertext) -> Result<Vec<i64>, EvaluateError> {
        let targets = self.targets(ciphertext)?;
        self.logarithms(&targets)
    }

    /// `gT^{f_j(u, v)}` for every output.
    pub(crate) fn targets(&self, ciphertext: &Ciphertext) -> Result<Vec<Fp12>, EvaluateError> {
        if ciphertext.id != self.id {
            return Err(EvaluateError::WrongKey { ciphertext: ciphertext.id, key: self.id });
        }
        if ciphertext.inputs() != self.inputs {
            return Err(EvaluateError::Inputs { ciphertext: ciphertext.inputs(), function: self.inputs });
        }
        let (left, right) = rayon::join(|| self.left.run(&ciphertext.a, 2), || self.right.run(&ciphertext.b, 2));
        let units: Vec<Fp12> = (0..self.units)
            .into_par_iter()
            .map(|k| {
                let first = miller_loop(&left[2 * k], &right[2 * k]);
                easy_part(&first.mul(&miller_loop(&left[2 * k + 1], &right[2 * k + 1])))
            })
            .collect();
        let targets = self
            .values
            .par_iter()
            .zip(self.combine.par_chunks_exact(self.units))
            .map(|(lines, row)| {
                let start = easy_part(&lines.miller_loop(&ciphertext.gamma));
                let terms: Vec<(Fp12, i64)> = units
                    .iter()
                    .zip(row)
                    .filter(|(_, weight)| **weight != 0)
                    .map(|(unit, &weight)| (*unit, i64::from(weight)))
                    .collect();
                hard_part(&product_of_powers(&start, &terms))
            })
            .collect();
        Ok(targets)
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
