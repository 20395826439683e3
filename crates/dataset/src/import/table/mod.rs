//! Tables: CSV files, Parquet files and NumPy archives, some columns as labels, the others as features.
//!
//! A CSV or Parquet file is read twice from start to end. The first pass learns what each feature column is:
//! numbers throughout, with the scale of a random sample of them as
//! [`Features::quantise`](crate::Features::quantise) takes it, or a few different texts, which become one
//! column each (`colour=red`, 0 or 1). The second pass writes bytes: memory is one byte per feature and four
//! per label of each row, however long the file. Encoders for tables want
//! [`Normalise::PerColumn`](crate::Normalise::PerColumn).

mod columns;
mod csv_file;
mod npz;
#[cfg(feature = "parquet")]
mod parquet_file;

pub use npz::{ArrayOptions, npz};

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use host::Progress;
use serde::{Deserialize, Serialize};

use self::columns::{Column, Label};
use super::{ImportError, Imported, Skipped};
use crate::{Dataset, Features};

/// Which columns of a table are what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableOptions {
    /// The columns that are labels; at least one.
    pub labels: Vec<String>,
    /// The columns that are features; none for all that are no labels.
    pub features: Vec<String>,
    /// Features to take as texts though they look like numbers, such as postcodes.
    pub texts: Vec<String>,
}

/// Features that a table may have after its texts are spread: a wide table is no input for a
/// quadratic network.
const MOST_FEATURES: usize = 16_384;

/// Bytes of all features.
const MOST_CELLS: usize = 8 << 30;

/// Bad rows that are listed; a table of more is of another form than it says.
const MOST_SKIPPED: usize = 1_000_000;

/// Something that gives rows of text, the same ones each time.
trait Rows {
    /// The names of the columns.
    fn header(&self) -> &[String];

    /// Visits every row with its number for people: the line of a CSV file, else counted from 1.
    fn visit(&self, row: &mut dyn FnMut(u64, Row) -> Result<(), ImportError>) -> Result<(), ImportError>;
}

/// The texts of one row, as many as the header has, or why it has none.
type Row<'a> = Result<&'a [Cow<'a, str>], String>;

/// Imports a CSV file with a header.
pub fn csv(
    path: &Path,
    options: &TableOptions,
    skip_bad: bool,
    progress: &dyn Progress,
) -> Result<Imported, ImportError> {
    import(&csv_file::CsvFile::open(path)?, path, options, skip_bad, progress)
}

/// Imports a Parquet file of flat columns, uncompressed or compressed by Snappy, gzip or LZ4
/// (feature `parquet` of this crate).
#[cfg(feature = "parquet")]
pub fn parquet(
    path: &Path,
    options: &TableOptions,
    skip_bad: bool,
    progress: &dyn Progress,
) -> Result<Imported, ImportError> {
    import(&parquet_file::ParquetFile::open(path)?, path, options, skip_bad, progress)
}

fn import(
    rows: &dyn Rows,
    path: &Path,
    options: &TableOptions,
    skip_bad: bool,
    progress: &dyn Progress,
) -> Result<Imported, ImportError> {
    let (labels, features) = choose(rows.header(), path, options)?;
    let columns = learn(rows, path, &features, options)?;
    let names: Vec<String> = columns.iter().flat_map(Column::names).collect();
    if names.len() > MOST_FEATURES {
        let problem =
            format!("its features spread to {} columns, more than {MOST_FEATURES}: choose fewer", names.len());
        return Err(ImportError::Description { path: path.into(), problem });
    }

    let (low, step) = columns.iter().flat_map(Column::scales).unzip();
    let scale = Features { names, low, step };
    let (mut bytes, mut row_values, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    let mut label_columns: Vec<Label> = options.labels.iter().map(|name| Label::new(name)).collect();
    let description = |problem| ImportError::Description { path: path.into(), problem };
    rows.visit(&mut |number, row| {
        progress.advance(1);
        row_values.clear();
        let added = row.and_then(|row| Ok((row, check(row, &labels, &features, &columns, &mut row_values)?)));
        match added {
            Ok((row, ())) => {
                bytes.extend(row_values.iter().enumerate().map(|(place, &value)| scale.byte(place, value)));
                for (column, &place) in label_columns.iter_mut().zip(&labels) {
                    column.push(row[place].trim()).map_err(description)?;
                }
            }
            Err(reason) => {
                let place = format!("{}, row {number}", path.display());
                if !skip_bad {
                    return Err(ImportError::Item { place, reason });
                }
                if skipped.len() == MOST_SKIPPED {
                    return Err(description(format!("it has more than {MOST_SKIPPED} bad rows: {place}: {reason}")));
                }
                skipped.push(Skipped { place, reason });
            }
        }
        if bytes.len() > MOST_CELLS {
            return Err(description(format!("it has more than {MOST_CELLS} numbers: choose fewer rows or features")));
        }
        Ok(())
    })?;
    if bytes.is_empty() {
        let remedy = "check that the table has rows without missing values";
        return Err(ImportError::Nothing { path: path.into(), skipped: skipped.len(), remedy });
    }

    let about = BTreeMap::from([("generator".into(), "imported table".into())]);
    let labels = label_columns.into_iter().map(Label::finish).collect();
    let data = Dataset::new(1, scale.names.len(), bytes, labels, about)?.with_features(scale)?;
    Ok(Imported { data, skipped, filtered: BTreeMap::new() })
}

/// The places of the labels and of the features in a row.
fn choose(header: &[String], path: &Path, options: &TableOptions) -> Result<(Vec<usize>, Vec<usize>), ImportError> {
    let place = |name: &String| {
        header.iter().position(|found| found == name).ok_or_else(|| ImportError::Description {
            path: path.into(),
            problem: format!("it has no column `{name}`, but {}: name one of these", header.join(", ")),
        })
    };
    let labels = options.labels.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let features = match &options.features[..] {
        [] => (0..header.len()).filter(|place| !labels.contains(place)).collect(),
        names => names.iter().map(place).collect::<Result<Vec<_>, _>>()?,
    };
    options.texts.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let wrong = |field, remedy: &str| ImportError::Option { field, value: "wrong".into(), remedy: remedy.into() };
    if labels.is_empty() {
        return Err(wrong("labels", "name at least one column that is a label"));
    }
    if features.is_empty() || features.iter().any(|place| labels.contains(place)) {
        return Err(wrong("features", "name at least one column, none of which is a label"));
    }
    Ok((labels, features))
}

/// The first pass. Rows that cannot be read are left to the second.
fn learn(rows: &dyn Rows, path: &Path, features: &[usize], options: &TableOptions) -> Result<Vec<Column>, ImportError> {
    let header = rows.header();
    let learner = |&place: &usize| {
        columns::Learner::new(&header[place], options.texts.contains(&header[place]), place, features.len())
    };
    let mut learners: Vec<_> = features.iter().map(learner).collect();
    rows.visit(&mut |number, row| {
        if let Ok(row) = row {
            for (learner, &place) in learners.iter_mut().zip(features) {
                learner.see(row[place].trim(), number);
            }
        }
        Ok(())
    })?;
    let finished = learners.into_iter().map(columns::Learner::finish);
    let fails = |problem| ImportError::Description { path: path.into(), problem };
    finished.collect::<Result<_, String>>().map_err(fails)
}

/// Appends the features of a row whose labels are there.
fn check(
    row: &[Cow<str>],
    labels: &[usize],
    features: &[usize],
    columns: &[Column],
    values: &mut Vec<f32>,
) -> Result<(), String> {
    for (column, &place) in columns.iter().zip(features) {
        column.append(row[place].trim(), values)?;
    }
    match labels.iter().all(|&place| !row[place].trim().is_empty()) {
        true => Ok(()),
        false => Err("a label is missing".to_string()),
    }
}
