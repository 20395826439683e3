//! Networks made to be counted too low: each is refused at issue, or counts in full.

mod common;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use common::identity;
use dataset::Dataset;
use encoder::{Encoder, Noise};
use model::{CompiledNetwork, ImportOptions, Inputs, Range};
use roles::keyfile::Unlock;
use safetensors::tensor::{Dtype, TensorView};
use service::authority::{AuthorityError, Issuer, KeyRequest};
use service::hash::Hash;
use service::opened::opened;

/// An integer network of these rows, over the constant and the coordinates of `inputs`.
fn network(folder: &Path, inputs: Inputs, [p, r, d]: [&[Vec<i32>]; 3]) -> CompiledNetwork {
    let bytes = [p, r, d].map(|rows| rows.iter().flatten().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>());
    let view = |rows: &[Vec<i32>], bytes| TensorView::new(Dtype::I32, vec![rows.len(), rows[0].len()], bytes).unwrap();
    let tensors = HashMap::from([("P", view(p, &bytes[0])), ("R", view(r, &bytes[1])), ("D", view(d, &bytes[2]))]);
    let path = folder.join("raw.safetensors");
    safetensors::serialize_to_file(tensors, None, &path).unwrap();
    CompiledNetwork::import(&path, &ImportOptions { inputs, ..ImportOptions::default() }).unwrap()
}

fn pixels(bits: u32) -> Inputs {
    Inputs::Pixels { height: 4, width: 4, bits }
}

/// 17 weights with one that is not zero.
fn at(place: usize, weight: i32) -> Vec<i32> {
    (0..17).map(|i| if i == place { weight } else { 0 }).collect()
}

/// Asks for keys of networks one after the other under a policy of these limits; the reasons of each refusal.
async fn ask(networks: &[&CompiledNetwork], rank: usize, bits: f64, more: &str) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let hashes: Vec<Hash> = networks.iter().map(|network| Hash(network.hash())).collect();
    let allow: Vec<String> = hashes.iter().map(|hash| format!("\"{hash}\"")).collect();
    let allow = allow.join(", ");
    let policy =
        format!("version = 1\n[networks]\nallow = [{allow}]\n[limits]\nrank = {rank}\nbits = {bits:.1}\n{more}");
    let home = folder.path().join("authority");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("policy.toml"), policy).unwrap();
    let authority = Issuer::open(&home, None, Unlock::identity(&identity()).unwrap()).await.unwrap();
    for network in networks {
        let path = folder.path().join("network.safetensors");
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

fn has(reasons: &[String], start: &str) -> bool {
    reasons.iter().any(|reason| reason.starts_with(start))
}

/// Sixteen outputs `(2^61 − 1)·u_i·v_0`, all zero modulo a prime that the count once used: `2·2^30·2^30 − 1`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_that_vanish_modulo_a_public_prime_count_in_full() {
    let folder = tempfile::tempdir().unwrap();
    let (mut p, mut r, mut d) = (Vec::new(), Vec::new(), Vec::new());
    for i in 1..17 {
        p.extend([at(i, 1 << 30), at(i, 1)]);
        r.extend([at(0, 1 << 30), at(0, 1)]);
        d.push((0..32).map(|k| if k == 2 * i - 2 { 2 } else { -i32::from(k == 2 * i - 1) }).collect());
    }
    let forged = network(folder.path(), pixels(1), [&p, &r, &d]);
    let count = opened(&[&forged]).unwrap();
    assert!(count.rank == 16 && count.bits > 16.0 * 60.0, "{count:?}");
    let refusals = ask(&[&forged], 1, 9.0, "").await;
    assert!(has(&refusals[0], "rank: 0") && has(&refusals[0], "bits: 0.0"), "{refusals:?}");
}

/// `2^31·x + y` beside `x + 2^30·y`: their determinant is that prime.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_dependent_modulo_a_public_prime_count_in_full() {
    let folder = tempfile::tempdir().unwrap();
    let p = [at(1, 1 << 30), at(2, 1), at(1, 1), at(2, 1 << 30)];
    let r = [0; 4].map(|_| at(0, 1));
    let forged = network(folder.path(), pixels(4), [&p, &r, &[vec![2, 1, 0, 0], vec![0, 0, 1, 1]]]);
    assert_eq!(opened(&[&forged]).unwrap().rank, 2);
    let refusals = ask(&[&forged], 1, 900.0, "").await;
    assert!(has(&refusals[0], "rank: 0"), "{refusals:?}");
}

/// The file declares the range of one image, a single value; the key opens every image.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_declared_range_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let honest = network(folder.path(), pixels(4), [&[at(1, 1)], &[at(0, 1)], &[vec![1]]]);
    let image = Dataset::new(4, 4, vec![0; 16], vec![], BTreeMap::new()).unwrap();
    let narrow = honest.clone().with_range(&image, Range::Empirical { margin_bits: 0.0 }, 40).unwrap();
    assert_eq!(narrow.bounds(), [(0, 0)]);
    assert_eq!(opened(&[&narrow]).unwrap().bits, 4.0);
    let refusals = ask(&[&narrow], 1, 3.0, "").await;
    assert!(has(&refusals[0], "bits: 0.0 are open under this public key, 4.0 would be"), "{refusals:?}");
}

/// A network over 1-bit inputs counts 1 bit alone, and 8 where a network of the same public key brings 8-bit inputs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_counts_over_every_encoder_that_it_opens() {
    let folder = tempfile::tempdir().unwrap();
    let coarse = network(folder.path(), pixels(1), [&[at(1, 1)], &[at(0, 1)], &[vec![1]]]);
    let fine = network(folder.path(), pixels(8), [&[at(2, 1)], &[at(0, 1)], &[vec![1]]]);
    assert_eq!(opened(&[&coarse]).unwrap().bits, 1.0);
    assert_eq!(opened(&[&coarse, &fine]).unwrap().bits, 16.0);
    let refusals = ask(&[&coarse, &fine], 2, 10.0, "").await;
    assert!(refusals[0].is_empty() && has(&refusals[1], "bits: 1.0"), "{refusals:?}");
}

/// Encodes 4×4 pixels with 4 bits and one coordinate of noise.
fn noisy(folder: &Path) -> Encoder {
    let plain = network(folder, pixels(4), [&[at(1, 1)], &[at(0, 1)], &[vec![1]]]);
    plain.encoder().with_noise(Some(Noise { deviations: vec![40], tail: 6 })).unwrap()
}

/// `(15·u_0 − u_1)·r` with `u_1` always 15 is no noise, and `2^20·signal + r` hides nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_that_cancels_or_is_too_small_covers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = || Inputs::Encoder(Box::new(noisy(folder.path())));
    let wide = |mut row: Vec<i32>, noise: i32| {
        row.push(noise);
        row
    };
    let masked = [at(2, 1), at(0, 15).iter().zip(at(1, -1)).map(|(a, b)| a + b).collect()];
    let r = [wide(at(0, 1), 0), wide(at(0, 0), 1)];
    let false_noise = network(folder.path(), inputs(), [&masked, &r, &[vec![1, 1]]]);
    let weak = network(folder.path(), inputs(), [&[at(2, 1), at(0, 1)], &r, &[vec![1 << 20, 1]]]);
    let true_noise = network(folder.path(), inputs(), [&[at(2, 1), at(0, 1)], &r, &[vec![1, 1]]]);
    let demand = "[noise]\nrequired = true\n";
    for forged in [&false_noise, &weak] {
        assert_eq!(opened(&[forged]).unwrap().noise_free, 1);
        let refusals = ask(&[forged], 1, 99.0, demand).await;
        assert!(has(&refusals[0], "noise: 1"), "{refusals:?}");
    }
    let refusals = ask(&[&true_noise], 1, 99.0, demand).await;
    assert!(refusals[0].is_empty(), "{refusals:?}");
}

/// `r_1 + r_2` and `r_1 − r_2` look wider than `r_1` and `r_2` and hide no more: the sum of both outputs has the parity of
/// the signals. Noise that is cut at one deviation hides a bit less than its deviation says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_in_a_coarse_lattice_or_cut_short_covers_its_entropy_only() {
    let folder = tempfile::tempdir().unwrap();
    let plain = network(folder.path(), pixels(4), [&[at(1, 1)], &[at(0, 1)], &[vec![1]]]);
    let under = |tail: u32, [a, b, c, d]: [i32; 4]| {
        let noise = Noise { deviations: vec![64, 64], tail };
        let encoder = plain.encoder().with_noise(Some(noise)).unwrap();
        let right = |constant: i32, noise: [i32; 2]| [at(0, constant), noise.to_vec()].concat();
        let p = [at(1, 1), at(2, 1), at(0, 1), at(0, 1)];
        let r = [right(1, [0, 0]), right(1, [0, 0]), right(0, [1, 0]), right(0, [0, 1])];
        network(folder.path(), Inputs::Encoder(Box::new(encoder)), [&p, &r, &[vec![1, 0, a, b], vec![0, 1, c, d]]])
    };
    let counted = |network: &CompiledNetwork| opened(&[network]).unwrap();
    let covered = |network: &CompiledNetwork| counted(network).bits - counted(network).unnoised_bits;
    // log2(64·√(2πe)) for each coordinate.
    let entropy = (64.0_f64 * 4.1327).log2();
    for factors in [[1, 0, 0, 1], [1, 1, 1, -1]] {
        let found = covered(&under(6, factors));
        assert!((found - 2.0 * entropy).abs() < 1e-3, "{factors:?} {found}");
    }
    let short = under(1, [1, 0, 0, 1]);
    assert!(covered(&short) < 2.0 * (entropy - 1.0), "{:?}", counted(&short));
    let lattice = under(6, [1, 1, 1, -1]);
    let limit = counted(&lattice).unnoised_bits - 0.1;
    let refusals = ask(&[&lattice], 2, 99.0, &format!("unnoised_bits = {limit:.2}\n")).await;
    assert!(has(&refusals[0], "unnoised bits"), "{refusals:?}");
}
