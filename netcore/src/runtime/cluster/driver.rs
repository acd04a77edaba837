//! The task that talks to the backplane: it connects, sends, and connects again.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout};

use super::backplane::{Answer, Incoming, Link, LinkError, Pending};
use super::claims::SLOTS;
use super::core::{Core, Then};
use super::ids::mix;
use super::stats::count;

/// Runs until the node ends.
pub(super) async fn drive(core: Arc<Core>) {
    // Also when the runtime ends before the node does.
    let _finish = Finish(core.clone());
    let (mut link, mut tries) = (0, 0);
    loop {
        link += 1;
        let error = match connect(&core, link).await {
            None => return,
            Some(Err(error)) => {
                count(&core.ear.stats.connects_failed);
                error
            }
            Some(Ok(open)) => {
                count(&core.ear.stats.connects);
                core.online();
                let mut pump = Pump::new(&core, open);
                let error = pump.run().await;
                let under_way = pump.flights.drain(..).flat_map(|flight| flight.thens).collect();
                let steady = pump.steady;
                drop(pump);
                core.ear.listen_to(0);
                let Some(error) = error else { return };
                // One that lets us in and does not last is no better than one that does not.
                tries = if steady { 0 } else { tries };
                core.away(error, under_way);
                if !pause(&core, &mut tries).await {
                    return;
                }
                continue;
            }
        };
        core.ear.listen_to(0);
        core.away(error, Vec::new());
        if !pause(&core, &mut tries).await {
            return;
        }
    }
}

/// Tries again what workers had no room for. Runs until the node ends.
pub(super) async fn hand_over(core: Arc<Core>) {
    let waiting = async {
        loop {
            core.ear.waits.notified().await;
            while core.ear.retry() {
                sleep(RETRY).await;
            }
        }
    };
    core.done.run_until_cancelled(waiting).await;
}

/// `None` when the node ends first.
async fn connect(core: &Arc<Core>, link: u64) -> Option<Result<Box<dyn Link>, LinkError>> {
    core.ear.listen_to(link);
    let incoming = Incoming::new(core.ear.clone(), link);
    let within = core.options.answer_within;
    let connecting = timeout(within, core.options.backplane.connect(core.node(), incoming));
    let connected = core.end.run_until_cancelled(connecting).await?;
    Some(connected.unwrap_or(Err(LinkError::Late(within))))
}

/// Waits before the next try: whether there is to be one.
async fn pause(core: &Core, tries: &mut u32) -> bool {
    let (first, longest) = core.options.reconnect;
    let full = first.saturating_mul(1 << (*tries).min(16)).min(longest);
    *tries += 1;
    let part = mix(core.node().get() ^ core.ear.stats.snapshot().connects_failed) % 512;
    let pause = full * (512 + u32::try_from(part).unwrap_or(0)) / 1024;
    core.end.run_until_cancelled(sleep(pause)).await.is_some()
}

/// One link at work.
struct Pump<'a> {
    core: &'a Arc<Core>,
    link: Box<dyn Link>,
    /// What is under way, in the order in which it is answered.
    flights: VecDeque<Flight>,
    /// All that the node has is there again: what lets us in and then refuses that is no better than what does not let us
    /// in.
    steady: bool,
    /// Which part of the names is renewed next. All were when the link began.
    turn: usize,
    /// When the end must have come to its end.
    ending: Option<Instant>,
}

struct Flight {
    run: Pending<'static, Answered>,
    // It was there as soon as it was asked.
    answered: Option<Answered>,
    thens: Vec<Then>,
    until: Instant,
}

type Answered = Result<Vec<Answer>, LinkError>;

impl<'a> Pump<'a> {
    fn new(core: &'a Arc<Core>, link: Box<dyn Link>) -> Self {
        Self { core, link, flights: VecDeque::new(), steady: false, turn: 1, ending: None }
    }

    /// Why it ended; nothing if the node did.
    async fn run(&mut self) -> Option<LinkError> {
        let within = self.core.options.answer_within;
        let turn = self.core.options.ttl / 3 / SLOTS as u32;
        let mut turns = interval_at(Instant::now() + turn, turn);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let news = self.core.ear.news();
            if news.lost.is_some() {
                return news.lost;
            }
            if !news.displaced.is_empty() {
                self.core.look_after(news.displaced);
            }
            if self.ending.is_none() && self.core.end.is_cancelled() {
                if !self.core.begin_end() {
                    return None;
                }
                self.ending = Some(Instant::now() + within);
            }
            self.take_off().await;
            if self.ending.is_some() && self.flights.is_empty() {
                return None;
            }
            let until = self.flights.front().map(|flight| flight.until).into_iter().chain(self.ending).min();
            tokio::select! {
                biased;
                // Rare, and before what may go on without end: names must not expire under load.
                _ = turns.tick(), if self.ending.is_none() => {
                    self.core.renew(self.turn);
                    self.turn = self.turn.wrapping_add(1);
                }
                answered = land(&mut self.flights), if !self.flights.is_empty() => {
                    let Some(flight) = self.flights.pop_front() else { continue };
                    let steady = flight.thens.iter().any(|then| matches!(then, Then::Synced));
                    let settled = match answered {
                        Ok(answers) if answers.len() == flight.thens.len() => {
                            self.core.settle_all(flight.thens, answers)
                        }
                        // Whoever asked hears that it is away, as of all that is under way.
                        Ok(_) => {
                            self.flights.push_front(flight);
                            Err(LinkError::Answer("another number of answers".into()))
                        }
                        Err(error) => {
                            self.flights.push_front(flight);
                            Err(error)
                        }
                    };
                    match settled {
                        Ok(()) => self.steady |= steady,
                        Err(error) => return Some(error),
                    }
                }
                () = self.core.ear.wake.notified() => {}
                () = self.core.end.cancelled(), if self.ending.is_none() => {}
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    return self.ending.is_none().then_some(LinkError::Late(within));
                }
            }
        }
    }

    /// Asks for as much as may be under way.
    async fn take_off(&mut self) {
        while self.flights.len() < FLIGHTS
            && let Some((ops, thens)) = self.core.take_batch()
        {
            let mut run = self.link.run(ops);
            // Once at least, so that they go out in the order in which they were taken.
            let answered = poll_fn(|cx| {
                Poll::Ready(match run.as_mut().poll(cx) {
                    Poll::Ready(answered) => Some(answered),
                    Poll::Pending => None,
                })
            });
            let answered = answered.await;
            let until = Instant::now() + self.core.options.answer_within;
            self.flights.push_back(Flight { run, answered, thens, until });
        }
    }
}

/// Waits for the answers that come first. Cancel-safe.
async fn land(flights: &mut VecDeque<Flight>) -> Answered {
    poll_fn(|cx| match flights.front_mut() {
        Some(flight) => match flight.answered.take() {
            Some(answered) => Poll::Ready(answered),
            None => Pin::new(&mut flight.run).poll(cx),
        },
        None => Poll::Pending,
    })
    .await
}

struct Finish(Arc<Core>);

impl Drop for Finish {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// So many batches are under way at once: while one is on the line, another is worked on.
const FLIGHTS: usize = 4;
/// A worker that has no room is asked again after so long.
const RETRY: Duration = Duration::from_millis(10);
