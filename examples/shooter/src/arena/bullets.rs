//! Bullets: how they fly, and whom they hit.

use super::{Arena, FIELD, Hears, Player};
use crate::geometry::meets;
use crate::{Event, Vec2};

/// A bullet that flies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bullet {
    pub(super) shooter: i32,
    pub(super) id: i32,
    pub(super) at: Vec2,
    pub(super) velocity: Vec2,
    pub(super) r: f32,
    pub(super) dmg: f32,
    /// When it falls to the ground.
    pub(super) until: f64,
}

/// The living from left to right, so that a bullet looks only at those near its way.
struct Crowd {
    // By the leftmost of where each was at the last step and where it is now.
    players: Vec<(f32, i32, Vec2, Vec2)>,
    // The longest way of one of them, from left to right.
    longest: f32,
}

impl Arena {
    /// Moves the bullets by one step. Along its way each hits whom it meets first, once, however fast it is.
    pub(super) fn fly(&mut self) {
        let (now, step) = (self.now(), self.rules.step() as f32);
        let crowd = Crowd::new(self.players.iter());
        let mut bullets = std::mem::take(&mut self.bullets);
        bullets.retain_mut(|bullet| {
            let way = bullet.velocity * step;
            let reach = self.rules.hit_radius + bullet.r;
            let alive = |id: i32| self.players.get(&id).is_some_and(Player::is_alive);
            if let Some(defender) = crowd.first_met(bullet, way, reach, alive) {
                self.land(bullet);
                self.hit(bullet, defender);
                return false;
            }
            bullet.at = bullet.at + way;
            // Behind the border it may still touch who stands there.
            let near = (-reach..=FIELD.x + reach).contains(&bullet.at.x)
                && (-reach..=FIELD.y + reach).contains(&bullet.at.y);
            let flies = near && now < bullet.until;
            if !flies {
                self.land(bullet);
            }
            flies
        });
        self.bullets = bullets;
    }

    /// The bullet's number is free again.
    fn land(&mut self, bullet: &Bullet) {
        if let Some(shooter) = self.players.get_mut(&bullet.shooter) {
            shooter.flying.retain(|flying| *flying != bullet.id);
        }
    }

    fn hit(&mut self, bullet: &Bullet, defender: i32) {
        let (now, attacker) = (self.now(), bullet.shooter);
        let Some(player) = self.players.get_mut(&defender) else { return };
        player.hp = (player.hp - bullet.dmg).max(0.0);
        let dead = player.hp <= 0.0;
        self.events.push((Hears::All, Event::Hit { attacker, defender, bullet: bullet.id, hp: player.hp }));
        if !dead {
            return;
        }
        player.died = Some(now);
        player.deaths += 1;
        player.velocity = Vec2::default();
        let score = player.score(defender);
        self.events.push((Hears::All, Event::Kill { attacker, defender }));
        self.events.push((Hears::All, score));
        if let Some(killer) = self.players.get_mut(&attacker) {
            killer.kills += 1;
            self.events.push((Hears::All, killer.score(attacker)));
        }
    }
}

impl Crowd {
    fn new<'a>(players: impl Iterator<Item = (&'a i32, &'a Player)>) -> Self {
        let living = players.filter(|(_, player)| player.is_alive());
        let mut players: Vec<_> = living
            .map(|(id, player)| {
                (player.before.x.min(player.at.x), *id, player.before, player.at - player.before)
            })
            .collect();
        players.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let longest = players.iter().map(|(.., way)| way.x.abs()).fold(0.0, f32::max);
        Self { players, longest }
    }

    /// Whom a bullet meets first on its way, both moving in a straight line; of two at once, the one with the lower number.
    fn first_met(&self, bullet: &Bullet, way: Vec2, reach: f32, alive: impl Fn(i32) -> bool) -> Option<i32> {
        let left = bullet.at.x.min(bullet.at.x + way.x) - reach - self.longest;
        let right = bullet.at.x.max(bullet.at.x + way.x) + reach;
        let from = self.players.partition_point(|(x, ..)| *x < left);
        let near = self.players.iter().skip(from).take_while(|(x, ..)| *x <= right);
        let met = near.filter(|(_, id, ..)| *id != bullet.shooter).filter_map(|(_, id, before, walked)| {
            let when = meets(bullet.at - *before, way - *walked, reach)?;
            alive(*id).then_some((when, *id))
        });
        met.min_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1))).map(|(_, id)| id)
    }
}
