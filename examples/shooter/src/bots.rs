//! Bots: players without a client, who keep to the same rules as everyone else.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::arena::{Arena, FIELD, Player, Shot, Walk};
use crate::rules::{self, PLAYER_RADIUS};
use crate::{Kind, Vec2};

/// The bots of an arena.
#[derive(Debug)]
pub struct Bots {
    bots: Vec<Bot>,
    step: f32,
    chance: ChaCha8Rng,
}

#[derive(Debug)]
struct Bot {
    id: i32,
    // Where it goes, and until when it wants to.
    goal: Vec2,
    bored: f64,
    // Which way round it circles.
    side: f32,
    velocity: Vec2,
    aim: Vec2,
    // When it shoots next, and with which number.
    shoots: f64,
    bullet: i32,
}

/// What a bot does in one step.
struct Move {
    walk: Walk,
    shots: Vec<Shot>,
}

impl Bots {
    /// So many bots, for an arena with such steps. They come in one after the other.
    #[must_use]
    pub fn new(count: u16, step: f64, seed: u64) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        chance.set_stream(1);
        let bots = (0..i32::from(count)).map(|number| Bot {
            id: FIRST + number,
            goal: Vec2::default(),
            bored: 0.0,
            side: 1.0,
            velocity: Vec2::default(),
            aim: Vec2::default(),
            shoots: 0.0,
            bullet: 0,
        });
        Self { bots: bots.collect(), step: step as f32, chance }
    }

    /// Whether a number is a bot's.
    #[must_use]
    pub fn have(&self, id: i32) -> bool {
        self.bots.iter().any(|bot| bot.id == id)
    }

    /// Moves all of them by one step.
    pub fn act(&mut self, arena: &mut Arena) {
        for bot in &mut self.bots {
            match arena.players().get(&bot.id).map(Player::is_alive) {
                Some(true) => {
                    let Some(done) = bot.decide(arena, self.step, &mut self.chance) else { continue };
                    // What the arena refuses a bot, the bot tries again.
                    let _ = arena.walk(bot.id, done.walk);
                    for shot in done.shots {
                        let _ = arena.fire(bot.id, shot);
                    }
                }
                // Refused while it is dead.
                known => {
                    let place = somewhere(&mut self.chance);
                    if arena.spawn(bot.id, place, rules::FULL_HEALTH).is_ok() {
                        (bot.velocity, bot.bored) = (Vec2::default(), 0.0);
                        if known.is_none() {
                            let name = NAMES.get((bot.id - FIRST) as usize % NAMES.len()).unwrap_or(&"bot");
                            let _ = arena.name(bot.id, name);
                        }
                    }
                }
            }
        }
    }
}

impl Bot {
    fn decide(&mut self, arena: &Arena, step: f32, chance: &mut ChaCha8Rng) -> Option<Move> {
        let (now, me) = (arena.now(), arena.players().get(&self.id)?);
        let living = arena.players().iter().filter(|(id, player)| **id != self.id && player.is_alive());
        let seen = living.map(|(_, player)| ((player.at - me.at).length(), player));
        let enemy = seen.min_by(|one, other| one.0.total_cmp(&other.0)).filter(|(far, _)| *far < SIGHT);
        if now >= self.bored || (self.goal - me.at).length() < PLAYER_RADIUS {
            let item = arena
                .items()
                .min_by(|one, other| (*one - me.at).length().total_cmp(&(*other - me.at).length()));
            self.goal = item.filter(|_| chance.random_bool(0.6)).unwrap_or_else(|| somewhere(chance));
            self.side = if chance.random_bool(0.5) { 1.0 } else { -1.0 };
            self.bored = now + chance.random_range(0.7..2.2);
        }
        let wish = match enemy {
            Some((far, player)) => {
                let towards = (player.at - me.at) * (1.0 / far.max(1.0));
                // It circles, and keeps a distance at which it still hits.
                let around = Vec2::new(-towards.y, towards.x) * self.side;
                let goal = (self.goal - me.at).at_most(1.0);
                around + towards * ((far - DISTANCE) / 80.0).clamp(-1.0, 1.0) + goal * 0.7
            }
            None => self.goal - me.at,
        };
        // It does not turn on the spot.
        let wish = if wish.length() > 0.0 { wish * (SPEED / wish.length()) } else { wish };
        self.velocity = self.velocity + (wish - self.velocity) * (6.0 * step).min(1.0);
        let margin = Vec2::new(PLAYER_RADIUS, PLAYER_RADIUS);
        let at = (me.at + self.velocity * step - margin).inside(FIELD - margin * 2.0) + margin;
        let ahead = match enemy {
            Some((far, player)) => player.at + player.velocity * (far / me.shoots_with().speed),
            None => me.at + self.velocity,
        };
        self.aim = self.aim + (ahead - self.aim) * (9.0 * step).min(1.0);
        let walk = Walk { at, velocity: self.velocity, aim: self.aim };
        let wants = enemy.is_some() && now >= self.shoots;
        let shots = if wants { self.shoot(me, at, now, chance) } else { Vec::new() };
        Some(Move { walk, shots })
    }

    /// One shot, as far as its hand is steady.
    fn shoot(&mut self, me: &Player, from: Vec2, now: f64, chance: &mut ChaCha8Rng) -> Vec<Shot> {
        let weapon = me.shoots_with();
        // Slower than the weapon, so that people have a chance.
        let pause = f64::from(1.0 / weapon.rate) * chance.random_range(1.5..4.0);
        self.shoots = now + if me.weapon == Some(Kind::Minigun) { pause } else { pause.max(0.25) };
        let way = self.aim - from;
        let angle = way.y.atan2(way.x) + chance.random_range(-0.13..0.13_f32);
        let pellets = weapon.pellets as i32;
        let shots = (0..pellets).map(|pellet| {
            let angle = angle + (pellet as f32 - (pellets - 1) as f32 / 2.0) * SPREAD;
            let way = Vec2::new(angle.cos(), angle.sin());
            self.bullet = self.bullet.wrapping_add(1);
            Shot {
                bullet: self.bullet,
                from: from + way * (PLAYER_RADIUS + weapon.r),
                // A hair below the top, which floats may exceed.
                velocity: way * (weapon.speed * 0.999),
                r: weapon.r,
                dmg: weapon.dmg,
            }
        });
        shots.collect()
    }
}

/// A place on the field, away from its borders.
fn somewhere(chance: &mut ChaCha8Rng) -> Vec2 {
    let margin = 50.0;
    let (x, y) =
        (chance.random_range(margin..FIELD.x - margin), chance.random_range(margin..FIELD.y - margin));
    Vec2::new(x.round(), y.round())
}

/// The first bot's number; the others' follow.
pub const FIRST: i32 = 9001;

const NAMES: [&str; 12] =
    ["Ada", "Blaise", "Carl", "Emmy", "Grace", "Hedy", "Kurt", "Leslie", "Mary", "Niels", "Sofia", "Tim"];
/// How fast a bot walks, in px/s.
const SPEED: f32 = 150.0;
/// How far it sees, in px.
const SIGHT: f32 = 380.0;
/// How far from its enemy it likes to be, in px.
const DISTANCE: f32 = 190.0;
/// The angle between two pellets.
const SPREAD: f32 = 0.07;
