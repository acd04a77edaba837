//! What this node hears of the others.

use std::sync::Arc;

use bytes::Bytes;
use netcore::cluster::{Event as News, NodeId};
use netcore::{Context, GroupId, SessionId};
use tokio::time::Instant;

use super::{ALL_BACK, Change, Elsewhere, LOOK_EVERY, Listed, NAMES, NODE, ROOM, Sitting, Told, named};
use crate::game::Place;
use crate::message::{Kind, Message};
use crate::settings::close_for;
use crate::{Code, Event, Game, Lobby, Who};

impl<G: Game> Lobby<G> {
    pub(crate) fn news(&mut self, ctx: &mut Context<Self>, news: News) {
        match news {
            News::Message { topic, from, body } => self.told(ctx, &topic, from, &body),
            News::Lost { name, .. } => self.lost(ctx, &name),
            News::NodeDown { node } => {
                for index in self.tied(ctx) {
                    let went = self.in_picture(index, |picture| picture.lost(node)).unwrap_or_default();
                    self.change(ctx, index, Change { went, ..Change::default() }, None);
                }
            }
            News::Away { .. } => ctx.broadcast(&Event::NodesAway),
            News::Back { unsent, .. } => {
                ctx.broadcast(&Event::NodesBack { unsent });
                self.meet_again(ctx);
            }
            _ => {}
        }
    }

    fn told(&mut self, ctx: &mut Context<Self>, topic: &Arc<str>, from: NodeId, body: &Bytes) {
        let Some(told) = Told::read(body) else {
            tracing::debug!(%topic, node = %from, "another version: not understood");
            return;
        };
        if topic.starts_with(NODE) {
            return self.told_alone(ctx, from, told);
        }
        let number = topic.strip_prefix(ROOM).and_then(|number| number.parse().ok());
        if let Some(index) = number.and_then(|number| self.shared.settings().index(number)) {
            self.told_in_room(ctx, index, from, told);
        }
    }

    fn told_in_room(&mut self, ctx: &mut Context<Self>, index: u32, from: NodeId, told: Told) {
        match told {
            Told::Came(one) => self.came_elsewhere(ctx, index, from, &[one]),
            Told::Here { users } => self.came_elsewhere(ctx, index, from, &users),
            Told::Went { seat } => {
                if let Some(Some(one)) = self.in_picture(index, |picture| picture.went(seat)) {
                    self.change(ctx, index, Change { went: vec![one], ..Change::default() }, None);
                }
            }
            Told::Renamed(one) => {
                let Some(one) = elsewhere(&one) else { return };
                let old = self.in_picture(index, |picture| picture.renamed(&one)).flatten();
                let renamed = old.map(|old| (old, one)).into_iter().collect();
                self.change(ctx, index, Change { renamed, ..Change::default() }, None);
            }
            Told::Chatted { user, name, text } => {
                if let (Some(name), Some(group)) = (named(&name), self.group(index)) {
                    ctx.send_group(group, &Event::Chatted { who: Who { user, name }, text });
                }
            }
            Told::Relayed { user, bytes } => {
                let who = self.in_picture(index, |picture| picture.user(user));
                if let (Some(Some(who)), Some(group)) = (who, self.group(index)) {
                    ctx.send_group(group, &Event::Relayed { who, bytes });
                }
            }
            Told::Game(bytes) => {
                if let Some((game, mut play)) = self.play_at(ctx, Place::Room(index)) {
                    game.heard(&mut play, bytes);
                }
            }
            Told::Whispered { .. } | Told::Invited { .. } | Told::InviteOver { .. } => {}
        }
    }

    fn told_alone(&mut self, ctx: &mut Context<Self>, from: NodeId, told: Told) {
        match told {
            Told::Whispered { to, from, text } => {
                let found = named(&to).and_then(|to| self.shared.directory.find(&to));
                if let (Some((session, ..)), Some(from)) = (found, named(&from)) {
                    self.deliver(ctx, session, Event::Whispered { from, text });
                }
            }
            Told::Invited { invite, room, to, from: host } => {
                if let (Some(to), Some(host)) = (named(&to), named(&host)) {
                    self.invited_from(ctx, invite, room, to, (from, host));
                }
            }
            Told::InviteOver { invite, outcome } => {
                if let Some(over) = self.shared.directory.over(invite, from) {
                    self.tell_over(ctx, invite, &over, outcome.into());
                }
            }
            _ => {}
        }
    }

    fn came_elsewhere(&mut self, ctx: &mut Context<Self>, index: u32, from: NodeId, users: &[Sitting]) {
        let users = users.iter().filter_map(elsewhere);
        let change = self.in_picture(index, |picture| picture.came(from, users));
        self.change(ctx, index, change.unwrap_or_default(), None);
    }

    /// Tells those in a room, but one, who has come and gone on other nodes, or is seen in another way.
    pub(crate) fn change(
        &mut self,
        ctx: &mut Context<Self>,
        index: u32,
        Change { came, went, renamed }: Change,
        but: Option<SessionId>,
    ) {
        let Some(group) = self.group(index) else { return };
        for one in &came {
            ctx.send_group_but(group, but, &Event::Came(one.who.clone()));
            if let Some((game, mut play)) = self.play_at(ctx, Place::Room(index)) {
                game.entered_elsewhere(&mut play, one);
            }
        }
        for (old, one) in renamed {
            ctx.send_group_but(group, but, &Event::Renamed { old, new: one.who });
        }
        for one in &went {
            ctx.send_group_but(group, but, &Event::Went(one.who.clone()));
            if let Some((game, mut play)) = self.play_at(ctx, Place::Room(index)) {
                game.left_elsewhere(&mut play, one);
            }
        }
    }

    /// An older claim has the name: this session gives way.
    fn lost(&mut self, ctx: &mut Context<Self>, name: &str) {
        let name = name.strip_prefix(NAMES).and_then(named);
        let found = name.and_then(|name| self.shared.directory.find(&name));
        if let Some((session, ..)) = found {
            self.give_way(ctx, session);
        }
    }

    /// Closes a session whose name is another's. One that is still on its way here is looked at when it arrives.
    pub(crate) fn give_way(&mut self, ctx: &mut Context<Self>, session: SessionId) {
        let claim = self.users.get(&session).and_then(|user| user.claim.as_ref());
        if claim.is_some_and(|claim| claim.lost_to().is_some()) {
            ctx.close(session, close_for(Code::Claimed));
        }
    }

    /// The others are there again: they hear who is here, and are asked who is there.
    fn meet_again(&mut self, ctx: &mut Context<Self>) {
        self.back = Some(Instant::now());
        let Some(nodes) = self.shared.nodes.clone() else { return };
        for room in self.rooms.rooms() {
            let seats = room.seats().iter().filter_map(|seat| self.users.get(&seat.session())?.seat.as_ref());
            let users = seats.map(|seat| seat.sitting().clone()).collect();
            nodes.tell_room(room.number(), &Told::Here { users });
        }
        // Nobody is removed yet: others may not have said again what they hold.
        self.look(ctx, false);
    }

    /// Looks, from now on, now and then at who sits in the rooms of this worker.
    pub(crate) fn look_soon(&mut self, ctx: &mut Context<Self>) {
        if self.shared.nodes.is_some() && !std::mem::replace(&mut self.looking, true) {
            ctx.after(LOOK_EVERY, Message(Kind::Look));
        }
    }

    pub(crate) fn look_now(&mut self, ctx: &mut Context<Self>) {
        self.looking = false;
        // Not before the last of them has said again what it holds: who is not listed may be there.
        let all_are_back = self.back.is_none_or(|back| back.elapsed() >= ALL_BACK);
        self.look(ctx, all_are_back);
        if !self.tied(ctx).is_empty() {
            self.look_soon(ctx);
        }
    }

    fn look(&mut self, ctx: &mut Context<Self>, remove: bool) {
        let looking = self.shared.nodes.as_ref().and_then(|nodes| nodes.look(ctx.worker()));
        if let Some(looking) = looking {
            // A worker that has no room for the answer looks again later.
            let _ = ctx.spawn(async move { Message(Kind::Listed { listed: looking.await, remove }) });
        }
    }

    pub(crate) fn listed(&mut self, ctx: &mut Context<Self>, listed: Vec<Listed>, remove: bool) {
        for one in listed {
            if let Some((index, change)) = one.take(remove) {
                self.change(ctx, index, change, None);
            }
        }
    }

    fn tied(&self, ctx: &Context<Self>) -> Vec<u32> {
        self.shared.nodes.as_ref().map(|nodes| nodes.tied(ctx.worker())).unwrap_or_default()
    }

    fn in_picture<T>(&self, index: u32, change: impl FnOnce(&mut super::Picture) -> T) -> Option<T> {
        self.shared.nodes.as_ref()?.with(index, change)
    }

    /// Those of this node who are in a room.
    fn group(&self, index: u32) -> Option<GroupId> {
        Some(self.rooms.room(index)?.group())
    }
}

/// `None` if nobody can have that name.
fn elsewhere(one: &Sitting) -> Option<Elsewhere> {
    Some(Elsewhere { seat: one.seat, who: one.who()? })
}
