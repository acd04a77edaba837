//! Items: where they lie, and who takes them.

use rand::RngExt;

use super::{Arena, Hears};
use crate::rules::{self, HEIGHT, ITEM_RADIUS, PLAYER_RADIUS, WIDTH};
use crate::{Event, Kind, Vec2};

/// An item that lies on the field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) at: Vec2,
    pub(super) kind: Kind,
}

impl Item {
    pub(super) const fn event(&self, item: i32) -> Event {
        Event::PutItem { item, x: self.at.x, y: self.at.y, kind: self.kind }
    }
}

impl Arena {
    /// Gives each item that somebody touches to who is nearest.
    pub(super) fn take_items(&mut self) {
        let now = self.now();
        let (players, events) = (&mut self.players, &mut self.events);
        self.items.retain(|item, put| {
            let living = players.iter().filter(|(_, player)| player.is_alive());
            let far = living.map(|(id, player)| ((player.at - put.at).length(), *id));
            let nearest = far.min_by(|one, other| one.0.total_cmp(&other.0));
            let Some((_, id)) = nearest.filter(|(far, _)| *far < PLAYER_RADIUS + ITEM_RADIUS) else {
                return true;
            };
            if let Some(player) = players.get_mut(&id) {
                player.take(put.kind, now);
            }
            events.push((Hears::All, Event::GetItem { id, item: *item, kind: put.kind }));
            false
        });
    }

    /// Puts an item somewhere, when it is time for one.
    pub(super) fn put_items(&mut self) {
        let now = self.now();
        if !self.rules.items || now < self.next_item_at || self.items.len() >= rules::MOST_ITEMS {
            return;
        }
        self.next_item_at = now + rules::ITEM_EVERY;
        let whole = |most: f32| (most - 2.0 * MARGIN) as i32;
        let x = MARGIN + self.chance.random_range(0..=whole(WIDTH)) as f32;
        let y = MARGIN + self.chance.random_range(0..=whole(HEIGHT)) as f32;
        let kind = Kind::ALL.get(self.chance.random_range(0..Kind::ALL.len())).copied().unwrap_or(Kind::Gun);
        let (number, item) = (self.next_item, Item { at: Vec2::new(x, y), kind });
        self.next_item = number.checked_add(1).unwrap_or(1);
        self.items.insert(number, item);
        self.events.push((Hears::All, item.event(number)));
    }
}

/// Items do not lie in corners, in px.
const MARGIN: f32 = 40.0;
