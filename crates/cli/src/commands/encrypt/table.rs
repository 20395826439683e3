//! Options of encrypting to Parquet files.

use std::path::PathBuf;

use clap::Args;
use roles::hash::Hash;

use crate::commands::score::Logged;

/// Parquet files in and out.
#[derive(Args)]
#[command(next_help_heading = "To Parquet")]
pub struct Table {
    /// Folder for Parquet files of ciphertexts, made if missing, or `s3://bucket/folder`; existing files count
    /// as done
    #[arg(long, value_name = "FOLDER", conflicts_with = "out")]
    pub parquet: Option<PathBuf>,
    /// Instead of a data set, records in Parquet files: a file, a folder, or a quoted pattern; or objects, as
    /// `s3://bucket/folder`
    #[arg(long, value_name = "FILES", requires = "parquet", conflicts_with = "data")]
    pub records: Option<String>,
    /// Column of the records with whole items: binary, or lists of numbers from 0 to 255
    #[arg(long, value_name = "COLUMN", default_value = "item", conflicts_with = "schema")]
    pub column: String,
    /// The records are a table, to be read by the schema of this data set, or by one that `dataset schema` wrote
    #[arg(long, value_name = "FILE", requires = "records")]
    pub schema: Option<PathBuf>,
    /// Columns of the records to keep next to the ciphertexts, unencrypted
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS", requires = "records")]
    pub keep: Vec<String>,
    /// Rows per file, from a data set [default: 256 MB of ciphertexts]
    #[arg(long, value_name = "NUMBER", requires = "parquet", conflicts_with = "records")]
    pub rows: Option<usize>,
    /// Put each ciphertext in an envelope for the model of this network; see also --recipient, --context and --sign
    #[arg(long, value_name = "HASH", requires = "parquet")]
    pub network: Option<Hash>,
    #[command(flatten)]
    pub logged: Logged,
}
