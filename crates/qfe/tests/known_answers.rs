//! Files of version 1 written by an independent implementation
//! (`vectors/make_vectors.py`): both must always agree on every byte.

use std::sync::Arc;

use host::Silent;
use qfe::{
    Ciphertext, Encryptor, Evaluator, FunctionalKey, LogTable, MasterKey, PublicKey, encrypt_constant_time, setup,
    shares::{Combiner, Commitments, KeyShare, PartialKey, Sharing},
};
use rand::rand_core::{Infallible, TryCryptoRng, TryRng};
use serde_json::Value;

const PUBLIC: &[u8] = include_bytes!("vectors/v1.public");
const MASTER: &[u8] = include_bytes!("vectors/v1.master");
const FUNCTION: &[u8] = include_bytes!("vectors/v1.function");
const CIPHERTEXT: &[u8] = include_bytes!("vectors/v1.ciphertext");

const SHARE: &[u8] = include_bytes!("vectors/v1.share");
const PARTIAL: &[u8] = include_bytes!("vectors/v1.partial");
const PARTIAL3: &[u8] = include_bytes!("vectors/v1.partial3");
const COMMITMENTS: &[u8] = include_bytes!("vectors/v1.commitments");

/// A generator that plays back bytes.
struct Replay(Vec<u8>);

impl TryRng for Replay {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        rand::rand_core::utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        rand::rand_core::utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Replay {}

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/vectors.json")).unwrap()
}

fn bytes(vectors: &Value, name: &str) -> Vec<u8> {
    let text = vectors[name].as_str().unwrap();
    (0..text.len()).step_by(2).map(|k| u8::from_str_radix(&text[k..k + 2], 16).unwrap()).collect()
}

fn integers(vectors: &Value, name: &str) -> Vec<i64> {
    vectors[name].as_array().unwrap().iter().map(|x| x.as_i64().unwrap()).collect()
}

#[test]
fn setup_and_issue_agree() {
    let vectors = vectors();
    let (master, public) = setup(4, 3, &mut Replay(bytes(&vectors, "setup_bytes"))).unwrap();
    assert_eq!(public.to_bytes(), PUBLIC);
    assert_eq!(*master.to_bytes(), MASTER);
    assert_eq!(public.id().to_string(), vectors["id"].as_str().unwrap());
    let key = FunctionalKey::from_bytes(FUNCTION).unwrap();
    assert_eq!(master.issue(key.map()).unwrap().to_bytes(), FUNCTION);
    assert!(PublicKey::from_bytes(PUBLIC).unwrap() == public);
    assert_eq!(*MasterKey::from_bytes(MASTER).unwrap().to_bytes(), MASTER);
}

#[test]
fn encryption_and_evaluation_agree() {
    let vectors = vectors();
    let public = PublicKey::from_bytes(PUBLIC).unwrap();
    let (u, v) = (integers(&vectors, "u"), integers(&vectors, "v"));
    let replay = || Replay(bytes(&vectors, "mask_bytes"));
    let slow = encrypt_constant_time(&public, &u, &v, &mut replay()).unwrap();
    assert_eq!(slow.to_bytes(), CIPHERTEXT);
    let encryptor = Encryptor::new(&public, &Silent);
    assert_eq!(encryptor.encrypt(&u, &v, &mut replay()).unwrap().to_bytes(), CIPHERTEXT);
    let table = Arc::new(LogTable::build(12, &Silent).unwrap());
    let key = FunctionalKey::from_bytes(FUNCTION).unwrap();
    let evaluator = Evaluator::new(&key, table, &[(-5_000_000, 5_000_000); 2]).unwrap();
    let ciphertext = Ciphertext::from_bytes(CIPHERTEXT).unwrap();
    assert_eq!(evaluator.evaluate(&ciphertext).unwrap(), integers(&vectors, "outputs"));
}

#[test]
fn shares_and_partial_keys_agree() {
    let (public, master) = (PublicKey::from_bytes(PUBLIC).unwrap(), MasterKey::from_bytes(MASTER).unwrap());
    let mut rng = Replay(bytes(&vectors(), "share_bytes"));
    let (commitments, shares) = master.share(&public, Sharing::new(3, 1).unwrap(), &mut rng).unwrap();
    assert_eq!(commitments.to_bytes(), COMMITMENTS);
    assert_eq!(*shares[1].to_bytes(), SHARE);
    let function = FunctionalKey::from_bytes(FUNCTION).unwrap();
    assert_eq!(KeyShare::from_bytes(SHARE).unwrap().issue(&public, function.map()).unwrap().to_bytes(), PARTIAL);
    assert_eq!(shares[2].issue(&public, function.map()).unwrap().to_bytes(), PARTIAL3);
    let commitments = Commitments::from_bytes(COMMITMENTS, &public).unwrap();
    let partials = [PARTIAL, PARTIAL3].map(|bytes| PartialKey::from_bytes(bytes).unwrap());
    let combiner = Combiner::new(&public, &commitments, function.map()).unwrap();
    assert_eq!(combiner.combine(&partials).unwrap().key.to_bytes(), FUNCTION);
    public.verify(&function).unwrap();
}
