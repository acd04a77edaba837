//! The arena behind the doors: which session plays whom, and who hears what.

use std::collections::{HashMap, HashSet};

use netcore::{CloseReason, Context, GroupId, Logic, SessionId, Tick};

use crate::arena::{Arena, Hears, Shot, Walk};
use crate::bots::Bots;
use crate::rules::Rules;
use crate::{Event, Vec2};

/// The game: one arena, on one worker.
///
/// What clients say changes the arena at once. What others hear of it goes out with the next tick, in one write for each
/// session; so a client that says where it is a thousand times a second is heard once a tick.
#[derive(Debug)]
pub struct Game {
    arena: Arena,
    bots: Bots,
    // Who plays whom, both ways. A session without a number looks on.
    numbers: HashMap<SessionId, i32>,
    sessions: HashMap<i32, SessionId>,
    // Numbers that are not free before everybody has heard that they are.
    left: HashSet<i32>,
    // Those who know what is on the field, and those who are told with the next tick.
    audience: Option<GroupId>,
    newcomers: HashSet<SessionId>,
}

impl Game {
    /// An arena with so many bots, the same each time for the same seed.
    #[must_use]
    pub fn new(rules: Rules, bots: u16, seed: u64) -> Self {
        Self {
            arena: Arena::new(rules, seed),
            bots: Bots::new(bots, rules.step(), seed),
            numbers: HashMap::new(),
            sessions: HashMap::new(),
            left: HashSet::new(),
            audience: None,
            newcomers: HashSet::new(),
        }
    }

    /// Does what a client asks for.
    ///
    /// # Errors
    /// In words for its player, when that may not be.
    fn play(&mut self, session: SessionId, event: Event) -> Result<(), String> {
        match event {
            Event::Spawn { id, x, y, hp } => {
                let own = self.numbers.get(&session).copied();
                match own {
                    Some(own) if own != id => return Err(not_yours(own)),
                    None if self.is_taken(id) => {
                        return Err(format!("{id} is taken: choose another number"));
                    }
                    _ => {}
                }
                self.arena.spawn(id, Vec2::new(x, y), hp)?;
                self.numbers.insert(session, id);
                self.sessions.insert(id, session);
                Ok(())
            }
            Event::Pos { id, x, y, vx, vy, aim_x, aim_y } => {
                self.must_be(session, id)?;
                let (at, velocity) = (Vec2::new(x, y), Vec2::new(vx, vy));
                self.arena.walk(id, Walk { at, velocity, aim: Vec2::new(aim_x, aim_y) })
            }
            Event::Fire { id, bullet, x, y, vx, vy, r, dmg } => {
                self.must_be(session, id)?;
                let (from, velocity) = (Vec2::new(x, y), Vec2::new(vx, vy));
                self.arena.fire(id, Shot { bullet, from, velocity, r, dmg })
            }
            Event::Name { id, name } => {
                self.must_be(session, id)?;
                self.arena.name(id, &name)
            }
            Event::Hit { .. } | Event::Kill { .. } => Err("who is hit, the server decides".to_owned()),
            Event::PutItem { .. } | Event::GetItem { .. } => {
                Err("who takes which item, the server decides".to_owned())
            }
            Event::Score { .. }
            | Event::Left { .. }
            | Event::Refused { .. }
            | Event::Ping { .. }
            | Event::Pong { .. } => Err("only the server says that".to_owned()),
        }
    }

    fn is_taken(&self, id: i32) -> bool {
        self.arena.players().contains_key(&id) || self.left.contains(&id) || self.bots.have(id)
    }

    fn must_be(&self, session: SessionId, id: i32) -> Result<(), String> {
        match self.numbers.get(&session) {
            None => Err("you are not on the field: SPAWN comes first".to_owned()),
            Some(own) if *own != id => Err(not_yours(*own)),
            Some(_) => Ok(()),
        }
    }

    /// Tells what happened to who knows the field.
    fn tell(&mut self, ctx: &mut Context<Self>, audience: GroupId) {
        for (hears, event) in self.arena.drain() {
            match hears {
                Hears::All => ctx.send_group(audience, &event),
                Hears::Others(id) => ctx.send_group_but(audience, self.sessions.get(&id).copied(), &event),
                Hears::One(id) => {
                    if let Some(session) = self.sessions.get(&id) {
                        ctx.send(*session, &event);
                    }
                }
            }
        }
    }

    /// Tells newcomers what is on the field. From then on they hear what happens.
    fn welcome(&mut self, ctx: &mut Context<Self>, audience: GroupId) {
        for session in self.newcomers.drain() {
            for event in self.arena.snapshot(self.numbers.get(&session).copied()) {
                ctx.send(session, &event);
            }
            ctx.join(audience, session);
        }
    }
}

impl Logic for Game {
    type In = Event;
    type Out = Event;
    type Message = ();

    fn opened(&mut self, _: &mut Context<Self>, session: SessionId) {
        self.newcomers.insert(session);
    }

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, event: Event) {
        if let Event::Ping { sent } = event {
            ctx.send(session, &Event::Pong { sent });
        } else if let Err(why) = self.play(session, event) {
            ctx.send(session, &Event::Refused { why });
        }
    }

    fn closed(&mut self, _: &mut Context<Self>, session: SessionId, _: CloseReason) {
        self.newcomers.remove(&session);
        if let Some(id) = self.numbers.remove(&session) {
            self.sessions.remove(&id);
            self.arena.leave(id);
            self.left.insert(id);
        }
    }

    fn tick(&mut self, ctx: &mut Context<Self>, _: Tick) {
        let audience = *self.audience.get_or_insert_with(|| ctx.create_group());
        // What clients have said since the last one is told before newcomers see what came of it; all else they hear.
        self.tell(ctx, audience);
        self.welcome(ctx, audience);
        self.bots.act(&mut self.arena);
        self.arena.step();
        self.tell(ctx, audience);
        self.left.clear();
    }
}

fn not_yours(own: i32) -> String {
    format!("that is not your number: yours is {own}")
}
