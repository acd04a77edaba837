//! Connections that come through a proxy, which says whose they are.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

use super::proxy_header::{KEPT, Parsed, parse};
use crate::session::{CloseReason, ProxyFault};

/// Which proxies may say whose connection it is, on a door that they stand before: HAProxy, an Nginx stream, a cloud's
/// load balancer. See [`Door::proxy`](crate::Door::proxy).
///
/// ```
/// use netcore::{Door, Frame, Proxy};
///
/// # fn main() -> Result<(), netcore::NotANetwork> {
/// let door: Door<Frame, Frame> =
///     Door::tcp("[::]:11020").proxy(Proxy::trusting(["10.0.0.0/8", "fd00::/8", "192.0.2.7"])?);
/// # Ok(())
/// # }
/// ```
///
/// The header is that of the PROXY protocol, version 1 (a line of at most 107 bytes) or 2 (binary). Who connects from
/// elsewhere is closed, as is a connection without a header: [`CloseReason::Proxy`](crate::CloseReason::Proxy) says which.
/// A header that names nobody (`LOCAL`, `UNKNOWN`, as health checks send) leaves the connection its own address. What
/// version 2 adds behind the addresses is not looked at.
///
/// | setting | default |
/// |---|---|
/// | [`max_header`](Self::max_header) | 1,024 bytes |
#[derive(Clone, Debug)]
pub struct Proxy {
    // `None`: anyone.
    trusted: Option<Vec<Network>>,
    max_header: usize,
}

/// A text that is neither an address nor a network.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is neither an address (192.0.2.7, fd00::7) nor a network (10.0.0.0/8, fd00::/8)")]
pub struct NotANetwork(String);

impl Proxy {
    /// Proxies at those addresses and in those networks.
    ///
    /// # Errors
    /// When one of the texts is neither.
    pub fn trusting<I>(networks: I) -> Result<Self, NotANetwork>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let networks = networks.into_iter().map(|text| {
            let text = text.as_ref();
            Network::parse(text).ok_or_else(|| NotANetwork(text.to_owned()))
        });
        Ok(Self { trusted: Some(networks.collect::<Result<_, _>>()?), max_header: MAX_HEADER })
    }

    /// Anyone, who may then come from whatever address they like: only where nobody but proxies can reach the door.
    #[must_use]
    pub fn danger_trusting_anyone() -> Self {
        Self { trusted: None, max_header: MAX_HEADER }
    }

    /// The longest header that is taken, in bytes, with what version 2 has behind the addresses: 107 at least.
    #[must_use]
    pub fn max_header(mut self, bytes: usize) -> Self {
        self.max_header = bytes.max(107);
        self
    }

    /// Whether who connects from there may say anything. A connection in memory has no address, and may.
    pub(crate) fn check(&self, from: Option<SocketAddr>) -> Result<(), CloseReason> {
        let (Some(networks), Some(from)) = (&self.trusted, from) else { return Ok(()) };
        if networks.iter().any(|network| network.has(from.ip())) {
            return Ok(());
        }
        Err(ProxyFault::Untrusted.into())
    }

    /// Reads the header, and not a byte more. The address that it names, if any.
    pub(crate) async fn read(
        &self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> Result<Option<SocketAddr>, CloseReason> {
        let mut bytes = [0; KEPT];
        let mut len = 0;
        // An empty header needs something in any case.
        let (source, mut skip) = loop {
            let need = match parse(bytes.get(..len).unwrap_or_default(), self.max_header) {
                Ok(Parsed::Need(need)) => need,
                Ok(Parsed::Whole { source, skip }) => break (source, skip),
                Err(fault) => return Err(fault.into()),
            };
            let Some(room) = bytes.get_mut(len..len + need) else {
                return Err(ProxyFault::TooLong(len + need).into());
            };
            len += read(stream, room).await?;
        };
        while skip > 0 {
            let most = skip.min(KEPT);
            skip -= read(stream, bytes.get_mut(..most).unwrap_or_default()).await?;
        }
        Ok(source)
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin), room: &mut [u8]) -> Result<usize, CloseReason> {
    match stream.read(room).await {
        Ok(0) => Err(CloseReason::PeerClosed),
        Ok(len) => Ok(len),
        Err(error) => Err(error.kind().into()),
    }
}

/// Addresses whose first bits are the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => bits.parse().ok()?,
            Some(_) => return None,
            None => most,
        };
        // Written as IPv6, an IPv4 peer is an IPv4 peer, and a network of such peers one of IPv4.
        let canonical = address.to_canonical();
        let bits = if canonical == address { Some(bits) } else { u32::checked_sub(bits, 96) };
        let most = if canonical.is_ipv4() { 32 } else { 128 };
        bits.filter(|bits| *bits <= most).map(|bits| Self { address: canonical, bits })
    }

    fn has(&self, address: IpAddr) -> bool {
        let same = |a: u128, b: u128, width: u32| (a ^ b).checked_shr(width - self.bits).unwrap_or(0) == 0;
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
            _ => false,
        }
    }
}

const MAX_HEADER: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_as_it_does() {
        let proxy = Proxy::trusting(["10.0.0.0/8", "fd00::/8", "192.0.2.7", "0.0.0.0/32"]).unwrap();
        let may = |address: &str| proxy.check(Some(SocketAddr::new(address.parse().unwrap(), 1))).is_ok();
        for address in ["10.255.0.1", "::ffff:10.1.2.3", "fd12::1", "192.0.2.7"] {
            assert!(may(address), "{address}");
        }
        for address in ["11.0.0.1", "fe00::1", "192.0.2.8", "::1", "127.0.0.1"] {
            assert!(!may(address), "{address}");
        }
        let mapped = Proxy::trusting(["::ffff:10.0.0.0/104", "::ffff:192.0.2.7"]).unwrap();
        for (address, may) in [
            ("10.1.2.3:1", true),
            ("[::ffff:10.1.2.3]:1", true),
            ("192.0.2.7:1", true),
            ("11.0.0.1:1", false),
        ] {
            assert_eq!(mapped.check(Some(address.parse().unwrap())).is_ok(), may, "{address}");
        }
        let all = Proxy::trusting(["0.0.0.0/0"]).unwrap();
        assert!(all.check(Some("203.0.113.7:1".parse().unwrap())).is_ok());
        assert!(all.check(Some("[::1]:1".parse().unwrap())).is_err(), "of the other family none");
        for text in
            ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "fd00::/129", "::ffff:10.0.0.0/8", "localhost"]
        {
            assert_eq!(Proxy::trusting([text]).unwrap_err(), NotANetwork(text.to_owned()));
        }
    }
}
