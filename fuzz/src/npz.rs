//! NumPy archives: any bytes, and archives of two arrays from any bytes, the second one of labels.

use std::io::{Cursor, Write};
use std::sync::LazyLock;

use dataset::import::{ArrayOptions, TableRules, npz};
use host::Silent;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{BUDGET, Scratch};

static FILE: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("arrays.npz"));

fn archive(arrays: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).expect("a name");
        zip.write_all(bytes).expect("memory can be written");
    }
    zip.finish().expect("memory can be written").into_inner()
}

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, data @ ..] = data else { return };
    let bytes = match mode % 4 {
        0 => data.to_vec(),
        1 => archive(&[("x.npy", data)], CompressionMethod::Deflated),
        _ => {
            // The second array follows where NumPy's magic number appears again.
            let cut = data.windows(6).skip(1).position(|window| window == b"\x93NUMPY").map_or(data.len(), |at| at + 1);
            archive(&[("x.npy", &data[..cut]), ("y.npy", &data[cut..])], CompressionMethod::Stored)
        }
    };
    let rules = TableRules { budget: BUDGET, ..TableRules::default() };
    let options = ArrayOptions { rules, quantile: mode & 16 != 0, ..ArrayOptions::default() };
    if let Ok(read) = npz(FILE.put(&bytes), &options, mode & 32 != 0, &Silent) {
        assert_eq!(read.data.images().len(), read.data.len() * read.data.height() * read.data.width());
    }
}
