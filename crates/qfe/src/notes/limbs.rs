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
//! # Bounds
//!
//! Every vector holds, in each lane, a value of at least zero in limbs below `2^52`. It is not
//! unique: a value and the value plus `p` are the same element. Each value has a *bound* `A`:
//! it is below `A·p`. Bounds follow from the operations alone, not from values:
//!
//! | operation | bound |
//! |---|---|
//! | an element from memory: six words of 64 bits, and `8p < 2^384` | 8 |
//! | `a + b` | `A + B` |
//! | `a − b + 2^k·p`, where `B ≤ 2^k` | `A + 2^k` |
//! | product or square | 2 |
//! | product in the quadratic extension | 3 |
//! | `settle`, of bounds up to 2^11 | 2 |
//!
//! In tests every vector carries its bound, and each operation checks what it demands. The code of
//! the lanes has no branch that depends on a value, save to leave for the scalar code, so one run of
//! each path proves the bounds for all values.
//!
//! # Products stay below 2p
//!
//! Let `T = Σ a·b` be a sum of products with `Σ A·B ≤ 2^33`. Reduction adds `M·p` with `0 ≤ M < R`
//! such that `R` divides, so
//!
//! ```math
//! \frac{T + M p}{R} < \frac{2^{33} p^2}{R} + p = p \left(1 + \frac{2^{33} p}{2^{416}}\right)
//!   < p \left(1 + 2^{33 + 381 - 416}\right) = \frac{5}{4}\, p
//! ```
//!
//! which is below `2p` with no comparison at the end: the 35 bits between `p` and `R` pay for
//! it, and for sums that are not reduced before. With `R = 2^384` (blst's) each sum would need
//! a subtraction. This is why the lanes have another `R`, and why elements are multiplied by
//! `2^32` on their way in and by `2^−32` on their way out.
//!
//! A difference of products has `|T| ≤ 2^33·p²`. It is reduced in the same way, in signed columns, and `p`
//! is added to the result, which lies between `3p/4` and `9p/4`.
//!
//! # Columns stay below 2^62
//!
//! Column `k` of `a·b` gets `lo(a_j·b_i)` for `i + j = k` and `hi(a_j·b_i)` for `i + j = k − 1`:
//! at most 8 + 7 terms, so it is below `15·2^52`. Karatsuba's method for the quadratic extension makes
//! `a₀b₀ − a₁b₁` and `(a₀ + a₁)(b₀ + b₁) − a₀b₀ − a₁b₁`: columns of either sign, below `30·2^52` in absolute
//! value. In the extension of degree twelve such columns are added up before they are
//! reduced, 28 of them at most: below `840·2^52`. Reduction adds at most 15 terms `lo(m·p_j)`,
//! `hi(m·p_j)` to a column and one carry of the column below, which is less than `2^11`. So all stay
//! below `2^62`: nothing is lost from signed words of 64 bits, and carries are arithmetic shifts.
//!
//! `m` of step `i` is `lo(t_i·(−1/p mod 2^52))`. The instruction reads the low 52 bits of `t_i`
//! although the column is wider, and only those matter modulo `2^52`, whatever its sign. After
//! `lo(m·p_0)` is added the column is a multiple of `2^52`; what is above goes to the next column. After
//! eight steps columns 8 to 15 hold the result, and one pass of carries gives limbs below `2^52`.
//!
//! # Settling
//!
//! Let `t` be the top limb of a value `x`, and `p_7 = ⌊p/2^364⌋` that of `p`. Then
//! `q = ⌊t·⌊2^52/(p_7 + 1)⌋/2^52⌋` is at most `x/p`, and less than it by at most `1 + t·2^−16`. `x − q·p` is
//! computed as `x + q·(2^416 − p)` without what passes `2^416`. For `x < 2^11·p` it lies between 0 and `1.1p`.
//!
//! # How it is checked
//!
//! The compiler checks `p_0·(−1/p) ≡ −1` modulo `2^52` and the top limb of the largest multiple of `p`. Tests
//! run the lanes against the scalar field, with their bounds; on processors without the instructions a model in
//! plain integers stands in, which asserts limbs, `2^62` on every column and `3p` on every product.
