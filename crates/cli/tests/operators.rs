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
fn a_file_of_callers_says_whom_it_lets_in_and_a_token_what_it_allows() {
    let shop = Workshop::empty();
    let entry = shop.works("token new ops --scopes admin,metrics --days 30 --out ops.token");
    let others = "[[token]]\nname = \"gone\"\nsha256 = \"5e88489885c8b5e5b5f4ad4a3f1a7c8d1f0b4b4c5d6e7f8091a2b3c4d5e6f708\"\n\
        scopes = [\"infer\"]\nexpires = 2020-01-01\n\
        [[issuer]]\nname = \"clinic\"\nissuer = \"https://login.example\"\naudience = \"halflight\"\nkeys = \"clinic.jwks\"\n\
        [[group]]\nname = \"auditors\"\nissuer = \"clinic\"\nclaim = \"groups\"\nvalue = \"audit\"\nscopes = [\"ledger\"]\n";
    std::fs::write(shop.path("tokens.toml"), entry + others).unwrap();
    shop.refuses("token list --tokens tokens.toml", &["keys of issuer 'clinic'", "clinic.jwks"]);
    // The key of RFC 8037, A.1, and a token of RFC 7519 that no key of the set signed.
    let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    std::fs::write(shop.path("clinic.jwks"), keys).unwrap();
    let callers = &shop.json("token list --tokens tokens.toml")["callers"];
    let row = |place: usize| {
        let caller = &callers[place];
        [&caller["name"], &caller["shown_by"], &caller["valid"]].map(|value| value.to_string().replace('"', ""))
    };
    assert_eq!([row(0), row(1)], [["ops", "token", "true"], ["gone", "token", "false"]]);
    assert_eq!(row(2), ["auditors", "group", "true"]);
    let known = shop.json("token check --tokens tokens.toml --token-file ops.token");
    assert_eq!((&known["name"], known["scopes"].to_string().as_str()), (&"ops".into(), r#"["admin","metrics"]"#));
    let forged = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUifQ.";
    std::fs::write(shop.path("forged.jwt"), forged).unwrap();
    shop.refuses("token check --tokens tokens.toml --token-file forged.jwt", &["forged.jwt", "signed by 'none'"]);
    std::fs::write(shop.path("other.token"), "another").unwrap();
    shop.refuses("token check --tokens tokens.toml --token-file other.token", &["not known here"]);
}

#[test]
fn a_collector_that_is_no_address_is_refused_before_anything_starts() {
    let shop = Workshop::empty();
    std::fs::create_dir_all(shop.path("models")).unwrap();
    let refused = shop.run("serve predictor --models models --listen 127.0.0.1:0 --traces collector:4318");
    assert!(
        !refused.status.success()
            && String::from_utf8_lossy(&refused.stderr).contains("not the address of a collector")
    );
}
