//! Hashes of networks that never change: two small ones, computed by `vectors/identity.py` from the description in the
//! book, and those of the networks that come with the program.

use std::path::Path;

use encoder::Encoder;
use model::{CompiledNetwork, Origin, Parameter, Parameters, Parts, PublicHead};
use quadratic::QuadraticMap;

fn hex(network: &CompiledNetwork) -> String {
    network.hash().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn origin(file: &str) -> Origin {
    Origin::Imported { file: file.into() }
}

/// Two outputs over two pixels of eight bits; the larger one names the class.
fn product() -> CompiledNetwork {
    let (left, right) = (vec![0, 1, 0, 0, 1, 1], vec![0, 0, 1, 255, 0, 0]);
    CompiledNetwork::new(Parts {
        encoder: Encoder::pixels(1, 2, 8).unwrap(),
        map: QuadraticMap::new(3, 3, 2, 2, left, right, vec![1, 0, 0, 1]).unwrap(),
        squares: false,
        head: PublicHead::Largest,
        main: "kind".into(),
        classes: vec!["product".into(), "sum".into()],
        origin: origin("by hand"),
    })
    .unwrap()
}

/// One output of two squares, which a layer reads.
fn squares() -> CompiledNetwork {
    let side = vec![1, 2, -1, 0, 1, 1];
    let layers = vec![
        Parameter::new("head.0.weight", &[1, 2], vec![1.5, -0.1]),
        Parameter::new("head.0.bias", &[2], vec![0.0, 1e-7]),
    ];
    CompiledNetwork::new(Parts {
        encoder: Encoder::pixels(1, 2, 4).unwrap(),
        map: QuadraticMap::new(3, 3, 2, 1, side.clone(), side, vec![1, -3]).unwrap(),
        squares: true,
        head: PublicHead::Net { centre: vec![0.5], scale: vec![2.25], layers: Parameters(layers) },
        main: "größe".into(),
        classes: vec!["no".into(), "yes".into()],
        origin: origin("by hand"),
    })
    .unwrap()
}

#[test]
fn the_hash_is_the_one_that_the_book_describes() {
    let (product, squares) = (product(), squares());
    assert_eq!((product.bounds(), squares.bounds()), (&[(0, 65_025), (0, 130_050)][..], &[(-2700, 961)][..]));
    assert_eq!(hex(&product), "3d48667df9e01b60774ed2ba44f8da7a483c90d80ca2518fadcd1680bafa2bd1");
    assert_eq!(hex(&squares), "35f301cfe1d406f04f2d9ad83ddcd37ff42670e649ccac570fcf5dd9f48cc09f");
    // Where a network comes from is no part of it.
    assert_eq!(hex(&product.clone().with_origin(origin("elsewhere"))), hex(&product));
    let other = product.with_head(PublicHead::Net {
        centre: vec![0.0, 0.0],
        scale: vec![1.0, 1.0],
        layers: Parameters(vec![
            Parameter::new("head.0.weight", &[2, 2], vec![1.0, 0.0, 0.0, 1.0]),
            Parameter::new("head.0.bias", &[2], vec![0.0, 0.0]),
        ]),
    });
    assert_ne!(hex(&other.unwrap()), "3d48667df9e01b60774ed2ba44f8da7a483c90d80ca2518fadcd1680bafa2bd1");
}

#[test]
fn the_networks_that_come_with_the_program_keep_their_names() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../networks");
    for (name, hash) in [
        ("digits-none", "c3c721d42dcb33924b49a88aa385364be3a823743d542360e3209e90edb42ead"),
        ("digits-match", "c35354af33cfbf1fd052a4c6527d562cc6505729c65d46c0f730fbf3434e5626"),
        ("digits-match-noise", "45e18a7c5f27d9fe6a8ca856d6eb98b9642fed13d8e4dbcaa590086a58427e5a"),
        ("digits-certified", "a142bd71744d87660b5172bb52fa8a122b697b0dfe85b1fd5c317cbe1d4b7174"),
        ("digits-small", "ebfce2cbbf06611a9d653dc450ddcbf6797dbf2384e78f8504bddcd42fe53f01"),
        ("digits-paper", "385982d42967d41a1ffc9f7b6492fb68b06761a24035db4e878d7e5454462a1f"),
    ] {
        let network = CompiledNetwork::load(&folder.join(format!("{name}.safetensors"))).unwrap();
        assert_eq!(hex(&network), hash, "{name}");
    }
}
