//! The predictor as a process: a ciphertext file sent over HTTP gives what `halflight predict` gives.

mod workshop;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use workshop::Workshop;

#[test]
fn a_predictor_answers_for_a_ciphertext_file() {
    let shop = Workshop::furnished();
    std::fs::create_dir_all(shop.path("models/digits")).unwrap();
    std::fs::copy(shop.path("compiled.safetensors"), shop.path("models/digits/network.safetensors")).unwrap();
    std::fs::copy(shop.path("functional.key"), shop.path("models/digits/functional.key")).unwrap();
    let expected =
        &shop.json("predict --key functional.key --network compiled.safetensors ciphertexts/0.ct")["results"][0];

    let server =
        shop.serve("serve predictor --models models --listen 127.0.0.1:0 --table-bits 18", "predictor at http://");
    let address = &server.address;

    let ciphertext = std::fs::read(shop.path("ciphertexts/0.ct")).unwrap();
    let head = serde_json::json!({ "inputs": [{
        "name": "ciphertext", "shape": [1], "datatype": "BYTES",
        "parameters": { "binary_data_size": ciphertext.len() + 4 },
    }]})
    .to_string();
    let mut body = head.clone().into_bytes();
    body.extend((ciphertext.len() as u32).to_le_bytes());
    body.extend(ciphertext);
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /v2/models/digits/infer HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         inference-header-content-length: {}\r\ncontent-type: application/octet-stream\r\ncontent-length: {}\r\n\r\n",
        head.len(),
        body.len()
    )
    .unwrap();
    stream.write_all(&body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();

    let (status, rest) = answer.split_once("\r\n").unwrap();
    assert!(status.contains("200"), "{answer}");
    let json: serde_json::Value = serde_json::from_str(rest.split_once("\r\n\r\n").unwrap().1).unwrap();
    let output = json["outputs"].as_array().unwrap().iter().find(|tensor| tensor["name"] == "output").unwrap();
    assert_eq!(output["data"], expected["output"], "{json}");
}

#[test]
fn an_owner_sends_is_warned_and_stopped() {
    let shop = Workshop::furnished();
    let issued = shop
        .json("authority issue --folder authority --network compiled.safetensors --holder ward --model models/digits");
    let server = shop.serve("serve predictor --models models --listen 127.0.0.1:0 --table-bits 18", "predictor at ");
    let send = format!("encrypt --url {} --model digits --data data.safetensors --client client", server.address);
    let pin = issued["pin"].as_str().unwrap();
    let sent = shop.json(&format!("{send} --items 0..3 --pin {pin} --warn-items 4 --most-items 5"));
    assert_eq!((&sent["odometer"]["items"], &sent["odometer"]["warn"]), (&3.into(), &false.into()));
    assert_eq!((sent["pin"].as_str(), &sent["public_key"]), (Some(pin), &issued["public_key"]));
    let local = shop.json(
        "predict --key functional.key --network compiled.safetensors ciphertexts/0.ct ciphertexts/1.ct ciphertexts/2.ct",
    );
    for (there, here) in sent["results"].as_array().unwrap().iter().zip(local["results"].as_array().unwrap()) {
        assert_eq!((&there["output"], &there["label"]), (&here["output"], &here["label"]));
    }

    let warned = shop.run(&format!("{send} --items 0..2 --warn-items 4 --most-items 5"));
    assert!(warned.status.success());
    let said = String::from_utf8(warned.stderr).unwrap();
    assert!(said.contains("warning: 5 items"), "{said}");
    shop.refuses(&format!("{send} --items 0 --most-items 5"), &["5 items were sent", "limit of 5", "nothing was sent"]);
    // Another subject, another count.
    let other = shop.json(&format!("{send} --items 0 --most-items 5 --subject anna"));
    assert_eq!(other["odometer"]["items"], 1);

    let wrong = "0".repeat(64);
    shop.refuses(&format!("{send} --items 0 --pin {wrong}"), &[&wrong, "ask the authority"]);
    shop.refuses(&format!("{send} --items 0 --model nothing").replace("--model digits ", ""), &["404"]);
    shop.refuses("encrypt --url http://example.org --model m --data data.safetensors", &["example.org", "https"]);
    shop.refuses(&format!("{send} --out somewhere"), &["--out", "cannot be used with"]);
    shop.refuses("encrypt --data data.safetensors", &["--parameters"]);
}

#[test]
fn only_signed_envelopes_of_a_known_sender() {
    let shop = Workshop::furnished();
    let issued = shop.json("authority issue --folder authority --network compiled.safetensors --model models/digits");
    let authority = issued["authority"].as_str().unwrap();
    let sender = shop.json("keygen --out ward.key")["public"].as_str().unwrap().to_owned();
    shop.works("keygen --out stranger.key");
    let options = format!("require_signature = true\ncontext = \"intake\"\nsenders = {{ ward = \"{sender}\" }}\n");
    std::fs::write(shop.path("models/digits/model.toml"), options).unwrap();
    let server = shop.serve("serve predictor --models models --listen 127.0.0.1:0 --table-bits 18", "predictor at ");
    let send =
        format!("encrypt --url {} --model digits --data data.safetensors --items 1 --client client", server.address);
    // At first only the predictor vouches for them; another authority does not count either.
    let trusting = format!("{send} --sign ward.key --context intake");
    shop.refuses(&trusting, &["nothing authenticates", "ask the authority"]);
    shop.refuses(&format!("{trusting} --authority {sender}"), &["signed them, not", &sender]);
    let send = format!("{send} --authority {authority}");
    let sent = shop.json(&format!("{send} --sign ward.key --context intake"));
    assert_eq!(sent["results"][0]["item"], 1);
    for (with, word) in [("", "signed envelopes only"), ("--sign stranger.key", "not known")] {
        let refused = shop.run(&format!("{send} --context intake {with}"));
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(!refused.status.success() && said.contains("403") && said.contains(word), "{said}");
    }
}

/// On loopback without tokens an authority obeyed everybody.
#[test]
fn an_authority_knows_its_callers() {
    let shop = Workshop::furnished();
    shop.refuses("serve authority --folder authority", &["--tokens", "keygen --token NAME", "[[certificate]]"]);
    shop.refuses("keygen --token ops --out ops.token", &["--scopes"]);
    shop.refuses("keygen --token ops --scopes everything --out ops.token", &["everything", "issue"]);
    shop.refuses("keygen --token ops --scopes admin --days 0 --out ops.token", &["--days is 0", "--no-expiry"]);
    shop.refuses("keygen --days 30 --out ops.key", &["--token"]);
    let lasting = shop.works("keygen --token scraper --scopes metrics --no-expiry --out scraper.token");
    assert!(!lasting.contains("expires"), "{lasting}");
    let entry = shop.works("keygen --token ops --scopes admin,ledger --out ops.token");
    assert!(entry.contains("expires = 20"), "as `token new`: {entry}");
    std::fs::write(shop.path("tokens.toml"), entry).unwrap();
    let token = std::fs::read_to_string(shop.path("ops.token")).unwrap();
    let server = shop.serve(
        "serve authority --folder authority --tokens tokens.toml --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0",
        "authority at http://",
    );
    let ask = |more: &str| {
        let address = &server.address;
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!("GET /v1/projects HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{more}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(ask("").contains("401"));
    let known = ask(&format!("authorization: Bearer {}\r\n", token.trim()));
    assert!(known.contains("200 OK") && known.contains("\"name\":\"main\""), "{known}");
}

#[test]
fn a_predictor_under_load_gives_predictions_or_a_time_to_come_back() {
    let shop = Workshop::furnished();
    let python = std::env::var("HALFLIGHT_PYTHON").unwrap_or_else(|_| "python3".into());
    let stock = Command::new(&python).args(["-c", "import tritonclient.http, tritonclient.grpc"]).output();
    let stock = stock.is_ok_and(|output| output.status.success());
    let more = if stock { " --triton 2" } else { "" };
    let command = "bench --load compiled.safetensors --data data.safetensors --seconds 2 --crowd 160";
    let report = shop.json(&format!("{command}{more}"));
    assert_eq!(report["clean"], true, "{report}");
    if stock {
        for protocol in ["rest", "grpc"] {
            let phase = &report["triton"][protocol];
            assert!(phase["answered"].as_u64() > Some(0) && phase["clients"] == 2, "{report}");
            assert!(phase["efficiency"].as_f64() > Some(0.0) && phase["p99_ms"].as_f64() > Some(0.0), "{report}");
            assert!(phase["of_remaining"].as_f64() >= phase["of_capacity"].as_f64(), "{report}");
        }
        assert!(report["triton"]["grpc_to_rest"].as_f64() > Some(0.0), "{report}");
    } else {
        println!("skipped: {python} has no tritonclient");
    }
    let [steady, crowd] = [&report["steady"], &report["crowd"]];
    assert!(steady["answered"].as_u64() > Some(0) && crowd["answered"].as_u64() > Some(0), "{report}");
    for phase in [steady, crowd] {
        assert!(phase["health"]["asked"].as_u64() > Some(0), "{report}");
        assert!(phase["health"]["worst_ms"].as_f64() >= phase["health"]["p99_ms"].as_f64(), "{report}");
    }
    assert!(report["crowd_to_steady"].as_f64() > Some(0.0), "{report}");
    let overload = &report["overload"];
    assert!(overload["goodput"].as_f64() > Some(0.0) && overload["factor"] == 4.0, "{report}");
    assert!(overload["turned_away"].as_u64().is_some() && overload["health"]["failed"] == 0, "{report}");
    assert!(crowd["p99_ms"].as_f64() >= crowd["p50_ms"].as_f64() && report["capacity"].as_f64() > Some(0.0));
    shop.refuses("bench --load compiled.safetensors", &["--data"]);
}
