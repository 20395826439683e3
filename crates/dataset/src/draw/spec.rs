//! The specification of drawn images: defaults, limits and errors.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Everything that decides the distribution of drawn images; the default is the paper's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DrawSpec {
    /// The characters, which are the classes of the label `character`.
    pub characters: Vec<char>,
    /// The fonts, which are the classes of the label `font`.
    pub fonts: Vec<FontSpec>,
    /// Rows of an image, 4 to 512.
    pub height: usize,
    /// Columns of an image, 4 to 512.
    pub width: usize,
    /// Mean em size in pixels, 1 to 512.
    pub em: f32,
    /// Standard deviation of the em size, as a fraction of it, 0 to 0.5.
    pub em_deviation: f32,
    /// Standard deviation of the rotation in degrees, 0 to 180.
    pub rotation: f32,
    /// Centre every image on its ink; otherwise the pen starts at 0.3 of the width and, from below,
    /// 0.3 of the height, where the paper has it before it centres.
    pub recentre: bool,
    /// Strength α of the warp in pixels, 0 (none) to 10,000.
    pub elastic_alpha: f32,
    /// Smoothness σ of the warp in pixels, 0.1 to 512.
    pub elastic_sigma: f32,
}

/// A font and its class name in the label `font`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FontSpec {
    /// The class name.
    pub name: String,
    /// Where its outlines come from.
    pub source: FontSource,
}

/// Where a font comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FontSource {
    /// Embedded: TeX Gyre Chorus, a chancery cursive.
    Cursive,
    /// Embedded: Gelasio, a serif with the metrics of Georgia and old-style figures.
    Serif,
    /// A TrueType or OpenType file.
    File(PathBuf),
}

impl Default for DrawSpec {
    fn default() -> Self {
        Self {
            characters: ('0'..='9').collect(),
            fonts: vec![FontSpec::parse("cursive"), FontSpec::parse("serif")],
            height: 28,
            width: 28,
            em: 50.0 * 28.0 / 72.0,
            em_deviation: 0.05,
            rotation: 10.0,
            recentre: true,
            elastic_alpha: 68.0,
            elastic_sigma: 9.0,
        }
    }
}

impl FontSpec {
    /// A font from one word: `cursive`, `serif`, or the path of a TTF or OTF file, named by its stem.
    pub fn parse(text: &str) -> Self {
        let (name, source) = match text {
            "cursive" => (text.to_string(), FontSource::Cursive),
            "serif" => (text.to_string(), FontSource::Serif),
            path => {
                let path = PathBuf::from(path);
                let stem = path.file_stem().unwrap_or(path.as_os_str());
                (stem.to_string_lossy().into_owned(), FontSource::File(path))
            }
        };
        Self { name, source }
    }
}

/// Why characters cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError {
    /// No character to draw.
    #[error("`characters` is empty: give at least one character")]
    NoCharacters,
    /// No font to draw with.
    #[error("`fonts` is empty: give at least one font")]
    NoFonts,
    /// The same character or font name twice.
    #[error("`{field}` has {value:?} twice: give each class once")]
    Repeated {
        /// `characters` or `fonts`.
        field: &'static str,
        /// The repeated value.
        value: String,
    },
    /// A number outside its limits.
    #[error("`{field}` is {value}: choose from {low} to {high}")]
    Field {
        /// The field of [`DrawSpec`].
        field: &'static str,
        /// Its value.
        value: f64,
        /// The least value allowed.
        low: f64,
        /// The greatest value allowed.
        high: f64,
    },
    /// A font file that cannot be read.
    #[error("cannot read font {}: {source}: give the path of a TTF or OTF file", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file that is not a font, or a damaged one.
    #[error("font `{font}` is not a TrueType or OpenType font: {problem}: give another file")]
    NotAFont {
        /// The font's name.
        font: String,
        /// What the parser found.
        problem: String,
    },
    /// A font without one of the characters.
    #[error("font `{font}` cannot draw {character:?}: {problem}: choose another font or leave the character out")]
    Glyph {
        /// The font's name.
        font: String,
        /// The character.
        character: char,
        /// What is wrong with its glyph.
        problem: &'static str,
    },
}

impl DrawSpec {
    /// Checks everything that does not need a font file.
    pub(super) fn check(&self) -> Result<(), DrawError> {
        if self.characters.is_empty() {
            return Err(DrawError::NoCharacters);
        }
        if self.fonts.is_empty() {
            return Err(DrawError::NoFonts);
        }
        check_unique("characters", self.characters.iter().map(char::to_string))?;
        check_unique("fonts", self.fonts.iter().map(|font| font.name.clone()))?;
        let limits = [
            ("height", self.height as f64, 4.0, 512.0),
            ("width", self.width as f64, 4.0, 512.0),
            ("em", self.em.into(), 1.0, 512.0),
            ("em_deviation", self.em_deviation.into(), 0.0, 0.5),
            ("rotation", self.rotation.into(), 0.0, 180.0),
            ("elastic_alpha", self.elastic_alpha.into(), 0.0, 10_000.0),
            ("elastic_sigma", self.elastic_sigma.into(), 0.1, 512.0),
        ];
        match limits.into_iter().find(|&(_, value, low, high)| !(low..=high).contains(&value)) {
            Some((field, value, low, high)) => Err(DrawError::Field { field, value, low, high }),
            None => Ok(()),
        }
    }
}

fn check_unique(field: &'static str, values: impl Iterator<Item = String>) -> Result<(), DrawError> {
    let mut seen = BTreeSet::new();
    for value in values {
        if !seen.insert(value.clone()) {
            return Err(DrawError::Repeated { field, value });
        }
    }
    Ok(())
}
