//! Requests of a client, and which answer is whose.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use tokio::sync::oneshot;

use super::peer::Peer;
use super::{RequestError, SendError};
use crate::session::{CloseReason, Fault, FaultKind, Inbound};
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

/// An answer, or in words why it does not decode.
pub(super) type Answer<In> = Result<In, String>;

type Answering<In> = oneshot::Sender<Answer<In>>;

/// Who an answer is for.
enum Waiter<In> {
    Asks {
        number: Option<u32>,
        answer: Answering<In>,
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
    ) -> Result<oneshot::Receiver<Answer<In>>, RequestError> {
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
        let some_wait = self.count.load(SeqCst) > 0;
        // Those of the next read, most of which is for them as well. This one is not known before its answers are here.
        batch.weigh(some_wait);
        if !some_wait {
            return;
        }
        let mut waiting = self.lock();
        batch.sift(|packet| {
            let waiter = match &packet {
                Ok(packet) => waiting.claim(packet.id(), packet.request_number()),
                Err(fault) => waiting.claim_for(fault),
            };
            match (packet, waiter) {
                (packet, None) => Some(packet),
                (packet, Some(answer)) => {
                    self.count.fetch_sub(1, Relaxed);
                    match (packet, answer) {
                        // If nobody waits any more, it is a packet like any other.
                        (Ok(packet), Some(answer)) => match answer.send(Ok(packet)) {
                            Err(Ok(packet)) => Some(Ok(packet)),
                            Err(Err(_)) | Ok(()) => None,
                        },
                        // The fault is also told to who receives, as one of any other packet is.
                        (Err(fault), Some(answer)) => {
                            let _gave_up = answer.send(Err(fault.to_string()));
                            Some(Err(fault))
                        }
                        (packet, None) => Some(packet),
                    }
                }
            }
        });
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
    pub(super) answer: oneshot::Receiver<Answer<In>>,
    pub(super) peer: &'a Arc<Peer<In>>,
}

impl<In> Drop for Asked<'_, In> {
    fn drop(&mut self) {
        self.answer.close();
        // A fault has been delivered already.
        if let Ok(Ok(answer)) = self.answer.try_recv() {
            let mut batch = Inbound::new();
            batch.push(Ok(answer), 0);
            self.peer.deliver(&mut batch, Waker::noop());
        }
    }
}

impl<In> Waiting<In> {
    /// Whose answer it is that does not decode. It takes its place all the same: where the order alone tells the answers
    /// apart, each behind it would else go to the request before its own.
    #[cold]
    fn claim_for(&mut self, fault: &Fault) -> Option<Option<Answering<In>>> {
        let FaultKind::Malformed { id, body, .. } = fault.kind() else { return None };
        let number = match self.by_reply.get(id)?.front()? {
            // If it is too short for its number, nobody knows whose it is, and nobody's answer is taken for it.
            Waiter::Asks { number: Some(_), .. } => Some(u32::from_le_bytes(*body.first_chunk()?)),
            _ => None,
        };
        self.claim(*id, number)
    }

    /// Whose answer it is, by its number if it has one: `None` where nobody has asked for it, and a sender unless who did is
    /// known to have given up.
    fn claim(&mut self, id: PacketId, number: Option<u32>) -> Option<Option<Answering<In>>> {
        let queue = self.by_reply.get_mut(&id)?;
        let at = match number {
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
