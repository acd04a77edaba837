//! A task for each session.

use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

use std::time::Duration;

use netcore::{
    Binary, Client, ClientError, Connection, Door, Frame, Heartbeat, HeartbeatError, Limits, LimitsError,
    Over, Packet, Rate, Server, ServerError, memory,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_game_sees_its_sessions_in_the_order_in_which_they_came() {
    let (door, connector) = Door::memory(Binary::new());
    let sessions = AtomicU16::new(0);
    let server = Server::new().door(door).serve(move |mut peer: Connection<Frame, Frame>| {
        let number = sessions.fetch_add(1, Relaxed);
        async move {
            peer.send(&Frame::new(number, "")).unwrap();
            peer.recv().await.map(drop)
        }
    });
    let server = server.await.unwrap();
    let streams: Vec<_> = (0..500).map(|_| connector.connect().unwrap()).collect();
    for (number, stream) in (0..).zip(streams) {
        let mut client = netcore::Client::<Frame, Frame>::options().over(stream);
        assert_eq!(client.recv().await, Ok(Some(Frame::new(number, ""))));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_game_that_panics_before_its_first_await_closes_that_session_alone() {
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().door(door).serve(|peer: Connection<Frame, Frame>| {
        assert!(peer.id().index() > 0, "the first one is not welcome");
        async move {
            peer.send(&Frame::new(1, "")).unwrap();
        }
    });
    let server = server.await.unwrap();
    let (first, second) = (connector.connect().unwrap(), connector.connect().unwrap());
    assert_eq!(netcore::Client::<Frame, Frame>::options().over(first).recv().await, Ok(None));
    let mut second = netcore::Client::<Frame, Frame>::options().over(second);
    assert_eq!(second.recv().await, Ok(Some(Frame::new(1, ""))));
    assert_eq!(server.stats().panics, 1);
    server.shutdown().await;
}

#[tokio::test]
async fn a_task_that_ends_with_nothing_closes_its_session() {
    let (door, connector) = Door::memory(Binary::new());
    let until_eight = async |mut peer: Connection<Frame, Frame>| {
        while let Ok(Some(frame)) = peer.recv().await {
            if frame.id.0 == 8 || peer.send(&frame).is_err() {
                return;
            }
        }
    };
    let server = Server::new().door(door).serve(until_eight).await.unwrap();
    let mut client = netcore::Client::<Frame, Frame>::options().over(connector.connect().unwrap());
    for id in [7, 8, 9] {
        client.send(&Frame::new(id, "")).unwrap();
    }
    assert_eq!(client.recv().await, Ok(Some(Frame::new(7, ""))));
    assert_eq!(client.recv().await, Ok(None));
    server.shutdown().await;
}

#[tokio::test]
async fn a_door_that_is_off_is_no_door() {
    let off: Option<Door<Frame, Frame>> = None;
    let server = Server::new().doors(off).serve(async |_| {});
    assert!(matches!(server.await, Err(netcore::ServerError::NoDoor)));
    let on = ["127.0.0.1:0", "127.0.0.1:0"].map(Door::<Frame, Frame>::tcp);
    let server = Server::new().doors(on).serve(async |_| {}).await.unwrap();
    assert_eq!(server.addrs().len(), 2);
    server.shutdown().await;
}

#[derive(Packet)]
enum Beat {
    #[packet(id = 7)]
    Is,
}

#[tokio::test]
async fn a_heartbeat_that_would_do_no_good_is_refused_at_the_start() {
    async fn error<P: Send + Sync + 'static>(door: Door<P, P>, limits: Limits) -> HeartbeatError {
        match Server::new().door(door.limits(limits)).serve(async |_| {}).await {
            Err(ServerError::Heartbeat { source, .. }) => source,
            other => panic!("{other:?}"),
        }
    }
    let beats = |ping: u16, pong: u16| Limits::new().heartbeat(Heartbeat::new(Frame::new(ping, ""), pong));
    let memory = || Door::<Beat, Beat>::memory(Binary::new()).0;
    let taken = HeartbeatError::Taken { id: 7.into(), name: "Is".into() };
    assert_eq!(error(memory(), beats(7, 8)).await, taken);
    assert_eq!(error(memory(), beats(8, 7)).await, taken);
    assert_eq!(error(Door::<String, String>::lines("127.0.0.1:0"), beats(8, 9)).await, HeartbeatError::Lines);
    let idle = Duration::from_secs(15);
    let late = HeartbeatError::Late { every: idle, idle };
    assert_eq!(error(memory(), beats(8, 9).idle(idle)).await, late);
    let long = Limits::new().heartbeat(Heartbeat::new(Frame::new(8, vec![0; 65_531]), 9));
    assert_eq!(error(memory(), long).await, HeartbeatError::TooLong { len: 65_536 });
    let server = Server::new().door(memory().limits(beats(8, 9).idle(Duration::from_secs(16))));
    server.serve(async |_| {}).await.unwrap().shutdown().await;
}

#[derive(Packet)]
enum Sized {
    #[packet(id = 1)]
    Small,
    #[packet(id = 2)]
    Large {
        all: [u64; 8],
        #[raw(rest)]
        text: String,
    },
}

/// Limits within which no session could do what it is for, and why.
fn absurd() -> Vec<(Limits, LimitsError)> {
    let (no_time, rate) = (|limit| LimitsError::NoTime { limit }, Rate::per_second);
    let zero = Duration::ZERO;
    let burst = |burst| LimitsError::Burst { burst, name: "Large".to_owned(), least: 69 };
    vec![
        (Limits::new().queue(0), LimitsError::Queue { queue: 0, least: 5 }),
        (Limits::new().queue(4), LimitsError::Queue { queue: 4, least: 5 }),
        (Limits::new().stall(zero), no_time("stall")),
        (Limits::new().flush(zero), no_time("flush")),
        (Limits::new().first_packet(zero), no_time("first_packet")),
        (Limits::new().unfinished(zero), no_time("unfinished")),
        (Limits::new().idle(zero), no_time("idle")),
        (Limits::new().packets(rate(0)), LimitsError::NoPacket),
        (Limits::new().bytes(rate(34)), burst(68)),
        (Limits::new().bytes(rate(10_000).burst(68).over(Over::Drop)), burst(68)),
    ]
}

#[tokio::test]
async fn limits_within_which_nothing_could_be_done_are_refused_at_the_start() {
    let door = |limits| Door::<Sized, Sized>::memory(Binary::new()).0.name("main").limits(limits);
    let refused =
        async |door, expected: &LimitsError| match Server::new().door(door).serve(async |_| {}).await {
            Err(error @ ServerError::Limits { .. }) => {
                assert_eq!(error.to_string(), format!("main: {expected}"));
            }
            other => panic!("{other:?}, not {expected}"),
        };
    for (limits, expected) in absurd() {
        refused(door(limits), &expected).await;
    }
    let zero = Duration::ZERO;
    refused(door(Limits::new().login(zero)), &LimitsError::NoTime { limit: "login" }).await;
    let handshake = LimitsError::NoTime { limit: "handshake_within" };
    refused(
        door(Limits::new()).proxy(netcore::Proxy::danger_trusting_anyone()).handshake_within(zero),
        &handshake,
    )
    .await;

    let least = Limits::new().queue(5).linger(zero).packets(Rate::per_second(0).over(Over::Warn));
    let least = least.bytes(Rate::per_second(1).burst(69)).stall(Duration::from_nanos(1));
    Server::new()
        .door(door(least).handshake_within(zero))
        .serve(async |_| {})
        .await
        .unwrap()
        .shutdown()
        .await;
}

#[derive(Packet)]
#[allow(clippy::large_enum_variant, reason = "it is about sizes, and nobody has one")]
enum Wide {
    #[packet(id = 1)]
    Map { tiles: [u8; 4000] },
    #[packet(id = 2)]
    Hi { n: [u8; 3] },
}

/// Of a door for `Wide`, which sends `Large` alone: why it is refused.
async fn judged<In, Out>(door: Door<In, Out>, limits: Limits) -> Option<String>
where
    In: Send + 'static,
    Out: Send + Sync + 'static,
{
    let server = Server::new().door(door.name("main").limits(limits));
    server.serve(async |_: Connection<In, Out>| {}).await.map(drop).map_err(|error| error.to_string()).err()
}

#[derive(Packet)]
enum Maps {
    #[packet(id = 1)]
    Map { tiles: [u8; 4000] },
}

#[tokio::test]
async fn limits_are_judged_by_the_smallest_packet_there_is() {
    let plain = || Door::<Wide, Maps>::memory(Binary::new()).0;
    let login = || Limits::new().login(Duration::from_secs(1));
    let queue = "main: a queue of 4004 bytes has no room for the smallest packet, which has 4005 (`queue`)";
    assert_eq!(judged(plain(), Limits::new().queue(4_004)).await.as_deref(), Some(queue));
    assert_eq!(judged(plain(), Limits::new().queue(4_005)).await, None);
    for (bytes, packets) in [(0, 0), (7, 9), (100, 0)] {
        let words = format!(
            "main: nobody can log in with {bytes} bytes and {packets} packets before `admit`: the smallest packet has 8 bytes \
             (`admission`)"
        );
        assert_eq!(judged(plain(), login().admission(bytes, packets)).await, Some(words));
        assert_eq!(judged(plain(), Limits::new().admission(bytes, packets)).await, None, "no log-in");
    }
    assert_eq!(judged(plain(), login().admission(8, 1)).await, None);
    let tiny = |under| Limits::new().tiny(under, Rate::per_second(0));
    let words =
        "main: all packets have fewer than 4006 bytes, and a burst of 0 such packets lets none pass (`tiny`)";
    assert_eq!(judged(plain(), tiny(4_006)).await.as_deref(), Some(words));
    assert_eq!(judged(plain(), tiny(4_005)).await, None, "the largest one passes");
    let warned = Limits::new().tiny(4_006, Rate::per_second(0).over(Over::Warn));
    assert_eq!(judged(plain(), warned).await, None);
    // Any frame may come and go.
    let frames = || Door::<Frame, Frame>::memory(Binary::new()).0;
    let words = "main: a queue of 4 bytes has no room for the smallest packet, which has 5 (`queue`)";
    assert_eq!(judged(frames(), Limits::new().queue(4)).await.as_deref(), Some(words));
    assert_eq!(
        judged(frames(), login().queue(5).admission(5, 1).tiny(u16::MAX, Rate::per_second(0))).await,
        None
    );
}

#[cfg(feature = "compress")]
#[tokio::test]
async fn where_packets_may_be_compressed_by_the_smallest_they_can_become() {
    let packed = || Door::<Wide, Maps>::memory(Binary::new().compress(netcore::Compress::new())).0;
    // A header, a length and the 16 bytes of which 4,000 can be made.
    let bytes = |burst| Limits::new().bytes(Rate::per_second(1_000).burst(burst));
    assert_eq!(judged(packed(), bytes(1_000)).await, None);
    assert_eq!(judged(packed(), bytes(25)).await, None);
    let words = "main: a burst of 24 bytes never lets a packet Map pass, which has 25 at least (`bytes`)";
    assert_eq!(judged(packed(), bytes(24)).await.as_deref(), Some(words));
    assert_eq!(judged(packed(), Limits::new().queue(25)).await, None);
    assert!(judged(packed(), Limits::new().queue(24)).await.is_some());
    let plain = Door::<Wide, Maps>::memory(Binary::new()).0;
    assert!(judged(plain, bytes(1_000)).await.is_some());
}

#[tokio::test]
async fn a_client_says_so_when_it_connects() {
    for (limits, expected) in absurd() {
        let (_server, stream) = memory::pair(100);
        let options = Client::<Sized, Sized>::options().limits(limits);
        match options.connect_over(stream).await {
            Err(ClientError::Limits(error)) => assert_eq!(error, expected),
            other => panic!("{other:?}, not {expected}"),
        }
    }
    // A client has no deadline for a log-in.
    let (_server, stream) = memory::pair(100);
    let options = Client::<Sized, Sized>::options().limits(Limits::new().login(Duration::ZERO));
    assert!(options.connect_over(stream).await.is_ok());
}

#[tokio::test]
#[should_panic(expected = "`ClientOptions::over` cannot speak: a queue of 0 bytes")]
async fn what_cannot_say_so_panics() {
    let (_server, stream) = memory::pair(100);
    Client::<Sized, Sized>::options().limits(Limits::new().queue(0)).over(stream);
}
