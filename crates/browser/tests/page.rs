//! What a page encrypts, the predictor reads: in this process, and in WebAssembly under node.

use std::{fs, path::Path, process::Command, sync::Arc};

use browser::{Owner, OwnerError};
use dataset::{
    Dataset, Schema,
    draw::{DrawSpec, Generator},
    import::{LabelSource, SpeechOptions, TableOptions, TableRules, csv, speech},
    schema::Missing,
};
use encoder::{Encoder, EncoderOptions};
use host::Silent;
use items::{Form, Recording};
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
    parameters_of(Generator::new(&DrawSpec::default()).unwrap().draw(4, 1, &Silent), options)
}

fn parameters_of(data: Dataset, options: &EncoderOptions) -> Parameters {
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

/// A table with a missing value, read from a file as people have it.
fn table() -> Parameters {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    fs::write(&path, "age,town,y\n20,Ulm,a\n31,Bern,b\n,Ulm,a\n64,Bern,b\n").unwrap();
    let rules = TableRules { missing: Some(Missing::Category), ..TableRules::default() };
    let options = TableOptions { labels: vec!["y".into()], rules, ..TableOptions::default() };
    parameters_of(csv(&path, &options, false, &Silent).unwrap().data, &EncoderOptions::default())
}

/// A tone of 16 bits at 8 kHz that gets louder.
fn wav(frequency: f32) -> Vec<u8> {
    let sample = |place: u16| {
        let wave = (f32::from(place) * frequency * std::f32::consts::TAU / 8000.0).sin();
        ((wave * f32::from(place) * 6.0) as i16).to_le_bytes()
    };
    let samples: Vec<u8> = (0..4000).flat_map(sample).collect();
    let size = samples.len() as u32;
    let head = [*b"RIFF", (36 + size).to_le_bytes(), *b"WAVE", *b"fmt ", 16u32.to_le_bytes()].concat();
    let kind = [1u16, 1].map(u16::to_le_bytes).concat();
    let rates = [8000u32, 16_000].map(u32::to_le_bytes).concat();
    let widths = [2u16, 16].map(u16::to_le_bytes).concat();
    [head, kind, rates, widths, b"data".to_vec(), size.to_le_bytes().to_vec(), samples].concat()
}

fn recordings() -> Parameters {
    let folder = tempfile::tempdir().unwrap();
    for (index, frequency) in [300.0, 700.0, 1100.0, 1900.0].into_iter().enumerate() {
        fs::write(folder.path().join(format!("{index}.wav")), wav(frequency)).unwrap();
    }
    let labels = LabelSource::Pattern("{index}.wav".into());
    let data = speech(folder.path(), &labels, &SpeechOptions::default(), false, &Silent).unwrap().data;
    parameters_of(data, &EncoderOptions { pooling: 4, ..EncoderOptions::default() })
}

impl Parameters {
    fn owner(&self) -> Owner {
        Owner::new(&self.public.to_bytes(), &serde_json::to_vec(&self.encoder).unwrap(), 1 << 20).unwrap()
    }

    fn form(&self) -> Vec<u8> {
        let table = self.data.schema().map(|schema| Form::Table(Schema { labels: vec![], ..schema.clone() }));
        let sound = || Form::Sound(self.data.features().unwrap().sound.clone().unwrap());
        serde_json::to_vec(&table.unwrap_or_else(sound)).unwrap()
    }
}

#[test]
fn rows_and_recordings_become_the_items_of_their_import() {
    let people = table();
    let mut owner = people.owner();
    assert!(matches!(owner.row(&["20", "Ulm"]), Err(OwnerError::Kind(_))));
    owner.take_form(&people.form()).unwrap();
    for (item, row) in [["20", "Ulm"], ["31", "Bern"], ["", "Ulm"], ["64.0", " Bern "]].iter().enumerate() {
        assert_eq!(owner.row(row).unwrap(), people.data.image(item), "{row:?}");
    }
    let wrong = owner.row(&["old", "Ulm"]).unwrap_err().to_string();
    assert_eq!(wrong, "`age` is \"old\", not a number");
    assert!(matches!(owner.row(&["20"]), Err(OwnerError::Record(_))));
    assert!(matches!(owner.wav(&wav(300.0)), Err(OwnerError::Kind(_))));

    let sounds = recordings();
    let mut owner = sounds.owner();
    owner.take_form(&sounds.form()).unwrap();
    assert_eq!(owner.wav(&wav(700.0)).unwrap(), sounds.data.image(1));
    // As a microphone gives it.
    let samples = Recording::from_wav(&wav(1900.0)[..]).unwrap();
    assert_eq!(owner.sound(&samples).unwrap(), sounds.data.image(3));
    let silent = Recording::new(vec![0.0; 4000], 8000).unwrap();
    assert_eq!(owner.sound(&silent).unwrap_err().to_string(), "this recording cannot be used: it is silent");
    assert!(matches!(owner.wav(b"RIFF"), Err(OwnerError::Sound(_))));
}

#[test]
fn a_form_of_other_columns_is_refused() {
    let (people, sounds) = (table(), recordings());
    let mut owner = people.owner();
    assert!(matches!(owner.take_form(&sounds.form()), Err(OwnerError::Columns(_))));
    assert!(matches!(owner.take_form(b"{}"), Err(OwnerError::Form(_))));
    let form = String::from_utf8(people.form()).unwrap();
    assert!(form.contains("Ulm"));
    assert!(matches!(owner.take_form(form.replace("Ulm", "Trier").as_bytes()), Err(OwnerError::Columns(_))));
    let form = String::from_utf8(sounds.form()).unwrap();
    let mut owner = sounds.owner();
    for (from, to) in [("\"trim\":40.0", "\"trim\":30.0"), ("\"high\":4000.0", "\"high\":3000.0")] {
        assert!(form.contains(from));
        assert!(matches!(owner.take_form(form.replace(from, to).as_bytes()), Err(OwnerError::Columns(_))), "{to}");
    }
    let large = form.replace("\"bands\":20", "\"bands\":4000000000");
    assert!(matches!(owner.take_form(large.as_bytes()), Err(OwnerError::Form(_))));
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
