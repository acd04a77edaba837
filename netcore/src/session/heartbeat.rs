//! A packet that is sent after a silence, for the peer to answer.

use std::time::Duration;

use super::{Limits, Spoken};
use crate::{Frame, Header, PacketId};

/// A packet that is sent after a silence, for the peer to answer.
///
/// The silence is the peer's: a client that only listens is asked each time, however much it is sent. Both sides must have it on,
/// with the same ids: to who has not, a ping is an unknown packet, and [`Client::recv`](crate::Client::recv) ends with
/// [`CloseReason::Unknown`](crate::CloseReason::Unknown). With it on, a client asks after its server's silence, too.
///
/// It stands beside the game's own packets, with ids that are in neither enum ([`HeartbeatError`] says so when the
/// server is started): the game hears nothing of it. A received
/// `ping` is answered by a `pong` with its body, a received `pong` is taken in silence, and both end a silence. Only for
/// doors that speak frames; and an enum with a catch-all variant, or [`Frame`] itself, takes these packets too, so that
/// answering is then up to the game.
///
/// ```
/// use std::time::Duration;
/// use netcore::{Frame, Heartbeat, Limits};
///
/// # use netcore::{Client, Packet};
/// # #[derive(Packet)] enum ToServer { #[packet(id = 1)] Hello }
/// # #[derive(Packet)] enum ToClient { #[packet(id = 2)] Welcome }
/// let heartbeat = || Heartbeat::new(Frame::new(65_001, "?"), 65_002).every(Duration::from_secs(15));
/// let of_the_door = Limits::new().login(Duration::from_secs(30)).heartbeat(heartbeat());
/// // The heartbeat alone, and not all limits of the door: its rates and bounds are for what clients send.
/// let options = Client::<ToClient, ToServer>::options().limits(Limits::new().heartbeat(heartbeat()));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heartbeat {
    pub(crate) ping: Frame,
    pub(crate) pong: PacketId,
    pub(crate) every: Duration,
}

impl Heartbeat {
    /// Sends `ping` after each 15 seconds of silence, and takes packets with the id `pong` as its answer.
    #[must_use]
    pub fn new(ping: Frame, pong: impl Into<PacketId>) -> Self {
        Self { ping, pong: pong.into(), every: Duration::from_secs(15) }
    }

    /// After how long a silence: a millisecond at least.
    #[must_use]
    pub fn every(mut self, time: Duration) -> Self {
        self.every = time.max(Duration::from_millis(1));
        self
    }

    /// Whether it does what it is for, within these limits, where that is spoken.
    pub(crate) fn check(&self, limits: &Limits, spoken: Spoken) -> Result<(), HeartbeatError> {
        let len = Header::LEN + self.ping.body.len();
        if len > usize::from(u16::MAX) {
            return Err(HeartbeatError::TooLong { len });
        }
        if let Some(idle) = limits.idle.filter(|idle| *idle <= self.every) {
            return Err(HeartbeatError::Late { every: self.every, idle });
        }
        match spoken {
            Spoken::Lines => Err(HeartbeatError::Lines),
            Spoken::Packets { from, to } => {
                let mut all = from.packets.iter().chain(to.packets.iter());
                let taken = all.find(|packet| [self.ping.id, self.pong].contains(&packet.id));
                taken.map_or(Ok(()), |packet| {
                    Err(HeartbeatError::Taken { id: packet.id, name: packet.name.to_string() })
                })
            }
            Spoken::Other => Ok(()),
        }
    }
}

/// A heartbeat that would not do what it is for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeartbeatError {
    /// The door speaks lines, whose readers would see the ping's bytes.
    #[error("a heartbeat is a packet, and this door speaks lines: people are looked for by TCP keep-alive")]
    Lines,
    /// An id is one of the game's: whoever takes the ping for that packet closes.
    #[error(
        "the heartbeat's id {id} is that of the game's packet {name}: choose one that is in neither enum"
    )]
    Taken {
        /// The id.
        id: PacketId,
        /// Whose it is.
        name: String,
    },
    /// The ping has more than 65,535 bytes.
    #[error("a ping of {len} bytes is no packet: it may have 65,535")]
    TooLong {
        /// Its bytes, header included.
        len: usize,
    },
    /// Before the first ping, the silence has closed the session.
    #[error("a ping after {every:?} of silence comes too late where {idle:?} of it close (`idle`)")]
    Late {
        /// [`Heartbeat::every`].
        every: Duration,
        /// [`Limits::idle`].
        idle: Duration,
    },
}
