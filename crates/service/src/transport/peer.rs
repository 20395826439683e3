//! The other end of a connection, as the connection itself identifies it.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

use super::names::Names;

/// The other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Where it is.
    pub address: SocketAddr,
    /// The facts in its certificate, if it presented one that our authorities signed.
    pub certificate: Option<CertificateNames>,
    /// Our name on this connection.
    pub(super) ours: Arc<Names>,
}

/// The names in a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateNames {
    /// The common name of the subject, if there is exactly one.
    pub subject: Option<String>,
    /// DNS names among the subject's alternative names, in lower case.
    pub dns: Vec<String>,
    /// URIs among them.
    pub uri: Vec<String>,
}

impl CertificateNames {
    /// The names in a certificate; none if it cannot be read.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let read = EndEntityCert::try_from(certificate).ok()?;
        Some(Self {
            subject: common_name(read.subject()),
            dns: read.valid_dns_names().map(str::to_ascii_lowercase).collect(),
            uri: read.valid_uri_names().map(str::to_owned).collect(),
        })
    }
}

/// The one common name in the content of a distinguished name (RFC 5280, 4.1.2.4): sets of pairs of type and value, in
/// DER. None where there are several, or it is in an encoding older than Unicode.
fn common_name(mut name: &[u8]) -> Option<String> {
    const SET: u8 = 0x31;
    const SEQUENCE: u8 = 0x30;
    const IDENTIFIER: u8 = 0x06;
    const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
    /// UTF-8, printable and IA5: all of them UTF-8.
    const TEXT: [u8; 3] = [0x0c, 0x13, 0x16];
    let mut found = None;
    while !name.is_empty() {
        let (mut set, rest) = value(SET, name)?;
        name = rest;
        while !set.is_empty() {
            let (pair, rest) = value(SEQUENCE, set)?;
            set = rest;
            let (kind, text) = value(IDENTIFIER, pair)?;
            if kind != COMMON_NAME {
                continue;
            }
            let tag = text.first().filter(|tag| TEXT.contains(tag))?;
            let text = std::str::from_utf8(value(*tag, text)?.0).ok()?;
            if found.replace(text.to_owned()).is_some() {
                return None;
            }
        }
    }
    found
}

/// The content of a value with this tag, and what follows it.
pub(super) fn value(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = bytes.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => {
            let (bytes, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*bytes)), rest)
        }
        // A name of 64 KiB is none.
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    #[test]
    fn names_are_read_as_they_were_written() {
        let mut params = CertificateParams::new(["Ward.example".to_owned()]).unwrap();
        params.subject_alt_names.push(SanType::URI("spiffe://example/ward".try_into().unwrap()));
        params.distinguished_name.push(DnType::OrganizationName, "hospital");
        let long = "Wärd ".repeat(60);
        params.distinguished_name.push(DnType::CommonName, long.as_str());
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let names = CertificateNames::of(certificate.der()).unwrap();
        assert_eq!(names.subject.as_deref(), Some(long.as_str()));
        assert_eq!(names.dns, ["ward.example"]);
        assert_eq!(names.uri, ["spiffe://example/ward"]);
        assert_eq!(CertificateNames::of(&CertificateDer::from(vec![0x30, 0])), None);
    }

    #[test]
    fn two_common_names_are_none() {
        let pair = [0x31, 0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, b'a'];
        assert_eq!(common_name(&pair).as_deref(), Some("a"));
        assert_eq!(common_name(&[pair, pair].concat()), None);
        assert_eq!(common_name(&[]), None);
    }

    proptest! {
        #[test]
        fn no_name_panics(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = common_name(&bytes);
        }
    }
}
