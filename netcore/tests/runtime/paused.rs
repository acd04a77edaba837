//! Sessions that are paused: what they sent waits, and so does their end.

use netcore::memory::{MemoryConnector, MemoryStream};
use netcore::{AfterPanic, Binary, CloseReason, Context, Door, Host, Limits, Running, Server, SessionId};
use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;

use crate::common::{
    Ask, Game, Hear, Log, Note, bytes_of, client, game, job, next, one, pass, read_all, round, said, server,
};

/// A game that asks elsewhere about each `Do`, and hears no more of who sent it until it is told; then it says `Note`.
/// Whoever wants to answer gets a sender for each question.
fn asks(log: &Log) -> (Game, tokio::sync::mpsc::UnboundedReceiver<oneshot::Sender<()>>) {
    let (asked, questions) = tokio::sync::mpsc::unbounded_channel();
    let log = log.clone();
    let game = game()
        .packet(move |ctx, session, ask| match ask {
            Ask::Say { n } => drop(ctx.send(session, &said(n))),
            Ask::Do { what, n } => {
                let (answer, answered) = oneshot::channel();
                asked.send(answer).unwrap();
                ctx.pause(session);
                assert!(ctx.is_paused(session));
                ctx.spawn(async move {
                    let _ = answered.await;
                    job(move |ctx| {
                        ctx.send(session, &Hear::Note { who: what, n });
                        ctx.resume(session);
                    })
                })
                .unwrap();
            }
        })
        .closed(move |_, session, reason| log.add(format!("{} {}", session.index(), reason.label())));
    (game, questions)
}

const ASK: Ask = Ask::Do { what: 7, n: 7 };
const ANSWER: Hear = Hear::Note { who: 7, n: 7 };

async fn sends(connector: &MemoryConnector, bytes: &[u8]) -> MemoryStream {
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

#[tokio::test(start_paused = true)]
async fn a_session_that_is_idle_may_be_paused_and_resumed_by_anything_and_twice() {
    let (running, connector) = one(game()).await;
    let mut client = client(&connector);
    round(&mut client, 1).await;
    let all = |work: fn(&mut Context<Game>, SessionId)| {
        job(move |ctx| {
            let sessions: Vec<_> = ctx.sessions().collect();
            sessions.into_iter().for_each(|session| work(ctx, session));
        })
    };
    for times in 1..4 {
        for _ in 0..times {
            running.teller().tell(0, all(|ctx, session| ctx.pause(session))).unwrap_or_else(|_| panic!());
        }
        pass(10).await;
        client.send(&Ask::Say { n: times }).unwrap();
        pass(10).await;
        let nothing = tokio::time::timeout(std::time::Duration::from_secs(1), client.recv()).await;
        assert!(nothing.is_err(), "{nothing:?}");
        for _ in 0..times {
            running.teller().tell(0, all(|ctx, session| ctx.resume(session))).unwrap_or_else(|_| panic!());
        }
        assert_eq!(next(&mut client).await, said(times));
        round(&mut client, 77).await;
    }
}

/// A session of worker 0 that is paused by its first packet and has sent another; and what the workers then do with it.
async fn then(work: fn(&mut Context<Game>, SessionId), log: &Log) -> (Running<Note>, MemoryStream) {
    let (server, connector) = server();
    let log = log.clone();
    let running = server
        .workers(2, move |worker| {
            let log = log.clone();
            game()
                .packet(move |ctx, session, ask| match ask {
                    Ask::Say { n } => drop(ctx.send(session, &said(n + ctx.worker() as u32))),
                    Ask::Do { .. } => ctx.pause(session),
                })
                .closed(move |_, _, reason| log.add(format!("{worker} {}", reason.label())))
        })
        .await
        .unwrap();
    let mut stream = sends(&connector, &bytes_of(&[Ask::Do { what: 0, n: 0 }, Ask::Say { n: 10 }])).await;
    pass(10).await;
    for worker in 0..2 {
        let work = job(move |ctx| {
            let sessions: Vec<_> = ctx.sessions().collect();
            sessions.into_iter().for_each(|session| work(ctx, session));
        });
        running.teller().tell(worker, work).unwrap_or_else(|_| panic!());
        pass(10).await;
    }
    stream.shutdown().await.unwrap();
    (running, stream)
}

#[tokio::test(start_paused = true)]
async fn where_a_paused_session_arrives_it_is_heard() {
    let log = Log::default();
    let to_the_other = |ctx: &mut Context<Game>, session: SessionId| {
        if ctx.worker() == 0 {
            ctx.move_to(session, 1, Note::N(0));
        }
    };
    let (running, mut stream) = then(to_the_other, &log).await;
    assert_eq!(read_all(&mut stream).await, [said(11)]);
    drop(running);
}

#[tokio::test(start_paused = true)]
async fn a_paused_session_may_be_closed_and_hears_what_is_said_to_it() {
    let log = Log::default();
    let close = |ctx: &mut Context<Game>, session: SessionId| {
        ctx.send(session, &said(3));
        ctx.close(session, CloseReason::Ended);
    };
    let (running, mut stream) = then(close, &log).await;
    assert_eq!(read_all(&mut stream).await, [said(3)]);
    assert_eq!(log.take().len(), 1);
    drop(running);
}

#[tokio::test(start_paused = true)]
async fn a_game_that_is_made_anew_hears_those_whom_the_old_one_had_paused() {
    let (server, connector) = server();
    let make = |_| {
        game().packet(|ctx, session, ask| match ask {
            Ask::Say { n } => drop(ctx.send(session, &said(n))),
            Ask::Do { what: 0, .. } => ctx.pause(session),
            Ask::Do { .. } => panic!("anew"),
        })
    };
    let running = server.after_panic(AfterPanic::Rebuild).workers(1, make).await.unwrap();
    let mut paused = client(&connector);
    paused.send(&Ask::Do { what: 0, n: 0 }).unwrap();
    paused.send(&Ask::Say { n: 4 }).unwrap();
    pass(10).await;
    let panics = sends(&connector, &bytes_of(&[Ask::Do { what: 1, n: 0 }])).await;
    assert_eq!(next(&mut paused).await, said(4));
    drop((panics, running));
}
