//! The README's first command, on a smaller scale.

mod workshop;

use workshop::Workshop;

#[test]
fn the_demo_walks_the_whole_house() {
    let shop = Workshop::empty();
    let demo = shop.json("demo --images 2000 --steps 80 --encrypt 3 --report report.html");
    let networks = demo["networks"].as_array().unwrap();
    let names: Vec<_> = networks.iter().map(|network| network["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["undefended", "defended", "handwriting"]);
    for (network, images) in networks.iter().zip([3, 3, 10]) {
        assert_eq!(network["encrypted"]["images"], images);
        assert_eq!(network["encrypted"]["mismatches"], 0);
        let accuracy = network["main_accuracy_integer"].as_f64().unwrap();
        assert!(accuracy > 50.0, "{network}");
        let strongest = &network["strongest"];
        let [low, accuracy, high] = ["low", "accuracy", "high"].map(|field| strongest[field].as_f64().unwrap());
        assert!(low <= accuracy && accuracy <= high, "{strongest}");
        assert!(strongest["family"].is_string() && strongest["chance"].is_number(), "{strongest}");
    }
    let proved = networks.iter().map(|network| network["certificate"]["pooled"]["bound"].as_f64());
    let proved: Vec<_> = proved.collect();
    assert_eq!((proved[0], proved[2]), (None, None), "without noise nothing is proved");
    let found = networks[1]["strongest"]["accuracy"].as_f64().unwrap();
    assert!(proved[1].is_some_and(|bound| (50.0..100.0).contains(&bound)), "{proved:?}, found {found}");
    let steps = demo["steps"].as_array().unwrap();
    for name in ["draw", "train defended", "compile defended", "audit defended", "certify defended", "issue defended"] {
        assert!(steps.iter().any(|step| step["name"] == name && step["ms"].as_f64() > Some(0.0)), "no step {name}");
    }
    let page = std::fs::read_to_string(shop.path("report.html")).unwrap();
    assert!(page.contains("undefended") && page.contains("<svg") && !page.contains("http-equiv"));

    // A second run would lose the first one's page.
    shop.refuses("demo --images 2000 --report report.html", &["report.html", "exists", "--force"]);
}

/// The key of the demo's authority, as the demo prints it.
fn authority(shop: &Workshop) -> String {
    let grant = std::fs::read(shop.path("served/models/digits/grant.json")).unwrap();
    let grant: serde_json::Value = serde_json::from_slice(&grant).unwrap();
    grant["authority"].as_str().unwrap().to_owned()
}

/// That what was opened is what the network says of the samples, and the owner's own noise, and nothing else.
fn agrees(shop: &Workshop, sent: &serde_json::Value) {
    let network = model::CompiledNetwork::load(&shop.path("served/network.safetensors")).unwrap();
    let data = dataset::Dataset::load(&shop.path("served/samples.safetensors")).unwrap();
    let clear = network.evaluate_all_without_noise(&data).unwrap();
    let noise = model::output_noise(&[&network]).unwrap();
    let results = sent["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for (result, clear) in results.iter().zip(clear.chunks_exact(noise.len())) {
        let output = result["output"].as_array().unwrap();
        assert_eq!(output.len(), clear.len());
        for ((output, clear), noise) in output.iter().zip(clear).zip(&noise) {
            let distance = (output.as_i64().unwrap() - clear).unsigned_abs() as f64;
            let reach = f64::from(noise.deviation) * f64::from(noise.tail) * noise.step.unsigned_abs() as f64;
            assert!(distance <= reach, "{output} is {distance} from {clear}");
        }
    }
}

#[test]
fn the_demo_serves_what_it_trained() {
    let shop = Workshop::empty();
    let serve = "demo --images 2000 --steps 60 --encrypt 1 --serve --folder served --listen 127.0.0.1:0 \
                 --authority-listen 127.0.0.1:0";
    let send = |address: &str| {
        let samples = "--data served/samples.safetensors --items 0..2 --client client";
        shop.json(&format!("encrypt --url {address} --model digits --authority {} {samples}", authority(&shop)))
    };
    let server = shop.serve(serve, "predictor at ");
    assert!(shop.path("served/models/digits/page.json").exists());
    let first = send(&server.address);
    assert_eq!(first["odometer"]["attribute"], "font", "the signed audit reaches the owner");
    agrees(&shop, &first);
    drop(server);
    let ledger = shop.json("authority ledger show --folder served/authority");
    assert_eq!(ledger["entries"][3]["event"]["event"], "key-issued");

    // A second start trains nothing: it would find its page in the way.
    assert!(shop.path("served/report.html").exists() && !shop.path("report.html").exists());
    let again = shop.serve(serve, "predictor at ");
    agrees(&shop, &send(&again.address));
}

#[test]
fn the_demo_serves_the_network_that_comes_with_it() {
    let shop = Workshop::empty();
    let serve = "demo --serve --ready --folder served --listen 127.0.0.1:0 --authority-listen 127.0.0.1:0";
    let server = shop.serve(serve, "predictor at ");
    assert!(!shop.path("served/report.html").exists());
    // The authority beside it knows one caller.
    let token = std::fs::read_to_string(shop.path("served/authority.token")).unwrap();
    let entry = std::fs::read_to_string(shop.path("served/authority-tokens.toml")).unwrap();
    assert!(entry.contains(&service::hash::Hash::of_bytes(token.trim().as_bytes()).to_string()), "{entry}");
    let samples = "--data served/samples.safetensors --items 0..8 --client client";
    let authority = authority(&shop);
    let sent = shop.json(&format!("encrypt --url {} --model digits --authority {authority} {samples}", server.address));
    let data = dataset::Dataset::load(&shop.path("served/samples.safetensors")).unwrap();
    let digits = data.labels("character").unwrap();
    let results = sent["results"].as_array().unwrap();
    let right = results.iter().zip(&digits.values);
    let right = right.filter(|(result, digit)| result["label"] == digits.classes[**digit as usize].as_str()).count();
    assert!(results.len() == 8 && right >= 7, "{sent}");
}
