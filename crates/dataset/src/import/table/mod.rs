//! Tables: CSV files, Parquet files and NumPy archives, some columns as labels, the others as features.
//!
//! A CSV or Parquet file is read twice from start to end. The first pass learns what each feature column is:
//! numbers throughout, or a few different texts, which become one column each (`colour=red`, 0 or 1).
//! The second pass keeps four bytes per feature; bytes in the end, see
//! [`Features::quantise`](crate::Features::quantise). Encoders for tables want
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

use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use self::columns::Column;
use super::{ImportError, Imported, Skipped};
use crate::{Dataset, Features, Labels};

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

/// Numbers kept in memory: 4 GiB.
const MOST_CELLS: usize = 1 << 30;

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
    progress: &ProgressBar,
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
    progress: &ProgressBar,
) -> Result<Imported, ImportError> {
    import(&parquet_file::ParquetFile::open(path)?, path, options, skip_bad, progress)
}

fn import(
    rows: &dyn Rows,
    path: &Path,
    options: &TableOptions,
    skip_bad: bool,
    progress: &ProgressBar,
) -> Result<Imported, ImportError> {
    let (labels, features) = choose(rows.header(), path, options)?;
    let columns = learn(rows, path, &features, options)?;
    let names: Vec<String> = columns.iter().flat_map(Column::names).collect();
    if names.len() > MOST_FEATURES {
        let problem =
            format!("its features spread to {} columns, more than {MOST_FEATURES}: choose fewer", names.len());
        return Err(ImportError::Description { path: path.into(), problem });
    }

    let (mut values, mut skipped) = (Vec::new(), Vec::new());
    let mut texts: Vec<Vec<String>> = vec![Vec::new(); labels.len()];
    rows.visit(&mut |number, row| {
        progress.inc(1);
        let start = values.len();
        let added = row.and_then(|row| add(row, &labels, &features, &columns, &mut values));
        match added {
            Ok(found) => texts.iter_mut().zip(found).for_each(|(texts, text)| texts.push(text)),
            Err(reason) => {
                values.truncate(start);
                let place = format!("{}, row {number}", path.display());
                if !skip_bad {
                    return Err(ImportError::Item { place, reason });
                }
                skipped.push(Skipped { place, reason });
            }
        }
        if values.len() > MOST_CELLS {
            let problem = format!("it has more than {MOST_CELLS} numbers: choose fewer rows or features");
            return Err(ImportError::Description { path: path.into(), problem });
        }
        Ok(())
    })?;
    if values.is_empty() {
        let remedy = "check that the table has rows without missing values";
        return Err(ImportError::Nothing { path: path.into(), skipped: skipped.len(), remedy });
    }

    let width = names.len();
    let (bytes, scale) = Features::quantise(&values, width, names);
    let labels = options.labels.iter().zip(&texts).map(|(name, texts)| Labels::from_texts(name, texts));
    let about = BTreeMap::from([("generator".into(), "imported table".into())]);
    let data = Dataset::new(1, width, bytes, labels.collect(), about)?.with_features(scale)?;
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
    let learner = |&place: &usize| columns::Learner::new(&header[place], options.texts.contains(&header[place]));
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

/// Appends the features of a row and returns its labels.
fn add(
    row: &[Cow<str>],
    labels: &[usize],
    features: &[usize],
    columns: &[Column],
    values: &mut Vec<f32>,
) -> Result<Vec<String>, String> {
    for (column, &place) in columns.iter().zip(features) {
        column.append(row[place].trim(), values)?;
    }
    let label = |&place: &usize| match row[place].trim() {
        "" => Err("a label is missing".to_string()),
        text => Ok(text.to_string()),
    };
    labels.iter().map(label).collect()
}
