//! Before the session begins: do both sides speak of the same packets?

mod error;
pub(crate) mod exchange;
pub(crate) mod messages;
mod mismatch;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod pieces;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

pub use error::{HelloError, HelloIds};
pub use mismatch::Mismatch;
use tracing::{debug, warn};

use self::messages::Prints;
use super::handshake::Greeting;
use crate::{Packet, PacketId, Schema};

/// Asks, before a session begins, whether both sides speak of the same packets. A client that was built with others is
/// refused, and both sides say in words which packet and field differ first.
///
/// Opt-in on a door and on its clients: [`Door::hello`](crate::Door::hello),
/// [`ClientOptions::hello`](crate::ClientOptions::hello). Each gives the packets that it receives, then those that it
/// sends; where an adapter translates ([`Binary::map`](crate::Binary::map)), those of the wire.
///
/// It sees what the [schema](crate::schema) sees: into raw bodies, and into others where they derive
/// [`Describe`](crate::Describe). What is opaque to it may differ without a word; a door names such packets at `warn` when its server
/// starts.
///
/// ```
/// use netcore::{Binary, Client, ClientError, Connection, Door, Hello, HelloError, Packet, SendError, Server};
///
/// #[derive(Packet)]
/// enum ToServer {
///     #[packet(id = 721)]
///     Enter { room: i32 },
/// }
/// #[derive(Packet)]
/// enum ToClient {}
///
/// /// As the client has it, which was built earlier.
/// #[derive(Packet)]
/// enum OldToServer {
///     #[packet(id = 721)]
///     Enter { room: u32 },
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (door, connector) = Door::memory(Binary::new());
/// let door = door.hello(Hello::new::<ToServer, ToClient>());
/// let session = async |_: Connection<ToServer, ToClient>| {};
/// let server = Server::new().door(door).serve(session).await?;
///
/// let options = Client::<ToClient, OldToServer>::options().hello(Hello::new::<ToClient, OldToServer>());
/// let Err(ClientError::Hello(HelloError::Version(differ))) = options.connect_over(connector.connect()?).await else {
///     panic!("they differ")
/// };
/// assert_eq!(
///     differ.to_string(),
///     "the server's packet 721 `Enter` has the field `room: i32`, yours has `room: u32`: \
///      rebuild this client with the server's version of the packets",
/// );
///
/// let options = Client::<ToClient, ToServer>::options().hello(Hello::new::<ToClient, ToServer>());
/// assert!(options.connect_over(connector.connect()?).await.is_ok());
/// # server.shutdown().await;
/// # Ok(())
/// # }
/// ```
///
/// # On the wire
/// WIRE §10. Four packet ids in a row, 65,281 to 65,284 unless set by [`first_id`](Self::first_id). Where both agree, the
/// client sends 26 bytes and the server answers with 10. Otherwise each sends its [compact](Schema::to_compact) schemas, as
/// far as they differ and fit into 64 KiB.
///
/// # Bounds
/// On a server all of it is within [`Door::handshake_within`](crate::Door::handshake_within), in a client within
/// [`connect_timeout`](crate::ClientOptions::connect_timeout). Of the other side's schemas no more than 64 KiB are kept, and
/// memory follows what has come.
#[derive(Clone, Copy)]
pub struct Hello {
    receives: &'static Schema,
    sends: &'static Schema,
    // Made once: each connection asks for them.
    prints: Prints,
    first: u16,
}

impl Hello {
    /// For a side that receives `In` and sends `Out`.
    #[must_use]
    pub fn new<In: Packet, Out: Packet>() -> Self {
        Self::of(In::SCHEMA, Out::SCHEMA)
    }

    fn of(receives: &'static Schema, sends: &'static Schema) -> Self {
        let prints = Prints { sends: sends.fingerprint(), receives: receives.fingerprint() };
        Self { receives, sends, prints, first: 65_281 }
    }

    /// The first of the four packet ids that the hello uses. Both sides need the same.
    ///
    /// They must not be the game's: [`HelloIds`] says so when the server is started, or the client connects.
    #[must_use]
    pub const fn first_id(mut self, id: u16) -> Self {
        self.first = id;
        self
    }

    /// Says whether its ids are free.
    ///
    /// ```
    /// use netcore::{Frame, Hello, HelloIds, Packet};
    ///
    /// #[derive(Packet)]
    /// enum ToServer {
    ///     #[packet(id = 9)]
    ///     Fly,
    /// }
    ///
    /// let hello = Hello::new::<ToServer, Frame>();
    /// assert_eq!(hello.check(), Ok(()));
    /// let error = hello.first_id(7).check().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "the hello takes the packet ids 7 to 10, and 9 is the game's `Fly`: give it others with `Hello::first_id`",
    /// );
    /// assert!(matches!(hello.first_id(65_533).check(), Err(HelloIds::TooHigh { first: 65_533 })));
    /// ```
    ///
    /// # Errors
    /// When one is a packet of the game, or they are more than there are.
    pub fn check(&self) -> Result<(), HelloIds> {
        let first = self.first;
        let Some(last) = first.checked_add(messages::IDS - 1) else {
            return Err(HelloIds::TooHigh { first });
        };
        let mut packets = self.receives.packets.iter().chain(self.sends.packets.iter());
        match packets.find(|packet| (first..=last).contains(&packet.id.0)) {
            Some(packet) => Err(HelloIds::Taken { first, id: packet.id, name: packet.name.to_string() }),
            None => Ok(()),
        }
    }

    /// The server's side of it, as a step of a door's handshake.
    pub(super) fn greeting(self, door: &str) -> Greeting {
        let door: Arc<str> = door.into();
        for packet in self.receives.packets.iter().chain(self.sends.packets.iter()) {
            if packet.body.is_opaque_within() {
                let (id, name) = (packet.id.0, &*packet.name);
                warn!(
                    door = &*door,
                    id, name, "the hello does not see into a packet: derive `Describe` for what is in it"
                );
            }
        }
        Arc::new(move |transport| {
            let door = door.clone();
            Box::pin(async move {
                let error = match exchange::server(transport, &self).await {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                };
                let reason = error.reason();
                if let HelloError::Version(differ) = &error {
                    debug!(door = &*door, %differ, "a client of another version");
                }
                Err(reason)
            })
        })
    }

    /// The client's side of it. Not cancel-safe: dropped, the stream is of no use any more.
    pub(super) async fn greet(
        &self,
        stream: &mut (impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin),
    ) -> Result<(), HelloError> {
        exchange::client(stream, self).await
    }

    fn id(&self, which: u16) -> PacketId {
        PacketId(self.first.wrapping_add(which))
    }
}

impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello").field("first_id", &self.first).finish_non_exhaustive()
    }
}
