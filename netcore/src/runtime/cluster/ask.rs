//! An answer that comes later.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;

/// The answer to what the cluster was asked; it was asked already. A logic lets it come as a message
/// ([`Context::spawn`](crate::Context::spawn)), a task awaits it.
///
/// It comes within [`answer_within`](super::Options::answer_within) of the time at which the backplane was asked; when it is
/// away, at once. Cancel-safe, and free to drop: a name that was granted to nobody is given back.
#[must_use]
pub struct Asked<T, E = AskError>(Inner<T, E>);

enum Inner<T, E> {
    Here(Option<Result<T, E>>),
    Coming(oneshot::Receiver<Result<T, E>>, E),
}

impl<T, E> Asked<T, E> {
    pub(super) fn here(answer: Result<T, E>) -> Self {
        Self(Inner::Here(Some(answer)))
    }

    /// The answer comes from there; if it never does, that error.
    pub(super) fn coming(from: oneshot::Receiver<Result<T, E>>, over: E) -> Self {
        Self(Inner::Coming(from, over))
    }
}

impl<T: Unpin, E: Copy + Unpin> Future for Asked<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Inner::Here(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
            Inner::Coming(from, over) => {
                let answer = ready!(Pin::new(from).poll(cx)).unwrap_or(Err(*over));
                self.0 = Inner::Here(None);
                Poll::Ready(answer)
            }
        }
    }
}

impl<T, E> std::fmt::Debug for Asked<T, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked")
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The backplane is away.
    #[error("the other nodes cannot be asked")]
    Away,
    /// As many questions wait as may.
    #[error("too many questions (`max_asks`)")]
    TooMany,
    /// The name or the prefix is empty, longer than 200 bytes, or begins with `@`.
    #[error("not a name")]
    Name,
    /// The node has ended.
    #[error("the node has ended")]
    Over,
}

/// Why a message was not sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The backplane is away. The workers of this node have it.
    #[error("the other nodes cannot be reached")]
    Away,
    /// Too much waits for the backplane. The workers of this node have it.
    #[error("too many messages wait (`queue`)")]
    Full,
    /// It is longer than `max_message`.
    #[error("the message is too long (`max_message`)")]
    TooLong,
    /// The topic is empty, longer than 200 bytes, or begins with `@`.
    #[error("not a topic")]
    Name,
    /// The node has ended.
    #[error("the node has ended")]
    Over,
}

/// Why a topic will not be heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// This node hears as many topics as it may.
    #[error("too many topics (`max_topics`)")]
    Full,
    /// The topic is empty, longer than 200 bytes, or begins with `@`.
    #[error("not a topic")]
    Name,
    /// The node has ended.
    #[error("the node has ended")]
    Over,
}
