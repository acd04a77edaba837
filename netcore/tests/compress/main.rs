//! Compressed bodies: the vectors at every cut, the bounds, and both sides together.

mod bounds;
mod frames;
mod sessions;
mod streams;
#[allow(dead_code, reason = "the other values are those of other vectors")]
#[path = "../wire/vectors/values.rs"]
mod values;

use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use netcore::{
    Adapter, Binary, CloseReason, Compress, Fault, Frame, Inbound, Limits, Outbox, Packed, Packet, PacketId,
    PacketType, Session,
};

/// Packets that keep slices of the buffer they are read from.
#[derive(Packet, Clone, Debug, PartialEq)]
pub(crate) enum Sharing {
    #[packet(id = 742)]
    Relay {
        #[raw(rest)]
        body: Bytes,
    },
    #[packet(other)]
    Frame(Frame),
}

/// Packets that keep nothing of it.
#[derive(Packet, Clone, Debug, PartialEq)]
pub(crate) enum Copying {
    #[packet(id = 742)]
    Relay {
        #[raw(rest)]
        body: Vec<u8>,
    },
    #[packet(other)]
    Frame(Frame),
}

impl From<Sharing> for Frame {
    fn from(packet: Sharing) -> Self {
        match packet {
            Sharing::Relay { body } => Self::new(742, body),
            Sharing::Frame(frame) => frame,
        }
    }
}

impl From<Copying> for Frame {
    fn from(packet: Copying) -> Self {
        match packet {
            Copying::Relay { body } => Self::new(742, body),
            Copying::Frame(frame) => frame,
        }
    }
}

/// A session that reads what comes, at any time.
pub(crate) struct Reads<P> {
    session: Session<P>,
    input: BytesMut,
    pub(crate) batch: Inbound<P>,
}

impl<P: Packet + 'static> Reads<P> {
    pub(crate) fn new(adapter: &impl Adapter<P, P>, now: Instant) -> Self
    where
        P: Send,
    {
        let decode = adapter.open();
        let session = Session::new(Arc::new(Limits::new()), decode, Outbox::new(0), now);
        Self { session, input: BytesMut::new(), batch: Inbound::new() }
    }

    /// Takes in bytes, once: as much as goes into one batch.
    pub(crate) fn once(&mut self, now: Instant, bytes: &[u8]) -> Result<(), CloseReason> {
        self.input.extend_from_slice(bytes);
        self.session.handle_bytes(now, &mut self.input, bytes.len(), &mut self.batch)
    }

    /// Takes in bytes, all of them.
    pub(crate) fn read(
        &mut self,
        now: Instant,
        bytes: &[u8],
        packets: &mut Vec<Result<P, Fault>>,
    ) -> Result<(), CloseReason> {
        let mut result = self.once(now, bytes);
        loop {
            let more = self.batch.is_full();
            packets.extend(self.batch.by_ref());
            result?;
            if !more {
                return Ok(());
            }
            result = self.once(now, &[]);
        }
    }

    pub(crate) fn end(&mut self) -> CloseReason {
        self.session.handle_end(&self.input)
    }
}

pub(crate) fn on() -> Packed {
    Binary::new().compress(Compress::new())
}

pub(crate) fn frame(id: u16, kind: u8, body: impl Into<Bytes>) -> Frame {
    Frame { id: PacketId(id), kind: PacketType(kind), body: body.into() }
}

pub(crate) fn wire(frames: &[Frame]) -> Vec<u8> {
    let mut wire = BytesMut::new();
    for frame in frames {
        frame.encode(&mut wire, u16::MAX).unwrap();
    }
    wire.to_vec()
}

/// Bytes in which nothing repeats.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}
