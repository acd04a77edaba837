//! How a log-in ends.

use std::error::Error;

use super::TryError;

/// The error of a [log-in](crate::Reconnect::login) that would end the same way each time: a wrong password, a ban. The
/// client does not connect again then, and says why as [`TryError::LoginRefused`].
///
/// Whatever else a log-in ends with is tried again, as the server may only be overloaded, or starting.
///
/// ```
/// # use netcore::{Client, LoginRefused, Packet};
/// # #[derive(Packet)]
/// # enum ToServer { #[packet(id = 1, reply = 2)] LogIn { key: u64 } }
/// # #[derive(Packet)]
/// # enum ToClient { #[packet(id = 2)] LoggedIn { ok: bool } }
/// async fn log_in(
///     client: Client<ToClient, ToServer>,
///     key: u64,
/// ) -> Result<Client<ToClient, ToServer>, Box<dyn std::error::Error + Send + Sync>> {
///     match client.request(ToServer::LogIn { key }).await? {
///         ToClient::LoggedIn { ok: true } => Ok(client),
///         ToClient::LoggedIn { ok: false } => Err(LoginRefused::new("the server does not take this key").into()),
///     }
/// }
/// # let _ = Client::options().reconnect().login(|client| log_in(client, 7));
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LoginRefused(Box<dyn Error + Send + Sync>);

impl LoginRefused {
    /// Refused, and why: an error, or words.
    pub fn new(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(why.into())
    }
}

impl TryError {
    /// What the log-in ended with, which may say that it is the last.
    pub(super) fn of_login(error: Box<dyn Error + Send + Sync>) -> Self {
        match error.downcast::<LoginRefused>() {
            Ok(refused) => Self::LoginRefused(refused.0),
            Err(error) => Self::Login(error),
        }
    }
}
