//! WebSocket doors and clients, with tungstenite on the other side.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use netcore::{
    Binary, Client, ClientError, CloseReason, Connection, Context, Door, Frame, Host, Limits, Logic, Running,
    SendError, Server, SessionId, WebSocket,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame as Piece};
use tokio_tungstenite::tungstenite::{Error, Message, http};
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};

use crate::common::{Ask, Hear, bye, packet, said, say, session, until, within};

pub(crate) async fn serve(websocket: WebSocket) -> Running {
    // A peer written by hand does not answer a close frame.
    let limits = Limits::new().linger(Duration::from_millis(100));
    let door = Door::tcp_with("127.0.0.1:0", Binary::new().max_in(1024)).limits(limits);
    let door = door.websocket(websocket).close_notice(bye);
    Server::new().door(door).serve(session).await.unwrap()
}

pub(crate) async fn connect(running: &Running) -> WebSocketStream<TcpStream> {
    upgrade(TcpStream::connect(running.addr()).await.unwrap()).await
}

pub(crate) async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> WebSocketStream<S> {
    client_async("ws://localhost/game", stream).await.unwrap().0
}

/// So many bytes of messages, however they are cut.
pub(crate) async fn heard<S>(socket: &mut WebSocketStream<S>, len: usize) -> Vec<u8>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut bytes = Vec::new();
    while bytes.len() < len {
        match within(socket.next()).await.unwrap().unwrap() {
            Message::Binary(message) => bytes.extend_from_slice(&message),
            other => panic!("{other:?}"),
        }
    }
    bytes
}

/// The close frame that comes next, and that nothing comes behind it.
pub(crate) async fn closed<S>(socket: &mut WebSocketStream<S>) -> (u16, String)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(Ok(Message::Close(Some(frame)))) = within(socket.next()).await else { panic!("no close frame") };
    assert!(within(socket.next()).await.is_none());
    (frame.code.into(), frame.reason.to_string())
}

fn binary(bytes: impl Into<Vec<u8>>) -> Message {
    Message::Binary(bytes.into().into())
}

fn piece(opcode: Data, last: bool, bytes: &[u8]) -> Message {
    Message::Frame(Piece::message(bytes.to_vec(), OpCode::Data(opcode), last))
}

#[tokio::test]
async fn a_message_holds_a_packet_several_or_a_part_of_one() {
    let running = serve(WebSocket::new()).await;
    let mut socket = connect(&running).await;
    socket.send(binary(say(1))).await.unwrap();
    assert_eq!(heard(&mut socket, 9).await, said(1));
    socket.send(binary([say(2), say(3), say(4)].concat())).await.unwrap();
    assert_eq!(heard(&mut socket, 27).await, [said(2), said(3), said(4)].concat());
    for part in say(5).chunks(2) {
        socket.send(binary(part)).await.unwrap();
    }
    assert_eq!(heard(&mut socket, 9).await, said(5));
    socket.send(binary([])).await.unwrap();
    socket.send(binary([&say(6)[..], &say(7)[..4]].concat())).await.unwrap();
    socket.send(binary(&say(7)[4..])).await.unwrap();
    assert_eq!(heard(&mut socket, 18).await, [said(6), said(7)].concat());
}

#[tokio::test]
async fn a_message_may_come_in_frames_with_pings_between_them() {
    let running = serve(WebSocket::new()).await;
    let mut socket = connect(&running).await;
    let packet = say(1);
    socket.feed(piece(Data::Binary, false, &packet[..3])).await.unwrap();
    socket.feed(Message::Ping(vec![7; 125].into())).await.unwrap();
    socket.feed(piece(Data::Continue, false, b"")).await.unwrap();
    socket.feed(piece(Data::Continue, false, &packet[3..4])).await.unwrap();
    socket.feed(piece(Data::Continue, true, &packet[4..])).await.unwrap();
    socket.flush().await.unwrap();
    let mut pongs = 0;
    loop {
        match within(socket.next()).await.unwrap().unwrap() {
            Message::Pong(payload) => {
                assert_eq!(payload, [7; 125][..]);
                pongs += 1;
            }
            Message::Binary(message) => {
                assert_eq!(message, said(1));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    if pongs == 0 {
        assert!(matches!(within(socket.next()).await, Some(Ok(Message::Pong(_)))));
    }
}

#[tokio::test]
async fn one_write_of_a_session_is_one_message() {
    let running = serve(WebSocket::new()).await;
    let mut socket = connect(&running).await;
    let asks: Vec<u8> = (0..100).flat_map(say).collect();
    socket.send(binary(asks)).await.unwrap();
    let Some(Ok(Message::Binary(message))) = within(socket.next()).await else { panic!("no message") };
    assert_eq!(message, (0..100).flat_map(said).collect::<Vec<_>>());
}

#[tokio::test]
async fn when_the_peer_closes_its_code_comes_back_and_the_session_ends_in_order() {
    let running = serve(WebSocket::new()).await;
    for (n, frame) in (1..).zip([
        Some(CloseFrame { code: CloseCode::Normal, reason: "bye".into() }),
        Some(CloseFrame { code: CloseCode::Library(4321), reason: "".into() }),
        None,
    ]) {
        let mut socket = connect(&running).await;
        socket.feed(binary(say(1))).await.unwrap();
        socket.close(frame.clone()).await.unwrap();
        let mut last = None;
        while let Some(message) = within(socket.next()).await {
            last = Some(message.unwrap());
        }
        let code = last.map(|message| match message {
            Message::Close(frame) => frame.map(|frame| frame.code),
            other => panic!("{other:?}"),
        });
        assert_eq!(code, Some(frame.map(|frame| frame.code)));
        until(&running, "closed", |stats| stats.closed_for("peer_closed") == n).await;
    }
}

#[tokio::test]
async fn when_the_game_closes_its_code_is_in_the_close_frame_behind_all_that_was_sent() {
    let door = Door::tcp("127.0.0.1:0").websocket(WebSocket::new()).close_notice(bye);
    let running = Server::new()
        .door(door)
        .serve(async |mut peer: Connection<Ask, Hear>| {
            let Some(Ask::Say { n }) = peer.recv().await? else { return Ok(()) };
            for n in 0..100 {
                let _ = peer.send(&Hear::Said { n });
            }
            let code = u16::try_from(n).unwrap_or_default();
            peer.close(if n == 0 { CloseReason::Ended } else { CloseReason::Game(code) });
            Ok::<_, CloseReason>(())
        })
        .await
        .unwrap();
    // A number of netcore's, as a game's own, is no reason of netcore's.
    for (n, code) in [(0, 4062), (41, 4062), (321, 4321), (999, 4999), (1234, 4999)] {
        let mut socket = connect(&running).await;
        socket.send(binary(say(n))).await.unwrap();
        let mut all = heard(&mut socket, 907).await;
        let notice = all.split_off(900);
        assert_eq!(all, (0..100).flat_map(said).collect::<Vec<_>>());
        let own = if n < 100 { CloseReason::Ended.code() } else { n as u16 };
        assert_eq!(notice, packet(103, &own.to_le_bytes()));
        let words = if n == 0 {
            "closed by the game".to_owned()
        } else {
            format!("closed by the game, with code {n}")
        };
        assert_eq!(closed(&mut socket).await, (code, words));
    }
    let mut last = connect(&running).await;
    let (code, _) = tokio::join!(async { within(last.next()).await }, running.shutdown());
    // The notice first.
    assert!(matches!(code, Some(Ok(Message::Binary(_)))), "{code:?}");
    assert_eq!(closed(&mut last).await.0, 4060);
}

struct Echo;

impl Logic for Echo {
    type In = Frame;
    type Out = Frame;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, frame: Frame) {
        ctx.send(session, &frame);
    }
}

/// Sends frames of all sizes and reads them back, a little at a time, over a stream that is cut at any place.
#[tokio::test(start_paused = true)]
async fn every_byte_arrives_however_the_stream_below_is_cut_and_however_slowly_it_is_read() {
    let (door, connector) = Door::memory(Binary::new());
    // The logic answers whoever is read slowly, too.
    let door = door.websocket(WebSocket::new()).limits(Limits::new().queue(4 * 1024 * 1024));
    let server = Server::new().door(door).host(Host::Task);
    let _running = server.logic(Echo).await.unwrap();
    for (seed, most, capacity, count) in
        [(1, 1, 64, 20), (2, 7, 1000, 50), (3, 5000, 3000, 200), (4, 100_000, 100_000, 200)]
    {
        let stream = connector.clone().with_capacity(capacity).connect().unwrap();
        let faults = stream.faults();
        let (mut sink, mut stream) = upgrade(stream).await.split();
        faults.cut(seed, most);
        let sizes = (0..count)
            .map(|n: u32| usize::try_from(n * n * 37 % 4001).unwrap())
            .chain([0, 200 * count as usize]);
        let sent: Vec<u8> = sizes.flat_map(|size| packet(size as u16, &vec![size as u8; size])).collect();
        let all = sent.clone();
        let asking = tokio::spawn(async move {
            for part in all.chunks(9001) {
                sink.send(binary(part)).await.unwrap();
            }
            sink
        });
        let mut got = Vec::new();
        while got.len() < sent.len() {
            let Some(Ok(Message::Binary(message))) = stream.next().await else { panic!("no message") };
            got.extend_from_slice(&message);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(got == sent);
        drop(asking.await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_closed_for_it() {
    let (door, connector) = Door::memory(Binary::new());
    let running = Server::new().door(door.websocket(WebSocket::new())).serve(session).await.unwrap();
    let mut socket = upgrade(connector.with_capacity(1000).connect().unwrap()).await;
    // It waits for room for ever: the server does not read what it cannot answer.
    let asks: Vec<u8> = (0..1000).flat_map(say).collect();
    let _ = tokio::time::timeout(Duration::from_secs(20), socket.send(binary(asks))).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(running.stats().closed_for("stalled"), 1, "{:?}", running.stats());
}

#[tokio::test]
async fn our_client_and_our_door_speak_with_each_other() {
    let running = serve(WebSocket::new().path("/game").protocol("netcore")).await;
    let with = |websocket| Client::<Hear, Ask>::options().websocket(websocket).connect(running.addr());
    let mut client = with(WebSocket::new().path("/game").protocol("netcore")).await.unwrap();
    for n in 0..100 {
        client.send(&Ask::Say { n }).unwrap();
    }
    for n in 0..100 {
        assert_eq!(within(client.recv()).await, Ok(Some(Hear::Said { n })));
    }
    client.send(&Ask::Who).unwrap();
    assert!(matches!(within(client.recv()).await, Ok(Some(Hear::You { .. }))));
    assert_eq!(within(client.close()).await, CloseReason::Ended);
    until(&running, "closed", |stats| stats.closed_for("peer_closed") == 1).await;

    for (code, wrong) in [(404, WebSocket::new().protocol("netcore")), (400, WebSocket::new().path("/game"))]
    {
        let error = with(wrong).await.unwrap_err();
        assert!(matches!(&error, ClientError::Refused { status, .. } if *status == code), "{error:?}");
    }
}

#[tokio::test]
async fn our_client_speaks_with_a_server_of_somebody_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut socket = accept_async(listener.accept().await.unwrap().0).await.unwrap();
        // At once, so that it may come together with the answer to the upgrade.
        socket.send(binary(said(7))).await.unwrap();
        let mut bytes = Vec::new();
        while bytes.len() < 9 * 5000 {
            match socket.next().await.unwrap().unwrap() {
                Message::Binary(message) => bytes.extend_from_slice(&message),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(bytes, (0..5000).flat_map(say).collect::<Vec<_>>());
        socket.send(Message::Ping("there?".into())).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("there?".into()));
        socket.send(binary(said(8))).await.unwrap();
        let frame = CloseFrame { code: CloseCode::Library(4001), reason: "enough".into() };
        socket.send(Message::Close(Some(frame))).await.unwrap();
        let Some(Ok(Message::Close(Some(frame)))) = socket.next().await else { panic!("no close frame") };
        assert_eq!(frame.code, CloseCode::Library(4001));
        assert!(matches!(socket.next().await, None | Some(Err(Error::ConnectionClosed))));
    });
    let options = Client::<Hear, Ask>::options().websocket(WebSocket::new());
    let mut client = options.connect(address).await.unwrap();
    assert_eq!(within(client.recv()).await, Ok(Some(Hear::Said { n: 7 })));
    for n in 0..5000 {
        within(client.send_wait(&Ask::Say { n })).await.unwrap();
    }
    assert_eq!(within(client.recv()).await, Ok(Some(Hear::Said { n: 8 })));
    assert_eq!(within(client.recv()).await, Ok(None));
    within(server).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_an_http_server_has_upgraded_is_handed_in() {
    let websocket = WebSocket::new().path("/game");
    let (door, incoming) = Door::incoming(Binary::new());
    let door = door.websocket(websocket.clone().upgraded());
    let running = Server::new()
        .door(door)
        .serve(async |mut peer: Connection<Ask, Hear>| {
            while let Some(Ask::Say { n }) = peer.recv().await? {
                peer.send(&Hear::Said { n })?;
            }
            Ok::<_, SendError>(())
        })
        .await
        .unwrap();
    let (near, mut far) = duplex(1024);
    let server = tokio::spawn(async move {
        // Somebody's HTTP server, as small as can be.
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(far.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let path = lines.next().unwrap().split(' ').nth(1).unwrap();
        let mut request = http::Request::get(path);
        for line in lines.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let answer = websocket.answer(&request.body(()).unwrap());
        assert_eq!(answer.status(), 101);
        let mut words = "HTTP/1.1 101 Switching Protocols\r\n".to_owned();
        for (name, value) in answer.headers() {
            words += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        far.write_all((words + "\r\n").as_bytes()).await.unwrap();
        incoming.enter(far, None).unwrap();
    });
    let mut socket = upgrade(near).await;
    server.await.unwrap();
    socket.send(binary(say(5))).await.unwrap();
    assert_eq!(heard(&mut socket, 9).await, said(5));
    let (_, close) = tokio::join!(running.shutdown(), closed(&mut socket));
    assert_eq!(close, (4060, "the server shuts down".to_owned()));
}

#[tokio::test]
async fn answers_may_come_before_the_one_that_counts() {
    let (door, incoming) = Door::incoming(Binary::new());
    let _running = Server::new().door(door.websocket(WebSocket::new())).serve(session).await.unwrap();
    let (near, mut far) = duplex(1024);
    far.write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n").await.unwrap();
    incoming.enter(far, None).unwrap();
    let options = Client::<Hear, Ask>::options().websocket(WebSocket::new());
    let mut client = within(options.connect_over(near)).await.unwrap();
    client.send(&Ask::Say { n: 5 }).unwrap();
    assert_eq!(within(client.recv()).await, Ok(Some(Hear::Said { n: 5 })));
}

/// A proxy may put its own line in front of the browser's.
#[tokio::test(start_paused = true)]
async fn a_request_asks_for_an_upgrade_in_however_many_lines() {
    let (door, connector) = Door::memory(Binary::new());
    let _running = Server::new().door(door.websocket(WebSocket::new())).serve(session).await.unwrap();
    for connection in ["keep-alive, Upgrade", "keep-alive\r\nConnection: upgrade", "keep-alive,\tUpgrade"] {
        let mut stream = connector.connect().unwrap();
        let request = format!(
            "GET / HTTP/1.1\r\nHost: here\r\nConnection: {connection}\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 101", "{connection}");
    }
}
