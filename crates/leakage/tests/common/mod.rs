//! Distributions whose leak is known in closed form.
#![allow(dead_code)]

use leakage::Observations;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (a, b): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// Items with uniform labels; `draw(main, collateral, rng)` gives the outputs.
pub fn observe(
    items: usize,
    main: usize,
    collateral: usize,
    seed: u64,
    draw: impl Fn(usize, usize, &mut ChaCha8Rng) -> Vec<f64>,
) -> Observations {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut data = Observations {
        main_classes: (0..main).map(|m| m.to_string()).collect(),
        collateral_classes: (0..collateral).map(|c| format!("font {c}")).collect(),
        ..Observations::default()
    };
    let mut outputs: Vec<f32> = Vec::new();
    for i in 0..items {
        let (m, c) = (i % main, i / main % collateral);
        let row = draw(m, c, &mut rng);
        data.width = row.len();
        outputs.extend(row.iter().map(|&x| x as f32));
        data.main.push(m as u32);
        data.collateral.push(c as u32);
    }
    data.outputs = outputs.into();
    data
}

/// Main classes far apart; within each, two Gaussians `2·shift` deviations apart along a diagonal.
/// The best attacker is right Φ(shift) of the time.
pub fn shifted(items: usize, shift: f64, seed: u64) -> Observations {
    observe(items, 3, 2, seed, |m, c, rng| {
        let sign = if c == 1 { shift } else { -shift };
        let along = sign / 2f64.sqrt();
        vec![1000.0 * (m as f64 * 6.0 + along + normal(rng)), -3.0 * m as f64 + along + normal(rng), normal(rng)]
    })
}

/// The attribute is the parity of two signs: no line can see it.
pub fn parity(items: usize, seed: u64) -> Observations {
    observe(items, 2, 2, seed, |m, c, rng| {
        let first = if rng.random::<bool>() { 1.0 } else { -1.0 };
        let second = if c == 1 { first } else { -first };
        let noise = [normal(rng), normal(rng)];
        vec![m as f64 * 9.0 + first + 0.4 * noise[0], second + 0.4 * noise[1]]
    })
}

/// Nothing to find.
pub fn silent(items: usize, seed: u64) -> Observations {
    shifted(items, 0.0, seed)
}
