//! Why an encoder cannot be fitted or read, or an image cannot be encoded.

/// Why an encoder cannot be fitted or read, or an image cannot be encoded.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum EncodeError {
    /// An option or a stored field outside its range.
    #[error("encoder field `{field}` is {value}: {remedy}")]
    Field {
        /// The option or field.
        field: &'static str,
        /// Its value.
        value: String,
        /// The allowed values.
        remedy: String,
    },
    /// No image to fit on.
    #[error("an encoder cannot be fitted on an empty data set: give at least one image")]
    Empty,
    /// An image of another size.
    #[error("{}", size_message(*.found, *.height, *.width))]
    Size {
        /// Pixels given.
        found: usize,
        /// Rows expected.
        height: usize,
        /// Columns expected.
        width: usize,
    },
    /// An output slice of another length than [`Encoder::features`](crate::Encoder::features).
    #[error("the output has room for {found} columns, and this encoder gives {expected}: use Encoder::features")]
    Output {
        /// Room given.
        found: usize,
        /// Room needed.
        expected: usize,
    },
}

/// Names what is encoded: rows of a table have no pixels.
fn size_message(found: usize, height: usize, width: usize) -> String {
    if height == 1 {
        return format!(
            "the row has {found} columns, and this encoder takes {width}: import the table by the schema of the \
             training data"
        );
    }
    format!("the image has {found} pixels, and this encoder takes {height}x{width}: resize the image")
}
