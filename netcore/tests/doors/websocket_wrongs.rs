//! What hostile and broken peers do to a WebSocket door, while a healthy one plays beside them.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use netcore::{Binary, CloseReason, Door, Hello, Limits, Rate, Running, Server, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::common::{Ask, Hear, packet, rest, said, say, session, settled, until, within};
use crate::websocket::{closed, connect, heard, serve, upgrade};

struct Healthy(WebSocketStream<TcpStream>);

impl Healthy {
    async fn plays(&mut self) {
        self.0.send(Message::Binary(say(77).into())).await.unwrap();
        assert_eq!(heard(&mut self.0, 9).await, said(77));
    }
}

/// A frame, masked, that says that it has `len` bytes.
fn frame(first: u8, len: u64, payload: &[u8]) -> Vec<u8> {
    let mask = [0x11, 0x22, 0x33, 0x44];
    let mut bytes = vec![first];
    match len {
        0..126 => bytes.push(0x80 | len as u8),
        126..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(len.to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

const BINARY: u8 = 0x82;

/// A WebSocket whose frames are written by hand.
async fn by_hand(running: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(running.addr()).await.unwrap();
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within(stream.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
    stream
}

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: here\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// What stands in short frames: the data of all messages, and the code of the close frame that ends them.
fn heard_by_hand(mut bytes: &[u8]) -> (Vec<u8>, u16) {
    let mut data = Vec::new();
    while let [first, len, rest @ ..] = bytes {
        let payload = &rest[..usize::from(*len)];
        bytes = &rest[payload.len()..];
        if *first == 0x88 {
            assert!(bytes.is_empty());
            return (data, u16::from_be_bytes([payload[0], payload[1]]));
        }
        assert_eq!(*first, BINARY);
        data.extend_from_slice(payload);
    }
    panic!("no close frame");
}

#[tokio::test]
async fn a_text_message_closes_with_its_reason_and_what_came_before_it_is_answered() {
    let running = serve(WebSocket::new()).await;
    let mut healthy = Healthy(connect(&running).await);
    let mut socket = connect(&running).await;
    socket.feed(Message::Binary(say(1).into())).await.unwrap();
    socket.feed(Message::Text("hello".into())).await.unwrap();
    socket.feed(Message::Binary(say(2).into())).await.unwrap();
    socket.flush().await.unwrap();
    assert_eq!(heard(&mut socket, 16).await[..9], said(1));
    let words = "a WebSocket text message, where only binary ones are taken".to_owned();
    assert_eq!(closed(&mut socket).await, (4019, words));
    until(&running, "closed", |stats| stats.closed_for("websocket") == 1).await;
    healthy.plays().await;
}

#[tokio::test]
async fn a_hello_that_fails_closes_with_its_reason_and_counts_under_it() {
    let hello = Hello::new::<Ask, Hear>();
    let door = Door::tcp("127.0.0.1:0").websocket(WebSocket::new()).hello(hello);
    let running = Server::new().door(door).serve(session).await.unwrap();
    let turned_away = |label| running.stats().turned_away_for(label);
    let no_hello = Message::Binary(say(1).into());
    for (message, label, code) in [(no_hello, "hello", 4015), (Message::Text("hi".into()), "websocket", 4019)]
    {
        let before = turned_away(label);
        let mut socket = connect(&running).await;
        socket.send(message).await.unwrap();
        let (heard, words) = closed(&mut socket).await;
        assert_eq!(heard, code, "{label}: {words}");
        assert!(!words.is_empty() && words.len() <= 123, "{label}: {words}");
        assert_eq!(turned_away(label), before + 1, "{:?}", running.stats());
    }
    assert_eq!(turned_away("broken"), 0);
}

#[tokio::test]
async fn a_message_of_a_gigabyte_is_refused_at_its_head_and_none_of_it_is_kept() {
    let running = serve(WebSocket::new()).await;
    let mut healthy = Healthy(connect(&running).await);
    let gigabyte = 1 << 30;
    // Announced; begun; in pieces of a kilobyte that have no end; the largest that can be said.
    let mut pieces = frame(0x02, 1024, &[7; 1024]);
    for _ in 0..1024 {
        pieces.extend(frame(0x00, 1024, &[7; 1024]));
    }
    let wrongs = [
        frame(BINARY, gigabyte, b""),
        frame(BINARY, gigabyte, &[7; 65_536]),
        frame(BINARY, u64::MAX / 2, b""),
    ];
    for (n, wrong) in (1..).zip(wrongs) {
        let mut stream = by_hand(&running).await;
        stream.write_all(&[frame(BINARY, 9, &say(1)), wrong].concat()).await.unwrap();
        let notice = packet(103, &19_u16.to_le_bytes());
        assert_eq!(heard_by_hand(&rest(&mut stream).await), ([said(1), notice].concat(), 4019));
        until(&running, "closed", |stats| stats.closed_for("websocket") == n).await;
        healthy.plays().await;
    }
    // A packet of 1,799 bytes is no packet here, which is known before the message is too long.
    let mut stream = by_hand(&running).await;
    let _ = stream.write_all(&pieces).await;
    rest(&mut stream).await;
    until(&running, "closed", |stats| stats.closed_for("frame") == 1).await;
    healthy.plays().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_in_frames_is_as_long_as_all_of_them() {
    let (door, connector) = Door::memory(Binary::new());
    let door = door.websocket(WebSocket::new().max_message(100));
    let running = Server::new().door(door).serve(session).await.unwrap();
    let mut stream = connector.connect().unwrap();
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    let asks: Vec<u8> = (0..11).flat_map(say).collect();
    stream.write_all(&frame(0x02, 99, &asks)).await.unwrap();
    stream.write_all(&frame(0x00, 2, &say(12)[..2])).await.unwrap();
    let bytes = rest(&mut stream).await;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(heard_by_hand(&bytes[end..]), ((0..11).flat_map(said).collect(), 4019));
    assert_eq!(running.stats().closed_for("websocket"), 1);
}

#[tokio::test]
async fn frames_that_cannot_be_close_with_that_reason() {
    let running = serve(WebSocket::new()).await;
    let mut healthy = Healthy(connect(&running).await);
    let wrongs = [
        // Not masked.
        [&[BINARY, 9][..], &say(2)].concat(),
        // Bits and codes that mean nothing.
        frame(0xc2, 9, &say(2)),
        frame(0x83, 9, &say(2)),
        frame(0x8b, 0, b""),
        // A continuation of nothing; a second message within the first.
        frame(0x80, 9, &say(2)),
        [frame(0x02, 9, &say(2)), frame(0x82, 9, &say(3))].concat(),
        // Control frames that are long, or in parts.
        frame(0x89, 126, &[0; 126]),
        frame(0x09, 3, b"abc"),
        // Close frames that say something else than a code and words.
        frame(0x88, 1, b"x"),
        frame(0x88, 2, &999_u16.to_be_bytes()),
        frame(0x88, 2, &1005_u16.to_be_bytes()),
        frame(0x88, 4, b"\x03\xe8\xff\xff"),
        // A length that is none.
        frame(BINARY, u64::MAX, b""),
    ];
    for (n, wrong) in (1..).zip(&wrongs) {
        let mut stream = by_hand(&running).await;
        stream.write_all(&[frame(BINARY, 9, &say(1)), wrong.clone()].concat()).await.unwrap();
        let notice = packet(103, &19_u16.to_le_bytes());
        let data = if wrong.starts_with(&[0x02]) {
            [said(1), said(2), notice].concat()
        } else {
            [said(1), notice].concat()
        };
        assert_eq!(heard_by_hand(&rest(&mut stream).await), (data, 4019), "{wrong:?}");
        let stats = until(&running, "closed", |stats| stats.closed_for("websocket") == n).await;
        assert_eq!(stats.open(), 1, "{wrong:?}");
        healthy.plays().await;
    }
}

#[tokio::test(start_paused = true)]
async fn pings_are_answered_at_a_pace_and_a_flood_of_them_closes() {
    let (door, connector) = Door::memory(Binary::new());
    let running = Server::new().door(door.websocket(WebSocket::new())).serve(session).await.unwrap();
    let mut calm = upgrade(connector.connect().unwrap()).await;
    for n in 0..300_u16 {
        calm.send(Message::Ping(n.to_be_bytes().to_vec().into())).await.unwrap();
        assert_eq!(
            within(calm.next()).await.unwrap().unwrap(),
            Message::Pong(n.to_be_bytes().to_vec().into())
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let floods = [Message::Ping(vec![1; 125].into()), Message::Pong("".into()), Message::Binary("".into())];
    for (n, message) in (1..).zip(floods) {
        let mut flood = upgrade(connector.connect().unwrap()).await;
        for _ in 0..1000 {
            if flood.feed(message.clone()).await.is_err() {
                break;
            }
        }
        let _ = flood.flush().await;
        let mut last = None;
        while let Some(Ok(message)) = within(flood.next()).await {
            last = Some(message);
        }
        let Some(Message::Close(Some(frame))) = last else { panic!("{last:?}") };
        assert_eq!(
            (u16::from(frame.code), &*frame.reason),
            (4019, "too many WebSocket frames without content")
        );
        settled().await;
        assert_eq!(running.stats().closed_for("websocket"), n);
    }
    calm.send(Message::Binary(say(1).into())).await.unwrap();
    assert_eq!(heard(&mut calm, 9).await, said(1));
}

#[tokio::test(start_paused = true)]
async fn how_many_pings_may_come_is_a_setting() {
    let (door, connector) = Door::memory(Binary::new());
    let door = door.websocket(WebSocket::new().empty_frames(Rate::per_second(0).burst(2)));
    let _running = Server::new().door(door).serve(session).await.unwrap();
    let mut socket = upgrade(connector.connect().unwrap()).await;
    for _ in 0..2 {
        socket.send(Message::Ping("".into())).await.unwrap();
        assert!(matches!(within(socket.next()).await, Some(Ok(Message::Pong(_)))));
    }
    socket.send(Message::Ping("".into())).await.unwrap();
    assert_eq!(closed(&mut socket).await.0, 4019);
}

#[tokio::test]
async fn what_is_no_upgrade_is_answered_in_http_and_in_words() {
    let websocket = WebSocket::new().path("/game").origins(["https://game.example"]).protocol("netcore");
    let running = serve(websocket).await;
    let good = REQUEST
        .replace("GET /", "GET /game?token=1")
        .replace("Host", "Sec-WebSocket-Protocol: a, netcore\r\nHost");
    let is_websocket = "this is a WebSocket: connect to it with ws:// or wss://\n";
    let broken = "the peer broke the WebSocket protocol\n";
    let none = "what came is no WebSocket upgrade\n";
    let other = "no WebSocket at that path (`WebSocket::path`)\n";
    let origin = "a page of that origin may not connect (`WebSocket::origins`)\n";
    let protocol = "the WebSocket protocol is not offered (`WebSocket::protocol`)\n";
    let long = format!("GET / HTTP/1.1\r\nCookie: {}", "x".repeat(8 * 1024));
    let cases = [
        ("GET / HTTP/1.1\r\nHost: here\r\n\r\n".to_owned(), 426, is_websocket),
        ("POST / HTTP/1.1\r\nHost: here\r\n\r\n".to_owned(), 426, is_websocket),
        ("GET / HTTP/1.0\r\n\r\n".to_owned(), 426, is_websocket),
        (good.replace("Host: here\r\n", ""), 400, none),
        (good.replace("Host: here", "Host: here\r\nHost: there"), 400, none),
        (good.replace("13", "12"), 426, is_websocket),
        (good.replace("dGhl", "dGh"), 400, broken),
        (good.replace("/game", "/other"), 404, other),
        (good.replace("Host", "Origin: https://evil.example\r\nHost"), 403, origin),
        (good.replace("netcore", "other"), 400, protocol),
        ("nonsense\r\n\r\n".to_owned(), 400, none),
        (String::from_utf8(vec![9, 0, 1, 0, 0]).unwrap(), 400, none),
        ("\u{16}\u{3}\u{1}".to_owned(), 400, none),
        (long, 431, "the request is too long\n"),
    ];
    for (n, (request, status, words)) in (1..).zip(&cases) {
        let mut stream = TcpStream::connect(running.addr()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = String::from_utf8(rest(&mut stream).await).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answer:?}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, *words, "{request:?}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        assert_eq!(head.contains("sec-websocket-version: 13"), *status == 426, "{head}");
        let stats = until(&running, "turned away", |stats| stats.turned_away_for("websocket") == n).await;
        assert_eq!((stats.handshakes_failed, stats.opened), (n, 0));
    }
    for request in [good.clone(), good.replace("Host", "Origin: https://GAME.example\r\nHost")] {
        let mut stream = TcpStream::connect(running.addr()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 12];
        within(stream.read_exact(&mut answer)).await.unwrap();
        assert_eq!(answer, b"HTTP/1.1 101");
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_request_ends_at_the_deadline_and_one_that_drips_too() {
    let (door, connector) = Door::memory(Binary::new());
    let door = door.websocket(WebSocket::new()).handshake_within(Duration::from_secs(3));
    let running = Server::new().door(door).serve(session).await.unwrap();
    let mut healthy = upgrade(connector.connect().unwrap()).await;
    let since = Instant::now();
    let (mut silent, mut half) = (connector.connect().unwrap(), connector.connect().unwrap());
    half.write_all(&REQUEST.as_bytes()[..60]).await.unwrap();
    let mut drips = connector.connect().unwrap();
    let dripping = async {
        for byte in REQUEST.as_bytes() {
            if drips.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let ((), silence, halves) = tokio::join!(dripping, rest(&mut silent), rest(&mut half));
    assert_eq!((silence, halves), (vec![], vec![]));
    assert_eq!(since.elapsed().as_secs(), 3);
    healthy.send(Message::Binary(say(1).into())).await.unwrap();
    assert_eq!(heard(&mut healthy, 9).await, said(1));
    assert_eq!(running.stats().handshakes_timed_out, 3);
}

#[tokio::test(start_paused = true)]
async fn a_ping_whole_or_cut_gives_half_a_packet_no_more_time() {
    for cut in 0..10 {
        let (door, connector) = Door::memory(Binary::new());
        let door = door.websocket(WebSocket::new().upgraded());
        let running = Server::new().door(door).serve(session).await.unwrap();
        let mut stream = connector.connect().unwrap();
        stream.write_all(&frame(BINARY, 4, &say(2)[..4])).await.unwrap();
        let ping = frame(0x89, 4, b"ping");
        for part in [&ping[..cut], &ping[cut..]] {
            tokio::time::sleep(Duration::from_secs(4)).await;
            stream.write_all(part).await.unwrap();
        }
        let mut pong = [0; 6];
        stream.read_exact(&mut pong).await.unwrap();
        let due = tokio::time::timeout(Duration::from_millis(2_100), stream.read_u8()).await;
        assert_eq!(due.map(Result::ok), Ok(Some(0x88)), "cut behind {cut}");
        drop((stream, running));
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_never_ends_is_an_unfinished_packet() {
    let ping = [frame(0x89, 4, b"ping"), frame(BINARY, 9, &say(2))].concat();
    // How much of it comes, and whether the rest does not within ten seconds.
    for (part, ends) in [(1, true), (5, true), (8, true), (8, false), (10, false), (11, true), (16, true)] {
        let (door, connector) = Door::memory(Binary::new());
        let door = door.websocket(WebSocket::new().upgraded());
        let running = Server::new().door(door).serve(session).await.unwrap();
        let mut stream = connector.connect().unwrap();
        stream.write_all(&frame(BINARY, 9, &say(1))).await.unwrap();
        let mut answer = [0; 11];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer[2..], said(1));
        let (part, rest) = ping.split_at(part);
        stream.write_all(part).await.unwrap();
        if part.len() >= 10 {
            stream.read_exact(&mut answer[..6]).await.unwrap();
            assert_eq!(answer[2..6], *b"ping");
        }
        let mut first = [0];
        let early = tokio::time::timeout(Duration::from_millis(9_900), stream.read_exact(&mut first)).await;
        assert!(early.is_err(), "{}", part.len());
        if ends {
            let due = tokio::time::timeout(Duration::from_millis(200), stream.read_exact(&mut first)).await;
            assert!(due.is_ok() && first == [0x88], "no close frame behind {}", part.len());
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(running.stats().closed_for("unfinished"), 1);
        } else {
            stream.write_all(rest).await.unwrap();
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(running.stats().closed, 0, "{}", part.len());
        }
    }
}

#[tokio::test]
async fn a_connection_that_ends_without_a_close_frame_is_an_end_all_the_same() {
    let running = serve(WebSocket::new()).await;
    for (n, (bytes, label)) in (1..).zip([
        (&b""[..], "peer_closed"),
        (&frame(BINARY, 9, &say(1)[..4]), "frame"),
        (&[BINARY], "peer_closed"),
    ]) {
        let mut stream = by_hand(&running).await;
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        rest(&mut stream).await;
        let stats = until(&running, "closed", |stats| stats.closed == n).await;
        assert!(stats.closed_for(label) > 0, "{label}: {stats:?}");
    }
}

#[tokio::test]
async fn half_upgrades_of_one_address_do_not_pass_its_cap() {
    let door = Door::tcp("127.0.0.1:0").websocket(WebSocket::new());
    let running = Server::new().door(door).max_per_address(2).serve(session).await.unwrap();
    let mut halves = Vec::new();
    for begun in ["", "GET / HTTP/1.1\r\nHo"] {
        let mut stream = TcpStream::connect(running.addr()).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        halves.push(stream);
    }
    let mut more = TcpStream::connect(running.addr()).await.unwrap();
    assert!(rest(&mut more).await.starts_with(b"HTTP/1.1 503 "));
    until(&running, "refused", |stats| stats.refused_address == 1).await;
    drop(halves);
    until(&running, "given up", |stats| stats.turned_away_for("peer_closed") == 2).await;
    connect(&running).await;
}

#[tokio::test(start_paused = true)]
async fn pings_alone_are_silence() {
    let (door, connector) = Door::memory(Binary::new());
    let door = door.websocket(WebSocket::new()).limits(Limits::new().idle(Duration::from_secs(10)));
    let running = Server::new().door(door).serve(session).await.unwrap();
    let mut socket = upgrade(connector.connect().unwrap()).await;
    let begun = Instant::now();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(3)).await;
        socket.send(Message::Ping("there?".into())).await.unwrap();
        assert!(matches!(within(socket.next()).await, Some(Ok(Message::Pong(_)))));
    }
    assert_eq!(closed(&mut socket).await.0, 4000 + CloseReason::Idle(Duration::ZERO).code());
    assert_eq!(begun.elapsed().as_secs(), 10);
    until(&running, "closed", |stats| stats.closed_for("idle") == 1).await;
}
