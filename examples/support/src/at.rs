//! Where a door stands.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
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

    /// Refuses two doors at one address, by the names of their flags: the system would only say of the second one that the
    /// address is in use. To be called before anything is opened.
    ///
    /// ```
    /// use support::At;
    ///
    /// let [raw, text]: [At; 2] = ["0.0.0.0:80".parse()?, "127.0.0.1:80".parse()?];
    /// let words = "--raw 0.0.0.0:80 and --text 127.0.0.1:80 are one address, and each door needs one of its own";
    /// assert_eq!(At::apart([("raw", &raw), ("text", &text)]), Err(words.to_owned()));
    /// # Ok::<_, &str>(())
    /// ```
    ///
    /// # Errors
    /// Words for who typed them.
    pub fn apart<'a, const N: usize>(doors: [(&str, &'a Self); N]) -> Result<(), String> {
        let mut before: Vec<(&str, &'a str)> = Vec::with_capacity(N);
        for (flag, at) in doors {
            let Some(at) = at.0.as_deref() else { continue };
            if let Some((other, there)) = before.iter().find(|(_, there)| meet(there, at)) {
                let words = "are one address, and each door needs one of its own";
                return Err(format!("--{other} {there} and --{flag} {at} {words}"));
            }
            before.push((flag, at));
        }
        Ok(())
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
            Err(LARGE) => Err(LARGE),
            Err(_) => Err("it takes HOST:PORT or [IPv6]:PORT"),
        }
    }

    /// Reads the value of a client's flag that says where its server is.
    ///
    /// ```
    /// use support::At;
    ///
    /// assert_eq!(At::server("[::1]:11020"), Ok("[::1]:11020".to_owned()));
    /// let words = "it has no port: an address is HOST:PORT or [IPv6]:PORT, as in 127.0.0.1:11020";
    /// assert_eq!(At::server("foo"), Err(words));
    /// ```
    ///
    /// # Errors
    /// Words for who typed it.
    pub fn server(text: &str) -> Result<String, &'static str> {
        match text.parse() {
            Ok(Self(Some(address))) => Ok(address),
            Err(LARGE) => Err(LARGE),
            _ if !text.contains(':') => {
                Err("it has no port: an address is HOST:PORT or [IPv6]:PORT, as in 127.0.0.1:11020")
            }
            _ => Err("an address is HOST:PORT or [IPv6]:PORT, as in 127.0.0.1:11020"),
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
        let legal = match bare(host) {
            Some(host) => host.parse::<Ipv6Addr>().is_ok(),
            None => !host.is_empty() && !host.contains([':', '[', ']', ' ']),
        };
        let is_number = !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit());
        match port.parse::<u16>() {
            _ if !legal || !is_number => Err(wrong),
            Ok(_) => Ok(Self(Some(text.to_owned()))),
            Err(_) => Err(LARGE),
        }
    }
}

const LARGE: &str = "its port is too large: 65535 at most";

/// What is between brackets.
fn bare(host: &str) -> Option<&str> {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']'))
}

/// Whether one listener is in the other's way. Of two names of one machine it is not known, unless they are the same: that
/// would be a question to the name server.
fn meet(one: &str, other: &str) -> bool {
    let (Some((one, port)), Some((other, other_port))) = (one.rsplit_once(':'), other.rsplit_once(':'))
    else {
        return false;
    };
    let (port, other_port): (Option<u16>, Option<u16>) = (port.parse().ok(), other_port.parse().ok());
    // Port 0 is another one each time.
    if port != other_port || port == Some(0) {
        return false;
    }
    match (ip(one), ip(other)) {
        (Some(one), Some(other)) => one == other || takes(one, other) || takes(other, one),
        (None, None) => one.eq_ignore_ascii_case(other),
        (Some(ip), None) => ip.is_unspecified() || is_localhost(other, ip),
        (None, Some(ip)) => ip.is_unspecified() || is_localhost(one, ip),
    }
}

fn ip(host: &str) -> Option<IpAddr> {
    let ip = bare(host).unwrap_or(host).parse::<IpAddr>().ok()?;
    Some(ip.to_canonical())
}

/// Whether that is all addresses, that one among them. Those of IPv6 are those of IPv4, too.
fn takes(all: IpAddr, one: IpAddr) -> bool {
    all.is_unspecified() && (all.is_ipv6() || one.is_ipv4())
}

/// The one name whose addresses are known.
fn is_localhost(name: &str, ip: IpAddr) -> bool {
    let is_local = ip == Ipv4Addr::LOCALHOST || ip == Ipv6Addr::LOCALHOST;
    is_local && name.eq_ignore_ascii_case("localhost")
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
    fn of_a_port_that_is_too_large_it_is_not_said_that_the_form_is_wrong() {
        for text in ["127.0.0.1:65536", "[::1]:99999", "localhost:4294967297"] {
            let words = [text.parse::<At>().unwrap_err(), At::only_door(text).unwrap_err()];
            assert_eq!(words, ["its port is too large: 65535 at most"; 2], "{text}");
            assert_eq!(At::server(text).unwrap_err(), words[0]);
        }
        for text in ["127.0.0.1:-1", "::1:99999"] {
            assert!(text.parse::<At>().unwrap_err().starts_with("it takes HOST:PORT"), "{text}");
        }
    }

    #[test]
    fn two_doors_at_one_address_are_named() {
        let apart = |one: &str, other: &str| {
            let [one, other] = [one, other].map(|text| text.parse::<At>().unwrap());
            let [there, back] =
                [(&one, &other), (&other, &one)].map(|(a, b)| At::apart([("a", a), ("b", b)]));
            assert_eq!(there.is_ok(), back.is_ok());
            there
        };
        for (one, other) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("127.0.0.1:80", "127.0.0.1:080"),
            ("127.0.0.1:80", "0.0.0.0:80"),
            ("127.0.0.1:80", "[::]:80"),
            ("0.0.0.0:80", "[::]:80"),
            ("[::1]:80", "[0:0::1]:80"),
            ("[::1]:80", "[::]:80"),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80"),
            ("Chat.example:80", "chat.example:80"),
            ("localhost:80", "127.0.0.1:80"),
            ("localhost:80", "[::1]:80"),
            ("localhost:80", "0.0.0.0:80"),
        ] {
            let words = format!("--a {one} and --b {other} are one address");
            assert!(apart(one, other).unwrap_err().starts_with(&words), "{one} {other}");
        }
        for (one, other) in [
            ("off", "off"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("127.0.0.1:80", "127.0.0.1:81"),
            ("127.0.0.1:80", "127.0.0.2:80"),
            ("127.0.0.1:80", "[::1]:80"),
            ("[::1]:80", "0.0.0.0:80"),
            ("a.example:80", "b.example:80"),
            ("a.example:80", "127.0.0.1:80"),
            ("localhost:80", "127.0.0.2:80"),
        ] {
            assert_eq!(apart(one, other), Ok(()), "{one} {other}");
        }
        let [a, b]: [At; 2] = ["127.0.0.1:1", "127.0.0.1:2"].map(|text| text.parse().unwrap());
        let third = At::apart([("a", &a), ("b", &b), ("off", &At(None)), ("c", &b)]).unwrap_err();
        assert!(third.starts_with("--b 127.0.0.1:2 and --c 127.0.0.1:2 "), "{third}");
    }

    #[test]
    fn a_door_that_is_off_is_not_made() {
        assert_eq!("off".parse::<At>().unwrap().open(|_| ()), None);
    }
}
