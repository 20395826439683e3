//! Searching, adding noise under encryption, and taking outputs elsewhere, on small data.

mod workshop;

use std::sync::Arc;

use dataset::Dataset;
use host::Silent;
use model::CompiledNetwork;
use qfe::{Ciphertext, Encryptor, Evaluator, LogTable, QuadraticMap};
use training::Network;
use workshop::Workshop;

#[test]
fn noise_from_training_to_decryption() {
    let shop = Workshop::empty();
    shop.works("dataset import handwriting --out data.safetensors");
    shop.works(
        "train --data data.safetensors --main digit --collateral ink --defence match --noise 0.1 --outputs 3 --units 8 \
         --steps 60 --batch 120 --out network.safetensors",
    );
    shop.works(
        "compile network.safetensors --data data.safetensors --bits 3 --combine-bits 4 --input-bits 3 --steps 40 \
         --out noisy.safetensors",
    );
    let network = CompiledNetwork::load(&shop.path("noisy.safetensors")).unwrap();
    let noise = network.encoder().noise_coordinates();
    assert_eq!((noise.len(), network.units()), (3, 8 + 3));

    let data = Dataset::load(&shop.path("data.safetensors")).unwrap();
    let (n, m) = network.inputs();
    let (master, public) = qfe::setup(n, m, &mut rand::rng()).unwrap();
    let (left, right, combine) = (network.left().to_vec(), network.right().to_vec(), network.combine().to_vec());
    let map = QuadraticMap::new(n, m, network.units(), network.outputs(), left, right, combine).unwrap();
    let table = Arc::new(LogTable::build(14, &Silent).unwrap());
    let evaluator = Evaluator::new(&master.issue(&map).unwrap(), table, network.bounds()).unwrap();
    let encryptor = Encryptor::new(&public, &Silent);
    let mut drawn = Vec::new();
    for item in [0, 0, 1] {
        let encoded = network.encoder().encode(data.image(item)).unwrap();
        let ciphertext = encryptor.encrypt(&encoded.u, &encoded.v, &mut rand::rng()).unwrap();
        let ciphertext = Ciphertext::from_bytes(&ciphertext.to_bytes()).unwrap();
        assert_eq!(evaluator.evaluate(&ciphertext).unwrap(), network.evaluate(&encoded).unwrap());
        let noise = encoded.v[noise.clone()].to_vec();
        let clean = network.encoder().encode_without_noise(data.image(item)).unwrap();
        let added: Vec<i64> = network
            .evaluate(&encoded_with(&clean, &noise))
            .unwrap()
            .iter()
            .zip(network.evaluate(&clean).unwrap())
            .map(|(a, b)| a - b)
            .collect();
        assert_eq!(added, noise, "every output gets its own noise, once");
        drawn.push(noise);
    }
    assert_ne!(drawn[0], drawn[1], "noise is fresh for every encryption of one item");

    let audit = shop.json(
        "audit noisy.safetensors --train data.safetensors --test data.safetensors --main digit --collateral ink \
         --families qda --report report.html",
    );
    let median = audit["noise"]["median"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&median), "{median}");
    let precision = &audit["precision"];
    assert_eq!(precision["outputs"].as_array().map(Vec::len), Some(3));
    assert!(precision["outputs"][0]["noise_bits"].as_f64().unwrap() > 1.0, "{precision}");
    // With noise of a tenth of the deviation nothing worth a warning is left, and without any there is.
    assert!(precision["warning"].is_null(), "{precision}");
    let bare =
        shop.json("compile network.safetensors --data data.safetensors --noise 0 --steps 0 --out bare.safetensors");
    let output = &bare["report"]["outputs"][0];
    assert!(bare["report"]["needed_bits"].is_number() && output["noise_bits"] == 0.0, "{bare}");
    assert!(output["idle_bits"].as_f64().unwrap() > 8.0, "{output}");
    let audit = "audit bare.safetensors --train data.safetensors --test data.safetensors --main digit --collateral ink";
    let said = shop.works(&format!("{audit} --families qda,digits"));
    assert!(said.contains("warning: output ") && said.contains("noise covers 0.0"), "{said}");
    assert!(std::fs::read_to_string(shop.path("report.html")).unwrap().contains("What the noise guarantees"));
}

fn encoded_with(clean: &encoder::Encoded, noise: &[i64]) -> encoder::Encoded {
    let mut encoded = clean.clone();
    let first = encoded.v.len() - noise.len();
    encoded.v[first..].copy_from_slice(noise);
    encoded
}

#[test]
fn outputs_for_other_attackers_and_labels_that_nobody_listed() {
    let shop = Workshop::furnished();
    let audit =
        "audit compiled.safetensors --train data.safetensors --test data.safetensors --main digit --collateral ink";
    shop.works(&format!("{audit} --outputs outputs.safetensors --outputs-only"));
    let bytes = std::fs::read(shop.path("outputs.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let data = Dataset::load(&shop.path("data.safetensors")).unwrap();
    let network = CompiledNetwork::load(&shop.path("compiled.safetensors")).unwrap();
    for split in ["train", "test"] {
        assert_eq!(tensors.tensor(&format!("{split}_outputs")).unwrap().shape(), [data.len(), 4]);
        assert_eq!(tensors.tensor(&format!("{split}_main")).unwrap().shape(), [data.len()]);
    }
    let first = network.evaluate(&network.encoder().encode(data.image(0)).unwrap()).unwrap();
    let stored = tensors.tensor("test_outputs").unwrap().data()[..32].as_chunks::<8>().0.to_vec();
    assert_eq!(stored.into_iter().map(i64::from_le_bytes).collect::<Vec<_>>(), first);

    let full =
        shop.json(&format!("{audit} --families qda,knn-7 --seeds 0,1 --unlisted --growth --reconstruction --controls"));
    let controls = full["controls"]["others"].as_array().unwrap();
    let names: Vec<_> = controls.iter().map(|control| control["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["random network", "raw inputs"]);
    // How much ink there is can be read from pixels, if from anything.
    assert!(controls[1]["highest_pooled"]["advantage"].as_f64().unwrap() > 0.4, "{:?}", controls[1]);
    assert_eq!(full["seeds"], serde_json::json!([0, 1]));
    assert!(full["attackers"][0]["spread"].as_f64().is_some());
    assert!(full["growth"].as_array().unwrap().len() > 1);
    assert!(full["reconstruction"]["median_rank"].as_f64().unwrap() >= 1.0);
    let others = data.columns().iter().filter(|column| !["digit", "ink"].contains(&column.name.as_str())).count();
    assert_eq!(full["attributes"].as_array().map_or(0, Vec::len), others);
}

#[test]
fn a_search_finds_a_front_and_goes_on_where_it_stopped() {
    let shop = Workshop::empty();
    shop.works("dataset draw --count 240 --pairs --seed 1 --out train.safetensors");
    shop.works("dataset draw --count 300 --seed 2 --out test.safetensors");
    shop.works("dataset draw --count 600 --seed 3 --out attack.safetensors");
    let search = |bits: &str| {
        format!(
            "train --search --data train.safetensors --validation test.safetensors --attackers attack.safetensors \
             --collateral font --steps 30 --batch 100 --units 6 --search-outputs 2,3 --search-bits {bits} \
             --search-compile-steps 4 --out found"
        )
    };
    let first = shop.json(&search("3/4/3"));
    assert_eq!(first["points"].as_array().unwrap().len(), 2);
    let network = shop.path("found").join("S2-d6-w30-n0-x3.float.safetensors");
    let trained = std::fs::metadata(&network).unwrap().modified().unwrap();
    let second = shop.json(&search("3/4/3,2/3/3"));
    let points = second["points"].as_array().unwrap();
    assert_eq!(points.len(), 4);
    assert_eq!(points[0]["main_integer"], first["points"][0]["main_integer"]);
    assert!(points.iter().any(|point| point["front"] == true));
    assert!(points.iter().all(|point| point["field_muls"].as_f64().unwrap() > 0.0));
    assert_eq!(
        std::fs::metadata(&network).unwrap().modified().unwrap(),
        trained,
        "trained once for all precisions of equal inputs"
    );
    let page = std::fs::read_to_string(shop.path("found").join("front.html")).unwrap();
    assert!(page.contains("S 3 d 6 2/3/3 bits"));

    let fresh = |seed: u64| {
        shop.works(&format!(
            "train --data train.safetensors --validation test.safetensors --collateral font --fresh --steps 8 --batch 100 \
             --units 6 --seed {seed} --out fresh-{seed}.safetensors"
        ));
        let network = Network::load(&shop.path(&format!("fresh-{seed}.safetensors"))).unwrap();
        network.record().options.fresh.as_ref().map(|fresh| fresh.seed)
    };
    assert!(fresh(1).is_some() && fresh(3) != fresh(2), "other seeds meet other drawings");

    let other = search("3/4/3").replace("--steps 30", "--steps 31");
    shop.refuses(&other, &["other data or options"]);
    shop.refuses(&format!("{} --checkpoint state", search("3/4/3")), &["--checkpoint", "--search"]);
}

#[test]
fn the_papers_studies_and_the_committed_networks_run_from_end_to_end() {
    let shop = Workshop::empty();
    let studies = shop.json("paper --quick --study alpha,integers --out paper");
    let rows = studies["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0]["published"][0], 98.79);
    assert!(rows[2]["field_muls"].as_f64().unwrap() > 0.0);
    assert!(std::fs::read_to_string(shop.path("paper/paper.html")).unwrap().contains("Study: integers"));
    let again = shop.json("paper --quick --study alpha,integers --out paper");
    assert_eq!(again["rows"], studies["rows"], "read from the folder");

    let built = shop.json("paper --quick --networks --out networks");
    assert_eq!(built.as_array().unwrap().len(), 6);
    assert!(built[4]["certificate"]["pooled"]["bound"].is_number(), "{}", built[4]);
    assert!(built[3]["report"]["noise"]["median"].is_number());
    assert!(shop.path("networks/digits-paper.safetensors").exists());
}
