//! Random deformations: rotation and size, and the smooth warp.

use ab_glyph_rasterizer::{Point, point};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::raster::Canvas;
use super::spec::DrawSpec;

/// The random numbers of one image: a fixed function of its seed, stream and index.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub fn new(seed: u64, stream: u64, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&stream.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(index);
        Self(generator)
    }

    /// Uniform in `0..limit`, with a bias below `limit / 2^32`.
    pub fn below(&mut self, limit: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(limit)) >> 32) as u32
    }

    /// Uniform in −1..1.
    pub fn symmetric(&mut self) -> f32 {
        // 24 bits, centred: exact in f32 and never ±1.
        ((self.0.next_u32() >> 8) as f32 + 0.5) / (1 << 23) as f32 - 1.0
    }

    /// Two independent standard normals (Box and Muller).
    pub fn normals(&mut self) -> (f64, f64) {
        let unit = |bits: u64| ((bits >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
        let (a, b) = (unit(self.0.next_u64()), unit(self.0.next_u64()));
        let radius = (-2.0 * libm::log(a)).sqrt();
        let angle = std::f64::consts::TAU * b;
        (radius * libm::cos(angle), radius * libm::sin(angle))
    }
}

/// The rotation, size and position of one image.
pub(super) struct Deformation {
    /// `(scale · cos, scale · sin)`, em units to pixels.
    turn: (f32, f32),
    /// Offset from the centre in pixels, −½ to ½ on each axis.
    centring: (f32, f32),
}

impl Deformation {
    pub fn draw(spec: &DrawSpec, random: &mut Random) -> Self {
        let (angle, size) = random.normals();
        let angle = angle * f64::from(spec.rotation).to_radians();
        // A size of zero, or one that fills memory, is a deviation of more than 10 σ.
        let scale = f64::from(spec.em) * (1.0 + size * f64::from(spec.em_deviation)).clamp(0.1, 4.0);
        let turn = ((scale * libm::cos(angle)) as f32, (scale * libm::sin(angle)) as f32);
        Self { turn, centring: (random.symmetric() / 2.0, random.symmetric() / 2.0) }
    }

    /// Maps em units to the pixels of an image, for an outline with this centre of ink.
    pub fn placement(&self, spec: &DrawSpec, centre: Point) -> impl Fn(Point) -> Point {
        let (height, width) = (spec.height as f32, spec.width as f32);
        let origin = if spec.recentre {
            // Pixel i is centred on i + ½.
            let centre = self.apply(centre);
            let (x, y) = self.centring;
            point((width / 2.0).floor() + 0.5 + x - centre.x, (height / 2.0).floor() + 0.5 + y - centre.y)
        } else {
            point(0.3 * width, 0.7 * height)
        };
        move |p| self.apply(p) + origin
    }

    /// Counter-clockwise on the page, whose y axis points down.
    fn apply(&self, p: Point) -> Point {
        let (cos, sin) = self.turn;
        point(cos * p.x + sin * p.y, cos * p.y - sin * p.x)
    }
}

/// The elastic warp of Simard et al.: `out[r, c] = in[r + dy[r, c], c + dx[r, c]]`, bilinear, mirrored
/// at the borders, with `d = α · G_H · noise · G_W` and `G` the Gaussian filter with zeros outside.
#[derive(Debug)]
pub(crate) struct Warp {
    height: usize,
    width: usize,
    alpha: f32,
    /// `G_H` (H×H) and `G_W` (W×W), symmetric.
    down: Vec<f32>,
    across: Vec<f32>,
}

impl Warp {
    pub fn new(height: usize, width: usize, sigma: f32, alpha: f32) -> Self {
        Self { height, width, alpha, down: gaussian(height, sigma), across: gaussian(width, sigma) }
    }

    /// Warps the canvas's window into `out`.
    pub(super) fn apply(&self, random: &mut Random, canvas: &mut Canvas, out: &mut [u8]) {
        let pixels = self.height * self.width;
        let to_byte = |ink: f32| (ink * 255.0).round() as u8;
        let Canvas { window, scratch, .. } = canvas;
        if self.alpha == 0.0 {
            out.iter_mut().zip(window.iter()).for_each(|(out, &ink)| *out = to_byte(ink));
            return;
        }
        scratch.clear();
        scratch.resize(3 * pixels, 0.0);
        let (columns, rest) = scratch.split_at_mut(pixels);
        let (rows, room) = rest.split_at_mut(pixels);
        self.field(random, columns, room);
        self.field(random, rows, room);
        for (place, out) in out.iter_mut().enumerate() {
            let (row, column) = ((place / self.width) as f32, (place % self.width) as f32);
            *out = to_byte(self.sample(window, row + rows[place], column + columns[place]));
        }
    }

    /// One displacement field in pixels.
    pub fn field(&self, random: &mut Random, field: &mut [f32], room: &mut [f32]) {
        let (height, width) = (self.height, self.width);
        field.iter_mut().for_each(|noise| *noise = random.symmetric());
        // room = noise · G_W
        room.fill(0.0);
        for (row, out) in field.chunks(width).zip(room.chunks_mut(width)) {
            for (&noise, weights) in row.iter().zip(self.across.chunks(width)) {
                add_scaled(out, noise, weights);
            }
        }
        // field = α · G_H · room
        field.fill(0.0);
        for (out, weights) in field.chunks_mut(width).zip(self.down.chunks(height)) {
            for (&weight, row) in weights.iter().zip(room.chunks(width)) {
                add_scaled(out, self.alpha * weight, row);
            }
        }
    }

    fn sample(&self, window: &[f32], row: f32, column: f32) -> f32 {
        let (top, left) = (row.floor(), column.floor());
        let (down, right) = (row - top, column - left);
        let rows = [mirror(top as i64, self.height), mirror(top as i64 + 1, self.height)];
        let columns = [mirror(left as i64, self.width), mirror(left as i64 + 1, self.width)];
        let at = |row: usize, column: usize| window[rows[row] * self.width + columns[column]];
        let upper = at(0, 0) * (1.0 - right) + at(0, 1) * right;
        let lower = at(1, 0) * (1.0 - right) + at(1, 1) * right;
        upper * (1.0 - down) + lower * down
    }
}

fn add_scaled(out: &mut [f32], factor: f32, values: &[f32]) {
    out.iter_mut().zip(values).for_each(|(out, value)| *out += factor * value);
}

/// The filter as a matrix: cut at 4 σ, its whole kernel summing to 1.
fn gaussian(size: usize, sigma: f32) -> Vec<f32> {
    let sigma = f64::from(sigma);
    let radius = (4.0 * sigma + 0.5) as i64;
    let weight = |distance: i64| libm::exp(-0.5 * (distance as f64 / sigma).powi(2));
    let total: f64 = (-radius..=radius).map(weight).sum();
    let entry = |row: usize, column: usize| match row.abs_diff(column) as i64 {
        distance if distance <= radius => (weight(distance) / total) as f32,
        _ => 0.0,
    };
    (0..size * size).map(|place| entry(place / size, place % size)).collect()
}

/// The index whose pixel lies at `index` when the image repeats mirrored: `… b a | a b c | c b …`.
fn mirror(index: i64, size: usize) -> usize {
    let place = index.rem_euclid(2 * size as i64) as usize;
    if place < size { place } else { 2 * size - 1 - place }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Displacements of many images against theory: the variance at (r, c) is
    /// α² · (1/3) · Σ_i G_H[r, i]² · Σ_j G_W[c, j]².
    #[test]
    fn the_default_warp_moves_pixels_by_about_one_pixel() {
        let spec = DrawSpec::default();
        let warp = Warp::new(28, 28, spec.elastic_sigma, spec.elastic_alpha);
        let (mut square, mut centre) = (0.0, 0.0);
        let (mut field, mut room) = (vec![0.0; 784], vec![0.0; 784]);
        for index in 0..4000 {
            warp.field(&mut Random::new(1, 0, index), &mut field, &mut room);
            square += field.iter().map(|&d| f64::from(d).powi(2)).sum::<f64>() / 784.0;
            centre += f64::from(field[14 * 28 + 14]).powi(2);
        }
        let (overall, centre) = ((square / 4000.0).sqrt(), (centre / 4000.0).sqrt());
        assert!((overall - 1.008).abs() < 0.04, "{overall}");
        assert!((centre - 1.196).abs() < 0.05, "{centre}");
        // The paper's own strength, measured with its 3-D filter, is 1.06 px.
        assert!((overall - 1.06).abs() < 0.1, "{overall}");
    }

    #[test]
    fn a_mirror_repeats_the_border() {
        let indices: Vec<usize> = (-4..8).map(|index| mirror(index, 3)).collect();
        assert_eq!(indices, [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
    }

    #[test]
    pub fn normals_have_mean_0_and_deviation_1() {
        let mut random = Random::new(5, 0, 0);
        let draws: Vec<f64> = (0..20_000).flat_map(|_| <[f64; 2]>::from(random.normals())).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }
}
