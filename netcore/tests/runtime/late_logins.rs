//! At the deadline for its log-in a peer is closed, whatever the game is busy with.

use std::time::Duration;

use netcore::memory::MemoryConnector;
use netcore::{Binary, CloseReason, Connection, Door, Host, Limits, Server};
use tokio::io::AsyncWriteExt;

use crate::awaited::{ANSWER, ASK, all, asks, sends};
use crate::common::{Ask, Hear, Log, bytes_of, pass, read_all, said};

/// A door where a log-in may take ten seconds, and what its peers hear last.
fn logs_in() -> (Door<Ask, Hear>, MemoryConnector) {
    let (door, connector) = Door::memory(Binary::new());
    let door = door.close_notice(|reason| Some(Hear::Bye { code: reason.code() }));
    (door.limits(Limits::new().login(Duration::from_secs(10))), connector)
}

const LATE: Hear = Hear::Bye { code: 21 };

#[tokio::test(start_paused = true)]
async fn at_the_deadline_for_the_log_in_the_peer_is_closed_though_what_it_waits_for_hangs() {
    let log = Log::default();
    let (game, mut questions) = asks(&log);
    let (door, connector) = logs_in();
    let running = Server::new().host(Host::Task).door(door).logic(game).await.unwrap();
    let mut stream = sends(&connector, &bytes_of(&[Ask::Say { n: 1 }, ASK, Ask::Say { n: 2 }])).await;
    let question = questions.recv().await.unwrap();
    pass(9_990).await;
    assert_eq!(running.stats().open(), 1);
    // Its socket, by the time that input is discarded.
    pass(1_020).await;
    assert_eq!((running.stats().closed_for("login"), running.stats().open()), (1, 0));
    assert_eq!(read_all(&mut stream).await, [said(1), LATE]);
    // What the game hears is in order.
    assert!(log.take().is_empty());
    drop(question);
    pass(1).await;
    assert_eq!(log.take(), ["0 login"]);
}

#[tokio::test(start_paused = true)]
async fn who_has_closed_before_is_not_kept_beyond_the_deadline_either_unless_admitted() {
    for admits in [false, true] {
        let log = Log::default();
        let (game, mut questions) = asks(&log);
        let (door, connector) = logs_in();
        let running = Server::new().host(Host::Task).door(door).logic(game).await.unwrap();
        let mut stream = sends(&connector, &bytes_of(&[ASK])).await;
        let question = questions.recv().await.unwrap();
        stream.shutdown().await.unwrap();
        pass(5_000).await;
        if admits {
            all(&running, 1, |ctx, session| ctx.admit(session)).await;
        }
        pass(5_010).await;
        let closed = u64::from(!admits);
        assert_eq!((running.stats().closed_for("peer_closed"), log.len()), (closed, 0), "{admits}");
        pass(5_000).await;
        drop(question);
        let answered = if admits { vec![ANSWER, Hear::Bye { code: 1 }] } else { vec![Hear::Bye { code: 1 }] };
        assert_eq!(read_all(&mut stream).await, answered);
        pass(1).await;
        assert_eq!(log.take(), ["0 peer_closed"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_elsewhere_does_not_keep_its_peer_beyond_the_deadline() {
    let (door, connector) = logs_in();
    let (ended, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let session = move |mut peer: Connection<Ask, Hear>| {
        let ended = ended.clone();
        async move {
            let _ = peer.recv().await;
            pass(60_000).await;
            ended.send((peer.send(&said(1)).is_err(), peer.recv().await)).unwrap();
        }
    };
    let running = Server::new().door(door).serve(session).await.unwrap();
    let mut stream = sends(&connector, &bytes_of(&[ASK])).await;
    pass(10_010).await;
    stream.shutdown().await.unwrap();
    assert_eq!(read_all(&mut stream).await, [LATE]);
    assert_eq!(ends.recv().await, Some((true, Err(CloseReason::Login(Duration::from_secs(10))))));
    pass(1).await;
    assert_eq!(running.stats().closed_for("login"), 1);
}
