//! The stock Triton client, unmodified, gets predictions.

mod common;

use std::process::Command;

use common::{World, image, predictor};

#[test]
fn the_stock_client_gets_predictions() {
    // HALFLIGHT_PYTHON names an interpreter with tritonclient[http], such as one of a virtual environment.
    let python = std::env::var("HALFLIGHT_PYTHON").unwrap_or_else(|_| "python3".into());
    let present = Command::new(&python).args(["-c", "import tritonclient.http"]).output();
    if !present.is_ok_and(|output| output.status.success()) {
        println!("skipped: {python} has no tritonclient[http]; install it, or name another one in HALFLIGHT_PYTHON");
        return;
    }
    let world = World::new();
    let address = predictor(&world, |_| ());
    let paths: Vec<_> = (0..3)
        .map(|item| {
            let path = world.folder.path().join(format!("{item}.ct"));
            std::fs::write(&path, world.encrypt(&image(item))).unwrap();
            path
        })
        .collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/triton.py");
    let output = Command::new(python).args([script, &address.to_string(), "digits"]).args(&paths).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    for (line, item) in out.lines().zip(0..3) {
        let numbers: Vec<i64> = line.split(' ').take(3).map(|number| number.parse().unwrap()).collect();
        assert_eq!(numbers, world.expected(&image(item)), "{out}");
    }
    assert_eq!(out.lines().count(), 3);
}
