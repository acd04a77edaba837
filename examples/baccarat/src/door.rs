//! The door of the game.

use lobby::{Lobby, Shared, notice, raw};
use netcore::memory::MemoryConnector;
use netcore::{Adapter, Binary, Door, Server};

use crate::Baccarat;

/// The logic of the server.
pub type Logic = Lobby<Baccarat>;

type In = <Logic as netcore::Logic>::In;
type Out = <Logic as netcore::Logic>::Out;

/// A server with a door for raw structs at `raw`; `None`: it is closed.
#[must_use]
pub fn server(raw: Option<String>, shared: &Shared) -> Server<In, Out> {
    open(raw.map(|at| Door::tcp_with(at, raw_door(shared))), shared)
}

/// A server with its door in memory, for tests and simulations, and what connects to it.
#[must_use]
pub fn in_memory(shared: &Shared) -> (Server<In, Out>, MemoryConnector) {
    let (door, connector) = Door::memory(raw_door(shared));
    (open(Some(door), shared), connector)
}

fn open(door: Option<Door<In, Out>>, shared: &Shared) -> Server<In, Out> {
    let limits = shared.settings().limits();
    let door = door.map(|door| door.name("raw").limits(limits).close_notice(notice));
    // A school, or a crowd of bots, comes from one address.
    Server::new().doors(door).max_per_address(usize::MAX).drain(support::DRAIN)
}

fn raw_door(shared: &Shared) -> impl Adapter<In, Out> + use<> {
    let frames = Binary::new().max_in(shared.settings().max_packet);
    raw::door::<Baccarat>(frames, raw::own_packet, raw::own_words)
}
