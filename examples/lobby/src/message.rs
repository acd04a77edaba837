//! What the workers say to each other and to themselves.

use netcore::cluster::{AskError, Claim, ClaimError, Event as News, Listing};
use netcore::{GroupId, SessionId, TimerId};

use crate::game::{Game, Place};
use crate::nodes::{Listed, Naming, Seating, SharedSeat, Sought};
use crate::rate::Budget;
use crate::{Code, Event, Name};

/// A message to a worker of the [`Lobby`](crate::Lobby).
#[derive(Debug)]
pub struct Message<G: Game>(pub(crate) Kind<G>);

pub(crate) enum Kind<G: Game> {
    /// A user comes from another worker, to take a seat here.
    Arrives(Box<User>, Place),
    /// The gate has decided on a log-in.
    Decided { session: SessionId, name: Name, verdict: Result<(), Code> },
    /// A user has been in no room for as long as is allowed.
    EnterDeadline(SessionId),
    /// An invitation has stood for as long as it may.
    InviteDeadline(u64),
    /// Something for a session that is, or was, on that worker.
    Deliver { to: SessionId, event: Event<G::Event> },
    /// Something for whoever has that name.
    DeliverTo { to: Name, event: Event<G::Event> },
    /// A timer of the game's.
    Alarm { place: Place, group: GroupId, alarm: G::Alarm },
    /// The cluster tells something.
    News(News),
    /// All nodes were asked where somebody is.
    Sought { session: SessionId, why: Sought, found: Result<Listing, AskError> },
    /// All nodes were asked for a name.
    Named { session: SessionId, name: Name, why: Naming, claim: Result<Claim, ClaimError> },
    /// All nodes were asked for a guest's name.
    Guest { session: SessionId, guest: Result<(Name, Claim), ClaimError> },
    /// All nodes were asked for a seat.
    Seat { session: SessionId, index: u32, why: Seating, seat: Result<Box<SharedSeat>, ClaimError> },
    /// All nodes were asked for the rooms in which somebody is.
    Rooms { session: SessionId, rooms: Vec<(u32, u32)> },
    /// It is time to look at who sits in the shared rooms.
    Look,
    /// Who sits there. Whether those have gone who are not in it.
    Listed { listed: Vec<Listed>, remove: bool },
}

impl<G: Game> Message<G> {
    /// Something for the user of that name, if there is one: from another node, say. Any worker takes it.
    #[must_use]
    pub fn deliver(to: Name, event: Event<G::Event>) -> Self {
        Self(Kind::DeliverTo { to, event })
    }

    /// What the cluster tells a worker: for [`Starter::start`](netcore::cluster::Starter::start), where the server was given
    /// a [cluster](crate::Shared::cluster).
    #[must_use]
    pub fn cluster(event: News) -> Self {
        Self(Kind::News(event))
    }

    pub(crate) fn alarm(place: Place, group: GroupId, alarm: G::Alarm) -> Self {
        Self(Kind::Alarm { place, group, alarm })
    }
}

/// One session, as the worker knows it that has it.
pub(crate) struct User {
    /// At a door for people.
    pub(crate) person: bool,
    /// Logged in, or a guest: with this name.
    pub(crate) name: Option<Name>,
    pub(crate) place: Place,
    pub(crate) budget: Budget,
    /// The name among all nodes.
    pub(crate) claim: Option<Claim>,
    /// The seat among all nodes.
    pub(crate) seat: Option<Box<SharedSeat>>,
    /// Runs while the user must enter a room.
    pub(crate) enter_by: Option<TimerId>,
}

impl<G: Game> std::fmt::Debug for Kind<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Arrives(..) => "Arrives",
            Self::Decided { .. } => "Decided",
            Self::EnterDeadline(_) => "EnterDeadline",
            Self::InviteDeadline(_) => "InviteDeadline",
            Self::Deliver { .. } => "Deliver",
            Self::DeliverTo { .. } => "DeliverTo",
            Self::Alarm { .. } => "Alarm",
            Self::News(_) => "News",
            Self::Sought { .. } => "Sought",
            Self::Named { .. } => "Named",
            Self::Guest { .. } => "Guest",
            Self::Seat { .. } => "Seat",
            Self::Rooms { .. } => "Rooms",
            Self::Look => "Look",
            Self::Listed { .. } => "Listed",
        })
    }
}
