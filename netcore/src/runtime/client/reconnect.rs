//! How a client connects again.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tracing::Instrument;

use super::backoff::Backoff;
use super::deadline::Deadline;
use super::keeper::Keeper;
use super::shared::Shared;
use super::{Client, ClientError, ClientOptions, ConnectStage, ReconnectingClient};
use crate::Packet;
use crate::runtime::work::erased;

/// How a client connects, and connects again whenever the connection is lost: [`ClientOptions::reconnect`] begins it,
/// [`connect`](Self::connect) or [`dial`](Self::dial) ends it.
///
/// | setting | default |
/// |---|---|
/// | [`first_pause`](Self::first_pause) | 500 ms, then twice as long after each try that fails |
/// | [`longest_pause`](Self::longest_pause) | 30 s |
/// | [`jitter`](Self::jitter) | 0.5: each pause is cut short by up to a half |
/// | [`seed`](Self::seed) | the system's randomness |
/// | [`settled`](Self::settled) | 10 s |
/// | [`tries`](Self::tries) | for ever |
/// | [`login`](Self::login), [`login_timeout`](Self::login_timeout) | none, 10 s |
/// | [`away`](Self::away) | up to 64 KiB of packets wait for the next connection |
/// | [`faults`](Self::faults) | off: what is unknown or malformed closes the connection |
/// | [`only_answers`](Self::only_answers) | off: what the server sends unasked waits to be received |
///
/// Each connection has the options' own limits. Events wait for [`next`](ReconnectingClient::next) up to
/// [`Limits::inbox`](crate::Limits::inbox) packets, above which the connection is not read, and up to 256 others, above
/// which the oldest go, and are counted.
pub struct Reconnect<In, Out> {
    pub(super) options: ClientOptions<In, Out>,
    pub(super) backoff: Backoff,
    pub(super) login: Option<Login<In, Out>>,
    pub(super) login_timeout: Duration,
    pub(super) away: Away,
    pub(super) faults: bool,
    pub(super) only_answers: bool,
}

/// What becomes of a packet that is sent while there is no connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Away {
    /// It waits for the next one, in a queue of so many bytes. Above that it is refused, or
    /// [`send_wait`](ReconnectingClient::send_wait) waits. Requests wait too, each for its own time.
    Queue(usize),
    /// It is refused, and so are requests: who plays on old news wants none of it sent.
    Refuse,
}

pub(super) type Login<In, Out> = Arc<dyn Fn(Client<In, Out>) -> LoggingIn<In, Out> + Send + Sync>;
pub(super) type LoggingIn<In, Out> =
    Pin<Box<dyn Future<Output = Result<Client<In, Out>, Box<dyn std::error::Error + Send + Sync>>> + Send>>;
pub(super) type Dial<In, Out> = Arc<dyn Fn(ClientOptions<In, Out>) -> Dialing<In, Out> + Send + Sync>;
pub(super) type Dialing<In, Out> = Pin<Box<dyn Future<Output = Result<Client<In, Out>, ClientError>> + Send>>;

impl<In, Out> Reconnect<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    pub(super) fn new(options: ClientOptions<In, Out>) -> Self {
        Self {
            options,
            backoff: Backoff::new(),
            login: None,
            login_timeout: Duration::from_secs(10),
            away: Away::Queue(64 * 1024),
            faults: false,
            only_answers: false,
        }
    }

    /// How long to wait after the first try that fails, or a connection that is lost: a millisecond at least.
    #[must_use]
    pub fn first_pause(mut self, time: Duration) -> Self {
        self.backoff.first = time;
        self
    }

    /// The longest pause between two tries.
    #[must_use]
    pub fn longest_pause(mut self, time: Duration) -> Self {
        self.backoff.cap = time;
        self
    }

    /// The part of each pause, from 0 to 1, that chance may take off it, so that not all come back in the same moment.
    #[must_use]
    pub fn jitter(mut self, part: f64) -> Self {
        self.backoff.jitter = if part.is_nan() { 0.0 } else { part.clamp(0.0, 1.0) };
        self
    }

    /// Where the jitter's random numbers begin: with the same seed they are the same each time.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.backoff.seed = Some(seed);
        self
    }

    /// How long a connection must have lasted for the pauses to begin anew. One that is lost sooner is a try that failed.
    #[must_use]
    pub fn settled(mut self, time: Duration) -> Self {
        self.backoff.settled = time;
        self
    }

    /// After how many tries in a row to give up (1 at least); `None`: never.
    #[must_use]
    pub fn tries(mut self, tries: impl Into<Option<u32>>) -> Self {
        self.backoff.tries = tries.into().map(|tries| tries.max(1));
        self
    }

    /// What is done on each new connection before anything else is sent on it: `login` gets the plain client and gives it
    /// back. An error, a panic or a delay above [`login_timeout`](Self::login_timeout) is a try that failed. Packets that
    /// it does not receive itself follow after [`ClientEvent::Connected`](crate::ClientEvent::Connected).
    ///
    /// A log-in that can never succeed, for a wrong password say, ends with [`LoginRefused`](crate::LoginRefused): the client
    /// gives up then, after a [`ClientEvent::Failed`](crate::ClientEvent::Failed) that says why. Of any other error it cannot
    /// know, and tries again:
    ///
    /// ```
    /// use netcore::{Client, ClientEvent, LoginRefused, Packet, ReconnectingClient, TryError};
    /// # #[derive(Packet)]
    /// # enum ToServer { #[packet(id = 1, reply = 2)] LogIn { key: u64 } }
    /// # #[derive(Packet)]
    /// # enum ToClient { #[packet(id = 2)] LoggedIn { ok: bool } }
    ///
    /// #[derive(Debug, thiserror::Error)]
    /// #[error("the server does not take this key")]
    /// struct WrongKey;
    ///
    /// async fn log_in(
    ///     client: Client<ToClient, ToServer>,
    ///     key: u64,
    /// ) -> Result<Client<ToClient, ToServer>, Box<dyn std::error::Error + Send + Sync>> {
    ///     match client.request(ToServer::LogIn { key }).await? {
    ///         ToClient::LoggedIn { ok: true } => Ok(client),
    ///         ToClient::LoggedIn { ok: false } => Err(LoginRefused::new(WrongKey).into()),
    ///     }
    /// }
    ///
    /// async fn play(client: ReconnectingClient<ToClient, ToServer>) {
    ///     while let Some(event) = client.next().await {
    ///         match event {
    ///             ClientEvent::Failed { error: TryError::LoginRefused(why), .. } => println!("{why}"),
    ///             _ => {}
    ///         }
    ///     }
    /// }
    /// # let _ = Client::options().reconnect().login(|client| log_in(client, 7));
    /// ```
    ///
    /// [`tries`](Self::tries) bounds them all.
    ///
    /// What it keeps for the next time, a token with which its seat is its own again say, each log-in has a handle of its own to:
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// use netcore::{Client, Packet, RequestError};
    ///
    /// #[derive(Packet)]
    /// enum ToServer {
    ///     #[packet(id = 1, reply = 2)]
    ///     LogIn { token: u64 },
    /// }
    ///
    /// #[derive(Packet)]
    /// enum ToClient {
    ///     #[packet(id = 2)]
    ///     Welcome { token: u64 },
    /// }
    ///
    /// async fn log_in(
    ///     client: Client<ToClient, ToServer>,
    ///     token: Arc<Mutex<u64>>,
    /// ) -> Result<Client<ToClient, ToServer>, RequestError> {
    ///     let ask = ToServer::LogIn { token: *token.lock().unwrap() };
    ///     let ToClient::Welcome { token: new } = client.request(ask).await?;
    ///     *token.lock().unwrap() = new;
    ///     Ok(client)
    /// }
    ///
    /// let token = Arc::new(Mutex::new(0));
    /// let reconnect = Client::options().reconnect().login(move |client| log_in(client, token.clone()));
    /// ```
    #[must_use]
    pub fn login<T, E>(mut self, login: impl Fn(Client<In, Out>) -> T + Send + Sync + 'static) -> Self
    where
        T: Future<Output = Result<Client<In, Out>, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.login = Some(Arc::new(move |client| {
            let login = login(client);
            Box::pin(async move { login.await.map_err(Into::into) })
        }));
        self
    }

    /// How long the log-in may take.
    #[must_use]
    pub fn login_timeout(mut self, time: Duration) -> Self {
        self.login_timeout = time;
        self
    }

    /// What becomes of what is sent while there is no connection.
    #[must_use]
    pub fn away(mut self, away: Away) -> Self {
        self.away = away;
        self
    }

    /// Whether what is unknown or malformed comes as [`ClientEvent::Fault`](crate::ClientEvent::Fault). If not, it closes
    /// the connection, as [`Client::recv`] does.
    #[must_use]
    pub fn faults(mut self, told: bool) -> Self {
        self.faults = told;
        self
    }

    /// Whether packets are thrown away that are no answers to requests. For bots that never ask for their events: the
    /// connection would else not be read when 1,024 wait.
    #[must_use]
    pub fn only_answers(mut self, on: bool) -> Self {
        self.only_answers = on;
        self
    }

    /// Begins to connect to `address` (`HOST:PORT`, `[IPv6]:PORT`), as [`ClientOptions::connect`] does. A name is looked
    /// up anew for each try.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use = "the client closes when its last handle is dropped"]
    pub fn connect(self, address: impl ToString) -> ReconnectingClient<In, Out> {
        let address = address.to_string();
        self.begin(Arc::new(move |options| Box::pin(options.connect(address.clone()))))
    }

    /// Begins to connect with what `dial` makes: any stream that is connected, in memory or through a proxy, say, on which
    /// there is what [`ClientOptions::connect_over`] has. It has the options' `connect_timeout` for it. What a stream has taken
    /// and holds back is not told as [unsent](crate::Unsent) when it breaks.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use = "the client closes when its last handle is dropped"]
    pub fn dial<T, S>(self, dial: impl Fn() -> T + Send + Sync + 'static) -> ReconnectingClient<In, Out>
    where
        T: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.begin(Arc::new(move |options| {
            let (dialed, deadline) = (dial(), Deadline::new(options.connect_timeout));
            Box::pin(async move {
                let stream = deadline.stage(ConnectStage::Connect, dialed).await?;
                options.connect_over(stream).await
            })
        }))
    }

    fn begin(mut self, dial: Dial<In, Out>) -> ReconnectingClient<In, Out> {
        self.options.lasting = true;
        let shared = Arc::new(Shared::new(&self));
        let client = ReconnectingClient::new(shared.clone());
        tokio::spawn(erased(Keeper::new(self, dial, shared).run().in_current_span()));
        client
    }
}

impl<In, Out> fmt::Debug for Reconnect<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnect")
            .field("backoff", &self.backoff)
            .field("login", &self.login.is_some())
            .field("away", &self.away)
            .finish_non_exhaustive()
    }
}
