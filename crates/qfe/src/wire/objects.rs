//! The bodies of the objects.

use zeroize::Zeroizing;

use super::{
    error::WireError,
    frame::{CHECKSUM_BYTES, Encoding, HEADER_BYTES, Header, open, seal},
    kind::Kind,
    points::{check_subgroups, read, read_scalars, read_weights, write, write_scalars, write_weights},
};
#[cfg(any(feature = "files", fuzzing))]
use crate::mask::Mask;
use crate::{
    QuadraticMap,
    encrypt::Ciphertext,
    keys::{FunctionalKey, MasterKey, PublicKey, PublicKeyId},
    raw::{Coordinate, Fp, Fp2, Scalar},
};

pub(super) fn header(kind: Kind, encoding: Encoding, id: PublicKeyId, (n, m): (usize, usize)) -> Header {
    Header { kind, encoding, public_key_id: id, n, m, units: 0, outputs: 0 }
}

/// Writes header, body, checksum.
pub(super) fn frame(header: &Header, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    // The objects of this crate have dimensions that were checked.
    let bytes = header.body_bytes().unwrap_or(0);
    let mut out = header.begin(bytes);
    body(&mut out);
    debug_assert_eq!(out.len(), HEADER_BYTES + bytes);
    seal(&mut out);
    out
}

impl PublicKey {
    /// The uncompressed encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode(Encoding::Uncompressed)
    }

    /// The encoding with points as asked.
    pub fn encode(&self, encoding: Encoding) -> Vec<u8> {
        frame(&header(Kind::PublicKey, encoding, self.id, self.inputs()), |out| {
            write(out, &self.s, encoding);
            write(out, &self.t, encoding);
        })
    }

    /// Reads and validates a public key in either encoding.
    ///
    /// # Errors
    /// The bytes are not a public key, are damaged, have a point that is not canonical or of another subgroup, or an id
    /// that is not that of the points.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let (header, mut body) = open(bytes, Kind::PublicKey)?;
        let s = read::<Fp>(&mut body, header.n, header.encoding, "s")?;
        let t = read::<Fp2>(&mut body, header.m, header.encoding, "t")?;
        check_subgroups(("s", &s), ("t", &t))?;
        let key = Self::new(s, t);
        if key.id != header.public_key_id {
            return Err(WireError::Id);
        }
        Ok(key)
    }

    /// Bytes of an encoding.
    pub fn encoded_size(&self, encoding: Encoding) -> usize {
        size(&header(Kind::PublicKey, encoding, self.id, self.inputs()))
    }
}

impl MasterKey {
    /// The secret encoding, erased when dropped. Store it through
    /// an age file, never as it is.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let header = header(Kind::MasterKey, Encoding::Uncompressed, self.id, self.inputs());
        Zeroizing::new(frame(&header, |out| {
            write_scalars(out, &self.s);
            write_scalars(out, &self.t);
        }))
    }

    /// Reads a master key.
    ///
    /// # Errors
    /// The bytes are not a master key, are damaged, or have a scalar that is not below the group order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let (header, mut body) = open(bytes, Kind::MasterKey)?;
        let mut s = read_scalars(&mut body, header.n, "s")?;
        let mut t = read_scalars(&mut body, header.m, "t")?;
        Ok(Self { s: std::mem::take(&mut *s), t: std::mem::take(&mut *t), id: header.public_key_id })
    }

    /// Bytes of the encoding before it is encrypted.
    pub fn encoded_size(&self) -> usize {
        HEADER_BYTES + Scalar::BYTES * (self.s.len() + self.t.len()) + CHECKSUM_BYTES
    }
}

impl FunctionalKey {
    fn header(&self, encoding: Encoding) -> Header {
        Header {
            units: self.map.units(),
            outputs: self.map.outputs(),
            ..header(Kind::FunctionalKey, encoding, self.id, self.map.inputs())
        }
    }

    /// The uncompressed encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode(Encoding::Uncompressed)
    }

    /// The encoding with points as asked.
    pub fn encode(&self, encoding: Encoding) -> Vec<u8> {
        frame(&self.header(encoding), |out| {
            write_weights(out, self.map.left());
            write_weights(out, self.map.right());
            write_weights(out, self.map.combine());
            write(out, &self.values, encoding);
        })
    }

    /// Reads and validates a functional key in either encoding.
    ///
    /// # Errors
    /// The bytes are not a functional key, are damaged, have a point that is not canonical or of another subgroup, or a
    /// function that is not valid.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let (header, mut body) = open(bytes, Kind::FunctionalKey)?;
        let Header { n, m, units, outputs, .. } = header;
        let left = read_weights(&mut body, units * n)?;
        let right = read_weights(&mut body, units * m)?;
        let combine = read_weights(&mut body, outputs * units)?;
        let map = QuadraticMap::new(n, m, units, outputs, left, right, combine)?;
        let values = read::<Fp2>(&mut body, outputs, header.encoding, "values")?;
        check_subgroups(("", &[]), ("values", &values))?;
        Ok(Self { map, values, id: header.public_key_id })
    }

    /// Bytes of an encoding.
    pub fn encoded_size(&self, encoding: Encoding) -> usize {
        size(&self.header(encoding))
    }
}

impl Ciphertext {
    /// The uncompressed encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode(Encoding::Uncompressed)
    }

    /// The encoding with points as asked.
    pub fn encode(&self, encoding: Encoding) -> Vec<u8> {
        frame(&header(Kind::Ciphertext, encoding, self.id, self.inputs()), |out| {
            write(out, &[self.gamma], encoding);
            write(out, &self.a, encoding);
            write(out, &self.b, encoding);
        })
    }

    /// Reads and validates a ciphertext in either encoding.
    ///
    /// # Errors
    /// The bytes are not a ciphertext, are damaged, or have a point that is not canonical or of another subgroup.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let ciphertext = Self::parse(bytes)?;
        check_ciphertexts(&[&ciphertext])?;
        Ok(ciphertext)
    }

    /// Reads a ciphertext; its points are on the curves, perhaps not in the subgroups.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let (header, mut body) = open(bytes, Kind::Ciphertext)?;
        let gamma = read::<Fp>(&mut body, 1, header.encoding, "gamma")?;
        let a = read::<Fp>(&mut body, 2 * header.n, header.encoding, "a")?;
        let b = read::<Fp2>(&mut body, 2 * header.m, header.encoding, "b")?;
        Ok(Self { id: header.public_key_id, gamma: gamma[0], a, b })
    }

    /// Bytes of an encoding.
    pub fn encoded_size(&self, encoding: Encoding) -> usize {
        size(&header(Kind::Ciphertext, encoding, self.id, self.inputs()))
    }
}

#[cfg(any(feature = "files", fuzzing))]
impl Mask {
    /// The secret encoding, erased when dropped: for encrypted files of one owner only.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let inputs = (self.a.len() / 2, self.b.len() / 2);
        let encoding = Encoding::Uncompressed;
        Zeroizing::new(frame(&header(Kind::Mask, encoding, self.id, inputs), |out| {
            write(out, &[self.gamma], encoding);
            write(out, &self.left_bases, encoding);
            write(out, &self.a, encoding);
            write(out, &self.right_bases, encoding);
            write(out, &self.b, encoding);
        }))
    }

    /// Reads a mask that its owner wrote and sealed; subgroups are not checked.
    ///
    /// # Errors
    /// Bytes that are not a mask.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let (header, mut body) = open(bytes, Kind::Mask)?;
        let encoding = header.encoding;
        let left = read::<Fp>(&mut body, 3, encoding, "bases")?;
        let a = Zeroizing::new(read::<Fp>(&mut body, 2 * header.n, encoding, "a")?);
        let right = read::<Fp2>(&mut body, 2, encoding, "bases")?;
        let b = read::<Fp2>(&mut body, 2 * header.m, encoding, "b")?;
        Ok(Self {
            id: header.public_key_id,
            gamma: left[0],
            left_bases: [left[1], left[2]],
            right_bases: [right[0], right[1]],
            a: a.to_vec(),
            b,
        })
    }
}

/// One subgroup check over the points of several ciphertexts.
pub(crate) fn check_ciphertexts(ciphertexts: &[&Ciphertext]) -> Result<(), WireError> {
    let mut a = Vec::with_capacity(ciphertexts.iter().map(|c| 1 + c.a.len()).sum());
    let mut b = Vec::with_capacity(ciphertexts.iter().map(|c| c.b.len()).sum());
    for ciphertext in ciphertexts {
        a.push(ciphertext.gamma);
        a.extend_from_slice(&ciphertext.a);
        b.extend_from_slice(&ciphertext.b);
    }
    check_subgroups(("a", &a), ("b", &b))
}

pub(super) fn size(header: &Header) -> usize {
    header.object_bytes().unwrap_or(0)
}

/// Bytes of one uncompressed ciphertext for `(n, m)` inputs, without making one.
pub fn ciphertext_size(n: usize, m: usize) -> usize {
    let points = (1 + 2 * n) * Fp::POINT_BYTES + 2 * m * Fp2::POINT_BYTES;
    HEADER_BYTES + points + CHECKSUM_BYTES
}
