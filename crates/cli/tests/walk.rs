//! The sequence of the README, verb by verb, each on the files that the one before wrote.

mod workshop;

use workshop::Workshop;

#[test]
fn drawn_digits_from_pixels_to_predictions() {
    let shop = Workshop::empty();
    let drawn = shop.json("dataset draw --count 500 --pairs --seed 1 --out train.safetensors");
    assert_eq!((drawn["items"].as_u64(), drawn["height"].as_u64()), (Some(1000), Some(28)));
    shop.works("dataset draw --count 400 --seed 2 --out test.safetensors");
    shop.works("dataset draw --count 800 --seed 3 --out attack.safetensors");
    let shown = shop.json("dataset show train.safetensors --sheet sheet.png");
    assert_eq!(shown["items"], 1000);
    assert!(std::fs::read(shop.path("sheet.png")).unwrap().starts_with(b"\x89PNG"));

    let trained = shop.json(
        "train --data train.safetensors --validation test.safetensors --main character --collateral font \
         --defence match --steps 250 --batch 200 --units 16 --out network.safetensors",
    );
    assert!(trained["main_accuracy"].as_f64().unwrap() > 50.0, "{trained}");
    shop.works("compile network.safetensors --data train.safetensors --validation test.safetensors --steps 60 --out compiled.safetensors");
    let audit = shop.json(
        "audit compiled.safetensors --train attack.safetensors --test test.safetensors --families logistic,knn-15 \
         --report report.html",
    );
    assert_eq!(audit["attribute"], "font");
    assert!(audit["strongest"]["low"].as_f64() < audit["strongest"]["high"].as_f64());
    assert!(std::fs::read_to_string(shop.path("report.html")).unwrap().starts_with("<!doctype html>"));

    shop.works("authority init --network compiled.safetensors --folder authority");
    shop.works("authority issue --folder authority --network compiled.safetensors --out functional.key");
    shop.works("encrypt --parameters authority/public --data test.safetensors --items 3..5 --out ciphertexts");
    shop.works("encrypt --parameters authority/public --data test.safetensors --items 3 --compressed --out small");
    let predicted = shop.json(
        "predict --key functional.key --network compiled.safetensors ciphertexts/3.ct ciphertexts/4.ct small/3.ct",
    );
    let results = predicted["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    assert_eq!(results[0]["output"], results[2]["output"], "compression changes no output");

    // Bit for bit the integer network in the clear.
    let network = model::CompiledNetwork::load(&shop.path("compiled.safetensors")).unwrap();
    let data = dataset::Dataset::load(&shop.path("test.safetensors")).unwrap();
    for (result, item) in results.iter().zip([3, 4, 3]) {
        let output = network.evaluate(&network.encoder().encode(data.image(item)).unwrap()).unwrap();
        assert_eq!(serde_json::json!(output), result["output"]);
        assert!(network.classes().iter().any(|class| result["label"] == *class));
    }
}

#[test]
fn every_way_to_encrypt_gives_the_same_output() {
    let shop = Workshop::furnished();
    let encrypt = "encrypt --parameters authority/public --data data.safetensors --items 0";
    shop.works(&format!("{encrypt} --constant-time --out constant"));
    std::fs::create_dir(shop.path("tables")).unwrap();
    shop.works(&format!("{encrypt} --tables tables --out tabled"));
    shop.works(&format!("{encrypt} --tables tables --out mapped"));
    assert_eq!(shop.json("masks --parameters authority/public --count 1 --out masks")["masks"], 1);
    shop.works(&format!("{encrypt} --masks masks --out masked"));
    shop.refuses(&format!("{encrypt} --masks masks --out r"), &["mask"]);
    let predict = "predict --key functional.key --network compiled.safetensors --tables tables";
    let files = ["ciphertexts", "constant", "tabled", "mapped", "masked"].map(|folder| format!("{folder}/0.ct"));
    let predicted = shop.json(&format!("{predict} {}", files.join(" ")));
    let outputs: Vec<_> = predicted["results"].as_array().unwrap().iter().map(|result| &result["output"]).collect();
    assert!(outputs.len() == 5 && outputs.iter().all(|output| *output == outputs[0]), "{outputs:?}");
    assert_eq!(
        shop.works(&format!("{predict} ciphertexts/0.ct --json")),
        shop.works(&format!("{predict} ciphertexts/0.ct --json"))
    );
}

#[test]
fn a_master_key_opens_with_an_age_identity() {
    let shop = Workshop::furnished();
    let made = shop.json("keygen --identity --out my.identity");
    assert!(made["public"].as_str().unwrap().starts_with("age1"));
    let at = "--folder age-authority --network compiled.safetensors";
    let init = shop.json(&format!("authority init {at} --identity my.identity"));
    let master = shop.path(&format!("age-authority/keys/{}/master.age", init["public_key"].as_str().unwrap()));
    assert!(std::fs::read(&master).unwrap().starts_with(b"age-encryption.org/v1"));
    #[cfg(unix)]
    for path in [master, shop.path("my.identity"), shop.path("age-authority/signing.key")] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // The passphrase is no identity.
    shop.refuses(&format!("authority issue {at} --out k"), &["master.age"]);
    shop.works(&format!("authority issue {at} --out k --identity my.identity"));
    shop.refuses("keygen --out my.identity", &["my.identity", "exists"]);
}

#[test]
fn two_threads_or_one_draw_the_same_images() {
    let shop = Workshop::empty();
    shop.works("dataset draw --count 300 --seed 9 --out many.safetensors");
    let one = std::process::Command::new(env!("CARGO_BIN_EXE_halflight"))
        .args(["dataset", "draw", "--count", "300", "--seed", "9", "--out", "one.safetensors"])
        .current_dir(shop.path(""))
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .unwrap();
    assert!(one.status.success());
    let read = |name| std::fs::read(shop.path(name)).unwrap();
    assert!(read("many.safetensors") == read("one.safetensors"));
}
