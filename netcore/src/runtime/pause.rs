//! Sessions of which nothing more is heard for a while.

use super::queue::Event;
use super::{Context, Logic};
use crate::session::SessionId;

impl<L: Logic> Context<L> {
    /// Hears nothing more of a session until it is [resumed](Self::resume): for what must be known before its next packet
    /// can be judged. What comes meanwhile waits in its inbox, in order and within the inbox's bounds, its end behind it:
    /// a peer that sends and closes is answered all the same. It can be sent to, closed and moved; where a session
    /// arrives, it is heard.
    ///
    /// A session that is never resumed never closes by itself, so what is waited for must have an end.
    ///
    /// ```
    /// use netcore::{Context, Logic, Packet, SessionId, Verdict};
    /// # async fn ask_the_database() -> bool { true }
    ///
    /// #[derive(Packet)]
    /// enum ToServer {
    ///     #[packet(id = 1)]
    ///     LogIn { token: u64 },
    ///     #[packet(id = 2)]
    ///     Chat { #[raw(rest)] text: String },
    /// }
    /// #[derive(Packet)]
    /// enum ToClient {
    ///     #[packet(id = 101)]
    ///     LogIn { ok: u8 },
    /// }
    ///
    /// struct Lobby;
    ///
    /// struct LoggedIn(SessionId, bool);
    ///
    /// impl Logic for Lobby {
    ///     type In = ToServer;
    ///     type Out = ToClient;
    ///     type Message = LoggedIn;
    ///
    ///     fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, packet: ToServer) {
    ///         if let ToServer::LogIn { token } = packet {
    ///             // A client that goes on without waiting for the answer is heard when there is one.
    ///             ctx.pause(session);
    ///             if ctx.spawn(async move { LoggedIn(session, ask_the_database().await) }).is_err() {
    ///                 ctx.resume(session);
    ///             }
    ///         }
    ///     }
    ///
    ///     fn message(&mut self, ctx: &mut Context<Self>, LoggedIn(session, ok): LoggedIn) {
    ///         ctx.send(session, &ToClient::LogIn { ok: ok.into() });
    ///         ctx.resume(session);
    ///     }
    /// }
    /// ```
    pub fn pause(&mut self, session: SessionId) {
        if let Some(slot) = self.slots.get_mut(session) {
            slot.paused = true;
            self.interrupted = true;
        }
    }

    /// Hears a session again: first what has come meanwhile.
    pub fn resume(&mut self, session: SessionId) {
        let Some(slot) = self.slots.get_mut(session) else { return };
        slot.paused = false;
        if std::mem::take(&mut slot.waits)
            && let Some(queue) = self.queues.get(self.worker)
        {
            queue.push(Event::Ready(slot.peer.clone()));
        }
    }

    /// Whether a session is [paused](Self::pause).
    #[must_use]
    pub fn is_paused(&self, session: SessionId) -> bool {
        self.slots.get(session).is_some_and(|slot| slot.paused)
    }
}
