//! Games that do anything at any moment: each session that opened closes once, and the shutdown comes to an end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use netcore::{AfterPanic, Binary, CloseReason, Door, Host, Limits, Server, SessionId};
use tokio::task::JoinSet;

use crate::common::{Ask, Ctx, Game, Hear, Note, client, game, job, pass, within};

/// The numbers that a seed brings.
#[derive(Clone)]
struct Dice(Arc<Mutex<u64>>);

impl Dice {
    fn below(&self, most: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 11) % most
    }
}

/// How often each session opened and closed.
type Lives = Arc<Mutex<HashMap<SessionId, (u32, u32)>>>;

/// Says more than a transport takes at once, closes, moves, starts a timer, panics.
fn anything(ctx: &mut Ctx, dice: &Dice) {
    let sessions: Vec<_> = ctx.sessions().collect();
    let Some(one) = sessions.get(dice.below(sessions.len().max(1) as u64) as usize).copied() else { return };
    let long = |len| Hear::Long { text: "x".repeat(len) };
    match dice.below(12) {
        0..4 => {
            for _ in 0..dice.below(4) {
                ctx.send(one, &long(1000));
            }
        }
        4..7 => ctx.broadcast(&long(700)),
        7 if dice.below(3) == 0 => ctx.close(one, CloseReason::Ended),
        8 | 9 => ctx.move_to(one, dice.below(3) as usize, Note::N(0)),
        10 => {
            let again = dice.clone();
            let work = job(move |ctx| anything(ctx, &again));
            ctx.after_for(one, Duration::from_millis(dice.below(3)), work);
        }
        11 => assert!(dice.below(8) > 0, "in a storm"),
        _ => {}
    }
}

fn stormy(dice: &Dice, lives: &Lives) -> Game {
    let [opened, arrived, packet, closed] = std::array::from_fn(|_| dice.clone());
    let [opens, closes] = std::array::from_fn(|_| lives.clone());
    game()
        .opened(move |ctx, session| {
            opens.lock().unwrap().entry(session).or_default().0 += 1;
            anything(ctx, &opened);
        })
        .arrived(move |ctx, _, _| anything(ctx, &arrived))
        .packet(move |ctx, _, _| anything(ctx, &packet))
        .closed(move |ctx, session, _| {
            closes.lock().unwrap().entry(session).or_default().1 += 1;
            anything(ctx, &closed);
        })
}

/// Thirty peers, most of whom read, at three workers, which are shut down in the midst of it.
async fn storm(seed: u64, after_panic: AfterPanic) {
    let dice = Dice(Arc::new(Mutex::new(seed * 7_919 + 13)));
    let lives = Lives::default();
    let (door, connector) = Door::memory(Binary::new());
    let server = Server::new().host(Host::Task).door(door.limits(Limits::new().queue(8192)));
    let server = server.after_panic(after_panic).drain(Duration::from_millis(50));
    let (rolls, counts) = (dice.clone(), lives.clone());
    let running = server.workers(3, move |_| stormy(&rolls, &counts)).await.unwrap();
    let mut peers = JoinSet::new();
    for n in 0..30 {
        let (sender, mut receiver) = client(&connector.clone().with_capacity(1 << 14)).split();
        peers.spawn(async move {
            for n in 0..40 {
                let _ = sender.send(&Ask::Say { n });
                pass(1).await;
            }
        });
        peers.spawn(async move {
            if n % 5 == 0 {
                return pass(1_000).await;
            }
            while let Ok(Some(_)) = receiver.recv().await {}
        });
    }
    pass(10 + dice.below(60)).await;
    within(running.shutdown()).await;
    for (session, (opened, closed)) in &*lives.lock().unwrap() {
        // A game that is made anew hears of all sessions once more, and never of the ends that the one before it was owed.
        let right =
            if after_panic == AfterPanic::Rebuild { *closed <= 1 } else { (*opened, *closed) == (1, 1) };
        assert!(right, "seed {seed}: {session} opened {opened} times and closed {closed}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_session_that_opened_closes_once_whatever_games_do() {
    for seed in 0..50 {
        storm(seed, AfterPanic::GoOn).await;
        storm(seed, AfterPanic::Rebuild).await;
    }
}
