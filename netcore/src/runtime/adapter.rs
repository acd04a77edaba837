//! Between a door's bytes and the game's own types.

use std::marker::PhantomData;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

#[cfg(feature = "compress")]
use super::Packed;
#[cfg(feature = "compress")]
use crate::Compress;
use crate::session::{Decode, Fault, FaultKind, Inbound, Spoken, put};
use crate::wire::Packets;
use crate::{
    EncodeError, Frame, FrameCodec, FrameError, Header, Packet, PacketCodec, PacketError, PacketErrorKind,
};

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

    /// The same with a client's defaults for what was not set, where they are others than a door's: those of
    /// [`Compress::inflated_rate`]. Asked once, by [`ClientOptions::adapter`](crate::ClientOptions::adapter).
    #[must_use]
    fn of_clients(self) -> Self
    where
        Self: Sized,
    {
        self
    }
}

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
    pub(super) frames: FrameCodec,
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
pub(super) trait Framing: Send + Sync + 'static {
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
    fn read<WireIn, In, F>(&self, incoming: F) -> Box<dyn Decode<In>>
    where
        WireIn: Packet + 'static,
        In: 'static,
        F: Fn(WireIn) -> Result<In, Fault> + Send + 'static,
    {
        Box::new(DecodeBinary { codec: PacketCodec::with_frames(self.frames.clone()), incoming })
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
}

/// Reads one packet.
pub(super) fn read_back<Out>(mut read: Box<dyn Decode<Out>>, packet: Bytes) -> Option<Out> {
    let mut batch = Inbound::new();
    read.decode(&mut BytesMut::from(packet), &mut batch).ok()?;
    batch.next()?.ok()
}

/// Packets of the wire on one side, the game's types on the other.
pub(super) struct Mapped<B, WireIn, WireOut, F, G> {
    framing: B,
    incoming: Arc<F>,
    outgoing: G,
    types: PhantomData<fn(WireOut) -> WireIn>,
}

impl<B, WireIn, WireOut, F, G> Mapped<B, WireIn, WireOut, F, G> {
    pub(super) fn new(framing: B, incoming: F, outgoing: G) -> Self {
        Self { framing, incoming: Arc::new(incoming), outgoing, types: PhantomData }
    }
}

impl<B, WireIn, WireOut, In, Out, F, G> Adapter<In, Out> for Mapped<B, WireIn, WireOut, F, G>
where
    B: Framing,
    WireIn: Packet + 'static,
    WireOut: Packet + 'static,
    In: 'static,
    Out: 'static,
    F: Fn(WireIn) -> Result<In, Fault> + Send + Sync + 'static,
    G: Fn(&Out, &mut dyn FnMut(WireOut)) + Send + Sync + 'static,
{
    fn open(&self) -> Box<dyn Decode<In>> {
        let incoming = self.incoming.clone();
        self.framing.read(move |packet| incoming(packet))
    }

    fn encode(&self, packet: &Out, dst: &mut BytesMut) -> Result<(), EncodeError> {
        let mut result = Ok(());
        (self.outgoing)(packet, &mut |packet| {
            if result.is_ok() {
                result = self.framing.write(&packet, dst);
            }
        });
        result
    }

    fn spoken(&self) -> Spoken {
        Spoken::Packets { from: WireIn::SCHEMA, to: WireOut::SCHEMA }
    }

    fn of_clients(self) -> Self {
        Self { framing: self.framing.of_clients(), ..self }
    }
}

struct DecodeBinary<WireIn, F> {
    codec: PacketCodec<WireIn, WireIn>,
    incoming: F,
}

impl<WireIn, In, F> Decode<In> for DecodeBinary<WireIn, F>
where
    WireIn: Packet,
    F: Fn(WireIn) -> Result<In, Fault> + Send,
{
    fn decode(&mut self, input: &mut BytesMut, batch: &mut Inbound<In>) -> Result<(), FrameError> {
        if batch.meter.is_on() {
            self.decode_counted(input, batch)
        } else {
            self.read(input, batch, |_, _| {})
        }
    }

    fn finish(&mut self, rest: &[u8]) -> Result<(), FrameError> {
        self.codec.finish(rest)
    }

    fn always_shares(&self) -> bool {
        false
    }
}

impl<WireIn: Packet, F> DecodeBinary<WireIn, F> {
    // Out of line: it has no part in what a packet costs where nobody counts.
    #[inline(never)]
    fn decode_counted<In>(&mut self, input: &mut BytesMut, batch: &mut Inbound<In>) -> Result<(), FrameError>
    where
        F: Fn(WireIn) -> Result<In, Fault>,
    {
        let meter = batch.meter.clone();
        let mut tally = meter.received();
        let result = self.read(input, batch, |packet, size| tally.add(packet.id(), size));
        tally.flush();
        result
    }

    #[inline(always)]
    fn read<In>(
        &mut self,
        input: &mut BytesMut,
        batch: &mut Inbound<In>,
        mut count: impl FnMut(&WireIn, usize),
    ) -> Result<(), FrameError>
    where
        F: Fn(WireIn) -> Result<In, Fault>,
    {
        let mut packets = self.codec.packets_of(input, batch.room(), batch.may_share());
        let mut refused = None;
        while !batch.is_full() {
            let before = packets.taken();
            let taken = if WireIn::CLOSED_SET {
                let Some(place) = batch.place() else { break };
                let mut fault = None;
                let size = packets.good_to(&mut refused, |packet, size| {
                    count(&packet, size);
                    match (self.incoming)(packet) {
                        Ok(packet) => put(place, packet),
                        Err(refused) => fault = Some(refused),
                    }
                    size
                });
                match (size, fault) {
                    (Some(size), None) => batch.placed(size),
                    (Some(size), Some(fault)) => batch.push(Err(fault), size),
                    (None, _) => {}
                }
                size.is_some()
            } else {
                // Frames: nothing but words, which come from a function that wrote them one by one, and are to go on so.
                let pushed = packets.good_to(&mut refused, |packet, size| {
                    count(&packet, size);
                    batch.push((self.incoming)(packet), size);
                });
                pushed.is_some()
            };
            if !taken {
                let Some(error) = refused.take() else { break };
                let size = packets.taken() - before;
                batch.push(Err(fault_at(&packets, before, error)?), size);
            }
        }
        Ok(())
    }
}

#[cold]
fn fault_at<P: Packet>(packets: &Packets<'_, P>, at: usize, error: PacketError) -> Result<Fault, FrameError> {
    fault(packets.packet_at(at), error)
}

/// What came in place of a packet, with its bytes: it is kept, so they are copied.
#[cold]
pub(super) fn fault(packet: Option<(Header, &[u8])>, error: PacketError) -> Result<Fault, FrameError> {
    let (kind, body) = match packet {
        Some((header, body)) => (header.kind, Bytes::copy_from_slice(body)),
        None => Default::default(),
    };
    Ok(match error.into_kind() {
        PacketErrorKind::Unknown { id } => FaultKind::Unknown(Frame { id, kind, body }),
        PacketErrorKind::Malformed { id, source } => FaultKind::Malformed { id, error: source, body },
        PacketErrorKind::Frame(error) => return Err(error),
    }
    .into())
}
