//! Compressed bodies, unpacked piece by piece.

use std::io::{self, Write};

use axum::http::{HeaderMap, StatusCode, header};
use flate2::write::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use super::Problem;

/// How a body was packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    /// HTTP's `deflate`, which is the zlib format with its header and checksum.
    Deflate,
}

impl Coding {
    /// The one coding that the headers name; none if the body is plain.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut named = headers.get_all(header::CONTENT_ENCODING).iter();
        let (first, second) = (named.next(), named.next());
        let first = first.map(|value| value.to_str().unwrap_or_default().trim().to_ascii_lowercase());
        match (first.as_deref(), second) {
            (None | Some("identity"), None) => Ok(None),
            (Some("gzip" | "x-gzip"), None) => Ok(Some(Self::Gzip)),
            (Some("deflate"), None) => Ok(Some(Self::Deflate)),
            _ => {
                let detail = "only gzip and deflate compression is supported, one at a time; send it uncompressed";
                Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
            }
        }
    }
}

/// Unpacks what arrives.
pub(super) enum Decoder {
    Gzip(Box<GzDecoder<Vec<u8>>>),
    /// And whether its end was seen, with its sum.
    Deflate(Decompress, bool),
}

impl Decoder {
    /// Maximum number of compressed bytes at a time. They decompress to at most a thousand times as many.
    pub const PIECE: usize = 1 << 10;

    pub fn new(coding: Coding) -> Self {
        match coding {
            Coding::Gzip => Self::Gzip(Box::new(GzDecoder::new(Vec::new()))),
            Coding::Deflate => Self::Deflate(Decompress::new(true), false),
        }
    }

    /// The decompressed size of a piece, as far as it is known yet.
    pub fn unpack(&mut self, piece: &[u8]) -> Result<Vec<u8>, Problem> {
        match self {
            Self::Gzip(decoder) => whole(decoder, piece).map(|()| std::mem::take(decoder.get_mut())),
            Self::Deflate(decoder, ended) => inflate(decoder, ended, piece),
        }
        .map_err(|error| broken(&error))
    }

    /// The rest, once its sum is checked.
    pub fn finish(self) -> Result<Vec<u8>, Problem> {
        match self {
            Self::Gzip(decoder) => decoder.finish(),
            Self::Deflate(_, true) => Ok(Vec::new()),
            Self::Deflate(_, false) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
        .map_err(|error| broken(&error))
    }
}

/// A decoder takes no more after its end: what follows it is not part of the body.
fn whole(decoder: &mut impl Write, mut piece: &[u8]) -> io::Result<()> {
    while !piece.is_empty() {
        match decoder.write(piece)? {
            0 => return Err(trailing()),
            taken => piece = &piece[taken..],
        }
    }
    decoder.flush()
}

/// What a piece of a zlib stream unpacks to.
fn inflate(decoder: &mut Decompress, ended: &mut bool, mut piece: &[u8]) -> io::Result<Vec<u8>> {
    const ROOM: usize = 32 << 10;
    let mut out = Vec::new();
    loop {
        if *ended {
            return if piece.is_empty() { Ok(out) } else { Err(trailing()) };
        }
        out.reserve(ROOM);
        let before = (decoder.total_in(), out.len());
        *ended = decoder.decompress_vec(piece, &mut out, FlushDecompress::None)? == Status::StreamEnd;
        piece = &piece[(decoder.total_in() - before.0) as usize..];
        // Room was left, so that nothing waits to be written.
        if !*ended && piece.is_empty() && out.len() < out.capacity() {
            return Ok(out);
        }
        if !*ended && (decoder.total_in(), out.len()) == before {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

fn trailing() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "bytes follow its end")
}

fn broken(error: &io::Error) -> Problem {
    Problem::bad_request(format!("the compressed body cannot be unpacked: {error}"))
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    use super::*;

    fn packed(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        match coding {
            Coding::Gzip => {
                let mut out = GzEncoder::new(Vec::new(), Compression::fast());
                out.write_all(bytes).unwrap();
                out.finish().unwrap()
            }
            Coding::Deflate => {
                let mut out = ZlibEncoder::new(Vec::new(), Compression::best());
                out.write_all(bytes).unwrap();
                out.finish().unwrap()
            }
        }
    }

    fn unpack(coding: Coding, bytes: &[u8], piece: usize) -> Result<Vec<u8>, Problem> {
        let mut decoder = Decoder::new(coding);
        let mut out = Vec::new();
        for piece in bytes.chunks(piece) {
            out.extend(decoder.unpack(piece)?);
        }
        out.extend(decoder.finish()?);
        Ok(out)
    }

    #[test]
    fn what_is_cut_off_or_changed_is_refused() {
        let bytes = b"ciphertext".repeat(500);
        for coding in [Coding::Gzip, Coding::Deflate] {
            let mut whole = packed(coding, &bytes);
            assert!(unpack(coding, &whole[..whole.len() - 1], 100).is_err());
            assert!(unpack(coding, b"plain", 100).is_err());
            let last = whole.len() - 6;
            whole[last] ^= 1;
            assert!(unpack(coding, &whole, 100).is_err());
        }
    }

    #[test]
    fn a_piece_of_a_bomb_unpacks_to_little() {
        let bomb = packed(Coding::Deflate, &vec![0; 8 << 20]);
        let mut decoder = Decoder::new(Coding::Deflate);
        let most = bomb.chunks(Decoder::PIECE).map(|piece| decoder.unpack(piece).unwrap().len()).max().unwrap();
        assert!(most < 2 << 20, "{most}");
    }

    proptest! {
        #[test]
        fn it_goes_there_and_back(bytes in proptest::collection::vec(any::<u8>(), 0..4000), piece in 1usize..600) {
            for coding in [Coding::Gzip, Coding::Deflate] {
                prop_assert_eq!(&unpack(coding, &packed(coding, &bytes), piece).unwrap(), &bytes);
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (unpack(Coding::Gzip, &bytes, 50), unpack(Coding::Deflate, &bytes, 50));
        }
    }
}
