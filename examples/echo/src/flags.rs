//! The server's flags.

use std::net::SocketAddr;
use std::str::FromStr;

use clap::Parser;

/// Sends every packet back byte for byte, in order.
///
/// Once it listens, it prints `listening raw ADDR` on stdout, with the real port. Logs go to stderr, at the level that
/// RUST_LOG names (info unless set; debug shows every connection and why it was closed). A peer that does not read its
/// answers is not read from. A packet that cannot be (a size below 5 or over --max-packet) closes its connection, after
/// the packets before it were answered.
///
/// Ctrl-C or SIGTERM: it accepts no more, answers what it has read, for 2 seconds at most, and exits with 0.
/// Wrong flags, or an address it cannot listen on: one sentence on stderr, and exit code 2.
#[derive(Parser)]
#[command(version, after_help = "Example: echo --raw '[::1]:0' --max-packet 1024")]
pub(crate) struct Flags {
    /// Where to listen: `IPv4:PORT` or `[IPv6]:PORT` (port 0: the system picks one), or `off` for not at all.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:11020")]
    pub(crate) raw: Door,
    /// The largest packet taken, in bytes, its 5-byte header included: 5 to 65535.
    #[arg(long, value_name = "BYTES", default_value = "65535", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(5..=65535))]
    pub(crate) max_packet: u16,
    /// 0: a task for each session. Nothing else is supported yet.
    #[arg(long, value_name = "N", default_value = "0", allow_negative_numbers = true)]
    pub(crate) workers: u16,
}

/// Where a door stands, if it does.
#[derive(Clone, Copy)]
pub(crate) enum Door {
    /// Closed.
    Off,
    /// Open at this address.
    At(SocketAddr),
}

impl FromStr for Door {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            _ => text.parse().map(Self::At).map_err(|_| "it takes IPv4:PORT, [IPv6]:PORT or `off`"),
        }
    }
}
