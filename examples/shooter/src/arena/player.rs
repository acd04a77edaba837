//! One player, and what the server does not take its client's word for.

use super::bullets::Bullet;
use super::{FIELD, Hears, Refusal, Shot, Walk};
use crate::rules::{self, Weapon};
use crate::{Event, Kind, Vec2};

/// One player.
#[derive(Clone, Debug)]
pub struct Player {
    /// Where it is.
    pub at: Vec2,
    /// How fast it moves, in px/s.
    pub velocity: Vec2,
    /// Where it aims.
    pub aim: Vec2,
    /// Its health, 0 to 100.
    pub hp: f32,
    /// What it has taken since it came to life.
    pub weapon: Option<Kind>,
    /// What it is called; mostly nothing.
    pub name: String,
    /// How many it killed.
    pub kills: u32,
    /// How often it died.
    pub deaths: u32,
    // When it was last given its name.
    pub(super) named: Option<f64>,
    // Where it was at the last step.
    pub(super) before: Vec2,
    pub(super) died: Option<f64>,
    // The numbers of its bullets that fly.
    pub(super) flying: Vec<i32>,
    // When it last said where it is, and how far ahead of its top speed it may still be.
    heard: f64,
    slack: f32,
    // When it last fired, and how many bullets it had left then.
    fired: f64,
    left: f32,
    // It has moved, and others have not heard of it; it was corrected, and has not heard of it.
    moved: bool,
    corrected: bool,
}

impl Player {
    pub(super) fn new(at: Vec2, now: f64) -> Self {
        Self {
            at,
            velocity: Vec2::default(),
            aim: at,
            hp: rules::FULL_HEALTH,
            weapon: None,
            name: String::new(),
            named: None,
            kills: 0,
            deaths: 0,
            before: at,
            died: None,
            flying: Vec::new(),
            heard: now,
            slack: rules::SLACK,
            fired: now,
            left: Weapon::UNARMED.burst(),
            moved: false,
            corrected: false,
        }
    }

    /// As new, but for what is known of it.
    pub(super) fn revive(&mut self, at: Vec2, now: f64) {
        let old = std::mem::replace(self, Self::new(at, now));
        (self.kills, self.deaths, self.flying) = (old.kills, old.deaths, old.flying);
        (self.name, self.named) = (old.name, old.named);
    }

    /// Whether it is on the field.
    #[must_use]
    pub const fn is_alive(&self) -> bool {
        self.died.is_none()
    }

    /// What it shoots with.
    #[must_use]
    pub const fn shoots_with(&self) -> Weapon {
        Weapon::of(self.weapon)
    }

    /// Where it is, for others.
    #[must_use]
    pub const fn pos(&self, id: i32) -> Event {
        let Self { at, velocity, aim, .. } = self;
        Event::Pos { id, x: at.x, y: at.y, vx: velocity.x, vy: velocity.y, aim_x: aim.x, aim_y: aim.y }
    }

    /// How it stands.
    #[must_use]
    pub const fn score(&self, id: i32) -> Event {
        Event::Score { id, kills: self.kills, deaths: self.deaths }
    }

    pub(super) fn walk(&mut self, walk: Walk, now: f64) {
        let earned = rules::TOP_SPEED * (now - self.heard).min(rules::SILENCE) as f32;
        self.heard = now;
        let place = walk.at.inside(FIELD);
        let (way, reach) = (place - self.at, earned + self.slack);
        let far = way.length();
        // A hundredth of a px: floats are not exact.
        let place = if far <= reach + 0.01 { place } else { (self.at + way.at_most(reach)).inside(FIELD) };
        self.slack = (reach - far).clamp(0.0, rules::SLACK);
        let velocity = walk.velocity.at_most(rules::TOP_SPEED);
        self.corrected |= place != walk.at || velocity != walk.velocity;
        (self.at, self.velocity) = (place, velocity);
        // Anywhere on a screen around the field.
        self.aim =
            Vec2::new(walk.aim.x.clamp(-FIELD.x, 2.0 * FIELD.x), walk.aim.y.clamp(-FIELD.y, 2.0 * FIELD.y));
        self.moved = true;
    }

    /// What is heard of where it has gone, if it has.
    pub(super) fn walked(&mut self, id: i32) -> [Option<(Hears, Event)>; 2] {
        if !std::mem::take(&mut self.moved) {
            return [None, None];
        }
        let corrected = std::mem::take(&mut self.corrected).then(|| (Hears::One(id), self.pos(id)));
        [corrected, Some((Hears::Others(id), self.pos(id)))]
    }

    pub(super) fn fire(&mut self, id: i32, shot: Shot, now: f64) -> Result<Bullet, Refusal> {
        let weapon = self.shoots_with();
        if (shot.from - self.at).length() > rules::MUZZLE {
            return Err(format!("a shot starts within {} px of its shooter", rules::MUZZLE));
        }
        if self.flying.contains(&shot.bullet) {
            return Err(format!("your bullet {} still flies", shot.bullet));
        }
        let saved = self.left + weapon.bullets() * (now - self.fired) as f32;
        let saved = saved.min(weapon.burst());
        // A thousandth of a bullet: floats are not exact.
        if saved < 0.999 {
            return Err(format!("too fast: your weapon fires {} bullets a second", weapon.bullets()));
        }
        (self.left, self.fired) = ((saved - 1.0).max(0.0), now);
        self.flying.push(shot.bullet);
        Ok(Bullet {
            shooter: id,
            id: shot.bullet,
            at: shot.from,
            velocity: shot.velocity.at_most(weapon.speed),
            r: shot.r.clamp(0.0, weapon.r) + 0.0,
            dmg: shot.dmg.clamp(0.0, weapon.dmg) + 0.0,
            until: now + rules::FLIGHT,
        })
    }

    /// Takes an item.
    pub(super) fn take(&mut self, kind: Kind, now: f64) {
        self.weapon = Some(kind);
        (self.left, self.fired) = (self.shoots_with().burst(), now);
    }
}
