//! A game with packets of its own in the rooms: what the lobby judges before it asks the game, who is the master, and
//! what becomes of a room's table and timers when everybody has left.

#![forbid(unsafe_code)]

use std::time::Duration;

use lobby::raw::{self, ToClient, ToServer};
use lobby::{Event, Game, Lobby, Message, Play, Settings, Shared};
use netcore::memory::MemoryConnector;
use netcore::{
    Binary, Client, ClientReceiver, ClientSender, Door, Frame, Host, Packet, PacketId, Running, Server,
    SessionId,
};
use tokio::time::{sleep, timeout};

/// The first in a room starts a round; half a second later it is over, and all are told how many bets there were.
struct Bets;

#[derive(Packet, Debug, PartialEq)]
enum Ask {
    #[packet(id = 751, ignore_extra)]
    Start,
    #[packet(id = 761, ignore_extra)]
    Bet { side: i8 },
}

#[derive(Packet, Debug, PartialEq)]
enum Tell {
    #[packet(id = 752)]
    Start { result: i16 },
    #[packet(id = 762)]
    Bet { result: i16 },
    #[packet(id = 764)]
    Over { bets: i8, users: i8 },
}

#[derive(Default)]
struct Table {
    open: bool,
    bets: i8,
}

struct Close;

impl Game for Bets {
    type Command = Ask;
    type Event = Tell;
    type Table = Table;
    type Alarm = Close;

    fn command(&mut self, play: &mut Play<'_, Self>, who: SessionId, command: Ask) {
        let is_master = play.master() == Some(who);
        let open = play.table().open;
        let answer = match command {
            Ask::Start if open => Tell::Start { result: 171 },
            Ask::Start if !is_master => Tell::Start { result: 173 },
            Ask::Start => {
                play.table().open = true;
                play.after(Duration::from_millis(500), Close);
                Tell::Start { result: 1 }
            }
            Ask::Bet { .. } if !open => Tell::Bet { result: 182 },
            Ask::Bet { side } if !(1..=2).contains(&side) => Tell::Bet { result: 183 },
            Ask::Bet { .. } => {
                play.table().bets += 1;
                Tell::Bet { result: 1 }
            }
        };
        play.send(who, &Event::Game(answer));
    }

    fn malformed(&mut self, play: &mut Play<'_, Self>, who: SessionId, id: PacketId) {
        assert_eq!(id, Ask::BET_ID);
        // The state is looked at first.
        let result = if play.table().open { 181 } else { 182 };
        play.send(who, &Event::Game(Tell::Bet { result }));
    }

    fn alarm(&mut self, play: &mut Play<'_, Self>, Close: Close) {
        let Table { bets, .. } = std::mem::take(play.table());
        let users = play.seats().len() as i8;
        play.send_all(&Event::Game(Tell::Over { bets, users }));
    }
}

async fn server(workers: usize) -> (Running<Message<Bets>>, MemoryConnector) {
    let shared = Shared::new(Settings::default());
    let (door, connector) = Door::memory(raw::door::<Bets>(Binary::new(), raw::own_packet, raw::own_words));
    let server = Server::new().host(Host::Task).door(door);
    (server.workers(workers, move |_| Lobby::new(shared.clone(), Bets)).await.unwrap(), connector)
}

struct Player(ClientSender<ToClient, ToServer>, ClientReceiver<ToClient, ToServer>);

impl Player {
    fn new(connector: &MemoryConnector) -> Self {
        let (sender, receiver) = Client::options().over(connector.connect().unwrap()).split();
        Self(sender, receiver)
    }

    fn says(&self, packet: ToServer) -> &Self {
        self.0.send(&packet).unwrap();
        self
    }

    fn asks(&self, ask: &Ask) -> &Self {
        self.says(ToServer::Other(Frame::from_packet(ask).unwrap()))
    }

    fn enters(&self, name: &str, room: i32) -> &Self {
        self.says(ToServer::LogIn { id: raw::padded(name), password: [0; 16] }).says(ToServer::Enter { room })
    }

    async fn next(&mut self) -> ToClient {
        timeout(Duration::from_secs(60), self.1.recv())
            .await
            .expect("nothing moves any more")
            .unwrap()
            .unwrap()
    }

    #[track_caller]
    fn hears(&mut self, tell: Tell) -> impl Future<Output = ()> {
        let expected = Frame::from_packet(&tell).unwrap();
        async move { assert_eq!(self.next().await, ToClient::Other(expected), "{tell:?}") }
    }

    async fn skips(&mut self, packets: usize) {
        for _ in 0..packets {
            self.next().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_game_is_asked_last_and_its_own_bodies_are_judged_behind_its_state() {
    for workers in [1, 3] {
        let (_running, connector) = server(workers).await;
        let mut ann = Player::new(&connector);
        let bad = || ToServer::Other(Frame::new(761, ""));
        ann.asks(&Ask::Start).says(bad()).enters("ann", 4).asks(&Ask::Bet { side: 1 }).says(bad());
        for code in [52, 52] {
            assert_eq!(ann.next().await, ToClient::Error { code });
        }
        ann.skips(2).await;
        ann.hears(Tell::Bet { result: 182 }).await;
        ann.hears(Tell::Bet { result: 182 }).await;
        ann.says(ToServer::Other(Frame::new(751, "extra"))).asks(&Ask::Start).says(bad());
        ann.asks(&Ask::Bet { side: 7 })
            .asks(&Ask::Bet { side: 2 })
            .says(ToServer::Other(Frame::new(752, "")));
        ann.hears(Tell::Start { result: 1 }).await;
        ann.hears(Tell::Start { result: 171 }).await;
        for result in [181, 183, 1] {
            ann.hears(Tell::Bet { result }).await;
        }
        assert_eq!(ann.next().await, ToClient::Error { code: 53 });
        ann.hears(Tell::Over { bets: 1, users: 1 }).await;
        ann.says(ToServer::Leave).asks(&Ask::Start).says(bad());
        ann.skips(1).await;
        for code in [121, 121] {
            assert_eq!(ann.next().await, ToClient::Error { code });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_master_is_who_has_been_there_longest_and_a_table_lives_as_long_as_somebody_is_there() {
    for workers in [1, 3] {
        let (_running, connector) = server(workers).await;
        let (mut ann, mut bob) = (Player::new(&connector), Player::new(&connector));
        ann.enters("ann", 5);
        ann.skips(2).await;
        bob.enters("bob", 5).asks(&Ask::Start);
        bob.skips(3).await;
        bob.hears(Tell::Start { result: 173 }).await;
        ann.says(ToServer::Leave);
        bob.skips(1).await;
        bob.asks(&Ask::Start);
        bob.hears(Tell::Start { result: 1 }).await;
        // Everybody leaves; whoever comes then finds a new table, and no alarm of the old one.
        bob.says(ToServer::Leave).says(ToServer::Enter { room: 5 });
        bob.skips(2).await;
        sleep(Duration::from_secs(2)).await;
        bob.asks(&Ask::Bet { side: 1 });
        bob.hears(Tell::Bet { result: 182 }).await;
    }
}
