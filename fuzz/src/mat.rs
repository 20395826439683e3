//! Descriptions of faces in MATLAB's format: any bytes, elements after a valid header, and one compressed element.

use std::io::Write;
use std::sync::LazyLock;

use dataset::import::{FaceOptions, PictureOptions, imdb_faces};
use flate2::{Compression, write::ZlibEncoder};
use host::Silent;

use crate::{BUDGET, Scratch, edited};

static FILE: LazyLock<Scratch> = LazyLock::new(|| Scratch::new("wiki.mat"));
static VALID: &[u8] = include_bytes!("../../crates/dataset/tests/files/wiki-plain.mat");

fn after_header(elements: &[u8]) -> Vec<u8> {
    [&[b' '; 124][..], b"\x00\x01IM", elements].concat()
}

/// Runs one input.
pub fn run(data: &[u8]) {
    let [mode, data @ ..] = data else { return };
    let bytes = match mode % 4 {
        0 => data.to_vec(),
        1 => after_header(data),
        2 => edited(VALID, data),
        _ => {
            let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(data).expect("memory can be written");
            let packed = packed.finish().expect("memory can be written");
            after_header(&[&15u32.to_le_bytes()[..], &(packed.len() as u32).to_le_bytes(), &packed].concat())
        }
    };
    let picture = PictureOptions { height: 4, width: 4, budget: BUDGET, ..PictureOptions::default() };
    let locate = (mode & 16 != 0).then_some(0.5);
    let options = FaceOptions { picture, locate, single: mode & 32 != 0, ..FaceOptions::default() };
    // There are no pictures: all but the description fails.
    assert!(imdb_faces(FILE.put(&bytes), &options, mode & 64 != 0, &Silent).is_err());
}
