//! For what listens beside netcore's doors: connections without an end, and how many there may be.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tracing::warn;

/// The next connection. A failure is no end: the system may be short of descriptors.
///
/// Cancel-safe: dropped, no connection is lost.
pub async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut pause = SHORTEST;
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The peer had gone already.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                warn!(%error, ?pause, "cannot accept");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST);
            }
        }
    }
}

/// What counts as one address: a household has a whole /64 of IPv6.
#[must_use]
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

/// Who is connected, so many at most.
#[derive(Debug)]
pub struct Visitors {
    most: usize,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    all: usize,
    households: HashMap<IpAddr, usize>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct Visit {
    visitors: Arc<Visitors>,
    household: IpAddr,
}

impl Visitors {
    /// Nobody yet.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, now: Mutex::default() })
    }

    /// Lets one more in, unless there are too many, or too many of its [`household`].
    #[must_use]
    pub fn enter(self: &Arc<Self>, from: IpAddr, most_of_one: usize) -> Option<Visit> {
        let household = household(from);
        let mut now = self.lock();
        let own = now.households.get(&household).copied().unwrap_or_default();
        if now.all >= self.most || own >= most_of_one {
            return None;
        }
        now.all += 1;
        now.households.insert(household, own + 1);
        drop(now);
        Some(Visit { visitors: self.clone(), household })
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut now = self.visitors.lock();
        now.all -= 1;
        if let Some(own) = now.households.get_mut(&self.household) {
            *own -= 1;
            if *own == 0 {
                now.households.remove(&self.household);
            }
        }
    }
}

const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_is_one_address() {
        let one = |text: &str| household(text.parse().unwrap());
        assert_eq!(one("2001:db8::1"), one("2001:db8::ffff:1"));
        assert_ne!(one("2001:db8::1"), one("2001:db8:0:1::1"));
        assert_eq!(one("::ffff:10.0.0.1"), one("10.0.0.1"));
        assert_ne!(one("10.0.0.1"), one("10.0.0.2"));
    }

    #[test]
    fn there_is_room_again_when_somebody_has_left() {
        let visitors = Visitors::new(3);
        let [one, other]: [IpAddr; 2] = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        let first = visitors.enter(one, 2).unwrap();
        let _second = visitors.enter(one, 2).unwrap();
        assert!(visitors.enter(one, 2).is_none(), "too many of one");
        let _third = visitors.enter(other, 2).unwrap();
        assert!(visitors.enter(other, 2).is_none(), "too many in all");
        drop(first);
        assert!(visitors.enter(other, 2).is_some());
        assert_eq!(visitors.lock().households.len(), 2);
    }
}
