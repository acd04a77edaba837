//! Streams of bytes, cut anywhere, against references so plain that they can be seen to be right.

use bytes::{Bytes, BytesMut};

use crate::{
    Frame, FrameCodec, FrameError, LineCodec, LineError, Packet, PacketCodec, PacketError, PacketErrorKind,
    PacketId, PacketType,
};

/// Reassembly: any bytes, any cut, on every path, against a walk over the whole slice.
///
/// The input's first two bytes are the limit, the third says how the rest is cut.
pub fn reassembly(data: &[u8]) {
    let Some(([low, high, cut], stream)) = data.split_first_chunk() else { return };
    let max_in = u16::from_le_bytes([*low, *high]);
    let (frames, error) = reference(stream, max_in);
    let codec = FrameCodec::new().max_in(max_in);

    let mut one_by_one = codec.clone();
    let by_frame = feed(stream, *cut, |buf, out| {
        loop {
            match one_by_one.decode_frame(buf) {
                Ok(Some(frame)) => out.push(Ok(frame)),
                Ok(None) => break,
                Err(error) => {
                    out.push(Err(error));
                    break;
                }
            }
        }
    });
    same(&by_frame, &frames, error);

    let mut at_once = codec.clone();
    let by_batch = feed(stream, *cut, |buf, out| out.extend(at_once.batch(buf)));
    same(&by_batch, &frames, error);

    // Slices of the buffer, and of a copy of it.
    for share in [true, false] {
        let mut sharing = PacketCodec::<Sharing, Sharing>::with_frames(codec.clone());
        let by_sharing = feed(stream, *cut, |buf, out| {
            out.extend(sharing.packets_of(buf, usize::MAX, share).map(sharing_frame));
        });
        same(&by_sharing, &frames, error);
    }

    // Taking one packet at a time and dropping the iterator between must lose nothing.
    let mut stopping = PacketCodec::<Sharing, Sharing>::with_frames(codec.clone());
    let by_stopping = feed(stream, *cut, |buf, out| {
        while let Some(item) = stopping.packets(buf).next() {
            let stop = item.is_err();
            out.push(sharing_frame(item));
            if stop {
                break;
            }
        }
    });
    same(&by_stopping, &frames, error);

    let mut copying = PacketCodec::<Copying, Copying>::with_frames(codec);
    let by_copying = feed(stream, *cut, |buf, out| {
        out.extend(copying.packets(buf).map(|item| match item.map_err(PacketError::into_kind) {
            Ok(Copying::Other(frame)) => Ok(frame),
            Ok(Copying::Four { number }) => Ok(Frame::new(4, number.to_le_bytes().to_vec())),
            Err(PacketErrorKind::Malformed { id, .. } | PacketErrorKind::Unknown { id }) => {
                Ok(Frame::new(id, ""))
            }
            Err(PacketErrorKind::Frame(error)) => Err(error),
        }));
    });
    // The type byte and a malformed body are not in the packet, so only ids and ends are compared.
    assert_eq!(by_copying.iter().filter_map(|item| item.as_ref().ok()).count(), frames.len());
    assert_eq!(by_copying.iter().find_map(|item| item.as_ref().err().copied()), error);
}

#[derive(Packet, Debug)]
#[packet(crate = crate)]
enum Sharing {
    #[packet(id = 5)]
    Five(#[raw(rest)] Bytes),
    #[packet(other)]
    Other(Frame),
}

#[derive(Packet, Debug)]
#[packet(crate = crate)]
enum Copying {
    #[packet(id = 4)]
    Four { number: u32 },
    #[packet(other)]
    Other(Frame),
}

fn sharing_frame(item: Result<Sharing, PacketError>) -> Result<Frame, FrameError> {
    match item.map_err(PacketError::into_kind) {
        Ok(Sharing::Other(frame)) => Ok(frame),
        Ok(Sharing::Five(body)) => Ok(Frame::new(5, body)),
        Err(PacketErrorKind::Frame(error)) => Err(error),
        Err(error) => panic!("every id is taken: {error}"),
    }
}

/// Whole frames from the front of a whole stream, and what stops it.
fn reference(stream: &[u8], max_in: u16) -> (Vec<Frame>, Option<FrameError>) {
    let (mut frames, mut at) = (Vec::new(), 0);
    while stream.len() - at >= 5 {
        let size = u16::from_le_bytes([stream[at], stream[at + 1]]);
        if size < 5 {
            return (frames, Some(FrameError::SizeBelowHeader { size }));
        }
        if size > max_in {
            return (frames, Some(FrameError::SizeOverLimit { size, max: max_in }));
        }
        let end = at + usize::from(size);
        if end > stream.len() {
            break;
        }
        frames.push(Frame {
            id: PacketId(u16::from_le_bytes([stream[at + 2], stream[at + 3]])),
            kind: PacketType(stream[at + 4]),
            body: Bytes::copy_from_slice(&stream[at + 5..end]),
        });
        at = end;
    }
    (frames, None)
}

/// Feeds the stream in pieces: all at once, byte by byte, or of a size from `cut`. Decoding never makes the buffer larger.
pub(super) fn feed<T>(stream: &[u8], cut: u8, mut decode: impl FnMut(&mut BytesMut, &mut Vec<T>)) -> Vec<T> {
    let piece = if cut == 0 { stream.len().max(1) } else { usize::from(cut) };
    let (mut buf, mut out) = (BytesMut::new(), Vec::new());
    for piece in stream.chunks(piece) {
        buf.extend_from_slice(piece);
        let (room, held) = (buf.capacity(), buf.len());
        decode(&mut buf, &mut out);
        assert!(buf.capacity() <= room.max(held), "a decoder reserved {} bytes on {held}", buf.capacity());
    }
    out
}

/// All frames, then the error, as often as it was asked for.
fn same(items: &[Result<Frame, FrameError>], frames: &[Frame], error: Option<FrameError>) {
    let good: Vec<_> = items.iter().filter_map(|item| item.as_ref().ok()).collect();
    assert_eq!(good.len(), frames.len());
    for (got, want) in good.iter().zip(frames) {
        // `Five` does not keep the type byte.
        assert_eq!((got.id, &got.body), (want.id, &want.body));
        assert!(got.kind == want.kind || want.id == PacketId(5));
    }
    let after = items.iter().skip(frames.len());
    assert!(after.clone().all(|item| item.as_ref().err() == error.as_ref()), "not {error:?}: {:?}", after);
    assert_eq!(items.len() > frames.len(), error.is_some());
}

/// Frames made of the input come back as they were, whatever is behind them.
pub fn frame_round_trip(data: &[u8]) {
    let Some(([low, high, kind, len_low, len_high], rest)) = data.split_first_chunk() else { return };
    let body = &rest[..rest.len().min(usize::from(u16::from_le_bytes([*len_low, *len_high])))];
    let frame = Frame {
        id: PacketId(u16::from_le_bytes([*low, *high])),
        kind: PacketType(*kind),
        body: Bytes::copy_from_slice(body),
    };
    let mut codec = FrameCodec::new();
    let mut wire = BytesMut::from(&b"before"[..]);
    let fits = frame.body.len() <= crate::Header::MAX_BODY;
    let encoded = codec.encode_frame(&frame, &mut wire);
    assert_eq!(encoded.is_ok(), fits);
    let mut wire = wire.split_off(6);
    if !fits {
        assert!(wire.is_empty(), "a refused frame left bytes behind");
        return;
    }
    assert_eq!(wire.len(), 5 + frame.body.len());
    wire.extend_from_slice(rest);
    assert_eq!(codec.decode_frame(&mut wire), Ok(Some(frame)));
    assert_eq!(&wire[..], rest);
}

/// Lines: any bytes, any cut, against a split of the whole slice.
///
/// The input's first byte is the limit, the second says how the rest is cut.
pub fn lines(data: &[u8]) {
    let Some(([max, cut], stream)) = data.split_first_chunk() else { return };
    let max = usize::from(*max);
    let mut codec = LineCodec::new().max_line(max);
    let got = feed(stream, *cut, |buf, out| {
        loop {
            match codec.decode_line(buf) {
                Ok(Some(line)) => out.push(Ok(line)),
                Ok(None) => break,
                Err(error) => out.push(Err(error)),
            }
        }
        assert!(buf.len() <= max + 1, "{} bytes of a line of at most {max} are kept", buf.len());
    });

    let mut parts: Vec<_> = stream.split(|byte| *byte == b'\n').collect();
    let tail = parts.pop().unwrap_or_default();
    let too_long = || Err(LineError::TooLong { max });
    let mut want: Vec<Result<String, LineError>> = parts
        .into_iter()
        .map(|line| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.len() > max {
                return too_long();
            }
            let text = String::from_utf8(line.to_vec());
            text.map_err(|error| LineError::NotUtf8 { valid: error.utf8_error().valid_up_to() })
        })
        .collect();
    // Of a line that has no end yet, only that it is too long can be known.
    if tail.len() - usize::from(tail.last() == Some(&b'\r')) > max {
        want.push(too_long());
    }
    assert_eq!(got, want);

    for line in got.into_iter().flatten() {
        let mut wire = BytesMut::new();
        let mut reader = LineCodec::new().max_line(max);
        if reader.encode_line(&line, &mut wire).is_ok() {
            assert_eq!(reader.decode_line(&mut wire), Ok(Some(line)));
            assert!(wire.is_empty());
        } else {
            assert!(line.ends_with('\r'), "a line that was read cannot be written: {line:?}");
        }
    }
}
