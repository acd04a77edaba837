//! What comes through a binary door.

use bytes::{Bytes, BytesMut};

use crate::session::{Decode, Fault, FaultKind, Inbound, put};
use crate::wire::Packets;
use crate::{Frame, FrameError, Header, Packet, PacketCodec, PacketError, PacketErrorKind};

/// Reads packets straight from the read buffer into their places.
pub(super) struct DecodeBinary<WireIn, F> {
    codec: PacketCodec<WireIn, WireIn>,
    incoming: F,
}

impl<WireIn, F> DecodeBinary<WireIn, F> {
    pub(super) fn new(codec: PacketCodec<WireIn, WireIn>, incoming: F) -> Self {
        Self { codec, incoming }
    }
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
pub(in crate::runtime) fn fault(
    packet: Option<(Header, &[u8])>,
    error: PacketError,
) -> Result<Fault, FrameError> {
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
