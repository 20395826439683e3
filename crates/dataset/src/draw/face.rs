//! Fonts: from a file to polygons in em units.

use std::io;
use std::path::Path;

use ab_glyph_rasterizer::{Point, point};
use host::files::{self, FileError};
use ttf_parser::{Face, OutlineBuilder};

use super::raster;
use super::spec::{DrawError, FontSource, FontSpec};

const CURSIVE: &[u8] = include_bytes!("../../fonts/texgyrechorus-mediumitalic.otf");
/// The embedded serif.
pub(crate) const SERIF: &[u8] = include_bytes!("../../fonts/Gelasio-Regular.ttf");

/// The largest fonts in use, which hold all Chinese characters, stay below this.
const FILE_LIMIT: u64 = 64 << 20;

/// Glyphs reach no further than this many ems from the pen; more is a damaged outline.
const REACH: f32 = 4.0;

/// A glyph as closed polygons in em units, y downwards, the pen at the origin.
#[derive(Debug)]
pub(super) struct Outline {
    pub contours: Vec<Vec<Point>>,
    /// The centre of its ink.
    pub centre: Point,
}

/// The outlines of all characters, in their order, fine enough for `em` pixels.
pub(super) fn read_outlines(font: &FontSpec, characters: &[char], em: f32) -> Result<Vec<Outline>, DrawError> {
    let bytes;
    let data = match &font.source {
        FontSource::Cursive => CURSIVE,
        FontSource::Serif => SERIF,
        FontSource::File(path) => {
            bytes = read_file(path, &font.name)?;
            &bytes
        }
    };
    let not_a_font = |problem: String| DrawError::NotAFont { font: font.name.clone(), problem };
    let face = Face::parse(data, 0).map_err(|error| not_a_font(error.to_string()))?;
    characters.iter().map(|&character| read_outline(&face, font, character, em)).collect()
}

fn read_file(path: &Path, font: &str) -> Result<Vec<u8>, DrawError> {
    let unreadable = |source| DrawError::Unreadable { path: path.into(), source };
    files::read(path, FILE_LIMIT).map_err(|error| match error {
        FileError::System { source, .. } => unreadable(source),
        FileError::TooLong { .. } => {
            DrawError::NotAFont { font: font.into(), problem: format!("it is larger than {} MiB", FILE_LIMIT >> 20) }
        }
        other => unreadable(io::Error::other(other)),
    })
}

fn read_outline(face: &Face, font: &FontSpec, character: char, em: f32) -> Result<Outline, DrawError> {
    let fails = |problem| DrawError::Glyph { font: font.name.clone(), character, problem };
    let contours = trace(face, character, em).ok_or_else(|| fails("it has no glyph for it"))?;
    let within = |point: &Point| point.x.abs() <= REACH && point.y.abs() <= REACH;
    if !contours.iter().flatten().all(within) {
        return Err(fails("its outline is damaged"));
    }
    let centre = raster::centre_of_ink(&contours).ok_or_else(|| fails("its glyph has no ink"))?;
    Ok(Outline { contours, centre })
}

/// The contours of a character in em units, y downwards; none if the font lacks it.
pub(crate) fn trace(face: &Face, character: char, em: f32) -> Option<Vec<Vec<Point>>> {
    let glyph = face.glyph_index(character)?;
    let mut pen = Pen::new(1.0 / f32::from(face.units_per_em()), em);
    face.outline_glyph(glyph, &mut pen);
    Some(pen.finish())
}

/// Turns curves into short lines.
struct Pen {
    scale: f32,
    em: f32,
    contours: Vec<Vec<Point>>,
}

impl Pen {
    fn new(scale: f32, em: f32) -> Self {
        Self { scale, em, contours: Vec::new() }
    }

    fn to_em(&self, x: f32, y: f32) -> Point {
        point(x * self.scale, -y * self.scale)
    }

    fn push(&mut self, to: Point) {
        match self.contours.last_mut() {
            Some(contour) => contour.push(to),
            None => self.contours.push(vec![to]),
        }
    }

    /// Follows `curve` over t in 0..1 in steps of about half a pixel.
    fn follow(&mut self, controls: &[Point], curve: impl Fn(f32) -> Point) {
        let reach = |a: &Point, b: &Point| (b.x - a.x).abs().max((b.y - a.y).abs());
        let length: f32 = controls.windows(2).map(|pair| reach(&pair[0], &pair[1])).sum();
        let steps = (length * self.em * 2.0).ceil().clamp(4.0, 64.0) as u32;
        for step in 1..=steps {
            self.push(curve(step as f32 / steps as f32));
        }
    }

    fn finish(mut self) -> Vec<Vec<Point>> {
        self.contours.retain(|contour| contour.len() > 2);
        self.contours
    }

    fn last(&self) -> Point {
        self.contours.last().and_then(|contour| contour.last()).copied().unwrap_or_default()
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let start = self.to_em(x, y);
        self.contours.push(vec![start]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.push(self.to_em(x, y));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (a, b, c) = (self.last(), self.to_em(x1, y1), self.to_em(x, y));
        self.follow(&[a, b, c], |t| {
            let s = 1.0 - t;
            let mix = |a: f32, b: f32, c: f32| s * s * a + 2.0 * s * t * b + t * t * c;
            point(mix(a.x, b.x, c.x), mix(a.y, b.y, c.y))
        });
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (a, b, c, d) = (self.last(), self.to_em(x1, y1), self.to_em(x2, y2), self.to_em(x, y));
        self.follow(&[a, b, c, d], |t| {
            let s = 1.0 - t;
            let mix = |a: f32, b: f32, c: f32, d: f32| {
                s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d
            };
            point(mix(a.x, b.x, c.x, d.x), mix(a.y, b.y, c.y, d.y))
        });
    }

    fn close(&mut self) {}
}
