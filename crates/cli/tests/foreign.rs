//! An integer network from elsewhere, of the size and in the text format of the paper's: it gets no key while its outputs
//! cannot be opened, and gets one once data show that they can.

mod workshop;

use std::fs;
use std::io::Write;

use base64::Engine;
use model::{CompiledNetwork, ImportOptions};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use workshop::Workshop;

/// 785 → 40 → 10 with random weights within ±15 and ±30, as `final.mlm` has them.
fn text_of_a_network(seed: u64) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut matrix = |rows: usize, columns: usize, most: i32| -> Vec<Vec<i32>> {
        (0..rows).map(|_| (0..columns).map(|_| rng.random_range(-most..=most)).collect()).collect()
    };
    let (columns, content) = (matrix(785, 40, 15), matrix(40, 10, 30));
    let json = serde_json::json!({
        "proj_": { "n": 785, "k": 40, "columns": columns },
        "forms_": { "k": 40, "classes": 10, "content": content },
    });
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(json.to_string().as_bytes()).unwrap();
    base64::engine::general_purpose::STANDARD.encode(packed.finish().unwrap())
}

#[test]
fn the_papers_network_is_opened_where_data_show_its_range_and_refused_where_none_do() {
    let shop = Workshop::empty();
    fs::write(shop.path("final.mlm"), text_of_a_network(7)).unwrap();
    shop.works("dataset draw --count 60 --seed 4 --out digits.safetensors");

    // By arithmetic its outputs reach beyond every table.
    let import = "import final.mlm --main character --out compiled.safetensors";
    let refused = shop.run(import);
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && errors.contains("--range seen") && errors.contains("final.mlm"), "{errors}");
    assert_eq!(errors.matches("the largest table searches").count(), 1, "told once: {errors}");
    shop.refuses(import, &["--data"]);
    shop.refuses(&format!("{import} --range seen"), &["--data"]);
    shop.refuses(&format!("{import} --range exact --data digits.safetensors"), &["--range seen"]);
    shop.refuses(&format!("{import} --data digits.safetensors --margin nine"), &["--margin"]);

    let imported = shop.json(&format!("{import} --data digits.safetensors"));
    let pairs = |name: &str| imported[name].as_array().unwrap().clone();
    assert_eq!((&imported["units"], &imported["outputs"]), (&40.into(), &10.into()));
    for (declared, seen) in pairs("bounds").iter().zip(pairs("seen")) {
        let width = |pair: &serde_json::Value| pair[1].as_i64().unwrap() - pair[0].as_i64().unwrap() + 1;
        let ratio = width(declared) as f64 / width(&seen) as f64;
        assert!((3.9..4.1).contains(&ratio), "two bits wider: {declared} for {seen}");
        assert!(width(&seen) > 1 << 33, "as wide as the paper's: {seen}");
    }
    assert!((0.0..=100.0).contains(&imported["main_accuracy"].as_f64().unwrap()));
    let checked = shop.json("check compiled.safetensors --data digits.safetensors --items 0..3");
    assert_eq!((&checked["items"], &checked["mismatches"]), (&3.into(), &0.into()));
}

#[test]
fn no_key_is_issued_for_outputs_that_cannot_be_found() {
    let shop = Workshop::empty();
    fs::write(shop.path("final.mlm"), text_of_a_network(8)).unwrap();
    let wide = CompiledNetwork::import(&shop.path("final.mlm"), &ImportOptions::default()).unwrap();
    wide.save(&shop.path("wide.safetensors")).unwrap();
    shop.works("authority init --network wide.safetensors --folder authority");
    let issue = "authority issue --folder authority --network wide.safetensors";
    let refused = shop.run(&format!("{issue} --out functional.key"));
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && errors.contains("declare the range that data show"), "{errors}");
    assert!(!shop.path("functional.key").exists());
}
