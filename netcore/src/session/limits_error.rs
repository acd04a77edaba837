//! Limits within which no session could do what it is for.

use std::time::Duration;

use super::{Limits, Over, Rate, Spoken};
use crate::Header;

impl Limits {
    /// Whether a session could do what it is for within them, where that is spoken.
    pub(crate) fn check(&self, spoken: Spoken) -> Result<(), LimitsError> {
        let least = if let Spoken::Packets { .. } = spoken { Header::LEN } else { 1 };
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
        self.bytes.as_ref().filter(strict).map_or(Ok(()), |rate| fits(rate.most(), spoken))
    }
}

/// A time within which something is to happen, if it is bounded.
pub(crate) fn no_time(limit: &'static str, time: Option<Duration>) -> Result<(), LimitsError> {
    if time == Some(Duration::ZERO) { Err(LimitsError::NoTime { limit }) } else { Ok(()) }
}

/// Whether each packet could pass a burst of so many bytes, for all that its type says.
fn fits(burst: u32, spoken: Spoken) -> Result<(), LimitsError> {
    let error = |name: &str, least| Err(LimitsError::Burst { burst, name: name.to_owned(), least });
    if let Spoken::Packets { from, .. } = spoken {
        for packet in from.packets.iter() {
            let least = Header::LEN + packet.body.sizes().0;
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
    /// One of the packets would never pass the rate of bytes.
    #[error("a burst of {burst} bytes never lets a packet {name} pass, which has {least} at least (`bytes`)")]
    Burst {
        /// [`Rate::burst`].
        burst: u32,
        /// The packet's name.
        name: String,
        /// Its bytes, header included, if it has no more than it must.
        least: usize,
    },
}

/// How a limit is turned off, in words.
fn off(limit: &str) -> &'static str {
    match limit {
        "stall" | "flush" | "handshake_within" => "a long time",
        _ => "`None`",
    }
}
