//! Encoding a round of packets into a buffer that has room, by netcore and by its peers.

use bytes::{Bytes, BytesMut};
use netcore::{Frame, FrameCodec, Packet, PacketCodec};
use tokio_util::codec::{Encoder, LengthDelimitedCodec};

use crate::hand::{self, Hand, Out};

/// [`FrameCodec::encode_frame`].
#[inline(never)]
pub fn frames(frames: &[Frame], to: &mut BytesMut) {
    let codec = FrameCodec::new();
    for frame in frames {
        if codec.encode_frame(frame, to).is_err() {
            break;
        }
    }
}

/// [`PacketCodec::encode_packet`].
#[inline(never)]
pub fn typed<P: Packet>(packets: &[P], to: &mut BytesMut) {
    let codec = PacketCodec::<P, P>::new();
    for packet in packets {
        if codec.encode_packet(packet, to).is_err() {
            break;
        }
    }
}

/// Packets written by hand.
#[inline(never)]
pub fn packets_by_hand<P: Hand>(packets: &[P], to: &mut impl Out) {
    for packet in packets {
        packet.write(to);
    }
}

/// Frames written by hand.
#[inline(never)]
pub fn frames_by_hand(frames: &[Frame], to: &mut impl Out) {
    for frame in frames {
        to.put(&hand::head(frame.id.0, frame.body.len()));
        to.put(&frame.body);
    }
}

/// The bodies alone, without a header: the copy that no encoder can do without.
#[inline(never)]
pub fn bodies(frames: &[Frame], to: &mut BytesMut) {
    for frame in frames {
        to.extend_from_slice(&frame.body);
    }
}

/// tokio-util's `LengthDelimitedCodec`, whose size field counts itself as netcore's does.
#[inline(never)]
pub fn length_delimited(payloads: Vec<Bytes>, to: &mut BytesMut) {
    let mut codec = LengthDelimitedCodec::builder()
        .little_endian()
        .length_field_type::<u16>()
        .length_adjustment(-2)
        .max_frame_length(65_535)
        .new_codec();
    for payload in payloads {
        if codec.encode(payload, to).is_err() {
            break;
        }
    }
}
