//! Items of a data set as rows.

use std::sync::Arc;

use arrow_array::builder::FixedSizeBinaryBuilder;
use arrow_array::{ArrayRef, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use roles::hash::Hash;

use super::{Batches, Rows, batch_rows};
use crate::BulkError;

/// Items of equal width, numbered from `first`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Items<'a> {
    bytes: &'a [u8],
    width: usize,
    first: u64,
}

impl<'a> Items<'a> {
    pub fn new(bytes: &'a [u8], width: usize, first: u64) -> Self {
        Self { bytes, width, first }
    }

    fn batch(&self, start: u64, bytes: &[u8]) -> Result<RecordBatch, BulkError> {
        let mut items = bytes.chunks_exact(self.width);
        let numbers = UInt64Array::from_iter_values(start..start + items.len() as u64);
        let mut column = FixedSizeBinaryBuilder::with_capacity(items.len(), self.width as i32);
        items.try_for_each(|item| column.append_value(item))?;
        let columns: Vec<ArrayRef> = vec![Arc::new(numbers), Arc::new(column.finish())];
        Ok(RecordBatch::try_new(self.schema()?, columns)?)
    }
}

impl Rows for Items<'_> {
    fn count(&self) -> u64 {
        (self.bytes.len() / self.width) as u64
    }

    fn name(&self) -> Hash {
        let numbers = [self.first, self.width as u64].map(u64::to_le_bytes).concat();
        Hash::of("halflight bulk items v1", &[&numbers, self.bytes])
    }

    fn schema(&self) -> Result<SchemaRef, BulkError> {
        let item = DataType::FixedSizeBinary(self.width as i32);
        Ok(Arc::new(Schema::new(vec![Field::new("id", DataType::UInt64, false), Field::new("item", item, false)])))
    }

    fn batches(&self, made: usize, _only: Option<&str>) -> Result<Batches<'_>, BulkError> {
        let rows = batch_rows(made.max(self.width) as u64);
        let parts = self.bytes.chunks(rows * self.width).enumerate();
        Ok(Box::new(parts.map(move |(part, bytes)| self.batch(self.first + (part * rows) as u64, bytes))))
    }
}
