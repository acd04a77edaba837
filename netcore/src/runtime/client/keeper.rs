//! The task of a client that reconnects: it owns the connection.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, debug};

use super::reconnect::Dial;
use super::shared::Shared;
use super::{Client, ClientEvent, ClientReceiver, ClientSender, Reconnect, TryError, Unsent};
use crate::runtime::metrics;
use crate::session::{CloseReason, Fault, Kept};
use crate::{Header, Packet};

/// ```text
///            ┌────────── Failed, pause ◀──────────┐
///            ▼                                    │
///  begin ──▶ dial ──▶ log in ──▶ hand over ──▶ receive ──▶ Lost, pause ──▶ dial
///            └── too many tries: GaveUp              └── closed: flush
/// ```
pub(super) struct Keeper<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    settings: Reconnect<In, Out>,
    dial: Dial<In, Out>,
    shared: Arc<Shared<In, Out>>,
}

/// How a connection ended.
enum End<Out> {
    Lost(CloseReason, Unsent<Out>),
    /// The client was closed; this did not go out.
    Closed(Unsent<Out>),
}

impl<In, Out> Keeper<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    pub(super) fn new(
        settings: Reconnect<In, Out>,
        dial: Dial<In, Out>,
        shared: Arc<Shared<In, Out>>,
    ) -> Self {
        Self { settings, dial, shared }
    }

    pub(super) async fn run(mut self) {
        let shared = self.shared.clone();
        let mut lost_at = None;
        while let Some(client) = self.connect().await {
            shared.counters.connected.fetch_add(1, Relaxed);
            let begun = Instant::now();
            let back = lost_at.map(|at: Instant| at.elapsed());
            metrics::client_connected(back.is_some());
            match self.serve(client, back).await {
                End::Closed(unsent) => return self.leave(unsent),
                End::Lost(reason, unsent) => {
                    lost_at = Some(Instant::now());
                    shared.counters.lost.fetch_add(1, Relaxed);
                    metrics::client_lost(reason);
                    shared.failed(format_args!("the connection was lost: {reason}"));
                    self.count(&unsent);
                    let pause = self.settings.backoff.lost(begun.elapsed());
                    debug!(%reason, unsent = unsent.count(), ?pause, "the connection was lost");
                    shared.notice(ClientEvent::Lost { reason, unsent, pause });
                    if self.pause(pause).await.is_none() {
                        break;
                    }
                }
            }
        }
        // Closed while there was no connection, or given up.
        shared.end();
        let unsent = self.unsent(Kept::default(), shared.take_waiting());
        if shared.stop.is_cancelled() {
            return self.leave(unsent);
        }
        self.count(&unsent);
        debug!(tries = self.settings.backoff.count(), unsent = unsent.count(), "no more tries to connect");
        shared.notice(ClientEvent::GaveUp { tries: self.settings.backoff.count(), unsent });
    }

    /// Tries until there is a connection that is logged in. `None` when there will be none.
    async fn connect(&mut self) -> Option<Client<In, Out>> {
        let stop = self.shared.stop.clone();
        loop {
            let error = match stop.run_until_cancelled(self.attempt()).await? {
                Ok(client) => return Some(client),
                Err(error) => error,
            };
            self.shared.counters.failed.fetch_add(1, Relaxed);
            metrics::client_failed(&error);
            self.shared.failed(&error);
            // Two versions do not become one by waiting, nor a slip of the pen an address, nor is a ban lifted.
            let pause = self.settings.backoff.failed().filter(|_| !error.is_final());
            let tries = self.settings.backoff.count();
            debug!(tries, %error, ?pause, "a try to connect failed");
            self.shared.notice(ClientEvent::Failed { tries, error, pause });
            self.pause(pause).await?;
        }
    }

    async fn attempt(&self) -> Result<Client<In, Out>, TryError> {
        // A task of its own: a panic of the game's code ends this try, and not the client.
        let (dial, options) = (self.dial.clone(), self.settings.options.clone());
        let dialing =
            AbortOnDropHandle::new(tokio::spawn(async move { dial(options).await }.in_current_span()));
        let client = dialing.await.map_err(|_| TryError::DialPanicked)??;
        let Some(login) = &self.settings.login else { return Ok(client) };
        let login = login.clone();
        let logging_in =
            AbortOnDropHandle::new(tokio::spawn(async move { login(client).await }.in_current_span()));
        let limit = self.settings.login_timeout;
        match timeout(limit, logging_in).await {
            Ok(Ok(result)) => result.map_err(TryError::of_login),
            Ok(Err(_)) => Err(TryError::LoginPanicked),
            Err(_) => Err(TryError::LoginTimeout(limit)),
        }
    }

    /// `None` when there is nothing after it.
    async fn pause(&self, pause: Option<Duration>) -> Option<()> {
        self.shared.stop.run_until_cancelled(sleep(pause?)).await
    }

    /// Lets packets through until the connection is lost or the client is closed.
    async fn serve(&self, client: Client<In, Out>, back: Option<Duration>) -> End<Out> {
        let Client { mut receiver, sender, task } = client;
        let mut handed_over = self.shared.hand_over(&sender);
        self.shared.notice(back.map_or(ClientEvent::Connected, |away| ClientEvent::Back { away }));
        let mut packets = VecDeque::new();
        let end = loop {
            tokio::select! {
                biased;
                () = self.shared.stop.cancelled() => break None,
                // Whoever receives hears of the end.
                all = self.hand_over(&sender), if !handed_over && !sender.outbox().is_closed() => handed_over = all,
                end = self.receive(&mut receiver, &mut packets) => {
                    self.pass_on(&mut packets);
                    if let Some(reason) = end {
                        break Some(reason);
                    }
                }
            }
        };
        let peer = sender.open.0.clone();
        let Some(reason) = end else {
            self.shared.end();
            // From here on, what comes is thrown away, so that the server is not kept from reading.
            drop(receiver);
            if !handed_over {
                let _ = timeout(self.settings.options.limits.flush, self.hand_over(&sender)).await;
            }
            peer.finish(CloseReason::Ended);
            let _ = task.await;
            return End::Closed(self.unsent(peer.outbox.take_back(), self.shared.take_waiting()));
        };
        self.shared.lose();
        // Why it was closed, if that was our side.
        let reason = peer.outbox.closed().unwrap_or(reason);
        peer.outbox.abort(reason);
        task.abort();
        // When it is over, the transport is gone, and nothing more can go out.
        let _ = task.await;
        End::Lost(reason, self.unsent(peer.outbox.take_back(), Vec::new()))
    }

    /// Gives the connection what waited for it; whether that was all, and not its end. Cancel-safe.
    async fn hand_over(&self, sender: &ClientSender<In, Out>) -> bool {
        let outbox = sender.outbox();
        while !self.shared.hand_over(sender) {
            if outbox.is_closed() {
                return false;
            }
            let mut room = outbox.for_room();
            poll_fn(|cx| room.poll(cx, 0)).await;
        }
        true
    }

    /// Takes what has come, as much as there is room for; the end, behind it. Cancel-safe: what was taken is in `packets`
    /// only when it returns.
    async fn receive(
        &self,
        receiver: &mut ClientReceiver<In, Out>,
        packets: &mut VecDeque<Result<In, Fault>>,
    ) -> Option<CloseReason> {
        let room = if self.settings.only_answers { ROUND } else { self.shared.events.room().await };
        let most = room.min(ROUND);
        let told = self.settings.faults;
        poll_fn(|cx| {
            while packets.len() < most {
                let polled = if told {
                    pin!(receiver.recv_any()).poll(cx)
                } else {
                    pin!(receiver.recv()).poll(cx).map_ok(|packet| packet.map(Ok))
                };
                match polled {
                    Poll::Ready(Ok(Some(packet))) => packets.push_back(packet),
                    Poll::Ready(Ok(None)) => return Poll::Ready(Some(CloseReason::PeerClosed)),
                    Poll::Ready(Err(reason)) => return Poll::Ready(Some(reason)),
                    Poll::Pending if packets.is_empty() => return Poll::Pending,
                    Poll::Pending => break,
                }
            }
            Poll::Ready(None)
        })
        .await
    }

    fn pass_on(&self, packets: &mut VecDeque<Result<In, Fault>>) {
        if self.settings.only_answers {
            self.shared.counters.ignored.fetch_add(packets.len() as u64, Relaxed);
            packets.clear();
        } else if !packets.is_empty() {
            self.shared.events.packets(packets);
        }
    }

    fn unsent(&self, kept: Kept, queued: Vec<Bytes>) -> Unsent<Out> {
        let options = &self.settings.options;
        let beats = options.limits.heartbeat.as_ref().map(|beat| [beat.ping.id, beat.pong]);
        let ours = |header: Header| !beats.is_some_and(|beats| beats.contains(&header.id));
        Unsent::of(kept, queued, &*options.adapter, ours, options.writes_at_once())
    }

    fn count(&self, unsent: &Unsent<Out>) {
        self.shared.counters.unsent.fetch_add(unsent.count() as u64, Relaxed);
        metrics::client_unsent(unsent.count() as u64);
    }

    fn leave(&self, unsent: Unsent<Out>) {
        self.count(&unsent);
        self.shared.leave(unsent);
    }
}

/// However the task ends, the handles hear of it: also where its runtime ends before it, or before it was polled at all.
impl<In, Out> Drop for Keeper<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    fn drop(&mut self) {
        let kept = self.shared.take_back();
        self.shared.end();
        let unsent = self.unsent(kept, self.shared.take_waiting());
        if unsent.count() > 0 {
            self.leave(unsent);
        }
        self.shared.events.end();
        self.shared.done.cancel();
    }
}

/// So many packets are passed on before anything else is looked at.
const ROUND: usize = 1024;
