//! Packets and lines come out of a stream the same, however it was cut; anything else gives one clean error.

use super::cuts::{self, Any, PATHS, Read, Sharing, framing};
use bytes::{BufMut, Bytes, BytesMut};
use futures::{FutureExt, StreamExt};
use netcore::{
    Frame, FrameCodec, FrameError, Header, LineCodec, LineError, PacketCodec, PacketId, PacketType,
};
use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio_util::codec::{Decoder, FramedRead};

fn header(size: u16, id: u16) -> [u8; 5] {
    let ([s0, s1], [i0, i1]) = (size.to_le_bytes(), id.to_le_bytes());
    [s0, s1, i0, i1, 0]
}

#[test]
fn every_header_size_is_judged_as_soon_as_the_header_is_there() {
    for max in [u16::MAX, 1024] {
        for size in 0..=u16::MAX {
            let expected: Read = match size {
                0..5 => (vec![], Some(FrameError::SizeBelowHeader { size })),
                5 => (vec![Frame::new(7, "")], None),
                size if size > max => (vec![], Some(FrameError::SizeOverLimit { size, max })),
                size => (vec![], Some(FrameError::EndInsidePacket { have: 5, need: size.into() })),
            };
            for (path, read) in PATHS {
                let found = read(FrameCodec::new().max_in(max), &[&header(size, 7)]);
                assert_eq!(found, expected, "size {size}, limit {max}, through {path}");
            }
        }
    }
}

#[test]
fn every_legal_size_needs_just_so_many_bytes() {
    for size in 5..=u16::MAX {
        let mut buf = BytesMut::zeroed(usize::from(size) - 1);
        let front = header(size, 7);
        let known = front.len().min(buf.len());
        buf[..known].copy_from_slice(&front[..known]);
        let mut codec = FrameCodec::new();
        assert_eq!(codec.decode_frame(&mut buf), Ok(None), "size {size}");
        assert_eq!(buf.len(), usize::from(size) - 1, "what is not whole stays");
        buf.put_u8(0);
        let frame = codec.decode_frame(&mut buf).unwrap().unwrap();
        assert_eq!((frame.id, frame.body.len()), (PacketId(7), usize::from(size) - Header::LEN));
        assert!(buf.is_empty());
    }
}

#[test]
fn a_header_that_promises_much_makes_no_buffer_grow() {
    let promise = header(u16::MAX, 742);
    let mut buf = BytesMut::with_capacity(64);
    buf.extend_from_slice(&promise);
    let before = (buf.capacity(), buf.as_ptr());
    let mut frames = FrameCodec::new();
    assert_eq!(frames.decode_frame(&mut buf), Ok(None));
    assert!(frames.decode(&mut buf).unwrap().is_none());
    assert_eq!(frames.batch(&mut buf).count(), 0);
    let mut packets = PacketCodec::<Any, Any>::new();
    assert_eq!(packets.packets(&mut buf).count(), 0);
    assert!(packets.decode(&mut buf).unwrap().is_none());
    let mut sharing = PacketCodec::<Sharing, Sharing>::new();
    assert_eq!(sharing.packets(&mut buf).count(), 0);
    assert!(sharing.decode(&mut buf).unwrap().is_none());
    assert_eq!((buf.capacity(), buf.as_ptr()), before);
    assert_eq!(buf, promise[..]);
}

#[test]
fn memory_follows_the_bytes_that_came() {
    // Growing doubles at most, and a read adds at most itself.
    let bound = |come: usize| 2 * come + 1024;
    let stream = [&header(u16::MAX, 742)[..], &[0x61; 4096]].concat();
    for path in 0..3 {
        let (mut buf, mut come) = (BytesMut::new(), 0);
        let mut frames = FrameCodec::new();
        let mut packets = PacketCodec::<Any, Any>::new();
        for read in stream.chunks(100) {
            buf.extend_from_slice(read);
            come += read.len();
            let whole = match path {
                0 => frames.decode_frame(&mut buf).unwrap().iter().count(),
                1 => frames.batch(&mut buf).count(),
                _ => packets.packets(&mut buf).count(),
            };
            assert_eq!(whole, 0);
            assert!(buf.capacity() <= bound(come), "{} for {come} bytes", buf.capacity());
        }
    }
}

#[test]
fn a_promise_makes_the_buffer_of_framed_grow_no_more_than_a_read_does() {
    fn capacity<D: Decoder>(codec: D, stream: &[u8]) -> usize {
        let mut framed = FramedRead::new(stream.chain_pending(), codec);
        let start = framed.read_buffer().capacity();
        assert!(framed.next().now_or_never().is_none(), "nothing is whole yet");
        assert_eq!(framed.read_buffer().len(), stream.len());
        framed.read_buffer().capacity() - start
    }
    let promise = header(u16::MAX, 742);
    assert_eq!(capacity(FrameCodec::new(), &promise), 0);
    assert_eq!(capacity(PacketCodec::<Any, Any>::new(), &promise), 0);
    assert_eq!(capacity(PacketCodec::<Sharing, Sharing>::new(), &promise), 0);
    assert_eq!(capacity(FrameCodec::new(), &[&promise[..], &[0; 1000]].concat()), 0);
}

/// A reader that has some bytes and then waits for ever.
trait ChainPending {
    fn chain_pending(&self) -> impl AsyncRead + Unpin;
}

impl ChainPending for [u8] {
    fn chain_pending(&self) -> impl AsyncRead + Unpin {
        let (mut here, there) = tokio::io::duplex(self.len().max(1));
        here.write_all(self).now_or_never().unwrap().unwrap();
        // Dropped, the writer would end the stream.
        Both { read: there, _write: here }
    }
}

struct Both {
    read: tokio::io::DuplexStream,
    _write: tokio::io::DuplexStream,
}

impl AsyncRead for Both {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.read).poll_read(cx, buf)
    }
}

#[test]
fn a_good_packet_before_a_bad_header_is_delivered_first_in_one_read_or_in_two() {
    let good = b"\x07\x00\x65\x00\x00hi";
    let bad = header(3, 9);
    let error = FrameError::SizeBelowHeader { size: 3 };
    let expected: Read = (vec![Frame::new(101, "hi")], Some(error));
    for (path, read) in PATHS {
        assert_eq!(read(FrameCodec::new(), &[&[&good[..], &bad].concat()]), expected, "{path}, one read");
        assert_eq!(read(FrameCodec::new(), &[good, &bad]), expected, "{path}, two reads");
    }
    for reads in [vec![[&good[..], &bad].concat()], vec![good.to_vec(), bad.to_vec()]] {
        let (mut peer, ours) = tokio::io::duplex(64);
        let mut framed = FramedRead::new(ours, FrameCodec::new());
        let mut items = Vec::new();
        for bytes in reads {
            peer.write_all(&bytes).now_or_never().unwrap().unwrap();
            while let Some(Some(item)) = framed.next().now_or_never() {
                items.push(item);
            }
        }
        let mut items = items.into_iter();
        assert_eq!(items.next().unwrap().unwrap().body, "hi");
        assert_eq!(framing(items.next().unwrap().unwrap_err()), error);
    }
}

#[test]
fn a_dead_codec_says_the_same_whatever_comes_behind() {
    let mut codec = FrameCodec::new().max_in(64);
    let mut buf = BytesMut::from(&header(65, 1)[..]);
    let error = FrameError::SizeOverLimit { size: 65, max: 64 };
    assert_eq!(codec.decode_frame(&mut buf), Err(error));
    for _ in 0..3 {
        buf.extend_from_slice(b"\x05\x00\x65\x00\x00");
        let before = buf.clone();
        assert_eq!(codec.decode_frame(&mut buf), Err(error));
        assert_eq!(codec.batch(&mut buf).collect::<Vec<_>>(), [Err(error)]);
        assert_eq!(framing(codec.decode_eof(&mut buf).unwrap_err()), error);
        assert_eq!(codec.finish(b""), Err(error));
        assert_eq!(buf, before, "the buffer is left alone");
    }
    // A buffer of its own does not revive it either.
    assert_eq!(codec.decode_frame(&mut BytesMut::from(&b"\x05\x00\x65\x00\x00"[..])), Err(error));
}

#[test]
fn packets_that_were_not_taken_are_still_there() {
    fn left<P: netcore::Packet + std::fmt::Debug>() -> (usize, Vec<u8>) {
        let stream = b"\x06\x00\xe6\x02\x00a\x06\x00\xe6\x02\x00b\x06\x00\xe6\x02\x00c\x09\x00";
        let mut buf = BytesMut::from(&stream[..]);
        let mut codec = PacketCodec::<P, P>::new();
        let taken = codec.packets(&mut buf).take(1).count();
        (taken, buf.to_vec())
    }
    let behind = b"\x06\x00\xe6\x02\x00b\x06\x00\xe6\x02\x00c\x09\x00".to_vec();
    assert_eq!(left::<Any>(), (1, behind.clone()));
    assert_eq!(left::<Sharing>(), (1, behind));
}

#[test]
fn packets_that_were_not_taken_come_before_the_bad_header_behind_them() {
    fn bodies<P: netcore::Packet + Into<Frame>>() -> Vec<Result<Bytes, FrameError>> {
        let mut buf = BytesMut::from(&b"\x06\x00\xe6\x02\x00a\x06\x00\xe6\x02\x00b\x03\x00\x00\x00\x00"[..]);
        let mut codec = PacketCodec::<P, P>::new();
        // One packet a call, as a caller with a budget takes them.
        let mut one = || codec.packets(&mut buf).next();
        std::iter::from_fn(&mut one)
            .take(4)
            .map(|item| item.map(|packet| packet.into().body).map_err(framing))
            .collect()
    }
    let bad = Err(FrameError::SizeBelowHeader { size: 3 });
    let expected = [Ok(Bytes::from("a")), Ok(Bytes::from("b")), bad.clone(), bad];
    assert_eq!(bodies::<Any>(), expected);
    assert_eq!(bodies::<Sharing>(), expected);
}

/// What the specification says of a stream, in the plainest words there are.
fn model(mut stream: &[u8], max: u16) -> Read {
    let mut frames = Vec::new();
    loop {
        let [s0, s1, i0, i1, kind, behind @ ..] = stream else {
            let end = FrameError::EndInsidePacket { have: stream.len(), need: 5 };
            return (frames, (!stream.is_empty()).then_some(end));
        };
        let size = u16::from_le_bytes([*s0, *s1]);
        if size < 5 {
            return (frames, Some(FrameError::SizeBelowHeader { size }));
        }
        if size > max {
            return (frames, Some(FrameError::SizeOverLimit { size, max }));
        }
        let Some(body) = behind.get(..usize::from(size) - 5) else {
            let end = FrameError::EndInsidePacket { have: stream.len(), need: size.into() };
            return (frames, Some(end));
        };
        let id = PacketId(u16::from_le_bytes([*i0, *i1]));
        // `Sharing` knows this packet, and a packet that is known does not keep its type byte.
        let kind = PacketType(if id.0 == 742 { 0 } else { *kind });
        frames.push(Frame { id, kind, body: Bytes::copy_from_slice(body) });
        stream = &stream[usize::from(size)..];
    }
}

fn pieces<'s>(stream: &'s [u8], cuts: &[prop::sample::Index]) -> Vec<&'s [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    places.extend([0, stream.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect()
}

fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let body = prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..64),
        2 => prop::collection::vec(any::<u8>(), 0..3000),
        1 => (65_000usize..=Header::MAX_BODY).prop_map(|len| vec![0x5a; len]),
    ];
    let id = prop_oneof![3 => any::<u16>(), 1 => Just(742)];
    let frame = (id, any::<u8>(), body).prop_map(|(id, kind, body)| Frame {
        id: PacketId(id),
        kind: PacketType(if id == 742 { 0 } else { kind }),
        body: body.into(),
    });
    prop::collection::vec(frame, 0..8)
}

/// Bytes that are nearly packets: good ones, headers of any small size, and noise. No type byte for packet 742.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..20).prop_map(|body| {
            [&header(5 + body.len() as u16, 742)[..], &body].concat()
        }),
        2 => (0u16..40, 0u16..741).prop_map(|(size, id)| header(size, id).to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

fn text_noise() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![3 => Just(b'\n'), 2 => Just(b'\r'), 10 => b'a'..=b'z', 2 => any::<u8>()];
    prop::collection::vec(byte, 0..200)
}

proptest! {
    #[test]
    fn any_packets_cut_into_any_pieces_come_out_the_same(
        frames in frames(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut wire = BytesMut::new();
        for frame in &frames {
            FrameCodec::new().encode_frame(frame, &mut wire).unwrap();
        }
        let pieces = pieces(&wire, &cuts);
        for (path, read) in PATHS {
            let found = read(FrameCodec::new(), &pieces);
            prop_assert!(found == (frames.clone(), None), "through {}", path);
        }
    }

    #[test]
    fn any_bytes_give_packets_or_one_error(
        stream in noise(),
        max in prop_oneof![Just(u16::MAX), 0u16..64],
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let pieces = pieces(&stream, &cuts);
        for (path, read) in PATHS {
            prop_assert_eq!(read(FrameCodec::new().max_in(max), &pieces), model(&stream, max), "through {}", path);
        }
    }

    #[test]
    fn after_an_error_any_bytes_give_the_same_error(stream in noise(), behind in noise()) {
        let mut codec = FrameCodec::new().max_in(64);
        let mut buf = BytesMut::from(&stream[..]);
        let first = codec.batch(&mut buf).find_map(Result::err);
        buf.extend_from_slice(&behind);
        if let Some(error) = first {
            prop_assert_eq!(codec.batch(&mut buf).collect::<Vec<_>>(), vec![Err(error)]);
            prop_assert_eq!(codec.decode_frame(&mut buf), Err(error));
        }
    }

    #[test]
    fn any_text_cut_into_any_pieces_gives_the_same_lines(
        stream in text_noise(),
        max in 0usize..12,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let codec = LineCodec::new().max_line(max);
        let expected = line_model(&stream, max);
        for found in cuts::lines(&codec, &pieces(&stream, &cuts)) {
            prop_assert_eq!(&found, &expected);
        }
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        for found in cuts::lines(&codec, &single) {
            prop_assert_eq!(&found, &expected);
        }
    }
}

/// What the specification says of lines.
fn line_model(stream: &[u8], max: usize) -> cuts::Lines {
    let mut lines: Vec<&[u8]> = stream.split(|byte| *byte == b'\n').collect();
    let rest = lines.pop().unwrap_or_default();
    let mut items: Vec<_> = lines
        .into_iter()
        .map(|line| match line.strip_suffix(b"\r").unwrap_or(line) {
            line if line.len() > max => Err(LineError::TooLong { max }),
            line => match std::str::from_utf8(line) {
                Ok(text) => Ok(text.to_owned()),
                Err(error) => Err(LineError::NotUtf8 { valid: error.valid_up_to() }),
            },
        })
        .collect();
    let over = rest.strip_suffix(b"\r").unwrap_or(rest).len() > max;
    match rest {
        [] => (items, None),
        _ if over => {
            items.push(Err(LineError::TooLong { max }));
            (items, None)
        }
        rest => (items, Some(LineError::EndInsideLine { have: rest.len() })),
    }
}

#[test]
fn a_line_of_a_mebibyte_that_comes_byte_by_byte_is_searched_once() {
    // Searched from its start at each byte it would be 2^39 steps, and this test would not end.
    const LEN: usize = 1 << 20;
    let mut codec = LineCodec::new().max_line(LEN);
    let mut buf = BytesMut::new();
    for _ in 0..LEN {
        buf.put_u8(b'x');
        assert_eq!(codec.decode_line(&mut buf), Ok(None));
    }
    assert!(buf.capacity() <= 2 * LEN, "{}", buf.capacity());
    buf.put_u8(b'\n');
    assert_eq!(codec.decode_line(&mut buf).unwrap().unwrap().len(), LEN);
    assert!(buf.is_empty());
}

#[test]
fn a_line_that_never_ends_takes_no_more_memory_than_its_limit_and_a_read() {
    const READ: usize = 4096;
    let mut codec = LineCodec::new();
    let mut buf = BytesMut::new();
    let mut errors = 0;
    for _ in 0..1000 {
        buf.extend_from_slice(&[b'x'; READ]);
        assert!(buf.len() <= 1024 + READ);
        while let Some(item) = codec.decode_line(&mut buf).transpose() {
            assert_eq!(item, Err(LineError::TooLong { max: 1024 }));
            errors += 1;
        }
        assert!(buf.is_empty(), "what is dropped is not kept");
        assert!(buf.capacity() <= 1024 + READ, "{}", buf.capacity());
    }
    assert_eq!(errors, 1, "a line is reported once");
}
