//! Between a door's bytes and the game's own types.

mod binary;
mod decode;
mod mapped;

use bytes::{Bytes, BytesMut};

use crate::EncodeError;
use crate::session::{Certain, Decode, Inbound, Spoken};

pub use binary::Binary;
#[cfg(feature = "compress")]
pub(super) use binary::Framing;
#[cfg(feature = "compress")]
pub(super) use decode::fault;
#[cfg(feature = "compress")]
pub(super) use mapped::Mapped;

/// Translates between the bytes of one kind of door and the types that the game speaks: `In` from the peers, `Out` to
/// them.
///
/// [`Binary`] frames packets, and is the identity where the game speaks the door's own packets; [`Text`](crate::Text)
/// speaks lines. One of one's own puts any other protocol in front of the same game.
///
/// Writing has no state of the session, so that a broadcast is encoded once for all who hear it behind one door.
pub trait Adapter<In, Out>: Send + Sync + 'static {
    /// Begins to read a new session. What it remembers between two reads lives in what it returns.
    fn open(&self) -> Box<dyn Decode<In>>;

    /// Appends a packet's bytes to `dst`: one packet, several, or none where the door has no word for it.
    ///
    /// # Errors
    /// When it breaks a bound. What was written of it is taken back by the caller.
    fn encode(&self, packet: &Out, dst: &mut BytesMut) -> Result<(), EncodeError>;

    /// Appends `words` for the person at the other end, who did something that cannot be; `false` where the protocol has
    /// no way to say so, and the session is closed instead.
    fn tell(&self, words: &str, dst: &mut BytesMut) -> bool {
        let _ = (words, dst);
        false
    }

    /// Reads a packet of ours again that [`encode`](Self::encode) wrote, for who wants to know what was not sent; `None`
    /// where that cannot be.
    fn read_back(&self, packet: Bytes) -> Option<Out> {
        let _ = packet;
        None
    }

    /// What its bytes are made of: for metrics, and for the door's [limits](crate::Door::limits).
    fn spoken(&self) -> Spoken {
        Spoken::Other
    }

    /// What limits are judged by beside that.
    #[doc(hidden)]
    fn certain(&self) -> Certain {
        Certain::default()
    }

    /// The same with a client's defaults for what was not set, where they are others than a door's: those of
    /// [`Compress::inflated_rate`](crate::Compress::inflated_rate). Asked once, by
    /// [`ClientOptions::adapter`](crate::ClientOptions::adapter).
    #[must_use]
    fn of_clients(self) -> Self
    where
        Self: Sized,
    {
        self
    }
}

/// Reads one packet.
pub(super) fn read_back<Out>(mut read: Box<dyn Decode<Out>>, packet: Bytes) -> Option<Out> {
    let mut batch = Inbound::new();
    read.decode(&mut BytesMut::from(packet), &mut batch).ok()?;
    batch.next()?.ok()
}
