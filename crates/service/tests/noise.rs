//! A policy that demands noise, or limits the bits without: what it lets through, and what cancels noise.

mod common;

use common::network;
use model::CompiledNetwork;
use roles::keyfile::Unlock;
use service::authority::{AuthorityError, Issuer, KeyRequest};
use service::hash::Hash;

/// Issues keys of networks one after the other under one public key; the reasons of each refusal.
async fn issue_all(networks: &[CompiledNetwork], demand: &str) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let hashes: Vec<Hash> = networks.iter().map(|network| Hash(network.hash())).collect();
    let allow: Vec<String> = hashes.iter().map(|hash| format!("\"{hash}\"")).collect();
    let policy = format!(
        "version = 1\n[networks]\nallow = [{}]\n[limits]\nrank = 8\nbits = 500.0\n{demand}\n",
        allow.join(", ")
    );
    let home = folder.path().join("authority");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("policy.toml"), policy).unwrap();
    let identity = {
        use age::secrecy::ExposeSecret;
        age::x25519::Identity::generate().to_string().expose_secret().to_owned()
    };
    let authority = Issuer::open(&home, None, Unlock::identity(&identity).unwrap()).await.unwrap();
    for (number, network) in networks.iter().enumerate() {
        let path = folder.path().join(format!("{number}.safetensors"));
        network.save(&path).unwrap();
        authority.register(std::fs::read(&path).unwrap(), "test").await.unwrap();
    }
    authority.create_project("p", hashes[0], "test").await.unwrap();
    let mut refusals = Vec::new();
    for network in hashes {
        let request = KeyRequest { project: "p", network, holder: "predictor", approvals: &[], by: "test" };
        refusals.push(match authority.issue(&request).await {
            Ok(_) => Vec::new(),
            Err(AuthorityError::Refused { reasons }) => reasons,
            Err(error) => panic!("{error}"),
        });
    }
    refusals
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_on_every_output_is_enough_and_shared_noise_cancels() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = [1, 2].map(|seed| network(folder.path(), seed, 3).0);
    let bare = issue_all(std::slice::from_ref(&first), "[noise]\nrequired = true").await;
    assert!(bare[0][0].starts_with("noise: 3"), "{bare:?}");

    let [first, second] = [first, second].map(|network| network.with_noise(&[50, 60, 70]).unwrap());
    // The second adds the same coordinates, so that the difference of the two is free of noise.
    let refusals = issue_all(&[first, second], "[noise]\nrequired = true").await;
    assert!(refusals[0].is_empty(), "{refusals:?}");
    assert!(refusals[1].iter().any(|reason| reason.starts_with("noise: 3")), "{refusals:?}");
}

/// The same network with and without noise: it opens as many bits, and the policy refuses those that nothing covers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bits_that_no_noise_covers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bare = network(folder.path(), 1, 3).0;
    let noisy = bare.clone().with_noise(&[50, 60, 70]).unwrap();
    let counted = |network: &CompiledNetwork| service::opened::opened(&[network]).unwrap();
    let [without, with] = [&bare, &noisy].map(counted);
    assert!((without.unnoised_bits - without.bits).abs() < 1e-9, "{without:?}");
    // Entropies of discrete Gaussians of deviations 50, 60 and 70.
    let covered: f64 = [50.0_f64, 60.0, 70.0].iter().map(|deviation| (deviation * 4.1327).log2()).sum();
    assert!((with.bits - with.unnoised_bits - covered).abs() < 0.1, "{with:?}");
    let demand = format!("unnoised_bits = {:.1}", with.unnoised_bits.max(0.0) + 1.0);
    assert_eq!(issue_all(&[noisy], &demand).await, [Vec::<String>::new()]);
    let refused = issue_all(&[bare], &demand).await;
    assert!(refused[0].len() == 1 && refused[0][0].starts_with("unnoised bits: 0.0"), "{refused:?}");
}
