//! How many sessions a server may have, and from where.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::session::CloseReason;

/// Counts what may be a session: from the moment that a connection is accepted until nobody knows the session any more. A
/// worker that is behind still has those that came and went, with all that they sent; they have their place so long.
#[derive(Debug)]
pub(crate) struct Caps {
    counted: Mutex<Counted>,
    max_sessions: usize,
    max_per_address: usize,
}

#[derive(Default, Debug)]
struct Counted {
    // With those that have no session yet.
    count: usize,
    addresses: HashMap<IpAddr, usize>,
    // Indices that may be used again. First in, first out: one rests as long as it can.
    free: VecDeque<u32>,
}

impl Caps {
    pub(crate) fn new(max_sessions: usize, max_per_address: usize) -> Self {
        Self { counted: Mutex::default(), max_sessions, max_per_address }
    }

    /// Makes room for one more session, which need not begin yet.
    pub(crate) fn reserve(&self, address: Option<IpAddr>) -> Result<(), CloseReason> {
        let mut counted = self.lock();
        if counted.count >= self.max_sessions {
            return Err(CloseReason::ServerFull);
        }
        if let Some(address) = address {
            self.count_address(&mut counted, address)?;
        }
        counted.count += 1;
        Ok(())
    }

    /// Who has made room turns out to come from that address.
    pub(crate) fn reserve_at(&self, address: IpAddr) -> Result<(), CloseReason> {
        self.count_address(&mut self.lock(), address)
    }

    fn count_address(&self, counted: &mut Counted, address: IpAddr) -> Result<(), CloseReason> {
        let address = whole(address);
        let here = counted.addresses.get(&address).copied().unwrap_or_default();
        if here >= self.max_per_address {
            return Err(CloseReason::AddressFull);
        }
        counted.addresses.insert(address, here + 1);
        Ok(())
    }

    /// How many places are taken.
    pub(crate) fn count(&self) -> usize {
        self.lock().count
    }

    /// An index that is free again.
    pub(super) fn index(&self) -> Option<u32> {
        self.lock().free.pop_front()
    }

    /// Nothing came of what there was room for.
    pub(crate) fn leave(&self, address: Option<IpAddr>) {
        self.lock().leave(address);
    }

    /// Nobody knows the session any more.
    pub(crate) fn end(&self, index: u32, address: Option<IpAddr>) {
        let mut counted = self.lock();
        counted.leave(address);
        counted.free.push_back(index);
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn leave(&mut self, address: Option<IpAddr>) {
        if let Some(address) = address.map(whole)
            && let Some(here) = self.addresses.get_mut(&address)
        {
            *here -= 1;
            if *here == 0 {
                self.addresses.remove(&address);
            }
        }
        self.count -= 1;
    }
}

/// What counts as one address: of IPv6 the network, since each customer has 2^64 addresses to come from. But the one network
/// through which IPv6 hosts are reached from all of IPv4 (NAT64, RFC 6052) is as many peers as there are addresses in it.
fn whole(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => match address.octets() {
            [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => IpAddr::from([a, b, c, d]),
            _ => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                IpAddr::V6(network.into())
            }
        },
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_hold_in_total_and_per_address_and_indices_rest() {
        let caps = Caps::new(3, 2);
        let at = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        caps.reserve(at("2001:db8::1")).unwrap();
        caps.reserve(at("2001:db8::2")).unwrap();
        assert_eq!(caps.reserve(at("2001:db8::3")), Err(CloseReason::AddressFull), "one network");
        caps.reserve(at("10.0.0.1")).unwrap();
        assert_eq!(caps.reserve(at("10.0.0.2")), Err(CloseReason::ServerFull));
        caps.end(0, at("2001:db8::1"));
        caps.end(1, at("10.0.0.1"));
        caps.reserve(at("2001:db8::3")).unwrap();
        assert_eq!((caps.index(), caps.index(), caps.index()), (Some(0), Some(1), None));
    }
    #[test]
    fn peers_behind_nat64_are_those_of_ipv4() {
        let caps = Caps::new(100, 1);
        let at = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        caps.reserve(at("64:ff9b::a00:1")).unwrap();
        caps.reserve(at("64:ff9b::a00:2")).unwrap();
        assert_eq!(caps.reserve(at("10.0.0.1")), Err(CloseReason::AddressFull));
        caps.reserve(at("64:ff9b:0:1::1")).unwrap();
        assert_eq!(caps.reserve(at("64:ff9b:0:1::2")), Err(CloseReason::AddressFull), "any other network");
    }
}
