//! One room, and who sits there.

use crate::runtime::GroupId;
use crate::session::SessionId;

/// One room that somebody is in, or has just left: what the game keeps of the room, and of each who sits there. With these no
/// map of the game's own is needed beside it:
///
/// ```
/// use netcore::{Logic, Rooms, SessionId};
///
/// #[derive(Default)]
/// struct Table { pot: u64 }
/// struct Player { bet: u64 }
///
/// /// The round is over: the bets go into the pot.
/// fn collect<L: Logic>(rooms: &mut Rooms<L, Player, Table>, dealer: SessionId) -> Option<u64> {
///     let (table, seats) = rooms.room_of_mut(dealer)?.split_mut();
///     for seat in seats {
///         table.pot += std::mem::take(&mut seat.member.bet);
///     }
///     Some(table.pot)
/// }
/// ```
#[derive(Debug)]
pub struct Room<Member, State = ()> {
    pub(super) number: u32,
    pub(super) group: GroupId,
    pub(super) seats: Vec<Seat<Member>>,
    /// What the game keeps about the room.
    pub state: State,
}

/// One session's place in a room.
#[derive(Debug)]
pub struct Seat<Member> {
    pub(super) session: SessionId,
    pub(super) id: u64,
    /// What the game keeps about who sits there.
    pub member: Member,
}

impl<Member, State> Room<Member, State> {
    /// Its number.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The group of those in it.
    #[must_use]
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// Those in it, in the order in which they came: the first has been there longest.
    #[must_use]
    pub fn seats(&self) -> &[Seat<Member>] {
        &self.seats
    }

    /// The seat that a session has here.
    #[must_use]
    pub fn seat_of(&self, session: SessionId) -> Option<&Seat<Member>> {
        self.seats.iter().find(|seat| seat.session == session)
    }

    /// Those in it, as [`seats`](Self::seats), to change what the game keeps of them. Their order is the room's: leave it as it
    /// is.
    pub fn seats_mut(&mut self) -> &mut [Seat<Member>] {
        &mut self.seats
    }

    /// The seat that a session has here.
    pub fn seat_of_mut(&mut self, session: SessionId) -> Option<&mut Seat<Member>> {
        self.seats.iter_mut().find(|seat| seat.session == session)
    }

    /// What the game keeps of the room and its [seats](Self::seats_mut), to change both together.
    pub fn split_mut(&mut self) -> (&mut State, &mut [Seat<Member>]) {
        (&mut self.state, &mut self.seats)
    }
}

impl<Member> Seat<Member> {
    /// Who sits there.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The seat's number: 1 for the room's first visitor, then 2, never the same again.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }
}
