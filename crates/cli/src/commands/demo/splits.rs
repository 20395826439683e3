//! The demo's data.

use anyhow::Result;
use dataset::Dataset;
use dataset::draw::{DrawSpec, Generator};
use host::Progress;

/// One kind of data, split into training images, test images and images for attackers.
pub struct Splits {
    pub name: &'static str,
    pub main: &'static str,
    pub collateral: &'static str,
    pub train: Dataset,
    pub test: Dataset,
    pub attack: Dataset,
}

impl Splits {
    /// This many drawn digits to train on, in pairs; as many, up to a limit, for tests and for attackers.
    pub fn drawn(images: usize, seed: u64, progress: &dyn Progress) -> Result<Self> {
        let generator = Generator::new(&DrawSpec::default())?;
        Ok(Self {
            name: "drawn digits",
            main: "character",
            collateral: "font",
            train: generator.draw_pairs(images / 2, seed, progress),
            test: generator.draw(images.min(10_000), seed.wrapping_add(1), progress),
            attack: generator.draw(images.min(40_000), seed.wrapping_add(2), progress),
        })
    }

    /// Real handwriting: one image in five is for testing; attackers learn from the training images, because there are
    /// no others.
    pub fn handwriting(seed: u64) -> Result<Self> {
        let (train, test) = dataset::handwriting::digits().split(0.2, &["digit"], seed)?;
        Ok(Self { name: "real handwriting", main: "digit", collateral: "ink", attack: train.clone(), train, test })
    }

    /// Bytes of all pixels.
    pub fn bytes(&self) -> usize {
        [&self.train, &self.test, &self.attack].map(|data| data.images().len()).iter().sum()
    }
}
