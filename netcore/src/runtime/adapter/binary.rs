//! Framed packets, as they are on the wire.

use bytes::{Bytes, BytesMut};

use super::decode::DecodeBinary;
use super::mapped::Mapped;
use super::{Adapter, read_back};
use crate::session::{Certain, Decode, Fault, Spoken};
#[cfg(feature = "compress")]
use crate::{Compress, runtime::Packed};
use crate::{EncodeError, FrameCodec, Packet, PacketCodec};

/// Framed packets: the game's own enums as they are, or translated with [`Binary::map`].
///
/// ```
/// use bytes::BytesMut;
/// use netcore::{Adapter, Binary, Frame};
///
/// let adapter = Binary::new().max_in(1024);
/// let mut wire = BytesMut::new();
/// Adapter::<Frame, Frame>::encode(&adapter, &Frame::new(1, "hi"), &mut wire)?;
/// assert_eq!(&wire[..], b"\x07\0\x01\0\0hi");
/// # Ok::<_, netcore::EncodeError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Binary {
    pub(in crate::runtime) frames: FrameCodec,
}

impl Binary {
    /// With the wire's own limits.
    #[must_use]
    pub const fn new() -> Self {
        Self { frames: FrameCodec::new() }
    }

    /// The largest packet taken in, in bytes, header included.
    #[must_use]
    pub fn max_in(mut self, bytes: u16) -> Self {
        self.frames = self.frames.max_in(bytes);
        self
    }

    /// The largest packet let out, in bytes, header included.
    #[must_use]
    pub fn max_out(mut self, bytes: u16) -> Self {
        self.frames = self.frames.max_out(bytes);
        self
    }

    /// Compresses bodies, and inflates those of the peer, who must have it on too. Off by default; the limits come first.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use netcore::{Adapter, Binary, Compress, Frame};
    ///
    /// let adapter = Binary::new().compress(Compress::new().threshold(16));
    /// let mut wire = BytesMut::new();
    /// Adapter::<Frame, Frame>::encode(&adapter, &Frame::new(1, vec![b'a'; 40]), &mut wire)?;
    /// assert_eq!(wire[4..9], [1, 40, 0, 0, 0]); // compressed, 40 bytes long
    /// assert!(wire.len() < 30);
    /// # Ok::<_, netcore::EncodeError>(())
    /// ```
    #[cfg(feature = "compress")]
    #[must_use]
    pub const fn compress(self, compress: Compress) -> Packed {
        Packed::new(self, compress)
    }

    /// Speaks `WireIn` and `WireOut` on the wire, and other types with the game: `incoming` makes a packet of the game
    /// out of one of the wire (or refuses it), `outgoing` passes on the packets of the wire that say what one of the
    /// game says.
    ///
    /// ```
    /// use netcore::{Adapter, Binary, Fault, Packet};
    ///
    /// #[derive(Packet)]
    /// enum Wire {
    ///     #[packet(id = 1)]
    ///     Walk { steps: u8 },
    /// }
    /// struct Walk(u32);
    ///
    /// let adapter = Binary::new().map(
    ///     |Wire::Walk { steps }| if steps < 10 { Ok(Walk(steps.into())) } else { Err(Fault::refused("too far")) },
    ///     |walk: &Walk, send: &mut dyn FnMut(Wire)| send(Wire::Walk { steps: walk.0 as u8 }),
    /// );
    /// # let _: &dyn Adapter<Walk, Walk> = &adapter;
    /// ```
    pub fn map<WireIn, WireOut, In, Out>(
        self,
        incoming: impl Fn(WireIn) -> Result<In, Fault> + Send + Sync + 'static,
        outgoing: impl Fn(&Out, &mut dyn FnMut(WireOut)) + Send + Sync + 'static,
    ) -> impl Adapter<In, Out>
    where
        WireIn: Packet + 'static,
        WireOut: Packet + 'static,
        In: 'static,
        Out: 'static,
    {
        Mapped::new(self, incoming, outgoing)
    }
}

/// What frames packets: for the game's own types or for those of [`Mapped`].
pub(in crate::runtime) trait Framing: Send + Sync + 'static {
    /// Whether bodies are never compressed.
    const PLAIN: bool;

    fn read<WireIn, In, F>(&self, incoming: F) -> Box<dyn Decode<In>>
    where
        WireIn: Packet + 'static,
        In: 'static,
        F: Fn(WireIn) -> Result<In, Fault> + Send + 'static;

    fn write<P: Packet>(&self, packet: &P, dst: &mut BytesMut) -> Result<(), EncodeError>;

    /// As [`Adapter::of_clients`].
    fn of_clients(self) -> Self
    where
        Self: Sized,
    {
        self
    }
}

impl Framing for Binary {
    const PLAIN: bool = true;

    fn read<WireIn, In, F>(&self, incoming: F) -> Box<dyn Decode<In>>
    where
        WireIn: Packet + 'static,
        In: 'static,
        F: Fn(WireIn) -> Result<In, Fault> + Send + 'static,
    {
        Box::new(DecodeBinary::new(PacketCodec::with_frames(self.frames.clone()), incoming))
    }

    fn write<P: Packet>(&self, packet: &P, dst: &mut BytesMut) -> Result<(), EncodeError> {
        packet.encode(dst, self.frames.out_limit())
    }
}

impl<In: Packet + 'static, Out: Packet + 'static> Adapter<In, Out> for Binary {
    fn open(&self) -> Box<dyn Decode<In>> {
        self.read(Ok)
    }

    fn encode(&self, packet: &Out, dst: &mut BytesMut) -> Result<(), EncodeError> {
        self.write(packet, dst)
    }

    fn read_back(&self, packet: Bytes) -> Option<Out> {
        read_back(Adapter::<Out, Out>::open(&self.clone().max_in(u16::MAX)), packet)
    }

    fn spoken(&self) -> Spoken {
        Spoken::Packets { from: In::SCHEMA, to: Out::SCHEMA }
    }

    fn certain(&self) -> Certain {
        Certain { plain: Self::PLAIN, all_from: In::CLOSED_SET, all_to: Out::CLOSED_SET }
    }
}
