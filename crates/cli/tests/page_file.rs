//! `halflight page`: what it writes is what a predictor serves beside the network.

mod workshop;

use workshop::Workshop;

#[test]
fn a_page_file_holds_samples_and_outputs_of_the_network() {
    let shop = Workshop::furnished();
    let made = shop.json("page compiled.safetensors --data data.safetensors --collateral ink --out page.json");
    let page: serde_json::Value = serde_json::from_slice(&std::fs::read(shop.path("page.json")).unwrap()).unwrap();
    assert_eq!(page["main"]["name"], "digit");
    assert_eq!(page["collateral"]["name"], "ink");
    assert_eq!(page["cloud"]["outputs"].as_array().unwrap().len() as u64, made["points"].as_u64().unwrap());
    assert_eq!(page["samples"].as_array().unwrap().len() as u64, made["samples"].as_u64().unwrap());
    // The first item is the first of its labels, so that it is a sample; what is encrypted gives the same integers.
    let said = shop.json("predict --key functional.key --network compiled.safetensors ciphertexts/0.ct");
    let samples = page["samples"].as_array().unwrap();
    assert!(samples.iter().any(|sample| sample["output"] == said["results"][0]["output"]), "{said}");

    shop.refuses("page compiled.safetensors --data data.safetensors --collateral ink --out page.json", &["--force"]);
    shop.refuses(
        "page compiled.safetensors --data data.safetensors --collateral colour --out out",
        &["no label `colour`"],
    );
    shop.refuses(
        "page network.safetensors --data data.safetensors --collateral ink --out out",
        &["network.safetensors"],
    );
}
