//! WebSocket over TLS.

use futures::SinkExt;
use netcore::{Client, Door, Proxy, Server, WebSocket};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_tungstenite::tungstenite::Message;

use crate::certificates::Certificate;
use crate::common::{Ask, Hear, bye, said, say, session, within};
use crate::websocket::{closed, heard, upgrade};

#[tokio::test]
async fn all_of_them_stand_on_top_of_each_other() {
    let certificate = Certificate::new();
    let door = Door::tcp("127.0.0.1:0")
        .proxy(Proxy::trusting(["127.0.0.1"]).unwrap())
        .tls(certificate.server())
        .websocket(WebSocket::new())
        .close_notice(bye);
    let running = Server::new().door(door).serve(session).await.unwrap();
    let mut stream = TcpStream::connect(running.addr()).await.unwrap();
    stream.write_all(b"PROXY TCP4 203.0.113.7 10.0.0.1 51234 443\r\n").await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut socket = upgrade(certificate.rustls().connect(name, stream).await.unwrap()).await;
    let asks: Vec<u8> = (0..5000).flat_map(say).collect();
    socket.send(Message::Binary(asks.into())).await.unwrap();
    assert_eq!(heard(&mut socket, 45_000).await, (0..5000).flat_map(said).collect::<Vec<_>>());
    socket.send(Message::Text("?".into())).await.unwrap();
    heard(&mut socket, 7).await;
    assert_eq!(closed(&mut socket).await.0, 4019);
    running.shutdown().await;
}

#[tokio::test]
async fn our_client_speaks_it_too() {
    let certificate = Certificate::new();
    let door = Door::tcp("127.0.0.1:0").tls(certificate.server()).websocket(WebSocket::new().path("/game"));
    let running = Server::new().door(door).serve(session).await.unwrap();
    let options = Client::<Hear, Ask>::options()
        .tls(certificate.client().server_name("localhost").unwrap())
        .websocket(WebSocket::new().path("/game"));
    let mut client = options.connect(running.addr()).await.unwrap();
    for n in 0..5000 {
        within(client.send_wait(&Ask::Say { n })).await.unwrap();
        if n % 100 == 99 {
            for n in n - 99..=n {
                assert_eq!(within(client.recv()).await, Ok(Some(Hear::Said { n })));
            }
        }
    }
    within(client.close()).await;
}
