//! Stock clients, unmodified, get predictions: Triton's over REST and over gRPC, and KServe's.

mod common;

use std::process::Command;

use common::{World, image, predictor};

/// Runs a script that prints outputs and labels, where its library is installed. HALFLIGHT_PYTHON names an interpreter
/// that has it, such as one of a virtual environment.
fn client(script: &str, library: &str) {
    let python = std::env::var("HALFLIGHT_PYTHON").unwrap_or_else(|_| "python3".into());
    let present = Command::new(&python).args(["-c", &format!("import {library}")]).output();
    if !present.is_ok_and(|output| output.status.success()) {
        println!("skipped: {python} has no {library}; install it, or name another one in HALFLIGHT_PYTHON");
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
    let script = format!("{}/tests/{script}", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python).args([&script, &address.to_string(), "digits"]).args(&paths).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    for (line, item) in out.lines().zip(0..3) {
        let numbers: Vec<i64> = line.split(' ').take(3).map(|number| number.parse().unwrap()).collect();
        assert_eq!(numbers, world.expected(&image(item)), "{out}");
    }
    assert_eq!(out.lines().count(), 3);
}

#[test]
fn the_stock_client_gets_predictions() {
    client("triton.py", "tritonclient.http");
}

#[test]
fn the_stock_client_gets_predictions_over_grpc() {
    client("triton_grpc.py", "tritonclient.grpc");
}

#[test]
fn kserves_client_gets_predictions_over_rest_and_grpc() {
    client("kserve_client.py", "kserve");
}
