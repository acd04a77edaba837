//! A connection that is used on another thread while its task's turn goes on.

use std::thread;

use netcore::{Connection, SendError};

use crate::common::*;

#[tokio::test]
async fn what_another_thread_sends_comes_between_what_was_sent_before_and_after() {
    let (server, connector) = server();
    let _running = server
        .serve(|peer: Connection<Ask, Hear>| async move {
            for n in [1, 4] {
                peer.send(&said(n))?;
                let sent = thread::scope(|scope| scope.spawn(|| peer.send(&said(n + 1))).join().unwrap());
                sent?;
                peer.send(&said(n + 2))?;
            }
            Ok::<_, SendError>(())
        })
        .await
        .unwrap();
    let mut client = client(&connector);
    assert_eq!(rest(&mut client).await, (1..=6).map(said).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_was_sent_goes_out_although_another_thread_ends_the_session_in_the_same_turn() {
    let (server, connector) = server();
    let _running = server
        .serve(|peer: Connection<Ask, Hear>| async move {
            peer.send(&said(1))?;
            thread::spawn(move || {
                peer.send(&said(2)).unwrap();
                drop(peer);
            })
            .join()
            .unwrap();
            Ok::<_, SendError>(())
        })
        .await
        .unwrap();
    let mut client = client(&connector);
    assert_eq!(rest(&mut client).await, [said(1), said(2)]);
}
