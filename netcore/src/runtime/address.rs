//! Addresses as people write them.

use std::io;
use std::net::SocketAddr;

/// The host of `HOST:PORT` or `[IPv6]:PORT`, without brackets. A name is not looked up.
///
/// # Errors
/// When it cannot be an address, whatever the name server says.
pub(super) fn host(address: &str) -> io::Result<&str> {
    let wrong = |what| {
        let words = format!("{what}: an address is HOST:PORT or [IPv6]:PORT, as in 127.0.0.1:11020");
        Err(io::Error::new(io::ErrorKind::InvalidInput, words))
    };
    let Some((host, port)) = address.rsplit_once(':') else {
        return wrong("it has no port");
    };
    if port.parse::<u16>().is_err() {
        return wrong("its port is no number from 0 to 65535");
    }
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bare {
        Some(bare) if address.parse::<SocketAddr>().is_ok() => Ok(bare),
        None if host.is_empty() => wrong("it has no host"),
        None if !host.contains(|letter: char| "[]/ ".contains(letter) || letter.is_control()) => Ok(host),
        _ => wrong("its host is none"),
    }
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
            ("", "it has no port: "),
            ("8080", "it has no port: "),
            ("localhost", "it has no port: "),
            ("localhost:", "its port is no number "),
            ("localhost:70000", "its port is no number "),
            (":80", "it has no host: "),
            ("[::1", "its port is no number "),
            ("[localhost]:80", "its host is none: "),
            ("two words:80", "its host is none: "),
            ("ws://localhost:80", "its host is none: "),
        ] {
            let error = host(address).unwrap_err().to_string();
            assert!(
                error.starts_with(words) && error.contains("HOST:PORT or [IPv6]:PORT"),
                "{address}: {error}"
            );
        }
    }
}
