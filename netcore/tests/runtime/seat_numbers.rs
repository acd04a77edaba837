//! Seat numbers of a room's own among others that come from elsewhere.

use tokio::io::AsyncWriteExt;

use netcore::{Binary, Context, Door, Host, Logic, Rooms, Server, SessionId};

use crate::common::{Ask, Hear, Log, bytes_of, pass};

/// `Do { what: 0, n }` enters as number `n`, `Do { what: 1, n }` has that number from now on, and `Say` takes the next one.
struct Inn {
    rooms: Rooms<Inn, ()>,
    log: Log,
}

impl Logic for Inn {
    type In = Ask;
    type Out = Hear;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, ask: Ask) {
        let given = match ask {
            Ask::Do { what: 0, n } => {
                self.rooms.enter_as(ctx, 1, session, n.into(), ()).map(|()| n.into()).ok()
            }
            Ask::Do { n, .. } => self.rooms.renew_as(session, n.into()),
            Ask::Say { .. } => self.rooms.enter(ctx, 1, session, ()).ok(),
        };
        self.log.add(format!("{given:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_gives_out_no_number_that_one_from_elsewhere_has() {
    let (door, connector) = Door::memory(Binary::new());
    let log = Log::default();
    let inn = Inn { rooms: Rooms::new(0..9, 9), log: log.clone() };
    let _running = Server::new().host(Host::Task).door(door).logic(inn).await.unwrap();
    let say = || Ask::Say { n: 0 };
    let enter = |n| Ask::Do { what: 0, n };
    let asks =
        [vec![enter(1)], vec![say()], vec![enter(7), Ask::Do { what: 1, n: 9 }], vec![enter(3)], vec![say()]];
    let mut streams = Vec::new();
    for asks in asks {
        let mut stream = connector.connect().unwrap();
        stream.write_all(&bytes_of(&asks)).await.unwrap();
        pass(5).await;
        streams.push(stream);
    }
    assert_eq!(log.take(), ["Some(1)", "Some(2)", "Some(7)", "Some(9)", "Some(3)", "Some(10)"]);
}
