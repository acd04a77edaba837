//! One stream, cut anywhere, through every path that reads it.

use bytes::{Bytes, BytesMut};
use netcore::{
    CodecError, Frame, FrameCodec, FrameError, LineCodec, LineError, Packet, PacketCodec, PacketErrorKind,
    PacketId, PacketType,
};
use tokio_util::codec::Decoder;

/// What a stream held: frames, then the error that closes the connection, if any.
pub(crate) type Read = (Vec<Frame>, Option<FrameError>);

/// Takes any packet as it is.
#[derive(Packet, Debug)]
pub(crate) enum Any {
    #[packet(other)]
    Frame(Frame),
}

/// Takes packets that share the read buffer.
#[derive(Packet, Debug)]
pub(crate) enum Sharing {
    #[packet(id = 742)]
    Relay {
        #[raw(rest)]
        body: Bytes,
    },
    #[packet(other)]
    Frame(Frame),
}

impl From<Any> for Frame {
    fn from(packet: Any) -> Self {
        let Any::Frame(frame) = packet;
        frame
    }
}

impl From<Sharing> for Frame {
    fn from(packet: Sharing) -> Self {
        match packet {
            // A packet that is known does not keep its type byte.
            Sharing::Relay { body } => Self { id: PacketId(742), kind: PacketType::NORMAL, body },
            Sharing::Frame(frame) => frame,
        }
    }
}

/// A way to read a stream that comes in these pieces and then ends.
pub(crate) type Path = fn(FrameCodec, &[&[u8]]) -> Read;

pub(crate) const PATHS: [(&str, Path); 8] = [
    ("decode_frame", by_frame),
    ("batch", by_batch),
    ("packets", by_packets::<Any>),
    ("packets that share", by_packets::<Sharing>),
    ("packets that are frames", by_packets::<Frame>),
    ("Decoder of frames", |codec, pieces| by_decoder(codec, pieces, |frame| frame)),
    ("Decoder of packets", |codec, pieces| {
        by_decoder(PacketCodec::<Any, Any>::with_frames(codec), pieces, Frame::from)
    }),
    ("Decoder of packets that share", |codec, pieces| {
        by_decoder(PacketCodec::<Sharing, Sharing>::with_frames(codec), pieces, Frame::from)
    }),
];

fn by_frame(mut codec: FrameCodec, pieces: &[&[u8]]) -> Read {
    let (mut buf, mut frames) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buf.extend_from_slice(piece);
        loop {
            match codec.decode_frame(&mut buf) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => {
                    let left = buf.clone();
                    assert_eq!(codec.decode_frame(&mut buf), Err(error), "a dead codec stays dead");
                    assert_eq!(codec.finish(&buf), Err(error), "and says the same at the end");
                    assert_eq!(buf, left, "and leaves the buffer alone");
                    return (frames, Some(error));
                }
            }
        }
    }
    (frames, codec.finish(&buf).err())
}

fn by_batch(mut codec: FrameCodec, pieces: &[&[u8]]) -> Read {
    let (mut buf, mut frames) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buf.extend_from_slice(piece);
        let mut batch = codec.batch(&mut buf);
        for item in batch.by_ref() {
            match item {
                Ok(frame) => frames.push(frame),
                Err(error) => {
                    assert_eq!(
                        codec.batch(&mut buf).collect::<Vec<_>>(),
                        [Err(error)],
                        "a dead codec stays dead"
                    );
                    return (frames, Some(error));
                }
            }
        }
        assert!(batch.next().is_none());
    }
    (frames, codec.finish(&buf).err())
}

fn by_packets<P: Packet + Into<Frame>>(codec: FrameCodec, pieces: &[&[u8]]) -> Read {
    let mut codec = PacketCodec::<P, P>::with_frames(codec);
    let (mut buf, mut frames) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buf.extend_from_slice(piece);
        let mut failed = None;
        let mut packets = codec.packets(&mut buf);
        for item in packets.by_ref() {
            match item {
                Ok(packet) => frames.push(packet.into()),
                Err(error) => failed = Some(framing(error)),
            }
        }
        assert!(packets.next().is_none());
        drop(packets);
        if let Some(error) = failed {
            let again = codec.packets(&mut buf).next().and_then(Result::err).unwrap();
            assert_eq!(framing(again), error, "a dead codec stays dead");
            return (frames, Some(error));
        }
    }
    let end = match codec.decode_eof(&mut buf) {
        Ok(None) => None,
        Err(error) => Some(framing(error)),
        Ok(Some(packet)) => panic!("nothing whole is left: {:?}", packet.into()),
    };
    (frames, end)
}

/// The error of the stream; a catch-all takes every packet, so that there is no other.
pub(crate) fn framing(error: impl Into<CodecError>) -> FrameError {
    match error.into() {
        CodecError::Packet(error) => match error.kind() {
            PacketErrorKind::Frame(error) => *error,
            other => panic!("{other} is not about framing"),
        },
        other => panic!("{other} is not about framing"),
    }
}

fn by_decoder<D: Decoder<Error = CodecError>>(
    mut codec: D,
    pieces: &[&[u8]],
    frame: impl Fn(D::Item) -> Frame,
) -> Read {
    let (mut buf, mut frames) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buf.extend_from_slice(piece);
        loop {
            match codec.decode(&mut buf) {
                Ok(Some(item)) => frames.push(frame(item)),
                Ok(None) => break,
                Err(error) => return (frames, Some(framing(error))),
            }
        }
    }
    loop {
        match codec.decode_eof(&mut buf) {
            Ok(Some(item)) => frames.push(frame(item)),
            Ok(None) => return (frames, None),
            Err(error) => return (frames, Some(framing(error))),
        }
    }
}

/// Lines, what was in place of one, and what was wrong with the end.
pub(crate) type Lines = (Vec<Result<String, LineError>>, Option<LineError>);

/// A line reader through its own method, and through `Decoder`.
pub(crate) fn lines(codec: &LineCodec, pieces: &[&[u8]]) -> [Lines; 2] {
    [by_line(codec.clone(), pieces), by_line_decoder(codec.clone(), pieces)]
}

fn by_line(mut codec: LineCodec, pieces: &[&[u8]]) -> Lines {
    let (mut buf, mut items) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buf.extend_from_slice(piece);
        while let Some(item) = codec.decode_line(&mut buf).transpose() {
            items.push(item);
        }
    }
    let end = codec.finish(&buf).err();
    (items, end)
}

fn by_line_decoder(mut codec: LineCodec, pieces: &[&[u8]]) -> Lines {
    let (mut buf, mut items) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buf.extend_from_slice(piece);
        while let Some(item) = codec.decode(&mut buf).transpose() {
            items.push(item);
        }
    }
    let mut end = None;
    while let Some(item) = codec.decode_eof(&mut buf).transpose() {
        match item {
            Err(error @ LineError::EndInsideLine { .. }) => end = Some(error),
            other => items.push(other),
        }
    }
    (items, end)
}
