//! What is said to one user alone, wherever they are.

use netcore::{Context, SessionId, Verdict};

use crate::message::{Kind, Message};
use crate::{CHAT_MAX, Code, Event, Game, Lobby, Name};

/// So much may wait for one session that is on its way to another worker.
const COMING: usize = 256;

impl<G: Game> Lobby<G> {
    pub(crate) fn whisper(
        &mut self,
        ctx: &mut Context<Self>,
        session: SessionId,
        to: Option<Name>,
        text: String,
    ) {
        let found = to.as_ref().and_then(|to| self.shared.directory.find(to));
        let code = match (found, self.name(session).cloned()) {
            (None, _) | (_, None) => Code::NoSuchUser,
            _ if text.is_empty() || text.len() > CHAT_MAX => Code::ChatLength,
            (Some((target, ..)), Some(from)) => {
                self.deliver(ctx, target, Event::Whispered { from, text: text.clone() })
            }
        };
        ctx.send(session, &Event::Whisper { code, to, text });
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
                let waiting = self.coming.entry(to).or_default();
                if waiting.len() >= COMING {
                    return Code::Busy;
                }
                waiting.push(event);
                Code::Ok
            }
            Some(worker) => match ctx.tell(worker, Message(Kind::Deliver { to, event })) {
                Ok(()) => Code::Ok,
                Err(_) => Code::Busy,
            },
        }
    }
}
