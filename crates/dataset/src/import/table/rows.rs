//! What every kind of table provides.

use crate::import::error::ImportError;
use crate::schema::Cell;

/// A source of rows, the same ones each time.
pub(super) trait Rows {
    /// The names of the columns.
    fn header(&self) -> &[String];

    /// The origin that the data set records.
    fn generator(&self) -> &'static str {
        "imported table"
    }

    /// Rows of an item, if its features form a grid.
    fn height(&self) -> usize {
        1
    }

    /// Whether items without any label are useful.
    fn needs_labels(&self) -> bool {
        true
    }

    /// Visits every row with its number in messages: the line of a CSV file, otherwise counted from 1.
    fn visit(&self, row: &mut dyn FnMut(u64, Row) -> Result<(), ImportError>) -> Result<(), ImportError>;
}

/// The values of one row, as many as the header has, or why the row has none.
pub(super) type Row<'a> = Result<&'a [Cell<'a>], String>;
