//! What connections begin with and what messages come in, against walks so plain that they can be seen to be right.

use crate::WebSocketFault;
use crate::runtime::{Parsed, Pieces, frames_in_pieces, parse_proxy_header};

/// A PROXY header: any bytes, fed as they are asked for. What is asked for is the header's own, and bounded.
///
/// The input's first byte says how long a header may be.
pub fn proxy_header(data: &[u8]) {
    let Some((max, stream)) = data.split_first() else { return };
    let max = 107 + usize::from(*max);
    let mut len = 0;
    let (source, whole) = loop {
        match parse_proxy_header(&stream[..len], max) {
            Err(_) => return,
            Ok(Parsed::Need(need)) => {
                assert!(
                    need > 0 && len + need <= max,
                    "asks for {need} bytes behind {len}, of at most {max}"
                );
                len += need;
                if len > stream.len() {
                    return;
                }
            }
            Ok(Parsed::Whole { source, skip }) => break (source, len + skip),
        }
    };
    assert!(whole <= max);
    if stream.starts_with(b"PROXY ") {
        // The line, read the plain way.
        let line = &stream[..whole];
        assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(whole - 1));
        let text = std::str::from_utf8(&line[..whole - 2]).unwrap();
        let fields: Vec<_> = text.split(' ').collect();
        match source {
            None => assert_eq!(fields[1], "UNKNOWN"),
            Some(source) => {
                let ip: std::net::IpAddr = fields[2].parse().unwrap();
                let (ip, port) = (ip.to_canonical(), fields[4].parse().unwrap());
                assert_eq!((source.ip(), source.port(), fields.len()), (ip, port, 6));
            }
        }
    } else {
        let said = usize::from(u16::from_be_bytes([stream[14], stream[15]]));
        assert_eq!(whole, 16 + said);
        if let Some(source) = source {
            let at = if stream[13] == 0x11 { 24 } else { 48 };
            assert_eq!(source.port().to_be_bytes(), stream[at..at + 2]);
        }
    }
}

/// WebSocket frames: any bytes, any cut, from either side, against a walk over the whole stream.
///
/// The input's first three bytes are the largest message, who sends, and how the rest is cut.
pub fn websocket_frames(data: &[u8]) {
    let Some(([max, side, cut], stream)) = data.split_first_chunk() else { return };
    let (max, from_client) = (u64::from(*max) * 4, side % 2 == 0);
    let want = walk(stream, from_client, max);
    for piece in [usize::from(*cut).max(1), 1, stream.len().max(1)] {
        let mut got = frames_in_pieces(stream, piece, from_client, max);
        // How many were seen before the fault depends on nothing but the stream only where there is none.
        if got.fault.is_some() {
            got.empty = want.empty;
        }
        assert_eq!(got, want, "in pieces of {piece}");
    }
}

/// Frame by frame over the whole stream. Of a frame that is cut, the part that is there counts.
fn walk(stream: &[u8], from_client: bool, max: u64) -> Pieces {
    let mut all = Pieces::default();
    let mut message: Option<u64> = None;
    let mut at = 0;
    let broken = |mut all: Pieces| {
        all.fault = Some(WebSocketFault::Broken);
        all
    };
    loop {
        let Some(head) = stream.get(at..at + 2) else { return all };
        let (last, code, masked, short) =
            (head[0] & 0x80 != 0, head[0] & 0x0f, head[1] & 0x80 != 0, head[1] & 0x7f);
        let wide = if short == 126 {
            2
        } else if short == 127 {
            8
        } else {
            0
        };
        let size = 2 + wide + if masked { 4 } else { 0 };
        let Some(rest) = stream.get(at + 2..at + size) else { return all };
        let len = match wide {
            0 => u64::from(short),
            _ => rest[..wide].iter().fold(0, |len, byte| len << 8 | u64::from(*byte)),
        };
        if head[0] & 0x70 != 0 || masked != from_client || len >> 63 != 0 {
            return broken(all);
        }
        at += size;
        let there = usize::try_from(len).unwrap_or(usize::MAX).min(stream.len() - at);
        let mask = if masked { &rest[wide..] } else { &[0; 4] };
        let payload: Vec<u8> =
            stream[at..at + there].iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        at += there;
        let whole = there as u64 == len;
        match code {
            0..=2 => {
                if (code == 0) != message.is_some() {
                    return broken(all);
                }
                let so_far = message.unwrap_or(0).saturating_add(len);
                let fault = match code {
                    1 => Some(WebSocketFault::Text),
                    _ if so_far > max => Some(WebSocketFault::TooLarge(max)),
                    _ => None,
                };
                if fault.is_some() {
                    all.fault = fault;
                    return all;
                }
                all.data.extend(payload);
                all.empty += u32::from(len == 0);
                message = if whole && last { None } else { Some(so_far) };
            }
            8..=10 => {
                if len > 125 || !last {
                    return broken(all);
                }
                if !whole {
                    return all;
                }
                if code != 8 {
                    all.empty += 1;
                } else {
                    let said = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    let may = said.is_none_or(|code| matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999));
                    if payload.len() == 1
                        || !may
                        || std::str::from_utf8(payload.get(2..).unwrap_or_default()).is_err()
                    {
                        return broken(all);
                    }
                    all.close = Some(said);
                    return all;
                }
            }
            _ => return broken(all),
        }
        if !whole {
            return all;
        }
    }
}
