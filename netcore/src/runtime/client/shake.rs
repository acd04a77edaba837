//! From an address to a transport that packets can go over.

use tokio::net::{TcpStream, ToSocketAddrs};

use super::{ClientError, ClientOptions, race};
use crate::Packet;
use crate::runtime::handshake::Shaken;

impl<In, Out> ClientOptions<In, Out>
where
    In: Packet + Send + 'static,
    Out: Packet + Send + Sync + 'static,
{
    /// TCP, TLS, WebSocket, the hello: as a door has them, one on top of the other.
    pub(super) async fn shake(&self, address: impl ToSocketAddrs) -> Result<Shaken<TcpStream>, ClientError> {
        let stream = race::connect(address).await?;
        stream.set_nodelay(true)?;
        #[cfg(any(feature = "tls", feature = "websocket"))]
        let address = stream.peer_addr()?;
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
                let host = self.host().map_or(address.to_string(), |name| host(&name, address.port()));
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
    fn host(&self) -> Option<String> {
        #[cfg(feature = "tls")]
        return self.tls.as_ref()?.host();
        #[cfg(not(feature = "tls"))]
        None
    }
}

/// RFC 3986 §3.2.2: the colons of an IPv6 address are set off from the port's by brackets.
#[cfg(feature = "websocket")]
fn host(name: &str, port: u16) -> String {
    if name.contains(':') { format!("[{name}]:{port}") } else { format!("{name}:{port}") }
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
        assert_eq!(super::host("2001:db8::7", 443), "[2001:db8::7]:443");
        assert_eq!(super::host("example.com", 443), "example.com:443");
    }
}
