//! What is said about the arena: one set of packets, in both directions and through every door.

use netcore::{Packet, Raw};

/// What players and server tell each other. Positions are in px from the upper left corner, velocities in px/s.
///
/// Those with ids below 10 are the protocol's own, and lines on the text door. The others are there for the page, and the
/// text door has no word for them.
#[derive(Packet, Clone, PartialEq, Debug)]
pub enum Event {
    /// A player appears, or comes back to life.
    #[packet(id = 1)]
    Spawn {
        /// The number that its client chose.
        id: i32,
        /// Where.
        x: f32,
        /// Where.
        y: f32,
        /// Its health, 0 to 100.
        hp: f32,
    },
    /// Where a player is.
    #[packet(id = 2)]
    Pos {
        /// The player.
        id: i32,
        /// Where.
        x: f32,
        /// Where.
        y: f32,
        /// How fast.
        vx: f32,
        /// How fast.
        vy: f32,
        /// Where it aims.
        aim_x: f32,
        /// Where it aims.
        aim_y: f32,
    },
    /// A shot.
    #[packet(id = 3)]
    Fire {
        /// Who shot.
        id: i32,
        /// The bullet's number, unique for its shooter only.
        bullet: i32,
        /// Where it starts.
        x: f32,
        /// Where it starts.
        y: f32,
        /// How fast it flies.
        vx: f32,
        /// How fast it flies.
        vy: f32,
        /// Its radius in px.
        r: f32,
        /// What it takes of the health of whom it hits.
        dmg: f32,
    },
    /// The server saw a bullet meet a player.
    #[packet(id = 4)]
    Hit {
        /// Whose bullet.
        attacker: i32,
        /// Whom it hit.
        defender: i32,
        /// The bullet's number.
        bullet: i32,
        /// What is left of the health, 0 to 100.
        hp: f32,
    },
    /// A player's health fell to 0; or, with one number twice, it left.
    #[packet(id = 5)]
    Kill {
        /// Who did it.
        attacker: i32,
        /// Who is dead.
        defender: i32,
    },
    /// An item lies on the field.
    #[packet(id = 6)]
    PutItem {
        /// Its number.
        item: i32,
        /// Where.
        x: f32,
        /// Where.
        y: f32,
        /// What it is.
        kind: Kind,
    },
    /// A player took an item.
    #[packet(id = 7)]
    GetItem {
        /// The player.
        id: i32,
        /// The item's number.
        item: i32,
        /// What it is.
        kind: Kind,
    },
    /// What a player is called. A client may say it of itself once it is on the field.
    #[packet(id = 11)]
    Name {
        /// The player.
        id: i32,
        /// What it is called.
        #[raw(len = u8, max = 16)]
        name: String,
    },
    /// How a player stands.
    #[packet(id = 12)]
    Score {
        /// The player.
        id: i32,
        /// How many it killed.
        kills: u32,
        /// How often it died.
        deaths: u32,
    },
    /// A player left. `Kill` with its number twice follows, if it was on the field.
    #[packet(id = 13)]
    Left {
        /// The player.
        id: i32,
    },
    /// What the receiver sent does not count, and why not.
    #[packet(id = 14)]
    Refused {
        /// In words.
        #[raw(len = u8)]
        why: String,
    },
    /// Asks for a `Pong`.
    #[packet(id = 15)]
    Ping {
        /// Sent back as it came.
        sent: f64,
    },
    /// The answer to a `Ping`.
    #[packet(id = 16)]
    Pong {
        /// What came.
        sent: f64,
    },
}

/// What an item is: a weapon.
#[derive(Raw, Clone, Copy, PartialEq, Eq, Debug)]
#[raw(tag = u8)]
pub enum Kind {
    /// More damage than bare hands.
    #[raw(tag = 1)]
    Gun,
    /// Slow, heavy shots.
    #[raw(tag = 2)]
    BigGun,
    /// Several pellets a shot.
    #[raw(tag = 3)]
    Shotgun,
    /// Many light shots.
    #[raw(tag = 4)]
    Minigun,
}

impl Kind {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Gun, Self::BigGun, Self::Shotgun, Self::Minigun];

    /// Its name in the text protocol.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gun => "GUN",
            Self::BigGun => "BIGGUN",
            Self::Shotgun => "SHOTGUN",
            Self::Minigun => "MINIGUN",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}
