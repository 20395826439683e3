//! IDX, the format of MNIST and EMNIST, plain or gzipped.
//!
//! A file is `0 0 type rank`, `rank` sizes as big-endian u32, then the elements. Images are type 8
//! (bytes) of rank 3, labels type 8 of rank 1. Sizes are trusted only as far as the file's own length allows, so that
//! neither a false header nor a gzip bomb can fill the memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use crate::import::{Budget, DEFAULT_BUDGET, OverBudget};
use crate::{Dataset, DatasetError, Labels};

/// Deflate cannot shrink data further than this.
const MOST_COMPRESSED: u64 = 1032;

/// The images of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Rows of each.
    pub height: usize,
    /// Columns of each.
    pub width: usize,
    /// Pixels, image after image, row by row.
    pub pixels: Vec<u8>,
}

/// How to read a pair of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdxOptions {
    /// The name of the label column.
    pub label: String,
    /// Exchange rows and columns, which EMNIST stores the other way round.
    pub transpose: bool,
    /// Bytes that the import may unpack; EMNIST's 814,255 images take 0.6 GB.
    pub budget: u64,
}

impl Default for IdxOptions {
    fn default() -> Self {
        Self { label: "digit".into(), transpose: false, budget: DEFAULT_BUDGET }
    }
}

/// Why an IDX file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdxError {
    /// The operating system refused.
    #[error("cannot read IDX file {}: {source}: check the path", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Not the kind of IDX file expected, or a damaged one.
    #[error("IDX file {}: {problem}: get the file again, or check that images and labels are not exchanged", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// More than the import may unpack.
    #[error("IDX file {}: {source}", path.display())]
    Budget {
        /// The file.
        path: PathBuf,
        /// The limit.
        source: OverBudget,
    },
    /// Images and labels that do not belong together.
    #[error("IDX files {} and {}: {source}: give the two files of one set", images.display(), labels.display())]
    Content {
        /// The file of images.
        images: PathBuf,
        /// The file of labels.
        labels: PathBuf,
        /// The cause.
        source: DatasetError,
    },
}

/// A data set from a file of images and a file of labels, the label column named `digit`.
pub fn read(images: &Path, labels: &Path) -> Result<Dataset, IdxError> {
    read_with(images, labels, &IdxOptions::default())
}

/// As [`read()`], with options. Classes are the numbers from 0 to the largest label.
pub fn read_with(images: &Path, labels: &Path, options: &IdxOptions) -> Result<Dataset, IdxError> {
    let budget = Budget::new(options.budget);
    let mut pictures = images_within(images, &budget)?;
    if options.transpose {
        let over = |source| IdxError::Budget { path: images.into(), source };
        budget.keep(pictures.pixels.len() as u64).map_err(over)?;
        pictures = transposed(&pictures);
    }
    let values: Vec<u32> = labels_within(labels, &budget)?.into_iter().map(u32::from).collect();
    let classes = values.iter().max().map_or(0, |largest| largest + 1);
    let classes = (0..classes).map(|class| class.to_string()).collect();
    let column = Labels { name: options.label.clone(), classes, values };
    let source = images.file_name().map(|name| name.to_string_lossy().into_owned());
    let about = BTreeMap::from([("generator".into(), format!("IDX file {}", source.unwrap_or_default()))]);
    Dataset::new(pictures.height, pictures.width, pictures.pixels, vec![column], about)
        .map_err(|source| IdxError::Content { images: images.into(), labels: labels.into(), source })
}

/// Reads a file of images (bytes, rank 3).
pub fn read_images(path: &Path) -> Result<Images, IdxError> {
    images_within(path, &Budget::new(DEFAULT_BUDGET))
}

fn images_within(path: &Path, budget: &Budget) -> Result<Images, IdxError> {
    let (sizes, pixels) = read_bytes::<3>(path, budget, 1)?;
    let [_, height, width] = sizes;
    if height == 0 || width == 0 {
        return Err(IdxError::Format { path: path.into(), problem: format!("its images are {height}x{width}") });
    }
    Ok(Images { height, width, pixels })
}

/// Reads a file of labels (bytes, rank 1).
pub fn read_labels(path: &Path) -> Result<Vec<u8>, IdxError> {
    labels_within(path, &Budget::new(DEFAULT_BUDGET))
}

fn labels_within(path: &Path, budget: &Budget) -> Result<Vec<u8>, IdxError> {
    // Each label becomes a number of four bytes.
    Ok(read_bytes::<1>(path, budget, 5)?.1)
}

/// The sizes, and the elements, each of which takes this many bytes once imported.
fn read_bytes<const RANK: usize>(
    path: &Path,
    budget: &Budget,
    each: u64,
) -> Result<([usize; RANK], Vec<u8>), IdxError> {
    let io = |source| IdxError::Io { path: path.into(), source };
    let wrong = |problem: String| IdxError::Format { path: path.into(), problem };
    // Damage inside gzip is reported as an I/O error too, but the file is at fault.
    let broken = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => wrong("it is truncated".into()),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            wrong(format!("its compression is damaged: {error}"))
        }
        _ => io(error),
    };

    let (mut reader, most) = open(path).map_err(io)?;
    let mut magic = [0; 4];
    reader.read_exact(&mut magic).map_err(broken)?;
    if magic != [0, 0, 8, RANK as u8] {
        return Err(wrong(format!("it begins with {magic:?}, not with [0, 0, 8, {RANK}]")));
    }
    let mut sizes = [0; RANK];
    let mut expected = 1;
    for size in &mut sizes {
        let mut bytes = [0; 4];
        reader.read_exact(&mut bytes).map_err(broken)?;
        let value = u32::from_be_bytes(bytes);
        *size = value as usize;
        expected = u64::saturating_mul(expected, value.into());
    }
    if expected > most {
        return Err(wrong(format!("its header states sizes {sizes:?}, more than the file holds")));
    }
    let over = |source| IdxError::Budget { path: path.into(), source };
    budget.keep(expected.saturating_mul(each)).map_err(over)?;
    let mut bytes = Vec::new();
    (&mut reader).take(expected).read_to_end(&mut bytes).map_err(broken)?;
    if bytes.len() as u64 != expected {
        return Err(wrong(format!("it is truncated: {} of {expected} bytes", bytes.len())));
    }
    // Reading to the end also checks gzip's own checksum.
    if reader.read(&mut [0]).map_err(broken)? != 0 {
        return Err(wrong(format!("it holds more than the {expected} bytes that its header states")));
    }
    Ok((sizes, bytes))
}

/// The content, uncompressed, and the most bytes that it can have.
fn open(path: &Path) -> io::Result<(Box<dyn Read>, u64)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut start = Vec::new();
    (&mut file).take(2).read_to_end(&mut start)?;
    let whole = io::Cursor::new(start.clone()).chain(BufReader::new(file));
    if start == [0x1f, 0x8b] {
        Ok((Box::new(GzDecoder::new(whole)), length.saturating_mul(MOST_COMPRESSED)))
    } else {
        Ok((Box::new(whole), length))
    }
}

fn transposed(images: &Images) -> Images {
    let Images { height, width, pixels } = images;
    let mut turned = Vec::with_capacity(pixels.len());
    for image in pixels.chunks(height * width) {
        for column in 0..*width {
            turned.extend((0..*height).map(|row| image[row * width + column]));
        }
    }
    Images { height: *width, width: *height, pixels: turned }
}
