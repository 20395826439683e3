//! Shares, partial keys, commitments, and messages of ceremonies.

use zeroize::Zeroizing;

use super::{
    error::WireError,
    frame::{Bytes, Encoding, Header, deliver_bytes, open, steps},
    kind::Kind,
    objects::{frame, header, size},
    points::{check_subgroups, read, read_scalars, write, write_scalars},
};
use crate::{
    keys::{PublicKey, PublicKeyId},
    raw::{Fp, Fp2, G1, G2, Scalar},
    shares::{Commitments, KeyShare, PartialKey, Seat, Sharing},
};

fn write_seat(out: &mut Vec<u8>, seat: &Seat) {
    out.extend_from_slice(&seat.epoch.to_le_bytes());
    for field in [seat.sharing.servers(), seat.sharing.threshold(), seat.index, 0] {
        out.extend_from_slice(&field.to_le_bytes());
    }
}

/// Reads a seat whose index is from 1, or zero when it is everybody's.
fn read_seat(body: &mut Bytes<'_>, public_key_id: PublicKeyId, everybody: bool) -> Result<Seat, WireError> {
    let bad = |field, value: u16| WireError::Header { field, value: value.into() };
    let epoch = u64::from_le_bytes(body.array()?);
    let mut field = || -> Result<u16, WireError> { Ok(u16::from_le_bytes(body.array()?)) };
    let (servers, threshold, index, zero) = (field()?, field()?, field()?, field()?);
    let sharing = Sharing::new(servers, threshold).map_err(|_| bad("servers", servers))?;
    if index > servers || everybody != (index == 0) {
        return Err(bad("index", index));
    }
    if zero != 0 {
        return Err(bad("reserved", zero));
    }
    Ok(Seat { public_key_id, epoch, sharing, index })
}

impl KeyShare {
    fn header(&self) -> Header {
        header(Kind::KeyShare, Encoding::Uncompressed, self.seat.public_key_id, self.inputs())
    }

    /// The secret encoding, erased when dropped: for encrypted files and channels only.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(frame(&self.header(), |out| {
            write_seat(out, &self.seat);
            write_scalars(out, &self.s);
        }))
    }

    /// Reads a share; [`KeyShare::verify`] says whether it is right.
    ///
    /// # Errors
    /// The bytes are not a share.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let (header, mut body) = open(bytes, Kind::KeyShare)?;
        let seat = read_seat(&mut body, header.public_key_id, false)?;
        let mut s = read_scalars(&mut body, header.n, "s")?;
        Ok(Self { s: std::mem::take(&mut *s), right_inputs: header.m, seat })
    }

    /// Bytes of the encoding before it is encrypted.
    pub fn encoded_size(&self) -> usize {
        size(&self.header())
    }
}

impl PartialKey {
    fn header(&self, encoding: Encoding) -> Header {
        let outputs = self.values.len();
        Header {
            units: self.units,
            outputs,
            ..header(Kind::PartialKey, encoding, self.seat.public_key_id, self.inputs)
        }
    }

    /// The uncompressed encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode(Encoding::Uncompressed)
    }

    /// The encoding with points as asked.
    pub fn encode(&self, encoding: Encoding) -> Vec<u8> {
        frame(&self.header(encoding), |out| {
            write_seat(out, &self.seat);
            out.extend_from_slice(&self.function);
            write(out, &self.values, encoding);
        })
    }

    /// Reads a partial key in either encoding; a [`Combiner`](crate::shares::Combiner) says whether it is right.
    ///
    /// # Errors
    /// The bytes are not a partial key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let (header, mut body) = open(bytes, Kind::PartialKey)?;
        let seat = read_seat(&mut body, header.public_key_id, false)?;
        let function = body.array()?;
        let values = read::<Fp2>(&mut body, header.outputs, header.encoding, "values")?;
        check_subgroups(("", &[]), ("values", &values))?;
        Ok(Self { seat, inputs: (header.n, header.m), units: header.units, function, values })
    }

    /// Bytes of an encoding.
    pub fn encoded_size(&self, encoding: Encoding) -> usize {
        size(&self.header(encoding))
    }
}

impl Commitments {
    fn header(&self, encoding: Encoding) -> Header {
        let inputs = (self.rows[0].len(), self.right_inputs);
        Header {
            units: self.seat.sharing.threshold().into(),
            ..header(Kind::Commitments, encoding, self.seat.public_key_id, inputs)
        }
    }

    /// The uncompressed encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode(Encoding::Uncompressed)
    }

    /// The encoding with points as asked.
    pub fn encode(&self, encoding: Encoding) -> Vec<u8> {
        frame(&self.header(encoding), |out| {
            write_seat(out, &self.seat);
            self.rows[1..].iter().for_each(|row| write(out, row, encoding));
        })
    }

    /// Reads commitments to the sharing of a public key, which holds the first of them.
    ///
    /// # Errors
    /// The bytes are not commitments, or of another public key.
    pub fn from_bytes(bytes: &[u8], key: &PublicKey) -> Result<Self, WireError> {
        let (header, mut body) = open(bytes, Kind::Commitments)?;
        if header.public_key_id != key.id() || (header.n, header.m) != key.inputs() {
            return Err(WireError::Id);
        }
        let seat = read_seat(&mut body, key.id(), true)?;
        if usize::from(seat.sharing.threshold()) != header.units {
            return Err(WireError::Header { field: "threshold", value: seat.sharing.threshold().into() });
        }
        let points = read::<Fp>(&mut body, header.units * header.n, header.encoding, "coefficients")?;
        check_subgroups(("coefficients", &points), ("", &[]))?;
        let mut rows = vec![key.s.clone()];
        rows.extend(points.chunks_exact(header.n).map(<[G1]>::to_vec));
        Ok(Self::new(seat, header.m, rows))
    }

    /// Bytes of an encoding.
    pub fn encoded_size(&self, encoding: Encoding) -> usize {
        size(&self.header(encoding))
    }
}

/// Whose message it is, and of what.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct MessageHead {
    /// SHA-256 of the ceremony's definition.
    pub(crate) session: [u8; 32],
    /// Inputs `(n, m)` of the key.
    pub(crate) inputs: (usize, usize),
    pub(crate) from: u16,
    /// Zero for everybody.
    pub(crate) to: u16,
}

/// A point and a scalar: a proof of knowledge in G1 or G2.
pub(crate) type Proof<P> = (P, Scalar);

/// `[a_l]₁`, proof for `a_0`; when a key is made, `[t]₂` and its proof.
pub(crate) struct Deal {
    pub(crate) rows: Vec<Vec<G1>>,
    pub(crate) proof: Proof<G1>,
    pub(crate) right: Option<(Vec<G2>, Proof<G2>)>,
}

/// What a message says.
pub(crate) enum MessageBody {
    /// SHA-256 of the dealing that will follow.
    Commit([u8; 32]),
    Deal(Box<Deal>),
    /// Messages of dealers to the sender whose share is wrong, whole and with their signatures.
    Complain(Vec<Vec<u8>>),
    /// SHA-256 of all messages before.
    Endorse([u8; 32]),
    /// A share, for one receiver's eyes.
    Deliver(Zeroizing<Vec<Scalar>>),
}

impl MessageBody {
    pub(crate) fn step(&self) -> usize {
        match self {
            Self::Commit(_) => steps::COMMIT,
            Self::Deal(deal) if deal.right.is_some() => steps::DEAL,
            Self::Deal(_) => steps::RESHARE,
            Self::Complain(_) => steps::COMPLAIN,
            Self::Endorse(_) => steps::ENDORSE,
            Self::Deliver(_) => steps::DELIVER,
        }
    }

    fn entries(&self) -> usize {
        match self {
            Self::Deal(deal) => deal.rows.len(),
            Self::Complain(wrong) => wrong.len(),
            _ => 0,
        }
    }
}

/// Writes a message; `sign` gets all bytes before the signature.
pub(crate) fn write_message(
    head: &MessageHead,
    body: &MessageBody,
    sign: impl FnOnce(&[u8]) -> [u8; 64],
) -> Zeroizing<Vec<u8>> {
    let encoding = Encoding::Uncompressed;
    let header = Header {
        units: body.step(),
        outputs: body.entries(),
        ..header(Kind::CeremonyMessage, encoding, PublicKeyId(head.session), head.inputs)
    };
    Zeroizing::new(frame(&header, |out| {
        out.extend_from_slice(&head.from.to_le_bytes());
        out.extend_from_slice(&head.to.to_le_bytes());
        match body {
            MessageBody::Commit(digest) | MessageBody::Endorse(digest) => out.extend_from_slice(digest),
            MessageBody::Deal(deal) => {
                let Deal { rows, proof, right } = &**deal;
                rows.iter().for_each(|row| write(out, row, encoding));
                write(out, &[proof.0], encoding);
                write_scalars(out, &[proof.1]);
                if let Some((points, proof)) = right {
                    write(out, points, encoding);
                    write(out, &[proof.0], encoding);
                    write_scalars(out, &[proof.1]);
                }
            }
            MessageBody::Complain(wrong) => wrong.iter().for_each(|message| out.extend_from_slice(message)),
            MessageBody::Deliver(share) => write_scalars(out, share),
        }
        let signature = sign(out);
        out.extend_from_slice(&signature);
    }))
}

/// A message as read; the signature is not checked yet.
pub(crate) struct Message<'a> {
    pub(crate) head: MessageHead,
    pub(crate) body: MessageBody,
    pub(crate) signature: [u8; 64],
    /// The bytes that it signs.
    pub(crate) signed: &'a [u8],
}

/// Reads a message.
pub(crate) fn read_message(bytes: &[u8]) -> Result<Message<'_>, WireError> {
    let (header, mut body) = open(bytes, Kind::CeremonyMessage)?;
    let Header { n, m, units: step, outputs: entries, .. } = header;
    let number = |body: &mut Bytes<'_>| -> Result<u16, WireError> { Ok(u16::from_le_bytes(body.array()?)) };
    let (from, to) = (number(&mut body)?, number(&mut body)?);
    let content = match step {
        steps::COMMIT => MessageBody::Commit(body.array()?),
        steps::ENDORSE => MessageBody::Endorse(body.array()?),
        steps::DEAL | steps::RESHARE => read_deal(&mut body, &header)?,
        steps::COMPLAIN => {
            let quoted = |_| body.take(deliver_bytes(n)).map(<[u8]>::to_vec);
            MessageBody::Complain((0..entries).map(quoted).collect::<Result<_, _>>()?)
        }
        _ => MessageBody::Deliver(read_scalars(&mut body, n, "share")?),
    };
    let signature = body.array()?;
    // Signature and checksum come last.
    let signed = &bytes[..bytes.len() - 96];
    let head = MessageHead { session: header.public_key_id.0, inputs: (n, m), from, to };
    Ok(Message { head, body: content, signature, signed })
}

fn read_deal(body: &mut Bytes<'_>, header: &Header) -> Result<MessageBody, WireError> {
    let Header { n, m, units: step, outputs: rows, encoding, .. } = *header;
    let mut left = read::<Fp>(body, rows * n + 1, encoding, "rows")?;
    let answer = read_scalars(body, 1, "proof")?[0];
    let (mut points, mut second) = (Vec::new(), None);
    if step == steps::DEAL {
        points = read::<Fp2>(body, m + 1, encoding, "t")?;
        second = Some(read_scalars(body, 1, "proof")?[0]);
    }
    check_subgroups(("rows", &left), ("t", &points))?;
    let proof = (left.pop().unwrap_or_default(), answer);
    let right = second.map(|answer| {
        let announcement = points.pop().unwrap_or_default();
        (points, (announcement, answer))
    });
    let rows = left.chunks_exact(n).map(<[G1]>::to_vec).collect();
    Ok(MessageBody::Deal(Box::new(Deal { rows, proof, right })))
}
