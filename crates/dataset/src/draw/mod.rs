//! Drawn characters: the paper's two-label data set, from our own generator.
//!
//! One image is a character of one font, rotated, scaled, centred on its ink up to a fraction of a
//! pixel, and warped by a smooth random field (Simard et al. 2003):
//!
//! | step | default |
//! |---|---|
//! | character, font | independent and uniform over the lists |
//! | em size | 50 pt at 28 dpi = 19.44 px, times 1 + N(0, 0.05) |
//! | rotation | N(0, 10°) |
//! | centring | centre of ink at pixel (H/2, W/2) plus uniform(−½, ½) on each axis |
//! | warp | two fields of uniform(−1, 1) noise, smoothed by a 2-D Gaussian (σ = 9 px, zero outside), times α = 68: about 1 px of standard deviation |
//!
//! The paper also smooths its noise over a third axis, that of colour channels, which weakens α = 991 by a factor of
//! 13; α = 68 on a 2-D field has the strength that its images show.
//! Ink is bright on a dark background (255 on 0), as in MNIST.
//!
//! Every image depends on `(seed, index)` only, never on threads, platform or the other images.

mod deform;
pub(crate) mod face;
pub(crate) mod raster;
mod spec;

pub use spec::{DrawError, DrawSpec, FontSource, FontSpec};

use std::collections::BTreeMap;

use host::Progress;
use rayon::prelude::*;

use self::deform::Deformation;
pub(crate) use self::deform::{Random, Warp};
use self::face::Outline;
use self::raster::Canvas;
use crate::{Dataset, Labels};

/// Images that one thread draws between two progress reports.
const CHUNK: usize = 64;

/// Draws characters; made once from a [`DrawSpec`], then shared by threads.
#[derive(Debug)]
pub struct Generator {
    spec: DrawSpec,
    /// One outline per font and character, font by font.
    outlines: Vec<Outline>,
    warp: Warp,
}

impl Generator {
    /// Checks the specification and reads every glyph.
    pub fn new(spec: &DrawSpec) -> Result<Self, DrawError> {
        spec.check()?;
        let mut outlines = Vec::with_capacity(spec.fonts.len() * spec.characters.len());
        for font in &spec.fonts {
            outlines.extend(face::read_outlines(font, &spec.characters, spec.em)?);
        }
        let warp = Warp::new(spec.height, spec.width, spec.elastic_sigma, spec.elastic_alpha);
        Ok(Self { spec: spec.clone(), outlines, warp })
    }

    /// What it draws.
    pub fn spec(&self) -> &DrawSpec {
        &self.spec
    }

    /// Draws one image into `out` (`height · width` pixels).
    ///
    /// Rotation, size, centring and warp depend on `(seed, index)` only, so that different
    /// characters and fonts at one index are deformed alike.
    ///
    /// # Panics
    /// If `character` or `font` is not an index of the specification, or `out` has another length.
    pub fn render(&self, seed: u64, index: u64, character: usize, font: usize, out: &mut [u8]) {
        self.render_on(&mut Canvas::default(), seed, index, character, font, out);
    }

    /// `count` independent images with the labels `character` and `font`.
    pub fn draw(&self, count: usize, seed: u64, progress: &dyn Progress) -> Dataset {
        let characters: Vec<u32> = self.choose(count, seed, LABEL_CHARACTER, self.spec.characters.len());
        let fonts: Vec<u32> = self.choose(count, seed, LABEL_FONT, self.spec.fonts.len());
        let images = self.images(seed, progress, &characters, &fonts, |item| item as u64);
        self.data_set(seed, images, characters, fonts)
    }

    /// `count` groups of one image per font: within a group, which is consecutive, the character and
    /// the deformation are the same. `count · F` images in all, with the labels of [`draw`](Self::draw).
    pub fn draw_pairs(&self, count: usize, seed: u64, progress: &dyn Progress) -> Dataset {
        let group = self.spec.fonts.len();
        let chosen = self.choose(count, seed, LABEL_CHARACTER, self.spec.characters.len());
        let characters: Vec<u32> = chosen.iter().flat_map(|&character| vec![character; group]).collect();
        let fonts: Vec<u32> = (0..count).flat_map(|_| 0..group as u32).collect();
        let images = self.images(seed, progress, &characters, &fonts, |item| (item / group) as u64);
        self.data_set(seed, images, characters, fonts)
    }

    fn images(
        &self,
        seed: u64,
        progress: &dyn Progress,
        characters: &[u32],
        fonts: &[u32],
        index: impl Fn(usize) -> u64 + Sync,
    ) -> Vec<u8> {
        let pixels = self.spec.height * self.spec.width;
        let mut images = vec![0; characters.len() * pixels];
        progress.begin(characters.len() as u64);
        images.par_chunks_mut(pixels * CHUNK).enumerate().for_each_init(Canvas::default, |canvas, (chunk, images)| {
            for (offset, out) in images.chunks_mut(pixels).enumerate() {
                let item = chunk * CHUNK + offset;
                let (character, font) = (characters[item] as usize, fonts[item] as usize);
                self.render_on(canvas, seed, index(item), character, font, out);
            }
            progress.advance((images.len() / pixels) as u64);
        });
        images
    }

    fn render_on(&self, canvas: &mut Canvas, seed: u64, index: u64, character: usize, font: usize, out: &mut [u8]) {
        assert_eq!(out.len(), self.spec.height * self.spec.width, "an image needs height · width pixels");
        assert!(character < self.spec.characters.len(), "there is no character {character}");
        let outline = &self.outlines[font * self.spec.characters.len() + character];
        let mut random = Random::new(seed, STREAM_DEFORMATION, index);
        let deformation = Deformation::draw(&self.spec, &mut random);
        let place = deformation.placement(&self.spec, outline.centre);
        canvas.draw((self.spec.height, self.spec.width), &outline.contours, place);
        self.warp.apply(&mut random, canvas, out);
    }

    fn choose(&self, count: usize, seed: u64, stream: u64, classes: usize) -> Vec<u32> {
        let chosen = |item| Random::new(seed, stream, item).below(classes as u32);
        (0..count as u64).into_par_iter().map(chosen).collect()
    }

    fn data_set(&self, seed: u64, images: Vec<u8>, characters: Vec<u32>, fonts: Vec<u32>) -> Dataset {
        let spec = &self.spec;
        let character = Labels {
            name: "character".into(),
            classes: spec.characters.iter().map(char::to_string).collect(),
            values: characters,
        };
        let font = Labels {
            name: "font".into(),
            classes: spec.fonts.iter().map(|font| font.name.clone()).collect(),
            values: fonts,
        };
        let mut about = BTreeMap::from([
            ("generator".to_string(), "drawn characters 1".to_string()),
            ("seed".to_string(), seed.to_string()),
        ]);
        // A checked specification holds only finite numbers and text, which JSON can always represent.
        if let Ok(json) = serde_json::to_string(spec) {
            about.insert("specification".to_string(), json);
        }
        Dataset::assemble(spec.height, spec.width, images, vec![character, font], about)
    }
}

/// Independent random streams of one seed.
const STREAM_DEFORMATION: u64 = 0;
const LABEL_CHARACTER: u64 = 1;
const LABEL_FONT: u64 = 2;
