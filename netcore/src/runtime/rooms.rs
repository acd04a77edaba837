//! Numbered rooms with seats.

mod room;

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::{Context, Logic};
use crate::session::SessionId;

pub use room::{Room, Seat};

/// Rooms with numbers and seats, for the logic that owns them: who is in which, in the order in which they came. Each
/// room is a group, so that one `send_group` reaches it.
///
/// A logic calls [`leave`](Self::leave) in its `closed`; netcore does not know the rooms by itself. Where hooks look into a
/// seat, the types are named as the rooms are made: `Rooms::<Self, Player>::new`.
///
/// ```
/// use netcore::{CloseReason, Context, Logic, Packet, Rooms, SessionId};
///
/// #[derive(Packet)]
/// enum ToServer {
///     #[packet(id = 1)]
///     Enter { room: u32, #[raw(len = u8, max = 16)] name: String },
/// }
/// #[derive(Packet)]
/// enum ToClient {
///     #[packet(id = 2)]
///     Entered { #[raw(len = u8)] name: String },
///     #[packet(id = 3)]
///     Left { #[raw(len = u8)] name: String },
/// }
///
/// // What the game keeps of who sits there.
/// struct Player { name: String }
///
/// struct Lobby {
///     rooms: Rooms<Lobby, Player>,
/// }
///
/// impl Lobby {
///     fn new() -> Self {
///         let rooms = Rooms::<Self, Player>::new(0..1000, 4)
///             .on_enter(|ctx, room, seat| ctx.send_group(room.group(), &ToClient::Entered { name: seat.member.name.clone() }))
///             .on_leave(|ctx, room, seat| ctx.send_group(room.group(), &ToClient::Left { name: seat.member.name.clone() }));
///         Self { rooms }
///     }
/// }
///
/// impl Logic for Lobby {
///     type In = ToServer;
///     type Out = ToClient;
///     type Message = ();
///
///     fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, ToServer::Enter { room, name }: ToServer) {
///         if let Err(error) = self.rooms.enter(ctx, room, session, Player { name }) {
///             println!("{session} stays outside: {error}");
///         }
///     }
///
///     fn closed(&mut self, ctx: &mut Context<Self>, session: SessionId, _: CloseReason) {
///         self.rooms.leave(ctx, session);
///     }
/// }
/// ```
///
/// A seat is a session's, and is free when that closes. A game that keeps it for a player who dropped holds its tables itself,
/// by a token that its log-in hands out, each with a [group](Context::create_group): in `closed` it starts a
/// [timer](Context::after) for the seat, and a log-in with the token stops the timer and puts the new session into the group.
///
/// Who only watches may [join](Context::join) a room's group, and hears what it hears. It has no seat and no hooks, and
/// [`leave`](Self::leave) does not know it: [`Context::leave`] does. The group ends with the last seat, before `on_leave` hears of
/// that: who watches stays connected, but is in no group of the room until it joins the next one.
///
/// A room that nobody is in keeps the last seat number that it gave out: 16 bytes for each number that was ever entered.
///
/// What the game keeps of each room is the third type: it is made when the first session enters and dropped when the
/// last one has left. `Rooms<Lobby, (), Table>` has a [`Room::state`] of type `Table`; without it there is none.
pub struct Rooms<L: Logic, Member, State = ()> {
    numbers: std::ops::Range<u32>,
    seats: usize,
    // Rooms that somebody is in. In order, so that a game does the same each time.
    open: BTreeMap<u32, Room<Member, State>>,
    of: HashMap<SessionId, u32>,
    // The last seat number that a room gave out: it never gives one twice, even if it was empty in between.
    last: HashMap<u32, u64>,
    entered: Hook<L, Member, State>,
    left: Hook<L, Member, State>,
}

type Hook<L, Member, State> = Box<dyn Fn(&mut Context<L>, &Room<Member, State>, &Seat<Member>) + Send>;

/// Why nobody entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnterError {
    /// There is no room of that number.
    #[error("there is no room {0}")]
    NoRoom(u32),
    /// All its seats are taken.
    #[error("room {0} is full")]
    Full(u32),
    /// The session is in a room already: this one.
    #[error("in room {0} already")]
    InRoom(u32),
    /// The session is not on this worker, or has closed.
    #[error("the session has closed")]
    Closed,
}

impl<L: Logic, Member, State: Default> Rooms<L, Member, State> {
    /// Rooms of these numbers, each with so many seats.
    #[must_use]
    pub fn new(numbers: std::ops::Range<u32>, seats: usize) -> Self {
        Self {
            numbers,
            seats,
            open: BTreeMap::new(),
            of: HashMap::new(),
            last: HashMap::new(),
            entered: Box::new(|_, _, _| {}),
            left: Box::new(|_, _, _| {}),
        }
    }

    /// Is called for each session that enters, when it has its seat and before [`enter`](Self::enter) returns.
    #[must_use]
    pub fn on_enter(
        mut self,
        hook: impl Fn(&mut Context<L>, &Room<Member, State>, &Seat<Member>) + Send + 'static,
    ) -> Self {
        self.entered = Box::new(hook);
        self
    }

    /// Is called for each session that leaves, when it has left the room's group. With the last one, the group has ended.
    #[must_use]
    pub fn on_leave(
        mut self,
        hook: impl Fn(&mut Context<L>, &Room<Member, State>, &Seat<Member>) + Send + 'static,
    ) -> Self {
        self.left = Box::new(hook);
        self
    }

    /// Gives a session a seat; its id, which counts from 1 in each room and is never used again there.
    ///
    /// # Errors
    /// [`EnterError`]; nothing has changed then.
    pub fn enter(
        &mut self,
        ctx: &mut Context<L>,
        number: u32,
        session: SessionId,
        member: Member,
    ) -> Result<u64, EnterError> {
        self.admits(ctx, number, session)?;
        let id = self.next(number);
        self.seat(ctx, number, Seat { session, id, member });
        Ok(id)
    }

    /// Gives a session a seat whose id comes from elsewhere: where several processes share a room, from
    /// [`Cluster::next_id`](crate::cluster::Cluster::next_id). That nobody had it before is the caller's word.
    ///
    /// # Errors
    /// [`EnterError`]; nothing has changed then.
    pub fn enter_as(
        &mut self,
        ctx: &mut Context<L>,
        number: u32,
        session: SessionId,
        id: u64,
        member: Member,
    ) -> Result<(), EnterError> {
        self.admits(ctx, number, session)?;
        self.given(number, id);
        self.seat(ctx, number, Seat { session, id, member });
        Ok(())
    }

    fn admits(&self, ctx: &Context<L>, number: u32, session: SessionId) -> Result<(), EnterError> {
        if let Some(number) = self.of.get(&session) {
            return Err(EnterError::InRoom(*number));
        }
        if !self.numbers.contains(&number) {
            return Err(EnterError::NoRoom(number));
        }
        if self.open.get(&number).is_some_and(|room| room.seats.len() >= self.seats) || self.seats == 0 {
            return Err(EnterError::Full(number));
        }
        if ctx.has(session) { Ok(()) } else { Err(EnterError::Closed) }
    }

    /// The next id of that room.
    fn next(&mut self, number: u32) -> u64 {
        let last = self.last.entry(number).or_default();
        *last = last.saturating_add(1);
        *last
    }

    /// An id from elsewhere is in use: the room's own go on behind it.
    fn given(&mut self, number: u32, id: u64) {
        let last = self.last.entry(number).or_default();
        *last = id.max(*last);
    }

    fn seat(&mut self, ctx: &mut Context<L>, number: u32, seat: Seat<Member>) {
        let room = self.open.entry(number).or_insert_with(|| Room {
            number,
            group: ctx.create_group(),
            seats: Vec::new(),
            state: State::default(),
        });
        ctx.join(room.group, seat.session);
        self.of.insert(seat.session, number);
        room.seats.push(seat);
        if let Some(seat) = room.seats.last() {
            (self.entered)(ctx, room, seat);
        }
    }

    /// Takes a session out of its room, if it is in one: the room's number and the seat it had.
    pub fn leave(&mut self, ctx: &mut Context<L>, session: SessionId) -> Option<(u32, Seat<Member>)> {
        let number = self.of.remove(&session)?;
        let room = self.open.get_mut(&number)?;
        let at = room.seats.iter().position(|seat| seat.session == session)?;
        let seat = room.seats.remove(at);
        ctx.leave(room.group, session);
        if !room.seats.is_empty() {
            (self.left)(ctx, room, &seat);
        } else if let Some(room) = self.open.remove(&number) {
            // Before the game's code, which may panic: the next visitor would find what this one left.
            ctx.remove_group(room.group);
            (self.left)(ctx, &room, &seat);
        }
        Some((number, seat))
    }

    /// Gives a session's seat a new id, as if it had left and entered again, but in its place: who has been there longest
    /// stays the first. For a guest who becomes somebody else in the eyes of the others.
    pub fn renew(&mut self, session: SessionId) -> Option<u64> {
        let id = self.next(*self.of.get(&session)?);
        self.renew_as(session, id)
    }

    /// As [`renew`](Self::renew), with an id that comes from elsewhere: see [`enter_as`](Self::enter_as).
    pub fn renew_as(&mut self, session: SessionId, id: u64) -> Option<u64> {
        let number = *self.of.get(&session)?;
        self.seat_of_mut(session)?.id = id;
        self.given(number, id);
        Some(id)
    }

    /// The room of that number, if somebody is in it.
    #[must_use]
    pub fn room(&self, number: u32) -> Option<&Room<Member, State>> {
        self.open.get(&number)
    }

    /// The room of that number, if somebody is in it.
    pub fn room_mut(&mut self, number: u32) -> Option<&mut Room<Member, State>> {
        self.open.get_mut(&number)
    }

    /// The room that a session is in.
    #[must_use]
    pub fn room_of(&self, session: SessionId) -> Option<&Room<Member, State>> {
        self.room(*self.of.get(&session)?)
    }

    /// The room that a session is in.
    pub fn room_of_mut(&mut self, session: SessionId) -> Option<&mut Room<Member, State>> {
        self.open.get_mut(self.of.get(&session)?)
    }

    /// The seat that a session has.
    #[must_use]
    pub fn seat_of(&self, session: SessionId) -> Option<&Seat<Member>> {
        self.room_of(session)?.seat_of(session)
    }

    /// The seat that a session has.
    pub fn seat_of_mut(&mut self, session: SessionId) -> Option<&mut Seat<Member>> {
        self.room_of_mut(session)?.seat_of_mut(session)
    }

    /// The rooms that somebody is in, in the order of their numbers.
    pub fn rooms(&self) -> impl Iterator<Item = &Room<Member, State>> {
        self.open.values()
    }

    /// The rooms that somebody is in, in the order of their numbers.
    pub fn rooms_mut(&mut self) -> impl Iterator<Item = &mut Room<Member, State>> {
        self.open.values_mut()
    }

    /// Which numbers there are.
    #[must_use]
    pub fn numbers(&self) -> std::ops::Range<u32> {
        self.numbers.clone()
    }
}

impl<L: Logic, Member: fmt::Debug, State: fmt::Debug> fmt::Debug for Rooms<L, Member, State> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rooms")
            .field("numbers", &self.numbers)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}
