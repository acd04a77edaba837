//! What the handles of a client that reconnects and its task share.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::events::Events;
use super::reconnecting::Counters;
use super::{Away, ClientEvent, ClientOptions, ClientSender, NotSent, Reconnect, SendError, Unsent};
use crate::runtime::Adapter;
use crate::session::{CloseReason, Kept, Outbox, Slow, Verdict};
use crate::{EncodeError, Packet};

/// What the handles and the task share.
pub(super) struct Shared<In, Out> {
    pub(super) events: Events<In, Out>,
    pub(super) counters: Counters,
    // Asks the task to close.
    pub(super) stop: CancellationToken,
    // The task has ended.
    pub(super) done: CancellationToken,
    state: Mutex<State<In, Out>>,
    // `state` has changed in a way that somebody may wait for.
    pub(super) changed: Notify,
    adapter: Arc<dyn Adapter<In, Out>>,
    pub(super) request_timeout: Duration,
    pub(super) away: Away,
    // A packet above that would not find room in a queue that is half full.
    largest: usize,
}

struct State<In, Out> {
    up: Option<ClientSender<In, Out>>,
    // Packets for the next connection, joined, and how long each is: an adapter need not write what says so.
    waiting: BytesMut,
    lengths: VecDeque<u32>,
    // Nothing more is accepted.
    ended: bool,
    // Why there is no connection, as far as that is known.
    last: Option<Arc<str>>,
    left: Unsent<Out>,
}

impl<In, Out> Shared<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    pub(super) fn new(reconnect: &Reconnect<In, Out>) -> Self {
        let ClientOptions { limits, adapter, request_timeout, .. } = &reconnect.options;
        let state = State {
            up: None,
            waiting: BytesMut::new(),
            lengths: VecDeque::new(),
            ended: false,
            last: None,
            left: Unsent::none(),
        };
        Self {
            events: Events::new(limits.inbox),
            counters: Counters::default(),
            stop: CancellationToken::new(),
            done: CancellationToken::new(),
            state: Mutex::new(state),
            changed: Notify::new(),
            adapter: adapter.clone(),
            request_timeout: *request_timeout,
            away: reconnect.away,
            largest: limits.queue / 2,
        }
    }

    pub(super) fn send(&self, packet: &Out) -> Result<(), NotSent> {
        // The lock is not held while the game's own code encodes: that may ask this very client something.
        let up = self.open()?.up.clone();
        if let Some(up) = up {
            match up.send(packet) {
                // It is being lost, which the task finds out in a moment.
                Err(SendError::Closed(_)) => {}
                result => return result.map_err(NotSent::from_open),
            }
        }
        let Away::Queue(most) = self.away else { return Err(NotSent::Away(self.last())) };
        let bytes = self.encode(packet)?;
        let mut state = self.open()?;
        // There is one again by now: what waited has gone before.
        if let Some(up) = &state.up {
            match up.outbox().push(&bytes, Slow::DropNewest) {
                Verdict::Queued => return Ok(()),
                Verdict::Closed => {}
                _ => return Err(NotSent::Full),
            }
        }
        if bytes.len() > self.largest || state.waiting.len().saturating_add(bytes.len()) > most {
            return Err(NotSent::Full);
        }
        if let Some(len) = u32::try_from(bytes.len()).ok().filter(|len| *len > 0) {
            state.waiting.extend_from_slice(&bytes);
            state.lengths.push_back(len);
        }
        Ok(())
    }

    /// The state, while packets are accepted.
    fn open(&self) -> Result<MutexGuard<'_, State<In, Out>>, NotSent> {
        let state = self.lock();
        if state.ended { Err(NotSent::Ended(state.last.clone())) } else { Ok(state) }
    }

    /// The connection, if there is one that takes packets.
    pub(super) fn up(&self) -> Option<ClientSender<In, Out>> {
        self.lock().up.clone().filter(|up| !up.outbox().is_closed())
    }

    /// Gives the packets that wait to a connection that is logged in, as far as there is room; whether that was all, and
    /// packets go to it directly from now on.
    pub(super) fn hand_over(&self, sender: &ClientSender<In, Out>) -> bool {
        let outbox: &Outbox = sender.outbox();
        let mut state = self.lock();
        let State { waiting, lengths, .. } = &mut *state;
        while let Some(len) = lengths.front().map(|len| *len as usize) {
            let packet = waiting.get(..len).unwrap_or_default();
            if outbox.push(packet, Slow::DropNewest) != Verdict::Queued {
                break;
            }
            waiting.advance(len);
            lengths.pop_front();
        }
        let all = lengths.is_empty();
        if all {
            // The memory of a long absence is not kept.
            (*waiting, *lengths) = (BytesMut::new(), VecDeque::new());
        }
        if all && !state.ended {
            (state.up, state.last) = (Some(sender.clone()), None);
        }
        drop(state);
        self.changed.notify_waiters();
        all
    }

    /// There is no connection any more.
    pub(super) fn lose(&self) {
        let up = self.lock().up.take();
        drop(up);
    }

    /// Why there is no connection.
    pub(super) fn failed(&self, why: impl fmt::Display) {
        self.lock().last = Some(why.to_string().into());
    }

    pub(super) fn last(&self) -> Option<Arc<str>> {
        self.lock().last.clone()
    }

    /// Nothing more is accepted.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        let up = state.up.take();
        drop(state);
        drop(up);
        self.changed.notify_waiters();
    }

    /// Ends a connection that is still there, whose task may be gone: what it has not written.
    pub(super) fn take_back(&self) -> Kept {
        let up = self.lock().up.take();
        let taken = up.as_ref().map(|up| {
            up.outbox().abort(CloseReason::Ended);
            up.outbox().take_back()
        });
        taken.unwrap_or_default()
    }

    /// What waits for a connection and will not get one: packets.
    pub(super) fn take_waiting(&self) -> Vec<Bytes> {
        let mut state = self.lock();
        let mut all = std::mem::take(&mut state.waiting).freeze();
        let lengths = std::mem::take(&mut state.lengths);
        lengths.into_iter().map(|len| all.split_to(all.len().min(len as usize))).collect()
    }

    /// What [`ReconnectingClient::close`] gives back.
    pub(super) fn leave(&self, unsent: Unsent<Out>) {
        self.lock().left = unsent;
    }

    pub(super) fn take_left(&self) -> Unsent<Out> {
        std::mem::replace(&mut self.lock().left, Unsent::none())
    }

    /// Whether nothing more is accepted.
    pub(super) fn has_ended(&self) -> bool {
        self.lock().ended
    }

    pub(super) fn notice(&self, event: ClientEvent<In, Out>) {
        if self.events.notice(event) {
            self.counters.events_dropped.fetch_add(1, Relaxed);
        }
    }

    /// Counts a packet that was refused.
    pub(super) fn count(&self, result: Result<(), NotSent>) -> Result<(), NotSent> {
        if let Err(NotSent::Full | NotSent::Away(_)) = result {
            self.counters.refused.fetch_add(1, Relaxed);
        }
        result
    }

    pub(super) fn is_too_large(&self, packet: &Out) -> bool {
        let Away::Queue(most) = self.away else { return true };
        self.encode(packet).is_ok_and(|bytes| bytes.len() > most.min(self.largest))
    }

    fn encode(&self, packet: &Out) -> Result<BytesMut, EncodeError> {
        let mut bytes = BytesMut::new();
        self.adapter.encode(packet, &mut bytes)?;
        Ok(bytes)
    }

    fn lock(&self) -> MutexGuard<'_, State<In, Out>> {
        // A packet's own code may panic as it is encoded; the state is whole then all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
