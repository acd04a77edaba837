//! From an address to a transport that packets can go over.

use std::net::SocketAddr;

use tokio::net::{TcpStream, ToSocketAddrs};

use super::{ClientError, ClientOptions, race};
use crate::Packet;
use crate::runtime::handshake::Shaken;
use crate::runtime::link::Transport;

impl<In, Out> ClientOptions<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    /// TCP, and what comes on top of it.
    pub(super) async fn shake(&self, address: impl ToSocketAddrs) -> Result<Shaken<TcpStream>, ClientError> {
        let stream = race::connect(address).await?;
        stream.set_nodelay(true)?;
        let address = stream.peer_addr()?;
        self.shake_over(stream, Some(address)).await
    }

    /// TLS, WebSocket, the hello: as a door has them, one on top of the other. `address` is where the stream leads to, if it is
    /// known.
    pub(super) async fn shake_over<T: Transport>(
        &self,
        stream: T,
        address: Option<SocketAddr>,
    ) -> Result<Shaken<T>, ClientError> {
        #[cfg(not(any(feature = "tls", feature = "websocket")))]
        let _ = address;
        let shaken = Shaken::Same(stream);
        #[cfg(feature = "tls")]
        let shaken = match &self.tls {
            Some(tls) => {
                let (below, outbox) = shaken.below();
                let records = tls.connect(below, address).await.map_err(ClientError::Tls)?;
                Shaken::Other { transport: Box::new(records), outbox }
            }
            None => shaken,
        };
        #[cfg(feature = "websocket")]
        let shaken = match &self.websocket {
            Some(websocket) => {
                let host = host(self.server_name(), address);
                let (below, outbox) = shaken.below();
                let stream = websocket.request(below, &host).await.map_err(ClientError::WebSocket)?;
                Shaken::Other { transport: Box::new(stream.of(outbox.clone())), outbox }
            }
            None => shaken,
        };
        Ok(match shaken {
            Shaken::Same(stream) => Shaken::Same(self.greeted(stream).await?),
            Shaken::Other { transport, outbox } => {
                Shaken::Other { transport: self.greeted(transport).await?, outbox }
            }
        })
    }

    /// The server's name, where one is known.
    #[cfg(feature = "websocket")]
    fn server_name(&self) -> Option<String> {
        #[cfg(feature = "tls")]
        return self.tls.as_ref()?.host();
        #[cfg(not(feature = "tls"))]
        None
    }
}

/// What a server is called in a request. RFC 3986 §3.2.2: the colons of an IPv6 address are set off from the port's by
/// brackets.
#[cfg(feature = "websocket")]
fn host(name: Option<String>, address: Option<SocketAddr>) -> String {
    let name = name.map(|name| if name.contains(':') { format!("[{name}]") } else { name });
    match (name, address) {
        (Some(name), Some(address)) => format!("{name}:{}", address.port()),
        (None, Some(address)) => address.to_string(),
        (Some(name), None) => name,
        (None, None) => "localhost".to_owned(),
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
        let shaken = options.shake(listener.local_addr().unwrap()).await.unwrap();
        let Shaken::Same(stream) = shaken else { panic!("not the socket itself") };
        assert!(stream.nodelay().unwrap());
    }
    #[cfg(feature = "websocket")]
    #[test]
    fn an_address_of_ipv6_stands_in_brackets_in_the_host() {
        let at = |address: &str| Some(address.parse().unwrap());
        let host = |name: &str, address| super::host(Some(name.to_owned()), address);
        assert_eq!(host("2001:db8::7", at("127.0.0.1:443")), "[2001:db8::7]:443");
        assert_eq!(host("2001:db8::7", None), "[2001:db8::7]");
        assert_eq!(host("example.com", at("[::1]:443")), "example.com:443");
        assert_eq!(super::host(None, at("[::1]:443")), "[::1]:443");
    }
}
