//! What every kind of table gives.

use crate::import::error::ImportError;
use crate::schema::Cell;

/// Something that gives rows, the same ones each time.
pub(super) trait Rows {
    /// The names of the columns.
    fn header(&self) -> &[String];

    /// How the data set calls its origin.
    fn generator(&self) -> &'static str {
        "imported table"
    }

    /// Rows of an item, where its features are a grid.
    fn height(&self) -> usize {
        1
    }

    /// Whether items without any label are of use.
    fn needs_labels(&self) -> bool {
        true
    }

    /// Visits every row with its number for people: the line of a CSV file, else counted from 1.
    fn visit(&self, row: &mut dyn FnMut(u64, Row) -> Result<(), ImportError>) -> Result<(), ImportError>;
}

/// The values of one row, as many as the header has, or why it has none.
pub(super) type Row<'a> = Result<&'a [Cell<'a>], String>;
