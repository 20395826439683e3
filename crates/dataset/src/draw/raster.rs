//! From polygons to an antialiased window.

use ab_glyph_rasterizer::{Point, Rasterizer, point};

/// A thread's drawing buffers, reused from image to image.
#[derive(Debug)]
pub(super) struct Canvas {
    rasterizer: Rasterizer,
    points: Vec<Point>,
    /// Coverage 0..=1 of the window, row by row.
    pub window: Vec<f32>,
    /// Buffer for the warp.
    pub scratch: Vec<f32>,
}

impl Default for Canvas {
    fn default() -> Self {
        Self { rasterizer: Rasterizer::new(0, 0), points: vec![], window: vec![], scratch: vec![] }
    }
}

impl Canvas {
    /// Draws closed contours into a window of this many rows and columns; `place` says at which pixel a point lies.
    pub fn draw(&mut self, (height, width): (usize, usize), contours: &[Vec<Point>], place: impl Fn(Point) -> Point) {
        let Self { rasterizer, points, window, .. } = self;
        points.clear();
        points.extend(contours.iter().flatten().map(|&p| place(p)));

        let (left, top) = coverage(rasterizer, points, contours.iter().map(Vec::len));
        window.clear();
        window.resize(height * width, 0.0);
        rasterizer.for_each_pixel_2d(|x, y, ink| {
            let (x, y) = (left + i64::from(x), top + i64::from(y));
            if (0..width as i64).contains(&x) && (0..height as i64).contains(&y) {
                window[y as usize * width + x as usize] = ink.min(1.0);
            }
        });
    }
}

/// The centre of ink of polygons in em units; none without ink.
pub(super) fn centre_of_ink(contours: &[Vec<Point>]) -> Option<Point> {
    // Measured on pixels, since contours may overlap; 1/256 em is far below a pixel of any image.
    const FINE: f32 = 256.0;
    let points: Vec<Point> = contours.iter().flatten().map(|p| point(p.x * FINE, p.y * FINE)).collect();
    let mut rasterizer = Rasterizer::new(0, 0);
    let (left, top) = coverage(&mut rasterizer, &points, contours.iter().map(Vec::len));
    let (mut mass, mut x_sum, mut y_sum) = (0.0, 0.0, 0.0);
    rasterizer.for_each_pixel_2d(|x, y, ink| {
        let ink = f64::from(ink.min(1.0));
        // Anything below this is rounding error of the rasteriser.
        if ink > 1e-3 {
            mass += ink;
            x_sum += ink * ((left + i64::from(x)) as f64 + 0.5);
            y_sum += ink * ((top + i64::from(y)) as f64 + 0.5);
        }
    });
    let scale = mass * f64::from(FINE);
    (mass > 1.0).then(|| point((x_sum / scale) as f32, (y_sum / scale) as f32))
}

/// Draws closed contours of the given lengths and returns the top left pixel.
pub(crate) fn coverage(
    rasterizer: &mut Rasterizer,
    points: &[Point],
    lengths: impl Iterator<Item = usize>,
) -> (i64, i64) {
    let (mut low, mut high) = (point(f32::MAX, f32::MAX), point(f32::MIN, f32::MIN));
    for p in points {
        low = point(low.x.min(p.x), low.y.min(p.y));
        high = point(high.x.max(p.x), high.y.max(p.y));
    }
    if points.is_empty() {
        rasterizer.reset(0, 0);
        return (0, 0);
    }
    let corner = point(low.x.floor() - 1.0, low.y.floor() - 1.0);
    let size = high - corner;
    rasterizer.reset(size.x.ceil() as usize + 2, size.y.ceil() as usize + 2);
    let mut rest = points;
    for length in lengths {
        let (contour, after) = rest.split_at(length);
        rest = after;
        let ends = contour.iter().skip(1).chain(contour.first());
        for (&from, &to) in contour.iter().zip(ends) {
            rasterizer.draw_line(from - corner, to - corner);
        }
    }
    (corner.x as i64, corner.y as i64)
}
