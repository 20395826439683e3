//! The networks of the repository: they load, predict fresh drawings, and are the same under encryption.

mod workshop;

use std::path::Path;

use workshop::Workshop;

#[test]
fn committed_networks_predict_under_encryption() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../networks");
    let shop = Workshop::empty();
    shop.works("dataset draw --count 1000 --seed 77 --out fresh.safetensors");
    let names =
        ["digits-none", "digits-paper", "digits-match", "digits-match-noise", "digits-certified", "digits-small"];
    for name in names {
        let network = folder.join(format!("{name}.safetensors"));
        let found = shop.json(&format!("check {} --data fresh.safetensors --items 0..3", network.display()));
        assert_eq!((&found["mismatches"], &found["items"]), (&0.into(), &3.into()), "{name}: {found}");
        assert!(found["accuracy_clear"].as_f64() > Some(97.5), "{name}: {found}");
    }
}
