//! Drawn digits in two fonts. Their seeds are fixed, so that a result is always the same.

use dataset::Dataset;
use dataset::draw::{DrawSpec, Generator};
use host::Progress;

use super::sizes::Sizes;
use crate::ExperimentError;

/// The label that networks predict.
pub(super) const MAIN: &str = "character";
/// The label that outputs must not reveal.
pub(super) const COLLATERAL: &str = "font";

/// Random seed of the training images in pairs.
const PAIRS: u64 = 100;
/// Random seed of the training images one by one.
const SINGLE: u64 = 10;
/// Random seed of the test images.
const TEST: u64 = 1;
/// Random seed of the images that attackers learn from.
const ATTACK: u64 = 2;

/// The images for tests and attackers, and a generator of training images.
#[derive(Debug)]
pub struct Drawings {
    generator: Generator,
    pub(super) test: Dataset,
    pub(super) attack: Dataset,
}

impl Drawings {
    /// Draws the images of tests and attackers.
    ///
    /// # Errors
    /// The fonts cannot be read.
    pub fn new(sizes: &Sizes, progress: &dyn Progress) -> Result<Self, ExperimentError> {
        progress.note("drawing");
        let generator = Generator::new(&DrawSpec::default())?;
        let (test, attack) =
            (generator.draw(sizes.test, TEST, progress), generator.draw(sizes.attack, ATTACK, progress));
        Ok(Self { generator, test, attack })
    }

    /// Images to train on, in pairs of one character in both fonts.
    pub(super) fn pairs(&self, images: usize, progress: &dyn Progress) -> Dataset {
        progress.note("drawing");
        self.generator.draw_pairs(images / 2, PAIRS, progress)
    }

    /// Images to train on, one by one.
    pub(super) fn single(&self, images: usize, progress: &dyn Progress) -> Dataset {
        progress.note("drawing");
        self.generator.draw(images, SINGLE, progress)
    }
}
