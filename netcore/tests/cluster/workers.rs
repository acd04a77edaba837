//! Events as messages of a server's workers.

use netcore::cluster::{Claim, ClaimError, Cluster, Event, Memory, NodeId, Options};
use netcore::{Binary, Context, Door, Host, Logic, Packet, Running, Server, SessionId};
use tokio::sync::mpsc;

use crate::common::{Node, within};

#[derive(Packet)]
enum Nothing {
    #[packet(id = 1)]
    Nothing {},
}

enum Message {
    Cluster(Event),
    Do(Job),
    Claimed(Result<Claim, ClaimError>),
}

type Job = Box<dyn FnOnce(&mut Game, &mut Context<Game>) + Send>;

/// Passes on what it hears, with the number of its worker.
struct Game {
    cluster: Cluster,
    claims: Vec<Claim>,
    heard: mpsc::UnboundedSender<(usize, Heard)>,
}

#[derive(PartialEq, Debug)]
enum Heard {
    Event(Event),
    Claimed(bool),
}

impl Logic for Game {
    type In = Nothing;
    type Out = Nothing;
    type Message = Message;

    fn packet(&mut self, _: &mut Context<Self>, _: SessionId, _: Nothing) {}

    fn message(&mut self, ctx: &mut Context<Self>, message: Message) {
        let heard = match message {
            Message::Do(what) => return what(self, ctx),
            Message::Cluster(event) => Heard::Event(event),
            Message::Claimed(claim) => {
                let claimed = claim.is_ok();
                self.claims.extend(claim);
                Heard::Claimed(claimed)
            }
        };
        let _ = self.heard.send((ctx.worker(), heard));
    }
}

struct Served {
    running: Running<Message>,
    cluster: Cluster,
    heard: mpsc::UnboundedReceiver<(usize, Heard)>,
}

impl Served {
    /// A server with two workers on that line.
    async fn new(line: &Memory, max_messages: usize) -> Self {
        Self::hosted(Host::Task, Options::new(line.clone()), max_messages).await
    }

    async fn hosted(host: Host, options: Options, max_messages: usize) -> Self {
        let (cluster, starter) = options.node(NodeId::new(50)).build();
        let (sender, heard) = mpsc::unbounded_channel();
        let handle = cluster.clone();
        let (door, _) = Door::<Nothing, Nothing>::memory(Binary::new());
        let running =
            Server::new().door(door).host(host).max_messages(max_messages).workers(2, move |worker| Game {
                cluster: handle.at(worker),
                claims: Vec::new(),
                heard: sender.clone(),
            });
        let running = running.await.unwrap();
        starter.start(running.teller(), Message::Cluster);
        Self { running, cluster, heard }
    }

    fn tell(&self, worker: usize, what: impl FnOnce(&mut Game, &mut Context<Game>) + Send + 'static) {
        assert!(self.running.teller().tell(worker, Message::Do(Box::new(what))).is_ok());
    }

    /// Until both workers have done what they were told before.
    async fn did(&self) {
        for worker in 0..2 {
            let (sender, done) = tokio::sync::oneshot::channel();
            self.tell(worker, move |_, _| sender.send(()).unwrap());
            within(done).await.unwrap();
        }
    }

    async fn heard(&mut self) -> (usize, Heard) {
        within(self.heard.recv()).await.unwrap()
    }

    async fn message(&mut self) -> (usize, Heard) {
        loop {
            let heard = self.heard().await;
            if matches!(heard.1, Heard::Event(Event::Message { .. })) {
                return heard;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn messages_come_to_the_worker_that_subscribed_and_never_to_the_one_that_speaks() {
    let memory = Memory::new();
    let mut served = Served::new(&memory.line(), 1_000).await;
    for worker in 0..2 {
        served.tell(worker, |game, _| game.cluster.subscribe("all").unwrap());
    }
    served.tell(1, |game, _| game.cluster.subscribe("one").unwrap());
    served.did().await;
    // Within the node at once, backplane or not.
    served.tell(0, |game, _| {
        game.cluster.publish("all", "from worker 0").unwrap();
    });
    let node = served.cluster.node();
    let event = |topic: &str, from, body: &'static str| {
        Heard::Event(Event::Message { topic: topic.into(), from, body: body.into() })
    };
    assert_eq!(served.heard().await, (1, event("all", node, "from worker 0")));
    within(served.cluster.settled()).await.unwrap();

    let other = Node::with(Options::new(memory.line()).node(NodeId::new(60)));
    other.cluster.publish("one", "x").unwrap();
    assert_eq!(served.message().await, (1, event("one", other.id(), "x")));
    other.cluster.publish("all", "y").unwrap();
    let mut both = [served.message().await, served.message().await];
    both.sort_by_key(|(worker, _)| *worker);
    assert_eq!(both, [(0, event("all", other.id(), "y")), (1, event("all", other.id(), "y"))]);
    within(served.running.shutdown()).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_as_a_message_and_a_loss_to_the_worker_that_the_name_was_handed_to() {
    let memory = Memory::new();
    let line = memory.line();
    let mut served = Served::new(&line, 1_000).await;
    let other = Node::with(Options::new(memory.clone()).node(NodeId::new(1)));
    other.settle().await;
    line.away();
    assert!(matches!(served.heard().await, (_, Heard::Event(Event::Away { .. } | Event::NodeUp { .. }))));
    let kim = other.claim("kim").await.unwrap();
    while !served.cluster.is_away() {
        served.heard().await;
    }
    served.tell(0, |game, ctx| {
        let asked = game.cluster.claim("kim");
        ctx.spawn(async { Message::Claimed(asked.await) }).unwrap();
    });
    while served.heard().await != (0, Heard::Claimed(true)) {}
    served.tell(0, |game, ctx| {
        let claim = game.claims.pop().unwrap();
        claim.hand_to(1);
        let moved = Message::Do(Box::new(|game, _| game.claims.push(claim)));
        assert!(ctx.tell(1, moved).is_ok());
    });
    line.back();
    let lost = Event::Lost { name: "kim".into(), by: other.id() };
    loop {
        match served.heard().await {
            (worker, Heard::Event(event)) if event == lost => break assert_eq!(worker, 1),
            (_, Heard::Event(Event::Back { .. })) => panic!("back before it was told"),
            _ => {}
        }
    }
    drop(kim);
    within(served.running.shutdown()).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_busy_worker_has_no_room_for_waits_and_what_must_be_heard_is_never_dropped() {
    let memory = Memory::new();
    let line = memory.line();
    let options = || Options::new(memory.line()).node(NodeId::new(60));
    let mut served = Served::new(&line, 4).await;
    served.tell(0, |game, _| game.cluster.subscribe("t").unwrap());
    served.did().await;
    within(served.cluster.settled()).await.unwrap();
    let other = Node::with(options());
    other.settle().await;
    // A worker that holds the only thread: what comes meanwhile finds its four places taken.
    for n in 0..50 {
        other.cluster.publish("t", format!("{n}")).unwrap();
    }
    line.away();
    let (mut messages, mut away) = (0, 0);
    while away < 2 {
        match served.heard().await {
            (0, Heard::Event(Event::Message { body, .. })) => {
                assert_eq!(&body[..], messages.to_string().as_bytes());
                messages += 1;
            }
            (_, Heard::Event(Event::Away { .. })) => away += 1,
            _ => {}
        }
    }
    assert_eq!(served.cluster.stats().dropped_in, 0);
    within(served.running.shutdown()).await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_over_an_event_is_counted_and_the_link_stays() {
    let memory = Memory::new();
    let (cluster, starter) = Cluster::new(memory.line());
    let mut served = Served::new(&memory, 100).await;
    let teller = served.running.teller();
    starter.start(teller, |event| match event {
        Event::Message { body, .. } if body.is_empty() => panic!("an empty one"),
        event => Message::Cluster(event),
    });
    cluster.subscribe("t").unwrap();
    within(cluster.settled()).await.unwrap();
    served.cluster.publish("t", "").unwrap();
    served.cluster.publish("t", "x").unwrap();
    while !matches!(served.heard().await, (0, Heard::Event(Event::Message { .. }))) {}
    assert_eq!((cluster.stats().panics, cluster.stats().links_lost), (1, 0));
    within(served.running.shutdown()).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_worker_would_hear_that_is_not_there_is_dropped_and_counted() {
    let memory = Memory::new();
    let Served { running, cluster, heard: _heard } = Served::new(&memory.line(), 1_000).await;
    cluster.at(2).subscribe("beyond").unwrap();
    cluster.at(0).subscribe("first").unwrap();
    within(cluster.settled()).await.unwrap();
    let other = Node::with(Options::new(memory.line()).node(NodeId::new(60)));
    let dropped = async |all| {
        within(async {
            while cluster.stats().dropped_in < all {
                within(cluster.settled()).await.unwrap();
            }
        })
        .await;
    };
    for n in 0..10 {
        other.cluster.publish("beyond", format!("{n}")).unwrap();
    }
    dropped(10).await;
    // The node outlives its server.
    within(running.shutdown()).await;
    for n in 0..10 {
        other.cluster.publish("first", format!("{n}")).unwrap();
    }
    dropped(20).await;
    assert_eq!((cluster.stats().dropped_in, cluster.stats().delivered), (20, 0));
}

#[tokio::test]
async fn a_worker_that_is_busy_keeps_no_more_bytes_than_may_wait_for_it() {
    let memory = Memory::new();
    let options = Options::new(memory.line()).inbound(1000, 4200);
    let mut served = Served::hosted(Host::Thread, options, 1000).await;
    let other = Node::with(Options::new(memory.line()).node(NodeId::new(60)));
    served.tell(1, |game, _| game.cluster.subscribe("t").unwrap());
    served.did().await;
    within(served.cluster.settled()).await.unwrap();
    let (release, released) = std::sync::mpsc::channel();
    served.tell(1, move |_, _| released.recv().unwrap());
    for n in 0..100 {
        other.cluster.publish("t", vec![n; 1000]).unwrap();
    }
    within(other.cluster.settled()).await.unwrap();
    within(async {
        while served.cluster.stats().dropped_in < 92 {
            served.cluster.settled().await.unwrap();
        }
    })
    .await;
    // Four in its own queue, four that wait for room in it.
    assert_eq!((served.cluster.stats().delivered, served.cluster.stats().dropped_in), (4, 92));
    release.send(()).unwrap();
    for n in 0..8 {
        let (worker, heard) = served.message().await;
        let Heard::Event(Event::Message { body, .. }) = heard else { panic!("{heard:?}") };
        assert_eq!((worker, &body[..]), (1, &[n; 1000][..]));
    }
    served.running.shutdown().await;
}
