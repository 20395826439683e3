//! Arrays of points and weights.

use rayon::prelude::*;
use zeroize::Zeroizing;

use super::{
    error::WireError,
    frame::{Bytes, Encoding},
};
use crate::{
    group::subgroup::all_in_subgroups,
    raw::{Coordinate, G1, G2, Point, Scalar},
};

/// Appends points.
pub(super) fn write<F: Coordinate>(out: &mut Vec<u8>, points: &[Point<F>], encoding: Encoding) {
    let bytes = bytes_of::<F>(encoding);
    let start = out.len();
    out.resize(start + points.len() * bytes, 0);
    out[start..]
        .par_chunks_exact_mut(bytes)
        .with_min_len(64)
        .zip(points)
        .for_each(|(out, point)| F::serialize(point, encoding.is_compressed(), out));
}

/// Reads points of the curve; their subgroup is not checked yet.
pub(super) fn read<F: Coordinate>(
    body: &mut Bytes<'_>,
    count: usize,
    encoding: Encoding,
    field: &'static str,
) -> Result<Vec<Point<F>>, WireError> {
    let bytes = bytes_of::<F>(encoding);
    body.take(count * bytes)?
        .par_chunks_exact(bytes)
        .with_min_len(64)
        .enumerate()
        .map(|(index, bytes)| F::deserialize(bytes, encoding.is_compressed()).ok_or(WireError::Point { field, index }))
        .collect()
}

/// Checks that points of both groups lie in the prime-order subgroups, with
/// coefficients that their author cannot know.
pub(super) fn check_subgroups(left: (&'static str, &[G1]), right: (&'static str, &[G2])) -> Result<(), WireError> {
    let (a, b) = all_in_subgroups(left.1, right.1, &mut host::fresh_rng());
    let check = |ok: bool, field| if ok { Ok(()) } else { Err(WireError::Subgroup { field }) };
    check(a, left.0).and(check(b, right.0))
}

/// Appends scalars that may be secret; `out` has room for them.
pub(super) fn write_scalars(out: &mut Vec<u8>, scalars: &[Scalar]) {
    for scalar in scalars {
        out.extend_from_slice(&*Zeroizing::new(scalar.to_bytes()));
    }
}

/// Reads scalars below the group order.
pub(super) fn read_scalars(
    body: &mut Bytes<'_>,
    count: usize,
    field: &'static str,
) -> Result<Zeroizing<Vec<Scalar>>, WireError> {
    let mut scalars = Zeroizing::new(Vec::with_capacity(count));
    for index in 0..count {
        let bytes = Zeroizing::new(body.array()?);
        scalars.push(Scalar::from_bytes(&bytes).ok_or(WireError::Scalar { field, index })?);
    }
    Ok(scalars)
}

/// Appends weights.
pub(super) fn write_weights(out: &mut Vec<u8>, weights: &[i32]) {
    out.extend(weights.iter().flat_map(|weight| weight.to_le_bytes()));
}

/// Reads weights.
pub(super) fn read_weights(body: &mut Bytes<'_>, count: usize) -> Result<Vec<i32>, WireError> {
    let bytes = body.take(4 * count)?;
    Ok(bytes.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}

fn bytes_of<F: Coordinate>(encoding: Encoding) -> usize {
    if encoding.is_compressed() { F::POINT_BYTES / 2 } else { F::POINT_BYTES }
}
