//! Between a door's bytes and the game's own types.

use std::marker::PhantomData;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::session::{Decode, Fault, FaultKind, Inbound, Spoken};
use crate::wire::Packets;
use crate::{EncodeError, Frame, FrameCodec, FrameError, Packet, PacketCodec, PacketError, PacketErrorKind};

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

    /// What its bytes are made of, for metrics.
    fn spoken(&self) -> Spoken {
        Spoken::Other
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
    frames: FrameCodec,
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
        Mapped { frames: self.frames, incoming: Arc::new(incoming), outgoing, types: PhantomData }
    }
}

impl<In: Packet + 'static, Out: Packet + 'static> Adapter<In, Out> for Binary {
    fn open(&self) -> Box<dyn Decode<In>> {
        Box::new(DecodeBinary {
            codec: PacketCodec::<In, In>::with_frames(self.frames.clone()),
            incoming: Ok,
        })
    }

    #[inline]
    fn encode(&self, packet: &Out, dst: &mut BytesMut) -> Result<(), EncodeError> {
        packet.encode(dst, self.frames.out_limit())
    }

    fn spoken(&self) -> Spoken {
        Spoken::Packets { from: In::SCHEMA, to: Out::SCHEMA }
    }
}

struct Mapped<WireIn, WireOut, F, G> {
    frames: FrameCodec,
    incoming: Arc<F>,
    outgoing: G,
    types: PhantomData<fn(WireOut) -> WireIn>,
}

impl<WireIn, WireOut, In, Out, F, G> Adapter<In, Out> for Mapped<WireIn, WireOut, F, G>
where
    WireIn: Packet + 'static,
    WireOut: Packet + 'static,
    In: 'static,
    Out: 'static,
    F: Fn(WireIn) -> Result<In, Fault> + Send + Sync + 'static,
    G: Fn(&Out, &mut dyn FnMut(WireOut)) + Send + Sync + 'static,
{
    fn open(&self) -> Box<dyn Decode<In>> {
        let incoming = self.incoming.clone();
        Box::new(DecodeBinary {
            codec: PacketCodec::<WireIn, WireIn>::with_frames(self.frames.clone()),
            incoming: move |packet| incoming(packet),
        })
    }

    fn encode(&self, packet: &Out, dst: &mut BytesMut) -> Result<(), EncodeError> {
        let mut result = Ok(());
        (self.outgoing)(packet, &mut |packet| {
            if result.is_ok() {
                result = packet.encode(dst, self.frames.out_limit());
            }
        });
        result
    }

    fn spoken(&self) -> Spoken {
        Spoken::Packets { from: WireIn::SCHEMA, to: WireOut::SCHEMA }
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
        let mut packets = self.codec.packets(input);
        while !batch.is_full() {
            let before = packets.taken();
            match packets.next() {
                Some(Ok(packet)) => {
                    let size = packets.taken() - before;
                    count(&packet, size);
                    batch.push((self.incoming)(packet), size);
                }
                Some(Err(error)) => {
                    let size = packets.taken() - before;
                    batch.push(Err(fault(&packets, before, error)?), size);
                }
                None => break,
            }
        }
        Ok(())
    }
}

/// What came in place of a packet, with its bytes: it is kept, so they are copied.
#[cold]
fn fault<P: Packet>(packets: &Packets<'_, P>, at: usize, error: PacketError) -> Result<Fault, FrameError> {
    let (kind, body) = match packets.packet_at(at) {
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
