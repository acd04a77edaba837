//! Limits within which no session could do what it is for.

use std::time::Duration;

use super::{Certain, Limits, Over, Rate, Spoken};
use crate::Header;
use crate::schema::{PacketSchema, Schema};

impl Limits {
    /// Whether a session could do what it is for within them, where that is spoken.
    pub(crate) fn check(&self, spoken: Spoken, certain: Certain) -> Result<(), LimitsError> {
        let (smallest_in, least) = match spoken {
            Spoken::Packets { from, to } => {
                (smallest(from, certain.all_from, certain), smallest(to, certain.all_to, certain))
            }
            Spoken::Lines | Spoken::Other => (1, 1),
        };
        if self.queue < least {
            return Err(LimitsError::Queue { queue: self.queue, least });
        }
        let times = [
            ("stall", Some(self.stall)),
            ("flush", Some(self.flush)),
            ("first_packet", self.first_packet),
            ("login", self.login),
            ("unfinished", self.unfinished),
            ("idle", self.idle),
        ];
        for (limit, time) in times {
            no_time(limit, time)?;
        }
        // What is over a rate and passes all the same may be counted from the first on.
        let strict = |rate: &&Rate| rate.is_over() != Over::Warn;
        if self.packets.as_ref().filter(strict).is_some_and(|rate| rate.most() == 0) {
            return Err(LimitsError::NoPacket);
        }
        if let Some((under, rate)) = &self.tiny
            && strict(&rate)
            && rate.most() == 0
            && all_are_under(*under, spoken, certain)
        {
            return Err(LimitsError::NoTiny { under: *under });
        }
        let (bytes, packets) = self.admission;
        if self.login.is_some() && (packets == 0 || (bytes as usize) < smallest_in) {
            return Err(LimitsError::Admission { bytes, packets, least: smallest_in });
        }
        self.bytes.as_ref().filter(strict).map_or(Ok(()), |rate| fits(rate.most(), spoken, certain))
    }
}

/// A time within which something is to happen, if it is bounded.
pub(crate) fn no_time(limit: &'static str, time: Option<Duration>) -> Result<(), LimitsError> {
    if time == Some(Duration::ZERO) { Err(LimitsError::NoTime { limit }) } else { Ok(()) }
}

/// The fewest bytes that a packet has on the wire, for all that its type says.
fn least(packet: &PacketSchema, certain: Certain) -> usize {
    let body = packet.body.sizes().0;
    // WIRE §9: in front of a compressed body stands its length, and a byte of it makes at most 255.
    let packed = PACKED_LEN + body.div_ceil(255);
    Header::LEN + if certain.plain { body } else { body.min(packed) }
}

/// The fewest that any of them has.
fn smallest(packets: &Schema, all: bool, certain: Certain) -> usize {
    let sizes = packets.packets.iter().filter(|_| all).map(|packet| least(packet, certain));
    sizes.min().unwrap_or(Header::LEN)
}

/// Whether all packets from the peer are certain to have fewer bytes.
fn all_are_under(bytes: u16, spoken: Spoken, certain: Certain) -> bool {
    let Spoken::Packets { from, .. } = spoken else { return false };
    let is_under = |packet: &PacketSchema| {
        packet.body.sizes().1.is_some_and(|body| Header::LEN.saturating_add(body) < bytes.into())
    };
    certain.all_from && !from.packets.is_empty() && from.packets.iter().all(is_under)
}

/// Whether each packet could pass a burst of so many bytes, for all that its type says.
fn fits(burst: u32, spoken: Spoken, certain: Certain) -> Result<(), LimitsError> {
    let error = |name: &str, least| Err(LimitsError::Burst { burst, name: name.to_owned(), least });
    if let Spoken::Packets { from, .. } = spoken {
        for packet in from.packets.iter() {
            let least = least(packet, certain);
            if least > burst as usize {
                return error(&packet.name, least);
            }
        }
    }
    if burst == 0 { error("of one byte", 1) } else { Ok(()) }
}

/// A limit within which no session could do what it is for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LimitsError {
    /// Nothing could ever be sent.
    #[error("a queue of {queue} bytes has no room for the smallest packet, which has {least} (`queue`)")]
    Queue {
        /// [`Limits::queue`].
        queue: usize,
        /// The bytes of the smallest packet.
        least: usize,
    },
    /// What is to happen within that time has no time to.
    #[error("a `{limit}` of 0 leaves no time at all: to have no such limit, set {}", off(.limit))]
    NoTime {
        /// The limit's name.
        limit: &'static str,
    },
    /// No packet would pass the rate of packets.
    #[error("a burst of 0 packets lets none pass (`packets`)")]
    NoPacket,
    /// All packets are tiny, and none would pass their rate.
    #[error(
        "all packets have fewer than {under} bytes, and a burst of 0 such packets lets none pass (`tiny`)"
    )]
    NoTiny {
        /// Packets with fewer bytes are tiny.
        under: u16,
    },
    /// Nobody could log in.
    #[error(
        "nobody can log in with {bytes} bytes and {packets} packets before `admit`: the smallest packet has {least} bytes \
         (`admission`)"
    )]
    Admission {
        /// The bytes of [`Limits::admission`].
        bytes: u32,
        /// Its packets.
        packets: u32,
        /// The bytes of the smallest packet.
        least: usize,
    },
    /// One of the packets would never pass the rate of bytes.
    #[error("a burst of {burst} bytes never lets a packet {name} pass, which has {least} at least (`bytes`)")]
    Burst {
        /// [`Rate::burst`].
        burst: u32,
        /// The packet's name.
        name: String,
        /// Its bytes, header included, if it has no more than it must; where bodies may be compressed, as far as they can be.
        least: usize,
    },
}

/// The length in front of a compressed body.
const PACKED_LEN: usize = 4;

/// How a limit is turned off, in words.
fn off(limit: &str) -> &'static str {
    match limit {
        "stall" | "flush" | "handshake_within" => "a long time",
        _ => "`None`",
    }
}
