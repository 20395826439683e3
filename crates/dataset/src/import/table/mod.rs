//! Tables: CSV files, Parquet files and NumPy archives, some columns as labels, the others as features.
//!
//! A table is read twice from start to end. The first pass learns its [`Schema`](crate::Schema): whether each feature
//! column holds numbers (with a scale estimated on a random sample, as
//! [`Features::quantise`](crate::Features::quantise) does), dates, or a few different texts. Each such text becomes one
//! column (`colour=red`, 0 or 1). Ordered texts and hashed texts must be asked for. The second pass writes bytes:
//! memory is one byte per feature and four per label of each row, however long the file. With the schema of another
//! data set ([`TableRules::like`]) nothing is learned. Encoders for tables need
//! [`Normalise::PerColumn`](encoder::Normalise::PerColumn).

mod columns;
mod csv_file;
mod npz;
mod options;
#[cfg(feature = "parquet")]
mod pages;
#[cfg(feature = "parquet")]
mod parquet_file;
mod rows;

pub use npz::{ArrayOptions, npz};
pub use options::{TableOptions, TableRules};
#[cfg(feature = "parquet")]
pub use pages::ParquetSize;
#[cfg(feature = "parquet")]
pub use parquet_file::{parquet_footer, parquet_size};

use std::collections::BTreeMap;
use std::path::Path;

use host::Progress;

use self::columns::{Label, Learner};
use self::rows::Rows;
use super::{Budget, Handled, ImportError, Imported, Skipped};
use crate::schema::{Cell, Column, Fault, LabelColumn, Met, Missing, Overrides};
use crate::{Dataset, Schema};

/// Features that a table may have after its texts are expanded: a wider table is not suitable for a quadratic network.
const MOST_FEATURES: usize = 16_384;

/// Bytes of a schema in the file of a data set.
const MOST_SCHEMA: usize = 8 << 20;

/// Bad rows that are listed; a table with more does not have the form that was declared.
const MOST_SKIPPED: usize = 1_000_000;

/// Imports a CSV file with a header.
pub fn csv(
    path: &Path,
    options: &TableOptions,
    skip_bad: bool,
    progress: &dyn Progress,
) -> Result<Imported, ImportError> {
    let budget = Budget::new(options.rules.budget);
    import(&csv_file::CsvFile::open(path)?, path, options, &budget, skip_bad, progress)
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
    let budget = Budget::new(options.rules.budget);
    import(&parquet_file::ParquetFile::open(path, &budget)?, path, options, &budget, skip_bad, progress)
}

/// The role of each column of a row.
struct Plan {
    features: Vec<usize>,
    /// Each with its classes in the schema, if there is one.
    labels: Vec<(usize, LabelColumn, bool)>,
    ignored: Vec<String>,
}

fn import(
    rows: &dyn Rows,
    path: &Path,
    options: &TableOptions,
    budget: &Budget,
    skip_bad: bool,
    progress: &dyn Progress,
) -> Result<Imported, ImportError> {
    let description = |problem: String| ImportError::Description { path: path.into(), problem };
    options.check()?;
    let overrides = options.rules.overrides()?;
    let plan = match &options.rules.like {
        Some(schema) => by_schema(rows.header(), path, schema, options)?,
        None => choose(rows, path, options)?,
    };
    let (count, learned) = learn(rows, path, &plan, options, budget)?;
    let columns = match &options.rules.like {
        Some(schema) => schema.columns.clone(),
        None => learned,
    };
    let stored = |(_, label, _): &(usize, LabelColumn, bool)| LabelColumn { name: label.name.clone(), classes: vec![] };
    let schema = Schema { columns, labels: plan.labels.iter().map(stored).collect() };
    let width = schema.width();
    if width > MOST_FEATURES {
        let problem = format!("its features expand to {width} columns, more than {MOST_FEATURES}: choose fewer");
        return Err(description(problem));
    }
    schema.check().map_err(description)?;
    if serde_json::to_vec(&schema).is_ok_and(|text| text.len() > MOST_SCHEMA) {
        return Err(description(format!("its schema takes more than {MOST_SCHEMA} bytes: choose fewer columns")));
    }
    // Everything that is kept of the rows, reserved before the first is read.
    let cells = count.saturating_mul(row_bytes(width, plan.labels.len()));
    budget.keep(cells).map_err(ImportError::memory(path))?;

    let scale = schema.features();
    let mut bytes: Vec<u8> = Vec::with_capacity((count as usize).saturating_mul(width));
    let mut values = Vec::with_capacity(width);
    let mut labels: Vec<Label> =
        plan.labels.iter().map(|(_, label, open)| label_reader(label, *open, options)).collect();
    let mut report = Report { path, skip_bad, skipped: vec![], filtered: BTreeMap::new(), handled: BTreeMap::new() };
    rows.visit(&mut |number, row| {
        progress.advance(1);
        let row = match row {
            Ok(row) => row,
            Err(reason) => return report.fault(number, "", Fault::Bad(reason)),
        };
        values.clear();
        let mut met: Vec<(&str, Met)> = Vec::new();
        for (column, &place) in schema.columns.iter().zip(&plan.features) {
            match column.append(&row[place], &overrides, &mut values) {
                Ok(found) => met.extend(found.map(|found| (column.name.as_str(), found))),
                Err(fault) => return report.fault(number, &column.name, fault),
            }
        }
        for (label, (place, column, _)) in labels.iter().zip(&plan.labels) {
            if let Err(fault) = check_label(label, &row[*place], &overrides) {
                return report.fault(number, &column.name, fault);
            }
        }
        for (label, &(place, ..)) in labels.iter_mut().zip(&plan.labels) {
            label.push(&row[place].text(), budget).map_err(description)?;
        }
        report.count(met);
        bytes.extend(values.iter().enumerate().map(|(place, &value)| scale.byte(place, value)));
        Ok(())
    })?;
    if bytes.is_empty() {
        let remedy = "check that the table has rows without missing values, or choose a rule for them";
        let skipped = report.skipped.len() + report.filtered.values().sum::<usize>();
        return Err(ImportError::Nothing { path: path.into(), skipped, remedy });
    }

    let about = BTreeMap::from([("generator".into(), rows.generator().into())]);
    // Extra columns that mark values break a grid.
    let height = if width == plan.features.len() { rows.height() } else { 1 };
    let labels = labels.into_iter().map(Label::finish).collect();
    let handled = report.handled(&schema, &overrides);
    let data = Dataset::new(height, width / height, bytes, labels, about)?.with_features(scale)?.with_schema(schema)?;
    Ok(Imported { data, skipped: report.skipped, filtered: report.filtered, handled, ignored: plan.ignored })
}

/// What one row takes in memory.
fn row_bytes(features: usize, labels: usize) -> u64 {
    features as u64 + 4 * labels as u64
}

fn label_reader(column: &LabelColumn, open: bool, options: &TableOptions) -> Label {
    match options.rules.like {
        Some(_) if !column.classes.is_empty() => Label::known(column, open),
        _ => Label::new(&column.name),
    }
}

fn check_label(label: &Label, cell: &Cell, overrides: &Overrides) -> Result<(), Fault> {
    let text = cell.text();
    // A marker of a missing feature, such as NA, may be the name of a class.
    if text.is_empty() {
        return Err(match overrides.missing {
            Some(Missing::Drop) => Fault::Drop(Met::Missing),
            _ => Fault::Bad("a label is missing".into()),
        });
    }
    label.check(&text).map_err(Fault::Bad)
}

/// What became of the rows.
struct Report<'a> {
    path: &'a Path,
    skip_bad: bool,
    skipped: Vec<Skipped>,
    filtered: BTreeMap<String, usize>,
    handled: BTreeMap<(String, Met), usize>,
}

impl Report<'_> {
    /// A row that gives no item.
    fn fault(&mut self, number: u64, column: &str, fault: Fault) -> Result<(), ImportError> {
        match fault {
            Fault::Drop(met) => {
                *self.filtered.entry(format!("`{column}` {}", word(met))).or_default() += 1;
                Ok(())
            }
            Fault::Bad(reason) => {
                let place = format!("{}, row {number}", self.path.display());
                if !self.skip_bad {
                    return Err(ImportError::Item { place, reason });
                }
                if self.skipped.len() == MOST_SKIPPED {
                    let problem = format!("it has more than {MOST_SKIPPED} bad rows: {place}: {reason}");
                    return Err(ImportError::Description { path: self.path.into(), problem });
                }
                self.skipped.push(Skipped { place, reason });
                Ok(())
            }
        }
    }

    fn count(&mut self, met: Vec<(&str, Met)>) {
        for (column, met) in met {
            match self.handled.get_mut(&(column.to_string(), met)) {
                Some(count) => *count += 1,
                None => drop(self.handled.insert((column.into(), met), 1)),
            }
        }
    }

    fn handled(&self, schema: &Schema, overrides: &Overrides) -> Vec<Handled> {
        let rule = |name: &str, met| {
            let column = schema.columns.iter().find(|column| column.name == name);
            column.map_or("", |column| rule_name(column, met, overrides)).to_string()
        };
        let one = |((column, met), &count): (&(String, Met), &usize)| Handled {
            column: column.clone(),
            what: word(*met).into(),
            rule: rule(column, *met),
            count,
        };
        self.handled.iter().map(one).collect()
    }
}

fn word(met: Met) -> &'static str {
    match met {
        Met::Missing => "missing",
        Met::Unknown => "unknown",
        Met::Outside => "outside",
    }
}

fn rule_name(column: &Column, met: Met, overrides: &Overrides) -> &'static str {
    use crate::schema::Unknown;
    match met {
        Met::Missing if overrides.missing.unwrap_or(column.missing) == Missing::Category => "category",
        Met::Missing => "median",
        Met::Unknown if overrides.unknown.unwrap_or(column.unknown) == Unknown::Other => "other",
        Met::Unknown => "ignore",
        Met::Outside => "clamp",
    }
}

/// Column positions from the options.
fn choose(rows: &dyn Rows, path: &Path, options: &TableOptions) -> Result<Plan, ImportError> {
    let header = rows.header();
    let place = |name: &String| {
        header.iter().position(|found| found == name).ok_or_else(|| ImportError::Description {
            path: path.into(),
            problem: format!("it has no column `{name}`; choose one of {}", header.join(", ")),
        })
    };
    let labels = options.labels.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let features: Vec<usize> = match &options.features[..] {
        [] => (0..header.len()).filter(|place| !labels.contains(place)).collect(),
        names => names.iter().map(place).collect::<Result<Vec<_>, _>>()?,
    };
    let special = options.dates.iter().map(|(name, _)| name).chain(options.ordinals.iter().map(|(name, _)| name));
    let special = special.chain(options.texts.iter().chain(&options.hashed).chain(&options.quantile));
    for name in special {
        if !features.contains(&place(name)?) {
            let problem = format!("its column `{name}` is not a feature: do not give a kind for it");
            return Err(ImportError::Description { path: path.into(), problem });
        }
    }
    let wrong = |field, remedy: &str| ImportError::Option { field, value: "wrong".into(), remedy: remedy.into() };
    if labels.is_empty() && rows.needs_labels() {
        return Err(wrong("labels", "name at least one column that is a label"));
    }
    if features.is_empty() || features.iter().any(|place| labels.contains(place)) {
        return Err(wrong("features", "name at least one column, none of which is a label"));
    }
    let label = |place: usize| (place, LabelColumn { name: header[place].clone(), classes: vec![] }, true);
    let used = |place: &usize| labels.contains(place) || features.contains(place);
    let ignored = (0..header.len()).filter(|place| !used(place)).map(|place| header[place].clone()).collect();
    Ok(Plan { labels: labels.iter().map(|&place| label(place)).collect(), features, ignored })
}

/// Column positions from a schema: columns may be in any order, and there may be additional ones.
fn by_schema(header: &[String], path: &Path, schema: &Schema, options: &TableOptions) -> Result<Plan, ImportError> {
    let description = |problem: String| ImportError::Description { path: path.into(), problem };
    let find = |name: &str| header.iter().position(|found| found == name);
    let wanted: Vec<&str> = match &options.labels[..] {
        [] => schema.labels.iter().map(|label| label.name.as_str()).collect(),
        names => names.iter().map(String::as_str).collect(),
    };
    let named = |name: &str| schema.columns.iter().any(|column| column.name == name) || wanted.contains(&name);
    let unused = header.iter().filter(|name| !named(name)).cloned().collect::<Vec<_>>();
    let lacking = schema.columns.iter().map(|column| column.name.as_str()).filter(|name| find(name).is_none());
    let lacking = lacking.map(|name| format!("`{name}`")).collect::<Vec<_>>();
    if !lacking.is_empty() {
        let spare = match &unused[..] {
            [] => "it has no other columns".to_string(),
            names => format!("its other columns are {}", names.join(", ")),
        };
        let problem = format!(
            "it has no column {}, which the schema has; {spare}: add it, or rename one to what the schema calls it",
            lacking.join(", ")
        );
        return Err(description(problem));
    }
    if let Some(name) = options.labels.iter().find(|name| schema.columns.iter().any(|column| column.name == **name)) {
        return Err(description(format!("its column `{name}` is a feature in the schema, not a label")));
    }
    if let Some(name) = options.rules.new_classes.iter().find(|name| !wanted.contains(&name.as_str())) {
        return Err(description(format!(
            "`{name}` is not a label that may have new classes: name one of {}",
            wanted.join(", ")
        )));
    }
    let mut labels = Vec::new();
    for name in wanted {
        let known = schema.labels.iter().find(|label| label.name == name).cloned();
        let label = known.unwrap_or(LabelColumn { name: name.into(), classes: vec![] });
        match find(name) {
            Some(place) => labels.push((place, label, options.rules.new_classes.iter().any(|open| open == name))),
            None if options.rules.unlabelled && options.labels.is_empty() => {}
            None => {
                return Err(ImportError::NoLabel { path: path.into(), label: name.into(), columns: header.to_vec() });
            }
        }
    }
    let features = schema.columns.iter().filter_map(|column| find(&column.name)).collect();
    Ok(Plan { features, labels, ignored: unused })
}

/// The first pass: how many rows there are and, without a schema, what their columns are. Unreadable rows are left to
/// the second pass.
fn learn(
    rows: &dyn Rows,
    path: &Path,
    plan: &Plan,
    options: &TableOptions,
    budget: &Budget,
) -> Result<(u64, Vec<Column>), ImportError> {
    let description = |problem: String| ImportError::Description { path: path.into(), problem };
    let over = ImportError::memory(path);
    let header = rows.header();
    let learner = |&place: &usize| Learner::new(&header[place], options, place, plan.features.len());
    let mut learners: Vec<_> = match options.rules.like {
        Some(_) => vec![],
        None => plan.features.iter().map(learner).collect(),
    };
    let least = row_bytes(plan.features.len(), plan.labels.len());
    let mut count: u64 = 0;
    rows.visit(&mut |number, row| {
        let Ok(row) = row else { return Ok(()) };
        count += 1;
        // A few bytes may encode any number of rows.
        if count.is_multiple_of(1 << 16) && count.saturating_mul(least) > budget.left() {
            return Err(over(super::OverBudget { most: options.rules.budget }));
        }
        for (learner, &place) in learners.iter_mut().zip(&plan.features) {
            learner.see(&row[place], number, budget).map_err(&over)?;
        }
        Ok(())
    })?;
    let columns = learners.into_iter().map(Learner::finish).collect::<Result<_, String>>().map_err(description)?;
    Ok((count, columns))
}
