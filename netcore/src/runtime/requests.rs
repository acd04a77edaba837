//! Requests of a client, and which answer is whose.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use tokio::sync::oneshot;

use super::peer::Peer;
use super::{RequestError, SendError};
use crate::session::{CloseReason, Inbound};
use crate::{Packet, PacketId};

/// Requests that wait for their answers.
pub(super) struct Pending<In> {
    waiting: Mutex<Waiting<In>>,
    // How many: without any, nobody looks at what comes.
    count: AtomicUsize,
    // The most with one id.
    most: usize,
    pub(super) numbers: AtomicU32,
}

struct Waiting<In> {
    by_reply: HashMap<PacketId, VecDeque<Waiter<In>>>,
    closed: Option<CloseReason>,
}

/// Who an answer is for.
enum Waiter<In> {
    Asks {
        number: Option<u32>,
        answer: oneshot::Sender<In>,
    },
    /// So many, one after the other, whose requests carry no number and who have given up. Their answers may still come, and
    /// are told from those of the others by their order alone: each keeps its place in that, and no other.
    GaveUp(u64),
}

impl<In: Packet> Pending<In> {
    /// Of which at most so many wait for answers with one id.
    pub(super) fn new(most: usize) -> Self {
        let waiting = Waiting { by_reply: HashMap::new(), closed: None };
        Self { waiting: Mutex::new(waiting), count: AtomicUsize::new(0), most, numbers: AtomicU32::new(1) }
    }

    pub(super) fn wait(
        &self,
        reply: PacketId,
        number: Option<u32>,
        send: impl FnOnce() -> Result<(), SendError>,
    ) -> Result<oneshot::Receiver<In>, RequestError> {
        let (answer, answered) = oneshot::channel();
        let mut waiting = self.lock();
        if let Some(reason) = waiting.closed {
            return Err(RequestError::Closed(reason));
        }
        let queue = waiting.by_reply.entry(reply).or_default();
        if queue.len() >= self.most {
            let (asking, forgotten) = leave_out_who_gave_up(queue);
            self.count.fetch_sub(forgotten, Relaxed);
            if asking >= self.most {
                return Err(RequestError::TooMany(asking));
            }
        }
        // Under the lock, so that the order of the requests is that of those who wait.
        // Counted before, since the answer may be here before `send` returns.
        self.count.fetch_add(1, SeqCst);
        if let Err(error) = send() {
            self.count.fetch_sub(1, SeqCst);
            return Err(error.into());
        }
        queue.push_back(Waiter::Asks { number, answer });
        Ok(answered)
    }

    /// Takes the answers out of a batch.
    pub(super) fn route(&self, batch: &mut Inbound<In>) {
        if self.count.load(SeqCst) == 0 {
            return;
        }
        let mut waiting = self.lock();
        for packet in std::mem::take(&mut batch.packets) {
            let waiter = packet.as_ref().ok().and_then(|packet| waiting.claim(packet));
            let left = match (packet, waiter) {
                (Ok(packet), Some(answer)) => {
                    self.count.fetch_sub(1, Relaxed);
                    // Nobody waits any more: it is a packet like any other.
                    match answer {
                        Some(answer) => answer.send(packet).err().map(Ok),
                        None => Some(Ok(packet)),
                    }
                }
                (packet, _) => Some(packet),
            };
            left.into_iter().for_each(|packet| batch.packets.push(packet));
        }
    }

    /// No answer will come any more. The first reason stays.
    pub(super) fn close(&self, reason: CloseReason) {
        let mut waiting = self.lock();
        waiting.closed.get_or_insert(reason);
        waiting.by_reply.clear();
    }

    /// Why that is so.
    pub(super) fn closed(&self) -> CloseReason {
        self.lock().closed.unwrap_or(CloseReason::Ended)
    }
}

impl<In> Pending<In> {
    fn lock(&self) -> MutexGuard<'_, Waiting<In>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way. Dropped when its answer has come and nobody has looked yet, the answer is received like any other
/// packet.
pub(super) struct Asked<'a, In> {
    pub(super) answer: oneshot::Receiver<In>,
    pub(super) peer: &'a Arc<Peer<In>>,
}

impl<In> Drop for Asked<'_, In> {
    fn drop(&mut self) {
        self.answer.close();
        if let Ok(answer) = self.answer.try_recv() {
            let mut batch = Inbound::new();
            batch.push(Ok(answer), 0);
            self.peer.deliver(&mut batch, Waker::noop());
        }
    }
}

impl<In: Packet> Waiting<In> {
    /// Whose answer it is: `None` where nobody has asked for it, and a sender unless who did is known to have given up.
    fn claim(&mut self, packet: &In) -> Option<Option<oneshot::Sender<In>>> {
        let queue = self.by_reply.get_mut(&packet.id())?;
        let at = match packet.request_number() {
            Some(this) => {
                let asks =
                    |waiter: &_| matches!(waiter, Waiter::Asks { number, .. } if *number == Some(this));
                queue.iter().position(asks)?
            }
            None => 0,
        };
        if let Waiter::GaveUp(many @ 2..) = queue.get_mut(at)? {
            *many -= 1;
            return Some(None);
        }
        match queue.remove(at)? {
            Waiter::Asks { answer, .. } => Some(Some(answer)),
            Waiter::GaveUp(_) => Some(None),
        }
    }
}

/// Takes those who gave up out of a queue: with a number, of whom nothing need be known any more; without one, all but how
/// many stood in each place. How many still ask, and how many are forgotten.
fn leave_out_who_gave_up<In>(queue: &mut VecDeque<Waiter<In>>) -> (usize, usize) {
    let (mut asking, mut forgotten) = (0, 0);
    for waiter in std::mem::take(queue) {
        let gave_up = match &waiter {
            Waiter::GaveUp(many) => *many,
            Waiter::Asks { answer, .. } if !answer.is_closed() => {
                asking += 1;
                queue.push_back(waiter);
                continue;
            }
            Waiter::Asks { number: Some(_), .. } => {
                forgotten += 1;
                continue;
            }
            Waiter::Asks { number: None, .. } => 1,
        };
        match queue.back_mut() {
            Some(Waiter::GaveUp(many)) => *many += gave_up,
            _ => queue.push_back(Waiter::GaveUp(gave_up)),
        }
    }
    (asking, forgotten)
}
