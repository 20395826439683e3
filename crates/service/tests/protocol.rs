//! Open Inference Protocol v2: what is read, what is written, what is refused.

use base64::Engine;
use proptest::prelude::*;
use service::oip::{InferRequest, InferResponse, OutputTensor, RequestedOutput, Values};

fn parse(body: &[u8], header: Option<usize>) -> Result<InferRequest, String> {
    InferRequest::parse(body, header, 4).map_err(|error| error.to_string())
}

fn items(body: &str) -> Result<Vec<Vec<u8>>, String> {
    parse(body.as_bytes(), None).map(|request| request.inputs.into_iter().next().unwrap().items)
}

#[test]
fn ciphertexts_in_json() {
    let b64 = base64::engine::general_purpose::STANDARD.encode([1, 2, 255]);
    let bytes = format!(r#"{{"inputs":[{{"name":"c","datatype":"BYTES","shape":[1],"data":["{b64}"]}}]}}"#);
    assert_eq!(items(&bytes).unwrap(), [[1, 2, 255]]);
    let nested = r#"{"inputs":[{"name":"c","datatype":"UINT8","shape":[2,3],"data":[[1,2,255],[4,5,6]]}]}"#;
    assert_eq!(items(nested).unwrap(), [[1, 2, 255], [4, 5, 6]]);
    let flat = r#"{"id":"7","inputs":[{"name":"c","datatype":"UINT8","shape":[3],"data":[1,2,255]}]}"#;
    assert_eq!(items(flat).unwrap(), [[1, 2, 255]]);
}

#[test]
fn ciphertexts_in_binary() {
    let json = br#"{"inputs":[{"name":"c","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":11}}],
        "outputs":[{"name":"output","parameters":{"binary_data":true}}],"parameters":{"binary_data_output":true}}"#;
    let body = [&json[..], &[2, 0, 0, 0, 8, 9, 1, 0, 0, 0, 7]].concat();
    let request = parse(&body, Some(json.len())).unwrap();
    assert_eq!(request.inputs[0].items, [vec![8, 9], vec![7]]);
    assert_eq!(request.outputs, [RequestedOutput { name: "output".into(), binary: Some(true), classification: None }]);
    assert!(request.binary_outputs);
    let json = br#"{"inputs":[{"name":"c","datatype":"UINT8","shape":[2,2],"parameters":{"binary_data_size":4}}]}"#;
    let body = [&json[..], &[1, 2, 3, 4]].concat();
    assert_eq!(parse(&body, Some(json.len())).unwrap().inputs[0].items, [[1, 2], [3, 4]]);
}

/// One request for 1.5 million outputs of one name drove a predictor to gigabytes.
#[test]
fn an_output_that_is_asked_for_twice_is_refused() {
    let ask = |names: &str| {
        let body =
            format!(r#"{{"inputs":[{{"name":"c","datatype":"UINT8","shape":[1],"data":[1]}}],"outputs":[{names}]}}"#);
        parse(body.as_bytes(), None)
    };
    assert_eq!(ask(r#"{"name":"output"},{"name":"label"}"#).unwrap().outputs.len(), 2);
    let error = ask(&[r#"{"name":"output"}"#; 2].join(",")).unwrap_err();
    assert!(error.contains("output 'output' is requested twice"), "{error}");
}

/// Lists of different names, of empty inputs or of extents took many times the body's length in memory.
#[test]
fn long_lists_are_refused_before_they_are_kept() {
    let names: Vec<String> = (0..100_000).map(|i| format!(r#"{{"name":"{i}"}}"#)).collect();
    let input = |shape: &str| format!(r#"{{"name":"c","datatype":"UINT8","shape":[{shape}],"data":[1]}}"#);
    let (one, long) = (input("1"), input(&["1"; 100_000].join(",")));
    let body = |inputs: &str, outputs: &str| format!(r#"{{"inputs":[{inputs}],"outputs":[{outputs}]}}"#);
    let many = vec![one.as_str(); 100_000].join(",");
    for body in [body(&one, &names.join(",")), body(&many, ""), body(&long, "")] {
        let error = parse(body.as_bytes(), None).unwrap_err();
        assert!(error.contains("a list of at most 64 elements"), "{error}");
    }
}

#[test]
fn malformed_requests_are_named() {
    let input = |fields: &str| format!(r#"{{"inputs":[{{"name":"c",{fields}}}]}}"#);
    for (fields, word) in [
        (r#""datatype":"FP32","shape":[1],"data":[1]"#, "datatype is FP32"),
        (r#""datatype":"UINT8","shape":[2],"data":[1]"#, "shape is [2] for 1 bytes"),
        (r#""datatype":"UINT8","shape":[1],"data":[256]"#, "256 does not fit"),
        (r#""datatype":"UINT8","shape":[1],"data":[-1]"#, "invalid type"),
        (r#""datatype":"UINT8","shape":[1],"data":["a"]"#, "a string in a UINT8"),
        (r#""datatype":"UINT8","shape":[0],"data":[]"#, "at least one"),
        (r#""datatype":"UINT8","shape":[0,0],"data":[]"#, "1 to 4 items"),
        (r#""datatype":"UINT8","shape":[5,1],"data":[1,1,1,1,1]"#, "1 to 4 items"),
        (r#""datatype":"UINT8","shape":[1,1,1],"data":[1]"#, "[items, bytes]"),
        (r#""datatype":"UINT8","shape":[],"data":[1]"#, "extents"),
        (r#""datatype":"UINT8","shape":[18446744073709551615,9],"data":[1]"#, "extents"),
        (r#""datatype":"BYTES","shape":[1],"data":["%%"]"#, "base64"),
        (r#""datatype":"BYTES","shape":[1],"data":[5]"#, "a number in a BYTES"),
        (r#""datatype":"BYTES","shape":[2],"data":["AA=="]"#, "number of elements"),
        (r#""datatype":"BYTES","shape":[5],"data":[]"#, "1 to 4 items"),
        (r#""datatype":"BYTES","shape":[1]"#, "data is missing"),
        (r#""datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":99}"#, "binary_data_size is 99"),
        (r#""datatype":"BYTES","shape":[1],"data":["AA=="],"parameters":{"binary_data_size":0}"#, "given twice"),
    ] {
        let error = items(&input(fields)).unwrap_err();
        assert!(error.contains(word), "{fields}: {error}");
    }
    assert!(parse(b"{}", None).unwrap_err().contains("inputs"));
    assert!(parse(b"", None).is_err());
    assert!(parse(b"{\"inputs\":[]}x", Some(13)).unwrap_err().contains("1 bytes follow"));
    assert!(parse(b"{}", Some(usize::MAX)).unwrap_err().contains("body has 2 bytes"));
    let deep = format!(r#"{{"inputs":[{{"name":"c","datatype":"UINT8","shape":[1],"data":{}}}]}}"#, "[".repeat(90_000));
    assert!(parse(deep.as_bytes(), None).is_err());
}

#[test]
fn only_the_one_input_is_taken() {
    let request = |names: &[&str]| {
        let input = |name: &&str| format!(r#"{{"name":"{name}","datatype":"UINT8","shape":[1],"data":[1]}}"#);
        let body = format!(r#"{{"inputs":[{}]}}"#, names.iter().map(input).collect::<Vec<_>>().join(","));
        parse(body.as_bytes(), None).unwrap().only("c").map_err(|error| error.to_string())
    };
    assert!(request(&["c"]).is_ok());
    for (names, word) in [(&["c", "c"][..], "twice"), (&["c", "d"], "'d' is unknown"), (&[], "missing")] {
        assert!(request(names).unwrap_err().contains(word));
    }
}

#[test]
fn answers_in_json_and_binary() {
    let answer = || InferResponse {
        model: "m".into(),
        version: "1".into(),
        id: Some("7".into()),
        outputs: vec![
            OutputTensor { name: "output", shape: vec![1, 2], values: Values::Int64(vec![-2, 3]), labels: Vec::new() },
            OutputTensor { name: "label", shape: vec![1], values: Values::Text(vec!["B".into()]), labels: Vec::new() },
        ],
    };
    let (body, end) = answer().body(&[], false).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((end, &json["outputs"][0]["data"]), (None, &serde_json::json!([-2, 3])));
    assert_eq!(json["outputs"][1]["data"][0], "B");
    assert_eq!(json["id"], "7");
    let wanted = [RequestedOutput { name: "label".into(), binary: None, classification: None }];
    let (body, end) = answer().body(&wanted, true).unwrap();
    assert_eq!(&body[end.unwrap()..], [1, 0, 0, 0, b'B']);
    let unknown = [RequestedOutput { name: "loss".into(), binary: None, classification: None }];
    assert!(answer().body(&unknown, true).unwrap_err().to_string().contains("output, label"));
}

/// Values of Triton's classification extension: the greatest first, then their place and what it is called.
#[test]
fn classes_are_the_greatest_values_with_their_labels() {
    let answer = || InferResponse {
        model: "m".into(),
        version: "1".into(),
        id: None,
        outputs: vec![
            OutputTensor {
                name: "probabilities",
                shape: vec![2, 3],
                values: Values::Fp32(vec![0.25, 0.5, 0.25, 0.0, 0.125, 0.875]),
                labels: ["a", "b", "c"].map(str::to_owned).into(),
            },
            OutputTensor { name: "output", shape: vec![2, 1], values: Values::Int64(vec![-7, 9]), labels: vec![] },
            OutputTensor { name: "label", shape: vec![2], values: Values::Text(vec![]), labels: vec![] },
        ],
    };
    let ask = |name: &str, most| [RequestedOutput { name: name.into(), binary: None, classification: Some(most) }];
    let tensor = |name: &str, most| {
        let (body, _) = answer().body(&ask(name, most), false).unwrap();
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()["outputs"][0].clone()
    };
    let two = tensor("probabilities", 2);
    assert_eq!((&two["datatype"], &two["shape"]), (&serde_json::json!("BYTES"), &serde_json::json!([2, 2])));
    let expected = serde_json::json!(["0.500000:1:b", "0.250000:0:a", "0.875000:2:c", "0.125000:1:b"]);
    assert_eq!(two["data"], expected);
    assert_eq!(tensor("output", usize::MAX)["data"], serde_json::json!(["-7:0", "9:0"]));
    assert!(answer().check(&ask("label", 1)).unwrap_err().to_string().contains("has no classes"));
    let text = r#"{"inputs":[],"outputs":[{"name":"o","parameters":{"classification":0}}]}"#;
    assert_eq!(parse(text.as_bytes(), None).unwrap().outputs[0].classification, None);
}

proptest! {
    #[test]
    fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..300), header in proptest::option::of(0usize..400)) {
        let _ = InferRequest::parse(&body, header, 4);
    }

    #[test]
    fn binary_elements_round_trip(elements in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..4)) {
        let tail: Vec<u8> = elements.iter().flat_map(|e| [&(e.len() as u32).to_le_bytes(), &e[..]].concat()).collect();
        let json = format!(
            r#"{{"inputs":[{{"name":"c","datatype":"BYTES","shape":[{}],"parameters":{{"binary_data_size":{}}}}}]}}"#,
            elements.len(), tail.len()
        );
        let body = [json.as_bytes(), &tail].concat();
        let request = InferRequest::parse(&body, Some(json.len()), 4).unwrap();
        prop_assert_eq!(&request.inputs[0].items, &elements);
    }
}
