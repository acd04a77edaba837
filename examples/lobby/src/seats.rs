//! Entering and leaving rooms, and what is said in them.

use bytes::Bytes;
use netcore::{Context, EnterError, SessionId};

use crate::game::{Place, who};
use crate::message::{Kind, Message};
use crate::{CHAT_MAX, Code, Event, Game, Lobby, Who};

impl<G: Game> Lobby<G> {
    pub(crate) fn enter(&mut self, ctx: &mut Context<Self>, session: SessionId, number: Option<i32>) {
        if let Some(code) = self.in_room_already(session) {
            return self.refuse_enter(ctx, session, code);
        }
        let Some(index) = number.and_then(|number| self.shared.settings().index(number)) else {
            return self.refuse(ctx, session, Code::NoRoom);
        };
        if self.take_seat(session, index) {
            self.go(ctx, session, Place::Room(index));
        } else {
            self.refuse_enter(ctx, session, Code::Full);
        }
    }

    /// Why who is in a room does not enter one: the present room is looked at, whichever was asked for.
    pub(crate) fn in_room_already(&self, session: SessionId) -> Option<Code> {
        let Place::Room(index) = self.place(session) else { return None };
        let taken = self.rooms.room(index).map_or(0, |room| room.seats().len());
        let full = taken >= usize::from(self.shared.settings().room_users);
        Some(if full { Code::Full } else { Code::InRoom })
    }

    pub(crate) fn refuse_enter(&self, ctx: &mut Context<Self>, session: SessionId, code: Code) {
        ctx.send(session, &Event::Enter { code, room: 0, user: 0 });
    }

    /// Takes a seat before the way there: who is on the way to another worker finds it free.
    pub(crate) fn take_seat(&self, session: SessionId, index: u32) -> bool {
        let most = self.shared.settings().room_users;
        self.shared.directory.take_seat(session, index, most.into())
    }

    /// Brings a user who is in no room to one in which they have a seat, or to the lounge.
    pub(crate) fn go(&mut self, ctx: &mut Context<Self>, session: SessionId, place: Place) {
        let worker = match place {
            Place::Room(index) => index as usize % ctx.workers(),
            _ => 0,
        };
        if worker == ctx.worker() {
            return self.sit(ctx, session, place);
        }
        if let Some(mut user) = self.users.remove(&session) {
            // Timers end with the move.
            user.enter_by = None;
            self.shared.directory.moves(session, worker);
            ctx.move_to(session, worker, Message(Kind::Arrives(Box::new(user), place)));
        }
    }

    /// Sits a user down: the others are told, then the user.
    pub(crate) fn sit(&mut self, ctx: &mut Context<Self>, session: SessionId, place: Place) {
        let Some(user) = self.users.get_mut(&session) else { return };
        let Some(name) = user.name.clone() else { return };
        let (rooms, index) = match place {
            Place::Room(index) => (&mut self.rooms, index),
            _ => (&mut self.lounge, 0),
        };
        if let Err(error) = rooms.enter(ctx, index, session, name) {
            tracing::error!(%session, %error, "somebody with a seat did not get it");
            self.shared.directory.leave_seat(session);
            return self.refuse_enter(ctx, session, code(error));
        }
        user.place = place;
        if let Some(timer) = user.enter_by.take() {
            ctx.cancel(timer);
        }
        let Some(room) = rooms.room(index) else { return };
        let Some(me) = room.seat_of(session).map(|seat| who(place, seat)) else { return };
        let user = me.user;
        ctx.send_group_but(room.group(), session, &Event::Came(me));
        if let Place::Room(index) = place {
            let others = room.seats().iter().filter(|seat| seat.session() != session);
            let others: Vec<Who> = others.map(|seat| who(place, seat)).collect();
            if !others.is_empty() {
                ctx.send(session, &Event::Users(others));
            }
            let room = self.shared.settings().number(index);
            ctx.send(session, &Event::Enter { code: Code::Ok, room, user });
        } else {
            ctx.send(session, &Event::Lounge);
        }
        if let Some((game, mut play)) = self.play_at(ctx, place) {
            game.entered(&mut play, session);
        }
    }

    pub(crate) fn leave(&mut self, ctx: &mut Context<Self>, session: SessionId) {
        let Place::Room(_) = self.place(session) else {
            return self.refuse(ctx, session, Code::NotInRoom);
        };
        self.get_up(ctx, session);
        self.shared.directory.leave_seat(session);
        ctx.send(session, &Event::Leave(Code::Ok));
        if self.users.get(&session).is_some_and(|user| user.person) {
            self.go(ctx, session, Place::Lounge);
        } else {
            self.must_enter(ctx, session);
        }
    }

    /// Takes a session out of the room or lounge that it is in; those who stay are told. Its seat in the directory stays
    /// taken until the caller gives it back.
    pub(crate) fn get_up(&mut self, ctx: &mut Context<Self>, session: SessionId) {
        if let Some(user) = self.users.get_mut(&session) {
            user.place = Place::Nowhere;
        }
        let (place, seat) = match self.rooms.leave(ctx, session) {
            Some((index, seat)) => (Place::Room(index), seat),
            None => match self.lounge.leave(ctx, session) {
                Some((_, seat)) => (Place::Lounge, seat),
                None => return,
            },
        };
        if let Some((game, mut play)) = self.play_at(ctx, place) {
            play.send_all(&Event::Went(who(place, &seat)));
            game.left(&mut play, session);
        }
    }

    pub(crate) fn chat(&mut self, ctx: &mut Context<Self>, session: SessionId, text: String) {
        let Some((room, me)) = self.seat(session) else {
            return self.refuse(ctx, session, Code::NotInRoom);
        };
        if text.is_empty() || text.len() > CHAT_MAX {
            ctx.send(session, &Event::Chat(Code::ChatLength));
            return;
        }
        ctx.send_group(room, &Event::Chatted { who: me, text });
        ctx.send(session, &Event::Chat(Code::Ok));
    }

    pub(crate) fn relay(&mut self, ctx: &mut Context<Self>, session: SessionId, bytes: Bytes) {
        match self.seat(session) {
            Some((room, me)) => ctx.send_group(room, &Event::Relayed { who: me, bytes }),
            None => self.refuse(ctx, session, Code::NotInRoom),
        }
    }

    /// The group of the room that a session is in, and how others see it there.
    fn seat(&self, session: SessionId) -> Option<(netcore::GroupId, Who)> {
        let (place, room) = (self.place(session), self.room(session)?);
        Some((room.group(), who(place, room.seat_of(session)?)))
    }
}

fn code(error: EnterError) -> Code {
    match error {
        EnterError::NoRoom(_) => Code::NoRoom,
        EnterError::InRoom(_) => Code::InRoom,
        EnterError::Full(_) => Code::Full,
        _ => Code::Busy,
    }
}
