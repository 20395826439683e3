//! `halflight score`: the predictor, over many files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bulk::{Inputs, Job, JobReport, Model, Scoring, ScoringOptions};
use clap::Args;
use serde_json::json;

use crate::console::Console;

/// Evaluates ciphertexts in Parquet files: each file becomes one of predictions, row by row. An interrupted job resumes
/// where it stopped; a row that cannot be used has its reason.
#[derive(Args)]
#[command(
    after_help = "Example:\n  halflight score --input 'encrypted/*.parquet' --output scored --model models/digits"
)]
pub struct Score {
    /// Parquet files of ciphertexts: a file, a folder, or a quoted pattern; or objects, as `s3://bucket/folder`
    #[arg(long, value_name = "FILES")]
    input: String,
    /// Folder for the predictions, made if missing, or `s3://bucket/folder`: one file for each input file, under its name
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,
    /// Folder of the model, as `halflight serve predictor` serves it
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// Folder that keeps the discrete-log table between runs
    #[arg(long, value_name = "FOLDER")]
    tables: Option<PathBuf>,
    /// Column of ciphertexts
    #[arg(long, value_name = "COLUMN", default_value = bulk::CIPHERTEXT)]
    ciphertext: String,
    /// Column with the subject of a row: items of each subject are counted
    #[arg(long, value_name = "COLUMN")]
    subject: Option<String>,
    /// Evaluate at most this many items of one subject in this run
    #[arg(long, value_name = "ITEMS", requires = "subject")]
    most_items: Option<u64>,
    /// Prefix for the names of the columns `output`, `label`, `probabilities` and `error`
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prefix: String,
    /// Threads [default: as many as cores]
    #[arg(long, value_name = "NUMBER")]
    threads: Option<usize>,
    #[command(flatten)]
    logged: Logged,
}

/// Common options of jobs over files.
#[derive(Args)]
pub struct Logged {
    /// File that gets one line of JSON per job [default: _jobs.jsonl in the folder of the results, or here if they
    /// go to a store]
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Note to add to that line, such as who requested the job
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,
}

impl Logged {
    /// A job with this log.
    pub fn job<'a>(&self, inputs: Inputs<'a>, output: &Path, force: bool) -> Job<'a> {
        // A store can replace an object, and lengthen none.
        let here = if output.to_string_lossy().starts_with("s3://") { Path::new("") } else { output };
        let log = self.log.clone().unwrap_or_else(|| here.join("_jobs.jsonl"));
        Job { inputs, output: output.to_owned(), force, log, note: self.note.clone() }
    }
}

impl Score {
    /// Runs the verb.
    pub fn run(self, console: &Console) -> Result<()> {
        let inputs = Inputs::find(&self.input)?;
        let bar = console.bar("discrete-log table");
        let model = Model::open(&self.model, self.tables.as_deref(), &bar)?;
        bar.finish_and_clear();
        let scoring = Scoring::new(
            model,
            ScoringOptions {
                ciphertext: self.ciphertext,
                subject: self.subject,
                most_items: self.most_items,
                prefix: self.prefix,
            },
        );
        let job = self.logged.job(inputs, &self.output, false);
        let bar = console.rate("scoring");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads.unwrap_or(0)).build();
        let pool = pool.context("the threads cannot be started")?;
        let report = pool.install(|| job.run(&scoring, &bar))?;
        bar.finish_and_clear();
        print(&report, console)
    }
}

/// What a job did, for people and for machines.
pub fn print(report: &JobReport, console: &Console) -> Result<()> {
    let skipped = report.partitions.iter().filter(|part| part.skipped).count();
    let about = json!({
        "job": report.job, "about": report.about, "rows": report.rows, "rows_skipped": report.rows_skipped,
        "errors": report.errors, "partitions": report.partitions, "partitions_skipped": skipped,
        "subjects": report.subjects, "seconds": report.seconds, "rows_per_second": report.rows_per_second,
        "output": report.output, "at": report.at,
    });
    console.result(&about, || {
        let mut text = format!(
            "{} rows in {} files in {}, {} of these rows without a result",
            report.rows,
            report.partitions.len(),
            report.output.display(),
            report.errors
        );
        if skipped > 0 {
            text += &format!("\n{} rows in {skipped} files were done already", report.rows_skipped);
        }
        if let Some(tally) = &report.subjects {
            text += &format!("\n{} subjects, at most {} items of one", tally.subjects, tally.most_items);
        }
        if report.rows > report.rows_skipped {
            text += &format!("\n{:.1} s, {:.1} rows a second", report.seconds, report.rows_per_second);
        }
        text
    })
}
