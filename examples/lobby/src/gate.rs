//! Which log-ins are good.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

use crate::{Code, Name};

/// Decides whether somebody is who they say they are. Asked before the name is claimed, and not at all when somebody has
/// it: a token that can be used once is not spent on a name that cannot be had.
///
/// While a decision takes its time, the requests of that session wait in order; nobody else does.
pub trait Gate: Send + Sync + 'static {
    /// May `name` log in with that password?
    fn ask(&self, name: &Name, password: &Bytes) -> Verdict;

    /// Whether people may come in without logging in, as guests who take a name with `/nick`.
    fn guests(&self) -> bool;
}

/// What a [`Gate`] says.
pub enum Verdict {
    /// At once.
    Now(Result<(), Code>),
    /// Later: it is awaited in the background. It should have an end of its own, [`Code::ApiAway`] say.
    Later(Pin<Box<dyn Future<Output = Result<(), Code>> + Send>>),
}

/// Everybody may have any unused name, whatever the password.
#[derive(Clone, Copy, Debug)]
pub struct Open;

impl Gate for Open {
    fn ask(&self, _: &Name, _: &Bytes) -> Verdict {
        Verdict::Now(Ok(()))
    }

    fn guests(&self) -> bool {
        true
    }
}

impl std::fmt::Debug for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Now(verdict) => f.debug_tuple("Now").field(verdict).finish(),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}
