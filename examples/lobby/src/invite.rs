//! Asking a user into one's room.

use netcore::cluster::NodeId;
use netcore::{Context, SessionId};

use crate::directory::{Invite, Party};
use crate::game::Place;
use crate::message::{Kind, Message};
use crate::nodes::{Nodes, Seating, Sought, Told, Whereabouts};
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
        let nodes = self.shared.nodes.clone();
        let id = nodes.as_ref().map(Nodes::unique);
        let (invite, guest) = match (self.shared.directory.invite(session, &name, index, id), nodes) {
            (Ok(written), _) => written,
            (Err(Code::NoSuchUser), Some(nodes)) => {
                if self.seek(ctx, session, &nodes, Sought::Invite { to: name }).is_err() {
                    answer(ctx, Code::Busy, 0, to);
                }
                return;
            }
            (Err(code), _) => return answer(ctx, code, 0, to),
        };
        // Not the session's own timer: who asked may have moved or gone when the time is up.
        ctx.after(INVITE_TIME, Message(Kind::InviteDeadline(invite)));
        match self.deliver(ctx, guest, self.invitation(invite, from, index)) {
            Code::Ok => answer(ctx, Code::Ok, invite, to),
            code => {
                self.shared.directory.answered(invite);
                answer(ctx, code, 0, to);
            }
        }
    }

    fn invitation(&self, invite: u64, from: Name, index: u32) -> Event<G::Event> {
        let millis = i32::try_from(INVITE_TIME.as_millis()).unwrap_or(i32::MAX);
        Event::Invited { invite, from, room: self.shared.settings().number(index), millis }
    }

    /// All nodes were asked for whom somebody invites.
    pub(crate) fn invite_elsewhere(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        to: Name,
        found: Whereabouts,
    ) {
        let written = self.write_invite(ctx, session, &to, found);
        let (code, invite) = written.map_or_else(|code| (code, 0), |invite| (Code::Ok, invite));
        ctx.send(session, &Event::Invite { code, invite, to: Some(to) });
    }

    fn write_invite(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        to: &Name,
        found: Whereabouts,
    ) -> Result<u64, Code> {
        let (Place::Room(index), Some(nodes)) = (self.place(session), self.shared.nodes.clone()) else {
            return Err(Code::NoSuchUser);
        };
        let from = self.name(session).ok_or(Code::NoSuchUser)?.to_string();
        let node = found?.filter(|node| *node != nodes.me()).ok_or(Code::NoSuchUser)?;
        if nodes.elsewhere(index).iter().any(|one| one.who.name == *to) {
            return Err(Code::InviteHere);
        }
        let invite = nodes.unique();
        self.shared.directory.invite_there(session, (node, to), index, invite)?;
        ctx.after(INVITE_TIME, Message(Kind::InviteDeadline(invite)));
        let room = self.shared.settings().number(index);
        match nodes.tell_node(node, &Told::Invited { invite, room, to: to.to_string(), from }) {
            Code::Ok => Ok(invite),
            code => {
                self.shared.directory.answered(invite);
                Err(code)
            }
        }
    }

    /// Somebody on another node invites a user of this one. If that cannot be, it is over at once.
    pub(crate) fn invited_from(
        &mut self,
        ctx: &mut Context<Self>,
        invite: u64,
        room: i32,
        to: Name,
        from: (NodeId, Name),
    ) {
        let (node, host) = from.clone();
        let index = self.shared.settings().index(room).ok_or(Code::NoRoom);
        let written =
            index.and_then(|index| Ok((self.shared.directory.invite_from(from, &to, index, invite)?, index)));
        if let Ok((guest, index)) = written {
            ctx.after(INVITE_TIME, Message(Kind::InviteDeadline(invite)));
            if self.deliver(ctx, guest, self.invitation(invite, host, index)) == Code::Ok {
                return;
            }
            self.shared.directory.answered(invite);
        }
        if let Some(nodes) = &self.shared.nodes {
            nodes.tell_node(node, &Told::InviteOver { invite, outcome: Outcome::Expired.into() });
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
        self.ask_seat(ctx, session, invite.room, Seating::Invited(id));
    }

    /// There is a seat for whoever accepted; whether the invitation still stands.
    pub(crate) fn accepted(&mut self, ctx: &mut Context<Self>, session: SessionId, id: u64) -> bool {
        let Some((_, invite)) = self.shared.directory.invited(session, Some(id)) else {
            // It has expired while all nodes were asked for the seat: the one that the user had is theirs again.
            match self.place(session) {
                Place::Room(index) => drop(self.shared.directory.take_seat(session, index, u32::MAX)),
                _ => self.shared.directory.leave_seat(session),
            }
            ctx.send(session, &Event::Answer { code: Code::NoInvite, accept: true });
            return false;
        };
        self.shared.directory.answered(id);
        ctx.send(session, &Event::Answer { code: Code::Ok, accept: true });
        self.invite_over(ctx, invite.from.0, id, &invite, Outcome::Accepted);
        true
    }

    /// Nobody answered these in time: both sides are told, if they are still there.
    pub(crate) fn invites_expired(
        &mut self,
        ctx: &mut Context<Self>,
        expired: impl IntoIterator<Item = (u64, Invite)>,
    ) {
        for (id, invite) in expired {
            for party in [invite.from.0, invite.to.0] {
                self.invite_over(ctx, party, id, &invite, Outcome::Expired);
            }
        }
    }

    /// The other node says that an invitation is over: those of the two who are here are told, if it concerns them.
    pub(crate) fn tell_over(&mut self, ctx: &mut Context<Self>, id: u64, invite: &Invite, outcome: Outcome) {
        let told = [Some(invite.from.0), (outcome == Outcome::Expired).then_some(invite.to.0)];
        for party in told.into_iter().flatten().filter(|party| matches!(party, Party::Here(_))) {
            self.invite_over(ctx, party, id, invite, outcome);
        }
    }

    fn invite_over(
        &mut self,
        ctx: &mut Context<Self>,
        party: Party,
        id: u64,
        invite: &Invite,
        outcome: Outcome,
    ) {
        match (party, &self.shared.nodes) {
            (Party::Here(session), _) => {
                let (from, to) = (invite.from.1.clone(), invite.to.1.clone());
                self.deliver(ctx, session, Event::InviteOver { invite: id, from, to, outcome });
            }
            (Party::There(node), Some(nodes)) => {
                nodes.tell_node(node, &Told::InviteOver { invite: id, outcome: outcome.into() });
            }
            (Party::There(_), None) => {}
        }
    }
}
