//! Asking a user into one's room.

use netcore::{Context, SessionId};

use crate::directory::Invite;
use crate::game::Place;
use crate::message::{Kind, Message};
use crate::{Code, Event, Game, INVITE_TIME, Lobby, Name, Outcome};

impl<G: Game> Lobby<G> {
    pub(crate) fn invite(&mut self, ctx: &mut Context<Self>, session: SessionId, to: Option<Name>) {
        let Place::Room(index) = self.place(session) else {
            return self.refuse(ctx, session, Code::NotInRoom);
        };
        let answer = |ctx: &mut Context<Self>, code, invite, to| {
            ctx.send(session, &Event::Invite { code, invite, to });
        };
        let Some((name, from)) = to.clone().zip(self.name(session).cloned()) else {
            return answer(ctx, Code::NoSuchUser, 0, to);
        };
        let (invite, guest) = match self.shared.directory.invite(session, &name, index) {
            Ok(written) => written,
            Err(code) => return answer(ctx, code, 0, to),
        };
        // Not the session's own timer: who asked may have moved or gone when the time is up.
        ctx.after(INVITE_TIME, Message(Kind::InviteDeadline(invite)));
        let millis = i32::try_from(INVITE_TIME.as_millis()).unwrap_or(i32::MAX);
        let room = self.shared.settings().number(index);
        match self.deliver(ctx, guest, Event::Invited { invite, from, room, millis }) {
            Code::Ok => answer(ctx, Code::Ok, invite, to),
            code => {
                self.shared.directory.answered(invite);
                answer(ctx, code, 0, to);
            }
        }
    }

    /// Who accepts leaves the room that they are in, and enters the other one as if they had asked for it.
    pub(crate) fn answer(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        invite: Option<u64>,
        accept: bool,
    ) {
        let answer = |ctx: &mut Context<Self>, code| {
            ctx.send(session, &Event::Answer { code, accept });
        };
        let Some((id, invite)) = self.shared.directory.invited(session, invite) else {
            return answer(ctx, Code::NoInvite);
        };
        if !accept {
            self.shared.directory.answered(id);
            answer(ctx, Code::Ok);
            return self.invite_over(ctx, invite.from.0, id, &invite, Outcome::Refused);
        }
        let place = self.place(session);
        if place == Place::Room(invite.room) {
            return answer(ctx, Code::InRoom);
        }
        // While the room is full the invitation stands.
        if !self.take_seat(session, invite.room) {
            return answer(ctx, Code::Full);
        }
        self.shared.directory.answered(id);
        answer(ctx, Code::Ok);
        self.invite_over(ctx, invite.from.0, id, &invite, Outcome::Accepted);
        self.get_up(ctx, session);
        if matches!(place, Place::Room(_)) {
            ctx.send(session, &Event::Leave(Code::Ok));
        }
        self.go(ctx, session, Place::Room(invite.room));
    }

    /// Nobody answered these in time: both sides are told, if they are still there.
    pub(crate) fn invites_expired(
        &mut self,
        ctx: &mut Context<Self>,
        expired: impl IntoIterator<Item = (u64, Invite)>,
    ) {
        for (id, invite) in expired {
            for session in [invite.from.0, invite.to.0] {
                self.invite_over(ctx, session, id, &invite, Outcome::Expired);
            }
        }
    }

    fn invite_over(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        id: u64,
        invite: &Invite,
        outcome: Outcome,
    ) {
        let (from, to) = (invite.from.1.clone(), invite.to.1.clone());
        self.deliver(ctx, session, Event::InviteOver { invite: id, from, to, outcome });
    }
}
