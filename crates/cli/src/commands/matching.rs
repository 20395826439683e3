//! Data sets that are used together must have the same columns.

use std::path::Path;

use anyhow::{Context, Result};
use dataset::Dataset;
use encoder::Encoder;

/// Refuses a second data set whose columns, or whose classes of these labels, differ from the first.
pub fn pair<'a>(
    first: (&Path, &Dataset),
    second: (&Path, &Dataset),
    labels: impl IntoIterator<Item = &'a String>,
) -> Result<()> {
    let check = || {
        first.1.check_schema(second.1)?;
        labels.into_iter().try_for_each(|label| first.1.check_classes(second.1, label))
    };
    check().with_context(|| format!("{} and {} do not fit each other", first.0.display(), second.0.display()))
}

/// Refuses data with other columns than an encoder was fitted on.
pub fn encoder(data: (&Path, &Dataset), encoder: &Encoder) -> Result<()> {
    data.1.check_encoder(encoder).with_context(|| data.0.display().to_string())
}
