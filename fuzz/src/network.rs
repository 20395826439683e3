//! Compiled networks: any file, a valid one with bytes changed, and any header before any data. What is accepted must
//! be written and read back as the same network; and a file with the hash of the valid one holds that very network.

use std::sync::LazyLock;

use encoder::Encoder;
use model::{CompiledNetwork, Origin, Parameter, Parameters, Parts, PublicHead};
use quadratic::QuadraticMap;

use crate::{Scratch, edited, safetensors};

static FILE: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("network.safetensors"));
static AGAIN: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("again.safetensors"));
/// Networks without and with a head that is a net, and their files.
static VALID: LazyLock<[(CompiledNetwork, Vec<u8>); 2]> = LazyLock::new(|| {
    let net = PublicHead::Net {
        centre: vec![0.5, 1.0],
        scale: vec![2.0, 4.0],
        layers: Parameters(vec![
            Parameter::new("head.0.weight", &[2, 2], vec![1.0, -1.0, 0.5, 0.25]),
            Parameter::new("head.0.bias", &[2], vec![0.0, 1.0]),
        ]),
    };
    [PublicHead::Largest, net].map(|head| {
        let map = QuadraticMap::new(3, 3, 2, 2, vec![0, 1, 0, 0, 1, 1], vec![0, 0, 1, 255, 0, 0], vec![1, 0, 0, 1]);
        let network = CompiledNetwork::new(Parts {
            encoder: Encoder::pixels(1, 2, 8).expect("two pixels"),
            map: map.expect("shapes agree"),
            squares: false,
            head,
            main: "kind".into(),
            classes: vec!["product".into(), "sum".into()],
            origin: Origin::Imported { file: "by hand".into() },
        })
        .expect("a network");
        network.save(FILE.path()).expect("it can be written");
        (network, FILE.read())
    })
});

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, data @ ..] = data else { return };
    let bytes = match mode % 4 {
        0 => data.to_vec(),
        1 => safetensors(data),
        which => edited(&VALID[usize::from(which - 2)].1, data),
    };
    let Ok(network) = CompiledNetwork::load(FILE.put(&bytes)) else { return };
    for (valid, _) in &*VALID {
        assert!((network.hash() == valid.hash()) <= (network.map() == valid.map() && network.head() == valid.head()));
    }
    network.save(AGAIN.path()).expect("it can be written");
    let again = CompiledNetwork::load(AGAIN.path()).expect("what was written can be read");
    assert!(again == network);
}
