//! Compressed bodies: against a decoder so plain that it can be seen to be right, there and back, and as a stream.

use std::time::Instant;

use bytes::Bytes;

use super::fuzz_streams::feed;
use crate::session::{Decode, Inbound};
use crate::{Adapter, Binary, Compress, Fault, Frame, FrameError, Header, Packed, PacketId, PacketType};

/// Any bytes as a compressed body, as a body to compress, and as a stream of packets.
///
/// The input's first two bytes are the limit, the third says how the stream is cut and from where on is compressed.
pub fn inflate(data: &[u8]) {
    let Some(([low, high, cut], data)) = data.split_first_chunk() else { return };
    let max = u16::from_le_bytes([*low, *high]);
    any_body(data, max);
    there_and_back(data, *cut);
    stream(data, max, *cut);
}

fn any_body(body: &[u8], max: u16) {
    let compress = Compress::new().max_inflated(max);
    let packed = Frame { kind: PacketType(0x41), ..Frame::new(9, Bytes::copy_from_slice(body)) };
    let found = compress.unpack(&packed);
    let expected = reference(body, usize::from(max).saturating_sub(Header::LEN));
    assert_eq!(found.as_ref().ok().map(|frame| &frame.body[..]), expected.as_deref(), "{found:?}");
    let Ok(frame) = found else { return };
    assert_eq!((frame.id, frame.kind), (PacketId(9), PacketType(0x40)));
    assert_eq!(compress.unpack(&compress.pack(&frame)), Ok(frame));
}

fn there_and_back(body: &[u8], threshold: u8) {
    let compress = Compress::new().threshold(threshold.into());
    // Twice behind itself, so that something repeats.
    for body in [body.to_vec(), [body, body, body].concat()] {
        let frame = Frame::new(9, body);
        let packed = compress.pack(&frame);
        assert!(packed.body.len() <= frame.body.len());
        assert_eq!(packed.kind == PacketType::COMPRESSED, packed.body.len() < frame.body.len());
        assert_eq!(compress.unpack(&packed), Ok(frame));
    }
}

/// However the stream is cut, it holds the same packets, and ends the same.
fn stream(stream: &[u8], max: u16, cut: u8) {
    let adapter = Binary::new().compress(Compress::new().max_inflated(max));
    let whole = read(&adapter, stream, 0);
    assert_eq!(whole, read(&adapter, stream, cut));
    let has_bit = |frame: &Frame| frame.kind.contains(PacketType::COMPRESSED);
    assert!(!whole.iter().flatten().any(has_bit), "the bit reached the game");
}

fn read(adapter: &Packed, stream: &[u8], cut: u8) -> Vec<Result<Frame, FrameError>> {
    let mut decode: Box<dyn Decode<Frame>> = Adapter::<Frame, Frame>::open(adapter);
    let (mut batch, now) = (Inbound::new(), Instant::now());
    let mut dead = false;
    feed(stream, cut, |buf, out| {
        while !dead {
            batch.begin(now, 0, false);
            let result = decode.decode(buf, &mut batch);
            let more = batch.is_full();
            out.extend(
                batch.by_ref().map(|packet: Result<Frame, Fault>| Ok(packet.expect("every id is taken"))),
            );
            if let Err(error) = result {
                out.push(Err(error));
                dead = true;
            }
            if !more {
                break;
            }
        }
    })
}

/// The LZ4 block format as its description has it.
fn reference(body: &[u8], max: usize) -> Option<Vec<u8>> {
    let (len, mut rest) = body.split_first_chunk::<4>()?;
    let len = u32::from_le_bytes(*len) as usize;
    if len > max {
        return None;
    }
    let mut out = Vec::new();
    loop {
        let token = take(&mut rest, 1)?[0];
        let literals = number(token >> 4, &mut rest)?;
        out.extend_from_slice(take(&mut rest, literals)?);
        if rest.is_empty() {
            break;
        }
        let offset = take(&mut rest, 2)?;
        let offset = usize::from(u16::from_le_bytes([offset[0], offset[1]]));
        let matched = number(token & 15, &mut rest)? + 4;
        if offset == 0 || offset > out.len() || out.len() + matched > len {
            return None;
        }
        for _ in 0..matched {
            out.push(out[out.len() - offset]);
        }
    }
    (out.len() == len).then_some(out)
}

/// Four bits of a token, and as many bytes more as it takes.
fn number(bits: u8, rest: &mut &[u8]) -> Option<usize> {
    let mut number = usize::from(bits);
    let mut more = bits == 15;
    while more {
        let byte = take(rest, 1)?[0];
        number += usize::from(byte);
        more = byte == 255;
    }
    Some(number)
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(taken)
}
