//! Doors that have no word for some packets: what is sent in their place takes up no room, and nothing waits behind it.

use std::time::Duration;

use netcore::memory::MemoryConnector;
use netcore::{Binary, Client, Connection, Door, Frame, Heartbeat, Host, Limits, SendError, Server};

use crate::common::{Ask, Hear, client, game, next, pass, rest, said, within};

const BYE: Hear = Hear::Bye { code: 1 };

/// A server whose door has no word for `Bye`.
fn server(limits: Limits) -> (Server<Ask, Hear>, MemoryConnector) {
    let adapter = Binary::new().map(Ok::<Ask, _>, |hear: &Hear, send: &mut dyn FnMut(Hear)| {
        if !matches!(hear, Hear::Bye { .. }) {
            send(hear.clone());
        }
    });
    let (door, connector) = Door::memory(adapter);
    (Server::new().host(Host::Task).door(door.limits(limits)), connector)
}

#[tokio::test(start_paused = true)]
async fn what_another_task_sends_after_a_turn_without_words_goes_out() {
    let (server, connector) = server(Limits::new());
    let running = server
        .serve(|mut peer: Connection<Ask, Hear>| async move {
            peer.send(&BYE)?;
            let sender = peer.sender();
            let said = tokio::spawn(async move { sender.send(&said(1)) });
            while peer.recv().await?.is_some() {}
            said.await.unwrap()
        })
        .await
        .unwrap();
    assert_eq!(next(&mut client(&connector)).await, said(1));
    drop(running);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_after_a_turn_without_words_goes_out_before_the_close() {
    let (server, connector) = server(Limits::new());
    let running = server
        .serve(|peer: Connection<Ask, Hear>| async move {
            peer.send(&BYE)?;
            peer.sender().send(&said(7))
        })
        .await
        .unwrap();
    assert_eq!(rest(&mut client(&connector)).await, [said(7)]);
    drop(running);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_after_a_turn_without_words_holds_up_no_answer() {
    let beat = |every| Heartbeat::new(Frame::new(60_000, "?"), 60_001).every(Duration::from_secs(every));
    let limits = Limits::new().first_packet(None).idle(Duration::from_secs(20));
    let (server, connector) = server(limits.heartbeat(beat(1)));
    let running = server
        .serve(|mut peer: Connection<Ask, Hear>| async move {
            peer.send(&BYE)?;
            while let Some(ask) = peer.recv().await? {
                if let Ask::Say { n } = ask {
                    peer.send(&said(n))?;
                }
            }
            Ok::<_, SendError>(())
        })
        .await
        .unwrap();
    let options = Client::options().limits(Limits::new().heartbeat(beat(1000)));
    let mut client: Client<Hear, Ask> = options.over(connector.connect().unwrap());
    pass(5_000).await;
    client.send(&Ask::Say { n: 1 }).unwrap();
    assert_eq!(within(client.recv()).await, Ok(Some(said(1))));
    drop(running);
}

#[tokio::test(start_paused = true)]
async fn a_worker_says_the_others_of_a_turn() {
    let (server, connector) = server(Limits::new());
    let running = server
        .logic(game().packet(|ctx, session, _| {
            for packet in [&BYE, &said(1), &BYE, &said(2)] {
                ctx.send(session, packet);
            }
            ctx.broadcast(&BYE);
        }))
        .await
        .unwrap();
    let mut client = client(&connector);
    client.send(&Ask::Say { n: 0 }).unwrap();
    assert_eq!((next(&mut client).await, next(&mut client).await), (said(1), said(2)));
    drop(running);
}
