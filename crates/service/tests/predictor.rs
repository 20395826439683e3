//! The predictor, over real sockets with real ciphertexts.

mod common;

use std::sync::Arc;

use base64::Engine;
use common::{World, get, image, infer, infer_body, loopback, post, predictor, predictor_with, send};
use host::Silent;
use qfe::LogTable;
use serde_json::json;
use service::clock;
use service::envelope::{Destination, Envelope};
use service::grant::GrantFile;
use service::hash::Hash;
use service::ledger::Grant;
use service::predictor::{PredictorOptions, PredictorServer};
use service::signature::SigningKey;
use service::transport::Tokens;

#[test]
fn predictions_are_those_of_the_network_in_the_clear() {
    let world = World::new();
    let address = predictor(&world, |_| ());
    let images: Vec<_> = (0..3).map(image).collect();
    let items: Vec<_> = images.iter().map(|image| world.encrypt(image)).collect();
    let reply = infer(address, "digits", &items);
    assert_eq!(reply.status, 200, "{reply:?}");
    let json = reply.json();
    let expected: Vec<i64> = images.iter().flat_map(|image| world.expected(image)).collect();
    assert_eq!(json["outputs"][0]["data"], json!(expected));
    assert_eq!(json["outputs"][0]["shape"], json!([3, 3]));
    for (item, output) in expected.chunks(3).enumerate() {
        let best = (0..3).max_by_key(|&j| output[j]).unwrap();
        assert_eq!(json["outputs"][2]["data"][item], best.to_string());
    }

    let text = base64::engine::general_purpose::STANDARD.encode(&items[0]);
    let body =
        json!({ "id": "a", "inputs": [{ "name": "ciphertext", "datatype": "BYTES", "shape": [1], "data": [text] }] });
    let reply = post(address, "/v2/models/digits/infer", body.to_string().as_bytes());
    assert_eq!(reply.json()["outputs"][0]["data"], json!(world.expected(&images[0])));
    assert_eq!(reply.json()["id"], "a");
    let body = json!({
        "inputs": [{ "name": "ciphertext", "datatype": "UINT8", "shape": [1, items[0].len()], "data": items[0] }],
        "outputs": [{ "name": "output", "parameters": { "binary_data": true } }],
    });
    let reply = post(address, "/v2/models/digits/infer", body.to_string().as_bytes());
    let end: usize = reply.headers["inference-header-content-length"].parse().unwrap();
    let bytes: Vec<u8> = world.expected(&images[0]).iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(reply.body[end..], bytes);

    let about = get(address, "/v2/models/digits").json();
    let version = about["versions"][0].as_str().unwrap();
    assert_eq!(get(address, &format!("/v2/models/digits/versions/{version}/ready")).status, 200);
    assert_eq!(get(address, "/v2/models/digits/versions/1").status, 404);
    assert!(String::from_utf8(get(address, "/metrics").body).unwrap().contains("halflight_ciphertexts_total"));
}

#[test]
fn what_does_not_fit_is_refused_with_its_status() {
    let world = World::new();
    let address = predictor(&world, |options| options.items = 4);
    let good = world.encrypt(&image(1));
    let other = World::new();
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let cases = [
        (vec![other.encrypt(&image(1))], 422, "public key"),
        (vec![flipped], 400, "cannot be read"),
        (vec![good[..good.len() - 1].to_vec()], 400, "cannot be read"),
        (vec![b"garbage".to_vec()], 400, "cannot be read"),
        (vec![Vec::new()], 400, "cannot be read"),
        (vec![world.public.to_bytes()], 400, "send a ciphertext"),
        (vec![good.clone(), b"garbage".to_vec()], 400, "cannot be read"),
        (vec![good.clone(); 5], 400, "1 to 4 items"),
    ];
    for (items, status, word) in cases {
        let reply = infer(address, "digits", &items);
        assert_eq!(reply.status, status, "{word}: {reply:?}");
        assert!(reply.problem().contains(word), "{word}: {reply:?}");
    }
    assert_eq!(infer(address, "unknown", std::slice::from_ref(&good)).status, 404);
    let reply = post(address, "/v2/models/digits/infer", b"{}");
    assert_eq!(reply.status, 400);
    assert!(reply.json()["error"].is_string());
    assert_eq!(infer(address, "digits", &[good]).status, 200);
}

#[test]
fn envelopes_bind_sender_context_key_and_time() {
    let world = World::new();
    let (sender, stranger) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let model = world.models().join("digits/model.toml");
    let text = format!(
        "require_signature = true\ncontext = \"ward 3\"\nrecipient = \"north\"\nsenders = {{ ward = \"{}\" }}\n",
        sender.verifying_key()
    );
    std::fs::write(model, text).unwrap();
    let address = predictor(&world, |_| ());
    let destination = |network, recipient: &str| Some(Destination { network, recipient: recipient.into() });
    let envelope = |nonce: u8| Envelope {
        suite: qfe::SUITE,
        public_key: world.public_key(),
        nonce: [nonce; 16],
        sent: clock::now(),
        destination: destination(Hash(world.network.hash()), "north"),
        context: "ward 3".into(),
        body: world.encrypt(&image(1)),
        signer: None,
    };
    let ask = |bytes: Vec<u8>| infer(address, "digits", &[bytes]);
    let good = envelope(1).seal(Some(&sender)).unwrap();
    assert_eq!(ask(good.clone()).json()["outputs"][0]["data"], json!(world.expected(&image(1))));
    let mut changed = envelope(2).seal(Some(&sender)).unwrap();
    changed[200] ^= 1;
    let cases = [
        (good, 409, "accepted before"),
        (changed, 403, "signature"),
        (envelope(3).seal(None).unwrap(), 403, "signed envelopes only"),
        (envelope(4).seal(Some(&stranger)).unwrap(), 403, "not known"),
        (world.encrypt(&image(1)), 403, "signed envelopes only"),
        (Envelope { context: "ward 4".into(), ..envelope(5) }.seal(Some(&sender)).unwrap(), 422, "context"),
        (Envelope { public_key: Hash([1; 32]), ..envelope(6) }.seal(Some(&sender)).unwrap(), 422, "public key"),
        (Envelope { sent: clock::now() - 9999, ..envelope(7) }.seal(Some(&sender)).unwrap(), 422, "sent at"),
        (Envelope { suite: 9, ..envelope(8) }.seal(Some(&sender)).unwrap(), 422, "suite"),
        (
            Envelope { destination: destination(Hash([1; 32]), "north"), ..envelope(9) }.seal(Some(&sender)).unwrap(),
            422,
            "model of network",
        ),
        (
            Envelope { destination: destination(Hash(world.network.hash()), "south"), ..envelope(10) }
                .seal(Some(&sender))
                .unwrap(),
            422,
            "another recipient",
        ),
        (Envelope { destination: None, ..envelope(11) }.seal(Some(&sender)).unwrap(), 422, "names no recipient"),
        (b"HLEV garbage".to_vec(), 400, "envelope"),
    ];
    for (bytes, status, word) in cases {
        let reply = ask(bytes);
        assert_eq!((reply.status, reply.problem().contains(word)), (status, true), "{word}: {reply:?}");
    }
}

#[test]
fn an_expired_grant_closes_the_model() {
    let world = World::new();
    let grant = |expires| Grant {
        project: "p".into(),
        epoch: 1,
        public_key: world.public_key(),
        network: Hash(world.network.hash()),
        holder: "h".into(),
        rank: 3,
        bits: 30.0,
        expires: Some(expires),
        approved_by: Vec::new(),
        policy: Hash([0; 32]),
        by: "b".into(),
        part: None,
    };
    let authority = SigningKey::generate().unwrap();
    let path = world.models().join("digits/grant.json");
    let write = |expires| {
        let file = GrantFile::sign(grant(expires), 1, Hash([0; 32]), &authority);
        std::fs::write(&path, file.to_bytes()).unwrap();
    };
    write(clock::now() - 1);
    let address = predictor(&world, |_| ());
    let reply = infer(address, "digits", &[world.encrypt(&image(1))]);
    assert_eq!(reply.status, 410);
    assert!(reply.problem().contains("expired"));
    write(clock::now() + 1000);
    let renewed = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        get(address, "/v2/models/digits/ready").status == 200
    });
    assert!(renewed, "the new grant is taken up while the server runs");
}

#[test]
fn models_come_change_and_go_while_the_server_runs() {
    let world = World::new();
    let address = predictor(&world, |_| ());
    let until = |path: &str, status: u16| {
        (0..200).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(25));
            get(address, path).status == status
        })
    };
    world.add_model("second");
    assert!(until("/v2/models/second/ready", 200));
    std::fs::write(world.models().join("second/functional.key"), b"damaged").unwrap();
    let reason = (0..200).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(25));
        let index = post(address, "/v2/repository/index", b"{}").json();
        let second = index.as_array().unwrap().iter().find(|model| model["name"] == "second")?.clone();
        (second["reason"] != "").then_some(second)
    });
    let second = reason.expect("the damaged key is noticed");
    assert_eq!(second["state"], "READY", "the old one goes on");
    std::fs::remove_dir_all(world.models().join("second")).unwrap();
    assert!(until("/v2/models/second/ready", 404));
    assert_eq!(post(address, "/v2/repository/models/digits/unload", b"").status, 200);
    assert_eq!(get(address, "/v2/models/digits/ready").status, 404);
    assert_eq!(get(address, "/v2/health/ready").status, 503);
    assert_eq!(post(address, "/v2/repository/models/digits/load", b"").status, 200);
    assert_eq!(get(address, "/v2/models/digits/ready").status, 200);
}

/// Callers without a token were told where the folders of this machine are.
#[test]
fn paths_in_the_index_are_for_administrators() {
    let world = World::new();
    let path = world.folder.path().join("tokens.toml");
    let entry = |name: &str, scope: &str| {
        let hash = Hash::of_bytes(name.as_bytes());
        format!("[[token]]\nname = \"{name}\"\nsha256 = \"{hash}\"\nscopes = [\"{scope}\"]\n")
    };
    std::fs::write(&path, entry("ops", "admin") + &entry("ward", "infer")).unwrap();
    std::fs::write(world.models().join("digits/functional.key"), b"damaged").unwrap();
    let address = predictor_with(&world, Tokens::load(&path).unwrap(), loopback(), |_| ());
    let reason = |token: Option<&str>| {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|bearer| ("Authorization", bearer.as_str())).collect();
        let index = send(address, "POST", "/v2/repository/index", &headers, b"{}").json();
        index[0]["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(reason(None), "failed to load");
    assert_eq!(reason(Some("ward")), "failed to load");
    assert!(reason(Some("ops")).contains("functional.key"), "{}", reason(Some("ops")));
}

/// A model that takes unsigned envelopes said that it takes signed ones only.
#[test]
fn a_bare_ciphertext_is_told_what_is_demanded() {
    for (demand, word) in [("context = \"ward 3\"", "with its context"), ("recipient = \"north\"", "recipient")] {
        let world = World::new();
        std::fs::write(world.models().join("digits/model.toml"), demand).unwrap();
        let reply = infer(predictor(&world, |_| ()), "digits", &[world.encrypt(&image(1))]);
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(reply.status == 403 && error.contains(word) && !error.contains("signed"), "{error}");
    }
}

/// Options that became stricter, with a slip of the pen, left the looser ones in use.
#[test]
fn options_that_cannot_be_read_stop_the_model() {
    let world = World::new();
    let address = predictor(&world, |_| ());
    let until = |status: u16| {
        (0..200).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(25));
            get(address, "/v2/models/digits/ready").status == status
        })
    };
    assert!(until(200));
    let options = world.models().join("digits/model.toml");
    std::fs::write(&options, "require_signatur = true\n").unwrap();
    assert!(until(404), "the model goes on under the options of before");
    std::fs::remove_file(&options).unwrap();
    assert!(until(200));
    // Through a link: noticed when they change, and not taken for none when they are gone.
    let kept = world.models().join("kept.toml");
    std::fs::write(&kept, "").unwrap();
    std::os::unix::fs::symlink(&kept, &options).unwrap();
    std::fs::write(&kept, "require_signatur = true\n").unwrap();
    assert!(until(404));
    std::fs::write(&kept, "").unwrap();
    assert!(until(200));
    std::fs::remove_file(&kept).unwrap();
    assert!(until(404), "a link that leads nowhere counts as no options");
    std::fs::remove_file(&options).unwrap();
    assert!(until(200));
    // Other options beside a damaged key: the old model would not obey them.
    std::fs::write(world.models().join("digits/functional.key"), b"damaged").unwrap();
    std::fs::write(&options, "context = \"here\"\n").unwrap();
    assert!(until(404));
}

/// A server over a folder that does not exist listened, and logged without end.
#[test]
fn a_missing_folder_of_models_is_an_error_at_the_start() {
    let world = World::new();
    let options = PredictorOptions::over(world.models().join("nowhere"));
    let table = Arc::new(LogTable::build(12, &Silent).unwrap());
    let error = PredictorServer::start(options, Tokens::default(), table).err().expect("no folder, no server");
    assert!(error.to_string().contains("nowhere: the folder of models cannot be read"), "{error}");
}

#[test]
fn a_full_queue_turns_away_and_says_when_to_come_back() {
    let world = World::new();
    let address = predictor(&world, |options| (options.workers, options.queue, options.items) = (1, 2, 4));
    let reply = infer(address, "digits", &vec![world.encrypt(&image(1)); 3]);
    assert_eq!(reply.status, 413);
    let item = world.encrypt(&image(1));
    let statuses: Vec<(u16, bool)> = std::thread::scope(|scope| {
        let ask = || {
            let reply = infer(address, "digits", &[item.clone(), item.clone()]);
            (reply.status, reply.headers.contains_key("retry-after"))
        };
        let threads: Vec<_> = (0..12).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(statuses.iter().any(|(status, _)| *status == 200), "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, (200, false) | (503, true))), "{statuses:?}");
    assert_eq!(infer(address, "digits", &[item]).status, 200);
}

#[test]
fn every_documented_address_answers() {
    let world = World::new();
    let address = predictor(&world, |_| ());
    let document = get(address, "/openapi.json").json();
    let (body, length) = infer_body(&[world.encrypt(&image(1))]);
    let version = get(address, "/v2/models/digits").json()["versions"][0].as_str().unwrap().to_owned();
    for (path, operations) in document["paths"].as_object().unwrap() {
        // No audit and no page.json are kept here, and unloading would end the other requests.
        if ["/audit", "/page", "/unload"].iter().any(|end| path.ends_with(end)) {
            continue;
        }
        let concrete = path.replace("{model}", "digits").replace("{version}", &version);
        for (method, operation) in operations.as_object().unwrap() {
            let headers = [("inference-header-content-length", length.as_str())];
            let (headers, body): (&[_], &[u8]) = if path.ends_with("/infer") { (&headers, &body) } else { (&[], b"") };
            let reply = send(address, &method.to_uppercase(), &concrete, headers, body);
            assert_eq!(reply.status, 200, "{method} {path}: {reply:?}");
            assert!(operation["responses"]["200"].is_object());
        }
    }
    assert!(send(address, "DELETE", "/v2", &[], b"").problem().contains("method"));
}
