//! The game in the rooms: what a server adds to entering, chatting and leaving.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use netcore::{Context, PacketId, Room, Seat, SessionId, TimerId};

use crate::message::User;
use crate::nodes::Told;
use crate::{Code, Elsewhere, Event, Lobby, Message, Name, Shared, Who};

/// What a server plays in its rooms. One value a worker; what belongs to one room is its [`Table`](Self::Table).
///
/// The lobby has judged who may speak before it asks the game: the session is logged in, its request is known, and it is
/// in a room. What is left is the game's: its state, then the body, then the values.
#[allow(unused_variables, reason = "the names say what the arguments are")]
pub trait Game: Sized + Send + 'static {
    /// Requests besides the lobby's own.
    type Command: Send + 'static;
    /// Answers and notices besides the lobby's own.
    type Event: Send + Sync + 'static;
    /// What each room keeps. It is made when the first user enters, and dropped when the last one has left.
    type Table: Default + Send + 'static;
    /// What a timer brings.
    type Alarm: Send + 'static;

    /// Somebody in the room asks for something.
    fn command(&mut self, play: &mut Play<'_, Self>, who: SessionId, command: Self::Command);

    /// Somebody in the room sent a packet of the game's whose body does not decode.
    fn malformed(&mut self, play: &mut Play<'_, Self>, who: SessionId, id: PacketId) {
        play.send(who, &Event::Error(Code::Body));
    }

    /// Somebody has entered, and was told so.
    fn entered(&mut self, play: &mut Play<'_, Self>, who: SessionId) {}

    /// Somebody has left, and those who are still there were told so. Not called when nobody is.
    fn left(&mut self, play: &mut Play<'_, Self>, who: SessionId) {}

    /// A timer of the room's is up. Not called when everybody has left since it was started.
    fn alarm(&mut self, play: &mut Play<'_, Self>, alarm: Self::Alarm) {}

    /// Somebody has entered on another node, and those here were told so. A table is this node's alone: what the nodes are
    /// to know together they [tell](Play::tell_nodes) each other.
    fn entered_elsewhere(&mut self, play: &mut Play<'_, Self>, who: &Elsewhere) {}

    /// Somebody has left on another node, and those here were told so.
    fn left_elsewhere(&mut self, play: &mut Play<'_, Self>, who: &Elsewhere) {}

    /// The game of another node told this: see [`Play::tell_nodes`].
    fn heard(&mut self, play: &mut Play<'_, Self>, told: Bytes) {}
}

/// Where a user is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Nowhere,
    /// Where people are who are in no room. It has no number, no end of seats, and no room user ids.
    Lounge,
    /// In the room of that index.
    Room(u32),
}

pub(crate) type RoomOf<G> = Room<Name, <G as Game>::Table>;

/// One room, as the game in it sees it.
pub struct Play<'a, G: Game> {
    pub(crate) ctx: &'a mut Context<Lobby<G>>,
    pub(crate) room: &'a mut RoomOf<G>,
    pub(crate) place: Place,
    pub(crate) users: &'a HashMap<SessionId, User>,
    pub(crate) shared: &'a Shared,
}

impl<G: Game> Play<'_, G> {
    /// What the room keeps.
    pub fn table(&mut self) -> &mut G::Table {
        &mut self.room.state
    }

    /// The room's number; `None` in the lounge.
    #[must_use]
    pub fn number(&self) -> Option<i32> {
        match self.place {
            Place::Room(index) => Some(self.shared.settings().number(index)),
            _ => None,
        }
    }

    /// Those in it on this node, in the order in which they came.
    #[must_use]
    pub fn seats(&self) -> &[Seat<Name>] {
        self.room.seats()
    }

    /// Who of them has been in it longest.
    #[must_use]
    pub fn master(&self) -> Option<SessionId> {
        self.room.seats().first().map(Seat::session)
    }

    /// How others see one of them.
    #[must_use]
    pub fn who(&self, session: SessionId) -> Option<Who> {
        self.room.seat_of(session).map(|seat| who(self.place, seat))
    }

    /// Those in it on other nodes, as far as this one knows; nobody where no nodes share the rooms.
    #[must_use]
    pub fn elsewhere(&self) -> Vec<Elsewhere> {
        match (&self.shared.nodes, self.place) {
            (Some(nodes), Place::Room(index)) => nodes.elsewhere(index),
            _ => Vec::new(),
        }
    }

    /// The seat of one of them among all nodes: as [`Elsewhere::seat`] on the others. `None` where no nodes share the room.
    #[must_use]
    pub fn seat(&self, session: SessionId) -> Option<u64> {
        Some(self.users.get(&session)?.seat.as_ref()?.number())
    }

    /// A number that no other node has; `None` where no nodes share the room.
    #[must_use]
    pub fn unique(&self) -> Option<u64> {
        matches!(self.place, Place::Room(_))
            .then(|| self.shared.nodes.as_ref().map(|nodes| nodes.unique()))?
    }

    /// Tells the games of the other nodes that have somebody in this room, which [hear](Game::heard) it: at most once, and
    /// in order. Up to 65,530 bytes; longer ones are not told. Nothing happens where no nodes share the room.
    pub fn tell_nodes(&self, told: impl Into<Bytes>) {
        if let (Some(nodes), Place::Room(index)) = (&self.shared.nodes, self.place) {
            nodes.tell_room(index, &Told::Game(told.into()));
        }
    }

    /// Tells one of them.
    pub fn send(&mut self, session: SessionId, event: &Event<G::Event>) {
        self.ctx.send(session, event);
    }

    /// Tells all of them; those on other nodes are told by their own.
    pub fn send_all(&mut self, event: &Event<G::Event>) {
        self.ctx.send_group(self.room.group(), event);
    }

    /// Brings an alarm later, unless everybody has left by then.
    pub fn after(&mut self, time: Duration, alarm: G::Alarm) -> TimerId {
        self.ctx.after(time, Message::alarm(self.place, self.room.group(), alarm))
    }

    /// Stops a timer.
    pub fn cancel(&mut self, timer: TimerId) {
        self.ctx.cancel(timer);
    }

    /// The time at which the current callback was called.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.ctx.now()
    }
}

impl<G: Game> std::fmt::Debug for Play<'_, G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Play").field("place", &self.place).finish_non_exhaustive()
    }
}

/// How others see who has a seat.
pub(crate) fn who(place: Place, seat: &Seat<Name>) -> Who {
    let user = if place == Place::Lounge { 0 } else { seat.id() };
    Who { user, name: seat.member.clone() }
}
