//! What happened to a client that reconnects, in order, until somebody asks.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::{ClientError, Unsent};
use crate::session::{CloseReason, Fault};

/// What happened to a [`ReconnectingClient`](crate::ReconnectingClient).
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientEvent<In, Out> {
    /// A packet came that is not the answer to a request.
    Packet(In),
    /// Something came in place of a packet, where [`Reconnect::faults`](crate::Reconnect::faults) asks for it.
    Fault(Fault),
    /// The first connection is there, and logged in. What was sent before goes out now.
    Connected,
    /// There is a connection again, and it is logged in. What was sent meanwhile goes out now.
    Back {
        /// How long there was none.
        away: Duration,
    },
    /// A try failed.
    Failed {
        /// How many have in a row, this one included.
        tries: u32,
        /// Why.
        error: TryError,
        /// How long until the next; `None`: there is none.
        pause: Option<Duration>,
    },
    /// The connection was lost. Requests that were under way have failed.
    Lost {
        /// Why.
        reason: CloseReason,
        /// What had been sent and did not go out. It is not sent again by itself.
        unsent: Unsent<Out>,
        /// How long until the next try; `None`: there is none.
        pause: Option<Duration>,
    },
    /// So many tries in a row have failed that there are no more, or the last would end the same way each time: the two
    /// sides are of different versions, the address is none, what the client was told cannot be, or the log-in was
    /// [refused](TryError::LoginRefused) for good. Nothing follows.
    GaveUp {
        /// How many.
        tries: u32,
        /// What waited for a connection.
        unsent: Unsent<Out>,
    },
}

/// Why a try to connect failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TryError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ClientError),
    /// There is one, but the log-in failed on it.
    #[error("the log-in failed: {0}")]
    Login(Box<dyn std::error::Error + Send + Sync>),
    /// There is one, and the log-in said that it is not to be tried again: what was in its
    /// [`LoginRefused`](crate::LoginRefused).
    #[error("the log-in was refused for good: {0}")]
    LoginRefused(Box<dyn std::error::Error + Send + Sync>),
    /// The log-in took too long.
    #[error("not logged in within {0:?} (`login_timeout`)")]
    LoginTimeout(Duration),
    /// The code that makes a connection panicked: a [`dial`](crate::Reconnect::dial) of the game's, or its adapter.
    #[error("what makes a connection panicked")]
    DialPanicked,
    /// The log-in's own code panicked.
    #[error("the log-in panicked")]
    LoginPanicked,
}

impl TryError {
    /// Whether the next try would end the same way: the two sides are of different versions, the address is none, or the
    /// log-in says so.
    pub(super) fn is_final(&self) -> bool {
        use crate::HelloError::{Fault, Ids, Version};
        use crate::HelloFault::Protocol;
        match self {
            Self::LoginRefused(_) => true,
            Self::Connect(error) => matches!(
                error,
                ClientError::Address { .. }
                    | ClientError::Limits(_)
                    | ClientError::Hello(Version(..) | Ids(..) | Fault(Protocol(..)))
            ),
            _ => false,
        }
    }
}

/// The queue of events. Packets wait up to a bound, above which no more are received; of the rest, the oldest makes room.
pub(super) struct Events<In, Out> {
    queue: Mutex<Queue<In, Out>>,
    most: usize,
    // Somebody may take one.
    some: Notify,
    // Packets may be added again.
    room: Notify,
}

struct Queue<In, Out> {
    events: VecDeque<ClientEvent<In, Out>>,
    packets: usize,
    over: bool,
}

impl<In, Out> Events<In, Out> {
    /// For `most` packets.
    pub(super) fn new(most: usize) -> Self {
        let queue = Queue { events: VecDeque::new(), packets: 0, over: false };
        Self { queue: Mutex::new(queue), most, some: Notify::new(), room: Notify::new() }
    }

    /// The next event; `None` when there will be no more. Cancel-safe.
    pub(super) async fn next(&self) -> Option<ClientEvent<In, Out>> {
        loop {
            if let Some(event) = self.take() {
                return event;
            }
            self.some.notified().await;
        }
    }

    /// The next event, or that there will be no more; `None` while there is neither.
    fn take(&self) -> Option<Option<ClientEvent<In, Out>>> {
        let mut queue = self.lock();
        let event = queue.events.pop_front();
        if is_packet(event.as_ref()) {
            queue.packets -= 1;
            self.room.notify_one();
        }
        // One call may stand for several events, and others may wait too.
        if queue.over || !queue.events.is_empty() {
            self.some.notify_one();
        }
        (event.is_some() || queue.over).then_some(event)
    }

    /// How many packets there is room for, once there is any. Cancel-safe.
    pub(super) async fn room(&self) -> usize {
        loop {
            let room = self.most.saturating_sub(self.lock().packets);
            if room > 0 {
                return room;
            }
            self.room.notified().await;
        }
    }

    /// Adds packets, for which there was room.
    pub(super) fn packets(&self, packets: &mut VecDeque<Result<In, Fault>>) {
        let mut queue = self.lock();
        queue.packets += packets.len();
        queue.events.extend(packets.drain(..).map(|packet| match packet {
            Ok(packet) => ClientEvent::Packet(packet),
            Err(fault) => ClientEvent::Fault(fault),
        }));
        self.some.notify_one();
    }

    /// Adds what happened. Whether something else had to go for it.
    pub(super) fn notice(&self, event: ClientEvent<In, Out>) -> bool {
        let mut queue = self.lock();
        let full = queue.events.len() - queue.packets >= MAX_NOTICES;
        if full && let Some(at) = queue.events.iter().position(|event| !is_packet(Some(event))) {
            queue.events.remove(at);
        }
        queue.events.push_back(event);
        self.some.notify_one();
        full
    }

    /// Nothing will follow.
    pub(super) fn end(&self) {
        self.lock().over = true;
        self.some.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Queue<In, Out>> {
        // Nothing under the lock calls out but the drop of an event, which comes after the queue is whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_packet<In, Out>(event: Option<&ClientEvent<In, Out>>) -> bool {
    matches!(event, Some(ClientEvent::Packet(_) | ClientEvent::Fault(_)))
}

/// So many events that are no packets wait for who does not ask.
const MAX_NOTICES: usize = 256;

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn packets(range: std::ops::Range<u32>) -> VecDeque<Result<u32, Fault>> {
        range.map(Ok).collect()
    }

    #[tokio::test]
    async fn events_come_in_order_to_whoever_asks_and_then_end() {
        let events = Events::<u32, ()>::new(10);
        let mut asking: Vec<_> = (0..3).map(|_| Box::pin(events.next())).collect();
        assert!(asking.iter_mut().all(|next| next.now_or_never().is_none()));
        events.notice(ClientEvent::Connected);
        events.packets(&mut packets(1..4));
        let mut all = Vec::new();
        for next in asking {
            all.push(format!("{:?}", next.await));
        }
        all.push(format!("{:?}", events.next().await));
        all.sort();
        assert_eq!(all, ["Some(Connected)", "Some(Packet(1))", "Some(Packet(2))", "Some(Packet(3))"]);
        let (first, second) = (events.next(), events.next());
        events.end();
        assert!(first.await.is_none() && second.await.is_none() && events.next().await.is_none());
    }

    #[tokio::test]
    async fn packets_wait_for_room_and_other_events_drop_the_oldest_of_their_kind() {
        let events = Events::<u32, ()>::new(2);
        assert_eq!(events.room().await, 2);
        events.packets(&mut packets(0..2));
        assert!(events.room().now_or_never().is_none());
        for nth in 0..300 {
            let event = ClientEvent::Back { away: Duration::from_secs(nth) };
            assert_eq!(events.notice(event), nth >= 256);
        }
        assert!(matches!(events.next().await, Some(ClientEvent::Packet(0))));
        assert_eq!(events.room().await, 1);
        assert!(matches!(events.next().await, Some(ClientEvent::Packet(1))));
        let first = events.next().await;
        assert!(matches!(first, Some(ClientEvent::Back { away }) if away == Duration::from_secs(44)));
    }
}
