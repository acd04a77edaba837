//! Streams that somebody else has accepted.

use netcore::{Binary, Client, Door, Frame, Server};
use tokio::io::duplex;

use crate::common::{Ask, Hear, round, session, until, within};

#[tokio::test]
async fn a_stream_that_is_handed_in_becomes_a_session_with_its_address() {
    let (door, incoming) = Door::incoming(Binary::new());
    let running = Server::new().door(door).max_per_address(1).serve(session).await.unwrap();
    let (near, far) = duplex(1024);
    // As a listener at an IPv6 address tells it.
    incoming.enter(far, "[::ffff:203.0.113.7]:51234".parse().ok()).unwrap();
    let client = Client::<Hear, Ask>::options().over(near);
    client.send(&Ask::Who).unwrap();
    let mut client = client;
    let you = Hear::You { address: "203.0.113.7:51234".to_owned() };
    assert_eq!(within(client.recv()).await, Ok(Some(you)));
    let (_near, far) = duplex(1024);
    incoming.enter(far, "203.0.113.7:51235".parse().ok()).unwrap();
    until(&running, "refused", |stats| stats.refused_address == 1).await;
    let (mut near, far) = duplex(1024);
    incoming.clone().enter(far, None).unwrap();
    round(&mut near, 1).await;
    running.shutdown().await;
    assert_eq!(incoming.enter(duplex(1).0, None).unwrap_err().to_string(), "nobody is behind the door");
}

#[tokio::test]
async fn a_door_that_nobody_opens_takes_so_many_and_says_so() {
    let (_door, incoming) = Door::<Frame, Frame>::incoming(Binary::new());
    for _ in 0..1024 {
        incoming.enter(duplex(1).0, None).unwrap();
    }
    let error = incoming.enter(duplex(1).0, None).unwrap_err();
    assert_eq!(error.to_string(), "too many streams wait at the door");
}
