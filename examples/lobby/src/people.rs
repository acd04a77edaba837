//! What only people ask for: another name, another room, and what there is to see.

use netcore::{Context, SessionId};

use crate::game::{Place, who};
use crate::{Code, Event, Game, Lobby, Name, Who};

impl<G: Game> Lobby<G> {
    /// Somebody came through a door for people.
    pub(crate) fn welcome(&mut self, ctx: &mut Context<Self>, session: SessionId) {
        if !self.shared.gate.guests() {
            ctx.send(session, &Event::Welcome(None));
            return;
        }
        let name = self.shared.directory.claim_guest(session, ctx.worker());
        if let Some(user) = self.users.get_mut(&session) {
            user.name = Some(name.clone());
        }
        ctx.admit(session);
        ctx.send(session, &Event::Welcome(Some(name)));
        self.go(ctx, session, Place::Lounge);
    }

    /// Those in the room hear of it as of one who leaves and another one who comes, in the same seat.
    pub(crate) fn rename(&mut self, ctx: &mut Context<Self>, session: SessionId, name: Name) {
        // A name that was proved at the gate is not changed for one that was not.
        if !self.shared.gate.guests() || !self.users.get(&session).is_some_and(|user| user.person) {
            ctx.send(session, &Event::LogIn(Code::InUse));
            return;
        }
        if !self.shared.directory.claim(&name, session, ctx.worker()) {
            ctx.send(session, &Event::Rename { code: Code::InUse, name: None });
            return;
        }
        let place = self.place(session);
        if let Some(user) = self.users.get_mut(&session) {
            user.name = Some(name.clone());
        }
        let rooms = if place == Place::Lounge { &mut self.lounge } else { &mut self.rooms };
        let old = rooms.seat_of(session).map(|seat| who(place, seat));
        rooms.renew(session);
        if let Some(seat) = rooms.seat_of_mut(session) {
            seat.member = name.clone();
        }
        if let (Some(old), Some(room)) = (old, rooms.room_of(session))
            && let Some(new) = room.seat_of(session).map(|seat| who(place, seat))
        {
            ctx.send_group_but(room.group(), session, &Event::Renamed { old, new });
        }
        ctx.send(session, &Event::Rename { code: Code::Ok, name: Some(name) });
    }

    /// Goes from one room to another. Where there is no seat, one stays where one is.
    pub(crate) fn join(&mut self, ctx: &mut Context<Self>, session: SessionId, number: i32) {
        let Some(index) = self.shared.settings().index(number) else {
            return self.refuse_enter(ctx, session, Code::NoRoom);
        };
        if self.place(session) == Place::Room(index) {
            return self.refuse_enter(ctx, session, Code::InRoom);
        }
        if self.take_seat(session, index) {
            self.get_up(ctx, session);
            self.go(ctx, session, Place::Room(index));
        } else {
            self.refuse_enter(ctx, session, Code::Full);
        }
    }

    pub(crate) fn who_is_here(&mut self, ctx: &mut Context<Self>, session: SessionId) {
        let place = self.place(session);
        let Some(room) = self.room(session) else { return self.refuse(ctx, session, Code::NotInRoom) };
        let users: Vec<Who> = room.seats().iter().take(SHOWN).map(|seat| who(place, seat)).collect();
        let room = match place {
            Place::Room(index) => Some(self.shared.settings().number(index)),
            _ => None,
        };
        ctx.send(session, &Event::Here { room, users });
    }

    pub(crate) fn list_rooms(&mut self, ctx: &mut Context<Self>, session: SessionId) {
        let settings = self.shared.settings();
        let rooms = self.shared.directory.rooms();
        let rooms = rooms.into_iter().take(SHOWN).map(|(index, taken)| (settings.number(index), taken));
        let event = Event::Rooms { rooms: rooms.collect(), seats: settings.room_users.into() };
        ctx.send(session, &event);
    }
}

/// So many lines of a list are shown at most: a person does not read more.
const SHOWN: usize = 1000;
