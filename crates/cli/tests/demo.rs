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
    let steps = demo["steps"].as_array().unwrap();
    for name in ["draw", "train defended", "compile defended", "audit defended", "issue defended"] {
        assert!(steps.iter().any(|step| step["name"] == name && step["ms"].as_f64() > Some(0.0)), "no step {name}");
    }
    let page = std::fs::read_to_string(shop.path("report.html")).unwrap();
    assert!(page.contains("undefended") && page.contains("<svg") && !page.contains("http-equiv"));

    // A second run would lose the first one's page.
    shop.refuses("demo --images 2000 --report report.html", &["report.html", "exists", "--force"]);
}
