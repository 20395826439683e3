//! The predictor, over real sockets with real ciphertexts.

mod common;

use std::path::Path;
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
use service::owner::{Connection, ConnectionOptions, Limits, OwnerClient, OwnerClientError, OwnerOptions};
use service::parameters::{Parameters, ParametersSignature, Purpose};
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
        (good, 409, "taken before"),
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
fn owners_pin_count_and_stop() {
    let world = World::new();
    let address = predictor(&world, |_| ());
    let home = tempfile::tempdir().unwrap();
    let connect = |pin: Option<Hash>, limits: Limits| {
        let url = format!("http://{address}");
        let connection = Connection::new(ConnectionOptions { url, ..ConnectionOptions::default() }).unwrap();
        let options = OwnerOptions { model: "digits".into(), pin, limits, ..OwnerOptions::default() };
        OwnerClient::connect(connection, options, home.path(), None, &host::Silent)
    };
    let limits = Limits { warn_items: Some(2), most_items: Some(3), most_accuracy: None };
    // The predictor's word alone was once enough for the first time.
    let Err(OwnerClientError::Untrusted { found }) = connect(None, limits.clone()) else { panic!("trusted") };
    assert!(matches!(connect(Some(Hash([1; 32])), limits.clone()), Err(OwnerClientError::Parameters(_))));
    connect(Some(found), limits.clone()).unwrap();
    let owner = connect(None, limits.clone()).unwrap();
    let (answers, reading) = owner.predict(&[&image(1), &image(2)]).unwrap();
    assert_eq!(answers[1].output, world.expected(&image(2)));
    assert_eq!((reading.items, reading.warn), (2, true));
    assert!(matches!(owner.predict(&[&image(1), &image(2)]), Err(OwnerClientError::Odometer(_))));
    let pin = owner.parameters().pin();
    assert!(connect(Some(pin), limits.clone()).is_ok());
    assert!(matches!(connect(Some(Hash([1; 32])), limits.clone()), Err(OwnerClientError::Parameters(_))));

    // The server swaps the key: whoever was there before notices.
    let other = World::new();
    for file in ["functional.key", "public.key", "network.safetensors"] {
        std::fs::copy(other.models().join("digits").join(file), world.models().join("digits").join(file)).unwrap();
    }
    assert_eq!(post(address, "/v2/repository/models/digits/load", b"").status, 200);
    assert!(matches!(connect(None, limits), Err(OwnerClientError::Parameters(_))));
}

/// Parameters that the authority signed are taken from any predictor, and no others.
#[test]
fn owners_trust_what_the_authority_signed() {
    let world = World::new();
    let model = world.models().join("digits");
    let (authority, stranger) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let network = &world.network;
    let hash = Hash(network.hash());
    let parameters = |outputs| {
        let encoder = network.encoder().clone();
        Parameters::new(world.public_key(), hash, outputs, network.classes().to_vec(), encoder)
    };
    let grant = |signed: Option<(&Parameters, &SigningKey)>| {
        let grant = Grant {
            project: "p".into(),
            epoch: 1,
            public_key: world.public_key(),
            network: hash,
            holder: "h".into(),
            rank: 3,
            bits: 1.0,
            expires: None,
            approved_by: vec![],
            policy: Hash([0; 32]),
            by: "test".into(),
            part: None,
        };
        let file = GrantFile::sign(grant, 1, Hash([0; 32]), &authority);
        let file = signed.map_or(file.clone(), |(parameters, key)| file.with_parameters(parameters, clock::now(), key));
        std::fs::write(model.join("grant.json"), file.to_bytes()).unwrap();
    };
    let right = parameters(network.outputs());
    grant(Some((&right, &authority)));
    let address = predictor(&world, |_| ());
    let connect = |folder: &Path| {
        let url = format!("http://{address}");
        let connection = Connection::new(ConnectionOptions { url, ..ConnectionOptions::default() }).unwrap();
        let authority = Some(authority.verifying_key());
        let options = OwnerOptions { model: "digits".into(), authority, ..OwnerOptions::default() };
        OwnerClient::connect(connection, options, folder, None, &host::Silent)
    };
    let home = tempfile::tempdir().unwrap();
    let owner = connect(home.path()).unwrap();
    assert_eq!(owner.parameters(), &right);
    assert_eq!(owner.predict(&[&image(1)]).unwrap().0[0].output, world.expected(&image(1)));
    // No signature, another authority's, and one of other parameters.
    for signed in [None, Some((&right, &stranger)), Some((&parameters(1), &authority))] {
        grant(signed);
        assert_eq!(post(address, "/v2/repository/models/digits/load", b"").status, 200);
        let home = tempfile::tempdir().unwrap();
        assert!(matches!(connect(home.path()), Err(OwnerClientError::Unsigned { .. })));
    }
}

/// After a rotation a predictor went on serving the old parameters under the authority's old signature.
#[test]
fn owners_refuse_parameters_of_an_old_epoch_and_of_another_project() {
    let world = World::new();
    let model = world.models().join("digits");
    let authority = SigningKey::generate().unwrap();
    let (network, hash) = (&world.network, Hash(world.network.hash()));
    let (outputs, classes, encoder) = (network.outputs(), network.classes().to_vec(), network.encoder().clone());
    let parameters = Parameters::new(world.public_key(), hash, outputs, classes, encoder);
    let grant = |project: &str, epoch| {
        let grant = Grant {
            project: project.into(),
            epoch,
            public_key: world.public_key(),
            network: hash,
            holder: "h".into(),
            rank: 3,
            bits: 1.0,
            expires: None,
            approved_by: vec![],
            policy: Hash([0; 32]),
            by: "test".into(),
            part: None,
        };
        GrantFile::sign(grant, 1, Hash([0; 32]), &authority)
            .with_parameters(&parameters, clock::now(), &authority)
            .to_bytes()
    };
    std::fs::write(model.join("grant.json"), grant("p", 1)).unwrap();
    let address = predictor(&world, |_| ());
    let serve = |grant: &[u8]| {
        std::fs::write(model.join("grant.json"), grant).unwrap();
        assert_eq!(post(address, "/v2/repository/models/digits/load", b"").status, 200);
    };
    let connect = |folder: &Path, project: Option<&str>| {
        let url = format!("http://{address}");
        let connection = Connection::new(ConnectionOptions { url, ..ConnectionOptions::default() }).unwrap();
        let (authority, project) = (Some(authority.verifying_key()), project.map(str::to_owned));
        let options = OwnerOptions { model: "digits".into(), authority, project, ..OwnerOptions::default() };
        OwnerClient::connect(connection, options, folder, None, &host::Silent).map(drop)
    };
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let old = grant("p", 1);
    for current in [old.clone(), grant("p", 2), grant("p", 2)] {
        serve(&current);
        connect(home, None).unwrap();
    }
    // The old statement again, whose signature holds.
    serve(&old);
    let refused = connect(home, None);
    assert!(matches!(refused, Err(OwnerClientError::Old { .. })), "{refused:?}");
    assert!(refused.unwrap_err().to_string().contains("epoch 1, and epoch 2 was accepted before"));
    // Of a project that is not meant: by what was accepted, and by name.
    serve(&grant("q", 7));
    assert!(matches!(connect(home, None), Err(OwnerClientError::Project { .. })));
    assert!(matches!(connect(home, Some("p")), Err(OwnerClientError::Project { .. })));
    connect(home, Some("q")).unwrap();
    // The epochs of one project say nothing about another.
    serve(&grant("p", 2));
    connect(home, Some("p")).unwrap();

    // A statement of version 1, which names neither.
    let mut first: serde_json::Value = serde_json::from_slice(&grant("p", 2)).unwrap();
    let signature = authority.sign("halflight public parameters v1", &[&parameters.pin().0]);
    let digits: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    first["parameters"] = format!("{}/{digits}", authority.verifying_key()).into();
    serve(first.to_string().as_bytes());
    let refused = connect(tempfile::tempdir().unwrap().path(), None);
    let Err(OwnerClientError::Unsigned { problem }) = refused else { panic!("{refused:?}") };
    assert!(problem.contains("version 1"), "{problem}");
}

/// Within an epoch a predictor could go back to a network that another one had replaced.
#[test]
fn owners_refuse_other_parameters_that_were_signed_before_those_they_know() {
    let world = World::new();
    let authority = SigningKey::generate().unwrap();
    let model = world.models().join("digits");
    let (other, _) = common::network(world.folder.path(), 8, 3);
    let now = clock::now();
    // The model is this network, signed at this time.
    let serve = |network: &model::CompiledNetwork, date: i64| {
        network.save(&model.join("network.safetensors")).unwrap();
        let key = world.master.issue(network.map()).unwrap();
        std::fs::write(model.join("functional.key"), key.to_bytes()).unwrap();
        let (hash, encoder) = (Hash(network.hash()), network.encoder().clone());
        let classes = network.classes().to_vec();
        let parameters = Parameters::new(world.public_key(), hash, network.outputs(), classes, encoder);
        let grant = Grant {
            project: "p".into(),
            epoch: 1,
            public_key: world.public_key(),
            network: hash,
            holder: "h".into(),
            rank: 3,
            bits: 1.0,
            expires: None,
            approved_by: vec![],
            policy: Hash([0; 32]),
            by: "test".into(),
            part: None,
        };
        let mut grant = GrantFile::sign(grant, 1, Hash([0; 32]), &authority);
        let purpose = Purpose { project: "p".into(), epoch: 1, date };
        grant.parameters = Some(ParametersSignature::sign(&parameters, purpose, &authority));
        std::fs::write(model.join("grant.json"), grant.to_bytes()).unwrap();
    };
    serve(&world.network, now);
    let address = predictor(&world, |_| ());
    let home = tempfile::tempdir().unwrap();
    let connect = || {
        assert_eq!(post(address, "/v2/repository/models/digits/load", b"").status, 200);
        let url = format!("http://{address}");
        let connection = Connection::new(ConnectionOptions { url, ..ConnectionOptions::default() }).unwrap();
        let authority = Some(authority.verifying_key());
        let options = OwnerOptions { model: "digits".into(), authority, ..OwnerOptions::default() };
        OwnerClient::connect(connection, options, home.path(), None, &host::Silent).map(drop)
    };
    connect().unwrap();
    serve(&other, now - 10);
    let refused = connect();
    assert!(matches!(refused, Err(OwnerClientError::Old { .. })), "{refused:?}");
    // The same ones again, signed earlier, are those that are known; and what is newer is taken.
    serve(&world.network, now - 10);
    connect().unwrap();
    serve(&other, now - 5);
    assert!(matches!(connect(), Err(OwnerClientError::Old { .. })));
    serve(&other, now + 1);
    connect().unwrap();
}

/// Ten items for a server that takes four at a time were charged and not sent.
#[test]
fn owners_send_what_the_server_takes_and_count_what_they_send() {
    let world = World::new();
    let address = predictor(&world, |options| options.items = 4);
    let home = tempfile::tempdir().unwrap();
    let connection = || {
        let url = format!("http://{address}");
        Connection::new(ConnectionOptions { url, ..ConnectionOptions::default() }).unwrap()
    };
    let bytes = connection().get(&["v1", "models", "digits", "parameters"], 1 << 20).unwrap();
    let limits = Limits { most_items: Some(12), ..Limits::default() };
    let options =
        OwnerOptions { model: "digits".into(), pin: Some(Hash::of_bytes(&bytes)), limits, ..OwnerOptions::default() };
    let owner = OwnerClient::connect(connection(), options, home.path(), None, &host::Silent).unwrap();
    let images: Vec<Vec<u8>> = (0..10).map(image).collect();
    let images: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
    let (answers, reading) = owner.predict(&images).unwrap();
    assert_eq!(answers.len(), 10);
    assert!(answers.iter().zip(&images).all(|(answer, image)| answer.output == world.expected(image)));
    assert_eq!(reading.items, 10);
    // Three would be one too many: none leaves, none counts.
    assert!(matches!(owner.predict(&images[..3]), Err(OwnerClientError::Odometer(_))));
    assert_eq!(owner.predict(&images[..2]).unwrap().1.items, 12);
}

#[test]
fn owners_wait_for_a_busy_server() {
    let world = World::new();
    let path = world.folder.path().join("tokens.toml");
    let hash = Hash::of_bytes(b"few");
    let text =
        format!("[[token]]\nname = \"few\"\nsha256 = \"{hash}\"\nscopes = [\"infer\"]\nrequests_per_minute = 60\n");
    std::fs::write(&path, text).unwrap();
    let address = predictor_with(&world, Tokens::load(&path).unwrap(), loopback(), |_| ());
    let options =
        ConnectionOptions { url: format!("http://{address}"), token: Some("few".into()), ..Default::default() };
    let connection = || Connection::new(options.clone()).unwrap();
    let bytes = connection().get(&["v1", "models", "digits", "parameters"], 1 << 20).unwrap();
    let owner = OwnerOptions { model: "digits".into(), pin: Some(Hash::of_bytes(&bytes)), ..OwnerOptions::default() };
    let home = tempfile::tempdir().unwrap();
    let owner = OwnerClient::connect(connection(), owner, home.path(), None, &host::Silent).unwrap();
    // Until the token has spent what it has for this minute; one request comes back each second.
    while connection().get(&["health"], 1 << 10).is_ok() {}
    let (answers, reading) = owner.predict(&[&image(1)]).unwrap();
    assert_eq!((answers[0].output.clone(), reading.items), (world.expected(&image(1)), 1));
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
