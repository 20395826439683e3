//! Bad input through the command: a clear error that names file, field and remedy, and nothing left over.

mod workshop;

use std::fs;

use safetensors::tensor::{SafeTensors, TensorView};
use workshop::Workshop;

#[test]
fn a_ciphertext_of_another_public_key() {
    let shop = Workshop::furnished();
    shop.works("authority init --network compiled.safetensors --folder other");
    shop.works("encrypt --parameters other/public --data data.safetensors --items 0 --out other-ciphertexts");
    shop.refuses(
        "predict --key functional.key --network compiled.safetensors other-ciphertexts/0.ct",
        &["other-ciphertexts/0.ct", "public key", "encrypt with the right public key"],
    );
}

#[test]
fn a_functional_key_of_another_network() {
    let shop = Workshop::furnished();
    shop.works("compile network.safetensors --data data.safetensors --bits 3 --out coarse.safetensors");
    shop.refuses(
        "predict --key functional.key --network coarse.safetensors ciphertexts/0.ct",
        &["functional.key", "another function"],
    );
}

#[test]
fn truncated_files_of_every_kind() {
    each_kind(|shop, name, copy, run| {
        shop.damaged(name, copy, |bytes| bytes.truncate(bytes.len() / 2));
        shop.refuses(run, &[copy]);
        shop.damaged(name, copy, Vec::clear);
        shop.refuses(run, &[copy]);
    });
}

#[test]
fn flipped_bits_in_files_of_every_kind() {
    each_kind(|shop, name, copy, run| {
        for place in [0, 8, 40] {
            shop.damaged(name, copy, |bytes| bytes[place] ^= 0x10);
            shop.refuses(run, &[copy]);
        }
    });
}

/// A checksum, a hash or an authentication tag must see it; data sets and float networks have none.
#[test]
fn a_flipped_bit_deep_inside() {
    each_kind(|shop, name, copy, run| {
        if !["data.safetensors", "network.safetensors"].contains(&name) {
            shop.damaged(name, copy, |bytes| {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            });
            shop.refuses(run, &[copy]);
        }
    });
}

#[test]
fn foreign_files_in_place_of_every_kind() {
    each_kind(|shop, _, copy, run| {
        fs::write(shop.path(copy), b"%PDF-1.7 this is something else entirely, and long enough to hold a header")
            .unwrap();
        shop.refuses(run, &[copy]);
        fs::remove_file(shop.path(copy)).unwrap();
        shop.refuses(run, &[copy]);
    });
}

#[test]
fn images_of_another_size() {
    let shop = Workshop::furnished();
    shop.works("dataset draw --count 60 --size 28 --out large.safetensors");
    shop.refuses(
        "encrypt --parameters authority/public --data large.safetensors --out refused",
        &["large.safetensors", "784 pixels", "8x8"],
    );
}

#[test]
fn labels_out_of_range_or_unknown() {
    let shop = Workshop::furnished();
    shop.refuses("train --data data.safetensors --main letter --defence none --out refused", &["letter", "digit"]);
    edit_tensors(&shop, "data.safetensors", "labels.safetensors", |name, bytes| {
        if name == "digit" {
            bytes[0] = 10;
        }
    });
    shop.refuses(
        "train --data labels.safetensors --main digit --defence none --out refused",
        &["labels.safetensors", "digit", "10"],
    );
}

#[test]
fn numbers_that_are_not_in_a_network() {
    let shop = Workshop::furnished();
    let mut damaged = None;
    edit_tensors(&shop, "network.safetensors", "nan.safetensors", |name, bytes| {
        if damaged.is_none() && bytes.len() >= 4 {
            bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
            damaged = Some(name.to_owned());
        }
    });
    let tensor = damaged.expect("a network has tensors");
    shop.refuses("compile nan.safetensors --data data.safetensors --out refused", &["nan.safetensors", &tensor]);
}

#[test]
fn a_function_beyond_the_range_of_discrete_logs() {
    let shop = Workshop::furnished();
    shop.refuses(
        "compile network.safetensors --data data.safetensors --log-range 8 --out refused",
        &["output", "range"],
    );
}

#[test]
fn items_that_are_not_there() {
    let shop = Workshop::furnished();
    shop.refuses(
        "encrypt --parameters authority/public --data data.safetensors --items 1790..1800 --out refused",
        &["1790..1800", "0..1797"],
    );
    shop.refuses("encrypt --parameters authority/public --data data.safetensors --items 3..3 --out r", &["3..3"]);
}

#[test]
fn unreadable_fonts() {
    let shop = Workshop::empty();
    shop.refuses("dataset draw --font nowhere.ttf --out refused", &["nowhere.ttf", "TTF or OTF"]);
    fs::write(shop.path("broken.ttf"), b"not a font at all").unwrap();
    shop.refuses("dataset draw --font broken.ttf --out refused", &["broken", "font"]);
    shop.refuses("dataset draw --characters 0漢 --out refused", &["漢", "font"]);
    shop.refuses("dataset draw --elastic-sigma 0 --out refused", &["elastic_sigma"]);
}

#[test]
fn outputs_that_exist_or_cannot_be_written() {
    let shop = Workshop::furnished();
    for arguments in [
        "dataset draw --count 10 --out",
        "dataset import handwriting --out",
        "train --data data.safetensors --main digit --out",
        "compile network.safetensors --data data.safetensors --out",
        "authority issue --folder authority --network compiled.safetensors --out",
    ] {
        shop.refuses(&format!("{arguments} functional.key"), &["functional.key", "exists", "--force"]);
        shop.refuses(&format!("{arguments} nowhere/file"), &["nowhere/file", "cannot be written"]);
        shop.refuses(&format!("{arguments} authority"), &["authority", "is a folder"]);
    }
    shop.refuses("authority init --network compiled.safetensors --folder authority", &["policy.toml", "exists"]);
    shop.refuses(
        "encrypt --parameters authority/public --data data.safetensors --out ciphertexts",
        &["ciphertexts/0.ct", "exists", "--force"],
    );
}

#[test]
fn a_wrong_passphrase() {
    let shop = Workshop::furnished();
    fs::write(shop.path("wrong.txt"), "not this one\n").unwrap();
    shop.refuses(
        "authority issue --folder authority --network compiled.safetensors --passphrase-file wrong.txt --out refused",
        &["master.age"],
    );
}

#[test]
fn values_outside_the_range_of_an_encoder() {
    let shop = Workshop::furnished();
    for (field, value) in [("bits", "99"), ("low", "9e9"), ("height", "0"), ("cells", "[70000]")] {
        let path = shop.path("authority/public/encoder.json");
        let mut encoder: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let (before, after) = (encoder.clone(), &mut encoder);
        after[field] = serde_json::from_str(value).unwrap();
        fs::write(&path, after.to_string()).unwrap();
        shop.refuses(
            "encrypt --parameters authority/public --data data.safetensors --out refused",
            &["encoder.json", "encoder"],
        );
        fs::write(&path, before.to_string()).unwrap();
    }
}

/// A file of every kind, the copy to damage, and a command that reads the copy.
const KINDS: &[(&str, &str, &str)] = &[
    ("data.safetensors", "bad-data.safetensors", "dataset show bad-data.safetensors"),
    (
        "network.safetensors",
        "bad-network.safetensors",
        "compile bad-network.safetensors --data data.safetensors --out r",
    ),
    (
        "compiled.safetensors",
        "bad-compiled.safetensors",
        "authority init --network bad-compiled.safetensors --folder r",
    ),
    (
        "authority/public/public.key",
        "bad/public/public.key",
        "encrypt --parameters bad/public --data data.safetensors --out r",
    ),
    (
        "authority/keys/ID/master.age",
        "bad/keys/ID/master.age",
        "authority issue --folder bad --network compiled.safetensors --out r",
    ),
    ("authority/ledger.head", "bad/ledger.head", "authority issue --folder bad --network compiled.safetensors --out r"),
    ("functional.key", "bad.key", "predict --key bad.key --network compiled.safetensors ciphertexts/0.ct"),
    ("ciphertexts/0.ct", "bad.ct", "predict --key functional.key --network compiled.safetensors bad.ct"),
];

/// One kind at a time, everything else whole.
fn each_kind(test: impl Fn(&Workshop, &str, &str, &str)) {
    let shop = Workshop::furnished();
    let keys = fs::read_dir(shop.path("authority/keys")).unwrap();
    let id = keys.map(|entry| entry.unwrap().file_name().into_string().unwrap()).next().unwrap();
    for (name, copy, run) in KINDS {
        shop.copy("authority", "bad");
        let [name, copy] = [name, copy].map(|path| path.replace("ID", &id));
        test(&shop, &name, &copy, run);
    }
}

/// Copies a safetensors file, metadata included, with changed tensor bytes.
fn edit_tensors(shop: &Workshop, name: &str, copy: &str, mut change: impl FnMut(&str, &mut [u8])) {
    let bytes = fs::read(shop.path(name)).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let tensors: Vec<_> = SafeTensors::deserialize(&bytes)
        .unwrap()
        .iter()
        .map(|(name, view)| {
            let mut data = view.data().to_vec();
            change(name, &mut data);
            (name.to_owned(), view.dtype(), view.shape().to_vec(), data)
        })
        .collect();
    let views =
        tensors.iter().map(|(name, dtype, shape, data)| (name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    let edited = safetensors::serialize(views, metadata.metadata().clone()).unwrap();
    fs::write(shop.path(copy), edited).unwrap();
}

/// A list after `--epochs` was once taken for one value, and refused.
#[test]
fn epochs_are_as_many_as_the_phases() {
    let shop = Workshop::furnished();
    let train = "train --data data.safetensors --main digit --collateral ink --defence paper --units 4";
    shop.works(&format!("{train} --epochs 1,1,0 --out paper.safetensors"));
    let network = training::Network::load(&shop.path("paper.safetensors")).unwrap();
    assert_eq!(network.kind(), training::UnitKind::Squares, "the paper's defence takes the paper's network");
    shop.refuses(&format!("{train} --epochs 1,1 --out refused"), &["--epochs", "2 numbers; give 3"]);
    shop.refuses(&format!("{train} --epochs 1,x,0 --out refused"), &["--epochs", "give 3 numbers separated by commas"]);
    // Options that a defence would not look at.
    shop.refuses(&format!("{train} --steps 5 --out refused"), &["--steps", "give --epochs"]);
    let matched = "train --data data.safetensors --main digit --collateral ink --units 4 --out refused";
    shop.refuses(&format!("{matched} --epochs 1,1,0"), &["--epochs", "give --steps"]);
    shop.refuses(&format!("{matched} --patience 2"), &["--select"]);
}

/// The thorough preset once put its own weight of matching instead of the one that was given.
#[test]
fn a_weight_that_is_given_counts_with_every_preset() {
    let shop = Workshop::furnished();
    for preset in ["quick", "thorough", "paper"] {
        shop.works(&format!(
            "train --data data.safetensors --main digit --collateral ink --defence match --preset {preset} --weight 7 \
             --steps 2 --batch 100 --units 4 --out {preset}.safetensors"
        ));
        let network = training::Network::load(&shop.path(&format!("{preset}.safetensors"))).unwrap();
        assert_eq!(network.record().options.defence.weight(), 7.0, "{preset}");
    }
}
