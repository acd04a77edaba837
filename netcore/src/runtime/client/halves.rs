//! The two halves of a client.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::time::timeout;

use super::{RequestError, replies};
use crate::Packet;
use crate::runtime::metrics::RoundTrip;
use crate::runtime::peer::Peer;
use crate::runtime::requests::{Asked, Pending};
use crate::runtime::{Connection, SendError, Sender};
use crate::session::{CloseReason, Fault, Outbox};

/// The half that sends and asks. Cheap to clone. The connection closes when this half and its clones and the
/// [`ClientReceiver`] are all gone.
pub struct ClientSender<In, Out> {
    pub(super) sender: Sender<Out>,
    pub(super) pending: Arc<Pending<In>>,
    pub(super) timeout: Duration,
    pub(super) open: Arc<Closer<In>>,
}

/// The half that receives. Without it, what the server sends unasked is thrown away; with it, it must be received, since
/// answers wait behind what is not.
pub struct ClientReceiver<In, Out> {
    pub(super) connection: Connection<In, Out>,
    pub(super) _open: Arc<Closer<In>>,
}

impl<In, Out> ClientSender<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    /// As [`Client::send`](super::Client::send).
    ///
    /// # Errors
    /// As there.
    pub fn send(&self, packet: &Out) -> Result<(), SendError> {
        self.sender.send(packet)
    }

    /// As [`Client::send_wait`](super::Client::send_wait). Cancel-safe.
    ///
    /// # Errors
    /// As there.
    pub async fn send_wait(&self, packet: &Out) -> Result<(), SendError> {
        self.sender.send_wait(packet).await
    }

    /// As [`Client::request`](super::Client::request).
    ///
    /// # Errors
    /// As there.
    pub async fn request(&self, packet: Out) -> Result<In, RequestError> {
        self.request_within(packet, self.timeout).await
    }

    /// As [`Client::request`](super::Client::request), with a time of its own.
    ///
    /// # Errors
    /// As there.
    pub async fn request_within(&self, mut packet: Out, time: Duration) -> Result<In, RequestError> {
        replies::check::<In, Out>();
        let reply = packet.reply().ok_or(RequestError::NoReply(packet.id()))?;
        let number = self.pending.numbers.fetch_add(1, Relaxed);
        packet.set_request_number(number);
        let round_trip = RoundTrip::begin(&packet);
        // Before anything is locked: the game's own code encodes, and may ask this very client something, or panic.
        let encoded = self.sender.encode(&packet)?;
        // Waits before it is sent: the answer may be here before the next line.
        let answer =
            self.pending.wait(reply, packet.request_number(), move || self.sender.send_encoded(&encoded))?;
        let mut asked = Asked { answer, peer: &self.open.0 };
        match timeout(time, &mut asked.answer).await {
            Ok(Ok(Ok(answer))) => {
                round_trip.end();
                Ok(answer)
            }
            Ok(Ok(Err(fault))) => Err(RequestError::Malformed(fault)),
            Ok(Err(_)) => Err(RequestError::Closed(self.pending.closed())),
            Err(_) => Err(match self.open.0.held_up() {
                Some(waiting) => RequestError::Unreceived(time, waiting),
                None => RequestError::Timeout(time),
            }),
        }
    }
}

impl<In, Out> ClientSender<In, Out> {
    pub(super) fn outbox(&self) -> &Outbox {
        &self.open.0.outbox
    }
}

impl<In, Out> ClientReceiver<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    /// As [`Client::recv`](super::Client::recv). Cancel-safe.
    ///
    /// # Errors
    /// As there.
    pub async fn recv(&mut self) -> Result<Option<In>, CloseReason> {
        self.connection.recv().await
    }

    /// As [`Client::recv_any`](super::Client::recv_any). Cancel-safe.
    ///
    /// # Errors
    /// As there.
    pub async fn recv_any(&mut self) -> Result<Option<Result<In, Fault>>, CloseReason> {
        self.connection.recv_any().await
    }
}

/// Closes the connection when the last half is gone.
pub(super) struct Closer<In>(pub(super) Arc<Peer<In>>);

impl<In> Drop for Closer<In> {
    fn drop(&mut self) {
        // Who drops a connection that has ended does not close it.
        self.0.finish(self.0.ended().unwrap_or(CloseReason::Ended));
    }
}

impl<In, Out> Clone for ClientSender<In, Out> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            pending: self.pending.clone(),
            timeout: self.timeout,
            open: self.open.clone(),
        }
    }
}

impl<In, Out> fmt::Debug for ClientSender<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSender")
    }
}

impl<In, Out> fmt::Debug for ClientReceiver<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientReceiver")
    }
}
