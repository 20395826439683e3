//! What the columns of a table are ([`items::schema`]), in files, and compared.

mod compare;
mod file;

pub use compare::SchemaError;
pub use file::{SchemaFileError, load, save};
pub use items::schema::*;
