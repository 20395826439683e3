//! Figures that the paper's tutorials print, in percent: main and collateral accuracy.

/// `(S, main, collateral by a CNN)` without defence, tutorial 4, one run each.
pub const SIZE: [(usize, f64, f64); 10] = [
    (1, 48.07, 57.70),
    (2, 94.58, 59.89),
    (3, 97.52, 67.50),
    (4, 98.05, 75.25),
    (5, 98.60, 82.85),
    (6, 98.82, 83.40),
    (7, 99.02, 89.76),
    (8, 98.91, 90.56),
    (9, 98.96, 88.16),
    (10, 98.97, 92.24),
];

/// `(α, main, collateral by the adversary trained against)`, tutorial 5 over 7 folds.
pub const ALPHA: [(f32, f64, f64); 8] = [
    (0.0, 98.79, 73.90),
    (0.2, 98.57, 58.45),
    (0.5, 98.47, 55.92),
    (1.0, 98.46, 55.29),
    (1.5, 98.41, 55.74),
    (2.0, 98.38, 55.26),
    (2.5, 98.34, 55.54),
    (3.0, 98.26, 56.39),
];

/// `(S, main, collateral by a fresh net on one digit)` with the defence at α = 1.7, tutorial 11 over 7 folds.
pub const DEFENDED: [(usize, f64, f64); 10] = [
    (1, 56.27, 54.68),
    (2, 93.91, 60.18),
    (3, 97.53, 53.95),
    (4, 98.42, 54.07),
    (5, 98.66, 55.80),
    (6, 98.95, 61.76),
    (7, 98.91, 70.35),
    (8, 99.01, 71.11),
    (9, 98.90, 82.80),
    (10, 98.95, 83.21),
];

/// The strongest attacker of the panel on one digit at S = 4, a random forest (tutorial 8).
pub const STRONGEST: (f64, f64) = (98.42, 58.99);

/// The integer network that the paper evaluates under encryption.
pub const INTEGER_MAIN: f64 = 97.7;
