//! What holds in the arena: sizes, speeds, weapons.

use crate::Kind;

/// The field's width in px.
pub const WIDTH: f32 = 800.0;
/// The field's height in px.
pub const HEIGHT: f32 = 600.0;
/// The radius of a player's disc in px.
pub const PLAYER_RADIUS: f32 = 15.0;
/// The radius of an item's disc in px. Whose disc meets it, takes it.
pub const ITEM_RADIUS: f32 = 12.0;
/// A new player's health.
pub const FULL_HEALTH: f32 = 100.0;
/// How fast a player may move, in px/s.
pub const TOP_SPEED: f32 = 400.0;
/// How far a player may be ahead of its top speed, in px: what a slow line delays arrives all at once.
pub const SLACK: f32 = 150.0;
/// For how much silence, in seconds, a player is credited with movement. Longer, and a jump across the field would be one.
pub const SILENCE: f64 = 1.0;
/// How far from its shooter a shot may start, in px.
pub const MUZZLE: f32 = 60.0;
/// How long a dead player waits until it may come back, in seconds.
pub const DEAD_TIME: f64 = 10.0;
/// How long a bullet flies at most, in seconds. It bounds how many there are: a bullet may be as slow as its shooter likes.
pub const FLIGHT: f64 = 3.0;
/// How many items lie on the field at most.
pub const MOST_ITEMS: usize = 4;
/// How long it takes until the next item is put on the field, in seconds.
pub const ITEM_EVERY: f64 = 4.0;
/// How long a player keeps its name at least, in seconds: everybody hears of a new one.
pub const NAME_EVERY: f64 = 1.0;
/// How early a shot may come, in seconds: a line delays one more than the next.
pub const EARLY: f32 = 0.05;

/// What is set when a server starts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rules {
    /// A bullet of radius `r` hits whose centre is nearer than this and `r`, in px.
    pub hit_radius: f32,
    /// Steps a second.
    pub tick_hz: u32,
    /// Whether items are put on the field.
    pub items: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { hit_radius: 20.0, tick_hz: 60, items: true }
    }
}

impl Rules {
    /// The time of one step, in seconds.
    #[must_use]
    pub fn step(&self) -> f64 {
        1.0 / f64::from(self.tick_hz.max(1))
    }
}

/// What a player shoots with.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Weapon {
    /// The most damage of a bullet.
    pub dmg: f32,
    /// The largest radius of a bullet, in px.
    pub r: f32,
    /// A bullet's top speed, in px/s.
    pub speed: f32,
    /// Shots a second.
    pub rate: f32,
    /// Bullets in a shot: so many `Fire` may come at once.
    pub pellets: f32,
}

impl Weapon {
    /// What a player has who has not taken anything.
    pub const UNARMED: Self = Self { dmg: 25.0, r: 3.0, speed: 600.0, rate: 8.0, pellets: 1.0 };

    /// What that item is worth, or bare hands.
    #[must_use]
    pub const fn of(kind: Option<Kind>) -> Self {
        match kind {
            None => Self::UNARMED,
            Some(Kind::Gun) => Self { dmg: 34.0, r: 3.0, speed: 700.0, rate: 8.0, pellets: 1.0 },
            Some(Kind::BigGun) => Self { dmg: 60.0, r: 8.0, speed: 450.0, rate: 2.5, pellets: 1.0 },
            Some(Kind::Shotgun) => Self { dmg: 15.0, r: 2.5, speed: 600.0, rate: 1.5, pellets: 6.0 },
            Some(Kind::Minigun) => Self { dmg: 10.0, r: 2.0, speed: 650.0, rate: 20.0, pellets: 1.0 },
        }
    }

    /// Bullets a second.
    #[must_use]
    pub fn bullets(&self) -> f32 {
        self.rate * self.pellets
    }

    /// How many bullets may be saved up.
    #[must_use]
    pub fn burst(&self) -> f32 {
        self.pellets + EARLY * self.bullets()
    }
}
