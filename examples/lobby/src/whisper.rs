//! What is said to one user alone, wherever they are.

use netcore::{Context, SessionId, Verdict};

use crate::message::{Kind, Message};
use crate::nodes::{Sought, Told, Whereabouts};
use crate::{CHAT_MAX, Code, Event, Game, Lobby, Name};

impl<G: Game> Lobby<G> {
    pub(crate) fn whisper(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        to: Option<Name>,
        text: String,
    ) {
        let answer = |ctx: &mut Context<Self>, code, to, text| {
            ctx.send(session, &Event::Whisper { code, to, text });
        };
        let (Some(name), Some(from)) = (&to, self.name(session).cloned()) else {
            return answer(ctx, Code::NoSuchUser, to, text);
        };
        if let Some((target, ..)) = self.shared.directory.find(name) {
            let code = if is_chat(&text) {
                self.deliver(ctx, target, Event::Whispered { from, text: text.clone() })
            } else {
                Code::ChatLength
            };
            return answer(ctx, code, to, text);
        }
        let Some(nodes) = self.shared.nodes.clone() else {
            return answer(ctx, Code::NoSuchUser, to, text);
        };
        let sought = Sought::Whisper { to: name.clone(), text: text.clone() };
        if self.seek(ctx, session, &nodes, sought).is_err() {
            answer(ctx, Code::Busy, to, text);
        }
    }

    /// All nodes were asked for whom a whisper is.
    pub(crate) fn whisper_elsewhere(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        to: Name,
        text: String,
        found: Whereabouts,
    ) {
        let code = match (found, &self.shared.nodes, self.name(session)) {
            (Err(code), ..) => code,
            (Ok(Some(node)), Some(nodes), Some(from)) if node != nodes.me() => {
                if is_chat(&text) {
                    let (to, from) = (to.to_string(), from.to_string());
                    nodes.tell_node(node, &Told::Whispered { to, from, text: text.clone() })
                } else {
                    Code::ChatLength
                }
            }
            _ => Code::NoSuchUser,
        };
        ctx.send(session, &Event::Whisper { code, to: Some(to), text });
    }

    /// Brings something to a session, on whichever worker it is: at most once.
    pub(crate) fn deliver(&mut self, ctx: &mut Context<Self>, to: SessionId, event: Event<G::Event>) -> Code {
        if ctx.has(to) {
            return if ctx.send(to, &event) == Verdict::Queued { Code::Ok } else { Code::Busy };
        }
        match self.shared.directory.worker(to) {
            None => Code::NoSuchUser,
            // It has not arrived yet.
            Some(worker) if worker == ctx.worker() => {
                match self.coming.push(to, event, &self.shared.settings().hold) {
                    Ok(()) => Code::Ok,
                    Err(_) => Code::Busy,
                }
            }
            Some(worker) => match ctx.tell(worker, Message(Kind::Deliver { to, event })) {
                Ok(()) => Code::Ok,
                Err(_) => Code::Busy,
            },
        }
    }
}

fn is_chat(text: &str) -> bool {
    (1..=CHAT_MAX).contains(&text.len())
}
