//! Real servers and a real Redis: game clients in each format and people, each at another server.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::mpsc;

use lobby::client::{Format, MsgPack, Protobuf, Raw};
use lobby::{Code, Event, Name, Outcome, Request, Who};
use netcore::Client;
use support::testing::{PATIENCE, RedisServer, Server};
use tokio::runtime::Runtime;

use crate::processes::{Person, chat, ends};

type Heard = Event<Infallible>;

/// A game client of any format, which has logged in.
struct Player {
    name: Name,
    /// The room user id, once it is in a room.
    user: u64,
    ask: Box<dyn Fn(Request<Infallible>)>,
    heard: mpsc::Receiver<Heard>,
}

impl Player {
    fn new<F: Format>(runtime: &Runtime, at: SocketAddr, id: &str) -> Self {
        let (said, heard) = mpsc::channel();
        let client = runtime.block_on(Client::<F::In, F::Out>::connect(at)).unwrap();
        let (sender, mut receiver) = client.split();
        runtime.spawn(async move {
            while let Ok(Some(packet)) = receiver.recv().await {
                // The test may be over.
                let _ = said.send(F::heard(packet).expect("one of the lobby's packets"));
            }
        });
        let ask = Box::new(move |request| {
            sender.send(&F::ask(request).expect("the format has a packet for it")).unwrap();
        });
        let mut player = Self { name: name(id), user: 0, ask, heard };
        player.logs_in().hears(Event::LogIn(Code::Ok));
        player
    }

    fn says(&mut self, request: Request<Infallible>) -> &mut Self {
        (self.ask)(request);
        self
    }

    fn logs_in(&mut self) -> &mut Self {
        self.says(Request::LogIn { name: Some(self.name.clone()), password: "secret".into() })
    }

    fn enters(&mut self, room: i32) -> &mut Self {
        self.says(Request::Enter(Some(room)))
    }

    fn chats(&mut self, text: &str) -> &mut Self {
        self.says(Request::Chat(text.into()))
    }

    fn relays(&mut self, bytes: &[u8]) -> &mut Self {
        self.says(Request::Relay(bytes.to_vec().into()))
    }

    #[track_caller]
    fn next(&mut self) -> Heard {
        self.heard.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    #[track_caller]
    fn hears(&mut self, expected: Heard) -> &mut Self {
        assert_eq!(self.next(), expected, "{}", self.name);
        self
    }

    /// It is in: those were there before.
    #[track_caller]
    fn is_in(&mut self, room: i32, before: &[&Who]) -> Who {
        if !before.is_empty() {
            let Event::Users(mut users) = self.next() else { panic!("{} is told nobody", self.name) };
            users.sort_by_key(|who| who.user);
            let mut before = before.iter().map(|who| (*who).clone()).collect::<Vec<_>>();
            before.sort_by_key(|who| who.user);
            assert_eq!(users, before, "{}", self.name);
        }
        let Event::Enter { code: Code::Ok, room: entered, user } = self.next() else {
            panic!("{} is not in", self.name)
        };
        assert!(entered == room || entered == 0, "MessagePack does not say which: {entered}");
        self.user = user;
        Who { user, name: self.name.clone() }
    }

    #[track_caller]
    fn hears_chat(&mut self, user: u64, text: &str) -> &mut Self {
        self.hears(Event::Chatted { who: nameless(user), text: text.into() })
    }

    #[track_caller]
    fn hears_relay(&mut self, user: u64, bytes: &[u8]) -> &mut Self {
        self.hears(Event::Relayed { who: nameless(user), bytes: bytes.to_vec().into() })
    }
}

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}

/// Who speaks is named by the room user id alone.
fn nameless(user: u64) -> Who {
    Who { user, name: name("?") }
}

fn door(server: &Server, name: &str) -> SocketAddr {
    server.doors.iter().find(|(door, _)| door == name).unwrap().1
}

const DOORS: [&str; 4] = ["--raw", "--msgpack", "--protobuf", "--text"];

#[test]
fn packets_of_three_formats_and_lines_cross_servers_and_outlive_one_of_them_and_redis() {
    let Some(mut redis) = RedisServer::start() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let start = |workers| {
        let mut command = chat(&DOORS, &redis.url(), workers);
        Server::start(command.args(["--max-packet", "65535"]), DOORS.len())
    };
    let (a, b, c) = (start("1"), start("3"), start("2"));
    let mut ann = Player::new::<Raw>(&runtime, door(&a, "raw"), "ann");
    let mut bob = Player::new::<MsgPack>(&runtime, door(&b, "msgpack"), "bob");
    let mut kim = Player::new::<Protobuf>(&runtime, door(&c, "protobuf"), "kim");
    let mut eve = Person::new(door(&b, "text"), "eve");
    let mut tom = Person::new(door(&a, "text"), "tom");

    // A room of four seats, on three servers.
    let is_ann = ann.enters(4).is_in(4, &[]);
    let is_bob = bob.enters(4).is_in(4, &[&is_ann]);
    ann.hears(Event::Came(is_bob.clone()));
    let is_kim = kim.enters(4).is_in(4, &[&is_ann, &is_bob]);
    for player in [&mut ann, &mut bob] {
        player.hears(Event::Came(is_kim.clone()));
    }
    eve.joins(4).types("/who").finds("in room 4: bob (#), eve (#), ");
    let is_eve = [&mut ann, &mut bob, &mut kim].map(|player| match player.next() {
        Event::Came(who) if who.name == name("eve") => who,
        other => panic!("{other:?}"),
    });
    assert!(is_eve.iter().all(|who| *who == is_eve[0]));
    let is_eve = is_eve[0].clone();
    let mut dan = Player::new::<Protobuf>(&runtime, door(&a, "protobuf"), "dan");
    dan.enters(4).hears(Event::Enter { code: Code::Full, room: 0, user: 0 });
    tom.types("/nick bob").finds("that name is taken");

    // Each says much in one piece, and everybody hears it in order.
    let every_byte: Vec<u8> = (0..=255).cycle().take(1000).collect();
    for speaker in 0..3 {
        let players = [&mut ann, &mut bob, &mut kim];
        let user = players[speaker].user;
        for number in 0..20 {
            players[speaker].chats(&format!("line {number}")).relays(&every_byte[number..]).relays(b"");
        }
        for (hearer, player) in players.into_iter().enumerate() {
            for number in 0..20 {
                player.hears_chat(user, &format!("line {number}"));
                if hearer == speaker {
                    player.hears(Event::Chat(Code::Ok));
                }
                player.hears_relay(user, &every_byte[number..]).hears_relay(user, b"");
            }
        }
        for number in 0..20 {
            let who = ["ann", "bob", "kim"][speaker];
            assert_eq!(eve.finds(&format!("{who}: line ")), format!("{who}: line {number}"));
        }
    }
    // Room user ids are long here: the rest depends on how long.
    let longest = vec![7; 65_516];
    ann.relays(&[7; 65_523]).hears(Event::Error(Code::RelayLength)).relays(&longest);
    for player in [&mut ann, &mut bob, &mut kim] {
        player.hears_relay(is_ann.user, &longest);
    }
    eve.types("hello").finds("eve: hello");
    for player in [&mut ann, &mut bob, &mut kim] {
        player.hears_chat(is_eve.user, "hello");
    }

    // Whispers and invitations.
    kim.says(Request::Whisper { to: Some(name("tom")), text: "psst".into() });
    kim.hears(Event::Whisper { code: Code::Ok, to: None, text: String::new() });
    tom.finds("[from kim] psst");
    tom.types("/msg bob yes").finds("[to bob] yes");
    bob.hears(Event::Whispered { from: name("tom"), text: "yes".into() });
    eve.types("/leave").finds("you left the room");
    for player in [&mut ann, &mut bob, &mut kim] {
        player.hears(Event::Went(nameless(is_eve.user)));
    }
    bob.says(Request::Invite(Some(name("dan"))));
    let Event::Invite { code: Code::Ok, invite, .. } = bob.next() else { panic!("nobody was asked") };
    dan.hears(Event::Invited { invite, from: name("bob"), room: 4, millis: 60_000 });
    dan.says(Request::Answer { invite: Some(invite), accept: true });
    dan.hears(Event::Answer { code: Code::Ok, accept: true });
    let is_dan = dan.is_in(4, &[&is_ann, &is_bob, &is_kim]);
    for player in [&mut ann, &mut kim] {
        player.hears(Event::Came(is_dan.clone()));
    }
    // Which of the two comes first is nobody's to say: one goes to the server, one to the room.
    let over = Event::InviteOver { invite, from: name("dan"), to: name("dan"), outcome: Outcome::Accepted };
    let both = [bob.next(), bob.next()];
    assert!(both.contains(&over) && both.contains(&Event::Came(is_dan.clone())), "{both:?}");

    // A server dies.
    c.process.signal("KILL");
    for player in [&mut ann, &mut bob, &mut dan] {
        player.hears(Event::Went(nameless(is_kim.user)));
    }
    drop((kim, c));

    // Redis dies: what is sent stays here. It is back: what is sent goes there again, and nothing that was sent meanwhile.
    redis.kill();
    for person in [&mut eve, &mut tom] {
        person.finds("the other servers are away");
    }
    ann.relays(b"alone").hears_relay(is_ann.user, b"alone");
    dan.hears_relay(is_ann.user, b"alone");
    bob.chats("alone").hears_chat(is_bob.user, "alone").hears(Event::Chat(Code::Ok));
    redis.again();
    for person in [&mut eve, &mut tom] {
        person.finds("the other servers are back, and did not hear one message of this one");
    }
    ann.relays(b"again").hears_relay(is_ann.user, b"again");
    dan.hears_relay(is_ann.user, b"again");
    bob.hears_relay(is_ann.user, b"again").chats("again");
    for player in [&mut ann, &mut bob, &mut dan] {
        player.hears_chat(is_bob.user, "again");
    }
    bob.hears(Event::Chat(Code::Ok));

    drop((ann, bob, dan, eve, tom));
    for server in [a, b] {
        ends(server);
    }
}
