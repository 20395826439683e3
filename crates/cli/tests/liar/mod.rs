//! Dishonest servers: what they sign and what they answer.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use qfe::QuadraticMap;
use qfe::shares::ceremony::Participant;
use roles::ShareHolder;
use roles::ceremony::Definition;

use crate::institutions;

/// What a liar does in a ceremony. It reports and endorses nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lie {
    /// Deals something else than it committed to.
    Switch,
    /// Puts the messages of another server in its own name.
    Copy,
    /// Signs a wrong share for one server.
    WrongShares,
    /// Seals rubbish to one server, which proves nothing to others.
    Rubbish,
}

impl Lie {
    /// Puts its messages into the store, before anybody else has put any.
    pub fn tell(
        self,
        key: &Path,
        server: usize,
        definition: &Definition,
        share: Option<&ShareHolder>,
        mail: &Path,
        victim: usize,
    ) {
        let text = fs::read_to_string(key).unwrap();
        let digits = text.trim().trim_start_matches("ed25519-secret:");
        let seed: [u8; 32] =
            std::array::from_fn(|byte| u8::from_str_radix(&digits[2 * byte..2 * byte + 2], 16).unwrap());
        let share = share.map(ShareHolder::share);
        let draw = || Participant::new(definition.ceremony().unwrap(), &seed, share, &mut rand::rng()).unwrap();
        let (said, other) = (draw(), draw());
        let (dealing, second) = (said.deal().unwrap(), other.deal().unwrap());
        let index = server + 1;
        let put = |name: String, bytes: &[u8]| {
            fs::create_dir_all(mail).unwrap();
            fs::write(mail.join(name), bytes).unwrap();
        };
        if self == Self::Copy {
            // In its own place, what others will put in theirs: it has none of theirs yet, and so its own in theirs.
            for place in 1..=definition.servers().len() {
                put(format!("commit-{place}"), &said.commit().unwrap());
            }
            return;
        }
        put(format!("commit-{index}"), &said.commit().unwrap());
        put(format!("deal-{index}"), if self == Self::Switch { &second.public } else { &dealing.public });
        for ((to, right), (_, wrong)) in dealing.private.iter().zip(&second.private) {
            let hurt = usize::from(*to) == victim + 1;
            let recipient: age::x25519::Recipient =
                definition.servers()[usize::from(*to) - 1].recipient.parse().unwrap();
            let message: &[u8] = match self {
                Self::WrongShares if hurt => wrong,
                _ => right,
            };
            let sealed = age::encrypt(&recipient, message).unwrap();
            put(format!("share-{index}-{to}"), if self == Self::Rubbish && hurt { b"rubbish" } else { &sealed });
        }
    }
}

/// An authority that answers every wish with a wrong part.
pub struct LyingServer {
    pub url: String,
}

impl LyingServer {
    /// One that has a share, or none; `how` chooses the lie.
    pub fn start(holder: Option<ShareHolder>, how: usize) -> Self {
        let network = institutions::network(255);
        let part = |map: &QuadraticMap| holder.as_ref().map(|holder| holder.issue_partial(map).unwrap().to_bytes());
        let other = institutions::network(8);
        let right = part(network.map());
        let answer = match how % 4 {
            // Of another function, under the name of this one.
            0 => part(other.map()).zip(right).map(|(mut wrong, right)| {
                // Seat, then the digest of the function.
                wrong[84..116].copy_from_slice(&right[84..116]);
                sealed(wrong)
            }),
            // Outputs in another order.
            1 => right.map(|mut bytes| {
                let end = bytes.len() - 32;
                let (first, second) = bytes[end - 384..end].split_at_mut(192);
                first.swap_with_slice(second);
                sealed(bytes)
            }),
            // In another server's name.
            2 => right.map(|mut bytes| {
                bytes[80] = bytes[80] % 5 + 1;
                sealed(bytes)
            }),
            _ => None,
        };
        let answer = answer.unwrap_or_else(|| b"no part at all".to_vec());
        let body = serde_json::json!({ "partial": STANDARD.encode(answer) }).to_string();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let _ = write!(
                    stream,
                    "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self { url }
    }
}

/// With a fresh checksum.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 32;
    let checksum = <sha2::Sha256 as sha2::Digest>::digest(&bytes[..end]);
    bytes[end..].copy_from_slice(&checksum);
    bytes
}
