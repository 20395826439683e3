//! Owners of data before a predictor: what they trust, pin, count and wait for.

mod common;

use std::path::Path;

use common::{World, image, loopback, post, predictor, predictor_with};
use service::clock;
use service::grant::GrantFile;
use service::hash::Hash;
use service::ledger::Grant;
use service::owner::{Connection, ConnectionOptions, Limits, OwnerClient, OwnerClientError, OwnerOptions};
use service::parameters::{Parameters, ParametersSignature, Purpose};
use service::signature::SigningKey;
use service::transport::Tokens;

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
    assert!(refused.unwrap_err().to_string().contains("epoch 1, but epoch 2 was accepted before"));
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

/// M13. Counts were kept by network: k networks under one key gave k times the items. The outputs of several functions add
/// up about one subject. And the hash of a name was the same in every file: names could be tried.
#[test]
fn items_count_over_all_functions_of_a_key_and_names_are_salted() {
    let world = World::new();
    let (other, _) = common::network(world.folder.path(), 8, 2);
    let folder = world.add_model("letters");
    other.save(&folder.join("network.safetensors")).unwrap();
    std::fs::write(folder.join("functional.key"), world.master.issue(other.map()).unwrap().to_bytes()).unwrap();
    let address = predictor(&world, |_| ());
    let homes = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let owner = |home: &Path, model: &str, subject: &str| {
        let url = format!("http://{address}");
        let connection = Connection::new(ConnectionOptions { url, ..ConnectionOptions::default() }).unwrap();
        let bytes = connection.get(&["v1", "models", model, "parameters"], 1 << 20).unwrap();
        let limits = Limits { most_items: Some(3), ..Limits::default() };
        let (model, subject, pin) = (model.to_owned(), subject.to_owned(), Some(Hash::of_bytes(&bytes)));
        let options = OwnerOptions { model, subject, pin, limits, ..OwnerOptions::default() };
        OwnerClient::connect(connection, options, home, None, &host::Silent).unwrap()
    };
    let home = homes[0].path();
    let (digits, letters) = (owner(home, "digits", "anna"), owner(home, "letters", "anna"));
    assert_ne!(digits.parameters().network, letters.parameters().network);
    assert_eq!(digits.parameters().public_key, letters.parameters().public_key);
    assert_eq!(digits.predict(&[&image(1), &image(2)]).unwrap().1.items, 2);
    assert!(matches!(letters.predict(&[&image(1), &image(2)]), Err(OwnerClientError::Odometer(_))));
    assert_eq!(letters.predict(&[&image(1)]).unwrap().1.items, 3);
    assert!(matches!(digits.predict(&[&image(3)]), Err(OwnerClientError::Odometer(_))));
    // Another subject has a count of its own.
    assert_eq!(owner(home, "letters", "otto").predict(&[&image(1)]).unwrap().1.items, 1);

    owner(homes[1].path(), "digits", "anna").predict(&[&image(1)]).unwrap();
    let names = homes.each_ref().map(|home| {
        let text = std::fs::read_to_string(home.path().join("odometer.json")).unwrap();
        assert!(!text.contains("anna"), "{text}");
        let counts: serde_json::Value = serde_json::from_str(&text).unwrap();
        counts["items"].as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>()
    });
    assert_eq!((names[0].len(), names[1].len()), (2, 1));
    assert!(names[0].is_disjoint(&names[1]), "one name has one hash in every file");
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
