//! Schemas: any JSON. An accepted one is written and read back unchanged.
#![no_main]

use std::sync::LazyLock;

use dataset::Schema;
use halflight_fuzz::Scratch;
use libfuzzer_sys::fuzz_target;

static FILE: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("schema.json"));
static AGAIN: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("again.json"));

fuzz_target!(|data: &[u8]| {
    halflight_fuzz::alone();
    let Ok(schema) = Schema::load(FILE.put(data)) else { return };
    assert_eq!(schema.names().len(), schema.width());
    schema.save(AGAIN.path()).expect("it can be written");
    assert!(Schema::load(AGAIN.path()).expect("what was written can be read") == schema);
});
