//! The page over real sockets: what stands at `/`, under which policy, and what it shows of a model.

mod common;

use std::time::{Duration, Instant};

use common::{Reply, SIDE, World, get, image, loopback, network, predictor, predictor_with, send};
use dataset::{Dataset, Labels};
use service::hash::Hash;
use service::page::{Label, Labelled, PageError, PageFile};
use service::transport::Tokens;

/// 40 images with the labels that the tests' networks have, and a second attribute.
fn data() -> Dataset {
    let images = (0..40).flat_map(image).collect();
    let column = |name: &str, classes: u32| Labels {
        name: name.into(),
        classes: (0..classes).map(|class| class.to_string()).collect(),
        values: (0..40).map(|item| item % classes).collect(),
    };
    Dataset::new(SIDE, SIDE, images, vec![column("digit", 3), column("font", 2)], Default::default()).unwrap()
}

fn labelled(data: &Dataset) -> Labelled<'_> {
    let label = |name| {
        let labels = data.labels(name).unwrap();
        Label { classes: &labels.classes, values: &labels.values }
    };
    Labelled { images: data, form: None, main: label("digit"), collateral: label("font") }
}

fn made(network: &model::CompiledNetwork, data: &Dataset) -> Result<PageFile, PageError> {
    PageFile::new(network, labelled(data), labelled(data), "font")
}

fn page_of(world: &World) -> PageFile {
    made(&world.network, &data()).unwrap()
}

#[test]
fn the_page_or_how_to_build_it_stands_at_the_root() {
    let address = predictor(&World::new(), |_| ());
    let reply = get(address, "/");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8");
    let policy = &reply.headers["content-security-policy"];
    assert!(policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
    assert!(!policy.contains("unsafe-inline") && !policy.contains("http"), "{policy}");
    assert_eq!(reply.headers["x-content-type-options"], "nosniff");
    assert_eq!(reply.headers["referrer-policy"], "no-referrer");
    let text = String::from_utf8(reply.body).unwrap();
    if !text.contains("page/main.js") {
        assert!(text.contains("web/build.sh"), "{text}");
        eprintln!("the page is not built: only its absence is tested");
        return;
    }
    let mut open = vec![text];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(text) = open.pop() {
        for name in references(&text).filter(|name| seen.insert(name.clone())).collect::<Vec<_>>() {
            let reply = get(address, &format!("/page/{name}"));
            assert_eq!(reply.status, 200, "{name}");
            let kind = match name.rsplit_once('.').unwrap().1 {
                "js" | "mjs" => "text/javascript; charset=utf-8",
                "css" => "text/css; charset=utf-8",
                "svg" => "image/svg+xml",
                "wasm" => "application/wasm",
                other => panic!("{other}"),
            };
            assert_eq!(reply.headers["content-type"], kind, "{name}");
            assert_eq!(&reply.headers["content-security-policy"], policy, "{name}");
            open.extend(String::from_utf8(reply.body).ok());
        }
    }
    for name in ["main.js", "worker.js", "halflight.mjs", "halflight.wasm", "base.css"] {
        assert!(seen.contains(name), "{name} is not reached: {seen:?}");
    }
}

/// A phone loaded 828 kB of WebAssembly of which 296 kB were enough.
#[test]
fn files_of_the_page_are_packed_for_those_who_take_it() {
    let address = predictor(&World::new(), |_| ());
    let ask = |headers: &[(&str, &str)]| send(address, "GET", "/", headers, b"");
    let plain = ask(&[]);
    let packed = ask(&[("accept-encoding", "br, GZip;q=0.5")]);
    assert_eq!((packed.status, packed.headers["content-encoding"].as_str()), (200, "gzip"));
    assert!(packed.body.len() < plain.body.len() && packed.headers["vary"] == "accept-encoding");
    let mut text = Vec::new();
    std::io::copy(&mut flate2::read::GzDecoder::new(&packed.body[..]), &mut text).unwrap();
    assert!(text == plain.body && packed.headers["etag"] != plain.headers["etag"]);
    for refused in ["br", "gzip;q=0", "gzip; q=0.0"] {
        assert_eq!(ask(&[("accept-encoding", refused)]).body, plain.body, "{refused}");
    }
    let known = ask(&[("accept-encoding", "gzip"), ("if-none-match", &packed.headers["etag"])]);
    assert_eq!(known.status, 304);
}

/// The files of the page that a text of the page names.
fn references(text: &str) -> impl Iterator<Item = String> {
    let quoted = text.split('"').skip(1).step_by(2);
    let names = quoted.filter_map(|word| {
        let name = word.strip_prefix("page/").or(word.strip_prefix("./")).unwrap_or(word);
        let kind = name.rsplit_once('.')?.1;
        (["js", "mjs", "css", "svg", "wasm"].contains(&kind) && !name.contains('/')).then(|| name.to_owned())
    });
    names.collect::<Vec<_>>().into_iter()
}

#[test]
fn who_has_the_page_is_told_so() {
    let address = predictor(&World::new(), |_| ());
    let first = get(address, "/");
    let tag = first.headers["etag"].as_str();
    let listed = format!("\"other\", W/{tag}");
    for known in [tag, "*", &listed] {
        let again = send(address, "GET", "/", &[("if-none-match", known)], b"");
        assert_eq!((again.status, again.body.len()), (304, 0), "{known}");
        assert_eq!(again.headers["etag"], tag);
        assert!(again.headers.contains_key("content-security-policy"));
    }
    assert_eq!(send(address, "GET", "/", &[("if-none-match", "\"other\"")], b"").status, 200);
    assert_eq!(send(address, "HEAD", "/", &[], b"").body.len(), 0);
    assert_eq!(send(address, "POST", "/", &[], b"").status, 405);
}

#[test]
fn no_path_leads_out_of_the_page() {
    let world = World::new();
    let address = predictor(&world, |_| ());
    for path in [
        "/page/",
        "/page/unknown.js",
        "/page/../Cargo.toml",
        "/page/..%2fCargo.toml",
        "/page/%2e%2e/%2e%2e/etc/passwd",
        "/page/..\\..\\Cargo.toml",
        "/page//etc/passwd",
        "/page/%2fetc%2fpasswd",
        "/page/index.html%00",
        "/page/.",
        "/models/digits/functional.key",
        "/v1/models/..%2fdigits/page",
        "/v1/models/digits%2f..%2fdigits/page",
    ] {
        let reply = get(address, path);
        assert!(matches!(reply.status, 400 | 404), "{path}: {reply:?}");
        reply.problem();
    }
}

#[test]
fn samples_and_cloud_are_those_of_the_network_in_clear() {
    let world = World::new();
    let address = predictor(&world, |_| ());
    assert!(get(address, "/v1/models/digits/page").problem().contains("halflight page"));

    let path = world.models().join("digits/page.json");
    std::fs::write(&path, page_of(&world).to_bytes()).unwrap();
    let reply = until(|| get(address, "/v1/models/digits/page"), |reply| reply.status == 200);
    let page = reply.json();
    assert_eq!(page["network"], Hash(world.network.hash()).to_string());
    assert_eq!(page["cloud"]["outputs"].as_array().unwrap().len(), 40);
    for item in 0..40 {
        assert_eq!(page["cloud"]["outputs"][item], serde_json::json!(world.expected(&image(item as u64))));
        assert_eq!(page["cloud"]["main"][item], item % 3);
    }
    // The first item of each of the six pairs of labels.
    let samples = page["samples"].as_array().unwrap();
    assert_eq!(samples.len(), 6);
    assert_eq!(samples[0]["output"], serde_json::json!(world.expected(&image(0))));
    let tag = reply.headers["etag"].as_str();
    assert_eq!(send(address, "GET", "/v1/models/digits/page", &[("if-none-match", tag)], b"").status, 304);

    // One for another network is not loaded; the model keeps the old one.
    let (other, _) = network(world.folder.path(), 8, 3);
    let foreign = made(&other, &data()).unwrap();
    std::fs::write(&path, foreign.to_bytes()).unwrap();
    let index = until(
        || send(address, "POST", "/v2/repository/index", &[], b""),
        |index| index.json()[0]["reason"].as_str().is_some_and(|reason| reason.contains("page.json")),
    );
    assert_eq!(index.json()[0]["state"], "READY");
    assert_eq!(get(address, "/v1/models/digits/page").json(), page);
}

fn until(ask: impl Fn() -> Reply, holds: impl Fn(&Reply) -> bool) -> Reply {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let reply = ask();
        if holds(&reply) {
            return reply;
        }
        assert!(Instant::now() < end, "still {reply:?}");
        std::thread::sleep(Duration::from_millis(30));
    }
}

#[test]
fn the_page_is_public_where_predictions_are_not() {
    let world = World::new();
    std::fs::write(world.models().join("digits/page.json"), page_of(&world).to_bytes()).unwrap();
    let tokens = world.folder.path().join("tokens.toml");
    let hash = Hash::of_bytes(b"secret");
    std::fs::write(&tokens, format!("[[token]]\nname = \"ward\"\nsha256 = \"{hash}\"\nscopes = [\"infer\"]")).unwrap();
    let address = predictor_with(&world, Tokens::load(&tokens).unwrap(), loopback(), |_| ());
    assert_eq!(get(address, "/").status, 200);
    assert_eq!(get(address, "/v1/models/digits/page").status, 200);
    assert_eq!(common::infer(address, "digits", &[world.encrypt(&image(1))]).status, 401);
}

#[test]
fn page_files_are_checked() {
    let world = World::new();
    let good: serde_json::Value = serde_json::from_slice(&page_of(&world).to_bytes()).unwrap();
    assert_eq!(PageFile::from_bytes(good.to_string().as_bytes()).unwrap(), page_of(&world));
    let bad = |pointer: &str, value: serde_json::Value| {
        let mut page = good.clone();
        *page.pointer_mut(pointer).unwrap() = value;
        assert!(matches!(PageFile::from_bytes(page.to_string().as_bytes()), Err(PageError::Format(_))), "{pointer}");
    };
    bad("/version", 2.into());
    bad("/cloud/main/3", 7.into());
    bad("/cloud/outputs/3", serde_json::json!([1, 2]));
    bad("/cloud/outputs", serde_json::json!([]));
    bad("/samples/0/pixels", "AAAA".into());
    bad("/samples/0/collateral", 2.into());
    bad("/height", (u64::MAX / 2).into());
    bad("/ink", serde_json::Value::Null);
    // A form instead of ink is of version 2, makes items of the right size, and its samples have values.
    let with_form = |version: u32, form: serde_json::Value, values: serde_json::Value| {
        let mut page = good.clone();
        page["version"] = version.into();
        page["form"] = form;
        page.as_object_mut().unwrap().remove("ink");
        for sample in page["samples"].as_array_mut().unwrap() {
            sample["values"] = values.clone();
        }
        PageFile::from_bytes(page.to_string().as_bytes())
    };
    let scale = serde_json::json!({"low": 0.0, "high": 1.0});
    let column =
        |at: usize| serde_json::json!({"name": at.to_string(), "kind": {"numeric": {"scale": scale, "middle": 0.5}}});
    let table = |columns: usize| serde_json::json!({"table": {"columns": (0..columns).map(column).collect::<Vec<_>>(), "labels": []}});
    let sound = |trim: f32| serde_json::json!({"sound": {"bands": SIDE, "frames": SIDE, "low": 60.0, "high": 4000.0, "trim": trim, "rate": 8000}});
    assert!(with_form(2, sound(40.0), serde_json::Value::Null).is_ok());
    for (version, form, values) in [
        (1, sound(40.0), serde_json::Value::Null),
        (2, sound(400.0), serde_json::Value::Null),
        (2, sound(40.0), serde_json::json!(["1"])),
        (2, table(SIDE * SIDE), serde_json::Value::Null),
        (2, table(0), serde_json::json!([])),
    ] {
        let refused = with_form(version, form, values);
        assert!(matches!(refused, Err(PageError::Format(_))), "{refused:?}");
    }
    let data = data();
    assert!(matches!(made(&world.network, &data.subset(&[])), Err(PageError::Empty)));
    let whole = labelled(&data);
    let [short, foreign] = [
        Label { values: &whole.collateral.values[1..], ..whole.collateral },
        Label { classes: &whole.collateral.classes[..1], ..whole.collateral },
    ];
    for collateral in [short, foreign] {
        let refused = PageFile::new(&world.network, whole, Labelled { collateral, ..whole }, "font");
        assert!(matches!(&refused, Err(PageError::Labels { label, items: 40, .. }) if label == "font"), "{refused:?}");
    }
}
