//! Addresses as people write them.

use std::io;
use std::net::SocketAddr;

/// What is wrong with an address that cannot be one, whatever the name server says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}: an address is HOST:PORT or [IPv6]:PORT, as in 127.0.0.1:11020")]
pub struct NoAddress(&'static str);

/// The host of `HOST:PORT` or `[IPv6]:PORT`, without brackets. A name is not looked up.
///
/// # Errors
/// When it cannot be an address.
pub(super) fn host(address: &str) -> Result<&str, NoAddress> {
    let (host, port) = address.rsplit_once(':').ok_or(NoAddress("has no port"))?;
    if port.parse::<u16>().is_err() {
        return Err(NoAddress("has a port that is no number from 0 to 65535"));
    }
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bare {
        Some(bare) if address.parse::<SocketAddr>().is_ok() => Ok(bare),
        None if host.is_empty() => Err(NoAddress("has no host")),
        None if !host.contains(|letter: char| "[]/ ".contains(letter) || letter.is_control()) => Ok(host),
        _ => Err(NoAddress("has a host that is none")),
    }
}

/// What it means to a person that the system knows no address for a name, if `error` is that. The standard library has no kind
/// for it, and the system's own words are of its parts.
pub(super) fn no_name(error: &io::Error) -> Option<&'static str> {
    let is_lookup = error.to_string().starts_with("failed to lookup address information");
    is_lookup.then_some("no address is known for that name, or the name server does not answer")
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for (address, there) in [
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]:80", "::1"),
            ("[fe80::1%2]:80", "fe80::1%2"),
            ("game.example:11020", "game.example"),
            ("localhost:0", "localhost"),
        ] {
            assert_eq!(host(address).unwrap(), there);
        }
        for (address, words) in [
            ("", "has no port: "),
            ("8080", "has no port: "),
            ("localhost", "has no port: "),
            ("localhost:", "has a port that is no number "),
            ("localhost:70000", "has a port that is no number "),
            (":80", "has no host: "),
            ("[::1", "has a host that is none: "),
            ("[localhost]:80", "has a host that is none: "),
            ("two words:80", "has a host that is none: "),
            ("ws://localhost:80", "has a host that is none: "),
        ] {
            let error = host(address).unwrap_err().to_string();
            assert!(
                error.starts_with(words) && error.contains("HOST:PORT or [IPv6]:PORT"),
                "{address}: {error}"
            );
        }
    }
}
