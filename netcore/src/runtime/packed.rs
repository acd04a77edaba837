//! Framed packets whose bodies may be compressed.

use std::marker::PhantomData;
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};

use super::adapter::{Framing, Mapped, fault, read_back};
use super::{Adapter, Binary};
use crate::body::Reader;
use crate::session::{Bucket, Certain, Decode, Fault, Inbound, Rate, Spoken};
use crate::wire::{Claim, inflated};
use crate::{Compress, EncodeError, FrameCodec, FrameError, Header, InflateError, Packet, PacketType};

/// [`Binary`] with compression on: what [`Binary::compress`] makes. A type of its own, so that a door without compression
/// does not even ask for it.
#[derive(Clone, Debug)]
pub struct Packed {
    binary: Binary,
    compress: Compress,
    // How much may be inflated where that was not set: bytes a second, and at once.
    rate: Option<(u32, u32)>,
}

impl Packed {
    pub(super) const fn new(binary: Binary, compress: Compress) -> Self {
        Self { binary, compress, rate: Some(DOORS) }
    }

    fn rate(&self) -> Option<(u32, u32)> {
        self.compress.rate().or(self.rate)
    }

    /// As [`Binary::map`].
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

impl Framing for Packed {
    const PLAIN: bool = false;

    fn read<WireIn, In, F>(&self, incoming: F) -> Box<dyn Decode<In>>
    where
        WireIn: Packet + 'static,
        In: 'static,
        F: Fn(WireIn) -> Result<In, Fault> + Send + 'static,
    {
        Box::new(DecodePacked::new(self, incoming))
    }

    fn write<P: Packet>(&self, packet: &P, dst: &mut BytesMut) -> Result<(), EncodeError> {
        let start = dst.len();
        self.binary.write(packet, dst)?;
        self.compress.pack_last(dst, start);
        Ok(())
    }

    /// What a server sends is as much as the game is, and a burst of it no attack.
    fn of_clients(self) -> Self {
        Self { rate: None, ..self }
    }
}

impl<In: Packet + 'static, Out: Packet + 'static> Adapter<In, Out> for Packed {
    fn open(&self) -> Box<dyn Decode<In>> {
        self.read(Ok)
    }

    fn encode(&self, packet: &Out, dst: &mut BytesMut) -> Result<(), EncodeError> {
        self.write(packet, dst)
    }

    fn read_back(&self, packet: Bytes) -> Option<Out> {
        let whole = Self { binary: self.binary.clone().max_in(u16::MAX), ..self.clone() };
        read_back(Adapter::<Out, Out>::open(&whole), packet)
    }

    fn spoken(&self) -> Spoken {
        Spoken::Packets { from: In::SCHEMA, to: Out::SCHEMA }
    }

    fn certain(&self) -> Certain {
        Certain { plain: Self::PLAIN, all_from: In::CLOSED_SET, all_to: Out::CLOSED_SET }
    }

    fn of_clients(self) -> Self {
        Framing::of_clients(self)
    }
}

/// Reads packets of which bit 0 of the type says whether their body is compressed.
struct DecodePacked<WireIn, F> {
    frames: FrameCodec,
    // The most bytes of an inflated body.
    limit: u16,
    rate: Option<Rate>,
    // How much may still be inflated; made with the first compressed body, which brings the time.
    budget: Option<Bucket>,
    dead: Option<FrameError>,
    incoming: F,
    types: PhantomData<fn() -> WireIn>,
}

impl<WireIn, F> DecodePacked<WireIn, F> {
    fn new(packed: &Packed, incoming: F) -> Self {
        let frames = packed.binary.frames.clone();
        let limit = packed.compress.inflated_limit(frames.in_limit());
        let rate =
            |(per_second, burst): (u32, u32)| Rate::per_second(per_second).burst(burst.max(limit.into()));
        Self {
            limit,
            frames,
            rate: packed.rate().map(rate),
            budget: None,
            dead: None,
            incoming,
            types: PhantomData,
        }
    }

    /// Judges a compressed body by what it claims, before it is inflated.
    fn admit<'b>(&mut self, body: &'b [u8], now: Option<Instant>) -> Result<Claim<'b>, InflateError> {
        let claim = Claim::read(body, self.limit)?;
        if let (Some(now), Some(rate)) = (now, self.rate) {
            let budget = self.budget.get_or_insert_with(|| Bucket::new(rate, now));
            if budget.take(now, claim.len()) < claim.len() {
                return Err(InflateError::OverRate);
            }
        }
        Ok(claim)
    }
}

impl<WireIn: Packet, F> DecodePacked<WireIn, F> {
    /// A packet whose body is compressed, and its size without that. What of the body is kept is copied: a small slice does
    /// not pin a large body.
    fn compressed<In>(
        &mut self,
        header: Header,
        body: &[u8],
        now: Option<Instant>,
    ) -> Result<(Result<In, Fault>, usize), FrameError>
    where
        F: Fn(WireIn) -> Result<In, Fault>,
    {
        let dead = |error| FrameError::Inflate { id: header.id, error };
        let claim = self.admit(body, now).map_err(dead)?;
        let kind = header.kind.without(PacketType::COMPRESSED);
        let taken = inflated(claim, |body| {
            let header = Header::new(header.id, kind, body.len())?;
            Ok((self.take(header, Reader::new(body))?, usize::from(header.size())))
        });
        taken.map_err(dead)?
    }

    fn take<In>(&self, header: Header, body: Reader<'_>) -> Result<Result<In, Fault>, FrameError>
    where
        F: Fn(WireIn) -> Result<In, Fault>,
    {
        match WireIn::decode(header, body) {
            Ok(packet) => Ok((self.incoming)(packet)),
            Err(error) => Ok(Err(fault(Some((header, body.rest())), error)?)),
        }
    }
}

impl<WireIn, In, F> Decode<In> for DecodePacked<WireIn, F>
where
    WireIn: Packet,
    F: Fn(WireIn) -> Result<In, Fault> + Send,
{
    fn decode(&mut self, input: &mut BytesMut, batch: &mut Inbound<In>) -> Result<(), FrameError> {
        if !batch.meter.is_on() {
            return self.read(input, batch, |_, _| {});
        }
        let meter = batch.meter.clone();
        let (mut tally, mut inflated) = (meter.received(), 0);
        let result = self.read(input, batch, |header, more| {
            tally.add(header.id, header.size().into());
            inflated += more;
        });
        tally.flush();
        meter.inflated(inflated as u64);
        result
    }

    fn finish(&mut self, rest: &[u8]) -> Result<(), FrameError> {
        match self.dead {
            Some(error) => Err(error),
            None => self.frames.finish(rest),
        }
    }

    fn always_shares(&self) -> bool {
        false
    }
}

impl<WireIn: Packet, F> DecodePacked<WireIn, F> {
    /// `count` hears of each good packet, and how many bytes it was inflated to, if it was.
    fn read<In>(
        &mut self,
        input: &mut BytesMut,
        batch: &mut Inbound<In>,
        mut count: impl FnMut(Header, usize),
    ) -> Result<(), FrameError>
    where
        F: Fn(WireIn) -> Result<In, Fault>,
    {
        if let Some(error) = self.dead {
            return Err(error);
        }
        let mut push =
            |batch: &mut Inbound<In>, header: Header, packet: Result<In, Fault>, inflated: usize| {
                if packet.is_ok() {
                    count(header, inflated);
                }
                let size = usize::from(header.size());
                batch.push_grown(packet, size, inflated.max(size));
            };
        let mut inflated = 0;
        while !batch.is_full() {
            let Some(header) = self.frames.whole(input) else { return self.frames.judge(input) };
            let size = usize::from(header.size());
            if header.kind.contains(PacketType::COMPRESSED) {
                let body = input.get(Header::LEN..size).unwrap_or_default();
                let (packet, size) = self
                    .compressed(header, body, batch.now())
                    .inspect_err(|error| self.dead = Some(*error))?;
                push(batch, header, packet, size);
                inflated += size;
                // A read of 64 KiB may inflate to 16 MiB: whether the game has room is looked at in between.
                if inflated >= BATCH {
                    batch.stop();
                }
                input.advance(usize::from(header.size()));
            } else if WireIn::SHARES && batch.may_share() {
                let mut body = input.split_to(size);
                body.advance(Header::LEN);
                let packet = self.take(header, Reader::shared(&body.freeze()))?;
                push(batch, header, packet, 0);
            } else {
                let body = input.get(Header::LEN..size).unwrap_or_default();
                let packet = self.take(header, Reader::new(body))?;
                push(batch, header, packet, 0);
                input.advance(size);
            }
        }
        Ok(())
    }
}

/// How many bytes a second a stranger's bodies may inflate to, and how many at once.
const DOORS: (u32, u32) = (4 << 20, 8 << 20);
/// So many inflated bytes, and one packet, are a batch.
const BATCH: usize = 256 * 1024;
