//! Why a data set cannot be made, or lacks what was asked of it.

/// Why a data set cannot be made, or lacks what was asked of it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatasetError {
    /// An image without rows or columns.
    #[error("images of {height}x{width} pixels have no pixels: give a height and a width of at least 1")]
    Size {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// The pixels do not fill whole images.
    #[error("{pixels} pixels are not a whole number of {height}x{width} images: check the size")]
    Pixels {
        /// Bytes given.
        pixels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// A column whose length is not the number of images.
    #[error("label `{name}` has {found} values for {expected} images: give one value per image")]
    Count {
        /// The column.
        name: String,
        /// Its length.
        found: usize,
        /// The number of images.
        expected: usize,
    },
    /// A value without a class name.
    #[error(
        "label `{name}` has the value {value} at item {item}, but only {classes} classes: values go from 0 to the number of classes less one"
    )]
    Range {
        /// The column.
        name: String,
        /// The first item at fault.
        item: usize,
        /// Its value.
        value: i64,
        /// The number of classes.
        classes: usize,
    },
    /// A column name that is empty, taken, or used by the file format.
    #[error(
        "a label cannot be named `{name}`: choose a name that is not empty, not used twice, and none of images, features, __metadata__"
    )]
    LabelName {
        /// The name.
        name: String,
    },
    /// Two classes of one column with the same name.
    #[error("label `{name}` names two classes `{class}`: give each class its own name")]
    ClassName {
        /// The column.
        name: String,
        /// The repeated class name.
        class: String,
    },
    /// A metadata key that the file format uses itself.
    #[error("the metadata key `{key}` is used by the file format: choose another")]
    ReservedKey {
        /// The key.
        key: String,
    },
    /// A scale that does not fit the columns.
    #[error("`features` has {problem}: give one low and one positive step for all columns, or one for each")]
    Features {
        /// What is wrong.
        problem: String,
    },
    /// A schema that does not fit the columns.
    #[error("`schema` does not fit the data: {problem}: import the table again")]
    Schema {
        /// What is wrong.
        problem: String,
    },
    /// A fraction out of range.
    #[error("`share` is {share}: choose from 0 to 1")]
    Share {
        /// The number.
        share: String,
    },
    /// A class that does not exist.
    #[error("label `{name}` has no class `{class}`: it has {}", list(.known))]
    NoClass {
        /// The column.
        name: String,
        /// The class asked for.
        class: String,
        /// The classes that exist.
        known: Vec<String>,
    },
    /// A column that does not exist.
    #[error("there is no label `{name}`: this data set has {}", list(.known))]
    NoLabel {
        /// The name asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
