//! Logging in.

use bytes::Bytes;
use netcore::cluster::Claim;
use netcore::{Context, SessionId};

use crate::game::Place;
use crate::message::{Kind, Message};
use crate::nodes::{Naming, Sought};
use crate::{Code, Event, Game, Lobby, Name, Verdict};

impl<G: Game> Lobby<G> {
    /// The name is looked up before the gate is asked, and claimed after it has said yes: of two who ask for one name at
    /// the same moment, whoever proves it first has it.
    pub(crate) fn log_in(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        name: Option<Name>,
        password: Bytes,
    ) {
        let Some(user) = self.users.get_mut(&session) else { return };
        // A guest may still become somebody; whoever has logged in stays who they are.
        let guest = user.person && self.shared.gate.guests();
        if user.name.is_some() && !guest {
            return self.answer_log_in(ctx, session, Code::InUse);
        }
        let Some(name) = name else { return self.answer_log_in(ctx, session, Code::InvalidId) };
        if self.shared.directory.is_taken(&name) {
            return self.answer_log_in(ctx, session, Code::InUse);
        }
        // Where guests may come in, there is no token to be spent on a name that another node has: the claim finds out.
        match self.shared.nodes.clone().filter(|_| !self.shared.gate.guests()) {
            None => self.ask_gate(ctx, session, name, password),
            Some(nodes) => {
                if self.seek(ctx, session, &nodes, Sought::LogIn { name, password }).is_err() {
                    self.answer_log_in(ctx, session, Code::Busy);
                }
            }
        }
    }

    pub(crate) fn ask_gate(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        name: Name,
        password: Bytes,
    ) {
        match self.shared.gate.ask(&name, &password) {
            Verdict::Now(verdict) => self.finish_log_in(ctx, session, name, verdict),
            Verdict::Later(asking) => {
                let decided = async move {
                    let verdict = asking.await;
                    Kind::Decided { session, name, verdict }
                };
                if self.wait(ctx, session, decided).is_err() {
                    self.answer_log_in(ctx, session, Code::Busy);
                }
            }
        }
    }

    /// The gate has decided.
    pub(crate) fn decided(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        name: Name,
        verdict: Result<(), Code>,
    ) {
        self.waited(ctx, session);
        self.finish_log_in(ctx, session, name, verdict);
    }

    fn finish_log_in(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        name: Name,
        verdict: Result<(), Code>,
    ) {
        let Some(user) = self.users.get_mut(&session) else { return };
        if let Err(code) = verdict {
            return self.answer_log_in(ctx, session, code);
        }
        if user.name.is_some() {
            return self.rename(ctx, session, name);
        }
        match self.shared.nodes.clone() {
            None => self.logged_in(ctx, session, name, None),
            Some(nodes) => {
                if self.ask_name(ctx, session, &nodes, name, Naming::LogIn).is_err() {
                    self.answer_log_in(ctx, session, Code::Busy);
                }
            }
        }
    }

    /// The name is free, as far as other nodes are asked.
    pub(crate) fn logged_in(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        name: Name,
        claim: Option<Claim>,
    ) {
        let Some(user) = self.users.get_mut(&session) else { return };
        if !self.shared.directory.claim(&name, session, ctx.worker()) {
            return self.answer_log_in(ctx, session, Code::InUse);
        }
        let person = user.person;
        (user.name, user.claim) = (Some(name), claim);
        ctx.admit(session);
        self.answer_log_in(ctx, session, Code::Ok);
        if person {
            self.go(ctx, session, Place::Lounge);
        } else {
            self.must_enter(ctx, session);
        }
    }

    pub(crate) fn answer_log_in(&self, ctx: &mut Context<Self>, session: SessionId, code: Code) {
        ctx.send(session, &Event::LogIn(code));
    }

    /// From now on the user must enter a room in time, where there is such a deadline.
    pub(crate) fn must_enter(&mut self, ctx: &mut Context<Self>, session: SessionId) {
        let Some(time) = self.shared.settings().enter_time() else { return };
        if let Some(user) = self.users.get_mut(&session).filter(|user| !user.person) {
            user.enter_by = ctx.after_for(session, time, Message(Kind::EnterDeadline(session)));
        }
    }
}
