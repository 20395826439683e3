//! Radix 2^52, `R = 2^416`, and the bounds of the vector kernels.
//!
//! # Why radix 2^52
//!
//! AVX-512 IFMA has two instructions. For 64-bit words `t`, `a`, `b`, in eight lanes at once,
//!
//! ```text
//! madd52lo:  t + ((a mod 2^52)·(b mod 2^52) mod 2^52)
//! madd52hi:  t + ⌊(a mod 2^52)·(b mod 2^52) / 2^52⌋
//! ```
//!
//! so the radix is the instruction's: an element is `Σ_k l_k·2^(52k)`. The modulus `p` has
//! 381 bits, which takes ⌈381/52⌉ = 8 limbs. Montgomery's method with these limbs divides by
//! `R = 2^(8·52) = 2^416`. Both instructions add at most `2^52 − 1` to their column.
//!
//! # The invariant
//!
//! Every vector holds, in each lane, a value below `4p` in limbs below `2^52`. It is not
//! unique: a value and the value plus `p` are the same element. Since `4p < 2^383`, the top
//! limb is below `2^(383−364) = 2^19`. Six words of 64 bits hold a value (`383 < 384`), which is
//! how elements lie in memory.
//!
//! # Products stay below 2p
//!
//! Let `T = Σ a·b` be the sum of one product (`mul`, `sqr`) or two (`sum_of_products`) of such
//! values: `T < 2·(4p)² = 32p²`. Reduction adds `M·p` with `0 ≤ M < R` such that `R` divides, so
//!
//! ```math
//! \frac{T + M p}{R} < \frac{32 p^2}{R} + p = p \left(1 + \frac{32 p}{2^{416}}\right)
//!   < p \left(1 + 2^{5 + 381 - 416}\right) = p \left(1 + 2^{-30}\right)
//! ```
//!
//! which is below `2p` with no comparison at the end: the 35 bits between `p` and `R` pay for
//! it. With `R = 2^384` (blst's) the same sum could reach `p + 32p²/2^384 > 4p` and would need
//! a subtraction. This is why the lanes have another `R`, and why elements are multiplied by
//! `2^32` on their way in and by `2^−32` on their way out.
//!
//! # Columns stay below 2^58
//!
//! Column `k` of `a·b` gets `lo(a_j·b_i)` for `i + j = k` and `hi(a_j·b_i)` for `i + j = k − 1`:
//! at most 8 + 7 terms, for two products 30. Reduction adds at most 15 terms `lo(m·p_j)`,
//! `hi(m·p_j)` to a column and one carry of the column below. With `c` a bound on carries,
//!
//! ```math
//! \text{column} < 45 \cdot 2^{52} + c, \qquad c \le \left\lceil \frac{45 \cdot 2^{52} + c}{2^{52}} \right\rceil \le 46
//! ```
//!
//! hence below `2^58`: nothing is lost from 64 bits, and shifts may be logical. In `sqr` each
//! product `a_i·a_j` with `i < j` is added once and its column doubled: at most `2·7 + 2`
//! terms before reduction, so the bound holds there too.
//!
//! `m` of step `i` is `lo(t_i·(−1/p mod 2^52))`. The instruction reads the low 52 bits of `t_i`
//! although the column is wider, and only those matter modulo `2^52`. After `lo(m·p_0)` is added
//! the column is a multiple of `2^52`; what is above goes to the next column. After eight steps
//! columns 8 to 15 hold `(T + M·p)/R < 2p`, and one pass of carries gives limbs below `2^52`.
//!
//! # Sums and differences
//!
//! - `a + b < 8p`; if `a + b − 4p` is not negative it is taken, and is below `4p`; else
//!   `a + b < 4p` is.
//! - `−4p < a − b < 4p`; if it is negative, `4p` is added.
//!
//! Limbs of these sums lie strictly between `−2^53` and `2^53`, plus a carry of at most 2 in
//! absolute value: signed words hold them. Carries are arithmetic shifts; all limbs but the top
//! one end in `[0, 2^52)`, so the top limb has the sign of the whole. Both candidates are
//! computed and chosen by a mask: no branch on values.
//!
//! # How it is checked
//!
//! The compiler checks `p_0·(−1/p) ≡ −1` modulo `2^52` and the bound on the top limb of `4p`. Tests
//! run the lanes against the scalar field; on processors without the instructions a model in
//! plain integers stands in, which asserts the invariant on every operand, `2^58` on every
//! column and `2p` on every product.
