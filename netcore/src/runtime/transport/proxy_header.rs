//! The PROXY header, v1 and v2, out of bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::session::ProxyFault;

/// What the beginning of a connection is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Parsed {
    /// A header that is not whole: so many bytes more are its own at least.
    Need(usize),
    /// A whole header, but for `skip` bytes behind, which say nothing that we use. Without a source the connection is the
    /// proxy's own.
    Whole { source: Option<SocketAddr>, skip: usize },
}

/// Reads the header at the front of a connection.
///
/// ```text
///  v1  PROXY TCP4 203.0.113.7 10.0.0.1 51234 11020\r\n        a line of at most 107 bytes
///
///  v2  +0   12  0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a
///      +12   1  version (high half, 2), command (low half: 0 local, 1 proxied)
///      +13   1  family (high half: 1 IPv4, 2 IPv6), protocol (low half: 1 stream)
///      +14   2  length of what follows, big-endian
///      +16      source, destination, source port, destination port; then what other parties agree on
/// ```
///
/// `bytes` are never more than earlier answers asked for, so that not a byte behind the header is read.
///
/// # Errors
/// When it is no header, as soon as that can be known.
pub(crate) fn parse(bytes: &[u8], max: usize) -> Result<Parsed, ProxyFault> {
    // Of either version, for all that is known.
    if bytes.is_empty() {
        return Ok(Parsed::Need(V1_MIN));
    }
    if begins(bytes, &SIGNATURE) {
        return parse_v2(bytes, max);
    }
    if begins(bytes, PREFIX) {
        return parse_v1(bytes, max);
    }
    Err(ProxyFault::Missing)
}

/// Whether one is the beginning of the other.
fn begins(bytes: &[u8], with: &[u8]) -> bool {
    bytes.iter().zip(with).all(|(byte, with)| byte == with)
}

fn parse_v2(bytes: &[u8], max: usize) -> Result<Parsed, ProxyFault> {
    let Some(head) = bytes.first_chunk::<V2_HEAD>() else {
        return Ok(Parsed::Need(V2_HEAD - bytes.len()));
    };
    let [.., version, family, high, low] = *head;
    let len = usize::from(u16::from_be_bytes([high, low]));
    let proxied = match version {
        0x20 => false,
        0x21 => true,
        _ => return Err(ProxyFault::Malformed),
    };
    if V2_HEAD + len > max {
        return Err(ProxyFault::TooLong(V2_HEAD + len));
    }
    let body = bytes.get(V2_HEAD..).unwrap_or_default();
    // Of other families that there are the address is not known, and the connection counts as the proxy's own.
    let addresses = match (proxied, family) {
        (true, 0x11) => 12,
        (true, 0x21) => 36,
        // §2.2: "other values are unspecified and […] must be rejected as invalid by receivers".
        (true, family) if family >> 4 > 3 || family & 0x0f > 2 => return Err(ProxyFault::Malformed),
        _ => return Ok(Parsed::Whole { source: None, skip: len.saturating_sub(body.len()) }),
    };
    if len < addresses {
        return Err(ProxyFault::Malformed);
    }
    let mut body = Reader(body);
    let source = if addresses == 12 {
        body.take::<4>()
            .zip(body.take::<4>())
            .zip(body.take())
            .map(|((ip, _), port)| at(Ipv4Addr::from(ip), port))
    } else {
        body.take::<16>()
            .zip(body.take::<16>())
            .zip(body.take())
            .map(|((ip, _), port)| at(Ipv6Addr::from(ip), port))
    };
    let (Some(source), Some([_, _])) = (source, body.take::<2>()) else {
        return Ok(Parsed::Need(V2_HEAD + addresses - bytes.len()));
    };
    Ok(Parsed::Whole { source: Some(source), skip: (len - addresses).saturating_sub(body.0.len()) })
}

fn at(ip: impl Into<IpAddr>, port: [u8; 2]) -> SocketAddr {
    SocketAddr::new(ip.into().to_canonical(), u16::from_be_bytes(port))
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}

fn parse_v1(bytes: &[u8], max: usize) -> Result<Parsed, ProxyFault> {
    // "A 107-byte buffer is enough to store all the line", its end included.
    let max = V1_MAX.min(max);
    let Some(line) = bytes.strip_suffix(b"\r\n") else {
        // Not more than must still come: each field that is missing has a space before it and a character at least.
        let spaces = bytes.iter().filter(|byte| **byte == b' ').count();
        let missing = if begins(bytes, b"PROXY TCP") { 5_usize.saturating_sub(spaces) } else { 0 };
        let need = match bytes {
            _ if bytes.len() < V1_MIN => V1_MIN - bytes.len(),
            [.., b'\r'] => 1,
            _ => 2 * missing + 2,
        };
        if bytes.contains(&b'\n') {
            return Err(ProxyFault::Malformed);
        }
        return if bytes.len() + need > max {
            Err(ProxyFault::TooLong(bytes.len() + need))
        } else {
            Ok(Parsed::Need(need))
        };
    };
    let line = std::str::from_utf8(line).map_err(|_| ProxyFault::Malformed)?;
    let mut fields = line.split(' ').skip(1);
    let mut next = || fields.next().unwrap_or_default();
    let source = match next() {
        // "The receiver must ignore anything presented before the CRLF."
        "UNKNOWN" => None,
        "TCP4" => Some(v1_source::<Ipv4Addr>([next(), next(), next(), next()])?),
        "TCP6" => Some(v1_source::<Ipv6Addr>([next(), next(), next(), next()])?),
        _ => return Err(ProxyFault::Malformed),
    };
    if source.is_some() && fields.next().is_some() {
        return Err(ProxyFault::Malformed);
    }
    Ok(Parsed::Whole { source, skip: 0 })
}

fn v1_source<Ip: FromStr + Into<IpAddr>>(
    [source, destination, port, other]: [&str; 4],
) -> Result<SocketAddr, ProxyFault> {
    let ip = |text: &str| text.parse::<Ip>().map_err(|_| ProxyFault::Malformed);
    let number = |text: &str| {
        // §2.1: "Heading zeroes are not permitted in front of numbers".
        let digits =
            text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        text.parse::<u16>().ok().filter(|_| digits).ok_or(ProxyFault::Malformed)
    };
    ip(destination)?;
    number(other)?;
    Ok(SocketAddr::new(ip(source)?.into().to_canonical(), number(port)?))
}

/// Of either version, no more than so many bytes are looked at; what is longer is skipped.
pub(super) const KEPT: usize = 128;
/// "The maximum line lengths the receiver must support including the CRLF": 107 bytes.
const V1_MAX: usize = 107;
const V1_MIN: usize = b"PROXY UNKNOWN\r\n".len();
const V2_HEAD: usize = 16;
const PREFIX: &[u8] = b"PROXY ";
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds no more than is asked for: the address, and how many bytes were the header's.
    fn read(bytes: &[u8], max: usize) -> Result<(Option<SocketAddr>, usize), ProxyFault> {
        let mut len = 0;
        loop {
            match parse(&bytes[..len], max)? {
                Parsed::Need(need) => len += need,
                Parsed::Whole { source, skip } => return Ok((source, len + skip)),
            }
            assert!(len <= bytes.len(), "asks for {len} bytes of {}", bytes.len());
        }
    }

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let len = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[0x20 | command, family], &len, body].concat()
    }

    #[test]
    fn a_line_is_read_to_its_end_and_no_further() {
        for (line, source) in [
            ("PROXY TCP4 203.0.113.7 10.0.0.1 51234 11020\r\n", Some("203.0.113.7:51234")),
            ("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n", Some("1.1.1.1:1")),
            ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", Some("255.255.255.255:65535")),
            ("PROXY TCP6 2001:db8::7 ::1 51234 11020\r\n", Some("[2001:db8::7]:51234")),
            ("PROXY TCP6 :: :: 1 2\r\n", Some("[::]:1")),
            ("PROXY TCP6 ::ffff:203.0.113.7 ::1 9 2\r\n", Some("203.0.113.7:9")),
            ("PROXY UNKNOWN\r\n", None),
            ("PROXY UNKNOWN ffff:f...f:ffff whatever 65535\r\n", None),
        ] {
            let source = source.map(|text| text.parse().unwrap());
            let stream = [line.as_bytes(), b"\x0d\x00\x01 and more\r\n"].concat();
            assert_eq!(read(&stream, 1024), Ok((source, line.len())), "{line:?}");
        }
    }

    #[test]
    fn a_binary_header_is_read_to_its_end_and_no_further() {
        let four = [203, 0, 113, 7, 10, 0, 0, 1, 0xc8, 0x22, 0x2b, 0x0c];
        let mut six = [0; 36];
        six[..16].copy_from_slice(&"2001:db8::7".parse::<Ipv6Addr>().unwrap().octets());
        six[32..34].copy_from_slice(&[0xc8, 0x22]);
        let with_more = [&four[..], &[4, 0, 2, 1, 2]].concat();
        for (header, source) in [
            (v2(1, 0x11, &four), Some("203.0.113.7:51234")),
            (v2(1, 0x11, &with_more), Some("203.0.113.7:51234")),
            (v2(1, 0x21, &six), Some("[2001:db8::7]:51234")),
            (v2(0, 0x11, &four), None),
            (v2(0, 0, &[]), None),
            (v2(1, 0, &[1, 2, 3]), None),
            (v2(1, 0x31, &[0; 216]), None),
            (v2(1, 0x12, &four), None),
        ] {
            let source = source.map(|text| text.parse().unwrap());
            let stream = [&header[..], &[0x0d; 300]].concat();
            assert_eq!(read(&stream, 1024), Ok((source, header.len())), "{header:?}");
        }
    }

    #[test]
    fn what_is_no_header_is_known_at_its_first_wrong_byte() {
        for stream in [&b"GET / HTTP/1.1\r\n"[..], b"\x09\0\x01\0\0", b"PROXz", b"\r\n\r\n\0\r\nQUIT\r"] {
            assert_eq!(parse(stream, 1024), Err(ProxyFault::Missing), "{stream:?}");
        }
        for stream in [
            &b"PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n"[..],
            b"PROXY TCP4 1.1.1 2.2.2.2 1 2\r\n",
            b"PROXY TCP4 ::1 ::1 1 2\r\n",
            b"PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n",
            b"PROXY TCP4 1.1.1.1 2.2.2.2 70000 2\r\n",
            b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
            b"PROXY TCP4 1.1.1.1\n2.2.2.2 1 2\r",
            b"PROXY TCP4 \xff.1.1.1 2.2.2.2 1 2\r\n",
            &v2(2, 0x11, &[0; 12]),
            &v2(1, 0x11, &[0; 11]),
            &v2(1, 0x21, &[0; 35]),
            b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c",
        ] {
            assert_eq!(read(stream, 1024), Err(ProxyFault::Malformed), "{stream:?}");
        }
    }

    #[test]
    fn no_header_is_longer_than_allowed() {
        assert_eq!(read(&v2(1, 0, &[0; 1009]), 1024), Err(ProxyFault::TooLong(1025)));
        assert_eq!(read(&v2(1, 0, &[0; 1008]), 1024), Ok((None, 1024)));
        let long = [&b"PROXY UNKNOWN "[..], &[b'x'; 200]].concat();
        assert!(matches!(read(&long, 1024), Err(ProxyFault::TooLong(108..))));
    }
}
