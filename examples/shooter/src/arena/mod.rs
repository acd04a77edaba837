//! The arena: a simulation that knows no sockets, no sessions and no clock.
//!
//! The same rules, seed and calls make the same arena, event by event. Time passes with [`Arena::step`] alone.

mod bullets;
mod items;
mod player;

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use crate::rules::{self, Rules};
use crate::{Event, Vec2};
use bullets::Bullet;
use items::Item;
pub use player::Player;

/// Players, bullets and items, and what happened to them.
#[derive(Debug)]
pub struct Arena {
    rules: Rules,
    ticks: u64,
    // Ordered, so that the same calls make the same events.
    players: BTreeMap<i32, Player>,
    bullets: Vec<Bullet>,
    items: BTreeMap<i32, Item>,
    next_item: i32,
    next_item_at: f64,
    chance: ChaCha8Rng,
    events: Vec<(Hears, Event)>,
}

/// Who hears of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hears {
    /// Everyone.
    All,
    /// Everyone but this player.
    Others(i32),
    /// This player.
    One(i32),
}

/// Why something does not count, in words.
pub type Refusal = String;

/// What a client says of its player.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Walk {
    /// Where it is.
    pub at: Vec2,
    /// How fast it moves, in px/s.
    pub velocity: Vec2,
    /// Where it aims.
    pub aim: Vec2,
}

/// What a client says of a bullet.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Shot {
    /// Its number.
    pub bullet: i32,
    /// Where it starts.
    pub from: Vec2,
    /// How fast it flies, in px/s.
    pub velocity: Vec2,
    /// Its radius in px.
    pub r: f32,
    /// Its damage.
    pub dmg: f32,
}

impl Arena {
    /// An empty arena.
    #[must_use]
    pub fn new(rules: Rules, seed: u64) -> Self {
        Self {
            rules,
            ticks: 0,
            players: BTreeMap::new(),
            bullets: Vec::new(),
            items: BTreeMap::new(),
            next_item: 1,
            next_item_at: 0.0,
            chance: ChaCha8Rng::seed_from_u64(seed),
            events: Vec::new(),
        }
    }

    /// Lets a new player in, or a dead one back to life. A place outside the field, and any other health than the full one,
    /// are corrected.
    ///
    /// # Errors
    /// When it lives, or is not dead for long enough, or says what is no number.
    pub fn spawn(&mut self, id: i32, at: Vec2, hp: f32) -> Result<(), Refusal> {
        if !at.is_finite() || !hp.is_finite() {
            return Err(NO_NUMBER.to_owned());
        }
        let now = self.now();
        let place = at.inside(FIELD);
        match self.players.get_mut(&id) {
            None => {
                self.players.insert(id, Player::new(place, now));
            }
            Some(player) => {
                let Some(died) = player.died else { return Err("you are on the field already".to_owned()) };
                // A client counts from when it heard of it, and by a clock of its own.
                let left = rules::DEAD_TIME - (now - died) - self.rules.step() - 0.05;
                if left > 0.0 {
                    return Err(format!("you are dead for another {left:.1} s"));
                }
                player.revive(place, now);
            }
        }
        let event = Event::Spawn { id, x: place.x, y: place.y, hp: rules::FULL_HEALTH };
        if place != at || hp != rules::FULL_HEALTH {
            self.events.push((Hears::One(id), event.clone()));
        }
        self.events.push((Hears::Others(id), event));
        Ok(())
    }

    /// Moves a player. What is outside the field, or too fast, or too far away, is corrected: then it hears where it is. Of
    /// what it says in one step, others hear the last.
    ///
    /// # Errors
    /// When it says what is no number.
    pub fn walk(&mut self, id: i32, walk: Walk) -> Result<(), Refusal> {
        if !(walk.at.is_finite() && walk.velocity.is_finite() && walk.aim.is_finite()) {
            return Err(NO_NUMBER.to_owned());
        }
        let now = self.now();
        if let Some(player) = self.living(id) {
            player.walk(walk, now);
        }
        Ok(())
    }

    /// Fires a bullet. Its speed, size and damage are corrected to what the player's weapon can do: then the shooter hears
    /// what it fired.
    ///
    /// # Errors
    /// When it comes too soon after the last, starts too far from its shooter, has the number of one that flies, or says what
    /// is no number.
    pub fn fire(&mut self, id: i32, shot: Shot) -> Result<(), Refusal> {
        let now = self.now();
        if !(shot.from.is_finite() && shot.velocity.is_finite() && shot.r.is_finite() && shot.dmg.is_finite())
        {
            return Err(NO_NUMBER.to_owned());
        }
        let Some(player) = self.living(id) else { return Ok(()) };
        let bullet = player.fire(id, shot, now)?;
        // Others see the shooter where it was when it shot.
        let walked = player.walked(id);
        self.events.extend(walked.into_iter().flatten());
        let Bullet { at, velocity, r, dmg, .. } = bullet;
        let (bullet_id, x, y) = (bullet.id, at.x, at.y);
        let event = Event::Fire { id, bullet: bullet_id, x, y, vx: velocity.x, vy: velocity.y, r, dmg };
        if velocity != shot.velocity || r != shot.r || dmg != shot.dmg {
            self.events.push((Hears::One(id), event.clone()));
        }
        self.events.push((Hears::Others(id), event));
        self.bullets.push(bullet);
        Ok(())
    }

    /// Gives a player a name of up to 16 bytes; what is longer is cut, and letters that nobody sees are left out.
    ///
    /// # Errors
    /// When it has changed its name within the last second.
    pub fn name(&mut self, id: i32, name: &str) -> Result<(), Refusal> {
        let now = self.now();
        let Some(player) = self.players.get_mut(&id) else { return Ok(()) };
        let shown: String = name.chars().filter(|letter| !support::is_hidden(*letter)).collect();
        let mut end = shown.trim().len().min(MOST_NAME);
        while !shown.trim().is_char_boundary(end) {
            end -= 1;
        }
        let name = shown.trim().get(..end).unwrap_or_default();
        if player.named.is_some_and(|named| now - named < rules::NAME_EVERY) {
            return Err(format!("a name may change every {} s", rules::NAME_EVERY));
        }
        player.named = Some(now);
        name.clone_into(&mut player.name);
        self.events.push((Hears::All, Event::Name { id, name: player.name.clone() }));
        Ok(())
    }

    /// Takes a player off the field, with its bullets.
    pub fn leave(&mut self, id: i32) {
        if self.players.remove(&id).is_none() {
            return;
        }
        self.bullets.retain(|bullet| bullet.shooter != id);
        self.events.push((Hears::All, Event::Left { id }));
        self.events.push((Hears::All, Event::Kill { attacker: id, defender: id }));
    }

    /// Lets the time of one step pass: bullets fly and hit, items are taken and put.
    pub fn step(&mut self) {
        self.ticks += 1;
        for (id, player) in &mut self.players {
            self.events.extend(player.walked(*id).into_iter().flatten());
        }
        self.fly();
        self.take_items();
        self.put_items();
        for player in self.players.values_mut() {
            player.before = player.at;
        }
    }

    /// What happened since this was last asked, in order, and who hears it.
    pub fn drain(&mut self) -> std::vec::Drain<'_, (Hears, Event)> {
        self.events.drain(..)
    }

    /// What a newcomer must hear: every player and every item that is there. `but` is its own player, if it has one already.
    pub fn snapshot(&self, but: Option<i32>) -> impl Iterator<Item = Event> {
        let others = move || self.players.iter().filter(move |(id, _)| Some(**id) != but);
        let living = others().filter(|(_, player)| player.is_alive()).flat_map(|(&id, player)| {
            let spawn = Event::Spawn { id, x: player.at.x, y: player.at.y, hp: player.hp };
            [spawn, player.pos(id)]
        });
        let known = others().flat_map(|(&id, player)| {
            let name = (!player.name.is_empty()).then(|| Event::Name { id, name: player.name.clone() });
            name.into_iter().chain([player.score(id)])
        });
        let items = self.items.iter().map(|(&item, put)| put.event(item));
        living.chain(known).chain(items)
    }

    /// The time that has passed, in seconds.
    #[must_use]
    pub fn now(&self) -> f64 {
        self.ticks as f64 * self.rules.step()
    }

    /// The players, dead ones too, by their numbers.
    #[must_use]
    pub const fn players(&self) -> &BTreeMap<i32, Player> {
        &self.players
    }

    /// Where items lie.
    pub fn items(&self) -> impl Iterator<Item = Vec2> {
        self.items.values().map(|item| item.at)
    }

    /// How many bullets fly.
    #[must_use]
    pub fn bullets(&self) -> usize {
        self.bullets.len()
    }

    fn living(&mut self, id: i32) -> Option<&mut Player> {
        self.players.get_mut(&id).filter(|player| player.is_alive())
    }
}

/// The corner of the field that is not 0, 0.
pub const FIELD: Vec2 = Vec2::new(rules::WIDTH, rules::HEIGHT);

const NO_NUMBER: &str = "a float must be a finite number";

/// The longest name, in bytes.
const MOST_NAME: usize = 16;
