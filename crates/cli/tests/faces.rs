//! The whole path with faces: files with UTKFace's names, a network for the age that must not tell the gender, attackers,
//! a certificate, and predictions under encryption. The faces are drawn here; those of people are not for a repository.

mod workshop;

use std::fs;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use workshop::Workshop;

const SIZE: usize = 24;

/// A head with eyes and a mouth: old ones have lines on the forehead and grey hair, women have hair to the chin, more
/// often than not.
fn face(old: bool, woman: bool, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut within = |low: f32, high: f32| low + (high - low) * rng.random::<f32>();
    let (x0, y0) = (within(11.0, 13.0), within(11.5, 13.5));
    let (wide, high) = (within(6.0, 7.0), within(8.0, 9.0));
    let (skin, paper) = (within(150.0, 230.0), within(40.0, 250.0));
    let hair = if old { within(150.0, 220.0) } else { within(10.0, 90.0) };
    let long = within(0.0, 1.0) < if woman { 0.85 } else { 0.15 };
    let lines = if old { within(0.5, 1.0) } else { within(0.0, 0.2) };
    let mut pixels = Vec::with_capacity(SIZE * SIZE);
    for row in 0..SIZE {
        for column in 0..SIZE {
            let (x, y) = (column as f32 - x0, row as f32 - y0);
            let inside = (x / wide).powi(2) + (y / high).powi(2);
            let eye = (y + 1.5).abs() < 1.0 && (x.abs() - 2.7).abs() < 1.0;
            let mouth = (y - 4.5).abs() < 0.8 && x.abs() < 2.5;
            let line = (-5.6..-2.5).contains(&y) && row % 2 == 0 && x.abs() < 4.0;
            let fringe = y < -0.6 * high;
            let lock = long && inside > 1.0 && inside < 2.0 && y < 0.6 * high;
            let value = if (inside <= 1.0 && fringe) || lock {
                hair
            } else if inside > 1.0 {
                paper
            } else if eye || mouth {
                30.0
            } else if line {
                skin * (1.0 - 0.5 * lines)
            } else {
                skin
            };
            pixels.push((value + 10.0 * (rng.random::<f32>() - 0.5)).clamp(0.0, 255.0) as u8);
        }
    }
    [format!("P5 {SIZE} {SIZE} 255\n").into_bytes(), pixels].concat()
}

fn draw(shop: &Workshop, count: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    fs::create_dir_all(shop.path("faces")).unwrap();
    for item in 0..count {
        let (old, woman) = (rng.random::<bool>(), rng.random::<bool>());
        let age = rng.random_range(if old { 50..90 } else { 18..35 });
        let name = format!("faces/{age}_{}_{}_2017{item:05}.jpg", u8::from(woman), item % 5);
        fs::write(shop.path(&name), face(old, woman, &mut rng)).unwrap();
    }
}

#[test]
fn from_files_of_faces_to_certified_predictions_under_encryption() {
    let shop = Workshop::empty();
    draw(&shop, 2400);
    let imported = shop.json("dataset import faces faces --size 12 --ages 0,45 --out faces.safetensors");
    assert_eq!(
        (&imported["items"], &imported["labels"]),
        (&2400.into(), &serde_json::json!(["age", "gender", "race"]))
    );
    let split = "dataset split --balance age,gender --share";
    shop.works(&format!("{split} 0.6 faces.safetensors --rest train.safetensors --held fresh.safetensors"));
    shop.works(&format!("{split} 0.5 fresh.safetensors --rest attack.safetensors --held test.safetensors"));

    // A network that was selected on the test may not be certified on it.
    let train = "train --data train.safetensors --main age --collateral gender --outputs 1 --units 8 --steps 400 --batch 200 \
                 --weight 2 --noise 0.2";
    let compile = "compile --data train.safetensors --validation test.safetensors --steps 60 --weight 2 --noise 0.2";
    let audit = "audit --train attack.safetensors --test test.safetensors --members train.safetensors --main age \
                 --collateral gender --families logistic,qda,knn-15";
    let found = |name: &str, defence: &str| {
        shop.works(&format!("{train} --defence {defence} --out {name}.safetensors"));
        let compiled = shop.json(&format!("{compile} {name}.safetensors --out {name}-c.safetensors"));
        let audited = shop.json(&format!("{audit} {name}-c.safetensors --certify"));
        (compiled["main_accuracy_integer"].as_f64().unwrap(), audited)
    };
    let (_, open) = found("open", "none");
    let (accuracy, closed) = found("closed", "match");
    assert!(accuracy > 85.0, "the age, in integers: {accuracy}");
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let balanced = |audit: &serde_json::Value| number(&audit["strongest_balanced"]["accuracy"]);
    assert!(balanced(&closed) < balanced(&open).max(60.0), "{} and {}", balanced(&closed), balanced(&open));
    let certificate = &closed["certificate"]["pooled"]["bound"];
    assert!(number(certificate) >= number(&closed["strongest_balanced"]["low"]), "no attacker beats {certificate}");
    assert!(number(certificate) < 90.0, "{certificate}");
    assert!(number(&closed["members"]["risk"]) < 0.3 && closed["members"]["items"] == 960, "{}", closed["members"]);
    assert!(number(&closed["parity"]["distance"]) < 0.3, "{}", closed["parity"]);
    assert!(closed["warnings"].is_null(), "{}", closed["warnings"]);
    let own = shop.json(&format!(
        "{} closed-c.safetensors",
        audit
            .replace("--train attack.safetensors", "--train train.safetensors")
            .replace("--members train.safetensors", "")
    ));
    assert!(own["warnings"][0].as_str().unwrap().contains("train.safetensors"), "{}", own["warnings"]);

    let checked = shop.json("check closed-c.safetensors --data test.safetensors --items 0..5");
    assert_eq!((&checked["items"], &checked["mismatches"]), (&5.into(), &0.into()));
    shop.works("authority init --network closed-c.safetensors --folder authority");
    shop.works("authority issue --folder authority --network closed-c.safetensors --out functional.key");
    shop.works("encrypt --parameters authority/public --data test.safetensors --items 0..3 --out ciphertexts");
    let predicted = shop.json(
        "predict --network closed-c.safetensors --key functional.key ciphertexts/0.ct ciphertexts/1.ct ciphertexts/2.ct",
    );
    let labels = predicted["results"].as_array().unwrap().iter().map(|row| row["label"].as_str().unwrap());
    let labels: Vec<&str> = labels.collect();
    assert!(labels.len() == 3 && labels.iter().all(|label| ["0-44", "45+"].contains(label)), "{labels:?}");
}
