//! Several versions of one model side by side, and what stock clients ask besides predictions.

mod common;

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use common::{World, get, image, infer, infer_body, predictor, send};
use qfe::Encryptor;
use serde_json::{Value, json};

/// Another public key for the network of a world, and its functional key in a folder of the model.
fn rotated(world: &World, version: &str) -> Encryptor {
    let (n, m) = world.network.inputs();
    let (master, public) = qfe::setup(n, m, &mut rand::rng()).unwrap();
    let folder = world.models().join("digits").join(version);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("functional.key"), master.issue(&common::map_of(&world.network)).unwrap().to_bytes())
        .unwrap();
    std::fs::write(folder.join("public.key"), public.to_bytes()).unwrap();
    // Last: without a network the folder is no version.
    world.network.save(&folder.join("network.safetensors")).unwrap();
    Encryptor::new(&public, &host::Silent)
}

fn encrypt(world: &World, encryptor: &Encryptor, image: &[u8]) -> Vec<u8> {
    let item = world.network.encoder().encode(image).unwrap();
    encryptor.encrypt(&item.u, &item.v, &mut rand::rng()).unwrap().to_bytes()
}

fn until(what: impl Fn() -> bool) -> bool {
    (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(25));
        what()
    })
}

fn versions(address: SocketAddr) -> Vec<String> {
    let reply = get(address, "/v2/models/digits/versions").json();
    reply["versions"].as_array().unwrap().iter().map(|pin| pin.as_str().unwrap().to_owned()).collect()
}

/// A rotation needed a moment at which every owner changed to the new public key.
#[test]
fn owners_with_the_old_public_key_and_with_the_new_one_are_served_at_once() {
    let world = World::new();
    let address = predictor(&world, |_| ());
    let old = versions(address);
    assert_eq!(old.len(), 1);
    let encryptor = rotated(&world, "2");
    assert!(until(|| versions(address).len() == 2));
    let all = versions(address);
    assert_eq!(all[0], old[0], "the model's own folder is the default");
    let images: Vec<_> = (0..2).map(image).collect();
    let items = [world.encrypt(&images[0]), encrypt(&world, &encryptor, &images[1])];
    for (place, (item, image)) in items.iter().zip(&images).enumerate() {
        let reply = infer(address, "digits", std::slice::from_ref(item));
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.json()["outputs"][0]["data"], json!(world.expected(image)));
        assert_eq!(reply.json()["model_version"], all[place]);
    }
    // One that is named is the only one that counts, by its pin or by its folder.
    let ask = |version: &str, item: &Vec<u8>| {
        let (body, length) = infer_body(std::slice::from_ref(item));
        let headers = [("inference-header-content-length", length.as_str())];
        let path = format!("/v2/models/digits/versions/{version}/infer");
        send(address, "POST", &path, &headers, &body)
    };
    assert_eq!(ask(&all[1], &items[1]).status, 200);
    assert_eq!(ask("2", &items[1]).status, 200);
    assert!(ask(&all[0], &items[1]).problem().contains("public key"));
    assert_eq!(ask("3", &items[1]).status, 404);
    // What belongs to each is told of each.
    let pinned = |version: &str, what: &str| get(address, &format!("/v1/models/digits/versions/{version}/{what}"));
    let parameters = pinned(&all[1], "parameters");
    assert_eq!(service::hash::Hash::of_bytes(&parameters.body).to_string(), all[1]);
    assert_ne!(pinned("2", "public-key").body, get(address, "/v1/models/digits/public-key").body);
    // Both are in one request: the first says for which version it is.
    assert_eq!(infer(address, "digits", &items).status, 422);
    // The old one goes; the new one stays, and is the default.
    std::fs::remove_file(world.models().join("digits/network.safetensors")).unwrap();
    assert!(until(|| versions(address) == all[1..]));
    assert_eq!(infer(address, "digits", &items[..1]).status, 422);
    assert_eq!(infer(address, "digits", &items[1..]).status, 200);
}

#[test]
fn statistics_and_configuration_are_in_the_words_of_triton() {
    let world = World::new();
    world.add_model("second");
    let address = predictor(&world, |_| ());
    let items: Vec<_> = (0..2).map(|seed| world.encrypt(&image(seed))).collect();
    assert_eq!(infer(address, "digits", &items).status, 200);
    assert_eq!(infer(address, "digits", &[World::new().encrypt(&image(1))]).status, 422);
    let stats = get(address, "/v2/models/digits/stats").json();
    let digits = &stats["model_stats"][0];
    assert_eq!((&digits["inference_count"], &digits["execution_count"]), (&json!(2), &json!(2)));
    assert_eq!(digits["inference_stats"]["success"]["count"], 1);
    let time = |name: &str| digits["inference_stats"][name]["ns"].as_u64().unwrap();
    assert!(time("compute_infer") > 0 && time("success") >= time("compute_infer") / 2, "{stats}");
    let all = get(address, "/v2/models/stats").json();
    let names: Vec<_> = all["model_stats"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, [json!("digits"), json!("second")]);
    assert_eq!(all["model_stats"][1]["inference_count"], 0);
    assert_eq!(get(address, "/v2/models/none/stats").status, 404);

    let config = get(address, "/v2/models/digits/config").json();
    let about = get(address, "/v2/models/digits").json();
    for (kind, plural) in [("input", "inputs"), ("output", "outputs")] {
        for (tensor, told) in config[kind].as_array().unwrap().iter().zip(about[plural].as_array().unwrap()) {
            assert_eq!((&tensor["name"], &tensor["dims"]), (&told["name"], &told["shape"]));
        }
    }
    let extensions = get(address, "/v2").json()["extensions"].clone();
    for extension in ["classification", "statistics", "model_configuration"] {
        assert!(extensions.as_array().unwrap().contains(&json!(extension)), "{extensions}");
    }
}

#[test]
fn readiness_is_said_in_json_too_and_slashes_at_the_end_mean_nothing() {
    let world = World::new();
    let address = predictor(&world, |_| ());
    assert_eq!(get(address, "/v2/health/live").json(), json!({ "live": true }));
    assert_eq!(get(address, "/v2/health/ready/").json(), json!({ "ready": true }));
    assert_eq!(get(address, "/v2/models/digits/ready").json(), json!({ "name": "digits", "ready": true }));
    assert_eq!(get(address, "/v2/models/digits//").json()["name"], "digits");
    assert_eq!(get(address, "/").status, 200);
    let missing = get(address, "/v2/models/none/ready");
    assert_eq!((missing.status, &missing.json()["ready"]), (404, &json!(false)));
    let (body, length) = infer_body(&[world.encrypt(&image(1))]);
    let headers = [("inference-header-content-length", length.as_str())];
    assert_eq!(send(address, "POST", "/v2/models/digits/infer/", &headers, &body).status, 200);
}

#[test]
fn packed_bodies_are_read_within_the_same_limits() {
    let world = World::new();
    let address = predictor(&world, |options| (options.body, options.items) = (1 << 20, 4));
    let (body, length) = infer_body(&[world.encrypt(&image(1))]);
    let gzip = |bytes: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let ask = |coding: &str, body: &[u8]| {
        let headers = [("content-encoding", coding), ("inference-header-content-length", length.as_str())];
        send(address, "POST", "/v2/models/digits/infer", &headers, body)
    };
    let reply = ask("gzip", &gzip(&body));
    assert_eq!(reply.json()["outputs"][0]["data"], json!(world.expected(&image(1))));
    // 64 MiB of nothing in 64 kB.
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 1 << 19);
    let reply = ask("gzip", &bomb);
    assert_eq!(reply.status, 413, "{reply:?}");
    assert!(ask("gzip", &body).problem().contains("unpacked"));
    assert!(ask("gzip", &gzip(&body)[..40]).problem().contains("unpacked"));
    for coding in ["br", "zstd", "gzip, gzip"] {
        assert_eq!(ask(coding, &gzip(&body)).status, 415);
    }
}

#[test]
fn the_greatest_classes_alone_can_be_asked_for() {
    let world = World::new();
    let address = predictor(&world, |_| ());
    let image = image(3);
    let data: Value = json!(world.encrypt(&image));
    let body = json!({
        "inputs": [{ "name": "ciphertext", "datatype": "UINT8", "shape": [1, data.as_array().unwrap().len()], "data": data }],
        "outputs": [{ "name": "output", "parameters": { "classification": 1 } }],
    });
    let reply = common::post(address, "/v2/models/digits/infer", body.to_string().as_bytes()).json();
    let expected = world.expected(&image);
    let best = (0..3).rev().max_by_key(|&place| expected[place]).unwrap();
    assert_eq!(reply["outputs"][0]["data"], json!([format!("{}:{best}", expected[best])]));
    let body = body.to_string().replace("\"output\"", "\"label\"");
    let refused = common::post(address, "/v2/models/digits/infer", body.as_bytes());
    assert!(refused.problem().contains("has no classes"), "{refused:?}");
}
