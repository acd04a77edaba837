//! Invitations that stand, of this node's users or to them.

use netcore::SessionId;
use netcore::cluster::NodeId;

use super::{Directory, Inner};
use crate::{Code, Name};

/// One invitation. Where one of the two is on another node, each of both nodes has it written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Invite {
    pub(crate) from: (Party, Name),
    pub(crate) to: (Party, Name),
    pub(crate) room: u32,
    pub(super) open: bool,
}

/// One of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Party {
    Here(SessionId),
    There(NodeId),
}

/// How many invitations of one user, and to one user, there may be at once, unless a flag says otherwise.
pub(crate) const INVITES: u32 = 16;

impl Directory {
    /// Writes an invitation down: its number, which is that one or the next, and whom it is for.
    pub(crate) fn invite(
        &self,
        from: SessionId,
        to: &Name,
        room: u32,
        id: Option<u64>,
    ) -> Result<(u64, SessionId), Code> {
        let mut inner = self.lock();
        let session = *inner.names.get(to).ok_or(Code::NoSuchUser)?;
        let guest = inner.users.get(&session).ok_or(Code::NoSuchUser)?;
        if guest.room == Some(room) {
            return Err(Code::InviteHere);
        }
        if guest.received.len() >= inner.most_invites as usize {
            return Err(inner.too_many());
        }
        let host = inner.host(from)?;
        let id = id.unwrap_or_else(|| {
            inner.last_invite += 1;
            inner.last_invite
        });
        inner.receives(session, id);
        let to = (Party::Here(session), to.clone());
        inner.invites.insert(id, Invite { from: host, to, room, open: true });
        Ok((id, session))
    }

    /// Writes down whom a user of this node invites on another one.
    pub(crate) fn invite_there(
        &self,
        from: SessionId,
        to: (NodeId, &Name),
        room: u32,
        id: u64,
    ) -> Result<(), Code> {
        let mut inner = self.lock();
        let from = inner.host(from)?;
        let to = (Party::There(to.0), to.1.clone());
        inner.invites.insert(id, Invite { from, to, room, open: true });
        Ok(())
    }

    /// Writes down whom a user of another node invites on this one: who that is.
    pub(crate) fn invite_from(
        &self,
        from: (NodeId, Name),
        to: &Name,
        room: u32,
        id: u64,
    ) -> Result<SessionId, Code> {
        let mut inner = self.lock();
        let session = *inner.names.get(to).ok_or(Code::NoSuchUser)?;
        let guest = inner.users.get(&session).ok_or(Code::NoSuchUser)?;
        if guest.received.len() >= inner.most_invites as usize {
            return Err(inner.too_many());
        }
        inner.receives(session, id);
        let (from, to) = ((Party::There(from.0), from.1), (Party::Here(session), to.clone()));
        inner.invites.insert(id, Invite { from, to, room, open: true });
        Ok(session)
    }

    /// The invitation that a session may answer: that one, or the one that came last.
    pub(crate) fn invited(&self, session: SessionId, invite: Option<u64>) -> Option<(u64, Invite)> {
        let inner = self.lock();
        let received = &inner.users.get(&session)?.received;
        let id =
            invite.map_or_else(|| received.last().copied(), |id| received.contains(&id).then_some(id))?;
        inner.invites.get(&id).map(|invite| (id, invite.clone()))
    }

    /// The invitation was answered.
    pub(crate) fn answered(&self, id: u64) {
        let mut inner = self.lock();
        if let Some(invite) = inner.invites.get_mut(&id).and_then(Invite::close) {
            inner.answer(id, &invite);
        }
    }

    /// The other node says that it is over; what it was, if it was still open and that node's to say so.
    pub(crate) fn over(&self, id: u64, node: NodeId) -> Option<Invite> {
        let mut inner = self.lock();
        let invite = inner.invites.get_mut(&id)?;
        if ![invite.from.0, invite.to.0].contains(&Party::There(node)) {
            return None;
        }
        let invite = invite.close()?;
        inner.answer(id, &invite);
        Some(invite)
    }

    /// The invitation's time is up; what it was, if nobody had answered it.
    pub(crate) fn expire(&self, id: u64) -> Option<Invite> {
        let mut inner = self.lock();
        let mut invite = inner.invites.remove(&id)?;
        if let Party::Here(host) = invite.from.0
            && let Some(host) = inner.users.get_mut(&host)
        {
            host.sent = host.sent.saturating_sub(1);
        }
        let open = invite.close()?;
        inner.answer(id, &open);
        Some(open)
    }
}

impl Inner {
    /// Who invites, if they may do so once more.
    fn host(&mut self, session: SessionId) -> Result<(Party, Name), Code> {
        let host = self.users.get_mut(&session).ok_or(Code::NotLoggedIn)?;
        if host.sent >= self.most_invites {
            return Err(self.too_many());
        }
        host.sent += 1;
        Ok((Party::Here(session), host.name.clone()))
    }

    fn too_many(&mut self) -> Code {
        self.invites_over += 1;
        Code::TooManyInvites
    }

    fn receives(&mut self, session: SessionId, id: u64) {
        if let Some(guest) = self.users.get_mut(&session) {
            guest.received.push(id);
        }
    }

    fn answer(&mut self, id: u64, invite: &Invite) {
        if let Party::Here(guest) = invite.to.0
            && let Some(guest) = self.users.get_mut(&guest)
        {
            guest.received.retain(|other| *other != id);
        }
    }
}

impl Invite {
    /// Nobody answers it any more; `None` if somebody had.
    pub(super) fn close(&mut self) -> Option<Self> {
        std::mem::take(&mut self.open).then(|| self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text.as_bytes()).unwrap()
    }

    const ANN: SessionId = SessionId::new(1, 0);
    const BOB: SessionId = SessionId::new(2, 0);
    const THERE: NodeId = NodeId::new(7);

    #[test]
    fn an_invitation_is_answered_once_and_takes_a_place_until_its_time_is_up() {
        let directory = Directory::default();
        for (session, who) in [(ANN, "ann"), (BOB, "bob")] {
            assert!(directory.claim(&name(who), session, 0));
        }
        let (first, to) = directory.invite(ANN, &name("bob"), 3, None).unwrap();
        assert_eq!((to, directory.invited(ANN, Some(first)).is_none()), (BOB, true));
        directory.answered(first);
        assert!(directory.invited(BOB, None).is_none());
        let ids: Vec<u64> =
            (1..INVITES).map(|_| directory.invite(ANN, &name("bob"), 3, None).unwrap().0).collect();
        assert_eq!(directory.invite(ANN, &name("bob"), 3, None), Err(Code::TooManyInvites));
        assert!(directory.expire(first).is_none(), "it was answered");
        assert!(directory.invite(ANN, &name("bob"), 3, None).is_ok());
        assert!(directory.expire(ids[0]).is_some() && directory.expire(ids[0]).is_none());
        assert_eq!(directory.invited(BOB, Some(ids[1])).map(|(id, _)| id), Some(ids[1]));
        assert_eq!(directory.release(BOB).len(), INVITES as usize - 1);
        assert_eq!(directory.invite(ANN, &name("bob"), 3, None), Err(Code::NoSuchUser));
    }

    #[test]
    fn each_of_two_nodes_has_one_side_written_down_and_the_other_one_ends_it() {
        let (host, guest) = (Directory::default(), Directory::default());
        assert!(host.claim(&name("ann"), ANN, 0) && guest.claim(&name("bob"), BOB, 0));
        for id in 1..=u64::from(INVITES) {
            host.invite_there(ANN, (THERE, &name("bob")), 3, id).unwrap();
            assert_eq!(guest.invite_from((THERE, name("ann")), &name("bob"), 3, id), Ok(BOB));
        }
        assert_eq!(host.invite_there(ANN, (THERE, &name("bob")), 3, 99), Err(Code::TooManyInvites));
        assert_eq!(guest.invite_from((THERE, name("ann")), &name("bob"), 3, 99), Err(Code::TooManyInvites));
        assert_eq!(guest.invite_from((THERE, name("ann")), &name("eve"), 3, 99), Err(Code::NoSuchUser));
        let most = u64::from(INVITES);
        assert_eq!(
            (host.invites(), guest.invites()),
            ((most, 1), (most, 1)),
            "and how often it was too much"
        );
        let (last, invite) = guest.invited(BOB, None).unwrap();
        assert_eq!((last, invite.from), (16, (Party::There(THERE), name("ann"))));
        guest.answered(last);
        assert_eq!(host.over(last, NodeId::new(8)), None, "it is not that node's");
        assert!(host.over(last, THERE).is_some() && host.over(last, THERE).is_none());
        assert!(guest.over(1, THERE).is_some());
        assert_eq!(guest.invited(BOB, Some(1)), None);
        assert_eq!(guest.release(BOB).len(), 14);
    }
}
