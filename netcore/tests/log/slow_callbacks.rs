//! What keeps a worker busy for long is named, and nobody else is.

use std::thread::sleep;
use std::time::Duration;

use super::log::Log;
use netcore::{Binary, Client, Context, Door, Host, Limits, Logic, Packet, Server, SessionId, Tick};

#[derive(Packet, Debug)]
enum Ask {
    #[packet(id = 1)]
    Go { answers: u32 },
}

#[derive(Packet, Debug)]
enum Hear {
    #[packet(id = 2)]
    Long {
        #[raw(len = u16)]
        text: String,
    },
}

/// A world whose tick behind a packet takes long; the packet itself does not.
struct World {
    behind: bool,
}

impl Logic for World {
    type In = Ask;
    type Out = Hear;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, Ask::Go { answers }: Ask) {
        // Then a tick is due at its end.
        sleep(STEP);
        self.behind = true;
        for _ in 0..answers {
            ctx.send(session, &Hear::Long { text: "x".repeat(1000) });
        }
    }

    fn tick(&mut self, _: &mut Context<Self>, _: Tick) {
        if std::mem::take(&mut self.behind) {
            sleep(Duration::from_millis(600));
        }
    }
}

const STEP: Duration = Duration::from_millis(20);

/// The line of the log about a tick behind a packet with so many answers.
async fn told(answers: u32) -> String {
    let log = Log::of_all();
    let (door, connector) = Door::memory(Binary::new());
    let door = door.limits(Limits::new().queue(8192));
    let server = Server::new().host(Host::Thread).door(door).tick(STEP);
    let running = server.logic(World { behind: false }).await.unwrap();
    let mut client = Client::<Hear, Ask>::options().over(connector.connect().unwrap());
    client.send(&Ask::Go { answers }).unwrap();
    for _ in 0..answers {
        client.recv().await.unwrap().unwrap();
    }
    let line = log.wait_for("kept its worker busy").await;
    running.shutdown().await;
    line
}

#[tokio::test]
async fn a_slow_tick_is_told_and_not_as_a_sessions() {
    let line = told(0).await;
    assert!(!line.contains("session="), "{line}");
    // There the session's transport has its turn before the tick.
    let line = told(6).await;
    assert!(!line.contains("session="), "{line}");
}
