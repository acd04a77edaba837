//! How to connect.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tracing::debug;

use super::deadline::Deadline;
use super::{Client, ClientError, ConnectStage, Reconnect};
use crate::Packet;
use crate::runtime::encoding::{Encode, Writes};
use crate::runtime::handshake::Shaken;
use crate::runtime::keepalive;
use crate::runtime::link::Transport;
use crate::runtime::metrics::ClientMeter;
use crate::runtime::{Adapter, Binary, Hello, HelloError};
use crate::session::{Limits, LimitsError};

/// How to connect.
///
/// | setting | default |
/// |---|---|
/// | [`connect_timeout`](Self::connect_timeout) | 10 s |
/// | [`request_timeout`](Self::request_timeout) | 10 s |
/// | [`max_requests`](Self::max_requests) | 1,024 for each id |
/// | [`keepalive`](Self::keepalive) | 45 s |
/// | [`limits`](Self::limits) | [`Limits`]'s, but no deadline for the first packet, and none for a log-in |
/// | [`adapter`](Self::adapter) | framed packets up to the wire's own limits |
/// | [`hello`](Self::hello) | none |
pub struct ClientOptions<In, Out> {
    pub(super) connect_timeout: Duration,
    pub(super) request_timeout: Duration,
    pub(super) max_requests: usize,
    pub(super) keepalive: Option<Duration>,
    pub(super) limits: Limits,
    pub(super) adapter: Arc<dyn Adapter<In, Out>>,
    pub(super) encode: Arc<dyn Encode<Out>>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<crate::ClientTls>,
    #[cfg(feature = "websocket")]
    pub(super) websocket: Option<crate::WebSocket>,
    pub(super) hello: Option<Hello>,
    // What does not go out is kept, and what finds no room does not end the connection.
    pub(super) lasting: bool,
    pub(super) meter: ClientMeter,
}

impl<In, Out> ClientOptions<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        let (adapter, encode) = both_ways(Binary::new());
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
            max_requests: 1024,
            keepalive: keepalive::DEFAULT,
            limits: Limits::new().of_clients(),
            adapter,
            encode,
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "websocket")]
            websocket: None,
            hello: None,
            lasting: false,
            meter: ClientMeter::default(),
        }
    }

    /// How long connecting may take, handshakes included.
    #[must_use]
    pub fn connect_timeout(mut self, time: Duration) -> Self {
        self.connect_timeout = time;
        self
    }

    /// How long [`Client::request`] waits for an answer.
    #[must_use]
    pub fn request_timeout(mut self, time: Duration) -> Self {
        self.request_timeout = time;
        self
    }

    /// The most requests that wait for answers with the same packet id: one at least. Who timed out waits no
    /// more, also where an answer may still come. One more is not sent
    /// ([`RequestError::TooMany`](crate::RequestError)).
    #[must_use]
    pub fn max_requests(mut self, requests: usize) -> Self {
        self.max_requests = requests.max(1);
        self
    }

    /// After how long a silence TCP itself looks whether the server is still there, in whole seconds from 1 to 32,767: who
    /// only listens would else wait for ever behind a router that has forgotten them. `None`: never. Of connections that are
    /// dialled here; a stream that is handed in has its own.
    #[must_use]
    pub fn keepalive(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.keepalive = time.into();
        self
    }

    /// The connection's bounds. There is no deadline for the server's first packet unless they set one, and never one for a
    /// log-in, nor a budget before it: those are a door's.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits.of_clients();
        self
    }

    /// Whether the transport says that it has written something only when all that it is at has gone out.
    pub(super) const fn writes_at_once(&self) -> bool {
        #[cfg(feature = "tls")]
        if self.tls.is_some() {
            return true;
        }
        #[cfg(feature = "websocket")]
        if self.websocket.is_some() {
            return true;
        }
        false
    }

    /// What is spoken: framed packets with other limits, say, or those of another wire ([`Binary::map`]).
    #[must_use]
    pub fn adapter(mut self, adapter: impl Adapter<In, Out>) -> Self {
        (self.adapter, self.encode) = both_ways(adapter);
        self
    }

    /// TLS from the first byte on.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: crate::ClientTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// WebSocket, over TLS if there is that too.
    #[cfg(feature = "websocket")]
    #[must_use]
    pub fn websocket(mut self, websocket: crate::WebSocket) -> Self {
        self.websocket = Some(websocket);
        self
    }

    /// Begins with a hello, in which both sides compare their packets: the server's door must have it on too.
    #[must_use]
    pub fn hello(mut self, hello: Hello) -> Self {
        self.hello = Some(hello);
        self
    }

    /// A client that connects again when the connection is lost, each time with these options.
    #[must_use]
    pub fn reconnect(self) -> Reconnect<In, Out> {
        Reconnect::new(self)
    }

    /// Connects to `address` (`HOST:PORT`, `[IPv6]:PORT`), with TLS and WebSocket if they are set, in which the server is asked
    /// for by that host. Of a name with several addresses it takes the one that answers first; each is tried 250 ms after the
    /// one before it. Cancel-safe: dropped, there is no connection.
    ///
    /// # Errors
    /// When there is no connection in time, or the hello was not answered by a welcome.
    pub async fn connect(self, address: impl ToString) -> Result<Client<In, Out>, ClientError> {
        let address = address.to_string();
        let shaken =
            self.shake(&address).await.inspect_err(|error| debug!(address, %error, "not connected"))?;
        debug!(address, "connected");
        Ok(self.speak(shaken))
    }

    /// Speaks over a stream that is connected already, one in memory, say, or through a proxy: with TLS and WebSocket on it
    /// if they are set, and after the [hello](Self::hello) if there is to be one. For TLS the server must have a
    /// [name](crate::ClientTls::server_name). Cancel-safe: dropped, there is no connection.
    ///
    /// # Errors
    /// When there is no TLS or WebSocket with the server, or the hello was not answered by a welcome, or not in time.
    pub async fn connect_over<T>(self, stream: T) -> Result<Client<In, Out>, ClientError>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream: Box<dyn Transport> = Box::new(stream);
        let shaken = self.shake_over(stream, None, self.deadline()?).await;
        let shaken = shaken.inspect_err(|error| debug!(%error, "not connected"))?;
        Ok(self.speak(shaken))
    }

    fn speak<T: Transport>(self, shaken: Shaken<T>) -> Client<In, Out> {
        match shaken {
            Shaken::Same(stream) => Client::speak(self, stream, None),
            Shaken::Other { transport, outbox } => Client::speak(self, transport, Some(outbox)),
        }
    }

    /// When there must be a connection, which begins now.
    pub(super) fn deadline(&self) -> Result<Deadline, ClientError> {
        self.limits.check(self.adapter.spoken(), self.adapter.certain())?;
        if let Some(hello) = &self.hello {
            hello.check().map_err(HelloError::from)?;
        }
        Ok(Deadline::new(self.connect_timeout))
    }

    pub(super) async fn greeted<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: T,
        deadline: Deadline,
    ) -> Result<T, ClientError> {
        if let Some(hello) = &self.hello {
            deadline.stage(ConnectStage::Hello, hello.greet(&mut stream)).await?;
        }
        Ok(stream)
    }

    /// Speaks over a stream that is connected already, at once: without a hello, or after one.
    ///
    /// # Panics
    /// Outside of a tokio runtime. Where TLS or WebSocket is set, which it could not wait for: nothing may go out without
    /// them, and where the [limits](Self::limits) are such that no connection could do what it is for.
    /// [`connect_over`](Self::connect_over) has them, and an error.
    pub fn over<T>(self, stream: T) -> Client<In, Out>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        #[cfg(feature = "tls")]
        assert!(self.tls.is_none(), "`ClientOptions::over` speaks without TLS: use `connect_over`");
        #[cfg(feature = "websocket")]
        assert!(
            self.websocket.is_none(),
            "`ClientOptions::over` speaks without WebSocket: use `connect_over`"
        );
        if let Err(error) = self.limits.check(self.adapter.spoken(), self.adapter.certain()) {
            Self::refuse(&error);
        }
        let stream: Box<dyn Transport> = Box::new(stream);
        Client::speak(self, stream, None)
    }

    #[track_caller]
    #[allow(clippy::panic, reason = "the caller's mistake, as the documentation says")]
    fn refuse(error: &LimitsError) -> ! {
        panic!("`ClientOptions::over` cannot speak: {error}");
    }
}

impl<In, Out> Clone for ClientOptions<In, Out> {
    fn clone(&self) -> Self {
        let (adapter, encode) = (self.adapter.clone(), self.encode.clone());
        let (limits, meter) = (self.limits.clone(), self.meter.clone());
        Self {
            limits,
            adapter,
            encode,
            meter,
            #[cfg(feature = "tls")]
            tls: self.tls.clone(),
            #[cfg(feature = "websocket")]
            websocket: self.websocket.clone(),
            ..*self
        }
    }
}

impl<In, Out> Default for ClientOptions<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

type BothWays<In, Out> = (Arc<dyn Adapter<In, Out>>, Arc<dyn Encode<Out>>);

/// An adapter, and its side towards the server.
fn both_ways<In: 'static, Out: 'static>(adapter: impl Adapter<In, Out>) -> BothWays<In, Out> {
    let adapter = Arc::new(adapter.of_clients());
    (adapter.clone(), Arc::new(Writes(adapter, PhantomData)))
}

impl<In, Out> fmt::Debug for ClientOptions<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("connect_timeout", &self.connect_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("limits", &self.limits)
            .field("hello", &self.hello)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;

    #[test]
    fn a_client_keeps_its_own_defaults_for_what_the_limits_do_not_set() {
        let client = |limits| ClientOptions::<Frame, Frame>::new().limits(limits).limits;
        let (second, ten) = (Duration::from_secs(1), Some(Duration::from_secs(10)));
        let defaults = ClientOptions::<Frame, Frame>::new().limits;
        assert_eq!((defaults.first_packet, defaults.unfinished), (None, ten));
        let queue = client(Limits::new().queue(1000));
        assert_eq!((queue.first_packet, queue.unfinished, queue.queue), (None, ten, 1000));
        // What was set to the value that it has anyway is set.
        let set = client(Limits::new().first_packet(second * 60).unfinished(second));
        assert_eq!((set.first_packet, set.unfinished), (Some(second * 60), Some(second)));
    }
}
