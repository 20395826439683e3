//! Files that are not what they are read as.

use model::CompiledNetwork;
use model::storage::{self, Tensors};
use serde_json::json;

/// Its unknown entries were named, not its format.
#[test]
fn a_file_of_another_kind_is_refused_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network");
    let reads = "`format` is halflight network 1, and this program reads halflight compiled network 1";
    let later = "`format` is halflight compiled network 2, and this program reads halflight compiled network 1";
    let cases = [("halflight network", 1, reads), ("halflight compiled network", 2, later)];
    for (format, version, expected) in cases {
        let about = json!({ "format": format, "version": version, "units": "bilinear" });
        storage::write(&path, &Tensors::default(), &about).unwrap();
        let error = CompiledNetwork::load(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
