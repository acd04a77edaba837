//! Reading packets whose bodies may be compressed.

use std::marker::PhantomData;
use std::time::Instant;

use bytes::{Buf, BytesMut};

use super::adapter::fault;
use crate::body::Reader;
use crate::session::{Bucket, Decode, Fault, Inbound, Rate};
use crate::wire::{Claim, inflated};
use crate::{Compress, FrameCodec, FrameError, Header, InflateError, Packet, PacketType};

/// What [`DecodeBinary`](super::adapter) does, where the type's bit 0 means that the body is compressed. Apart from it, so
/// that a door without compression does not even ask.
pub(super) struct DecodeCompressed<WireIn, F> {
    frames: FrameCodec,
    // The most bytes of an inflated body.
    limit: u16,
    rate: Rate,
    // How much may still be inflated; made with the first compressed body, which brings the time.
    budget: Option<Bucket>,
    dead: Option<FrameError>,
    incoming: F,
    types: PhantomData<fn() -> WireIn>,
}

impl<WireIn, F> DecodeCompressed<WireIn, F> {
    pub(super) fn new(frames: FrameCodec, compress: &Compress, incoming: F) -> Self {
        let (per_second, burst) = compress.rate();
        Self {
            limit: compress.inflated_limit(frames.in_limit()),
            frames,
            rate: Rate::per_second(per_second).burst(burst),
            budget: None,
            dead: None,
            incoming,
            types: PhantomData,
        }
    }

    /// Judges a compressed body by what it claims, before it is inflated.
    fn admit<'b>(&mut self, body: &'b [u8], now: Option<Instant>) -> Result<Claim<'b>, InflateError> {
        let claim = Claim::read(body, self.limit)?;
        if let Some(now) = now {
            let rate = self.rate;
            let budget = self.budget.get_or_insert_with(|| Bucket::new(rate, now));
            if budget.take(now, claim.len()) < claim.len() {
                return Err(InflateError::OverRate);
            }
        }
        Ok(claim)
    }
}

impl<WireIn: Packet, F> DecodeCompressed<WireIn, F> {
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

impl<WireIn, In, F> Decode<In> for DecodeCompressed<WireIn, F>
where
    WireIn: Packet,
    F: Fn(WireIn) -> Result<In, Fault> + Send,
{
    fn decode(&mut self, input: &mut BytesMut, batch: &mut Inbound<In>) -> Result<(), FrameError> {
        if let Some(error) = self.dead {
            return Err(error);
        }
        let mut inflated = 0;
        while !batch.is_full() {
            let Some(header) = self.frames.whole(input) else { return self.frames.judge(input) };
            let size = usize::from(header.size());
            if header.kind.contains(PacketType::COMPRESSED) {
                let body = input.get(Header::LEN..size).unwrap_or_default();
                let (packet, size) = self
                    .compressed(header, body, batch.now())
                    .inspect_err(|error| self.dead = Some(*error))?;
                batch.push(packet, size);
                inflated += size;
                // A read of 16 KiB may inflate to 4 MiB: whether the game has room is looked at in between.
                if inflated >= BATCH {
                    batch.stop();
                }
                input.advance(usize::from(header.size()));
            } else if WireIn::SHARES {
                let mut body = input.split_to(size);
                body.advance(Header::LEN);
                batch.push(self.take(header, Reader::shared(&body.freeze()))?, size);
            } else {
                let body = input.get(Header::LEN..size).unwrap_or_default();
                batch.push(self.take(header, Reader::new(body))?, size);
                input.advance(size);
            }
        }
        Ok(())
    }

    fn finish(&mut self, rest: &[u8]) -> Result<(), FrameError> {
        match self.dead {
            Some(error) => Err(error),
            None => self.frames.finish(rest),
        }
    }
}

/// So many inflated bytes, and one packet, are a batch.
const BATCH: usize = 256 * 1024;
