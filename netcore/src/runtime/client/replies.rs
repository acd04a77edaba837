//! Whether what requests declare as their replies can come at all: where a request is made, the types of both directions
//! are known.

use crate::Packet;

/// Stops the build where a `reply` of `Out` is no packet that `In` could take for the answer.
///
/// Nothing is known of an `In` that is written by hand or has a catch-all variant.
///
/// A program that builds, and the same with another reply, which no test like the others could hold:
///
/// ```
/// # use netcore::{Client, Packet, memory};
/// #[derive(Packet)]
/// enum ToServer {
///     #[packet(id = 701, reply = 702)]
///     Login,
/// }
/// #[derive(Packet)]
/// enum ToClient {
///     #[packet(id = 702)]
///     LoggedIn,
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let (_nobody, connector) = memory::listener(1);
/// # let options = Client::<ToClient, ToServer>::options().request_timeout(std::time::Duration::ZERO);
/// let client = options.over(connector.connect().unwrap());
/// assert!(client.request(ToServer::Login).await.is_err());
/// # }
/// ```
///
/// ```compile_fail
/// # use netcore::{Client, Packet, memory};
/// #[derive(Packet)]
/// enum ToServer {
///     #[packet(id = 701, reply = 703)]
///     Login,
/// }
/// #[derive(Packet)]
/// enum ToClient {
///     #[packet(id = 702)]
///     LoggedIn,
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let (_nobody, connector) = memory::listener(1);
/// # let options = Client::<ToClient, ToServer>::options().request_timeout(std::time::Duration::ZERO);
/// let client = options.over(connector.connect().unwrap());
/// assert!(client.request(ToServer::Login).await.is_err());
/// # }
/// ```
///
/// And where the connection comes back:
///
/// ```
/// # use netcore::{Client, Packet, memory};
/// #[derive(Packet)]
/// enum ToServer {
///     #[packet(id = 701, reply = 702)]
///     Login,
/// }
/// #[derive(Packet)]
/// enum ToClient {
///     #[packet(id = 702)]
///     LoggedIn,
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let (_nobody, connector) = memory::listener(1);
/// # let options = Client::<ToClient, ToServer>::options().request_timeout(std::time::Duration::ZERO);
/// let client = options.reconnect().dial(move || std::future::ready(connector.connect()));
/// assert!(client.request(ToServer::Login).await.is_err());
/// # }
/// ```
///
/// ```compile_fail
/// # use netcore::{Client, Packet, memory};
/// #[derive(Packet)]
/// enum ToServer {
///     #[packet(id = 701, reply = 703)]
///     Login,
/// }
/// #[derive(Packet)]
/// enum ToClient {
///     #[packet(id = 702)]
///     LoggedIn,
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let (_nobody, connector) = memory::listener(1);
/// # let options = Client::<ToClient, ToServer>::options().request_timeout(std::time::Duration::ZERO);
/// let client = options.reconnect().dial(move || std::future::ready(connector.connect()));
/// assert!(client.request(ToServer::Login).await.is_err());
/// # }
/// ```
#[inline]
pub(super) fn check<In: Packet, Out: Packet>() {
    Out::check_replies::<In>();
}
