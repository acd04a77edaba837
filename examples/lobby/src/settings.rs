//! How the room servers are set up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use netcore::cluster::Cluster;
use netcore::{CloseReason, Limits, Rate};

use crate::api::{Api, ApiFlags, LogIns, SetupError};
use crate::held::{Counts, Held, HoldFlags};
use crate::nodes::Nodes;
use crate::{Code, Directory, Event, Gate, Open};

/// The flags that the room servers share.
#[derive(clap::Args, Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// 1: all packets are handled by one logic worker; 2 to 1024: rooms are spread over so many.
    #[arg(long, value_name = "N", default_value_t = Settings::default().workers, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u16>(1..=1024))]
    pub workers: u16,
    /// How many rooms there are: 1 to 1000000.
    #[arg(long, value_name = "N", default_value_t = Settings::default().rooms, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(1..=1_000_000))]
    pub rooms: u32,
    /// The number of the first room: 0 to 2000000000.
    #[arg(long, value_name = "N", default_value_t = Settings::default().first_room, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<i32>(0..=2_000_000_000))]
    pub first_room: i32,
    /// How many users a room takes: 1 to 127.
    #[arg(long, value_name = "N", default_value_t = Settings::default().room_users, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u8>(1..=127))]
    pub room_users: u8,
    /// The largest packet taken, in bytes, its 5-byte header included: 5 to 65535. A relay of over 65522 bytes does not fit in
    /// its notice, and is refused with 161.
    #[arg(long, value_name = "BYTES", default_value_t = Settings::default().max_packet, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u16>(5..=65535))]
    pub max_packet: u16,
    /// How long a session may take to log in, in milliseconds: 0 to 4294967295; 0: for ever.
    #[arg(long, value_name = "MS", default_value_t = Settings::default().login_ms, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(0..=u32::MAX))]
    pub login_ms: u32,
    /// How long a user may be in no room, in milliseconds: 0 to 4294967295; 0: for ever.
    #[arg(long, value_name = "MS", default_value_t = Settings::default().enter_ms, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(0..=u32::MAX))]
    pub enter_ms: u32,
    /// How long a session may be silent, in milliseconds: 0 to 4294967295; 0: for ever.
    #[arg(long, value_name = "MS", default_value_t = Settings::default().ping_ms, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(0..=u32::MAX))]
    pub ping_ms: u32,
    /// How many requests a session may make a second, with a burst of two seconds' worth: 0 to 4294967295; 0: as many as it
    /// likes.
    #[arg(long, value_name = "N", default_value_t = Settings::default().requests_per_second, allow_negative_numbers = true)]
    #[arg(value_parser = support::number::<u32>(0..=u32::MAX))]
    pub requests_per_second: u32,
    /// What waits.
    #[command(flatten)]
    pub hold: HoldFlags,
    /// Of how many users of other servers a room knows, where servers share their rooms; those over it are shown when there
    /// is room. There are more than it has seats only where servers were apart.
    // No flag of all room servers: a game that is played by those of one process alone has no use for it.
    #[arg(skip = Settings::default().held_elsewhere)]
    pub held_elsewhere: u32,
    /// The API server, if there is one.
    #[command(flatten)]
    pub api: ApiFlags,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 1,
            rooms: 1000,
            first_room: 0,
            room_users: 4,
            max_packet: 1024,
            login_ms: 60_000,
            enter_ms: 0,
            ping_ms: 0,
            requests_per_second: 100,
            hold: HoldFlags::default(),
            held_elsewhere: 1024,
            api: ApiFlags::default(),
        }
    }
}

impl Settings {
    /// The bounds of a session at a door that speaks packets.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.people_limits().idle(time(self.ping_ms))
    }

    /// The bounds of a session at a door for people: they think, and a silent one has nothing to ping with.
    #[must_use]
    pub fn people_limits(&self) -> Limits {
        // What is over the requests a second is answered with a refusal each time; ten times as much is an attack.
        let flood = |rate: u32| Rate::per_second(rate.saturating_mul(10));
        Limits::new()
            .first_packet(None)
            .login(time(self.login_ms))
            // A fast client sends log-in, enter and much more in one write. The rate bounds what it may ask.
            .admission(1024 * 1024, 16 * 1024)
            .queue(self.queue())
            .packets((self.requests_per_second > 0).then(|| flood(self.requests_per_second)))
    }

    /// What may wait for one session: what all in a room may say in one burst, so that nobody who reads is closed because
    /// others speak at once. [`MOST_WAITING`] at most; all sessions together have the server's bound besides.
    fn queue(&self) -> usize {
        let burst = match self.requests_per_second {
            0 => usize::MAX,
            rate => (rate as usize).saturating_mul(2 * usize::from(self.room_users)),
        };
        let notice = usize::from(self.max_packet) + NOTICE;
        burst.saturating_mul(notice).clamp(LEAST_WAITING, MOST_WAITING)
    }

    pub(crate) fn enter_time(&self) -> Option<Duration> {
        time(self.enter_ms)
    }

    /// The room of that number, counted from 0.
    pub(crate) fn index(&self, number: i32) -> Option<u32> {
        let index = u32::try_from(i64::from(number) - i64::from(self.first_room)).ok()?;
        (index < self.rooms).then_some(index)
    }

    /// The number of a room, counted from 0.
    pub(crate) fn number(&self, index: u32) -> i32 {
        i32::try_from(i64::from(self.first_room) + i64::from(index)).unwrap_or(i32::MAX)
    }
}

/// A notice has so many bytes more than what it passes on: the room user id.
const NOTICE: usize = 8;
/// For the lists that one who enters is told.
const LEAST_WAITING: usize = 256 * 1024;
/// Below the 7 MB for which a room is not to stand still on behalf of one who does not read.
const MOST_WAITING: usize = 4 * 1024 * 1024;

fn time(millis: u32) -> Option<Duration> {
    (millis > 0).then(|| Duration::from_millis(millis.into()))
}

/// What all workers of a room server have in common. Cheap to clone.
#[derive(Clone)]
pub struct Shared {
    pub(crate) settings: Arc<Settings>,
    pub(crate) directory: Directory,
    pub(crate) counts: Arc<Counts>,
    pub(crate) gate: Arc<dyn Gate>,
    pub(crate) people: Option<&'static str>,
    pub(crate) api: Option<Arc<Api>>,
    pub(crate) nodes: Option<Nodes>,
}

impl Shared {
    /// With these settings; any unused name may log in.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            directory: Directory::new(settings.hold.invites),
            settings: Arc::new(settings),
            counts: Arc::default(),
            gate: Arc::new(Open),
            people: None,
            api: None,
            nodes: None,
        }
    }

    /// With these settings, the API server in them included: the server is one of `game`'s in its list, and only its tokens
    /// let users in. Must be called within a tokio runtime; [`run`](crate::run) does the rest.
    ///
    /// # Errors
    /// [`SetupError`] for a wrong address or key.
    pub fn open(game: &str, settings: Settings) -> Result<Self, SetupError> {
        let api = Api::open(game, &settings.api)?;
        let mut shared = Self::new(settings);
        if let Some((api, tokens)) = api {
            shared = shared.gate(tokens);
            shared.api = Some(Arc::new(api));
        }
        Ok(shared)
    }

    /// What came of the log-ins by token; all zero without an API server.
    #[must_use]
    pub fn log_ins(&self) -> LogIns {
        self.api.as_deref().map(Api::log_ins).unwrap_or_default()
    }

    /// What waits on all workers, and how often it was too much.
    #[must_use]
    pub fn held(&self) -> Held {
        self.counts.held(self.directory.invites())
    }

    /// Who decides which log-ins are good.
    #[must_use]
    pub fn gate(mut self, gate: impl Gate) -> Self {
        self.gate = Arc::new(gate);
        self
    }

    /// Shares names, rooms, whispers and invitations with the other nodes of that cluster, which have the same rooms. The
    /// server must have as many workers as the settings say, and hand the cluster's events to them:
    /// [`Message::cluster`](crate::Message::cluster). Without it, and so where a game is played by those of one process
    /// alone, nobody else is asked or told.
    #[must_use]
    pub fn cluster(mut self, cluster: &Cluster) -> Self {
        self.nodes = Some(Nodes::new(cluster, &self.settings, &self.counts));
        self
    }

    /// The name of the door that is for people.
    #[must_use]
    pub fn people(mut self, door: &'static str) -> Self {
        self.people = Some(door);
        self
    }

    /// Who has which name, and which seats are taken.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The rooms in which somebody is on any node, and how many, as they last said; none where no rooms are shared.
    pub(crate) async fn seen_elsewhere(&self) -> Vec<(u32, u32)> {
        match &self.nodes {
            Some(nodes) => nodes.rooms().await,
            None => Vec::new(),
        }
    }

    /// All rooms in which somebody is, in order, and how many: what the nodes said, and what this one knows by now.
    pub(crate) fn rooms(&self, seen: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
        let mut all: BTreeMap<u32, u32> = seen.into_iter().collect();
        for (index, here) in self.directory.rooms() {
            let elsewhere = self.nodes.as_ref().map_or(0, |nodes| nodes.count_elsewhere(index));
            all.insert(index, here.saturating_add(u32::try_from(elsewhere).unwrap_or(u32::MAX)));
        }
        all.into_iter().collect()
    }

    /// Nobody is to be sent here any more.
    pub(crate) fn leave_list(&self) {
        if let Some(api) = &self.api {
            api.leave();
        }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A door's last words to a session that is closed for a reason that has a code.
#[must_use]
pub fn notice<Game>(reason: CloseReason) -> Option<Event<Game>> {
    Some(Event::Error(match reason {
        CloseReason::Login(_) => Code::LoginDeadline,
        CloseReason::Idle(_) => Code::PingDeadline,
        CloseReason::PacketRate | CloseReason::Admission => Code::TooFast,
        CloseReason::Game(number) => Code::from_raw(i16::try_from(number).ok()?)?,
        _ => return None,
    }))
}

/// Closing for a code of ours: the door's notice says it.
pub(crate) fn close_for(code: Code) -> CloseReason {
    CloseReason::Game(code.raw().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(clap::Parser)]
    struct Flags {
        #[command(flatten)]
        settings: Settings,
    }

    #[test]
    fn without_flags_the_settings_are_the_documented_ones() {
        let Flags { settings } = Flags::parse_from(["server"]);
        assert_eq!(settings, Settings::default());
        let Settings { workers, rooms, first_room, room_users, max_packet, .. } = settings;
        assert_eq!((workers, rooms, first_room, room_users, max_packet), (1, 1000, 0, 4, 1024));
        let Settings { login_ms, enter_ms, ping_ms, requests_per_second, .. } = settings;
        assert_eq!((login_ms, enter_ms, ping_ms, requests_per_second), (60_000, 0, 0, 100));
        let HoldFlags { held_notices, invites } = settings.hold;
        assert_eq!((held_notices, invites, settings.held_elsewhere), (256, 16, 1024));
        let ApiFlags { api_ms, api_logins, api_coming, .. } = settings.api;
        assert_eq!((api_ms, api_logins, api_coming), (5000, 256, 8192));
    }

    #[test]
    fn a_room_has_seats_for_1_to_127() {
        let users = |number| Flags::try_parse_from(["server", "--room-users", number]);
        assert_eq!(
            ["1", "127"].map(|number| users(number).ok().map(|it| it.settings.room_users)),
            [Some(1), Some(127)]
        );
        assert!(["-1", "0", "128", "many"].into_iter().all(|number| users(number).is_err()));
    }
}
