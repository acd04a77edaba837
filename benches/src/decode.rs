//! Decoding a buffer full of packets, by netcore and by its peers.
//!
//! Each function takes everything out of the buffer and says how many items there were. Most show each item to the
//! optimizer, so that all of it must exist in memory; the two that end in `_using` match on each packet and use all of
//! its fields, as a game does. None is inlined: what is measured is the same code in every bench.

use std::hint::black_box;

use bytes::{Buf, BytesMut};
use netcore::{Frame, FrameCodec, Header, Packet, PacketCodec, PacketId, PacketType};
use tokio_util::codec::{Decoder, LengthDelimitedCodec};

use crate::hand::{self, Hand};

/// [`FrameCodec::batch`].
#[inline(never)]
pub fn batch(wire: &mut BytesMut) -> usize {
    let mut count = 0;
    for frame in FrameCodec::new().batch(wire) {
        let Ok(frame) = frame else { break };
        black_box(&frame);
        count += 1;
    }
    count
}

/// [`FrameCodec::batch`], of which the frames are looked at and not taken.
#[inline(never)]
pub fn batch_borrowed(wire: &mut BytesMut) -> usize {
    let mut count = 0;
    for frame in &FrameCodec::new().batch(wire) {
        black_box(&frame);
        count += 1;
    }
    count
}

/// [`FrameCodec::decode_frame`], one by one.
#[inline(never)]
pub fn frames(wire: &mut BytesMut) -> usize {
    let mut codec = FrameCodec::new();
    let mut count = 0;
    while let Ok(Some(frame)) = codec.decode_frame(wire) {
        black_box(&frame);
        count += 1;
    }
    count
}

/// [`PacketCodec::packets`].
#[inline(never)]
pub fn typed<P: Packet>(wire: &mut BytesMut) -> usize {
    let mut codec = PacketCodec::<P, P>::new();
    let mut count = 0;
    for packet in codec.packets(wire) {
        let Ok(packet) = packet else { break };
        black_box(&packet);
        count += 1;
    }
    count
}

/// A slice walk written by hand.
#[inline(never)]
pub fn walk<P: Hand>(wire: &mut BytesMut) -> usize {
    let mut count = 0;
    let walked = hand::walk(wire, |packet: P| {
        black_box(&packet);
        count += 1;
    });
    wire.advance(walked.unwrap_or(0));
    count
}

/// [`Packets::good`](netcore::Packets::good), whose errors stand beside the packets.
#[inline(never)]
pub fn typed_good<P: Packet>(wire: &mut BytesMut) -> usize {
    let mut codec = PacketCodec::<P, P>::new();
    let (mut count, mut refused) = (0, None);
    let mut packets = codec.packets(wire);
    while let Some(packet) = packets.good(&mut refused) {
        black_box(&packet);
        count += 1;
    }
    count
}

/// The same, with every field of every packet used.
#[inline(never)]
pub fn typed_good_using<P: Hand>(wire: &mut BytesMut) -> usize {
    let mut codec = PacketCodec::<P, P>::new();
    let (mut count, mut sum, mut refused) = (0, 0u64, None);
    let mut packets = codec.packets(wire);
    while let Some(packet) = packets.good(&mut refused) {
        sum = sum.wrapping_add(packet.sum());
        count += 1;
    }
    black_box(sum);
    count
}

/// A slice walk written by hand, whose refusals take a pointer as netcore's do.
#[inline(never)]
pub fn walk_boxed<P: Hand>(wire: &mut BytesMut) -> usize {
    let mut count = 0;
    let walked = hand::walk_boxed(wire, |packet: Result<P, hand::Boxed>| {
        if let Ok(packet) = packet {
            black_box(&packet);
            count += 1;
        }
    });
    wire.advance(walked);
    count
}

/// [`PacketCodec::packets`], with every field of every packet used.
#[inline(never)]
pub fn typed_using<P: Hand>(wire: &mut BytesMut) -> usize {
    let mut codec = PacketCodec::<P, P>::new();
    let (mut count, mut sum) = (0, 0u64);
    for packet in codec.packets(wire) {
        let Ok(packet) = packet else { break };
        sum = sum.wrapping_add(packet.sum());
        count += 1;
    }
    black_box(sum);
    count
}

/// A slice walk written by hand, with every field of every packet used.
#[inline(never)]
pub fn walk_using<P: Hand>(wire: &mut BytesMut) -> usize {
    let (mut count, mut sum) = (0, 0u64);
    let walked = hand::walk(wire, |packet: P| {
        sum = sum.wrapping_add(packet.sum());
        count += 1;
    });
    wire.advance(walked.unwrap_or(0));
    black_box(sum);
    count
}

/// tokio-util's `LengthDelimitedCodec`, set to the same size field. Its frames have the header in them still: to take
/// it apart is left out, in its favour.
#[inline(never)]
pub fn length_delimited(wire: &mut BytesMut) -> usize {
    let mut codec = LengthDelimitedCodec::builder()
        .little_endian()
        .length_field_offset(0)
        .length_field_type::<u16>()
        .length_adjustment(0)
        .num_skip(0)
        .max_frame_length(65_535)
        .new_codec();
    let mut count = 0;
    while let Ok(Some(frame)) = codec.decode(wire) {
        black_box(&frame);
        count += 1;
    }
    count
}

/// Frames by hand, in the plainest way: `split_to` and `freeze`, and the largest size is nobody's concern.
#[inline(never)]
pub fn frames_by_hand(wire: &mut BytesMut) -> usize {
    let mut count = 0;
    while let Some(([s0, s1, i0, i1, kind], _)) = wire.split_first_chunk() {
        let (id, kind) = (PacketId(u16::from_le_bytes([*i0, *i1])), PacketType(*kind));
        let size = usize::from(u16::from_le_bytes([*s0, *s1]));
        if size < Header::LEN || wire.len() < size {
            break;
        }
        let mut body = wire.split_to(size);
        body.advance(Header::LEN);
        black_box(&Frame { id, kind, body: body.freeze() });
        count += 1;
    }
    count
}

/// A copy of the same bytes into a buffer that is there.
#[inline(never)]
pub fn copy(wire: &BytesMut, to: &mut [u8]) {
    to.copy_from_slice(wire);
    black_box(to);
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use netcore::{FrameCodec, PacketCodec};

    use super::{
        batch, batch_borrowed, frames, frames_by_hand, length_delimited, typed, typed_good, typed_good_using,
        typed_using, walk, walk_boxed, walk_using,
    };
    use crate::hand;
    use crate::packets::{Large, Medium, Mixed, Relay, Sample, Small, per_round, relay_stream, stream};

    fn alike<P: Sample + std::fmt::Debug + PartialEq>() {
        let wire = BytesMut::from(&stream::<P>()[..]);
        let mut by_hand = Vec::new();
        assert_eq!(hand::walk(&wire, |packet: P| by_hand.push(packet)), Ok(wire.len()));
        let by_netcore: Vec<P> =
            PacketCodec::<P, P>::new().packets(&mut wire.clone()).map(Result::unwrap).collect();
        assert_eq!(by_hand, by_netcore);
        let (typed, walk) = (
            [typed::<P>, typed_using::<P>, typed_good::<P>, typed_good_using::<P>],
            [walk::<P>, walk_using::<P>, walk_boxed::<P>],
        );
        let frames = [batch, batch_borrowed, frames, frames_by_hand, length_delimited];
        for decode in typed.into_iter().chain(walk).chain(frames) {
            let mut wire = wire.clone();
            assert_eq!(decode(&mut wire), per_round(P::BODY));
            assert!(wire.is_empty());
        }
    }

    #[test]
    fn every_decoder_finds_the_same_packets() {
        alike::<Small>();
        alike::<Medium>();
        alike::<Large>();
        alike::<Mixed>();
        let mut wire = BytesMut::from(&relay_stream(16)[..]);
        assert_eq!(typed::<Relay>(&mut wire), per_round(16));
    }

    #[test]
    fn by_hand_the_same_is_refused() {
        for wire in [&b"\x05\0\x10\0\0"[..], b"\x06\0\x12\0\0?", b"\x05\0\x63\0\0", b"\x04\0\0\0\0"] {
            assert!(hand::walk(wire, |_: Small| {}).is_err());
            let mut wire = BytesMut::from(wire);
            assert!(PacketCodec::<Small, Small>::new().packets(&mut wire).next().unwrap().is_err());
        }
        let cut = &b"\x05\0\x12\0\0\x05\0\x12"[..];
        assert_eq!(hand::walk(cut, |_: Small| {}), Ok(5));
        let mut wire = BytesMut::from(cut);
        assert_eq!(FrameCodec::new().batch(&mut wire).count(), 1);
        assert_eq!(wire, cut[5..]);
    }
}
