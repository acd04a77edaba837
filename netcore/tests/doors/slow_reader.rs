//! A peer that reads slowly, but all the time, is not one that does not read: over any transport.

use std::time::Duration;

use netcore::{Binary, Connection, Door, SendError, Server, WebSocket};
use tokio::io::AsyncReadExt;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::certificates::Certificate;
use crate::common::{Ask, Hear};

#[tokio::test(start_paused = true)]
async fn a_slow_reader_that_reads_all_the_time_is_not_stalled() {
    for (tls, websocket) in [(false, false), (true, false), (false, true), (true, true)] {
        let certificate = Certificate::new();
        let (mut door, connector) = Door::memory(Binary::new());
        if tls {
            door = door.tls(certificate.server());
        }
        if websocket {
            door = door.websocket(WebSocket::new().upgraded());
        }
        let running = Server::new()
            .door(door)
            .serve(|mut peer: Connection<Ask, Hear>| async move {
                for n in 0..12_000 {
                    peer.send(&Hear::Said { n })?;
                }
                while peer.recv().await?.is_some() {}
                Ok::<_, SendError>(())
            })
            .await
            .unwrap();
        let mut stream = connector.with_capacity(1000).connect().unwrap();
        if tls {
            let name = ServerName::try_from("localhost").unwrap();
            stream = certificate.rustls().connect(name, stream).await.unwrap().into_inner().0;
        }
        // What is one record or message takes it longer than bytes may wait.
        let (mut read, mut buf) = (0, [0; 1000]);
        while read < 100_000 {
            let len = stream.read(&mut buf).await.unwrap();
            assert!(len > 0, "closed after {read}: {:?}", running.stats());
            read += len;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(running.stats().closed, 0);
        // Who reads nothing any more is.
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert_eq!(running.stats().closed_for("stalled"), 1, "{tls} {websocket}");
    }
}
