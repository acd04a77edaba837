//! Who knocks where nobody is any more.

use netcore::{Binary, Connection, Door, Server, memory};

use crate::common::{Ask, Hear};

#[tokio::test(start_paused = true)]
async fn a_listener_that_is_gone_is_not_full() {
    let (listener, connector) = memory::listener(1);
    let _waits = connector.connect().unwrap();
    assert_eq!(connector.connect().unwrap_err().to_string(), "the backlog is full");
    drop(listener);
    for _ in 0..3 {
        assert_eq!(connector.connect().unwrap_err().to_string(), "nobody listens");
    }
}

#[tokio::test(start_paused = true)]
async fn nor_is_a_door_whose_server_is_gone() {
    let (door, incoming) = Door::<Ask, Hear>::incoming(Binary::new());
    let server = Server::new().door(door.backlog(2));
    let running = server.serve(async |_: Connection<Ask, Hear>| ()).await.unwrap();
    running.shutdown().await;
    for _ in 0..4 {
        let (_near, far) = memory::pair(10);
        assert_eq!(incoming.enter(far, None).unwrap_err().to_string(), "nobody is behind the door");
    }
}
