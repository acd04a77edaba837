//! Requests and their answers: in order, by number, too late, never.

use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use bytes::BytesMut;
use futures::{FutureExt, future::join_all};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use netcore::memory::MemoryConnector;
use netcore::{
    Binary, Client, ClientSender, CloseReason, Connection, Door, Limits, Lines, Packet, PacketCodec,
    PacketId, RequestError, Running, Server, Text, TextProtocol,
};

use crate::common::{pass, within};

#[derive(Packet, Clone, Debug, PartialEq)]
enum Ask {
    /// Answered after so many milliseconds, in order.
    #[packet(id = 1, reply = 2)]
    Wait { millis: u32, n: u32 },
    /// The same, and others may be answered before it.
    #[packet(id = 3, reply = 4, numbered)]
    Any { request: u32, millis: u32, n: u32 },
    #[packet(id = 5)]
    Tell,
    /// Never answered: the connection is closed.
    #[packet(id = 6, reply = 2)]
    Close,
}

#[derive(Packet, Clone, Debug, PartialEq)]
enum Answer {
    #[packet(id = 2)]
    Waited { n: u32 },
    #[packet(id = 4, numbered)]
    Any { request: u32, n: u32 },
    #[packet(id = 7)]
    Told,
}

async fn start() -> (Running, MemoryConnector) {
    let (door, connector) = Door::memory(Binary::new());
    let running = Server::new()
        .door(door)
        .serve(async |mut peer: Connection<Ask, Answer>| {
            while let Some(ask) = peer.recv().await? {
                match ask {
                    Ask::Wait { millis, n } => {
                        pass(millis.into()).await;
                        let _ = peer.send(&Answer::Waited { n });
                    }
                    Ask::Any { request, millis, n } => {
                        let sender = peer.sender();
                        tokio::spawn(async move {
                            pass(millis.into()).await;
                            let _ = sender.send(&Answer::Any { request, n });
                        });
                    }
                    Ask::Tell => drop(peer.send(&Answer::Told)),
                    Ask::Close => break,
                }
            }
            Ok::<_, CloseReason>(())
        })
        .await
        .unwrap();
    (running, connector)
}

fn client(connector: &MemoryConnector) -> Client<Answer, Ask> {
    Client::options().request_timeout(Duration::from_secs(1)).over(connector.connect().unwrap())
}

fn wait(millis: u32, n: u32) -> Ask {
    Ask::Wait { millis, n }
}

fn any(millis: u32, n: u32) -> Ask {
    Ask::Any { request: 0, millis, n }
}

#[tokio::test(start_paused = true)]
async fn answers_are_matched_in_the_order_of_the_requests() {
    let (_running, connector) = start().await;
    let mut client = client(&connector);
    client.send(&Ask::Tell).unwrap();
    let answers = join_all((0..20).map(|n| client.request(wait(10, n)))).await;
    for (n, answer) in (0..).zip(answers) {
        assert_eq!(answer.unwrap(), Answer::Waited { n });
    }
    assert_eq!(within(client.recv()).await, Ok(Some(Answer::Told)), "the rest waits to be received");
}

#[tokio::test(start_paused = true)]
async fn numbered_answers_may_come_in_any_order() {
    let (_running, connector) = start().await;
    let client = client(&connector);
    let answers = join_all((0..50).map(|n| client.request(any(500 - n * 10, n)))).await;
    for (expected, answer) in (0..).zip(answers) {
        assert!(matches!(answer.unwrap(), Answer::Any { n, .. } if n == expected));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_too_late_is_received_like_any_other_packet() {
    let (_running, connector) = start().await;
    let mut client = client(&connector);
    for ask in [wait(1_500, 1), any(1_500, 2)] {
        assert!(
            matches!(client.request(ask).await, Err(RequestError::Timeout(time)) if time == Duration::from_secs(1))
        );
    }
    // Behind the one that gave up, the order is still right.
    assert_eq!(client.request(wait(10, 3)).await.unwrap(), Answer::Waited { n: 3 });
    pass(2_000).await;
    assert_eq!(within(client.recv()).await, Ok(Some(Answer::Waited { n: 1 })));
    assert!(matches!(within(client.recv()).await, Ok(Some(Answer::Any { n: 2, .. }))));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_stands_and_its_answer_is_received() {
    let (_running, connector) = start().await;
    let mut client = client(&connector);
    tokio::select! {
        biased;
        _ = client.request(wait(100, 1)) => unreachable!(),
        () = pass(10) => {}
    }
    assert_eq!(client.request(wait(10, 2)).await.unwrap(), Answer::Waited { n: 2 });
    assert_eq!(within(client.recv()).await, Ok(Some(Answer::Waited { n: 1 })));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_closes_fails_what_waits_at_once() {
    let (_running, connector) = start().await;
    let client = client(&connector);
    let start = tokio::time::Instant::now();
    let (one, two, three) =
        tokio::join!(client.request(any(900, 1)), client.request(Ask::Close), client.request(wait(1, 3)));
    for answer in [one, two, three] {
        assert!(matches!(answer, Err(RequestError::Closed(CloseReason::PeerClosed))), "{answer:?}");
    }
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
    assert!(matches!(client.request(wait(1, 1)).await, Err(RequestError::Closed(_) | RequestError::Send(_))));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_asked_is_refused() {
    let (_running, connector) = start().await;
    let client = client(&connector);
    assert!(matches!(client.request(Ask::Tell).await, Err(RequestError::NoReply(PacketId(5)))));
    let (sender, _receiver) = client.split();
    let refused = join_all((0..1_025).map(|n| sender.request(wait(0, n)))).await;
    assert!(matches!(refused[1_024], Err(RequestError::TooMany(1_024))));
    assert!(refused[..1_024].iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn so_many_requests_of_one_id_wait_as_the_options_say() {
    let (_running, connector) = start().await;
    for (set, most) in [(3, 3), (0, 1)] {
        let options = Client::<Answer, Ask>::options().max_requests(set);
        let (sender, _receiver) = options.over(connector.connect().unwrap()).split();
        let answers = join_all((0..5).map(|n| sender.request(wait(0, n)))).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), most);
        assert!(matches!(answers[4], Err(RequestError::TooMany(many)) if many == most));
        // Of another id.
        sender.request(any(0, 1)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn numbered_requests_that_gave_up_do_not_take_the_place_of_others() {
    let (_running, connector) = start().await;
    let client = client(&connector);
    for round in 0..3 {
        let time = Duration::from_millis(1);
        let (sender, _) = (client_sender(&connector), ());
        let late = join_all((0..1_000).map(|n| sender.request_within(any(900_000, n), time))).await;
        assert!(late.iter().all(|answer| matches!(answer, Err(RequestError::Timeout(_)))));
        let again = join_all((0..1_000).map(|n| sender.request_within(any(0, n), time * 500))).await;
        assert!(again.iter().all(Result::is_ok), "{round}");
    }
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn nor_do_those_without_a_number_whose_late_answers_are_still_told_from_others() {
    let (_running, connector) = start().await;
    let options = Client::<Answer, Ask>::options().max_requests(4);
    let (sender, mut receiver) = options.over(connector.connect().unwrap()).split();
    let (short, long) = (Duration::from_millis(1), Duration::from_secs(60));
    for turn in 0..3 {
        let first = turn * 100;
        let mut asking = Vec::new();
        // The first keeps all others waiting, and there are always three among those who gave up that wait on.
        for n in first..first + 100 {
            let request = wait(if n == first { 5_000 } else { 0 }, n);
            if n % 40 == 0 {
                let sender = sender.clone();
                asking.push(tokio::spawn(async move { (n, sender.request_within(request, long).await) }));
                pass(1).await;
            } else {
                let late = sender.request_within(request, short).await;
                assert!(matches!(late, Err(RequestError::Timeout(_))), "{n}: {late:?}");
            }
        }
        for answer in join_all(asking).await {
            let (asked, answer) = answer.unwrap();
            assert_eq!(answer.unwrap(), Answer::Waited { n: asked });
        }
        for n in (first..first + 100).filter(|n| n % 40 != 0) {
            assert_eq!(within(receiver.recv()).await, Ok(Some(Answer::Waited { n })), "late");
        }
    }
    assert_eq!(sender.request(wait(0, 1)).await.unwrap(), Answer::Waited { n: 1 });
}

fn client_sender(connector: &MemoryConnector) -> ClientSender<Answer, Ask> {
    client(connector).split().0
}

#[tokio::test(start_paused = true)]
async fn answers_come_also_where_nothing_else_is_received() {
    let (_running, connector) = start().await;
    let limits = Limits::new().first_packet(None).inbox(1);
    let client = Client::<Answer, Ask>::options().limits(limits).over(connector.connect().unwrap());
    let (sender, receiver) = client.split();
    for _ in 0..10 {
        sender.send(&Ask::Tell).unwrap();
    }
    pass(10).await;
    drop(receiver);
    assert_eq!(within(sender.request(wait(1, 1))).await.unwrap(), Answer::Waited { n: 1 });
}

#[tokio::test(start_paused = true)]
async fn a_request_behind_packets_that_nobody_receives_says_so() {
    let (_running, connector) = start().await;
    let mut client = client(&connector);
    for _ in 0..3_000 {
        client.send_wait(&Ask::Tell).await.unwrap();
    }
    let error = within(client.request(wait(1, 1))).await.unwrap_err().to_string();
    let words = "no answer within 1s (`request_timeout`): 1024 packets wait to be received, and what comes behind them is \
                 not read: receive them, or drop the `ClientReceiver`, or set `only_answers` where the client reconnects";
    assert_eq!(error, words);
    for _ in 0..3_000 {
        assert_eq!(within(client.recv()).await, Ok(Some(Answer::Told)));
    }
    // Late: a packet like any other.
    assert_eq!(within(client.recv()).await, Ok(Some(Answer::Waited { n: 1 })));
    assert_eq!(within(client.request(wait(1, 2))).await.unwrap(), Answer::Waited { n: 2 });
    let error = within(client.request(wait(2_000, 3))).await.unwrap_err().to_string();
    assert_eq!(error, "no answer within 1s (`request_timeout`): is it a packet that the server answers?");
}

#[tokio::test(start_paused = true)]
async fn answers_that_have_come_are_heard_though_a_write_fails_and_nothing_else_is_received() {
    let (near, mut far) = netcore::memory::pair(1 << 20);
    let (asks, received) = Client::<Answer, Ask>::options().over(near).split();
    drop(received);
    let asking = (0..10).map(|n| {
        let asks = asks.clone();
        tokio::spawn(async move { asks.request(wait(0, n)).await.is_ok() })
    });
    let asking: Vec<_> = asking.collect();
    pass(1).await;
    let (codec, mut answers) = (PacketCodec::<Ask, Answer>::new(), BytesMut::new());
    for _ in 0..100_000 {
        codec.encode_packet(&Answer::Told, &mut answers).unwrap();
    }
    for n in 0..10 {
        codec.encode_packet(&Answer::Waited { n }, &mut answers).unwrap();
    }
    far.write_all(&answers).await.unwrap();
    drop(far);
    asks.send(&Ask::Tell).unwrap();
    let answered = join_all(asking).await;
    assert!(answered.into_iter().all(|answered| answered.unwrap()));
}

/// Something else was ready in the same moment, and the future that would have brought the answer was dropped with it.
#[tokio::test(start_paused = true)]
async fn an_answer_that_came_as_its_request_was_dropped_is_received() {
    let (_running, connector) = start().await;
    let (sender, mut receiver) = client(&connector).split();
    for ask in [wait(10, 7), any(10, 7)] {
        let mut asked = Box::pin(sender.request(ask));
        assert!(asked.as_mut().now_or_never().is_none());
        pass(100).await;
        drop(asked);
        assert!(matches!(within(receiver.recv()).await, Ok(Some(_))));
    }
}

/// Before it says 2, it asks for 1.
#[derive(Clone, Default)]
struct AsksFirst(Arc<OnceLock<ClientSender<Answer, Ask>>>);

impl TextProtocol for AsksFirst {
    type In = Answer;
    type Out = Ask;

    fn parse(&mut self, line: &str) -> Result<Answer, String> {
        line.parse().map(|n| Answer::Waited { n }).map_err(|_| "no number".to_owned())
    }

    fn print(&self, packet: &Ask, lines: &mut Lines<'_>) {
        let Ask::Wait { n, .. } = packet else { return };
        if *n == 2 {
            let asked = self.0.get().unwrap().request(wait(0, 1));
            assert!(asked.now_or_never().is_none());
        }
        lines.line(format_args!("{n}"));
    }
}

#[test]
fn a_request_may_ask_its_own_client_something_as_it_is_encoded() {
    let (done, waits) = mpsc::channel();
    // On a thread of its own: with a lock held, it would stand still for good.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (near, mut far) = netcore::memory::pair(100);
            let protocol = AsksFirst::default();
            let client = Client::options().adapter(Text::new(protocol.clone())).over(near);
            let (sender, mut receiver) = client.split();
            assert!(protocol.0.set(sender.clone()).is_ok());
            let asked = tokio::spawn(async move { sender.request(wait(0, 2)).await });
            let mut lines = [0; 4];
            far.read_exact(&mut lines).await.unwrap();
            assert_eq!(&lines, b"1\n2\n");
            far.write_all(&lines).await.unwrap();
            assert_eq!(asked.await.unwrap().unwrap(), Answer::Waited { n: 2 });
            assert_eq!(receiver.recv().await, Ok(Some(Answer::Waited { n: 1 })));
        });
        done.send(()).unwrap();
    });
    waits.recv_timeout(Duration::from_secs(60)).expect("it stands still, or has failed");
}
