//! The predictor's side: ciphertexts in, predictions out.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Float32Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use qfe::Ciphertext;
use rayon::prelude::*;
use roles::{Prediction, clock};

use super::columns::{Blobs, Texts, column, missing};
use super::tally::Counts;
use super::{ERROR, Kernel, Model, Tally};
use crate::BulkError;

/// Ciphertexts that are read and checked together. With more, checking would hardly be faster, and take more memory.
const TOGETHER: usize = 16 << 20;

/// Predicts from ciphertexts with one model.
#[derive(Debug)]
pub struct Scoring {
    model: Arc<Model>,
    options: ScoringOptions,
    counts: Counts,
}

/// The roles of the columns.
#[derive(Clone, Debug)]
pub struct ScoringOptions {
    /// The column of ciphertexts, bare or in envelopes.
    pub ciphertext: String,
    /// The column with the subject of a row; the subject's items are counted.
    pub subject: Option<String>,
    /// Items of one subject that are evaluated in a run; any beyond are errors.
    pub most_items: Option<u64>,
    /// Prefix of the output columns' names.
    pub prefix: String,
}

impl Default for ScoringOptions {
    fn default() -> Self {
        Self { ciphertext: super::CIPHERTEXT.into(), subject: None, most_items: None, prefix: String::new() }
    }
}

type Outcome = Result<Prediction, String>;

impl Scoring {
    /// Scoring with a model. One value is one run, over which items are counted.
    pub fn new(model: Arc<Model>, options: ScoringOptions) -> Self {
        Self { model, options, counts: Counts::default() }
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// All columns but the ciphertexts, then `output`, `label`, `probabilities` and, for a row without these, the
    /// reason in `error`.
    ///
    /// # Errors
    /// A column is missing, of another type, or in conflict with an output column; the functional key has expired.
    pub fn score(&self, batch: &RecordBatch) -> Result<RecordBatch, BulkError> {
        self.model.admission().check_expiry(clock::now())?;
        let schema = self.schema(batch.schema_ref())?;
        let ciphertexts = column(batch, &self.options.ciphertext)?;
        let blobs = Blobs::of(ciphertexts).ok_or_else(|| self.not_binary(ciphertexts.data_type()))?;
        let refused = self.over_limits(batch)?;
        let earlier = batch.column_by_name(ERROR).and_then(Texts::of);
        let (outputs, classes) = self.extents();
        let mut made = Made::new(outputs, classes, batch.num_rows());
        for rows in together(&blobs, batch.num_rows()) {
            let item = |row: usize| match (&refused[row], blobs.get(row)) {
                (Some(reason), _) => Err(reason.clone()),
                (None, Some(item)) => Ok(item),
                // An owner that could not encrypt it gave a reason.
                (None, None) => {
                    let reason = earlier.as_ref().and_then(|texts| texts.get(row));
                    Err(reason.map_or("it has no ciphertext".into(), |reason| format!("not encrypted: {reason}")))
                }
            };
            let items: Vec<_> = rows.map(item).collect();
            self.predict(&items).into_iter().for_each(|outcome| made.push(outcome));
        }
        let passed = schema.fields()[..schema.fields().len() - 4].iter();
        let passed = passed.map(|field| column(batch, field.name()).cloned());
        let mut columns = passed.collect::<Result<Vec<ArrayRef>, BulkError>>()?;
        columns.extend(made.finish());
        Ok(RecordBatch::try_new(schema, columns)?)
    }

    /// Results of items, with one subgroup check for all of them.
    fn predict(&self, items: &[Result<&[u8], String>]) -> Vec<Outcome> {
        let mut admitted: Vec<_> = items.par_iter().with_max_len(1).map(|item| self.admit(item)).collect();
        let bytes: Vec<&[u8]> = admitted.iter().flatten().map(|bytes| &**bytes).collect();
        let (mut sound, mut unsound) = (Vec::with_capacity(bytes.len()), Vec::new());
        for read in Ciphertext::from_bytes_batch(&bytes) {
            unsound.push(read.map(|ciphertext| sound.push(ciphertext)).err());
        }
        let mut predicted = self.predict_all(&sound).into_iter();
        let mut unsound = unsound.into_iter();
        let outcome = |admitted: &mut Result<Cow<[u8]>, String>| match admitted {
            Err(reason) => Err(std::mem::take(reason)),
            Ok(_) => match unsound.next().flatten() {
                Some(error) => Err(roles::PredictError::from(error).to_string()),
                None => predicted.next().unwrap_or_else(|| Err("it was not evaluated".into())),
            },
        };
        admitted.iter_mut().map(outcome).collect()
    }

    /// Evaluates ciphertexts together; one by one if that ends in an internal error, which costs its row alone.
    fn predict_all(&self, ciphertexts: &[Ciphertext]) -> Vec<Outcome> {
        let predict = |ciphertexts: &[Ciphertext]| {
            let predicted =
                catch_unwind(AssertUnwindSafe(|| self.model.predictor().predict_batch(ciphertexts))).ok()?;
            Some(predicted.into_iter().map(|one| one.map_err(|error| error.to_string())).collect::<Vec<Outcome>>())
        };
        let failed = || vec![Err("the evaluation failed because of an internal error".to_owned())];
        let alone = |ciphertext| predict(std::slice::from_ref(ciphertext)).unwrap_or_else(failed);
        predict(ciphertexts).unwrap_or_else(|| ciphertexts.par_iter().with_max_len(1).flat_map_iter(alone).collect())
    }

    /// The ciphertext, if it is admitted, or why it is not.
    fn admit<'a>(&self, item: &Result<&'a [u8], String>) -> Result<Cow<'a, [u8]>, String> {
        let admitted = self.model.admission().admit(Cow::Borrowed(item.clone()?));
        admitted.map(|admitted| admitted.ciphertext).map_err(|refusal| refusal.to_string())
    }

    /// Counts the items of each subject; returns why rows are beyond the limit.
    fn over_limits(&self, batch: &RecordBatch) -> Result<Vec<Option<String>>, BulkError> {
        let Some(name) = &self.options.subject else { return Ok(vec![None; batch.num_rows()]) };
        let array = column(batch, name)?;
        let wrong = || BulkError::column(name, format!("is {}: a subject is a text or a number", array.data_type()));
        let subjects = Texts::of(array).ok_or_else(wrong)?;
        let one = |row| -> Result<Option<String>, BulkError> {
            let Some(subject) = subjects.get(row) else {
                return Ok(Some(format!("it has no `{name}`, by which items are counted")));
            };
            let items = self.counts.add(&subject)?;
            let most = self.options.most_items.filter(|&most| items > most);
            Ok(most.map(|most| format!("it is item {items} of its subject in this run; at most {most} are evaluated")))
        };
        (0..batch.num_rows()).map(one).collect()
    }

    fn extents(&self) -> (usize, usize) {
        let network = self.model.predictor().network();
        (network.outputs(), network.classes().len())
    }

    fn not_binary(&self, found: &DataType) -> BulkError {
        BulkError::column(&self.options.ciphertext, format!("is {found}: ciphertexts are binary"))
    }
}

/// Rows whose ciphertexts are read together.
fn together(blobs: &Blobs, rows: usize) -> Vec<Range<usize>> {
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for row in 0..rows {
        let length = blobs.get(row).map_or(0, <[u8]>::len);
        if row > start && bytes + length > TOGETHER {
            parts.push(start..row);
            (start, bytes) = (row, 0);
        }
        bytes += length;
    }
    parts.push(start..rows);
    parts
}

/// The output columns.
struct Made {
    output: FixedSizeListBuilder<Int64Builder>,
    label: StringBuilder,
    probabilities: FixedSizeListBuilder<Float32Builder>,
    error: StringBuilder,
    widths: (usize, usize),
}

impl Made {
    fn new(outputs: usize, classes: usize, rows: usize) -> Self {
        let output = Int64Builder::with_capacity(outputs * rows);
        let probabilities = Float32Builder::with_capacity(classes * rows);
        Self {
            output: FixedSizeListBuilder::new(output, outputs as i32).with_field(item(DataType::Int64)),
            label: StringBuilder::new(),
            probabilities: FixedSizeListBuilder::new(probabilities, classes as i32).with_field(item(DataType::Float32)),
            error: StringBuilder::new(),
            widths: (outputs, classes),
        }
    }

    fn push(&mut self, outcome: Outcome) {
        let valid = outcome.is_ok();
        match outcome {
            Ok(Prediction { output, probabilities, label, .. }) => {
                self.output.values().append_slice(&output);
                self.probabilities.values().append_slice(&probabilities);
                self.label.append_value(label);
                self.error.append_null();
            }
            Err(reason) => {
                self.output.values().append_slice(&vec![0; self.widths.0]);
                self.probabilities.values().append_slice(&vec![0.0; self.widths.1]);
                self.label.append_null();
                self.error.append_value(reason);
            }
        }
        self.output.append(valid);
        self.probabilities.append(valid);
    }

    fn finish(mut self) -> [ArrayRef; 4] {
        [
            Arc::new(self.output.finish()),
            Arc::new(self.label.finish()),
            Arc::new(self.probabilities.finish()),
            Arc::new(self.error.finish()),
        ]
    }
}

/// The values of a list, none of which is null.
fn item(kind: DataType) -> FieldRef {
    Arc::new(Field::new("item", kind, false))
}

impl Kernel for Scoring {
    fn name(&self) -> &'static str {
        "score"
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef, BulkError> {
        let ScoringOptions { ciphertext, subject, prefix, .. } = &self.options;
        let names = || input.fields().iter().map(|field| field.name());
        for name in [ciphertext].into_iter().chain(subject) {
            input.field_with_name(name).map_err(|_| missing(name, names()))?;
        }
        let found = input.field_with_name(ciphertext).map_err(|_| missing(ciphertext, names()))?;
        if !Blobs::takes(found.data_type()) {
            return Err(self.not_binary(found.data_type()));
        }
        // The owner's errors for rows without a ciphertext become errors here.
        let spent = |field: &&FieldRef| field.name() != ciphertext && field.name() != ERROR;
        let mut fields: Vec<FieldRef> = input.fields().iter().filter(spent).cloned().collect();
        let (outputs, classes) = self.extents();
        let list = |kind, width| DataType::FixedSizeList(item(kind), width as i32);
        let made = [
            ("output", list(DataType::Int64, outputs)),
            ("label", DataType::Utf8),
            ("probabilities", list(DataType::Float32, classes)),
            (ERROR, DataType::Utf8),
        ];
        for (name, kind) in made {
            let name = format!("{prefix}{name}");
            if fields.iter().any(|field| *field.name() == name) {
                return Err(BulkError::column(
                    &name,
                    "is an output column, and exists already: rename it, or set a prefix",
                ));
            }
            fields.push(Arc::new(Field::new(name, kind, true)));
        }
        let about = HashMap::from([("halflight.network".into(), self.model.admission().network().to_string())]);
        Ok(Arc::new(Schema::new_with_metadata(fields, about)))
    }

    fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, BulkError> {
        self.score(batch)
    }

    fn stamp(&self) -> Vec<(&'static str, String)> {
        let ScoringOptions { ciphertext, subject, most_items, prefix } = &self.options;
        let admission = self.model.admission();
        vec![
            ("network", admission.network().to_string()),
            ("public_key", admission.public_key().to_string()),
            ("columns", format!("{ciphertext:?} to {prefix:?}")),
            ("limits", format!("{subject:?}: {most_items:?}")),
        ]
    }

    fn row_bytes(&self) -> usize {
        let (outputs, classes) = self.extents();
        8 * outputs + 4 * classes + 64
    }

    fn counted(&self) -> Option<&str> {
        self.options.subject.as_deref()
    }

    fn count(&self, batch: &RecordBatch) -> Result<(), BulkError> {
        self.over_limits(batch).map(drop)
    }

    fn tally(&self) -> Option<Tally> {
        self.options.subject.as_ref().map(|_| self.counts.tally())
    }
}
