//! The predictor as a process: a ciphertext file sent over HTTP gives what `halflight predict` gives.

mod workshop;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use workshop::Workshop;

#[test]
fn a_predictor_answers_for_a_ciphertext_file() {
    let shop = Workshop::furnished();
    std::fs::create_dir_all(shop.path("models/digits")).unwrap();
    std::fs::copy(shop.path("compiled.safetensors"), shop.path("models/digits/network.safetensors")).unwrap();
    std::fs::copy(shop.path("functional.key"), shop.path("models/digits/functional.key")).unwrap();
    let expected =
        &shop.json("predict --key functional.key --network compiled.safetensors ciphertexts/0.ct")["results"][0];

    let mut server = Command::new(env!("CARGO_BIN_EXE_halflight"))
        .args(["serve", "predictor", "--models", "models", "--listen", "127.0.0.1:0", "--table-bits", "18"])
        .current_dir(shop.path(""))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let address = lines
        .find_map(|line| line.ok()?.strip_prefix("predictor at http://").map(str::to_owned))
        .expect("the server says where it listens");

    let ciphertext = std::fs::read(shop.path("ciphertexts/0.ct")).unwrap();
    let head = serde_json::json!({ "inputs": [{
        "name": "ciphertext", "shape": [1], "datatype": "BYTES",
        "parameters": { "binary_data_size": ciphertext.len() + 4 },
    }]})
    .to_string();
    let mut body = head.clone().into_bytes();
    body.extend((ciphertext.len() as u32).to_le_bytes());
    body.extend(ciphertext);
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(
        stream,
        "POST /v2/models/digits/infer HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         inference-header-content-length: {}\r\ncontent-type: application/octet-stream\r\ncontent-length: {}\r\n\r\n",
        head.len(),
        body.len()
    )
    .unwrap();
    stream.write_all(&body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();

    let (status, rest) = answer.split_once("\r\n").unwrap();
    assert!(status.contains("200"), "{answer}");
    let json: serde_json::Value = serde_json::from_str(rest.split_once("\r\n\r\n").unwrap().1).unwrap();
    let output = json["outputs"].as_array().unwrap().iter().find(|tensor| tensor["name"] == "output").unwrap();
    assert_eq!(output["data"], expected["output"], "{json}");
}
