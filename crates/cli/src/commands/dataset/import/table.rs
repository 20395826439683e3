//! `halflight dataset import table`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use dataset::import::{self, ArrayOptions, Imported, TableOptions, TableRules};
use dataset::schema::{self, Missing, Outside, Unknown};
use host::Progress;

use super::{Target, finish};
use crate::console::Console;

/// Reads a table: some columns are labels, the others features; texts become one column for each value. The kinds of
/// the columns are stored with the data as their schema, by which `--like` reads another table.
#[derive(Args)]
#[command(after_help = "Train on tables with `--normalise column`.\n\nExamples:\n  \
    halflight dataset import table people.csv --labels income,sex --missing category --out people.safetensors\n  \
    halflight dataset import table more.csv --like people.safetensors --unknown ignore --out more.safetensors\n  \
    halflight dataset import table arrays.npz --items x --labels y,z --out arrays.safetensors")]
pub struct Table {
    /// File; its extension (.csv, .tsv, .txt, .npz, .parquet) determines its format
    file: PathBuf,
    #[command(flatten)]
    target: Target,
    /// The columns, or arrays, that are labels; for .npz by default all fitting arrays of integers or texts
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    labels: Vec<String>,
    /// .npz: the array of items [default: the one of most dimensions]
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ARRAY")]
    items: String,
    #[command(flatten)]
    columns: Columns,
    #[command(flatten)]
    rules: Rules,
}

/// The kinds of the columns, where they are not guessed.
#[derive(Args)]
#[command(next_help_heading = "Columns (decided by the schema with --like)")]
struct Columns {
    /// The columns that are features [default: all others]
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    features: Vec<String>,
    /// Features to treat as texts though they look like numbers, such as postcodes
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    texts: Vec<String>,
    /// Dates, with a format such as `%d.%m.%Y`; ISO 8601 is recognised without it
    #[arg(long, value_delimiter = ',', value_name = "COLUMN[=FORMAT]")]
    dates: Vec<String>,
    /// Ordered texts, such as `size=S<M<L`; repeat for more columns
    #[arg(long, value_name = "COLUMN=A<B<C", value_parser = parse_ordinal)]
    ordinal: Vec<(String, Vec<String>)>,
    /// Texts with too many different values: their words are hashed
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    hash: Vec<String>,
    /// Features of each hashed column
    #[arg(long, default_value_t = 32, value_name = "FEATURES")]
    hash_columns: u32,
    /// Numbers or dates with heavy tails: scaled by rank
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    quantile: Vec<String>,
    /// .npz: scale every column by rank
    #[arg(long)]
    quantile_all: bool,
    /// Categories that a column may have; with `--unknown other` the most frequent ones are kept
    #[arg(long, default_value_t = 64, value_name = "NUMBER")]
    categories: u32,
    /// With `--unknown other`: categories with fewer rows count as other
    #[arg(long, default_value_t = 0, value_name = "ROWS")]
    rare: u64,
}

/// How to handle values that do not fit.
#[derive(Args)]
#[command(next_help_heading = "Rules")]
struct Rules {
    /// Use the schema of this data set, or one written by `dataset schema`: the same columns, categories and scales
    #[arg(long, value_name = "FILE")]
    like: Option<PathBuf>,
    /// Values that are missing (empty, ?, NA, N/A, NaN, null) [default: the schema's, else refuse]
    #[arg(long, value_enum, value_name = "RULE")]
    missing: Option<MissingName>,
    /// Categories that the schema does not know [default: the schema's, else refuse]
    #[arg(long, value_enum, value_name = "RULE")]
    unknown: Option<UnknownName>,
    /// Numbers beyond the scale [default: the schema's, else clamp]
    #[arg(long, value_enum, value_name = "RULE")]
    outside: Option<OutsideName>,
    /// With --like: labels that may have classes unknown to the schema, such as the people of a test set
    #[arg(long, value_delimiter = ',', value_name = "LABELS", requires = "like")]
    new_classes: Vec<String>,
    /// With --like: skip labels that the file does not have
    #[arg(long, requires = "like")]
    unlabelled: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum MissingName {
    /// The row is bad
    Refuse,
    /// The row is left out and counted
    Drop,
    /// The median replaces it, or the most frequent category
    Median,
    /// Its own feature marks it
    Category,
}

#[derive(Clone, Copy, ValueEnum)]
enum UnknownName {
    /// The row is bad
    Refuse,
    /// The row is left out and counted
    Drop,
    /// No category is set
    Ignore,
    /// Its own feature marks it, and rare categories
    Other,
}

#[derive(Clone, Copy, ValueEnum)]
enum OutsideName {
    /// The nearest end of the scale replaces it
    Clamp,
    /// The row is left out and counted
    Drop,
    /// The row is bad
    Refuse,
}

fn parse_ordinal(text: &str) -> Result<(String, Vec<String>), String> {
    let parts = text.split_once('=').map(|(name, values)| (name, values.split('<').map(str::trim)));
    match parts {
        Some((name, values)) if !name.is_empty() && values.clone().all(|value| !value.is_empty()) => {
            Ok((name.into(), values.map(String::from).collect()))
        }
        _ => Err(format!("`{text}`: write COLUMN=A<B<C, as in size=S<M<L")),
    }
}

impl Rules {
    fn options(&self, budget: u64) -> Result<TableRules> {
        Ok(TableRules {
            missing: self.missing.map(|rule| match rule {
                MissingName::Refuse => Missing::Refuse,
                MissingName::Drop => Missing::Drop,
                MissingName::Median => Missing::Median,
                MissingName::Category => Missing::Category,
            }),
            unknown: self.unknown.map(|rule| match rule {
                UnknownName::Refuse => Unknown::Refuse,
                UnknownName::Drop => Unknown::Drop,
                UnknownName::Ignore => Unknown::Ignore,
                UnknownName::Other => Unknown::Other,
            }),
            outside: self.outside.map(|rule| match rule {
                OutsideName::Clamp => Outside::Clamp,
                OutsideName::Drop => Outside::Drop,
                OutsideName::Refuse => Outside::Refuse,
            }),
            like: self.like.as_deref().map(schema::load).transpose()?,
            new_classes: self.new_classes.clone(),
            unlabelled: self.unlabelled,
            budget,
        })
    }
}

impl Table {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let path = self.target.path()?;
        let bar = console.bar("reading rows");
        let kind = self.file.extension().map(|kind| kind.to_string_lossy().to_lowercase()).unwrap_or_default();
        let imported = match kind.as_str() {
            "csv" | "tsv" | "txt" => import::csv(&self.file, &self.options()?, self.target.skip_bad, &bar)?,
            "npz" => {
                let options = ArrayOptions {
                    items: self.items.clone(),
                    labels: self.labels.clone(),
                    quantile: self.columns.quantile_all,
                    rules: self.rules.options(self.target.memory)?,
                };
                import::npz(&self.file, &options, self.target.skip_bad, &bar)?
            }
            "parquet" => self.parquet(&bar)?,
            _ => bail!(
                "{}: its extension is not that of a table: use .csv, .tsv, .txt, .npz or .parquet",
                self.file.display()
            ),
        };
        bar.finish_and_clear();
        let shape = match (imported.data.height(), self.rules.like.as_ref()) {
            (1, Some(like)) => format!("{} features a row by the schema of {}", imported.data.width(), like.display()),
            (1, None) => format!("{} features a row", imported.data.width()),
            (height, _) => format!("items of {height}×{}", imported.data.width()),
        };
        finish(&imported, &format!("table, {kind}, {shape}"), path, console)
    }

    fn options(&self) -> Result<TableOptions> {
        let Columns { features, texts, dates, ordinal, hash, hash_columns, quantile, categories, rare, .. } =
            &self.columns;
        let date = |text: &String| match text.split_once('=') {
            Some((name, format)) => (name.to_owned(), format.to_owned()),
            None => (text.clone(), String::new()),
        };
        Ok(TableOptions {
            labels: self.labels.clone(),
            features: features.clone(),
            texts: texts.clone(),
            dates: dates.iter().map(date).collect(),
            ordinals: ordinal.clone(),
            hashed: hash.clone(),
            hash_columns: *hash_columns,
            quantile: quantile.clone(),
            categories: *categories,
            rare: *rare,
            rules: self.rules.options(self.target.memory)?,
        })
    }

    #[cfg(feature = "parquet")]
    fn parquet(&self, bar: &dyn Progress) -> Result<Imported> {
        Ok(import::parquet(&self.file, &self.options()?, self.target.skip_bad, bar)?)
    }

    #[cfg(not(feature = "parquet"))]
    fn parquet(&self, _: &dyn Progress) -> Result<Imported> {
        bail!(
            "{}: this halflight was built without Parquet: build it with `--features parquet`, or save the table as CSV",
            self.file.display()
        )
    }
}
