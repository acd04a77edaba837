//! The game's own code, called by a worker.

use std::time::Duration;

use super::Context;
use crate::session::{CloseReason, Fault, SessionId};

/// A game as plain callbacks on its own state: never `async`, no locks. One worker calls them one after the other; what a
/// callback sends goes out when the worker has done its turn.
///
/// ```
/// use netcore::{CloseReason, Context, Logic, Packet, SessionId};
///
/// #[derive(Packet)]
/// enum ToServer {
///     #[packet(id = 1)]
///     Say { #[raw(len = u16)] text: String },
/// }
/// #[derive(Packet)]
/// enum ToClient {
///     #[packet(id = 2)]
///     Said { who: u32, #[raw(len = u16)] text: String },
/// }
///
/// struct Chat;
///
/// impl Logic for Chat {
///     type In = ToServer;
///     type Out = ToClient;
///     type Message = ();
///
///     fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, ToServer::Say { text }: ToServer) {
///         ctx.broadcast(&ToClient::Said { who: session.index(), text });
///     }
/// }
/// ```
///
/// A callback that blocks keeps its worker, and everyone on it, waiting; [`Context::spawn`] is for what takes long.
#[allow(unused_variables, reason = "the names say what the arguments are")]
pub trait Logic: Sized + Send + 'static {
    /// What peers say.
    type In: Send + 'static;
    /// What peers hear.
    type Out: Send + Sync + 'static;
    /// What the game says to itself: what a timer or background work brings, what one worker says to another, what a
    /// session takes along when it moves.
    type Message: Send + 'static;

    /// A packet came.
    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, packet: Self::In);

    /// A session opened, on this worker. It hears of nothing else before.
    fn opened(&mut self, ctx: &mut Context<Self>, session: SessionId) {}

    /// A session closed. It is no longer in any group, and cannot be sent to. Each session that opened or arrived here and
    /// did not move away closes once; one that was on its way as the server stopped closes on either worker.
    fn closed(&mut self, ctx: &mut Context<Self>, session: SessionId, reason: CloseReason) {}

    /// Something came in place of a packet: an unknown id, a body that does not decode, a line that was refused. Unless
    /// this is overridden, a text door tells the person, and any other closes the session.
    fn fault(&mut self, ctx: &mut Context<Self>, session: SessionId, fault: Fault) {
        ctx.refuse(session, &fault);
    }

    /// It is time for a tick, at the rate that the server was given.
    fn tick(&mut self, ctx: &mut Context<Self>, tick: Tick) {}

    /// A message of the game's own came.
    fn message(&mut self, ctx: &mut Context<Self>, message: Self::Message) {}

    /// A session was [moved](Context::move_to) here, from another worker or from this one, with what it was given along. The
    /// packets that follow are heard here.
    fn arrived(&mut self, ctx: &mut Context<Self>, session: SessionId, baggage: Self::Message) {}

    /// The server is about to stop: say good-bye. Each worker is told so; every session is closed afterwards.
    ///
    /// They close one after the other, each with a call of [`closed`](Self::closed) and the reason
    /// [`Stopping`](CloseReason::Stopping). Who tells the others there that somebody has left sends N² packets on the way out, and
    /// each hears behind the good-bye of those who closed before: leave that out for this reason.
    fn stopping(&mut self, ctx: &mut Context<Self>) {}
}

/// One step of the game's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Tick {
    /// Which one, counted from 0; skipped ones are counted too.
    pub number: u64,
    /// The time of one tick, the same each time.
    pub step: Duration,
    /// How long after its time it comes.
    pub late: Duration,
}

impl Tick {
    pub(crate) const fn new(number: u64, step: Duration, late: Duration) -> Self {
        Self { number, step, late }
    }
}

/// What becomes of ticks whose time has passed while the worker was busy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LateTick {
    /// One comes at once, the others are skipped and counted; the rhythm stays.
    #[default]
    Skip,
    /// Up to so many come at once, one behind the other; the others are skipped. For a simulation that must not lose
    /// steps.
    CatchUp(u32),
    /// One comes at once, and the rhythm starts anew from there: from each tick, so that what the clock is late adds up.
    Delay,
}

/// What to do after the game's code has panicked. The panic is logged and counted, and a session whose packet caused it
/// is closed, in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AfterPanic {
    /// Go on with the state as it is.
    #[default]
    GoOn,
    /// Make the state anew; every session opens again on it, in no group and without timers. Where there is a deadline for
    /// the log-in ([`Limits::login`](crate::Limits::login)), each is to be admitted again, and has as long for it as at first.
    /// Nobody is closed for what was sent before: who had been admitted may send without a budget
    /// ([`Limits::admission`](crate::Limits::admission)), who had not has all of it again.
    ///
    /// What the old state asked for in the background ([`Context::spawn`]) goes on, but its result is dropped, and logged at
    /// `debug`. What somebody else says does reach the new state: other workers, other nodes, whoever has a
    /// [`Teller`](crate::Teller).
    Rebuild,
    /// Ask the server to stop, as [`Context::stop`] does: whoever waits at
    /// [`run_until`](crate::Running::run_until) or [`stopped`](crate::Running::stopped) hears it. Until then it goes on.
    Stop,
}
