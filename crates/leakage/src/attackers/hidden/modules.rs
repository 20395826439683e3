//! Lattices that differences of outputs span, and the coset that a row of outputs lies in.
//!
//! Where items of one value differ only by `M·(…)`, their differences span a proper sublattice of the integers, and the
//! coset identifies the value: for any modulus and any factors, without a search.

/// A sublattice of `Z^d` for small `d`: rows in echelon form, one for each pivot column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lattice {
    pivots: Vec<Option<Vec<i128>>>,
}

impl Lattice {
    pub fn new(dimension: usize) -> Lattice {
        Lattice { pivots: vec![None; dimension] }
    }

    /// Adds a vector; `None` where numbers exceed 128 bits.
    pub fn insert(&mut self, mut vector: Vec<i128>) -> Option<()> {
        for column in 0..vector.len() {
            if vector[column] == 0 {
                continue;
            }
            let Some(pivot) = &mut self.pivots[column] else {
                if vector[column] < 0 {
                    vector.iter_mut().for_each(|x| *x = -*x);
                }
                self.pivots[column] = Some(vector);
                return self.tidy();
            };
            while vector[column] != 0 {
                let quotient = pivot[column].checked_div_euclid(vector[column])?;
                less(pivot, &vector, quotient)?;
                std::mem::swap(pivot, &mut vector);
            }
            if pivot[column] < 0 {
                pivot.iter_mut().for_each(|x| *x = -*x);
            }
        }
        self.tidy()
    }

    /// Reduces every row by those below it, which keeps numbers small.
    fn tidy(&mut self) -> Option<()> {
        for row in (0..self.pivots.len()).rev() {
            let Some(mut vector) = self.pivots[row].take() else { continue };
            for column in row + 1..vector.len() {
                if let Some(below) = &self.pivots[column] {
                    let quotient = vector[column].div_euclid(below[column]);
                    less(&mut vector, below, quotient)?;
                }
            }
            self.pivots[row] = Some(vector);
        }
        Some(())
    }

    /// Whether it contains every vector: then cosets carry no information.
    pub fn is_everything(&self) -> bool {
        (self.pivots.iter().enumerate()).all(|(column, pivot)| pivot.as_ref().is_some_and(|row| row[column] == 1))
    }

    /// The representative of a vector's coset; `None` where numbers exceed 128 bits.
    pub fn coset(&self, mut vector: Vec<i128>) -> Option<Vec<i128>> {
        for column in 0..vector.len() {
            if let Some(pivot) = &self.pivots[column] {
                let quotient = vector[column].div_euclid(pivot[column]);
                less(&mut vector, pivot, quotient)?;
            }
        }
        Some(vector)
    }
}

/// `vector − factor·row`.
fn less(vector: &mut [i128], row: &[i128], factor: i128) -> Option<()> {
    for (x, y) in vector.iter_mut().zip(row) {
        *x = x.checked_sub(factor.checked_mul(*y)?)?;
    }
    Some(())
}

/// A submodule of `(Z/2^64)^d`: the same for moduli that are powers of two, whatever `d`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dyadic {
    /// Rows whose first non-zero entry is a power of two, by its column.
    pivots: Vec<Option<Vec<u64>>>,
}

impl Dyadic {
    pub fn new(dimension: usize) -> Dyadic {
        Dyadic { pivots: vec![None; dimension] }
    }

    /// Adds a vector.
    pub fn insert(&mut self, vector: Vec<u64>) {
        let mut open = vec![vector];
        while let Some(mut vector) = open.pop() {
            let Some(column) = vector.iter().position(|&x| x != 0) else { continue };
            let zeros = vector[column].trailing_zeros();
            match &mut self.pivots[column] {
                Some(pivot) if pivot[column].trailing_zeros() <= zeros => {
                    let factor = vector[column] >> pivot[column].trailing_zeros();
                    minus(&mut vector, pivot, factor);
                    open.push(vector);
                }
                place => {
                    let inverse = inverse(vector[column] >> zeros);
                    vector.iter_mut().for_each(|x| *x = x.wrapping_mul(inverse));
                    if zeros > 0 {
                        // What remains of it where the pivot vanishes.
                        open.push(vector.iter().map(|x| x << (u64::BITS - zeros)).collect());
                    }
                    open.extend(place.replace(vector));
                }
            }
        }
    }

    /// Whether it contains every vector.
    pub fn is_everything(&self) -> bool {
        (self.pivots.iter().enumerate()).all(|(column, pivot)| pivot.as_ref().is_some_and(|row| row[column] == 1))
    }

    /// The representative of a vector's coset.
    pub fn coset(&self, mut vector: Vec<u64>) -> Vec<u64> {
        for column in 0..vector.len() {
            if let Some(pivot) = &self.pivots[column] {
                let factor = vector[column] >> pivot[column].trailing_zeros();
                minus(&mut vector, pivot, factor);
            }
        }
        vector
    }
}

fn minus(vector: &mut [u64], row: &[u64], factor: u64) {
    vector.iter_mut().zip(row).for_each(|(x, y)| *x = x.wrapping_sub(factor.wrapping_mul(*y)));
}

/// The inverse of an odd number modulo 2^64, by Newton's iteration.
fn inverse(odd: u64) -> u64 {
    (0..6).fold(odd, |x, _| x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x))))
}
