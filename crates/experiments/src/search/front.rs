//! The Pareto front, and the table of all points.

use serde::Serialize;

use super::point::Found;

/// All points of a search, with the Pareto front marked: points for which no other has at least as much accuracy, as
/// little leak and as little work, and is better in one of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Front(Vec<Found>);

impl Front {
    /// Marks the points.
    pub fn of(mut found: Vec<Found>) -> Self {
        mark(&mut found);
        Self(found)
    }

    /// All points, in the order given.
    pub fn points(&self) -> &[Found] {
        &self.0
    }

    /// Header and rows of a table, the most accurate first.
    pub fn table(&self) -> ([&'static str; 12], Vec<[String; 12]>) {
        table(&self.0)
    }
}

fn mark(found: &mut [Found]) {
    let values: Vec<[f64; 3]> = found.iter().map(|x| [x.main_integer, -x.pooled, -x.field_muls]).collect();
    let beats = |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).all(|(a, b)| a >= b) && a != b;
    for (found, value) in found.iter_mut().zip(&values) {
        found.front = !values.iter().any(|other| beats(other, value));
    }
}

fn table(found: &[Found]) -> ([&'static str; 12], Vec<[String; 12]>) {
    let header = [
        "front",
        "S",
        "units",
        "weight",
        "noise",
        "bits",
        "main %",
        "pooled %",
        "worst class %",
        "vote@140 %",
        "output bits",
        "field multiplications",
    ];
    let mut order: Vec<&Found> = found.iter().collect();
    order.sort_by(|a, b| b.main_integer.total_cmp(&a.main_integer).then(a.pooled.total_cmp(&b.pooled)));
    let row = |x: &Found| {
        [
            if x.front { "*".to_owned() } else { String::new() },
            x.point.outputs.to_string(),
            x.point.units.to_string(),
            x.point.weight.to_string(),
            x.point.noise.to_string(),
            x.point.bits(),
            format!("{:.2}", x.main_integer),
            format!("{:.2} {}", x.pooled, x.family),
            format!("{:.2}", x.worst_class),
            x.vote.map_or_else(|| "–".to_owned(), |vote| format!("{vote:.1}")),
            format!("{:.1}", x.output_bits),
            format!("{:.3e}", x.field_muls),
        ]
    };
    (header, order.into_iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::super::point::Point;
    use super::*;
    use training::Precision;

    fn found(main_integer: f64, pooled: f64, field_muls: f64) -> Found {
        let point = Point { outputs: 4, units: 64, weight: 30.0, noise: 0.0, precision: Precision::default() };
        Found {
            point,
            main_float: main_integer,
            main_integer,
            pooled,
            family: "qda".into(),
            worst_class: pooled,
            vote: Some(60.0),
            chance: 50.0,
            attack_items: (100, 100),
            field_muls,
            ciphertext: 1,
            output_bits: 20.0,
            front: false,
        }
    }

    #[test]
    fn what_another_beats_in_all_is_not_on_the_front() {
        let points = [found(99.0, 52.0, 1e6), found(98.0, 51.0, 1e6), found(98.0, 53.0, 1e6), found(98.0, 53.0, 9e5)];
        let front = Front::of(points.to_vec());
        let marks: Vec<bool> = front.points().iter().map(|point| point.front).collect();
        assert_eq!(marks, [true, true, false, true]);
        assert_eq!(front.table().1[0][6], "99.00");
    }

    #[test]
    fn equal_points_are_both_on_the_front() {
        let front = Front::of(vec![found(99.0, 52.0, 1e6), found(99.0, 52.0, 1e6)]);
        assert!(front.points().iter().all(|point| point.front));
    }
}
