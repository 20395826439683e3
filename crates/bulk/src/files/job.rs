//! A job: a kernel over files, partition by partition, resumed where it was interrupted.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow_array::{Array, RecordBatch};
use host::Progress;
use host::files::append_line;
use roles::clock;
use serde::Serialize;

use super::outputs::{Outputs, Place};
use super::{Inputs, Rows};
use crate::BulkError;
use crate::kernel::{Kernel, Tally};

/// The prefix of the names in a file's metadata.
const PREFIX: &str = "halflight.";
/// The text that counts rows without a result.
const ERRORS: &str = "errors";

/// What is read, and where the results go: one file or object for each that is read, under its name.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The files to read.
    pub inputs: Inputs<'a>,
    /// The folder of the results, or `s3://bucket/folder`.
    pub output: PathBuf,
    /// Redo finished partitions, including those of another model.
    pub force: bool,
    /// File that gets one line of JSON per job.
    pub log: PathBuf,
    /// Note to add to that line, such as who requested the job.
    pub note: String,
}

/// One file of a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Partition {
    /// The input file; empty for items of a data set.
    pub input: PathBuf,
    /// The output file.
    pub output: PathBuf,
    /// Its rows.
    pub rows: u64,
    /// Rows without a result.
    pub errors: u64,
    /// Whether it was finished already.
    pub skipped: bool,
}

/// What a job did.
#[derive(Clone, Debug, Serialize)]
pub struct JobReport {
    /// `encrypt` or `score`.
    pub job: &'static str,
    /// When it ended, in UTC.
    pub at: String,
    /// The kernel's parameters: public key, network, columns, limits.
    pub about: std::collections::BTreeMap<&'static str, String>,
    /// Where the results are.
    pub output: PathBuf,
    /// Rows of all partitions.
    pub rows: u64,
    /// Of these, rows of partitions that were finished already.
    pub rows_skipped: u64,
    /// Rows without a result, of all partitions.
    pub errors: u64,
    /// Every file.
    pub partitions: Vec<Partition>,
    /// Items per subject, if they were counted.
    pub subjects: Option<Tally>,
    /// How long it took.
    pub seconds: f64,
    /// Rows a second, not counting finished partitions.
    pub rows_per_second: f64,
    /// The error that ended it, if any.
    pub failed: Option<String>,
}

/// The line of the log: a report without its partitions.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    about: &'a std::collections::BTreeMap<&'static str, String>,
    job: &'a str,
    at: &'a str,
    note: &'a str,
    output: &'a Path,
    partitions: usize,
    partitions_skipped: usize,
    rows: u64,
    rows_skipped: u64,
    errors: u64,
    subjects: Option<Tally>,
    seconds: f64,
    failed: &'a Option<String>,
}

impl Job<'_> {
    /// Does everything that is not done yet, and writes a line to the log, whether it succeeds or not. Files are
    /// processed in the order of their names, rows in their own order.
    ///
    /// # Errors
    /// [`BulkError`]: a file that cannot be read or written, a partition of another model, a key that has expired.
    /// Everything finished by then stays.
    pub fn run(&self, kernel: &dyn Kernel, progress: &dyn Progress) -> Result<JobReport, BulkError> {
        let outputs = Outputs::open(&self.output)?;
        let start = Instant::now();
        let mut report = JobReport {
            job: kernel.name(),
            at: String::new(),
            about: kernel.stamp().into_iter().collect(),
            output: self.output.clone(),
            rows: 0,
            rows_skipped: 0,
            errors: 0,
            partitions: Vec::new(),
            subjects: None,
            seconds: 0.0,
            rows_per_second: 0.0,
            failed: None,
        };
        let done = self.partitions(&outputs, kernel, progress, &mut report);
        report.seconds = start.elapsed().as_secs_f64();
        report.rows_per_second = (report.rows - report.rows_skipped) as f64 / report.seconds.max(1e-9);
        report.subjects = kernel.tally();
        report.at = clock::utc(clock::now());
        report.failed = done.as_ref().err().map(ToString::to_string);
        self.write_line(&report)?;
        done.map(|()| report)
    }

    fn write_line(&self, report: &JobReport) -> Result<(), BulkError> {
        let JobReport { job, at, about, output, rows, rows_skipped, errors, subjects, seconds, failed, .. } = report;
        let line = Line {
            about,
            job,
            at,
            note: &self.note,
            output,
            partitions: report.partitions.len(),
            partitions_skipped: report.partitions.iter().filter(|partition| partition.skipped).count(),
            rows: *rows,
            rows_skipped: *rows_skipped,
            errors: *errors,
            subjects: *subjects,
            seconds: *seconds,
            failed,
        };
        // Numbers and texts: cannot fail.
        let line = serde_json::to_string(&line).unwrap_or_default();
        Ok(append_line(&self.log, &line)?)
    }

    fn partitions(
        &self,
        outputs: &Outputs,
        kernel: &dyn Kernel,
        progress: &dyn Progress,
        report: &mut JobReport,
    ) -> Result<(), BulkError> {
        // Everything that can be refused is refused before the first row.
        let opened = self.inputs.open()?;
        progress.begin(opened.iter().map(|part| part.rows.count()).fold(0, u64::saturating_add));
        let mut todo = Vec::new();
        for part in &opened {
            let output = outputs.place(&part.file);
            if output.is(&part.path) {
                let problem = "is also the input: name another folder for the results";
                return Err(BulkError::input(&output.shown(), problem));
            }
            let about = stamp(kernel, &*part.rows);
            let finished = self.finished(&output, &about)?;
            kernel.schema(&*part.rows.schema()?).map_err(|error| match error {
                BulkError::Column { column, problem } if !part.path.as_os_str().is_empty() => {
                    BulkError::input(&part.path, format!("its column `{column}` {problem}"))
                }
                other => other,
            })?;
            todo.push((part, output, about, finished));
        }
        for (part, output, about, finished) in todo {
            let (rows, errors) = match finished {
                Some(errors) => {
                    recount(kernel, &*part.rows)?;
                    progress.advance(part.rows.count());
                    (part.rows.count(), errors)
                }
                None => partition(kernel, &*part.rows, &output, about, progress)?,
            };
            report.rows += rows;
            report.rows_skipped += if finished.is_some() { rows } else { 0 };
            report.errors += errors;
            let (input, output) = (part.path.clone(), output.shown());
            report.partitions.push(Partition { input, output, rows, errors, skipped: finished.is_some() });
        }
        Ok(())
    }

    /// The number of errors in a finished partition of this kernel and these rows; none if there is no such partition.
    fn finished(&self, output: &Place, expected: &[(String, String)]) -> Result<Option<u64>, BulkError> {
        if self.force {
            return Ok(None);
        }
        let Some(found) = output.about()? else { return Ok(None) };
        let text = |name: &str| found.iter().find(|(found, _)| found == name).map(|(_, text)| text.as_str());
        for (name, expected) in expected {
            let found = text(name).unwrap_or("none");
            if found != expected {
                let what = name.strip_prefix(PREFIX).unwrap_or(name);
                let problem = format!(
                    "exists, and its {what} is {found}, not {expected}: it belongs to another job; name another folder \
                     for the results, or overwrite it with force"
                );
                return Err(BulkError::input(&output.shown(), problem));
            }
        }
        Ok(text(&format!("{PREFIX}{ERRORS}")).and_then(|errors| errors.parse().ok()))
    }
}

/// What identifies a finished partition: its kernel, and its input rows.
fn stamp(kernel: &dyn Kernel, source: &dyn Rows) -> Vec<(String, String)> {
    let own = [("job", kernel.name().to_owned()), ("input", source.name().to_string())];
    own.into_iter().chain(kernel.stamp()).map(|(name, text)| (format!("{PREFIX}{name}"), text)).collect()
}

fn partition(
    kernel: &dyn Kernel,
    source: &dyn Rows,
    output: &Place,
    about: Vec<(String, String)>,
    progress: &dyn Progress,
) -> Result<(u64, u64), BulkError> {
    let input = source.schema()?;
    let schema = kernel.schema(&input)?;
    let errors = Cell::new(0);
    let batches = source.batches(kernel.row_bytes(), None)?.map(|batch| {
        let done = kernel.apply(&batch?)?;
        errors.set(errors.get() + errors_of(&done));
        progress.advance(done.num_rows() as u64);
        Ok(done)
    });
    let ending = || vec![(format!("{PREFIX}{ERRORS}"), errors.get().to_string())];
    let rows = output.write(&schema, &about, batches, &ending)?;
    Ok((rows, errors.get()))
}

/// Rows with a reason in the last column.
fn errors_of(batch: &RecordBatch) -> u64 {
    batch.columns().last().map_or(0, |errors| (errors.len() - errors.null_count()) as u64)
}

/// Counts the subjects of a partition that is finished.
fn recount(kernel: &dyn Kernel, source: &dyn Rows) -> Result<(), BulkError> {
    let Some(column) = kernel.counted() else { return Ok(()) };
    source.batches(1, Some(column))?.try_for_each(|batch| kernel.count(&batch?))
}
