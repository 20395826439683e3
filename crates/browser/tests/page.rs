//! What a page encrypts, the predictor reads: in this process, and in WebAssembly under node.

use std::{fs, path::Path, process::Command, sync::Arc};

use browser::{Owner, OwnerError};
use dataset::{
    Dataset,
    draw::{DrawSpec, Generator},
};
use encoder::{Encoder, EncoderOptions};
use host::Silent;
use qfe::{Ciphertext, Encoding, Evaluator, LogTable, MasterKey, PublicKey, QuadraticMap, setup};
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;

struct Parameters {
    data: Dataset,
    encoder: Encoder,
    master: MasterKey,
    public: PublicKey,
}

fn parameters(options: &EncoderOptions) -> Parameters {
    let data = Generator::new(&DrawSpec::default()).unwrap().draw(4, 1, &Silent);
    let encoder = Encoder::fit(&data, options).unwrap();
    let (n, m) = encoder.inputs();
    let (master, public) = setup(n, m, &mut ChaCha12Rng::seed_from_u64(1)).unwrap();
    Parameters { data, encoder, master, public }
}

impl Parameters {
    /// Decrypts with the key of some function and compares with the function in the clear.
    fn check(&self, ciphertexts: &[Vec<u8>]) {
        let (n, m) = self.encoder.inputs();
        let weights = |count: usize, most: usize| {
            (0..count).map(|k| ((k * k + 3 * k) % (2 * most + 1)) as i32 - most as i32).collect()
        };
        let map = QuadraticMap::new(n, m, 3, 2, weights(3 * n, 3), weights(3 * m, 2), weights(6, 4)).unwrap();
        let key = self.master.issue(&map).unwrap();
        let table = Arc::new(LogTable::build(16, &Silent).unwrap());
        let evaluator = Evaluator::new(&key, table, &[(-1 << 33, 1 << 33); 2]).unwrap();
        for (item, ciphertext) in ciphertexts.iter().enumerate() {
            let encoded = self.encoder.encode(self.data.image(item)).unwrap();
            let output = evaluator.evaluate(&Ciphertext::from_bytes(ciphertext).unwrap()).unwrap();
            let output: Vec<i128> = output.into_iter().map(i128::from).collect();
            assert_eq!(output, map.evaluate(&encoded.u, &encoded.v).unwrap(), "image {item}");
        }
    }
}

#[test]
fn an_owner_encrypts_in_steps() {
    let parameters = parameters(&EncoderOptions { pooling: 4, right: Some(9), ..EncoderOptions::default() });
    let json = serde_json::to_vec(&parameters.encoder).unwrap();
    let mut owner = Owner::new(&parameters.public.to_bytes(), &json, 1 << 20).unwrap();
    let rng = &mut ChaCha12Rng::seed_from_u64(2);

    let fractions: Vec<f64> =
        std::iter::repeat_with(|| owner.prepare()).take_while(|&fraction| fraction < 1.0).collect();
    assert!(fractions.len() > 1 && fractions.is_sorted());
    while owner.draw(rng) < 1.0 {}
    assert_eq!(owner.masks(), 1);
    // The second draws its own mask.
    let encodings = [Encoding::Uncompressed, Encoding::Compressed];
    let ciphertexts: Vec<Vec<u8>> =
        (0..2).map(|item| owner.encrypt(parameters.data.image(item), encodings[item], rng).unwrap()).collect();
    assert_eq!(owner.masks(), 0);
    parameters.check(&ciphertexts);
}

#[test]
fn strange_input_is_refused() {
    let small = parameters(&EncoderOptions { pooling: 4, ..EncoderOptions::default() });
    let other = parameters(&EncoderOptions { pooling: 7, ..EncoderOptions::default() });
    let [json, foreign] = [&small, &other].map(|p| serde_json::to_vec(&p.encoder).unwrap());
    let key = small.public.to_bytes();
    let open = |key: &[u8], json: &[u8]| Owner::new(key, json, 1 << 20);
    assert!(matches!(open(&key[..100], &json), Err(OwnerError::Key(_))));
    assert!(matches!(open(&key, b"{}"), Err(OwnerError::Json(_))));
    assert!(matches!(open(&key, &foreign), Err(OwnerError::Inputs { .. })));
    let mut owner = open(&key, &json).unwrap();
    let refused = owner.encrypt(&[0; 3], Encoding::Compressed, &mut ChaCha12Rng::seed_from_u64(3));
    assert!(matches!(refused, Err(OwnerError::Item(_))));
}

#[test]
fn webassembly_encrypts_what_the_predictor_reads() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dist = here.join("../../web/dist");
    if !dist.join("halflight.wasm").exists() {
        return eprintln!("skipped: no web/dist/halflight.wasm; build it with crates/browser/build.sh");
    }
    if Command::new("node").arg("--version").output().is_err() {
        return eprintln!("skipped: no node");
    }
    let parameters = parameters(&EncoderOptions { drop_dead: false, ..EncoderOptions::default() });
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("public.key", &parameters.public.to_bytes());
    write("encoder.json", &serde_json::to_vec(&parameters.encoder).unwrap());
    for item in 0..2 {
        write(&format!("{item}.gray"), parameters.data.image(item));
    }

    let node = Command::new("node").arg(here.join("tests/node.mjs")).args([&dist, folder.path()]).output().unwrap();
    assert!(node.status.success(), "{}", String::from_utf8_lossy(&node.stderr));
    println!("{}", String::from_utf8_lossy(&node.stdout).trim());
    let said: serde_json::Value = serde_json::from_slice(&node.stdout).unwrap();
    assert_eq!(said["publicKey"], parameters.public.id().to_string());
    let read = |item: usize| fs::read(folder.path().join(format!("{item}.ct"))).unwrap();
    parameters.check(&[read(0), read(1)]);
}
