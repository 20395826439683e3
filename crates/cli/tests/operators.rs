//! What operators ask the command: who holds keys, whether a server answers, for tokens.

mod workshop;

use workshop::Workshop;

#[test]
fn the_ledger_says_who_holds_valid_keys() {
    let shop = Workshop::furnished();
    let issue = |holder: &str, out: &str| {
        shop.works(&format!(
            "authority issue --folder authority --network compiled.safetensors --holder {holder} --out {out}"
        ));
    };
    issue("ward-3", "3.key");
    issue("ward-4", "4.key");
    let holders = |arguments: &str| -> Vec<(String, bool)> {
        let keys = shop.json(&format!("authority keys --folder authority {arguments}"));
        let key = |key: &serde_json::Value| {
            (
                key["holder"].as_str().unwrap().to_owned(),
                key["current"].as_bool().unwrap() && key["valid"].as_bool().unwrap(),
            )
        };
        keys["keys"].as_array().unwrap().iter().map(key).collect()
    };
    let named = |holders: &[(String, bool)], name: &str| holders.iter().filter(|(holder, _)| holder == name).count();
    let valid = holders("");
    assert!(valid.len() == 3 && named(&valid, "ward-3") == 1 && valid.iter().all(|(_, valid)| *valid), "{valid:?}");
    // A renewal is no second key.
    issue("ward-3", "again.key");
    assert_eq!(holders("").len(), 3);
    shop.works("authority rotate --folder authority --reason test");
    assert!(holders("").is_empty());
    let all = holders("--all");
    assert!(all.len() == 3 && all.iter().all(|(_, valid)| !valid), "{all:?}");
    let refused = shop.run("authority keys --folder authority --project none");
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("no such project"));
}

#[test]
fn a_probe_needs_no_token_and_tells_living_from_ready() {
    let shop = Workshop::furnished();
    std::fs::create_dir_all(shop.path("models")).unwrap();
    let entry = shop.json("token new ops --scopes admin,metrics --days 30 --out ops.token");
    assert!(entry["entry"].as_str().unwrap().contains("expires = 20"), "{entry}");
    std::fs::write(shop.path("tokens.toml"), entry["entry"].as_str().unwrap()).unwrap();
    let again = shop.run("token new ops --scopes admin --out ops.token");
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("exists"));
    let serve = "serve predictor --models models --listen 127.0.0.1:0 --table-bits 18 --tokens tokens.toml --log-json";
    let server = shop.serve(serve, "predictor at http://");
    let url = format!("http://{}", server.address);
    let health = shop.json(&format!("health {url}"));
    assert_eq!(health["health"]["status"], "ok");
    let unready = shop.run(&format!("health {url} --ready"));
    assert!(!unready.status.success() && String::from_utf8_lossy(&unready.stderr).contains("no model is ready"));
    drop(server);
    assert!(!shop.run(&format!("health {url} --patience 1")).status.success());
}

#[test]
fn a_collector_that_is_no_address_is_refused_before_anything_starts() {
    let shop = Workshop::empty();
    std::fs::create_dir_all(shop.path("models")).unwrap();
    let refused = shop.run("serve predictor --models models --listen 127.0.0.1:0 --traces collector:4318");
    assert!(
        !refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("not the address of a collector")
    );
}
