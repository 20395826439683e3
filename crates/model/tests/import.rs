//! Integer networks from elsewhere, written by hand here: each layout gives the outputs of the equation.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use encoder::{Encoded, Encoder, Pixels};
use model::{BiasColumn, CompiledNetwork, ImportOptions, Inputs, IntegerMatrix, Integers, ModelError, Range};
use safetensors::tensor::{Dtype, TensorView};

/// Two units on 2×2 pixels: biases, then weights.
const P: [[i32; 5]; 2] = [[5, 1, -2, 3, 0], [-1, 0, 2, 0, -4]];
const R: [[i32; 5]; 2] = [[1, 2, 0, 0, 1], [0, -1, 1, 1, 0]];
const D: [[i32; 2]; 3] = [[1, 2], [-1, 0], [3, -2]];

fn options() -> ImportOptions {
    ImportOptions { inputs: Inputs::Pixels { height: 2, width: 2, bits: 8 }, ..ImportOptions::default() }
}

/// The equation, on inputs `low + level`.
fn expected(levels: [i64; 4], low: i64, bilinear: bool) -> Vec<i64> {
    let dot = |row: &[i32; 5]| -> i64 {
        i64::from(row[0]) + (0..4).map(|i| i64::from(row[1 + i]) * (low + levels[i])).sum::<i64>()
    };
    let unit = |k: usize| dot(&P[k]) * if bilinear { dot(&R[k]) } else { dot(&P[k]) };
    D.iter().map(|row| (0..2).map(|k| i64::from(row[k]) * unit(k)).sum()).collect()
}

fn write(folder: &Path, tensors: &[(&str, Dtype, Vec<usize>, Vec<u8>)]) -> PathBuf {
    let path = folder.join("foreign.safetensors");
    let views =
        tensors.iter().map(|(name, dtype, shape, data)| (*name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    let bytes = safetensors::serialize(views, None::<HashMap<String, String>>).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

fn integers(rows: &[Vec<i32>]) -> Vec<u8> {
    rows.iter().flatten().flat_map(|value| value.to_le_bytes()).collect()
}

fn arranged(rows: &[[i32; 5]], bias: BiasColumn) -> Vec<Vec<i32>> {
    let arrange = |row: &[i32; 5]| match bias {
        BiasColumn::First => row.to_vec(),
        BiasColumn::Last => [&row[1..], &row[..1]].concat(),
        BiasColumn::None => row[1..].to_vec(),
    };
    rows.iter().map(arrange).collect()
}

fn foreign(folder: &Path, bias: BiasColumn, bilinear: bool) -> PathBuf {
    let columns = if bias == BiasColumn::None { 4 } else { 5 };
    let d: Vec<Vec<i32>> = D.iter().map(|row| row.to_vec()).collect();
    let mut tensors = vec![
        ("P", Dtype::I32, vec![2, columns], integers(&arranged(&P, bias))),
        ("D", Dtype::I32, vec![3, 2], integers(&d)),
    ];
    if bilinear {
        tensors.push(("R", Dtype::I32, vec![2, columns], integers(&arranged(&R, bias))));
    }
    write(folder, &tensors)
}

fn encoded(levels: [i64; 4]) -> Encoded {
    let side: Vec<i64> = std::iter::once(1).chain(levels).collect();
    Encoded { u: side.clone(), v: side }
}

#[test]
fn every_layout_follows_the_equation() {
    let folder = tempfile::tempdir().unwrap();
    for bias in [BiasColumn::First, BiasColumn::Last] {
        for bilinear in [false, true] {
            for low in [0, -36] {
                let path = foreign(folder.path(), bias, bilinear);
                let network = CompiledNetwork::import(&path, &ImportOptions { bias, low, ..options() }).unwrap();
                assert_eq!(network.is_squares(), !bilinear);
                for levels in [[0, 0, 0, 0], [255, 0, 3, 77], [255, 255, 255, 255], [9, 8, 7, 6]] {
                    assert_eq!(network.evaluate(&encoded(levels)).unwrap(), expected(levels, low, bilinear));
                }
            }
        }
    }
}

#[test]
fn pixels_are_read_as_they_are_and_the_largest_output_names_the_class() {
    let folder = tempfile::tempdir().unwrap();
    let path = foreign(folder.path(), BiasColumn::First, true);
    let network = CompiledNetwork::import(&path, &options()).unwrap();
    let bytes = [255, 0, 3, 77, 9, 8, 7, 6];
    let data = Pixels { height: 2, width: 2, bytes: &bytes };
    let outputs = network.evaluate_all(&data).unwrap();
    assert_eq!(outputs, [expected([255, 0, 3, 77], 0, true), expected([9, 8, 7, 6], 0, true)].concat());
    let probabilities = network.probabilities(&outputs).unwrap();
    for (outputs, probabilities) in outputs.chunks(3).zip(probabilities.chunks(3)) {
        let best = outputs.iter().max().unwrap();
        assert!(outputs.iter().zip(probabilities).all(|(value, p)| (value == best) == (*p == 1.0)));
    }
    assert!((0.0..=100.0).contains(&network.accuracy(&data, &[0, 1]).unwrap()));

    let path = folder.path().join("compiled.safetensors");
    network.save(&path).unwrap();
    assert_eq!(CompiledNetwork::load(&path).unwrap(), network);

    let narrow = network.clone().with_range(&data, Range::Empirical { margin_bits: 1.0 }, 40).unwrap();
    assert!(narrow.bounds()[0].1 < network.bounds()[0].1 && narrow.hash() != network.hash());
    let refused = network.with_range(&data, Range::Exact, 4).unwrap_err();
    assert!(matches!(refused, ModelError::Range { limit: 4, .. }));
}

#[test]
fn the_papers_text_format_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let columns: Vec<Vec<i32>> = (0..5).map(|i| P.iter().map(|row| row[i]).collect()).collect();
    let content: Vec<Vec<f64>> = (0..2).map(|k| D.iter().map(|row| f64::from(row[k])).collect()).collect();
    let json = serde_json::json!({
        "proj_": { "n": 5, "k": 2, "columns": columns, "nbits": [3, 2, 2, 2, 3] },
        "forms_": { "k": 2, "classes": 3, "content": content, "nbits": [2, 2] },
    });
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(json.to_string().as_bytes()).unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(packed.finish().unwrap());
    let path = folder.path().join("model.mlm");
    std::fs::write(&path, &text).unwrap();
    let network = CompiledNetwork::import(&path, &options()).unwrap();
    assert_eq!(network.evaluate(&encoded([255, 0, 3, 77])).unwrap(), expected([255, 0, 3, 77], 0, false));

    std::fs::write(&path, &text[..text.len() / 2]).unwrap();
    let error = CompiledNetwork::import(&path, &options()).unwrap_err().to_string();
    assert!(error.contains("model.mlm"), "{error}");
    std::fs::write(&path, "not base64!").unwrap();
    let error = CompiledNetwork::import(&path, &options()).unwrap_err().to_string();
    assert!(error.contains("base64"), "{error}");
}

/// A file of the paper's program with this JSON, written by `write`.
fn text_file(path: &Path, write: impl FnOnce(&mut dyn Write)) -> usize {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    write(&mut packed);
    let text = base64::engine::general_purpose::STANDARD.encode(packed.finish().unwrap());
    std::fs::write(path, &text).unwrap();
    text.len()
}

#[test]
fn a_small_text_file_that_inflates_to_much_is_refused_not_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.mlm");
    let refused = |expected: &str| {
        let error = CompiledNetwork::import(&path, &options()).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("bomb.mlm"), "{error}");
    };
    // A sound network after so many spaces that a cut at the limit would leave no JSON.
    let sound = r#"{"proj_":{"columns":[[1],[1],[1],[1],[1]]},"forms_":{"content":[[1,1]]}}"#;
    let size = text_file(&path, |out| {
        (0..80).for_each(|_| out.write_all(&vec![b' '; 1 << 20]).unwrap());
        out.write_all(sound.as_bytes()).unwrap();
    });
    assert!(size < 1 << 20);
    refused("inflates to more than");
    // Empty rows, which take eight times their text, and one row of many numbers.
    for (start, middle, end) in [("[[]", ",[]", "]"), ("[[1", ",1", "]]")] {
        let size = text_file(&path, |out| {
            write!(out, r#"{{"proj_":{{"columns":{start}"#).unwrap();
            (0..200).for_each(|_| out.write_all(middle.repeat(50_000).as_bytes()).unwrap());
            write!(out, r#"{end}}},"forms_":{{"content":[[1,1]]}}}}"#).unwrap();
        });
        assert!(size < 1 << 20);
        refused("a matrix has more than");
    }
    std::fs::write(&path, "A".repeat((16 << 20) + 1)).unwrap();
    refused("it has more than");
}

#[test]
fn what_does_not_fit_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |path: &Path, options: &ImportOptions, expected: &str| {
        let error = CompiledNetwork::import(path, options).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let path = foreign(folder.path(), BiasColumn::First, true);
    refused(&path, &ImportOptions { bias: BiasColumn::None, ..options() }, "`P` has shape [2, 5]");
    let large = Inputs::Pixels { height: 28, width: 28, bits: 8 };
    refused(&path, &ImportOptions { inputs: large, ..options() }, "[units, 785]");
    let bits = Inputs::Pixels { height: 2, width: 2, bits: 40 };
    refused(&path, &ImportOptions { inputs: bits, ..options() }, "of 40 bits");
    let classes = Some(vec!["a".into(), "b".into()]);
    refused(&path, &ImportOptions { classes, ..options() }, "2 names for 3 classes");
    refused(&path, &ImportOptions { low: 1 << 40, ..options() }, "a bias leaves 32 bits");
    refused(Path::new("/nowhere/p.safetensors"), &options(), "cannot read");

    let whole = [("P", 1.5_f32), ("P", f32::NAN)];
    for (name, bad) in whole {
        let mut p: Vec<f32> = P.iter().flatten().map(|&v| v as f32).collect();
        p[7] = bad;
        let bytes = p.iter().flat_map(|v| v.to_le_bytes()).collect();
        let d: Vec<Vec<i32>> = D.iter().map(|row| row.to_vec()).collect();
        let tensors = [(name, Dtype::F32, vec![2, 5], bytes), ("D", Dtype::I32, vec![3, 2], integers(&d))];
        refused(&write(folder.path(), &tensors), &options(), "at position 7");
    }
}

#[test]
fn integers_in_memory_are_those_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("integers.safetensors");
    let matrix = |shape: (usize, usize), values: &[i32]| IntegerMatrix { shape, values: values.to_vec() };
    let (left, right, combine) = ([1, 2, -3, 0, 4, 5], [7, 0, 1, -2, 1, 1], [1, -1]);
    let tensor = |values: &[i32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let bytes = [tensor(&left), tensor(&right), tensor(&combine)];
    let views = [("P", vec![2, 3], 0), ("R", vec![2, 3], 1), ("D", vec![1, 2], 2)]
        .map(|(name, shape, at)| (name, TensorView::new(Dtype::I32, shape, &bytes[at]).unwrap()));
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    let inputs = Inputs::Encoder(Box::new(Encoder::pixels(1, 2, 4).unwrap()));
    let options = ImportOptions { inputs, low: -3, ..ImportOptions::default() };
    let integers = Integers {
        left: matrix((2, 3), &left),
        right: Some(matrix((2, 3), &right)),
        combine: matrix((1, 2), &combine),
    };
    let made = CompiledNetwork::from_integers(integers.clone(), &options).unwrap();
    assert_eq!(made.hash(), CompiledNetwork::import(&path, &options).unwrap().hash());

    type Change = fn(&mut Integers);
    let cases: [(Change, &str); 5] = [
        (|given| given.left.shape = (3, 2), "`P` has shape [3, 2]"),
        (|given| given.left.values.truncate(5), "`P` has shape [2, 3] and 5 values"),
        (|given| given.combine.shape = (2, 1), "`D` has shape [2, 1]"),
        (|given| given.left = IntegerMatrix { shape: (0, 3), values: vec![] }, "`P` has shape [0, 3]"),
        (|given| given.right = Some(IntegerMatrix { shape: (1, 3), values: vec![0; 3] }), "`R` has shape [1, 3]"),
    ];
    for (change, message) in cases {
        let mut given = integers.clone();
        change(&mut given);
        let error = CompiledNetwork::from_integers(given, &options).unwrap_err().to_string();
        assert!(error.starts_with("the network: ") && error.contains(message), "{error}");
    }
}
