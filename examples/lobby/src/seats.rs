//! Entering and leaving rooms, and what is said in them.

use bytes::Bytes;
use netcore::{Context, EnterError, Header, SessionId};

use crate::game::{Place, who};
use crate::message::{Kind, Message};
use crate::nodes::{Seating, SharedSeat, Told};
use crate::{CHAT_MAX, Code, Event, Game, Lobby, Who};

/// So many users one list can have: on the raw wire their number is an `i8`.
const LIST: usize = 127;

/// The most bytes that the body of a packet can have.
const BODY: usize = u16::MAX as usize - Header::LEN;

impl<G: Game> Lobby<G> {
    pub(crate) fn enter(&mut self, ctx: &mut Context<Self>, session: SessionId, number: Option<i32>) {
        if let Some(code) = self.in_room_already(session) {
            return self.refuse_enter(ctx, session, code);
        }
        let Some(index) = number.and_then(|number| self.shared.settings().index(number)) else {
            return self.refuse(ctx, session, Code::NoRoom);
        };
        self.ask_seat(ctx, session, index, Seating::Enter);
    }

    /// There is a seat. It is taken before the way there: who is on the way to another worker finds it free.
    pub(crate) fn seated(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        index: u32,
        why: Seating,
        seat: Option<Box<SharedSeat>>,
    ) {
        if let Seating::Invited(invite) = why
            && !self.accepted(ctx, session, invite)
        {
            return;
        }
        if why != Seating::Enter {
            let left_room = matches!(self.get_up(ctx, session), Some(Place::Room(_)));
            if left_room && matches!(why, Seating::Invited(_)) {
                ctx.send(session, &Event::Leave(Code::Ok));
            }
        }
        if let Some(user) = self.users.get_mut(&session) {
            user.seat = seat;
        }
        self.go(ctx, session, Place::Room(index));
    }

    /// There is no seat: whoever asked stays where they are.
    pub(crate) fn not_seated(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        why: Seating,
        code: Code,
    ) {
        match why {
            Seating::Enter | Seating::Join => self.refuse_enter(ctx, session, code),
            // While the room is full the invitation stands.
            Seating::Invited(_) => drop(ctx.send(session, &Event::Answer { code, accept: true })),
        }
    }

    /// Why who is in a room does not enter one: the present room is looked at, whichever was asked for.
    pub(crate) fn in_room_already(&self, session: SessionId) -> Option<Code> {
        let Place::Room(index) = self.place(session) else { return None };
        let elsewhere = self.shared.nodes.as_ref().map_or(0, |nodes| nodes.count_elsewhere(index));
        let taken = self.rooms.room(index).map_or(0, |room| room.seats().len()) + elsewhere;
        let full = taken >= usize::from(self.shared.settings().room_users);
        Some(if full { Code::Full } else { Code::InRoom })
    }

    pub(crate) fn refuse_enter(&self, ctx: &mut Context<Self>, session: SessionId, code: Code) {
        ctx.send(session, &Event::Enter { code, room: 0, user: 0 });
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
            if let Some(claim) = &user.claim {
                claim.hand_to(worker);
            }
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
        let entered = match &user.seat {
            Some(seat) => rooms.enter_as(ctx, index, session, seat.user(), name),
            None => rooms.enter(ctx, index, session, name).map(drop),
        };
        if let Err(error) = entered {
            tracing::error!(%session, %error, "somebody with a seat did not get it");
            self.shared.directory.leave_seat(session);
            user.seat = None;
            return self.refuse_enter(ctx, session, code(error));
        }
        user.place = place;
        if let Some(timer) = user.enter_by.take() {
            ctx.cancel(timer);
        }
        let seat = user.seat.as_mut().map(|seat| (seat.meet(), seat.sitting().clone()));
        let Some(room) = rooms.room(index) else { return };
        let Some(me) = room.seat_of(session).map(|seat| who(place, seat)) else { return };
        let user = me.user;
        ctx.send_group_but(room.group(), session, &Event::Came(me));
        let others = room.seats().iter().filter(|seat| seat.session() != session);
        let mut others: Vec<Who> = others.map(|seat| who(place, seat)).collect();
        if let (Some((met, sitting)), Some(nodes)) = (seat, self.shared.nodes.clone()) {
            self.change(ctx, index, met, Some(session));
            nodes.tell_room(index, &Told::Came(sitting));
            others.extend(nodes.elsewhere(index).into_iter().map(|one| one.who));
            self.look_soon(ctx);
        }
        if let Place::Room(index) = place {
            let more = others.split_off(others.len().min(LIST));
            if !others.is_empty() {
                ctx.send(session, &Event::Users(others));
            }
            // Nodes that were apart may have more users in a room than it has seats.
            for one in more {
                ctx.send(session, &Event::Came(one));
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

    /// Takes a session out of the room or lounge that it is in, and says which; those who stay are told. Its seat in the
    /// directory stays taken until the caller gives it back.
    pub(crate) fn get_up(&mut self, ctx: &mut Context<Self>, session: SessionId) -> Option<Place> {
        // Free for other nodes at the end: then there is a seat here, too.
        let _seat = self.users.get_mut(&session).and_then(|user| {
            user.place = Place::Nowhere;
            user.seat.take()
        });
        let (place, seat) = match self.rooms.leave(ctx, session) {
            Some((index, seat)) => (Place::Room(index), seat),
            None => self.lounge.leave(ctx, session).map(|(_, seat)| (Place::Lounge, seat))?,
        };
        if let Some((game, mut play)) = self.play_at(ctx, place) {
            play.send_all(&Event::Went(who(place, &seat)));
            game.left(&mut play, session);
        }
        Some(place)
    }

    pub(crate) fn chat(&mut self, ctx: &mut Context<Self>, session: SessionId, text: String) {
        let Some((room, me)) = self.seat(session) else {
            return self.refuse(ctx, session, Code::NotInRoom);
        };
        if text.is_empty() || text.len() > CHAT_MAX {
            ctx.send(session, &Event::Chat(Code::ChatLength));
            return;
        }
        if let (Some(nodes), Place::Room(index)) = (&self.shared.nodes, self.place(session)) {
            let (user, name) = (me.user, me.name.to_string());
            nodes.tell_room(index, &Told::Chatted { user, name, text: text.clone() });
        }
        ctx.send_group(room, &Event::Chatted { who: me, text });
        ctx.send(session, &Event::Chat(Code::Ok));
    }

    pub(crate) fn relay(&mut self, ctx: &mut Context<Self>, session: SessionId, bytes: Bytes) {
        let Some((room, me)) = self.seat(session) else {
            return self.refuse(ctx, session, Code::NotInRoom);
        };
        if bytes.len() > relay_max(me.user) {
            return self.refuse(ctx, session, Code::RelayLength);
        }
        if let (Some(nodes), Place::Room(index)) = (&self.shared.nodes, self.place(session)) {
            nodes.tell_room(index, &Told::Relayed { user: me.user, bytes: bytes.clone() });
        }
        ctx.send_group(room, &Event::Relayed { who: me, bytes });
    }

    /// The group of the room that a session is in, and how others see it there.
    fn seat(&self, session: SessionId) -> Option<(netcore::GroupId, Who)> {
        let (place, room) = (self.place(session), self.room(session)?);
        Some((room.group(), who(place, room.seat_of(session)?)))
    }
}

/// The most bytes that the user of that number may relay: what a 742 has room for in every format, and the message to other
/// nodes too. 65,522 for numbers below 2^21; from there on protobuf needs a byte more for each seven bits, up to 2^63: 65,516.
fn relay_max(user: u64) -> usize {
    const RAW: usize = size_of::<u64>();
    // Two tags, and the length of the bytes.
    const PROTOBUF: usize = 2 + 3;
    let number = (u64::BITS - (user | 1).leading_zeros()).div_ceil(7) as usize;
    BODY - RAW.max(PROTOBUF + number)
}

fn code(error: EnterError) -> Code {
    match error {
        EnterError::NoRoom(_) => Code::NoRoom,
        EnterError::InRoom(_) => Code::InRoom,
        EnterError::Full(_) => Code::Full,
        _ => Code::Busy,
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use netcore::Packet;

    use super::*;
    use crate::protobuf::message::RoomRelayNtf;
    use crate::{protobuf, raw};

    #[test]
    fn what_may_be_relayed_fits_in_each_format_and_a_byte_more_does_not() {
        for bits in 0..64 {
            for user in [1 << bits, (1 << bits) - 1] {
                let fits = |len| {
                    let bytes = Bytes::from(vec![1; len]);
                    let (data, mut out) = (bytes.clone(), BytesMut::new());
                    let protobuf = protobuf::ToClient::Relayed(RoomRelayNtf { room_user_id: user, data });
                    Told::Relayed { user, bytes: bytes.clone() }.bytes().is_some()
                        && raw::ToClient::Relayed { user, bytes }.encode(&mut out, u16::MAX).is_ok()
                        && protobuf.encode(&mut out, u16::MAX).is_ok()
                };
                let most = relay_max(user);
                // Protobuf leaves a number of 0 out, but no user has it in a room.
                assert!(fits(most) && (user == 0 || !fits(most + 1)), "{user}: {most}");
            }
        }
        assert_eq!((relay_max(1), relay_max(i64::MAX as u64)), (65_522, 65_516));
    }
}
