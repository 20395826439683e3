//! Fewer inputs, on one side or both: trained, compiled and evaluated under encryption.

mod workshop;

use workshop::Workshop;

/// Two classes and a second attribute in six columns of numbers.
fn table(rows: usize) -> String {
    let mut text = "a,b,c,d,e,f,kind,group\n".to_string();
    let mut state = 1u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24) - 0.5
    };
    for row in 0..rows {
        let (kind, group) = (row % 2, row / 2 % 2);
        let signs = [kind as f64 - 0.5, 0.5 - kind as f64, group as f64 - 0.5];
        let columns: Vec<String> =
            (0..6).map(|column| format!("{:.4}", 100.0 * (2.0 * signs[column % 3] + noise()))).collect();
        text += &format!("{},k{kind},g{group}\n", columns.join(","));
    }
    text
}

#[test]
fn a_table_by_components_and_a_narrow_side() {
    let shop = Workshop::empty();
    std::fs::write(shop.path("t.csv"), table(600)).unwrap();
    shop.works("dataset import table t.csv --labels kind,group --out t.safetensors");
    shop.works("dataset split t.safetensors --share 0.3 --balance kind,group --rest train --held test");
    let trained = shop.json(
        "train --data train --validation test --main kind --defence none --pca 3 --right 2 --outputs 2 --units 6 \
         --steps 150 --batch 100 --out network.safetensors",
    );
    assert_eq!(trained["inputs"], serde_json::json!([4, 3]));
    assert!(trained["main_accuracy"].as_f64().unwrap() > 90.0, "{trained}");
    shop.works("compile network.safetensors --data train --steps 30 --keep-dead --out compiled.safetensors");
    shop.works("authority init --network compiled.safetensors --folder authority");
    shop.works("authority issue --folder authority --network compiled.safetensors --out functional.key");
    shop.works("encrypt --parameters authority/public --data test --items 0..4 --out c");
    let predicted =
        shop.json("predict --key functional.key --network compiled.safetensors c/0.ct c/1.ct c/2.ct c/3.ct");
    let network = model::CompiledNetwork::load(&shop.path("compiled.safetensors")).unwrap();
    let data = dataset::Dataset::load(&shop.path("test")).unwrap();
    for (item, result) in predicted["results"].as_array().unwrap().iter().enumerate() {
        let output = network.evaluate(&network.encoder().encode(data.image(item)).unwrap()).unwrap();
        assert_eq!(serde_json::json!(output), result["output"]);
    }
}

#[test]
fn every_choice_of_the_encoder_reaches_the_network() {
    let shop = Workshop::furnished();
    let train =
        "train --data data.safetensors --main digit --defence none --steps 20 --batch 50 --units 4 --force --out n";
    // Items of mean 0 have no constant wave.
    for (choice, inputs) in [
        ("--dct 3x4", [12, 12]),
        ("--pooling 2 --right 5", [17, 6]),
        ("--pca 10 --input-bits 3", [11, 11]),
        ("--normalise column --input-range -2,2", [62, 62]),
    ] {
        assert_eq!(shop.json(&format!("{train} {choice}"))["inputs"], serde_json::json!(inputs), "{choice}");
    }
    let refused = "train --data data.safetensors --main digit --defence none --out refused";
    for (choice, words) in [
        ("--dct 9x9", ["transform.rows", "1 to 8"]),
        ("--dct 9", ["--dct", "ROWSxCOLUMNS"]),
        ("--pca 65", ["transform.components", "1 to"]),
        ("--pca 5 --dct 2x2", ["--pca", "--dct"]),
        ("--right 100", ["right", "1 to"]),
        ("--pooling 3", ["pooling", "3"]),
        ("--input-bits 17", ["bits", "17"]),
        ("--input-range 2,1", ["low", "2"]),
        ("--kind squares --right 5", ["kind", "squares"]),
    ] {
        shop.refuses(&format!("{refused} {choice}"), &words);
    }
}

#[test]
fn changed_copies_of_pictures_follow_their_originals() {
    let shop = Workshop::furnished();
    shop.works("dataset split data.safetensors --share 0.05 --balance digit --held few.safetensors");
    let many = shop.json("dataset augment few.safetensors --copies 3 --seed 4 --out many.safetensors");
    assert_eq!(many["items"], 360);
    shop.works("dataset augment few.safetensors --copies 3 --seed 4 --out same.safetensors");
    let read = |name| std::fs::read(shop.path(name)).unwrap();
    assert!(read("many.safetensors") == read("same.safetensors"));
    let (few, many) =
        ["few.safetensors", "many.safetensors"].map(|name| dataset::Dataset::load(&shop.path(name)).unwrap()).into();
    for item in 0..few.len() {
        assert_eq!(many.image(4 * item), few.image(item));
        assert_ne!(many.image(4 * item + 1), many.image(4 * item + 2));
        assert_eq!(many.labels("digit").unwrap().values[4 * item + 3], few.labels("digit").unwrap().values[item]);
    }
    shop.refuses("dataset augment many.safetensors --out r", &["many.safetensors", "copy"]);
    shop.refuses("dataset augment few.safetensors --copies 0 --out r", &["copies", "1"]);
    shop.refuses("dataset augment few.safetensors --rotation 500 --out r", &["rotation", "180"]);
}
