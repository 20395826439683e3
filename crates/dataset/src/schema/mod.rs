//! What the columns of a table are, so that a second table is read like the first one.
//!
//! An import of a table learns its schema, which travels in the metadata of the data set. Reading another file by it
//! ([`TableRules::like`](crate::import::TableRules::like)) gives the same columns with the same scales and categories,
//! or refuses.

mod compare;
mod file;

pub use compare::SchemaError;
pub use file::{SchemaFileError, load, save};
pub use items::schema::*;
