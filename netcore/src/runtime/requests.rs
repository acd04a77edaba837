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

struct Waiter<In> {
    number: Option<u32>,
    answer: oneshot::Sender<In>,
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
        if queue.len() >= self.most && number.is_some() {
            // Those who gave up need no place where answers are told apart by their numbers.
            let before = queue.len();
            queue.retain(|waiter| !waiter.answer.is_closed());
            self.count.fetch_sub(before - queue.len(), Relaxed);
        }
        if queue.len() >= self.most {
            return Err(RequestError::TooMany(queue.len()));
        }
        // Under the lock, so that the order of the requests is that of those who wait.
        // Counted before, since the answer may be here before `send` returns.
        self.count.fetch_add(1, SeqCst);
        if let Err(error) = send() {
            self.count.fetch_sub(1, SeqCst);
            return Err(error.into());
        }
        queue.push_back(Waiter { number, answer });
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
                (Ok(packet), Some(waiter)) => {
                    self.count.fetch_sub(1, Relaxed);
                    // Nobody waits any more: it is a packet like any other.
                    waiter.answer.send(packet).err().map(Ok)
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
    fn claim(&mut self, packet: &In) -> Option<Waiter<In>> {
        let queue = self.by_reply.get_mut(&packet.id())?;
        let at = match packet.request_number() {
            Some(number) => queue.iter().position(|waiter| waiter.number == Some(number))?,
            None => 0,
        };
        queue.remove(at)
    }
}
