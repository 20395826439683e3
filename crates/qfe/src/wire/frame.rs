//! The frame around every object: header, body, checksum.

use sha2::{Digest, Sha256};

use super::{error::WireError, kind::Kind};
use crate::{
    QuadraticMap,
    keys::{PublicKeyId, SUITE},
};

const MAGIC: [u8; 4] = *b"HLQF";
const VERSION: u16 = 1;
pub(super) const HEADER_BYTES: usize = 68;
pub(super) const CHECKSUM_BYTES: usize = 32;
/// Epoch, servers, threshold, index, zero.
const SEAT_BYTES: usize = 16;
/// Maximum number of servers of a sharing.
const MOST_SERVERS: usize = 255;

/// Steps of a ceremony, as messages number them.
pub(crate) mod steps {
    pub(crate) const COMMIT: usize = 1;
    pub(crate) const DEAL: usize = 2;
    pub(crate) const RESHARE: usize = 3;
    pub(crate) const COMPLAIN: usize = 4;
    // 5 was an answer to a complaint, which there is no more.
    pub(crate) const ENDORSE: usize = 6;
    pub(crate) const DELIVER: usize = 7;
}

/// How points are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Both coordinates: twice the bytes, read thirty times faster.
    #[default]
    Uncompressed,
    /// One coordinate and a sign.
    Compressed,
}

impl Encoding {
    pub(super) fn is_compressed(self) -> bool {
        self == Self::Compressed
    }

    /// Bytes of points of G1 and of G2.
    pub(super) fn point_bytes(self) -> (usize, usize) {
        if self.is_compressed() { (48, 96) } else { (96, 192) }
    }
}

/// What the header of an object says; not yet checked against the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the object is.
    pub kind: Kind,
    /// How its points are written.
    pub encoding: Encoding,
    /// The public key it belongs to; the session of a message of a ceremony.
    pub public_key_id: PublicKeyId,
    /// Inputs of the left side.
    pub n: usize,
    /// Inputs of the right side.
    pub m: usize,
    /// Units of a functional or partial key, threshold of commitments, step of a message, else zero.
    pub units: usize,
    /// Outputs of a functional or partial key, entries of a message, else zero.
    pub outputs: usize,
}

impl Header {
    /// Bytes of the body; checks the dimensions first.
    pub(super) fn body_bytes(&self) -> Result<usize, WireError> {
        let Self { n, m, units, outputs, .. } = *self;
        let (left, right) = self.encoding.point_bytes();
        match self.kind {
            Kind::PartialKey => {
                QuadraticMap::check_dimensions(n, m, units, outputs)?;
                return Ok(SEAT_BYTES + 32 + outputs * right);
            }
            Kind::Commitments if outputs == 0 && units < MOST_SERVERS => {
                QuadraticMap::check_dimensions(n, m, 1, 1)?;
                return Ok(SEAT_BYTES + units * n * left);
            }
            Kind::CeremonyMessage => {
                QuadraticMap::check_dimensions(n, m, 1, 1)?;
                return self.message_bytes();
            }
            _ => {}
        }
        if self.kind == Kind::FunctionalKey {
            QuadraticMap::check_dimensions(n, m, units, outputs)?;
            return Ok(4 * (units * n + units * m + outputs * units) + outputs * right);
        }
        for (field, value) in [("units", units), ("outputs", outputs)] {
            if value != 0 {
                return Err(WireError::Header { field, value: value as u64 });
            }
        }
        QuadraticMap::check_dimensions(n, m, 1, 1)?;
        Ok(match self.kind {
            Kind::PublicKey => n * left + m * right,
            Kind::MasterKey => 32 * (n + m),
            Kind::KeyShare => SEAT_BYTES + 32 * n,
            Kind::Ciphertext => (1 + 2 * n) * left + 2 * m * right,
            _ => (3 + 2 * n) * left + (2 + 2 * m) * right,
        })
    }

    /// Bytes of a message of a ceremony: sender, receiver, content, signature.
    fn message_bytes(&self) -> Result<usize, WireError> {
        let Self { n, m, units: step, outputs: entries, .. } = *self;
        let (left, right) = self.encoding.point_bytes();
        if entries > MOST_SERVERS {
            return Err(WireError::Header { field: "outputs", value: entries as u64 });
        }
        let proof = |point: usize| point + 32;
        let content = match (step, entries) {
            (steps::COMMIT | steps::ENDORSE, 0) => 32,
            (steps::DEAL, 1..) => entries * n * left + m * right + proof(left) + proof(right),
            (steps::RESHARE, 1..) => entries * n * left + proof(left),
            (steps::COMPLAIN, _) => entries * deliver_bytes(n),
            (steps::DELIVER, 0) => 32 * n,
            (1..=4 | 6 | 7, _) => return Err(WireError::Header { field: "outputs", value: entries as u64 }),
            _ => return Err(WireError::Header { field: "units", value: step as u64 }),
        };
        Ok(4 + content + 64)
    }

    /// Bytes of the whole object.
    pub(super) fn object_bytes(&self) -> Result<usize, WireError> {
        Ok(HEADER_BYTES + self.body_bytes()? + CHECKSUM_BYTES)
    }

    /// The header in front of room for the body.
    pub(super) fn begin(&self, body: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES + body + CHECKSUM_BYTES);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&SUITE.to_le_bytes());
        out.extend_from_slice(&[self.kind.number(), u8::from(self.encoding.is_compressed()), 0, 0]);
        out.extend_from_slice(self.public_key_id.as_bytes());
        for dimension in [self.n, self.m, self.units, self.outputs] {
            out.extend_from_slice(&(dimension as u32).to_le_bytes());
        }
        out.extend_from_slice(&(body as u64).to_le_bytes());
        out
    }
}

/// Bytes of a whole message that delivers a share of `n` scalars: as such messages are quoted in complaints.
pub(super) fn deliver_bytes(n: usize) -> usize {
    HEADER_BYTES + 4 + 32 * n + 64 + CHECKSUM_BYTES
}

/// Appends the checksum.
pub(super) fn seal(out: &mut Vec<u8>) {
    let checksum = Sha256::digest(&*out);
    out.extend_from_slice(&checksum);
}

/// Reads the header of any object, without its body: what a file says that it is.
///
/// # Errors
/// Too few bytes, another magic, version or suite, or a field with an impossible value.
pub fn peek(bytes: &[u8]) -> Result<Header, WireError> {
    let least = HEADER_BYTES + CHECKSUM_BYTES;
    let mut reader = Bytes { rest: bytes };
    let short = WireError::Length { found: bytes.len() as u64, expected: least as u64 };
    if bytes.len() < 4 {
        return Err(short);
    }
    let found: [u8; 4] = reader.array()?;
    if found != MAGIC {
        return Err(WireError::Magic { found });
    }
    if bytes.len() < least {
        return Err(short);
    }
    let found = u16::from_le_bytes(reader.array()?);
    if found != VERSION {
        return Err(WireError::Version { found });
    }
    let found = u16::from_le_bytes(reader.array()?);
    if found != SUITE {
        return Err(WireError::Suite { found });
    }
    let [kind, encoding, zero @ ..]: [u8; 4] = reader.array()?;
    let bad = |field, value: u16| WireError::Header { field, value: value.into() };
    let kind = Kind::from_number(kind).ok_or_else(|| bad("kind", kind.into()))?;
    let encoding = match encoding {
        0 => Encoding::Uncompressed,
        1 => Encoding::Compressed,
        other => return Err(bad("encoding", other.into())),
    };
    if zero != [0, 0] {
        return Err(bad("reserved", u16::from_le_bytes(zero)));
    }
    let public_key_id = PublicKeyId::from_bytes(reader.array()?);
    let mut dimensions = [0usize; 4];
    for dimension in &mut dimensions {
        *dimension = u32::from_le_bytes(reader.array()?) as usize;
    }
    let [n, m, units, outputs] = dimensions;
    Ok(Header { kind, encoding, public_key_id, n, m, units, outputs })
}

/// Checks frame, length and checksum; the header and the body.
pub(super) fn open(bytes: &[u8], expected: Kind) -> Result<(Header, Bytes<'_>), WireError> {
    let header = peek(bytes)?;
    if header.kind != expected {
        return Err(WireError::Kind { found: header.kind, expected });
    }
    // Secrets and messages are written in one way, so that each has one text.
    let once = matches!(expected, Kind::MasterKey | Kind::Mask | Kind::KeyShare | Kind::CeremonyMessage);
    if once && header.encoding.is_compressed() {
        return Err(WireError::Header { field: "encoding", value: 1 });
    }
    let body = header.body_bytes()?;
    let total = header.object_bytes()?;
    if bytes.len() != total {
        return Err(WireError::Length { found: bytes.len() as u64, expected: total as u64 });
    }
    let mut declared = Bytes { rest: &bytes[HEADER_BYTES - 8..] };
    let declared = u64::from_le_bytes(declared.array()?);
    if declared != body as u64 {
        return Err(WireError::Header { field: "body", value: declared });
    }
    let (content, checksum) = bytes.split_at(HEADER_BYTES + body);
    if Sha256::digest(content)[..] != *checksum {
        return Err(WireError::Checksum);
    }
    Ok((header, Bytes { rest: &content[HEADER_BYTES..] }))
}

/// Bytes read front to back.
pub(super) struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let Some((head, rest)) = self.rest.split_at_checked(count) else {
            return Err(WireError::Length { found: self.rest.len() as u64, expected: count as u64 });
        };
        self.rest = rest;
        Ok(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body_bytes(kind: Kind, units: usize, outputs: usize) -> Result<usize, WireError> {
        let public_key_id = PublicKeyId::from_bytes([0; 32]);
        Header { kind, encoding: Encoding::Compressed, public_key_id, n: 5, m: 3, units, outputs }.body_bytes()
    }

    fn refused(field: &'static str, value: u64) -> Result<usize, WireError> {
        Err(WireError::Header { field, value })
    }

    #[test]
    fn messages_have_the_length_of_their_step() {
        let message = |step, entries| body_bytes(Kind::CeremonyMessage, step, entries);
        let content = |bytes: usize| Ok(4 + bytes + 64);
        assert_eq!((message(steps::COMMIT, 0), message(steps::ENDORSE, 0)), (content(32), content(32)));
        assert_eq!(message(steps::DEAL, 2), content(2 * 5 * 48 + 3 * 96 + 48 + 32 + 96 + 32));
        assert_eq!(message(steps::RESHARE, 255), content(255 * 5 * 48 + 48 + 32));
        assert_eq!(message(steps::RESHARE, 256), refused("outputs", 256));
        assert_eq!(message(steps::COMPLAIN, 0), content(0));
        assert_eq!(message(steps::COMPLAIN, 2), content(2 * (68 + 4 + 5 * 32 + 64 + 32)));
        assert_eq!(message(steps::DELIVER, 0), content(5 * 32));
        for (step, entries) in [(1, 1), (2, 0), (3, 0), (6, 1), (7, 1)] {
            assert_eq!(message(step, entries), refused("outputs", entries as u64), "{step}");
        }
        for step in [0, 5, 8] {
            assert_eq!(message(step, 0), refused("units", step as u64));
        }
    }

    #[test]
    fn commitments_are_to_fewer_coefficients_than_there_may_be_servers() {
        assert_eq!(body_bytes(Kind::Commitments, 254, 0), Ok(16 + 254 * 5 * 48));
        assert_eq!(body_bytes(Kind::Commitments, 255, 0), refused("units", 255));
        assert_eq!(body_bytes(Kind::Commitments, 0, 1), refused("outputs", 1));
    }

    /// An object that grows leaves a copy of its secrets in memory.
    #[test]
    fn an_object_is_allocated_once() {
        let id = PublicKeyId::from_bytes([0; 32]);
        let header = super::super::objects::header(Kind::MasterKey, Encoding::Uncompressed, id, (2, 1));
        let mut out = header.begin(96);
        let allocated = out.capacity();
        out.extend([0; 96]);
        seal(&mut out);
        assert_eq!((out.len(), out.capacity()), (68 + 96 + 32, allocated));
        assert!(allocated < 2 * out.len());
    }
}
