//! Input columns that a network does not need: chosen before fine-tuning, and removed from the encoder after it.

use encoder::Encoder;

use super::CompileError;
use super::latent::Activity;
use super::weights::Weights;
use model::Parameters;

/// Sets to 0 all weights of all but the `keep` input columns that matter most, by mean square of the
/// input times squared weights of both sides. Weights that are 0 stay 0.
pub(super) fn keep_largest(private: &mut Parameters, right: &[usize], activity: &Activity, keep: usize) {
    let last = private.0.len() - 1;
    let columns = private.0[0].shape[0] - 1;
    let place = |side: usize, row: usize| if side == 0 { row } else { right[row] };
    let mut importance = vec![0.0; columns];
    for (side, projection) in private.0[..last].iter().enumerate() {
        let units = projection.shape[1];
        for (row, weights) in projection.values[units..].chunks_exact(units).enumerate() {
            let square: f32 = weights.iter().map(|weight| weight * weight).sum();
            importance[place(side, row)] += square * activity.levels[side][1 + row];
        }
    }
    let mut order: Vec<usize> = (0..columns).collect();
    order.sort_by(|&a, &b| importance[b].total_cmp(&importance[a]));
    let dropped = &order[keep.min(columns)..];
    for (side, projection) in private.0[..last].iter_mut().enumerate() {
        let units = projection.shape[1];
        for (row, weights) in projection.values[units..].chunks_exact_mut(units).enumerate() {
            if dropped.contains(&place(side, row)) {
                weights.fill(0.0);
            }
        }
    }
}

/// Removes columns without weights from the encoder, so that nobody encrypts them: cells that neither side reads (where
/// `z` is the cells themselves), and columns that the right side does not read.
pub(super) fn drop_dead(encoder: &Encoder, weights: Weights) -> Result<(Encoder, Weights), CompileError> {
    let (n, m) = encoder.inputs();
    let left: Vec<bool> = alive(&weights.left, n);
    let right = weights.right.as_ref().map_or(left.clone(), |rows| alive(rows, m));

    // The columns of `z` to keep: where it can be narrowed, those that a side reads.
    let mut kept = vec![!encoder.is_cells(); n - 1];
    kept.iter_mut().zip(&left[1..]).for_each(|(kept, &left)| *kept |= left);
    let read = encoder.right().iter().zip(&right[1..]).filter(|(_, right)| **right);
    read.for_each(|(&column, _)| kept[column] = true);
    if !kept.contains(&true) {
        kept[0] = true;
    }
    let squares = weights.right.is_none();
    let stays = |column: usize, read: bool| kept[column] && (squares || read);
    let mut right_kept: Vec<bool> =
        encoder.right().iter().zip(&right[1..]).map(|(&column, &read)| stays(column, read)).collect();
    if !right_kept.contains(&true) {
        let first = encoder.right().iter().position(|&column| kept[column]);
        let Some(first) = first else { return Ok((encoder.clone(), weights)) };
        right_kept[first] = true;
    }

    let encoder = encoder.narrowed(&kept, &right_kept)?;
    let weights = Weights {
        left: narrow(&weights.left, &kept),
        right: weights.right.map(|rows| narrow(&rows, &right_kept)),
        ..weights
    };
    Ok((encoder, weights))
}

/// For every column, whether a row has a weight there.
fn alive(rows: &[i32], columns: usize) -> Vec<bool> {
    (0..columns).map(|column| rows.iter().skip(column).step_by(columns).any(|&weight| weight != 0)).collect()
}

/// Rows of the constant column and those kept.
fn narrow(rows: &[i32], kept: &[bool]) -> Vec<i32> {
    let narrow = |row: &[i32]| -> Vec<i32> {
        let weights = row[1..].iter().zip(kept).filter(|(_, kept)| **kept).map(|(&weight, _)| weight);
        std::iter::once(row[0]).chain(weights).collect()
    };
    rows.chunks_exact(1 + kept.len()).flat_map(narrow).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dataset::handwriting;
    use encoder::EncoderOptions;

    #[test]
    fn narrowed_networks_compute_the_same() {
        let data = handwriting::digits();
        let encoder = Encoder::fit(&data, &EncoderOptions::default()).unwrap();
        let (n, m) = encoder.inputs();
        let weight = |i: usize, dead: &[usize], columns: usize| {
            if dead.contains(&(i % columns)) { 0 } else { (i * 7 % 11) as i32 - 5 }
        };
        let left: Vec<i32> = (0..2 * n).map(|i| weight(i, &[1, 5, 9], n)).collect();
        let right: Vec<i32> = (0..2 * m).map(|i| weight(i, &[1, 6, 9, 10], m)).collect();
        for right in [None, Some(right)] {
            let whole = Weights { left: left.clone(), right: right.clone(), combine: vec![1, -2], units: 2 };
            let (narrow, weights) = drop_dead(&encoder, whole).unwrap();
            let expected = if right.is_some() { (n - 2, m - 4) } else { (n - 3, m - 3) };
            assert!(narrow.inputs().0 <= expected.0 && narrow.inputs().1 <= expected.1, "{:?}", narrow.inputs());
            let value = |encoder: &Encoder, left: &[i32], right: Option<&Vec<i32>>| {
                let encoded = encoder.encode(data.image(3)).unwrap();
                let dot = |row: &[i32], values: &[i64]| -> i64 {
                    row.iter().zip(values).map(|(&w, v)| i64::from(w) * v).sum()
                };
                let (n, m) = encoder.inputs();
                let unit = |k: usize| {
                    let left = dot(&left[k * n..][..n], &encoded.u);
                    left * right.map_or(left, |right| dot(&right[k * m..][..m], &encoded.v))
                };
                unit(0) - 2 * unit(1)
            };
            let narrowed = value(&narrow, &weights.left, weights.right.as_ref());
            assert_eq!(narrowed, value(&encoder, &left, right.as_ref()));
        }
    }
}
