//! What a session asked that other nodes decide: what it sends meanwhile waits, in order, and nobody else does.

use bytes::Bytes;
use netcore::cluster::{AskError, Claim, ClaimError, Listing, NodeId};
use netcore::{Context, Full, SessionId};

use super::{Nodes, SharedSeat};
use crate::message::{Kind, Message};
use crate::{Code, Event, Game, Lobby, Name};

/// Why a user was looked for on all nodes.
#[derive(Debug)]
pub(crate) enum Sought {
    /// Whether somebody has the name, before its token is spent.
    LogIn {
        name: Name,
        password: Bytes,
    },
    Whisper {
        to: Name,
        text: String,
    },
    Invite {
        to: Name,
    },
}

/// What a name is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Naming {
    LogIn,
    Rename,
}

/// What a seat is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seating {
    /// The way into a room from none.
    Enter,
    /// The way from one room to another.
    Join,
    /// The way into the room of that invitation.
    Invited(u64),
}

impl<G: Game> Lobby<G> {
    /// Waits for what is decided elsewhere; nothing more is heard of the session until then.
    pub(crate) fn wait(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        work: impl Future<Output = Kind<G>> + Send + 'static,
    ) -> Result<(), Full<()>> {
        ctx.spawn_for(session, async move { Message(work.await) })?;
        if let Some(user) = self.users.get_mut(&session) {
            user.budget.pause(ctx.now());
        }
        Ok(())
    }

    /// It was decided, and they are still here: what waited is heard next.
    pub(crate) fn waited(&mut self, ctx: &mut Context<Self>, session: SessionId) {
        if let Some(user) = self.users.get_mut(&session) {
            user.budget.resume(ctx.now());
        }
    }

    /// Looks for a user on all nodes.
    pub(crate) fn seek(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        nodes: &Nodes,
        why: Sought,
    ) -> Result<(), Full<()>> {
        let name = match &why {
            Sought::LogIn { name, .. } => name,
            Sought::Whisper { to, .. } | Sought::Invite { to } => to,
        };
        let asked = nodes.find(name);
        self.wait(ctx, session, async move { Kind::Sought { session, why, found: asked.await } })
    }

    pub(crate) fn sought(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        why: Sought,
        found: Result<Listing, AskError>,
    ) {
        self.waited(ctx, session);
        let found = match found {
            Ok(listing) => Ok(listing.holders.first().map(|holder| holder.node)),
            Err(AskError::Away) => Err(Code::NodesAway),
            Err(_) => Err(Code::Busy),
        };
        match why {
            Sought::LogIn { name, password } => match found {
                Ok(Some(_)) => self.answer_log_in(ctx, session, Code::InUse),
                // Away: this node judges alone.
                Ok(None) | Err(Code::NodesAway) => self.ask_gate(ctx, session, name, password),
                Err(code) => self.answer_log_in(ctx, session, code),
            },
            Sought::Whisper { to, text } => self.whisper_elsewhere(ctx, session, to, text, found),
            Sought::Invite { to } => self.invite_elsewhere(ctx, session, to, found),
        }
    }

    /// Asks all nodes for a name.
    pub(crate) fn ask_name(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        nodes: &Nodes,
        name: Name,
        why: Naming,
    ) -> Result<(), Full<()>> {
        let asked = nodes.name(ctx.worker(), &name);
        self.wait(ctx, session, async move { Kind::Named { session, name, why, claim: asked.await } })
    }

    pub(crate) fn named(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        name: Name,
        why: Naming,
        claim: Result<Claim, ClaimError>,
    ) {
        self.waited(ctx, session);
        match (why, good(claim)) {
            (Naming::LogIn, Ok(claim)) => self.logged_in(ctx, session, name, Some(claim)),
            (Naming::LogIn, Err(code)) => self.answer_log_in(ctx, session, code),
            (Naming::Rename, Ok(claim)) => self.renamed(ctx, session, name, Some(claim)),
            (Naming::Rename, Err(code)) => {
                ctx.send(session, &Event::Rename { code, name: None });
            }
        }
    }

    pub(crate) fn guest_named(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        guest: Result<(Name, Claim), ClaimError>,
    ) {
        self.waited(ctx, session);
        let named = guest.map_err(refusal).and_then(|(name, claim)| {
            let free = self.shared.directory.claim(&name, session, ctx.worker());
            if free { Ok((name, claim)) } else { Err(Code::Busy) }
        });
        match named {
            Ok((name, claim)) => self.welcomed(ctx, session, name, Some(claim)),
            Err(code) => ctx.close(session, crate::settings::close_for(code)),
        }
    }

    /// Takes a seat in a room: here, or among all nodes.
    pub(crate) fn ask_seat(&mut self, ctx: &mut Context<Self>, session: SessionId, index: u32, why: Seating) {
        let Some(nodes) = &self.shared.nodes else {
            let most = self.shared.settings().room_users.into();
            if self.shared.directory.take_seat(session, index, most) {
                return self.seated(ctx, session, index, why, None);
            }
            return self.not_seated(ctx, session, why, Code::Full);
        };
        let Some(name) = self.name(session) else { return };
        let asked = nodes.seat(index, name);
        let work = async move { Kind::Seat { session, index, why, seat: asked.await.map(Box::new) } };
        if self.wait(ctx, session, work).is_err() {
            self.not_seated(ctx, session, why, Code::Busy);
        }
    }

    pub(crate) fn seat_decided(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        index: u32,
        why: Seating,
        seat: Result<Box<SharedSeat>, ClaimError>,
    ) {
        self.waited(ctx, session);
        match seat {
            // The nodes have counted.
            Ok(seat) if self.shared.directory.take_seat(session, index, u32::MAX) => {
                self.seated(ctx, session, index, why, Some(seat));
            }
            Ok(_) => self.not_seated(ctx, session, why, Code::Busy),
            Err(error) => self.not_seated(ctx, session, why, refusal(error)),
        }
    }
}

/// A claim that has not been lost again already.
fn good(claim: Result<Claim, ClaimError>) -> Result<Claim, Code> {
    let claim = claim.map_err(refusal)?;
    if claim.lost_to().is_some() { Err(Code::InUse) } else { Ok(claim) }
}

fn refusal(error: ClaimError) -> Code {
    match error {
        ClaimError::Taken { .. } => Code::InUse,
        ClaimError::Full { .. } => Code::Full,
        ClaimError::Away => Code::NodesAway,
        _ => Code::Busy,
    }
}

/// Where somebody is who is not here, or nowhere; or why nobody knows.
pub(crate) type Whereabouts = Result<Option<NodeId>, Code>;
