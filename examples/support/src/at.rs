//! Where a door stands.

use std::str::FromStr;

/// The value of a door's flag: an address, or `off`.
///
/// ```
/// use support::At;
///
/// let at: At = "[::1]:0".parse()?;
/// assert_eq!(at.open(|address| address.len()), Some(7));
/// assert_eq!("off".parse::<At>()?.open(|address| address.len()), None);
/// # Ok::<_, &str>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct At(Option<String>);

impl At {
    /// Makes the door, unless it is off. What comes back is for [`Server::doors`](netcore::Server::doors).
    pub fn open<D>(&self, door: impl FnOnce(&str) -> D) -> Option<D> {
        self.0.as_deref().map(door)
    }

    /// Whether that is where somebody can be reached: an address, and not port 0.
    ///
    /// ```
    /// use support::At;
    ///
    /// assert!(At::is_place("chat.example:443") && At::is_place("[::1]:1"));
    /// assert!(["off", "chat.example", "127.0.0.1:0", "127.0.0.1:99999"].iter().all(|text| !At::is_place(text)));
    /// ```
    #[must_use]
    pub fn is_place(text: &str) -> bool {
        let is_port = |port: &str| port.parse() != Ok(0_u16);
        text.rsplit_once(':').is_some_and(|(_, port)| is_port(port)) && text.parse::<Self>().is_ok()
    }

    /// Whether there is no door.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.0.is_none()
    }

    /// Reads the value of the flag of a server's one and only door, which takes no `off`.
    ///
    /// ```
    /// use support::At;
    ///
    /// assert_eq!(At::only_door("[::1]:0"), Ok("[::1]:0".to_owned()));
    /// assert_eq!(At::only_door("off"), Err("it is the only door, so without it there is nothing to serve"));
    /// ```
    ///
    /// # Errors
    /// Words for who typed it.
    pub fn only_door(text: &str) -> Result<String, &'static str> {
        match text.parse() {
            Ok(Self(Some(address))) => Ok(address),
            Ok(Self(None)) => Err("it is the only door, so without it there is nothing to serve"),
            Err(_) => Err("it takes HOST:PORT or [IPv6]:PORT"),
        }
    }
}

impl FromStr for At {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self(None));
        }
        let wrong = "it takes HOST:PORT, [IPv6]:PORT or `off`";
        let (host, port) = text.rsplit_once(':').ok_or(wrong)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let legal = match bare {
            Some(host) => host.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && !host.contains([':', '[', ']', ' ']),
        };
        if legal && !port.starts_with('+') && port.parse::<u16>().is_ok() {
            Ok(Self(Some(text.to_owned())))
        } else {
            Err(wrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::At;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for text in ["127.0.0.1:0", "0.0.0.0:65535", "[::1]:80", "[::]:0", "localhost:11020"] {
            let at: At = text.parse().unwrap();
            assert_eq!(at.open(str::to_owned), Some(text.to_owned()));
        }
        for text in [
            "",
            ":",
            ":80",
            "127.0.0.1",
            "127.0.0.1:",
            "127.0.0.1:65536",
            "127.0.0.1:-1",
            "127.0.0.1:+1",
            "127.0.0.1:80x",
            "::1:80",
            "[::1]",
            "[]:80",
            "[127.0.0.1]:80",
            "OFF",
            "two words:80",
        ] {
            assert!(text.parse::<At>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_door_that_is_off_is_not_made() {
        assert_eq!("off".parse::<At>().unwrap().open(|_| ()), None);
    }
}
