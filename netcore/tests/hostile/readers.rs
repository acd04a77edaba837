//! Peers that do not read.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use netcore::{Door, Limits};
use socket2::SockRef;

use crate::common::{Ask, GUARD, Hear, Stage, door, each_way, say, tell, write_some};

#[test]
fn who_asks_for_more_than_the_queue_holds_and_does_not_read_is_closed() {
    each_way(
        || tight(Limits::new().queue(QUEUE)),
        |stage| {
            let peers: Vec<_> = (0..50).map(|_| deaf(stage, &tell(1000))).collect();
            stage.closed(&[("queue_full", 50)], 0);
            drop(peers);
        },
    );
}

#[test]
fn who_never_reads_what_the_queue_does_hold_is_closed_when_its_time_is_up() {
    each_way(
        || tight(Limits::new().queue(QUEUE).stall(STALL)),
        |stage| {
            let peers: Vec<_> = (0..50).map(|_| deaf(stage, &tell(60))).collect();
            stage.closed(&[("stalled", 50)], 0);
            drop(peers);
        },
    );
}

#[test]
fn who_asks_on_and_never_reads_is_not_read_from_and_closed_when_its_time_is_up() {
    let limits = || Limits::new().queue(1024 * 1024).inbox_bytes(64 * 1024).stall(STALL).backpressure(true);
    each_way(
        || tight(limits()),
        |stage| {
            let asks: Vec<u8> = (0..1000).flat_map(say).collect();
            let asking: Vec<_> = (0..4)
                .map(|_| {
                    let (mut peer, asks) = (deaf(stage, b""), asks.clone());
                    std::thread::spawn(move || while write_some(&mut peer, &asks) {})
                })
                .collect();
            asking.into_iter().for_each(|asking| asking.join().unwrap());
            stage.closed(&[("stalled", 4)], 0);
        },
    );
}

#[test]
fn who_asks_on_and_never_reads_is_closed_for_a_full_queue_where_nothing_holds_it_back() {
    each_way(
        || tight(Limits::new().queue(QUEUE)),
        |stage| {
            let asks: Vec<u8> = (0..1000).flat_map(say).collect();
            for _ in 0..4 {
                let mut peer = deaf(stage, b"");
                while write_some(&mut peer, &asks) {}
            }
            stage.closed(&[("queue_full", 4)], 0);
        },
    );
}

/// A door whose sockets hold little by themselves.
fn tight(limits: Limits) -> Door<Ask, Hear> {
    door(limits).buffers(8 * 1024, None)
}

/// A peer that says something and never reads.
fn deaf(stage: &Stage, words: &[u8]) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    // Before connecting: the window is agreed on then.
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    socket.connect(&stage.address().into()).unwrap();
    SockRef::from(&socket).set_write_timeout(Some(GUARD)).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.write_all(words).unwrap();
    stream
}

const QUEUE: usize = 64 * 1024;
const STALL: Duration = Duration::from_millis(400);
