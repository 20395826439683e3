//! Networks of the paper's program: any text, any bytes under base64, and any JSON under zlib and base64.

use std::io::Write;
use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::ZlibEncoder};
use model::{CompiledNetwork, ImportOptions, Inputs};

use crate::Scratch;

static FILE: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("network.mlm"));

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, data @ ..] = data else { return };
    let text = match mode % 4 {
        0 => data.to_vec(),
        1 => STANDARD.encode(data).into_bytes(),
        _ => {
            let mut packed = ZlibEncoder::new(Vec::new(), Compression::none());
            packed.write_all(data).expect("memory can be written");
            STANDARD.encode(packed.finish().expect("memory can be written")).into_bytes()
        }
    };
    let inputs = Inputs::Pixels { height: 1, width: 2, bits: 8 };
    let options = ImportOptions { inputs, ..ImportOptions::default() };
    if let Ok(network) = CompiledNetwork::import(FILE.put(&text), &options) {
        assert_eq!(network.inputs(), (3, 3));
        assert!(network.exact_bounds().iter().all(|(low, high)| low <= high));
    }
}
