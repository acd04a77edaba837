//! The packets of one read, decoded one by one.

use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::sync::OnceLock;

use bytes::{Buf, Bytes, BytesMut};

#[cfg(doc)]
use super::PacketCodec;
use super::body::Reader;
use super::{FrameCodec, Header, Packet, PacketError};

/// The packets of one read, made by [`PacketCodec::packets`].
#[derive(Debug)]
#[must_use = "packets are decoded as the iterator is driven"]
pub struct Packets<'a, P> {
    frames: &'a mut FrameCodec,
    // Where the packets are read from, unless they keep slices of it.
    buf: &'a mut BytesMut,
    // Where they are read from if they do: whole packets only.
    batch: Bytes,
    // Never where no `P` could.
    shares: bool,
    // What packets keep slices of if they could and do not.
    copy: OnceLock<Bytes>,
    // How much of either was read.
    taken: usize,
    ended: bool,
    types: PhantomData<fn() -> P>,
}

impl<'a, P: Packet> Packets<'a, P> {
    /// The complete packets of `buf`; where they may keep slices of it, of which at most `most`.
    pub(super) fn of(frames: &'a mut FrameCodec, buf: &'a mut BytesMut, most: usize, share: bool) -> Self {
        let shares = P::SHARES && share;
        let batch = if shares { frames.batch_of(buf, most).into_bytes() } else { Bytes::new() };
        Self { frames, buf, batch, shares, copy: OnceLock::new(), taken: 0, ended: false, types: PhantomData }
    }
}

impl<P: Packet> Packets<'_, P> {
    /// How many bytes were read so far: where the next packet begins.
    #[cfg(any(feature = "runtime", test))]
    #[inline]
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// The packet at `offset`, which [`taken`](Self::taken) said before [`next`](Self::next) returned that it is unknown
    /// or malformed: an error holds neither header nor body, so that a good packet pays nothing for them.
    #[cfg(any(feature = "runtime", test))]
    #[inline]
    pub(crate) fn packet_at(&self, offset: usize) -> Option<(Header, &[u8])> {
        packet_at(if self.shares() { &self.batch } else { self.buf }, offset)
    }
}

impl<P: Packet> Packets<'_, P> {
    #[inline]
    const fn shares(&self) -> bool {
        P::SHARES && self.shares
    }

    /// The next packet; at the end, and where `refused` says why there is none, `None`. It is [`next`](Self::next) with
    /// the error beside the packet in place of around it.
    ///
    /// A `Result` lays the pointer of its error over the packet's first fields, and an integer and a float that share
    /// the eight bytes go through memory with a stall: small packets take three times as long as through this method.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use netcore::{Packet, PacketCodec};
    ///
    /// #[derive(Packet)]
    /// enum ToServer {
    ///     #[packet(id = 1)]
    ///     Step { entity: u16, x: f32 },
    /// }
    ///
    /// let mut buf = BytesMut::from(&b"\x0b\0\x01\0\0\x07\0\0\0\x80\x3f\x05\0\x63\0\0"[..]);
    /// let mut codec = PacketCodec::<ToServer, ToServer>::new();
    /// let (mut packets, mut refused) = (codec.packets(&mut buf), None);
    /// let mut way = 0.0;
    /// loop {
    ///     match packets.good(&mut refused) {
    ///         Some(ToServer::Step { x, .. }) => way += x,
    ///         None => match refused.take() {
    ///             Some(error) => assert_eq!(error.to_string(), "packet id 99 is not known"),
    ///             None => break,
    ///         },
    ///     }
    /// }
    /// assert_eq!(way, 1.0);
    /// ```
    // Always: out of line, a small packet would go through memory twice.
    #[inline(always)]
    pub fn good(&mut self, refused: &mut Option<PacketError>) -> Option<P> {
        self.good_to(refused, |packet, _| packet)
    }

    /// [`good`](Self::good), which hands the packet and its size to `take`: see [`Packet::decode_to`].
    #[inline(always)]
    pub(crate) fn good_to<R>(
        &mut self,
        refused: &mut Option<PacketError>,
        take: impl FnOnce(P, usize) -> R,
    ) -> Option<R> {
        let source: &[u8] = if self.shares() { &self.batch } else { self.buf };
        let Some((header, body)) = source.get(self.taken..).and_then(|rest| {
            // What is in a batch was judged as it was split off.
            let header = if self.shares() { Header::at_front(rest)? } else { self.frames.whole(rest)? };
            Some((header, rest.get(Header::LEN..usize::from(header.size()))?))
        }) else {
            if std::mem::replace(&mut self.ended, true) {
                return None;
            }
            // Behind a batch, the rest of the buffer is in `buf` by itself.
            let read = if self.shares() { 0 } else { self.taken };
            *refused = stopped(self.frames, self.buf.get(read..).unwrap_or_default());
            return None;
        };
        let size = usize::from(header.size());
        self.taken += size;
        let body = match P::SHARES {
            true if self.shares => Reader::part(body, &self.batch),
            true => Reader::copied(body, self.buf, &self.copy),
            false => Reader::new(body),
        };
        P::decode_to(header, body, refused, |packet| take(packet, size))
    }
}

impl<P: Packet> Iterator for Packets<'_, P> {
    type Item = Result<P, PacketError>;

    // Always, as above.
    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let mut refused = None;
        match self.good(&mut refused) {
            Some(packet) => Some(Ok(packet)),
            None => refused.map(Err),
        }
    }
}

impl<P: Packet> FusedIterator for Packets<'_, P> {}

impl<P> Drop for Packets<'_, P> {
    #[inline(always)]
    fn drop(&mut self) {
        done(self.frames, self.buf, std::mem::take(&mut self.batch), self.taken);
    }
}

// All are functions of what they need, not of the iterator: a reference to that would keep it in memory, and its
// position would go there and back with every packet.

/// The whole packet at `offset`.
#[cfg(any(feature = "runtime", test))]
#[cold]
fn packet_at(source: &[u8], offset: usize) -> Option<(Header, &[u8])> {
    let rest = source.get(offset..)?;
    let header = Header::at_front(rest)?;
    Some((header, rest.get(Header::LEN..usize::from(header.size()))?))
}

/// The framing error behind the last whole packet, if there is one.
#[cold]
fn stopped(frames: &mut FrameCodec, rest: &[u8]) -> Option<PacketError> {
    frames.judge(rest).err().map(PacketError::from)
}

/// Removes what was taken, and nothing else.
#[inline(never)]
fn done(frames: &mut FrameCodec, buf: &mut BytesMut, batch: Bytes, taken: usize) {
    if batch.is_empty() {
        buf.advance(taken);
    } else if taken < batch.len() {
        put_back(frames, buf, batch.slice(taken..));
    }
}

/// Packets that were split off and not taken return to the front of the buffer.
#[cold]
fn put_back(frames: &mut FrameCodec, buf: &mut BytesMut, left: Bytes) {
    let mut whole = BytesMut::with_capacity(left.len() + buf.len());
    whole.extend_from_slice(&left);
    whole.extend_from_slice(buf);
    *buf = whole;
    // An error that was seen behind them has not been told yet: it will be found again.
    frames.revive();
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use crate::body::Reader;
    use crate::{
        BodyError, Frame, FrameCodec, Header, Packet, PacketCodec, PacketError, PacketErrorKind, PacketId,
        Schema,
    };

    /// Id 1 with an empty body is good, and nothing else.
    #[derive(Debug)]
    struct Good<const SHARES: bool>;

    impl<const SHARES: bool> Packet for Good<SHARES> {
        const SCHEMA: &'static Schema = Frame::SCHEMA;
        const SHARES: bool = SHARES;

        fn id(&self) -> PacketId {
            PacketId(1)
        }

        fn name(&self) -> &'static str {
            "Good"
        }

        fn decode(header: Header, body: Reader<'_>) -> Result<Self, PacketError> {
            let id = header.id;
            match body.finish() {
                _ if id.0 != 1 => Err(PacketErrorKind::Unknown { id }.into()),
                Ok(()) => Ok(Self),
                Err(source) => Err(PacketErrorKind::Malformed { id, source }.into()),
            }
        }

        fn encode_body(&self, _: &mut BytesMut) -> Result<(), BodyError> {
            Ok(())
        }
    }

    fn bad_packets<const SHARES: bool>() {
        let wire = b"\x05\0\x01\0\0\x07\0\x63\0\x09ab\x05\0\x01\0\0\x06\0\x01\0\0c\x06\0";
        let mut buf = BytesMut::from(&wire[..]);
        let mut codec = PacketCodec::<Good<SHARES>, Good<SHARES>>::new();
        let mut packets = codec.packets(&mut buf);
        let mut found = Vec::new();
        loop {
            let at = packets.taken();
            match packets.next() {
                None => break,
                Some(Ok(_)) => {}
                Some(Err(_)) => {
                    let (header, body) = packets.packet_at(at).expect("it is there");
                    found.push((at, header.id.0, header.kind.0, body.to_vec()));
                }
            }
        }
        assert_eq!(found, [(5, 0x63, 9, b"ab".to_vec()), (17, 1, 0, b"c".to_vec())]);
        assert_eq!(packets.taken(), 23);
        assert!(packets.packet_at(23).is_none() && packets.packet_at(99).is_none());
    }

    #[test]
    fn at_most_so_many_packets_are_taken_and_the_rest_stays_where_it_is() {
        let wire = b"\x05\0\x01\0\0\x05\0\x01\0\0\x05\0\x01\0\0\x01\0\0\0\0";
        let mut buf = BytesMut::from(&wire[..]);
        let place = buf[10..].as_ptr();
        let mut codec = PacketCodec::<Good<true>, Good<true>>::new();
        assert_eq!(codec.packets_of(&mut buf, 2, true).filter(Result::is_ok).count(), 2);
        assert_eq!((&buf[..], buf.as_ptr()), (&wire[10..], place));
        let found: Vec<_> = codec.packets_of(&mut buf, 2, true).map(|packet| packet.is_ok()).collect();
        assert_eq!(found, [true, false]);
    }

    #[derive(Packet, Debug)]
    #[packet(crate = crate)]
    enum Fixed {
        #[packet(id = 1, max = 6)]
        Exact { number: u32 },
        #[packet(id = 2, ignore_extra, max = 6)]
        AtLeast { number: u32 },
    }

    #[test]
    fn an_error_beside_the_packet_is_the_one_around_it() {
        use crate::body::BodyErrorKind::{Short, TooLong, Trailing};

        for (id, len, expected) in [
            (1, 3, Some(Short { need: 4, have: 3 })),
            (1, 4, None),
            (1, 6, Some(Trailing { extra: 2 })),
            (1, 7, Some(TooLong { len: 7, max: 6 })),
            (2, 3, Some(Short { need: 4, have: 3 })),
            (2, 6, None),
            (2, 7, Some(TooLong { len: 7, max: 6 })),
        ] {
            let mut wire = BytesMut::new();
            FrameCodec::new().encode_frame(&Frame::new(id, vec![0; len]), &mut wire).unwrap();
            let mut codec = PacketCodec::<Fixed, Fixed>::new();
            let kind = |error: PacketError| match error.into_kind() {
                PacketErrorKind::Malformed { source, .. } => source.kind(),
                other => panic!("{other}"),
            };
            let around = codec.packets(&mut wire.clone()).next().unwrap().err().map(kind);
            let (mut packets, mut beside) = (codec.packets(&mut wire), None);
            assert_eq!(packets.good(&mut beside).is_some(), expected.is_none());
            assert_eq!((around, beside.map(kind)), (expected, expected), "{len} bytes for packet {id}");
            let mut beside = None;
            assert!(packets.good(&mut beside).is_none() && beside.is_none());
        }
    }

    #[test]
    fn a_bad_packet_is_still_there_behind_its_error() {
        bad_packets::<false>();
        bad_packets::<true>();
    }
}
