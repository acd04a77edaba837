//! Sessions that something is done for in the background: what they send meanwhile waits, and so does their end.

use std::time::Duration;

use netcore::memory::{MemoryConnector, MemoryStream};
use netcore::{AfterPanic, Binary, CloseReason, Context, Door, Host, Limits, Running, Server, SessionId};
use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;

use crate::common::{
    Ask, Game, Hear, Log, Note, bytes_of, client, game, job, next, one, pass, read_all, round, said, server,
};

/// A game that asks elsewhere about each `Do`, and says `Note` when it is told. Whoever wants to answer gets a sender for
/// each question.
pub(crate) fn asks(log: &Log) -> (Game, tokio::sync::mpsc::UnboundedReceiver<oneshot::Sender<()>>) {
    let (asked, questions) = tokio::sync::mpsc::unbounded_channel();
    let log = log.clone();
    let game = game()
        .packet(move |ctx, session, ask| match ask {
            Ask::Say { n } => drop(ctx.send(session, &said(n))),
            Ask::Do { what, n } => {
                let (answer, answered) = oneshot::channel();
                asked.send(answer).unwrap();
                let work = async move {
                    let _ = answered.await;
                    job(move |ctx| {
                        ctx.send(session, &Hear::Note { who: what, n });
                    })
                };
                ctx.spawn_for(session, work).unwrap();
            }
        })
        .closed(move |_, session, reason| log.add(format!("{} {}", session.index(), reason.label())));
    (game, questions)
}

pub(crate) const ASK: Ask = Ask::Do { what: 7, n: 7 };
pub(crate) const ANSWER: Hear = Hear::Note { who: 7, n: 7 };

pub(crate) async fn sends(connector: &MemoryConnector, bytes: &[u8]) -> MemoryStream {
    let mut stream = connector.connect().unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_meanwhile_is_answered_in_order_and_the_end_comes_behind_it() {
    let log = Log::default();
    let (game, mut questions) = asks(&log);
    let (running, connector) = one(game).await;
    let say = |n| Ask::Say { n };
    let mut stream = sends(&connector, &bytes_of(&[say(1), ASK, say(2)])).await;
    let first = questions.recv().await.unwrap();
    stream.write_all(&bytes_of(&[say(3), ASK, say(4)])).await.unwrap();
    stream.shutdown().await.unwrap();
    pass(100).await;
    assert!(log.take().is_empty(), "its end came before what it had sent");
    first.send(()).unwrap();
    let second = questions.recv().await.unwrap();
    pass(100).await;
    second.send(()).unwrap();
    let heard = read_all(&mut stream).await;
    assert_eq!(heard, [said(1), ANSWER, said(2), said(3), ANSWER, said(4)]);
    pass(100).await;
    assert_eq!(log.take(), ["0 peer_closed"]);
    drop(running);
}

#[tokio::test(start_paused = true)]
async fn what_came_before_nonsense_is_answered_and_others_are_heard_meanwhile() {
    let log = Log::default();
    let (game, mut questions) = asks(&log);
    let (running, connector) = one(game).await;
    let mut bytes = bytes_of(&[ASK, Ask::Say { n: 1 }]);
    bytes.extend_from_slice(&[0; 5]);
    let mut stream = sends(&connector, &bytes).await;
    let question = questions.recv().await.unwrap();
    let mut other = client(&connector);
    round(&mut other, 5).await;
    drop(question);
    assert_eq!(read_all(&mut stream).await, [ANSWER, said(1)]);
    pass(100).await;
    assert_eq!((log.take().len(), running.stats().panics), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn no_more_waits_than_the_inbox_holds() {
    let (game, mut questions) = asks(&Log::default());
    let (door, connector) = Door::memory(Binary::new());
    let limits = Limits::new().inbox(10).read_chunk(90);
    let running = Server::new().host(Host::Task).door(door.limits(limits)).logic(game).await.unwrap();
    let asks: Vec<Ask> = std::iter::once(ASK).chain((0..1000).map(|n| Ask::Say { n })).collect();
    let mut stream = sends(&connector, &bytes_of(&asks)).await;
    let question = questions.recv().await.unwrap();
    pass(100).await;
    // An inboxful and one read, which has 512 bytes at least.
    assert!(running.stats().packets_in <= 10 + 512 / 9, "{}", running.stats().packets_in);
    drop(question);
    stream.shutdown().await.unwrap();
    assert_eq!(read_all(&mut stream).await.len(), 1001);
}

/// Does that with each session of each worker, one after the other.
pub(crate) async fn all(running: &Running<Note>, workers: usize, work: fn(&mut Context<Game>, SessionId)) {
    for worker in 0..workers {
        let work = job(move |ctx| {
            let sessions: Vec<_> = ctx.sessions().collect();
            sessions.into_iter().for_each(|session| work(ctx, session));
        });
        assert!(running.teller().tell(worker, work).is_ok());
        pass(1).await;
    }
}

/// Is done in that many seconds.
fn waits(ctx: &mut Context<Game>, session: SessionId, seconds: u64) {
    let work = async move {
        pass(1000 * seconds).await;
        Note::N(0)
    };
    ctx.spawn_for(session, work).unwrap();
}

#[tokio::test(start_paused = true)]
async fn anything_may_have_a_session_wait_and_several_things_at_once() {
    let (running, connector) = one(game()).await;
    let mut client = client(&connector);
    for n in 1..4 {
        round(&mut client, 0).await;
        all(&running, 1, |ctx, session| {
            for seconds in [1, 5, 2] {
                waits(ctx, session, seconds);
            }
        })
        .await;
        client.send(&Ask::Say { n }).unwrap();
        let early = tokio::time::timeout(Duration::from_millis(4_900), client.recv()).await;
        assert!(early.is_err(), "{early:?}");
        assert_eq!(next(&mut client).await, said(n));
    }
}

/// A session of worker 0 that waits for half a minute behind its first packet and has sent another; and what the workers
/// do with it meanwhile.
async fn then(work: fn(&mut Context<Game>, SessionId), log: &Log) -> (Running<Note>, MemoryStream) {
    let (server, connector) = server();
    let log = log.clone();
    let running = server
        .workers(2, move |worker| {
            let (closes, messages) = (log.clone(), log.clone());
            game()
                .packet(|ctx, session, ask| match ask {
                    Ask::Say { n } => drop(ctx.send(session, &said(n + ctx.worker() as u32))),
                    Ask::Do { .. } => waits(ctx, session, 30),
                })
                .message(move |_, n| messages.add(format!("{worker} message {n}")))
                .closed(move |_, _, reason| closes.add(format!("{worker} {}", reason.label())))
        })
        .await
        .unwrap();
    let mut stream = sends(&connector, &bytes_of(&[Ask::Do { what: 0, n: 0 }, Ask::Say { n: 10 }])).await;
    pass(10).await;
    all(&running, 2, work).await;
    stream.shutdown().await.unwrap();
    (running, stream)
}

#[tokio::test(start_paused = true)]
async fn where_a_session_arrives_it_is_heard_and_what_it_waited_for_is_not_told_even_if_it_comes_back() {
    for there_and_back in [false, true] {
        let log = Log::default();
        let (running, mut stream) = then(
            |ctx, session| {
                if ctx.worker() == 0 {
                    ctx.move_to(session, 1, Note::N(0));
                }
            },
            &log,
        )
        .await;
        if there_and_back {
            all(&running, 2, |ctx, session| ctx.move_to(session, 1 - ctx.worker(), Note::N(0))).await;
        }
        assert_eq!(read_all(&mut stream).await, [said(11)]);
        pass(60_000).await;
        assert_eq!(log.take().len(), 1, "it closed, and no message came");
        drop(running);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_waits_may_be_closed_and_hears_what_is_said_to_it() {
    let log = Log::default();
    let (running, mut stream) = then(
        |ctx, session| {
            ctx.send(session, &said(3));
            ctx.close(session, CloseReason::Game(1001));
        },
        &log,
    )
    .await;
    assert_eq!(read_all(&mut stream).await, [said(3)]);
    pass(60_000).await;
    assert_eq!(log.take(), ["0 game"], "and no message came");
    drop(running);
}

#[tokio::test(start_paused = true)]
async fn work_that_panics_closes_its_session_and_is_counted() {
    let log = Log::default();
    let closes = log.clone();
    let game = game()
        .packet(|ctx, session, ask| match ask {
            Ask::Say { n } => drop(ctx.send(session, &said(n))),
            Ask::Do { what: 0, .. } => ctx.spawn_for(session, async { panic!("the database") }).unwrap(),
            Ask::Do { .. } => ctx.spawn(async { panic!("somewhere") }).unwrap(),
        })
        .closed(move |_, _, reason| closes.add(reason.label()));
    let (running, connector) = one(game).await;
    let say = |n| Ask::Say { n };
    let asks = [say(1), Ask::Do { what: 1, n: 0 }, say(2), Ask::Do { what: 0, n: 0 }, say(3)];
    let mut stream = sends(&connector, &bytes_of(&asks)).await;
    assert_eq!(read_all(&mut stream).await, [said(1), said(2)]);
    assert_eq!((log.take(), running.stats().panics), (vec!["panicked".to_owned()], 2));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_waits_for_as_many_messages_as_it_may_has_nobody_wait() {
    let (server, connector) = server();
    let game = game().packet(|ctx, session, ask| match ask {
        Ask::Say { n } => drop(ctx.send(session, &said(n))),
        Ask::Do { what, .. } => {
            let work = async move {
                pass(1000).await;
                Note::N(what)
            };
            if ctx.spawn_for(session, work).is_err() {
                ctx.send(session, &said(99));
            }
        }
    });
    let running = server.max_messages(1).logic(game).await.unwrap();
    let (mut waits, mut other) = (client(&connector), client(&connector));
    waits.send(&Ask::Do { what: 1, n: 0 }).unwrap();
    pass(10).await;
    other.send(&Ask::Do { what: 2, n: 0 }).unwrap();
    assert_eq!(next(&mut other).await, said(99));
    round(&mut other, 1).await;
    round(&mut waits, 2).await;
    drop(running);
}

#[tokio::test(start_paused = true)]
async fn a_game_that_is_made_anew_hears_those_who_waited_and_not_what_they_waited_for() {
    let (server, connector) = server();
    let log = Log::default();
    let messages = log.clone();
    let make = move |_| {
        let messages = messages.clone();
        game()
            .packet(|ctx, session, ask| match ask {
                Ask::Say { n } => drop(ctx.send(session, &said(n))),
                Ask::Do { what: 0, .. } => waits(ctx, session, 30),
                Ask::Do { .. } => panic!("anew"),
            })
            .message(move |_, n| messages.add(n))
    };
    let running = server.after_panic(AfterPanic::Rebuild).workers(1, make).await.unwrap();
    let mut waited = client(&connector);
    waited.send(&Ask::Do { what: 0, n: 0 }).unwrap();
    waited.send(&Ask::Say { n: 4 }).unwrap();
    pass(10).await;
    let panics = sends(&connector, &bytes_of(&[Ask::Do { what: 1, n: 0 }])).await;
    assert_eq!(next(&mut waited).await, said(4));
    pass(60_000).await;
    assert!(log.take().is_empty());
    drop((panics, running));
}
