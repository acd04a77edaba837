//! PROXY headers over real sockets.

use netcore::{Client, CloseReason, Door, Proxy, ProxyFault, Running, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::common::{Ask, Hear, bye, packet, rest, round, session, until, within};

async fn serve(proxy: Proxy) -> Running {
    let door = Door::tcp("127.0.0.1:0").proxy(proxy).close_notice(bye);
    Server::new().door(door).serve(session).await.unwrap()
}

fn local() -> Proxy {
    Proxy::trusting(["127.0.0.0/8"]).unwrap()
}

/// Connects, sends a header, and asks who it is.
async fn who(running: &Running, header: &[u8]) -> String {
    let mut stream = TcpStream::connect(running.addr()).await.unwrap();
    // Together with the first packet: what stands behind the header is the session's.
    stream.write_all(&[header, &packet(2, b"")].concat()).await.unwrap();
    let mut head = [0; 5];
    within(stream.read_exact(&mut head)).await.unwrap();
    let mut address = vec![0; usize::from(head[0]) - 5];
    within(stream.read_exact(&mut address)).await.unwrap();
    round(&mut stream, 7).await;
    let own = stream.local_addr().unwrap().to_string();
    let address = String::from_utf8(address).unwrap();
    if address == own { "its own".to_owned() } else { address }
}

fn binary(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let len = u16::try_from(body.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[0x20 | command, family][..], &len, body].concat()
}

#[tokio::test]
async fn a_session_has_the_address_that_the_proxy_names() {
    let running = serve(local()).await;
    assert_eq!(who(&running, b"PROXY TCP4 203.0.113.7 10.0.0.1 51234 11020\r\n").await, "203.0.113.7:51234");
    assert_eq!(who(&running, b"PROXY TCP6 2001:db8::7 ::1 51234 11020\r\n").await, "[2001:db8::7]:51234");
    assert_eq!(who(&running, b"PROXY UNKNOWN\r\n").await, "its own");
    let body = [203, 0, 113, 9, 10, 0, 0, 1, 0xc8, 0x22, 0x2b, 0x0c];
    assert_eq!(who(&running, &binary(1, 0x11, &body)).await, "203.0.113.9:51234");
    assert_eq!(who(&running, &binary(1, 0x11, &[&body[..], &[4; 700]].concat())).await, "203.0.113.9:51234");
    assert_eq!(who(&running, &binary(0, 0, b"")).await, "its own");
}

#[tokio::test]
async fn a_header_may_come_byte_by_byte() {
    let running = serve(local()).await;
    let body = [203, 0, 113, 9, 10, 0, 0, 1, 0xc8, 0x22, 0x2b, 0x0c, 1, 2, 3];
    for header in [b"PROXY TCP4 203.0.113.7 10.0.0.1 51234 11020\r\n".to_vec(), binary(1, 0x11, &body)] {
        let mut stream = TcpStream::connect(running.addr()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        for byte in header {
            stream.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        round(&mut stream, 1).await;
    }
}

#[tokio::test]
async fn who_may_not_send_a_header_is_closed_with_that_reason_and_hears_it() {
    let running = serve(Proxy::trusting(["10.0.0.0/8"]).unwrap()).await;
    for first in [&b"PROXY TCP4 203.0.113.7 10.0.0.1 51234 11020\r\n"[..], &packet(2, b"")] {
        let mut stream = TcpStream::connect(running.addr()).await.unwrap();
        stream.write_all(first).await.unwrap();
        let code = CloseReason::Proxy(ProxyFault::Untrusted).code();
        assert_eq!(rest(&mut stream).await, packet(103, &code.to_le_bytes()));
    }
    let stats = running.stats();
    assert_eq!((stats.opened, stats.handshakes_failed, stats.turned_away_for("proxy")), (0, 2, 2));
}

#[tokio::test]
async fn a_door_behind_a_proxy_that_is_reached_without_a_header_closes_and_others_play_on() {
    let running = serve(local()).await;
    let mut healthy = TcpStream::connect(running.addr()).await.unwrap();
    healthy.write_all(b"PROXY UNKNOWN\r\n").await.unwrap();
    round(&mut healthy, 1).await;
    let wrong = [
        &packet(2, b"")[..],
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        b"PROXY TCP4 here there 1 2\r\n",
        b"PROXY TCP4 203.0.113.7 10.0.0.1 0080 11020\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\nPROXY",
        &binary(2, 0x11, &[0; 12]),
        &binary(1, 0x11, &[0; 4]),
        &binary(1, 0x41, &[0; 12]),
        &binary(1, 0x13, &[0; 12]),
        &binary(1, 0, &[0; 2000])[..16],
        &[b"PROXY UNKNOWN "[..].to_vec(), vec![b'x'; 1000]].concat(),
    ];
    for (n, bytes) in (1..).zip(&wrong) {
        let mut stream = TcpStream::connect(running.addr()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        rest(&mut stream).await;
        let stats = until(&running, "turned away", |stats| stats.turned_away_for("proxy") == n).await;
        assert_eq!((stats.opened, stats.handshakes_failed), (1, n));
        round(&mut healthy, 2).await;
    }
}

#[tokio::test]
async fn a_header_at_a_door_that_does_not_ask_for_one_does_not_frame() {
    let door = Door::<Ask, Hear>::tcp_with("127.0.0.1:0", netcore::Binary::new().max_in(1024));
    let running = Server::new().door(door).serve(session).await.unwrap();
    let mut healthy = Client::<Hear, Ask>::connect(running.addr()).await.unwrap();
    for header in [&b"PROXY TCP4 203.0.113.7 10.0.0.1 51234 11020\r\n"[..], &binary(1, 0x11, &[0; 12])] {
        let mut stream = TcpStream::connect(running.addr()).await.unwrap();
        stream.write_all(header).await.unwrap();
        assert_eq!(rest(&mut stream).await, b"");
    }
    until(&running, "closed", |stats| stats.closed_for("frame") == 2).await;
    healthy.send(&Ask::Say { n: 3 }).unwrap();
    assert_eq!(within(healthy.recv()).await, Ok(Some(Hear::Said { n: 3 })));
}
