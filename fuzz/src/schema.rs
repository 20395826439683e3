//! Schemas: any JSON. An accepted one is written and read back unchanged.

use std::sync::LazyLock;

use dataset::schema;

use crate::Scratch;

static FILE: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("schema.json"));
static AGAIN: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("again.json"));

/// Runs one input.
pub fn run(data: &[u8]) {
    let Ok(found) = schema::load(FILE.put(data)) else { return };
    assert_eq!(found.names().len(), found.width());
    schema::save(&found, AGAIN.path()).expect("it can be written");
    assert!(schema::load(AGAIN.path()).expect("what was written can be read") == found);
}
