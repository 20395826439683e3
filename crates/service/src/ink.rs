//! The position of the characters in a data set's images, so that a drawing can be placed alike.

use encoder::Images;
use serde::{Deserialize, Serialize};

/// Medians over items, as fractions of the longer side of an image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ink {
    /// Middle of the box around the ink, from the top.
    pub row: f32,
    /// Middle of the box around the ink, from the left.
    pub column: f32,
    /// Longer side of that box.
    pub extent: f32,
    /// Width of a stroke: twice the area of the ink over the length of its outline.
    pub stroke: f32,
}

impl Ink {
    /// Measures pictures; those without ink do not count.
    pub fn of(data: &dyn Images) -> Self {
        let measured: Vec<Ink> = (0..data.len()).filter_map(|item| measure(data, item)).collect();
        let median = |field: fn(&Ink) -> f32, fallback| {
            let mut values: Vec<f32> = measured.iter().map(field).collect();
            values.sort_by(f32::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(fallback)
        };
        Self {
            row: median(|ink| ink.row, 0.5),
            column: median(|ink| ink.column, 0.5),
            extent: median(|ink| ink.extent, 0.7),
            stroke: median(|ink| ink.stroke, 0.1),
        }
    }
}

fn measure(data: &dyn Images, item: usize) -> Option<Ink> {
    let (height, width) = (data.height(), data.width());
    let image = data.image(item);
    // Paper is what most of the border shows.
    let border = |pixel: &usize| {
        let (row, column) = (pixel / width, pixel % width);
        row == 0 || column == 0 || row + 1 == height || column + 1 == width
    };
    let edge: Vec<u8> = (0..image.len()).filter(border).map(|pixel| image[pixel]).collect();
    let light = 2 * edge.iter().filter(|&&pixel| pixel > 127).count() > edge.len();
    let ink = |row: usize, column: usize| {
        let pixel = image[row * width + column];
        f32::from(if light { 255 - pixel } else { pixel }) / 255.0
    };
    let (mut area, mut outline) = (0.0, 0.0);
    let (mut top, mut bottom, mut left, mut right) = (height, 0, width, 0);
    for row in 0..height {
        for column in 0..width {
            let here = ink(row, column);
            area += here;
            let down = if row + 1 < height { ink(row + 1, column) } else { 0.0 };
            let across = if column + 1 < width { ink(row, column + 1) } else { 0.0 };
            outline += (down - here).hypot(across - here);
            if here > 0.25 {
                (top, bottom) = (top.min(row), bottom.max(row + 1));
                (left, right) = (left.min(column), right.max(column + 1));
            }
        }
    }
    if bottom == 0 {
        return None;
    }
    let side = height.max(width) as f32;
    Some(Ink {
        row: (top + bottom) as f32 / 2.0 / side,
        column: (left + right) as f32 / 2.0 / side,
        extent: (bottom - top).max(right - left) as f32 / side,
        stroke: 2.0 * area / outline.max(1e-6) / side,
    })
}

#[cfg(test)]
mod tests {
    use encoder::Pixels;

    use super::*;

    #[test]
    fn a_bar_is_measured() {
        let mut image = vec![0; 20 * 20];
        for row in 2..18 {
            for column in 9..12 {
                image[row * 20 + column] = 255;
            }
        }
        let dark: Vec<u8> = image.iter().map(|pixel| 255 - pixel).collect();
        for pixels in [image, dark] {
            let ink = Ink::of(&Pixels { height: 20, width: 20, bytes: &pixels });
            assert_eq!((ink.row, ink.column, ink.extent), (0.5, 0.525, 0.8));
            assert!((0.11..0.16).contains(&ink.stroke), "{}", ink.stroke);
        }
    }
}
