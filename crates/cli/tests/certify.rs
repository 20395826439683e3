//! Certifying a network with noise on data that it never saw, and refusing where no bound would hold.

mod workshop;

use workshop::Workshop;

#[test]
fn a_certificate_on_fresh_data_and_refusals() {
    let shop = Workshop::empty();
    shop.works("dataset import handwriting --out data.safetensors");
    shop.works("dataset split data.safetensors --share 0.6 --balance digit,ink --rest train.safetensors --held fresh.safetensors");
    shop.works(
        "train --data train.safetensors --main digit --collateral ink --defence match --noise 0.1 --outputs 3 --units 8 \
         --steps 60 --batch 120 --out network.safetensors",
    );
    let compile =
        "compile network.safetensors --data train.safetensors --bits 3 --combine-bits 4 --input-bits 3 --steps 40";
    shop.works(&format!("{compile} --out noisy.safetensors"));

    let certify = "certify noisy.safetensors --collateral ink --points 200 --data";
    let certificate = shop.json(&format!("{certify} fresh.safetensors --confidence 90"));
    assert!((certificate["confidence"].as_f64().unwrap() - 0.9).abs() < 1e-12);
    let classes = certificate["classes"].as_array().unwrap();
    assert_eq!(classes.len(), 10);
    for part in classes.iter().chain([&certificate["pooled"]]) {
        let bound = part["bound"].as_f64().unwrap();
        assert!(bound > 50.0 && bound <= 100.0 && part["items"].as_u64().unwrap() > 0, "{part}");
    }
    assert!(certificate["maximal_leakage_bits"].as_f64().unwrap() > 0.0);
    let overall = shop.json(&format!("{certify} fresh.safetensors --confidence 90 --overall"));
    let classes = overall["classes"].as_array().unwrap();
    assert!(classes.len() == 1 && classes[0]["class"] == "all items", "{overall}");
    let tv = overall["pooled"]["total_variation"].as_f64().unwrap();
    assert!((2.0 * overall["pooled"]["bound"].as_f64().unwrap() / 100.0 - 1.0 - tv).abs() < 1e-9, "{overall}");
    let text = shop.works(&format!("{certify} fresh.safetensors --confidence 90"));
    assert!(text.contains("no attacker is right in more than") && text.contains("provided that"), "{text}");

    shop.refuses(&format!("{certify} train.safetensors"), &["train.safetensors", "trained on this data"]);
    shop.works("dataset split fresh.safetensors --share 0.05 --balance digit,ink --held few.safetensors");
    shop.refuses(&format!("{certify} few.safetensors"), &["samples of", "are needed"]);
}

#[test]
fn a_network_without_noise_gets_no_number() {
    let shop = Workshop::furnished();
    let words = ["nothing can be certified without noise under encryption"];
    shop.refuses("certify compiled.safetensors --data data.safetensors --collateral ink", &words);
}
