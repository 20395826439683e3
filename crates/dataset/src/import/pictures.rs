//! Pictures of any size and colour: oriented, cropped, grey, resized.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use host::Progress;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, Rgba};
use serde::{Deserialize, Serialize};

use super::{Budget, DEFAULT_BUDGET, ImportError, Imported, Job, LabelSource};

pub(super) const EXTENSIONS: [&str; 8] = ["png", "jpg", "jpeg", "bmp", "webp", "pgm", "ppm", "pnm"];

/// Larger than any camera's pictures; bounds what a false header can make the program allocate.
const MOST_BYTES: u64 = 512 << 20;
const MOST_SIDE: u32 = 20_000;

/// Options of imported pictures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PictureOptions {
    /// Rows, 1 to 1024.
    pub height: usize,
    /// Columns, 1 to 1024.
    pub width: usize,
    /// How to fit pictures of another shape.
    pub crop: Crop,
    /// Refuse pictures with fewer rows or columns than this.
    pub smallest: u32,
    /// Bytes that the import may unpack: the pictures being converted and all items together.
    pub budget: u64,
}

/// How a picture is fitted to the shape of the data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Crop {
    /// The largest part of the right shape, from the middle.
    Centre,
    /// The whole picture, stretched.
    Stretch,
}

impl Default for PictureOptions {
    fn default() -> Self {
        Self { height: 28, width: 28, crop: Crop::Centre, smallest: 1, budget: DEFAULT_BUDGET }
    }
}

/// Imports the pictures of a folder (PNG, JPEG, BMP, WebP, PNM).
pub fn pictures(
    folder: &Path,
    labels: &LabelSource,
    options: &PictureOptions,
    skip_bad: bool,
    progress: &dyn Progress,
) -> Result<Imported, ImportError> {
    options.check()?;
    let budget = Budget::new(options.budget);
    let listing = labels.list(folder, &EXTENSIONS, &budget)?;
    let job = Job {
        budget: &budget,
        path: folder,
        label_names: listing.label_names,
        entries: listing.entries,
        height: options.height,
        width: options.width,
        items: 1,
        copies: false,
        skip_bad,
        generator: "imported pictures".into(),
    };
    job.run(progress, || (), |(), entry| read(&entry.path, options, None, &budget))
}

impl PictureOptions {
    pub(super) fn check(&self) -> Result<(), ImportError> {
        for (field, value) in [("height", self.height), ("width", self.width)] {
            if !(1..=1024).contains(&value) {
                let remedy = "choose from 1 to 1024".to_string();
                return Err(ImportError::Option { field, value: value.to_string(), remedy });
            }
        }
        Ok(())
    }
}

/// A rectangle of a picture: left, top, right, bottom in pixels.
pub(super) type Region = [f64; 4];

/// Reads one picture, or a region of it, as grey bytes.
pub(super) fn read(
    path: &Path,
    options: &PictureOptions,
    region: Option<Region>,
    budget: &Budget,
) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let damaged = |error: image::ImageError| format!("not a readable picture: {error}");
    let mut reader = ImageReader::new(BufReader::new(file)).with_guessed_format().map_err(|error| error.to_string())?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    limits.max_image_width = Some(MOST_SIDE);
    limits.max_image_height = Some(MOST_SIDE);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    if decoder.total_bytes() > MOST_BYTES {
        return Err(format!("it would take {} bytes of memory, more than {MOST_BYTES}", decoder.total_bytes()));
    }
    // The picture, the decoder's own copy and one in other colours.
    let _held = budget.hold(3 * decoder.total_bytes()).map_err(|over| over.to_string())?;
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    picture.apply_orientation(orientation);

    let (width, height) = (picture.width(), picture.height());
    if width.min(height) < options.smallest {
        return Err(format!("it has {height}x{width} pixels, fewer than the {0}x{0} required", options.smallest));
    }
    let picture = match region {
        Some([left, top, right, bottom]) => {
            let clip = |value: f64, limit: u32| (value.max(0.0) as u32).min(limit);
            let (left, top, right, bottom) =
                (clip(left, width), clip(top, height), clip(right, width), clip(bottom, height));
            if left >= right || top >= bottom {
                return Err("its region lies outside the picture".into());
            }
            picture.crop_imm(left, top, right - left, bottom - top)
        }
        None => picture,
    };
    Ok(shrink(&on_white(picture), options))
}

/// Grey, with transparent parts as white paper.
fn on_white(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return picture;
    }
    let mut picture = picture.into_rgba8();
    for Rgba([red, green, blue, alpha]) in picture.pixels_mut() {
        let mix = |colour: u8| 255 - ((255 - u32::from(colour)) * u32::from(*alpha) / 255) as u8;
        (*red, *green, *blue) = (mix(*red), mix(*green), mix(*blue));
        *alpha = 255;
    }
    DynamicImage::ImageRgba8(picture)
}

fn shrink(picture: &DynamicImage, options: &PictureOptions) -> Vec<u8> {
    let grey = picture.to_luma8();
    let (width, height) = (options.width as u32, options.height as u32);
    let (mut across, mut down) = grey.dimensions();
    if options.crop == Crop::Centre {
        // across / down = width / height, as far as whole pixels allow.
        let fitting = |side: u32, part: u32, whole: u32| (u64::from(side) * u64::from(part) / u64::from(whole)) as u32;
        if fitting(across, height, width) > down {
            across = fitting(down, width, height).max(1);
        } else {
            down = fitting(across, height, width).max(1);
        }
    }
    let (left, top) = ((grey.width() - across) / 2, (grey.height() - down) / 2);
    let part = imageops::crop_imm(&grey, left, top, across, down);
    imageops::resize(&*part, width, height, FilterType::Triangle).into_raw()
}
