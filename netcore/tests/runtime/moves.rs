//! Sessions that move between workers while packets stream in: order holds, and nothing is lost or doubled.

use std::collections::HashMap;

use tokio::task::JoinSet;

use netcore::{Client, Context, Host, Logic, SessionId};

use crate::common::{Ask, Hear, said, server, within};

const PACKETS: u32 = 2_000;

/// Answers each packet, but only in order; moves a session with each `Do`, and any session when told to.
#[derive(Default)]
struct Walk {
    // What each session sends next.
    expected: HashMap<SessionId, u32>,
}

enum Trip {
    Baggage(u32),
    // Moves one session, if it is here.
    Fetch(SessionId, usize),
    // Moves all sessions that are here.
    Scatter,
}

impl Walk {
    fn go(&mut self, ctx: &mut Context<Self>, session: SessionId, worker: usize) {
        if let Some(expected) = self.expected.get(&session) {
            ctx.move_to(session, worker, Trip::Baggage(*expected));
        }
    }
}

impl Logic for Walk {
    type In = Ask;
    type Out = Hear;
    type Message = Trip;

    fn opened(&mut self, _: &mut Context<Self>, session: SessionId) {
        self.expected.insert(session, 0);
    }

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, packet: Ask) {
        let expected = self.expected.get_mut(&session).expect("packets follow `opened` or `arrived`");
        let (Ask::Say { n } | Ask::Do { n, .. }) = packet;
        assert_eq!(n, *expected, "{session}");
        *expected += 1;
        ctx.send(session, &said(n));
        let Ask::Do { what, .. } = packet else { return };
        let workers = ctx.workers();
        let worker = what as usize % workers;
        match what % 5 {
            // A timer that is due at once, and would fire before the next packet.
            0 => drop(ctx.after(std::time::Duration::ZERO, Trip::Fetch(session, worker))),
            1 => drop(ctx.tell((worker + 1) % workers, Trip::Scatter)),
            _ => self.go(ctx, session, worker),
        }
    }

    fn message(&mut self, ctx: &mut Context<Self>, trip: Trip) {
        match trip {
            Trip::Baggage(_) => unreachable!(),
            Trip::Fetch(session, worker) => self.go(ctx, session, worker),
            Trip::Scatter => {
                let sessions: Vec<_> = ctx.sessions().collect();
                for session in sessions {
                    let worker = (ctx.worker() + 1) % ctx.workers();
                    self.go(ctx, session, worker);
                }
            }
        }
    }

    fn arrived(&mut self, ctx: &mut Context<Self>, session: SessionId, baggage: Trip) {
        let Trip::Baggage(expected) = baggage else { unreachable!() };
        let new = self.expected.insert(session, expected) != Some(expected);
        ctx.send(session, &Hear::Note { who: ctx.worker() as u32, n: expected });
        // Now and then straight on, but not in circles.
        if new && expected.is_multiple_of(2) {
            self.go(ctx, session, (ctx.worker() + 1) % ctx.workers());
        }
    }
}

async fn order_holds(workers: usize, host: Host, cut: bool) {
    let (server, connector) = server();
    let running = server.host(host).workers(workers, |_| Walk::default()).await.unwrap();
    let mut clients = JoinSet::new();
    for seed in 0..6_u32 {
        let stream = connector.connect().unwrap();
        if cut {
            stream.faults().cut(seed.into(), 97);
        }
        let (sender, mut receiver) = Client::<Hear, Ask>::options().over(stream).split();
        clients.spawn(async move {
            let send = async {
                for n in 0..PACKETS {
                    let what = n.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 7;
                    let moves = what.is_multiple_of(3 + seed);
                    sender
                        .send_wait(&if moves { Ask::Do { what, n } } else { Ask::Say { n } })
                        .await
                        .unwrap();
                }
            };
            let hear = async {
                let (mut heard, mut arrived) = (0, 0);
                while heard < PACKETS {
                    match receiver.recv().await.unwrap().expect("open") {
                        Hear::Said { n } => {
                            assert_eq!(n, heard);
                            heard += 1;
                        }
                        // What was sent before the move is here already, and nothing of what follows.
                        Hear::Note { n, .. } => {
                            assert_eq!(n, heard);
                            arrived += 1;
                        }
                        other => panic!("{other:?}"),
                    }
                }
                arrived
            };
            within(async { tokio::join!(send, hear) }).await.1
        });
    }
    let mut arrived = 0;
    while let Some(one) = clients.join_next().await {
        arrived += one.unwrap();
    }
    assert!(arrived > 1_000, "only {arrived} moves");
    assert_eq!(running.stats().panics, 0);
    assert_eq!(running.shutdown().await.cut, 0);
}

#[tokio::test(start_paused = true)]
async fn order_holds_while_sessions_move_between_tasks() {
    for workers in [1, 2, 8] {
        order_holds(workers, Host::Task, false).await;
        order_holds(workers, Host::Task, true).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_holds_while_sessions_move_between_threads() {
    for workers in [1, 2, 8] {
        order_holds(workers, Host::Thread, false).await;
    }
}
