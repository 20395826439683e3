//! Short texts on a contact sheet, in the embedded serif.

use ab_glyph_rasterizer::{Rasterizer, point};
use image::{GrayImage, Luma};
use ttf_parser::Face;

use crate::draw::face::{SERIF, trace};
use crate::draw::raster::coverage;

/// Height of a line of text in pixels.
pub const HEIGHT: usize = 18;

const EM: f32 = 15.0;
const BASELINE: f32 = 13.0;
const LONGEST: usize = 40;

/// The width of a text in pixels.
pub fn width(text: &str) -> usize {
    let Ok(face) = Face::parse(SERIF, 0) else { return 0 };
    shown(text).map(|character| advance(&face, character)).sum::<f32>().ceil() as usize
}

/// Draws a text in black, starting at the given pixel.
pub fn draw(sheet: &mut GrayImage, text: &str, left: usize, top: usize) {
    let Ok(face) = Face::parse(SERIF, 0) else { return };
    let mut rasterizer = Rasterizer::new(0, 0);
    let mut pen = point(left as f32, top as f32 + BASELINE);
    for character in shown(text) {
        let contours = trace(&face, character, EM).unwrap_or_default();
        let points: Vec<_> = contours.iter().flatten().map(|p| point(p.x * EM, p.y * EM) + pen).collect();
        let (x, y) = coverage(&mut rasterizer, &points, contours.iter().map(Vec::len));
        rasterizer.for_each_pixel_2d(|dx, dy, ink| {
            let (Ok(x), Ok(y)) = (u32::try_from(x + i64::from(dx)), u32::try_from(y + i64::from(dy))) else { return };
            if let Some(Luma([grey])) = sheet.get_pixel_mut_checked(x, y) {
                *grey = grey.saturating_sub((ink.min(1.0) * 255.0) as u8);
            }
        });
        pen.x += advance(&face, character);
    }
}

/// The text that is drawn: shortened, and with a mark for characters that the font lacks.
fn shown(text: &str) -> impl Iterator<Item = char> + '_ {
    let dots = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
    text.chars().take(LONGEST).map(|character| if character.is_control() { ' ' } else { character }).chain(dots.chars())
}

fn advance(face: &Face, character: char) -> f32 {
    let glyph = face.glyph_index(character).unwrap_or_default();
    f32::from(face.glyph_hor_advance(glyph).unwrap_or(0)) / f32::from(face.units_per_em()) * EM
}
