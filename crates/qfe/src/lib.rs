//! Quadratic functional encryption over BLS12-381: a short course.
//!
//! An owner encrypts two integer vectors `u ∈ Z^n` and `v ∈ Z^m` under a public key. An
//! authority issues *functional keys* for quadratic functions. Whoever holds the key
//! of `f` learns `f(u, v)` from a ciphertext, exactly, and nothing else about `u` and
//! `v`. The owner is never asked again.
//!
//! # Worked example
//!
//! ```
//! use std::sync::Arc;
//! use host::Silent;
//! use qfe::{Encryptor, Evaluator, LogTable, QuadraticMap, setup};
//!
//! let mut rng = rand::rng();
//! let quiet = Silent;
//!
//! // The authority: keys for vectors of 3 and 2, and a key for one function,
//! // f(u, v) = 5·(u₀ + 2u₁)·(v₀ − v₁) + (u₂)·(3v₁).
//! let (master, public) = setup(3, 2, &mut rng)?;
//! let f = QuadraticMap::new(3, 2, 2, 1, vec![1, 2, 0, 0, 0, 1], vec![1, -1, 0, 3], vec![5, 1])?;
//! let key = master.issue(&f)?;
//!
//! // The owner.
//! let ciphertext = Encryptor::new(&public, &quiet).encrypt(&[1, 2, 3], &[7, 4], &mut rng)?;
//!
//! // The predictor.
//! let table = Arc::new(LogTable::build(12, &quiet)?);
//! let evaluator = Evaluator::new(&key, table, &[(-1000, 1000)])?;
//! assert_eq!(evaluator.evaluate(&ciphertext)?, [5 * 5 * 3 + 3 * 12]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The functions
//!
//! A [`QuadraticMap`] has `S` outputs and `d` units, with integer matrices `P` (`d×n`),
//! `R` (`d×m`) and `D` (`S×d`):
//!
//! ```math
//! f_j(u, v) = \sum_k D_{jk} \, (P_k \cdot u) \, (R_k \cdot v)
//! ```
//!
//! Every bilinear form can be written this way; squares are the case `u = v`, `P = R`. A
//! coordinate that is always 1 gives linear and constant terms.
//!
//! # The scheme
//!
//! Let `e: G1 × G2 → GT` be the pairing of BLS12-381, `r` the prime order, `g1`, `g2` the
//! generators, `gT = e(g1, g2)`; write `[x]₁ = x·g1` and `[x]₂ = x·g2`. This is the scheme
//! of Ryffel, Pointcheval, Bach, Dufour-Sans and Gay (*Partially encrypted deep
//! learning using functional encryption*, NeurIPS 2019, figure 1; thesis of Ryffel,
//! figure 5.1), after Dufour-Sans, Gay and Pointcheval (2018).
//!
//! - [`setup`]: `s ∈ Z_r^n`, `t ∈ Z_r^m` uniform. The [`MasterKey`] is `(s, t)`, the
//!   [`PublicKey`] is `([s_i]₁)_i, ([t_j]₂)_j`.
//! - [`Encryptor::encrypt`]: `γ ∈ Z_r` and `W ∈ GL₂(Z_r)` fresh. The [`Ciphertext`] is
//!   `[γ]₁, ([a_i]₁)_i, ([b_j]₂)_j` with
//!
//!   ```math
//!   a_i = (W^{-1})^\top \begin{pmatrix} u_i \\ \gamma s_i \end{pmatrix}, \qquad
//!   b_j = W \begin{pmatrix} v_j \\ -t_j \end{pmatrix}, \qquad
//!   \langle a_i, b_j \rangle = u_i v_j - \gamma s_i t_j
//!   ```
//!
//!   where the last holds because `W` cancels.
//! - [`MasterKey::issue`]: the [`FunctionalKey`] of `f` is `[f_j(s, t)]₂` for every `j`.
//! - [`Evaluator::evaluate`]: with the pairing of pairs
//!   `e(a, b) = e(a₁, b₁)·e(a₂, b₂)`, linear in both,
//!
//!   ```math
//!   e\big([\gamma]_1, [f_j(s, t)]_2\big) \cdot \prod_k e\big(P_k [a]_1, R_k [b]_2\big)^{D_{jk}} = g_T^{f_j(u, v)}
//!   ```
//!
//!   and a bounded discrete logarithm ([`LogTable`]) gives the integer.
//!
//! Keys are linear in `f`: holders of keys can combine them, and pool them with each
//! other. What a set of keys opens is the span of its forms; [`FormSpan`] computes its
//! rank over `Z_r`, and what is left of noise coordinates in it.
//!
//! # Who checks, and who issues
//!
//! - [`PublicKey::verify`]: anybody checks a functional key against the public key, without a secret.
//! - [`shares`]: a functional key is linear in `s`, so `τ + 1` of `n` servers can issue it from shares
//!   of `s`, and nobody holds the master key.
//!
//! # Features
//!
//! All are on by default. Without any, only the owner's side and issuing remain, as in a browser.
//!
//! | feature | what it adds |
//! |---|---|
//! | `evaluate` | the predictor: [`Evaluator`], [`Plan`], [`LogTable`] |
//! | `verify` | [`PublicKey::verify`], [`Verifier`] |
//! | `shares` | [`mod@shares`] and its ceremonies |
//! | `files` | key files, stores of masks, tables in files |
//! | `progress` | [`Encryptor::new`] and [`MaskPool`], which report their progress |
//! | `lanes` | AVX-512 IFMA, if the processor has it (see [`notes::limbs`]) |
//! | `timing`, `bench` | the timing test, measurements |
//!
//! # Why it is fast
//!
//! | step | method | cost for `n` inputs a side |
//! |---|---|---|
//! | mask of a ciphertext | one scalar for all bases: digits in lock-step over a table of the public key, short parts by the curves' endomorphisms | 77 additions in either group per input |
//! | its bases | signed digits of four bits over a table of the generator, five scalars at once | 64 additions per scalar |
//! | online encryption | small multiples of two bases, added to the mask | 2 additions per input and side |
//! | projection | joint buckets: columns with equal weights in a few rows are added once for all of them | about `n·(weight bits)/7` additions per row and half |
//! | additions | affine, one inversion per batch: 5M + 1S in G1, norm trick in G2 (15.2M); eight lanes with AVX-512 IFMA | |
//! | pairings | products of two share their squarings; affine lines whose slopes share an inversion over all units; each line takes one scaling | one Miller loop per unit |
//! | combination | in the cyclotomic subgroup after the easy part, where the inverse is the conjugate; windows of the weights share powers | `S` hard parts and not `d` |
//! | target group in lanes | products are added in columns and reduced once for each of twelve coefficients | |
//! | batches | eight ciphertexts fill the lanes and share inversions, from the projection to the hard part | |
//! | logarithm | one coordinate of a product by a dot product, two giant steps at once | 0.14 µs per giant step |
//! | reading | 26 random combinations with coefficients −1..1 in G1, 11 with −6..6 in G2, and one subgroup check each | soundness `2^−40` |
//!
//! Each method is explained, with its correctness, at the head of its module. A
//! [`Plan`] counts operations and chooses among [`Strategy`]s; [`mod@bench`] compares the
//! counts with the clock.
//!
//! # Security
//!
//! Adaptive IND-CPA in the generic bilinear group model: an adversary that makes `Q`
//! group operations and `Q'` key queries has advantage at most
//! `(12(6n + 3 + Q + Q')² + 1)/r` with `r ≈ 2^255`; the best known attacks on
//! BLS12-381 take about `2^120` steps (discrete logarithms in GT). What it does *not* give:
//!
//! - the predictor learns `f(u, v)`, for every ciphertext of the public key, past and
//!   future, and every combination of the functions whose keys it can obtain;
//! - functions are not hidden: keys carry `f` in the clear;
//! - ciphertexts are malleable: sign them if their origin matters;
//! - it is not secure against quantum computers.
//!
//! # Timing
//!
//! [`setup`], [`MasterKey::issue`] and [`encrypt_constant_time`] take time and touch
//! memory independently of secrets. [`Encryptor::encrypt`] is variable-time in the
//! mask and the input: use it on the owner's own machine, and the constant-time
//! function on hosts that others can observe. Evaluation handles no secret of the
//! owner but its result.
//!
//! [`timing_test`] compares a fixed secret with random ones. On an AMD EPYC with
//! blst 0.3.17, one thread, other programs running, it found:
//!
//! | operation | runs | largest t | |
//! |---|---|---|---|
//! | points of a public key | 100 000 | 1.9 | no dependence found |
//! | issue of a key | 100 000 | 1.6 | no dependence found |
//! | constant-time encryption, zeros against random inputs | 20 000 | 1.1 | no dependence found |
//! | [`Encryptor::encrypt`], likewise | 10 000 | 138 | depends, as stated above |
//!
//! For a scalar of exactly zero, blst takes a slower path; nobody ever draws it.
//!
//! # Reading from strangers
//!
//! Every `from_bytes` checks sizes before it allocates, then the checksum, then that
//! each point is canonical and on its curve, then that all lie in the subgroups of
//! order `r`. Errors are typed; nothing panics. Accepted points may still be chosen
//! with malice (equal, opposite, infinite): all arithmetic is exact on them.

#![warn(missing_debug_implementations, clippy::missing_errors_doc)]

#[macro_use]
mod brief;

#[cfg(feature = "evaluate")]
mod batch;
#[cfg(feature = "bench")]
pub mod bench;
mod constant_time;
#[cfg(feature = "evaluate")]
mod cost;
#[cfg(feature = "evaluate")]
mod dlog;
mod encrypt;
#[cfg(test)]
mod erasure;
#[cfg(feature = "evaluate")]
mod evaluate;
mod group;
mod issue;
mod keys;
mod mask;
pub mod notes;
#[cfg(feature = "evaluate")]
mod plan;
#[cfg(feature = "progress")]
mod pool;
mod raw;
#[cfg(all(test, feature = "evaluate"))]
mod reference;
#[cfg(feature = "shares")]
pub mod shares;
mod steps;
#[cfg(feature = "files")]
mod tables;
#[cfg(feature = "timing")]
mod timing;
#[cfg(feature = "evaluate")]
mod unit_keys;
#[cfg(feature = "verify")]
mod verify;
mod wire;

pub use constant_time::encrypt_constant_time;
#[cfg(feature = "evaluate")]
pub use dlog::{LogError, LogTable, LogTableError};
pub use encrypt::{Ciphertext, EncryptError, Encryptor};
#[cfg(feature = "evaluate")]
pub use evaluate::{EvaluateError, Evaluator};
pub use keys::{FunctionalKey, KeyError, MasterKey, PublicKey, PublicKeyId, SUITE, setup};
pub use mask::Mask;
#[cfg(feature = "evaluate")]
pub use plan::{Counts, Plan, Strategy};
#[cfg(feature = "progress")]
pub use pool::MaskPool;
pub use quadratic::{FormSpan, MapError, QuadraticMap};
pub use steps::{EncryptorSteps, MaskSteps};
#[cfg(feature = "files")]
pub use tables::{Origin, TableError};
#[cfg(feature = "timing")]
pub use timing::{LEAK, Subject, TimingError, TimingReport, timing_test};
#[cfg(feature = "verify")]
pub use verify::{Verifier, VerifyError};
pub use wire::{Encoding, Header, Kind, WireError, ciphertext_size, peek};
