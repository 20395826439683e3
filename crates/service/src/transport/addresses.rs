//! How many connections each address holds.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections by the network that one customer of a provider gets: an IPv4 address, or the first 64 bits of an
/// IPv6 address.
#[derive(Clone, Default)]
pub(super) struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of an address, until it is dropped.
pub(super) struct Place {
    addresses: Addresses,
    network: IpAddr,
}

impl Addresses {
    /// A place for one more connection, unless its address holds `most` already.
    pub(super) fn take(&self, address: IpAddr, most: usize) -> Option<Place> {
        let network = network(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(network).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { addresses: self.clone(), network })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

/// The network of an address.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let addresses = Addresses::default();
        let take = |text: &str| addresses.take(text.parse().unwrap(), 2);
        let held = [take("192.0.2.1"), take("::ffff:192.0.2.1")];
        assert!(held.iter().all(Option::is_some) && take("192.0.2.1").is_none());
        assert!(take("192.0.2.2").is_some());
        drop(held);
        assert!(take("192.0.2.1").is_some());
        let _block = [take("2001:db8::1"), take("2001:db8::ffff")];
        assert!(take("2001:db8::2:1").is_none() && take("2001:db8:0:1::1").is_some());
        drop(_block);
        assert!(addresses.0.lock().unwrap().is_empty());
    }
}
