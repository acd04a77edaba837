use std::future::Future;
use std::pin::pin;
use std::task::Context;

use super::*;
use crate::runtime::connection::Connection;
use crate::runtime::encoding::{Encoding, Writes};
use crate::{Binary, Frame};

fn peer() -> Arc<Peer<Frame>> {
    Arc::new(Peer::new(SessionId::new(1, 1), 0, None, Outbox::new(1000), None, None))
}

fn deliver(peer: &Arc<Peer<Frame>>, count: u16) {
    let mut batch = Inbound::new();
    (0..count).for_each(|id| batch.push(Ok(Frame::new(id, "")), 5));
    peer.deliver(&mut batch, Waker::noop());
}

#[test]
fn a_session_that_waits_for_packets_keeps_no_memory_for_them() {
    let peer = peer();
    let encode = Arc::new(Writes::<_, Frame>(Arc::new(Binary::new()), std::marker::PhantomData));
    let mut connection =
        Connection::<_, Frame>::new(peer.clone(), Encoding { encode, slow: None, door: "".into() });
    let mut cx = Context::from_waker(Waker::noop());
    let mut is_ready = || pin!(connection.recv()).poll(&mut cx).is_ready();
    deliver(&peer, 100);
    assert!(is_ready());
    // More comes while the game is still at it.
    deliver(&peer, 200);
    let rest = std::iter::from_fn(|| is_ready().then_some(())).count();
    assert_eq!((rest, peer.lock().packets.memory()), (299, 0));
}

#[test]
fn what_a_worker_has_in_hand_counts_until_it_is_handled() {
    let peer = peer();
    let counts = || (peer.packets.load(Relaxed), peer.bytes.load(Relaxed));
    let mut packets = Sequence::new();
    deliver(&peer, 10);
    assert!(matches!(peer.take(&mut packets), Found::Packets));
    deliver(&peer, 4);
    assert_eq!(counts(), (14, 70));
    // One was handled, and moved the session away: the others go back, and their bytes are not told apart.
    packets.pop();
    peer.put_back(&mut packets);
    assert_eq!(counts(), (13, 70));
    assert!(matches!(peer.room(13, 1000), Room::Full));
    for (left, bytes) in [(12, 70), (11, 70)] {
        assert!(matches!(peer.take(&mut packets), Found::Packets));
        packets.pop();
        peer.put_back(&mut packets);
        assert_eq!(counts(), (left, bytes));
    }
    assert!(matches!(peer.take(&mut packets), Found::Packets));
    deliver(&peer, 1);
    packets.clear();
    assert!(peer.done());
    assert_eq!(counts(), (1, 5));
    assert!(matches!(peer.room(13, 1000), Room::Free));
    // The last one moves it.
    assert!(matches!(peer.take(&mut packets), Found::Packets));
    packets.clear();
    peer.put_back(&mut packets);
    assert_eq!(counts(), (0, 0));
}

#[test]
fn a_workers_session_keeps_little() {
    let peer = peer();
    for (count, kept) in [(3, true), (200, false)] {
        deliver(&peer, count);
        let mut packets = Sequence::new();
        packets.reserve(count.into());
        assert!(matches!(peer.take(&mut packets), Found::Packets));
        assert!(!peer.done());
        assert_eq!(peer.lock().packets.memory() > 0, kept, "{count}");
    }
}
