//! A data set at a glance: a contact sheet of its images, and a summary in numbers.

mod caption;
mod columns;
mod summary;

pub use columns::{ColumnSummary, Correlation};
pub use summary::{Association, ClassCount, LabelSummary, Summary};

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use image::{GrayImage, ImageFormat, Luma};

use crate::Dataset;
use crate::file::write_atomically;

/// The largest size of a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetOptions {
    /// Images per row, 1 to 100.
    pub columns: usize,
    /// Rows, 1 to 200: one for each combination of the first two labels.
    pub rows: usize,
}

impl Default for SheetOptions {
    fn default() -> Self {
        Self { columns: 16, rows: 40 }
    }
}

/// Why a sheet cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SheetError {
    /// The operating system refused.
    #[error("cannot write contact sheet {}: {source}: check the path and its permissions", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// No image to show.
    #[error("the data set is empty: there is nothing to show")]
    Empty,
    /// An option outside its limits.
    #[error("`{field}` is {value}: choose from 1 to {limit}")]
    Field {
        /// The option.
        field: &'static str,
        /// Its value.
        value: usize,
        /// The greatest value allowed.
        limit: usize,
    },
    /// Images too large to be placed side by side.
    #[error("a sheet of {width}x{height} pixels is too large: show fewer rows or columns")]
    Large {
        /// Columns of pixels.
        width: usize,
        /// Rows of pixels.
        height: usize,
    },
}

/// Images are enlarged by a whole factor to about this many pixels.
const CELL: usize = 48;
const GAP: usize = 4;
const PIXEL_LIMIT: usize = 64 << 20;

/// Writes the contact sheet as a PNG file.
pub fn write(data: &Dataset, path: &Path, options: &SheetOptions) -> Result<(), SheetError> {
    let bytes = png(data, options)?;
    write_atomically(path, |file| file.write_all(&bytes)).map_err(|source| SheetError::Io { path: path.into(), source })
}

/// The contact sheet as the bytes of a PNG file: the first images of each combination of the first
/// two labels, one combination per row, its class names at the left.
pub fn png(data: &Dataset, options: &SheetOptions) -> Result<Vec<u8>, SheetError> {
    check(data, options)?;
    let rows = rows(data, options);
    let factor = (CELL / data.height().max(data.width())).max(1);
    let (cell_height, cell_width) = (data.height() * factor, data.width() * factor);
    let margin = GAP + rows.iter().map(|(name, _)| caption::width(name)).max().unwrap_or(0);
    let row_height = cell_height.max(caption::HEIGHT) + GAP;
    let columns = rows.iter().map(|(_, items)| items.len()).max().unwrap_or(0);
    let (width, height) = (margin + GAP + columns * (cell_width + GAP), GAP + rows.len() * row_height);
    if width.saturating_mul(height) > PIXEL_LIMIT {
        return Err(SheetError::Large { width, height });
    }

    let mut sheet = GrayImage::from_pixel(width as u32, height as u32, Luma([255]));
    for (row, (name, items)) in rows.iter().enumerate() {
        let top = GAP + row * row_height;
        caption::draw(&mut sheet, name, GAP, top + (row_height - GAP - caption::HEIGHT.min(row_height - GAP)) / 2);
        for (column, &item) in items.iter().enumerate() {
            let left = margin + GAP + column * (cell_width + GAP);
            let image = data.image(item);
            for y in 0..cell_height {
                for x in 0..cell_width {
                    let pixel = image[(y / factor) * data.width() + x / factor];
                    sheet.put_pixel((left + x) as u32, (top + y) as u32, Luma([pixel]));
                }
            }
        }
    }
    let mut bytes = io::Cursor::new(Vec::new());
    // Encoding into memory fails only for the sizes checked above.
    sheet.write_to(&mut bytes, ImageFormat::Png).map_err(|_| SheetError::Large { width, height })?;
    Ok(bytes.into_inner())
}

fn check(data: &Dataset, options: &SheetOptions) -> Result<(), SheetError> {
    if data.is_empty() {
        return Err(SheetError::Empty);
    }
    for (field, value, limit) in [("columns", options.columns, 100), ("rows", options.rows, 200)] {
        if value == 0 || value > limit {
            return Err(SheetError::Field { field, value, limit });
        }
    }
    Ok(())
}

/// The caption and items of each row.
fn rows(data: &Dataset, options: &SheetOptions) -> Vec<(String, Vec<usize>)> {
    let labels = &data.columns()[..data.columns().len().min(2)];
    if labels.is_empty() {
        let items: Vec<usize> = (0..data.len().min(options.rows * options.columns)).collect();
        return items.chunks(options.columns).map(|row| (row[0].to_string(), row.to_vec())).collect();
    }
    let mut groups: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
    for item in 0..data.len() {
        let group = groups.entry(labels.iter().map(|column| column.values[item]).collect()).or_default();
        if group.len() < options.columns {
            group.push(item);
        }
    }
    let name = |values: &[u32]| {
        let names = values.iter().zip(labels).map(|(&value, column)| column.classes[value as usize].as_str());
        names.collect::<Vec<_>>().join(" / ")
    };
    groups.into_iter().take(options.rows).map(|(values, items)| (name(&values), items)).collect()
}
