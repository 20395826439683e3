//! Two-dimensional views of the outputs, for the pictures of the report.

use crate::attackers::Standardiser;
use crate::linear::{cholesky, solve_lower, solve_upper};
use crate::observations::Observations;
use crate::report::{Cloud, Finding, Points};

/// Points per picture: dense enough to see, few enough to keep the file small.
const POINTS: usize = 1200;

/// Test items along directions fitted to training items.
pub(crate) fn project(train: &Observations, test: &Observations, class: Option<&Finding>) -> Cloud {
    let every = |data: &Observations| (0..data.len()).collect::<Vec<usize>>();
    let overall = discriminant(train, &every(train), &train.main, train.main_classes.len(), test, &every(test));
    let within = class.and_then(|finding| {
        let name = finding.class.as_ref()?;
        let class = train.main_classes.iter().position(|c| c == name)? as u32;
        let of = |data: &Observations| -> Vec<usize> { (0..data.len()).filter(|&i| data.main[i] == class).collect() };
        let values = train.collateral_classes.len();
        Some(discriminant(train, &of(train), &train.collateral, values, test, &of(test)))
    });
    Cloud { overall, class: within }
}

/// Fisher's discriminant: whitens by the scatter within groups, then takes the two principal directions of the group
/// means. With two groups the second is the widest remaining direction.
fn discriminant(
    train: &Observations,
    train_items: &[usize],
    labels: &[u32],
    groups: usize,
    test: &Observations,
    test_items: &[usize],
) -> Points {
    let d = train.width;
    let standardiser = Standardiser::fit(&train.outputs, d, train_items);
    let to_f64 = |rows: Vec<f32>| rows.into_iter().map(f64::from).collect::<Vec<f64>>();
    let rows = to_f64(standardiser.apply(&train.outputs, train_items));
    let mut means = vec![0.0; groups * d];
    let mut counts = vec![0.0; groups];
    for (row, &i) in rows.chunks_exact(d).zip(train_items) {
        let group = labels[i] as usize;
        counts[group] += 1.0;
        for (m, x) in means[group * d..].iter_mut().zip(row) {
            *m += x;
        }
    }
    for (mean, n) in means.chunks_exact_mut(d).zip(&counts) {
        mean.iter_mut().for_each(|m| *m /= f64::max(*n, 1.0));
    }
    let n = train_items.len().max(1) as f64;
    let (mut within, mut total) = (vec![0.0; d * d], vec![0.0; d * d]);
    for (row, &i) in rows.chunks_exact(d).zip(train_items) {
        let mean = &means[labels[i] as usize * d..][..d];
        for a in 0..d {
            for b in 0..d {
                within[a * d + b] += (row[a] - mean[a]) * (row[b] - mean[b]) / n;
                total[a * d + b] += row[a] * row[b] / n;
            }
        }
    }
    for a in 0..d {
        within[a * d + a] += 1e-6;
    }
    let factor = cholesky(&within, d, 1e-9);
    let mut between = vec![0.0; d * d];
    for (mean, count) in means.chunks_exact(d).zip(&counts) {
        let mut white = mean.to_vec();
        solve_lower(&factor, d, &mut white);
        for a in 0..d {
            for b in 0..d {
                between[a * d + b] += white[a] * white[b] * count / n;
            }
        }
    }
    // A trace of the total scatter decides where the group means leave directions undetermined.
    for (b, t) in between.iter_mut().zip(&total) {
        *b += 1e-6 * t;
    }
    let directions = principal(&between, d).map(|mut direction| {
        solve_upper(&factor, d, &mut direction);
        direction
    });
    let stride = test_items.len().div_ceil(POINTS).max(1);
    let shown: Vec<usize> = test_items.iter().copied().step_by(stride).collect();
    let rows = to_f64(standardiser.apply(&test.outputs, &shown));
    let along = |direction: &[f64]| -> Vec<f32> {
        let coordinates = rows.chunks_exact(d).map(|row| {
            let x: f64 = row.iter().zip(direction).map(|(x, w)| x * w).sum();
            ((x * 1000.0).round() / 1000.0) as f32
        });
        coordinates.collect()
    };
    Points {
        x: along(&directions[0]),
        y: along(&directions[1]),
        main: shown.iter().map(|&i| test.main[i]).collect(),
        collateral: shown.iter().map(|&i| test.collateral[i]).collect(),
    }
}

/// The two leading eigenvectors of a symmetric matrix, by orthogonal iteration from a fixed start.
fn principal(matrix: &[f64], d: usize) -> [Vec<f64>; 2] {
    let mut found: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for at in 0..2 {
        let mut v: Vec<f64> = (0..d).map(|i| 1.0 + (i * (at + 1)) as f64 * 0.37).collect();
        for _ in 0..300 {
            if at == 1 {
                let overlap: f64 = v.iter().zip(&found[0]).map(|(a, b)| a * b).sum();
                v.iter_mut().zip(&found[0]).for_each(|(v, u)| *v -= overlap * u);
            }
            let next: Vec<f64> =
                matrix.chunks_exact(d).map(|row| row.iter().zip(&v).map(|(m, v)| m * v).sum()).collect();
            let length = next.iter().map(|x| x * x).sum::<f64>().sqrt();
            if length < 1e-30 {
                break;
            }
            v = next.iter().map(|x| x / length).collect();
        }
        if at == 1 {
            let overlap: f64 = v.iter().zip(&found[0]).map(|(a, b)| a * b).sum();
            v.iter_mut().zip(&found[0]).for_each(|(v, u)| *v -= overlap * u);
        }
        found[at] = v;
    }
    found
}
