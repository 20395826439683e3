//! Results that are measured once and then read from files.

use std::path::Path;

use host::files::{self, Access};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ExperimentError;

/// The longest result that is read.
const LIMIT: u64 = 64 << 20;

/// The result in the file, or the result of `work`, which is then written there as `text`.
pub(crate) fn kept<T: Serialize + DeserializeOwned>(
    path: &Path,
    text: fn(&T) -> serde_json::Result<Vec<u8>>,
    work: impl FnOnce() -> Result<T, ExperimentError>,
) -> Result<T, ExperimentError> {
    let wrong = |source| ExperimentError::Result { path: path.to_owned(), source };
    if path.exists() {
        return serde_json::from_slice(&files::read(path, LIMIT)?).map_err(wrong);
    }
    let result = work()?;
    files::write(path, &text(&result).map_err(wrong)?, Access::Ordinary)?;
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_once_and_a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("two.json");
        assert_eq!(kept(&path, serde_json::to_vec, || Ok(2)).unwrap(), 2);
        assert_eq!(kept(&path, serde_json::to_vec::<i32>, || unreachable!()).unwrap(), 2);
        std::fs::write(&path, "two").unwrap();
        let refused = kept(&path, serde_json::to_vec::<i32>, || unreachable!()).unwrap_err();
        assert!(refused.to_string().contains("two.json"), "{refused}");
    }
}
