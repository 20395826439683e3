//! The values that a search combines.

use training::Precision;

use super::point::Point;

/// Values to combine; an empty list stands for the value of the training.
#[derive(Clone, Debug, Default)]
pub struct Space {
    /// Outputs S.
    pub outputs: Vec<usize>,
    /// Units d.
    pub units: Vec<usize>,
    /// Weights of the defence.
    pub weights: Vec<f32>,
    /// Noise under encryption, as fractions of each output's deviation.
    pub noises: Vec<f32>,
    /// Bits of the integers.
    pub precisions: Vec<Precision>,
}

impl Space {
    /// Every combination, with the values of `standard` for empty lists.
    pub fn points(&self, standard: &Point) -> Vec<Point> {
        let mut points = vec![*standard];
        vary(&mut points, &self.outputs, |point, outputs| Point { outputs, ..point });
        vary(&mut points, &self.units, |point, units| Point { units, ..point });
        vary(&mut points, &self.weights, |point, weight| Point { weight, ..point });
        vary(&mut points, &self.noises, |point, noise| Point { noise, ..point });
        vary(&mut points, &self.precisions, |point, precision| Point { precision, ..point });
        points
    }
}

/// Every point with every value; the points unchanged if there are no values.
fn vary<T: Copy>(points: &mut Vec<Point>, values: &[T], with: impl Fn(Point, T) -> Point) {
    if !values.is_empty() {
        let with = &with;
        *points = points.iter().flat_map(|&point| values.iter().map(move |&value| with(point, value))).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_in_order_and_the_standard_where_nothing_is_given() {
        let standard = Point { outputs: 4, units: 64, weight: 30.0, noise: 0.0, precision: Precision::default() };
        let space = Space { outputs: vec![2, 3], noises: vec![0.0, 0.1], ..Space::default() };
        let found: Vec<_> = space.points(&standard).iter().map(|x| (x.outputs, x.noise, x.units)).collect();
        assert_eq!(found, [(2, 0.0, 64), (2, 0.1, 64), (3, 0.0, 64), (3, 0.1, 64)]);
        assert_eq!(Space::default().points(&standard), [standard]);
    }
}
