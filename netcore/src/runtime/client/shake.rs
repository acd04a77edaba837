//! From an address to a transport that packets can go over.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::deadline::Deadline;
use super::{ClientError, ClientOptions, ConnectStage, race};
use crate::Packet;
use crate::runtime::handshake::Shaken;
use crate::runtime::link::Transport;
use crate::runtime::{address, keepalive};

/// Where a stream leads to: the host that was asked for, and the address that answered.
#[derive(Clone, Copy)]
#[cfg_attr(not(any(feature = "tls", feature = "websocket")), allow(dead_code))]
pub(super) struct Target<'a> {
    host: &'a str,
    address: SocketAddr,
}

impl<In, Out> ClientOptions<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    /// TCP, and what comes on top of it.
    pub(super) async fn shake(&self, address: &str) -> Result<Shaken<TcpStream>, ClientError> {
        let deadline = self.deadline()?;
        let no_address = |why| ClientError::Address { address: address.to_owned(), why };
        let host = address::host(address).map_err(no_address)?;
        let stream = deadline.stage(ConnectStage::Connect, race::connect(address)).await?;
        stream.set_nodelay(true)?;
        keepalive::set(&stream, self.keepalive);
        let target = Target { host, address: stream.peer_addr()? };
        self.shake_over(stream, Some(target), deadline).await
    }

    /// TLS, WebSocket, the hello: as a door has them, one on top of the other. `target` is where the stream leads to, if it is
    /// known.
    pub(super) async fn shake_over<T: Transport>(
        &self,
        stream: T,
        target: Option<Target<'_>>,
        deadline: Deadline,
    ) -> Result<Shaken<T>, ClientError> {
        #[cfg(not(any(feature = "tls", feature = "websocket")))]
        let _ = target;
        let shaken = Shaken::Same(stream);
        #[cfg(feature = "tls")]
        let shaken = match &self.tls {
            Some(tls) => {
                let (below, outbox) = shaken.below();
                let target = target.map(|target| (target.host, target.address.ip()));
                let work = async { tls.connect(below, target).await.map_err(ClientError::Tls) };
                let records = deadline.stage(ConnectStage::Tls, work).await?;
                Shaken::Other { transport: Box::new(records), outbox }
            }
            None => shaken,
        };
        #[cfg(feature = "websocket")]
        let shaken = match &self.websocket {
            Some(websocket) => {
                let host = host(self.server_name(), target);
                let (below, outbox) = shaken.below();
                let work = websocket.request(below, &host);
                let stream = deadline.stage(ConnectStage::WebSocket, work).await?;
                Shaken::Other { transport: Box::new(stream.of(outbox.clone())), outbox }
            }
            None => shaken,
        };
        Ok(match shaken {
            Shaken::Same(stream) => Shaken::Same(self.greeted(stream, deadline).await?),
            Shaken::Other { transport, outbox } => {
                Shaken::Other { transport: self.greeted(transport, deadline).await?, outbox }
            }
        })
    }

    /// The server's name, where one is set.
    #[cfg(feature = "websocket")]
    fn server_name(&self) -> Option<String> {
        #[cfg(feature = "tls")]
        return self.tls.as_ref()?.host();
        #[cfg(not(feature = "tls"))]
        None
    }
}

/// What a server is called in a request: the name that is set, or the host that was asked for. RFC 3986 §3.2.2: the colons
/// of an IPv6 address are set off from the port's by brackets.
#[cfg(feature = "websocket")]
fn host(name: Option<String>, target: Option<Target<'_>>) -> String {
    let name = name.as_deref().or(target.map(|target| target.host)).unwrap_or("localhost");
    let name = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
    match target {
        Some(target) => format!("{name}:{}", target.address.port()),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use crate::runtime::handshake::Shaken;
    use crate::{Client, Frame};

    #[tokio::test]
    async fn a_clients_packets_do_not_wait_for_each_other() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options = Client::<Frame, Frame>::options();
        let shaken = options.shake(&listener.local_addr().unwrap().to_string()).await.unwrap();
        let Shaken::Same(stream) = shaken else { panic!("not the socket itself") };
        assert!(stream.nodelay().unwrap());
    }

    #[cfg(feature = "websocket")]
    #[test]
    fn an_address_of_ipv6_stands_in_brackets_in_the_host() {
        let at = |host, address: &str| Some(super::Target { host, address: address.parse().unwrap() });
        let host = |name: &str, target| super::host(Some(name.to_owned()), target);
        assert_eq!(host("2001:db8::7", at("other", "127.0.0.1:443")), "[2001:db8::7]:443");
        assert_eq!(host("2001:db8::7", None), "[2001:db8::7]");
        assert_eq!(host("example.com", at("::1", "[::1]:443")), "example.com:443");
        assert_eq!(super::host(None, at("::1", "[::1]:443")), "[::1]:443");
        assert_eq!(super::host(None, at("example.com", "[::1]:443")), "example.com:443");
        assert_eq!(super::host(None, None), "localhost");
    }
}

#[cfg(test)]
mod dialled {
    use socket2::SockRef;
    use tokio::net::TcpListener;

    use super::*;
    use crate::Frame;

    #[tokio::test]
    async fn a_server_that_is_gone_is_looked_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        for (options, looks) in
            [(ClientOptions::<Frame, Frame>::new(), true), (ClientOptions::new().keepalive(None), false)]
        {
            let Ok(Shaken::Same(stream)) = options.shake(&address).await else { panic!("not connected") };
            assert_eq!(SockRef::from(&stream).keepalive().unwrap(), looks);
        }
    }
}
