//! Where several processes share the rooms: what this one asks the others, and what it tells them.
//!
//! A room lives on every node that has somebody in it, each time on the worker that its number falls to. What is said goes
//! to the local users at once and to the other nodes as a message on the room's topic. A seat is a name that is claimed
//! among all nodes within the room's seats, and what is kept with it says who sits there; so the list of seats is the
//! truth, and messages only make it known sooner: each node looks at the list now and then.

mod ask;
mod hear;
mod picture;
mod seat;
mod tie;
mod told;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netcore::cluster::{AskError, Asked, Claim, ClaimError, Cluster, Listing, NodeId, PublishError};
use tokio::time::Instant;

pub(crate) use ask::{Naming, Seating, Sought, Whereabouts};
pub(crate) use picture::Change;
pub use picture::Elsewhere;
pub(crate) use seat::SharedSeat;
pub(crate) use told::{Sitting, Told, named};

use picture::Picture;
use tie::Tie;

use crate::held::Counts;
use crate::{Code, Name, Settings};

/// This node, for all its workers.
#[derive(Clone)]
pub(crate) struct Nodes(Arc<Inner>);

struct Inner {
    settings: Arc<Settings>,
    first: Cluster,
    // Those of the workers, the first one's included: what they claim and hear is told to them.
    handles: Vec<Cluster>,
    counts: Arc<Counts>,
    rooms: Mutex<HashMap<u32, Picture>>,
    // What a question about all rooms brought, and when. Locked while it is asked, so that it is asked once for all.
    seen: tokio::sync::Mutex<Option<(Instant, Rooms)>>,
}

/// Rooms with somebody in them, and how many.
type Rooms = Vec<(u32, u32)>;

/// The answer to a question about a room's seats.
pub(crate) struct Listed {
    tie: Tie,
    listing: Result<Listing, AskError>,
}

impl Nodes {
    pub(crate) fn new(cluster: &Cluster, settings: &Arc<Settings>, counts: &Arc<Counts>) -> Self {
        let handles: Vec<_> = (0..settings.workers.into()).map(|worker| cluster.at(worker)).collect();
        let first = cluster.at(0);
        if let Err(error) = first.subscribe(&topic_of(first.node())) {
            tracing::error!(%error, "other nodes cannot whisper to this one");
        }
        let (settings, counts) = (settings.clone(), counts.clone());
        let (rooms, seen) = (Mutex::default(), tokio::sync::Mutex::default());
        Self(Arc::new(Inner { settings, first, handles, counts, rooms, seen }))
    }

    pub(crate) fn me(&self) -> NodeId {
        self.0.first.node()
    }

    /// The node as that worker sees it.
    pub(crate) fn at(&self, worker: usize) -> &Cluster {
        self.0.handles.get(worker).unwrap_or(&self.0.first)
    }

    /// The worker that has the room.
    pub(crate) fn worker_of(&self, index: u32) -> usize {
        index as usize % self.0.handles.len().max(1)
    }

    fn of_room(&self, index: u32) -> &Cluster {
        self.at(self.worker_of(index))
    }

    /// A number that no other node has.
    pub(crate) fn unique(&self) -> u64 {
        self.0.first.next_id()
    }

    /// Asks for a name.
    pub(crate) fn name(&self, worker: usize, name: &Name) -> Asked<Claim, ClaimError> {
        self.at(worker).claim(name_of(name))
    }

    /// Asks for a name that nobody has, for a guest.
    pub(crate) fn guest(
        &self,
        worker: usize,
    ) -> impl Future<Output = Result<(Name, Claim), ClaimError>> + Send + use<> {
        let cluster = self.at(worker).clone();
        async move {
            let mut refused = ClaimError::TooMany;
            for _ in 0..GUESSES {
                // Made-up numbers are longer than a name may be.
                let number = cluster.next_id() % 100_000_000_000;
                let Some(name) = Name::new(format!("guest{number}").as_bytes()) else { continue };
                match cluster.claim(name_of(&name)).await {
                    Ok(claim) => return Ok((name, claim)),
                    Err(error @ ClaimError::Taken { .. }) => refused = error,
                    Err(error) => return Err(error),
                }
            }
            Err(refused)
        }
    }

    /// Asks which node has the user of that name.
    pub(crate) fn find(&self, name: &Name) -> Asked<Listing> {
        self.0.first.find(&name_of(name))
    }

    /// Asks for a seat in a room.
    pub(crate) fn seat(
        &self,
        index: u32,
        name: &Name,
    ) -> impl Future<Output = Result<SharedSeat, ClaimError>> + Send + use<> {
        SharedSeat::ask(self, index, name)
    }

    /// Asks for the rooms in which somebody is, and how many: in order, of this server's rooms. What it says may be some
    /// moments old, so that nobody keeps the backplane busy by asking.
    pub(crate) fn rooms(&self) -> impl Future<Output = Rooms> + Send + use<> {
        let nodes = self.clone();
        async move {
            let mut seen = nodes.0.seen.lock().await;
            if let Some((at, rooms)) = &*seen
                && at.elapsed() < FRESH
            {
                return rooms.clone();
            }
            let rooms: Rooms = nodes.count_seats().await.into_iter().collect();
            *seen = Some((Instant::now(), rooms.clone()));
            rooms
        }
    }

    async fn count_seats(&self) -> BTreeMap<u32, u32> {
        let (mut taken, mut asked) = (BTreeMap::new(), 0);
        let mut prefixes = vec![seat::SEATS.to_owned()];
        while let Some(prefix) = prefixes.pop() {
            let Ok(listing) = self.0.first.list(&prefix, LISTED).await else { break };
            asked += 1;
            // Too many for one answer: the rooms whose numbers begin so are asked for by their next digit.
            if listing.more && asked < LISTINGS {
                prefixes.extend((0..10).map(|digit| format!("{prefix}{digit}")));
                if prefix != seat::SEATS {
                    prefixes.push(format!("{prefix}/"));
                }
                continue;
            }
            for holder in &listing.holders {
                let room = seat::room_of(holder).and_then(|number| self.0.settings.index(number));
                if let Some(index) = room {
                    *taken.entry(index).or_default() += 1;
                }
            }
        }
        taken
    }

    /// Tells the nodes that have somebody in a room. What they do not hear, the cluster counts.
    pub(crate) fn tell_room(&self, index: u32, told: &Told) {
        if let Some(bytes) = told.bytes() {
            let _ = self.of_room(index).publish(&self.topic(index), bytes);
        }
    }

    /// Tells one node.
    pub(crate) fn tell_node(&self, node: NodeId, told: &Told) -> Code {
        let Some(bytes) = told.bytes() else { return Code::Busy };
        match self.0.first.publish(&topic_of(node), bytes) {
            Ok(()) => Code::Ok,
            Err(PublishError::Away) => Code::NodesAway,
            Err(_) => Code::Busy,
        }
    }

    fn topic(&self, index: u32) -> String {
        format!("{ROOM}{}", self.0.settings.number(index))
    }

    /// Who is in a room on other nodes.
    pub(crate) fn elsewhere(&self, index: u32) -> Vec<Elsewhere> {
        self.with(index, |picture| picture.users().collect()).unwrap_or_default()
    }

    /// How many are in a room on other nodes.
    pub(crate) fn count_elsewhere(&self, index: u32) -> usize {
        self.with(index, |picture| picture.len()).unwrap_or_default()
    }

    /// The rooms of a worker that somebody of this node is in, or about to be.
    pub(crate) fn tied(&self, worker: usize) -> Vec<u32> {
        let rooms = self.lock();
        rooms.keys().copied().filter(|index| self.worker_of(*index) == worker).collect()
    }

    /// Asks who sits in all rooms of a worker; `None` if it has none.
    pub(crate) fn look(&self, worker: usize) -> Option<impl Future<Output = Vec<Listed>> + Send + use<>> {
        let (nodes, tied) = (self.clone(), self.tied(worker));
        (!tied.is_empty()).then_some(async move {
            let mut listed = Vec::with_capacity(tied.len());
            // Users' own questions are to find room beside these.
            for some in tied.chunks(ASKED_AT_ONCE) {
                let asked = some.iter().filter_map(|index| {
                    let tie = Tie::new(&nodes, *index)?;
                    let prefix = seat::prefix(nodes.0.settings.number(*index));
                    Some((tie, nodes.at(worker).list(&prefix, LISTED)))
                });
                for (tie, listing) in asked.collect::<Vec<_>>() {
                    listed.push(Listed { tie, listing: listing.await });
                }
            }
            listed
        })
    }

    /// Of a room that nobody has looked at yet.
    fn picture(&self) -> Picture {
        Picture::new(self.0.settings.held_elsewhere as usize, &self.0.counts)
    }

    /// Changes the picture of a room, if there is one.
    fn with<T>(&self, index: u32, change: impl FnOnce(&mut Picture) -> T) -> Option<T> {
        self.lock().get_mut(&index).map(change)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Picture>> {
        // Nothing under the lock calls the game, so a poisoned map is whole.
        self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listed {
    /// Takes the answer over: which room, and what is different from what was known. `remove`: who is not in it has gone.
    pub(crate) fn take(self, remove: bool) -> Option<(u32, Change)> {
        let listing = self.listing.ok().filter(|listing| !listing.alone)?;
        let Tie { nodes, index, asked, .. } = &self.tie;
        let (me, remove) = (nodes.me(), remove && !listing.more);
        let change = nodes.with(*index, |picture| picture.listed(me, &listing.holders, *asked, remove))?;
        Some((*index, change))
    }
}

impl std::fmt::Debug for Nodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nodes").field("me", &self.me()).finish_non_exhaustive()
    }
}

fn name_of(name: &Name) -> String {
    format!("{NAMES}{name}")
}

/// The topic of one node.
fn topic_of(node: NodeId) -> String {
    format!("{NODE}{node}")
}

/// How the names of users begin.
const NAMES: &str = "name/";
const ROOM: &str = "room/";
const NODE: &str = "node/";

/// So many names come with one listing.
const LISTED: usize = 1024;
/// So many listings are asked for, for one list of all rooms.
const LISTINGS: usize = 64;
/// So long a list of all rooms is as good as a new one.
const FRESH: Duration = Duration::from_millis(500);
/// So many guest names are tried.
const GUESSES: usize = 16;
/// How often a node looks at who sits in its rooms.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(10);

/// After so long without the backplane's going away again, every node has reached it: they try each 5 s.
pub(crate) const ALL_BACK: Duration = Duration::from_secs(10);

/// How many rooms are asked for at a time.
const ASKED_AT_ONCE: usize = 256;
