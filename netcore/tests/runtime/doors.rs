//! Which door a session came through.

use netcore::memory::MemoryConnector;
use netcore::{Binary, CloseReason, Connection, Context, Door, Host, Logic, Server, SessionId};

use crate::common::{Ask, Hear, client, next, pass};

/// Two doors with names, and between them one that has its kind's.
fn doors() -> (Server<Ask, Hear>, Vec<MemoryConnector>) {
    let (doors, connectors): (Vec<_>, Vec<_>) = (0..3).map(|_| Door::memory(Binary::new())).unzip();
    let names = [Some("raw"), None, Some("people")];
    let named = doors.into_iter().zip(names).map(|(door, name): (Door<_, _>, _)| match name {
        Some(name) => door.name(name),
        None => door,
    });
    (Server::new().doors(named), connectors)
}

/// What each door's client hears of it.
async fn told(connectors: &[MemoryConnector]) -> Vec<Hear> {
    let mut all = Vec::new();
    for connector in connectors {
        let mut client = client(connector);
        client.send(&Ask::Say { n: 1 }).unwrap();
        all.push(next(&mut client).await);
    }
    all
}

fn names() -> Vec<Hear> {
    ["0 raw", "1 memory", "2 people"].map(|text| Hear::Long { text: text.into() }).into()
}

#[tokio::test(start_paused = true)]
async fn a_task_knows_the_name_of_its_sessions_door() {
    let (server, connectors) = doors();
    let answer = async |mut peer: Connection<Ask, Hear>| {
        while peer.recv().await?.is_some() {
            let text = format!("{} {}", peer.door(), peer.door_name());
            let _ = peer.send(&Hear::Long { text });
        }
        Ok::<_, CloseReason>(())
    };
    let _running = server.serve(answer).await.unwrap();
    assert_eq!(told(&connectors).await, names());
}

/// Answers from the last worker.
struct Porter;

impl Logic for Porter {
    type In = Ask;
    type Out = Hear;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, _: Ask) {
        ctx.move_to(session, ctx.workers() - 1, ());
    }

    fn arrived(&mut self, ctx: &mut Context<Self>, session: SessionId, (): ()) {
        let (door, name) = (ctx.door(session).unwrap(), ctx.door_name(session).unwrap());
        let text = format!("{door} {name}");
        ctx.send(session, &Hear::Long { text });
    }

    fn closed(&mut self, ctx: &mut Context<Self>, session: SessionId, _: CloseReason) {
        assert_eq!((ctx.door(session), ctx.door_name(session)), (None, None));
    }
}

#[tokio::test(start_paused = true)]
async fn a_logic_knows_the_name_of_a_sessions_door_on_whichever_worker_it_is() {
    for workers in [1, 3] {
        let (server, connectors) = doors();
        let running = server.host(Host::Task).workers(workers, |_| Porter).await.unwrap();
        assert_eq!(told(&connectors).await, names());
        pass(10).await;
        assert_eq!((running.stats().panics, running.stats().open()), (0, 0));
    }
}
