//! Where the labels of files come from.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use dataset::import::LabelSource;

/// One of three sources, or a guess.
#[derive(Args)]
#[group(multiple = true)]
pub struct LabelArguments {
    /// Labels from file names, as {digit}_{speaker}_{}.wav: names in braces, {} for parts to ignore
    #[arg(long, conflicts_with_all = ["csv", "folders"])]
    pattern: Option<String>,
    /// Labels from folder names, outermost first: `digit,writer` for 7/anna/x.png
    #[arg(long, value_delimiter = ',', value_name = "LABELS", conflicts_with = "csv")]
    folders: Option<Vec<String>>,
    /// Labels from a CSV file with a header and one row per file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// The column of file names in the CSV file
    #[arg(long, default_value = "file", value_name = "COLUMN", requires = "csv")]
    file_column: String,
    /// The columns of the CSV file that are labels [default: all others]
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS", requires = "csv")]
    labels: Vec<String>,
}

impl LabelArguments {
    /// The given source, or one guessed from the folder, and its description.
    pub fn source(self, folder: &Path) -> Result<(LabelSource, String)> {
        let source = match (self.pattern, self.folders, self.csv) {
            (Some(pattern), ..) => LabelSource::Pattern(pattern),
            (_, Some(folders), _) => LabelSource::Folders(folders),
            (_, _, Some(path)) => LabelSource::Csv { path, file: self.file_column, labels: self.labels },
            _ => {
                let source = LabelSource::infer(folder)?;
                let said = format!("labels guessed {}", said(&source));
                return Ok((source, said));
            }
        };
        let said = format!("labels {}", said(&source));
        Ok((source, said))
    }
}

fn said(source: &LabelSource) -> String {
    match source {
        LabelSource::Pattern(pattern) => format!("from file names by the pattern {pattern}"),
        LabelSource::Folders(names) => {
            format!("from the names of {} levels of folders: {}", names.len(), names.join(", "))
        }
        LabelSource::Csv { path, file, labels } => {
            let labels = if labels.is_empty() { "all other columns".into() } else { labels.join(", ") };
            format!("from {}: files in column {file}, labels {labels}", path.display())
        }
    }
}
