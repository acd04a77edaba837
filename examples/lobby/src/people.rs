//! What only people ask for: another name, another room, and what there is to see.

use netcore::cluster::Claim;
use netcore::{Context, SessionId};

use crate::game::{Place, who};
use crate::message::Kind;
use crate::nodes::{Naming, Seating};
use crate::settings::close_for;
use crate::{Code, Event, Game, Lobby, Name, Who};

impl<G: Game> Lobby<G> {
    /// Somebody came through a door for people.
    pub(crate) fn welcome(&mut self, ctx: &mut Context<Self>, session: SessionId) {
        if !self.shared.gate.guests() {
            ctx.send(session, &Event::Welcome(None));
            return;
        }
        let Some(nodes) = &self.shared.nodes else {
            let name = self.shared.directory.claim_guest(session, ctx.worker());
            return self.welcomed(ctx, session, name, None);
        };
        let asked = nodes.guest(ctx.worker());
        let work = async move { Kind::Guest { session, guest: asked.await } };
        if self.wait(ctx, session, work).is_err() {
            ctx.close(session, close_for(Code::Busy));
        }
    }

    /// A guest has a name that nobody has.
    pub(crate) fn welcomed(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        name: Name,
        claim: Option<Claim>,
    ) {
        if let Some(user) = self.users.get_mut(&session) {
            (user.name, user.claim) = (Some(name.clone()), claim);
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
        let Some(nodes) = self.shared.nodes.clone() else {
            return self.renamed(ctx, session, name, None);
        };
        if self.shared.directory.is_taken(&name) {
            ctx.send(session, &Event::Rename { code: Code::InUse, name: None });
        } else if self.ask_name(ctx, session, &nodes, name, Naming::Rename).is_err() {
            ctx.send(session, &Event::Rename { code: Code::Busy, name: None });
        }
    }

    /// The name is free, as far as other nodes are asked.
    pub(crate) fn renamed(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        name: Name,
        claim: Option<Claim>,
    ) {
        if !self.shared.directory.claim(&name, session, ctx.worker()) {
            ctx.send(session, &Event::Rename { code: Code::InUse, name: None });
            return;
        }
        let place = self.place(session);
        let Some(user) = self.users.get_mut(&session) else { return };
        (user.name, user.claim) = (Some(name.clone()), claim);
        let shared = user.seat.as_mut().map(|seat| seat.rename(&name));
        let rooms = if place == Place::Lounge { &mut self.lounge } else { &mut self.rooms };
        let old = rooms.seat_of(session).map(|seat| who(place, seat));
        match shared {
            Some(user) => rooms.renew_as(session, user),
            None => rooms.renew(session),
        };
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
        self.ask_seat(ctx, session, index, Seating::Join);
    }

    pub(crate) fn who_is_here(&mut self, ctx: &mut Context<Self>, session: SessionId) {
        let place = self.place(session);
        let Some(room) = self.room(session) else { return self.refuse(ctx, session, Code::NotInRoom) };
        let mut users: Vec<Who> = room.seats().iter().take(SHOWN).map(|seat| who(place, seat)).collect();
        if let (Some(nodes), Place::Room(index)) = (&self.shared.nodes, place) {
            users.extend(nodes.elsewhere(index).into_iter().map(|one| one.who));
        }
        users.truncate(SHOWN);
        let room = match place {
            Place::Room(index) => Some(self.shared.settings().number(index)),
            _ => None,
        };
        ctx.send(session, &Event::Here { room, users });
    }

    pub(crate) fn list_rooms(&mut self, ctx: &mut Context<Self>, session: SessionId) {
        let Some(nodes) = &self.shared.nodes else {
            let rooms = self.shared.directory.rooms();
            return self.show_rooms(ctx, session, rooms);
        };
        let asked = nodes.rooms();
        if self.wait(ctx, session, async move { Kind::Rooms { session, rooms: asked.await } }).is_err() {
            self.refuse(ctx, session, Code::Busy);
        }
    }

    pub(crate) fn rooms_listed(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        rooms: Vec<(u32, u32)>,
    ) {
        self.waited(ctx, session);
        let all = self.shared.rooms(rooms);
        self.show_rooms(ctx, session, all);
    }

    fn show_rooms(&self, ctx: &mut Context<Self>, session: SessionId, rooms: Vec<(u32, u32)>) {
        let settings = self.shared.settings();
        let rooms = rooms.into_iter().take(SHOWN).map(|(index, taken)| (settings.number(index), taken));
        let event = Event::Rooms { rooms: rooms.collect(), seats: settings.room_users.into() };
        ctx.send(session, &event);
    }
}

/// So many lines of a list are shown at most: a person does not read more.
const SHOWN: usize = 1000;
