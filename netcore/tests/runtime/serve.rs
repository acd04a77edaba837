//! A task for each session.

use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

use std::time::Duration;

use netcore::{
    Binary, Connection, Door, Frame, Heartbeat, HeartbeatError, Limits, Packet, Server, ServerError,
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
