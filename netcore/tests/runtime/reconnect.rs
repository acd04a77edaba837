//! The client that reconnects: its pauses, what it tells, what it does with what is sent meanwhile.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use netcore::memory::{self, MemoryConnector, MemoryListener, MemoryStream};
use netcore::{
    Away, Binary, Client, ClientError, ClientEvent, ClientOptions, CloseReason, Connection, Door, Frame,
    Heartbeat, Limits, NotSent, Packet, Reconnect, ReconnectingClient, RequestError, SendError, Server,
    TryError,
};

use crate::common::{Ask, Hear, bytes_of, echo, pass, said, within};

type Steady = ReconnectingClient<Hear, Ask>;

fn options() -> ClientOptions<Hear, Ask> {
    Client::options()
}

/// Pauses of exactly a second, so that a test can count them.
fn reconnect() -> Reconnect<Hear, Ask> {
    let second = Duration::from_secs(1);
    options().reconnect().first_pause(second).longest_pause(second).jitter(0.0)
}

fn dial(reconnect: Reconnect<Hear, Ask>, connector: &MemoryConnector) -> Steady {
    let connector = connector.clone();
    reconnect.dial(move || std::future::ready(connector.connect()))
}

async fn next(client: &Steady) -> ClientEvent<Hear, Ask> {
    within(client.next()).await.expect("the client has ended")
}

async fn accept(listener: &mut MemoryListener) -> MemoryStream {
    within(listener.accept()).await.unwrap()
}

/// The client's next connection, seen from the server's side.
async fn connected(listener: &mut MemoryListener, client: &Steady) -> MemoryStream {
    let far = accept(listener).await;
    let event = next(client).await;
    assert!(matches!(event, ClientEvent::Connected | ClientEvent::Back { .. }), "{event:?}");
    far
}

/// So many packets, as the server would read them.
async fn read(far: &mut MemoryStream, packets: &[Ask]) {
    let mut bytes = vec![0; bytes_of(packets).len()];
    within(far.read_exact(&mut bytes)).await.unwrap();
    assert_eq!(bytes, bytes_of(packets));
}

fn say(n: u32) -> Ask {
    Ask::Say { n }
}

fn says(range: std::ops::Range<u32>) -> Vec<Ask> {
    range.map(say).collect()
}

const RESET: CloseReason = CloseReason::Broken(io::ErrorKind::ConnectionReset);

#[tokio::test(start_paused = true)]
async fn pauses_double_up_to_the_cap_and_the_client_gives_up_after_the_last_try() {
    let (start, times) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
    let seen = times.clone();
    let reconnect = options().reconnect().first_pause(Duration::from_millis(100)).jitter(0.0).tries(6);
    let client = reconnect.longest_pause(Duration::from_millis(700)).dial(move || {
        seen.lock().unwrap().push(start.elapsed().as_millis());
        std::future::ready(Err::<MemoryStream, _>(io::ErrorKind::ConnectionRefused.into()))
    });
    client.send(&say(1)).unwrap();
    for (nth, pause) in [100, 200, 400, 700, 700].into_iter().map(Some).chain([None]).enumerate() {
        let ClientEvent::Failed { tries, error: TryError::Connect(ClientError::Connect(_)), pause: told } =
            next(&client).await
        else {
            panic!("no try has failed")
        };
        assert_eq!((tries as usize, told.map(|time| time.as_millis())), (nth + 1, pause));
    }
    let ClientEvent::GaveUp { tries: 6, unsent } = next(&client).await else { panic!("it goes on") };
    assert_eq!((unsent.packets(), unsent.count(), unsent.bytes()), (&[say(1)][..], 1, 9));
    assert!(client.next().await.is_none());
    assert_eq!(*times.lock().unwrap(), [0, 100, 300, 700, 1_400, 2_100]);
    assert!(matches!(client.send(&say(2)), Err(NotSent::Ended(_))));
    assert!(matches!(client.send_wait(&say(2)).await, Err(NotSent::Ended(_))));
    assert!(matches!(client.request(say(2)).await, Err(RequestError::Ended(_))));
    let stats = client.stats();
    assert_eq!((stats.failed, stats.connected, stats.unsent), (6, 0, 1));
    assert!(client.close().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn jittered_pauses_stay_within_bounds_and_a_seed_gives_the_same_ones() {
    let mut runs = Vec::new();
    for seed in [5, 5, 6] {
        let reconnect = options().reconnect().seed(seed).tries(200).longest_pause(Duration::from_secs(1));
        let client = reconnect
            .dial(|| std::future::ready(Err::<MemoryStream, _>(io::ErrorKind::ConnectionRefused.into())));
        let mut pauses = Vec::new();
        while let Some(event) = within(client.next()).await {
            if let ClientEvent::Failed { pause: Some(pause), .. } = event {
                pauses.push(pause);
            }
        }
        assert_eq!(pauses.len(), 199);
        let (low, high) = (Duration::from_millis(500), Duration::from_secs(1));
        assert!(pauses[1..].iter().all(|pause| (low..=high).contains(pause)), "{pauses:?}");
        runs.push(pauses);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test(start_paused = true)]
async fn what_was_unsent_is_told_and_handed_back_and_not_sent_again() {
    let (mut listener, connector) = memory::listener(4);
    let client = dial(reconnect(), &connector.with_capacity(20));
    let mut far = connected(&mut listener, &client).await;
    for n in 0..10 {
        client.send(&say(n)).unwrap();
    }
    pass(1).await;
    // 20 of 90 bytes were taken: two packets, and two bytes of the third.
    far.faults().reset();
    let ClientEvent::Lost { reason, unsent, pause } = next(&client).await else { panic!("it is not lost") };
    assert_eq!((reason, pause), (RESET, Some(Duration::from_secs(1))));
    assert_eq!(unsent.uncertain(), [say(2)]);
    assert_eq!(unsent.packets(), says(3..10));
    assert_eq!((unsent.count(), unsent.bytes(), unsent.is_empty()), (8, 72, false));
    drop(far);
    far = connected(&mut listener, &client).await;
    for packet in unsent.into_packets() {
        client.send(&packet).unwrap();
    }
    read(&mut far, &says(3..10)).await;
    assert_eq!(client.stats().unsent, 8);
}

#[tokio::test(start_paused = true)]
async fn a_cut_between_two_packets_makes_nothing_uncertain() {
    for cut in 0..=27 {
        let (mut listener, connector) = memory::listener(4);
        let client = reconnect().dial(move || {
            let stream = connector.connect();
            std::future::ready(stream.inspect(|stream| stream.faults().reset_after(cut)))
        });
        for n in 0..3 {
            client.send(&say(n)).unwrap();
        }
        let mut far = accept(&mut listener).await;
        let mut arrived = Vec::new();
        within(far.read_to_end(&mut arrived)).await.unwrap_err();
        assert_eq!(arrived, bytes_of(&says(0..3))[..cut]);
        let unsent = loop {
            match next(&client).await {
                ClientEvent::Connected => {}
                ClientEvent::Lost { unsent, .. } => break unsent,
                other => panic!("{other:?}"),
            }
        };
        let whole = cut as u32 / 9;
        // With nothing written at all, it was lost before the packets were given to it: they wait for the next one.
        if cut == 0 {
            let mut all = unsent.into_packets();
            all.extend(within(client.close()).await.into_packets());
            assert_eq!(all, says(0..3));
            continue;
        }
        let uncertain = (cut % 9 != 0).then(|| say(whole));
        assert_eq!(unsent.uncertain(), uncertain.as_slice(), "{cut}");
        assert_eq!(unsent.packets(), says(whole + u32::from(cut % 9 != 0)..3), "{cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn heartbeats_are_not_among_what_was_unsent() {
    let (mut listener, connector) = memory::listener(4);
    let beat = Heartbeat::new(Frame::new(65_001, "?"), 65_002).every(Duration::from_secs(1));
    let limits = Limits::new().heartbeat(beat).stall(Duration::from_secs(60));
    let client = dial(options().limits(limits).reconnect(), &connector.with_capacity(3));
    let far = connected(&mut listener, &client).await;
    pass(1_500).await;
    client.send(&say(1)).unwrap();
    pass(3_000).await;
    far.faults().reset();
    let ClientEvent::Lost { unsent, .. } = next(&client).await else { panic!("it is not lost") };
    assert_eq!((unsent.packets(), unsent.uncertain(), unsent.count()), (&[say(1)][..], &[][..], 1));
}

#[tokio::test(start_paused = true)]
async fn each_connection_logs_in_before_anything_else_is_sent() {
    let (mut listener, connector) = memory::listener(4);
    let logins = Arc::new(AtomicU32::new(0));
    let counted = logins.clone();
    let login = move |mut client: Client<Hear, Ask>| {
        let nth = counted.fetch_add(1, Relaxed);
        async move {
            client.send(&Ask::Do { what: nth, n: 0 })?;
            assert_eq!(client.recv().await?, Some(said(1_000 + nth)));
            Ok::<_, SendError>(client)
        }
    };
    let client = dial(reconnect().login(login), &connector);
    client.send(&say(1)).unwrap();
    for nth in 0..3 {
        let mut far = accept(&mut listener).await;
        read(&mut far, &[Ask::Do { what: nth, n: 0 }]).await;
        client.send(&say(2)).unwrap();
        pass(5).await;
        assert!(!client.is_connected());
        far.write_all(&heard(&[said(1_000 + nth), said(7)])).await.unwrap();
        let event = next(&client).await;
        if nth == 0 {
            assert!(matches!(event, ClientEvent::Connected), "{event:?}");
        } else {
            let second = Duration::from_millis(1_005);
            assert!(matches!(event, ClientEvent::Back { away } if away == second), "{event:?}");
        }
        assert!(client.is_connected());
        client.send(&say(3)).unwrap();
        read(&mut far, &[say(1), say(2), say(3)]).await;
        // What came behind the answer to the log-in is not lost.
        assert!(matches!(next(&client).await, ClientEvent::Packet(packet) if packet == said(7)));
        drop(far);
        assert!(matches!(
            next(&client).await,
            ClientEvent::Lost { reason: CloseReason::PeerClosed, unsent, .. } if unsent.is_empty()
        ));
        client.send(&say(1)).unwrap();
    }
    assert_eq!(logins.load(Relaxed), 3);
}

fn heard(packets: &[Hear]) -> Vec<u8> {
    let mut bytes = bytes::BytesMut::new();
    for packet in packets {
        packet.encode(&mut bytes, u16::MAX).unwrap();
    }
    bytes.to_vec()
}

#[tokio::test(start_paused = true)]
async fn a_login_that_fails_panics_or_hangs_is_a_try_that_failed() {
    let (mut listener, connector) = memory::listener(4);
    let tries = AtomicU32::new(0);
    let login = move |client: Client<Hear, Ask>| {
        let nth = tries.fetch_add(1, Relaxed);
        async move {
            match nth {
                0 => Err("the password is wrong"),
                1 => panic!("a mistake in the game"),
                2 => std::future::pending().await,
                _ => Ok(client),
            }
        }
    };
    let client = dial(reconnect().login(login).login_timeout(Duration::from_secs(3)), &connector);
    client.send(&say(1)).unwrap();
    for (nth, words) in
        ["the log-in failed: the password is wrong", "the log-in panicked", "not logged in within 3s"]
            .into_iter()
            .enumerate()
    {
        let ClientEvent::Failed { tries, error, .. } = next(&client).await else { panic!("no failure") };
        assert_eq!(tries as usize, nth + 1);
        assert!(error.to_string().starts_with(words), "{error}");
        // Nothing of the game's was sent.
        let mut far = accept(&mut listener).await;
        let mut bytes = Vec::new();
        within(far.read_to_end(&mut bytes)).await.unwrap();
        assert!(bytes.is_empty());
    }
    let mut far = connected(&mut listener, &client).await;
    read(&mut far, &[say(1)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_closes_at_once_is_not_called_without_end() {
    let (mut listener, connector) = memory::listener(4);
    let client = dial(options().reconnect().jitter(0.0), &connector);
    let start = Instant::now();
    let mut accepted = 0;
    while start.elapsed() < Duration::from_secs(3_600) {
        drop(accept(&mut listener).await);
        accepted += 1;
    }
    // 0.5 + 1 + 2 + 4 + 8 + 16 s, then each 30 s.
    assert!((120..130).contains(&accepted), "{accepted} in an hour");
    // Once a connection has lasted, the pauses begin anew.
    let far = accept(&mut listener).await;
    pass(10_000).await;
    drop(far);
    let lost = Instant::now();
    drop(accept(&mut listener).await);
    assert_eq!(lost.elapsed(), Duration::from_millis(500));
    // Nobody has asked for what happened in that hour: it does not grow without bound.
    assert!(client.stats().events_dropped < 20, "{:?}", client.stats());
    drop(accept(&mut listener).await);
    let mut events = 0;
    while !matches!(next(&client).await, ClientEvent::Lost { pause: Some(pause), .. } if pause < Duration::from_secs(1))
    {
        events += 1;
    }
    assert!(events <= 256, "{events}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_has_no_address_is_a_try_that_failed() {
    // No label of a name is that long.
    let client = reconnect().tries(2).connect(format!("{}.invalid:1", "x".repeat(70)));
    for _ in 0..2 {
        let ClientEvent::Failed { error, .. } = next(&client).await else { panic!("no failure") };
        assert!(error.to_string().starts_with("cannot connect: "), "{error}");
    }
    assert!(matches!(next(&client).await, ClientEvent::GaveUp { tries: 2, .. }));
}

#[tokio::test]
async fn a_server_that_starts_again_on_its_port_has_its_clients_back() {
    let server = async |port: u16| {
        let door = Door::tcp(format!("127.0.0.1:{port}"));
        Server::new().door(door).serve(echo).await
    };
    let mut running = server(0).await.unwrap();
    let port = running.addr().port();
    let quick = options().reconnect().first_pause(Duration::from_millis(1)).settled(Duration::ZERO);
    let client = quick.connect(running.addr());
    assert!(matches!(next(&client).await, ClientEvent::Connected));
    for n in 0..3 {
        client.send(&say(n)).unwrap();
        assert!(matches!(next(&client).await, ClientEvent::Packet(packet) if packet == said(n)));
        running.shutdown().await;
        let event = next(&client).await;
        assert!(matches!(event, ClientEvent::Lost { .. }), "{event:?}");
        // It waits for the next server.
        client.send(&say(100 + n)).unwrap();
        running = server(port).await.unwrap();
        loop {
            match next(&client).await {
                ClientEvent::Failed { error: TryError::Connect(error), .. } => {
                    assert!(error.to_string().contains("whether the server runs"), "{error}");
                }
                ClientEvent::Back { .. } => break,
                other => panic!("{other:?}"),
            }
        }
        assert!(matches!(next(&client).await, ClientEvent::Packet(packet) if packet == said(100 + n)));
    }
    assert!(within(client.close()).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_meanwhile_waits_within_a_bound() {
    let (mut listener, connector) = memory::listener(4);
    // Five packets of 9 bytes.
    let client = dial(reconnect().away(Away::Queue(45)), &connector);
    for n in 0..5 {
        client.send(&say(n)).unwrap();
    }
    assert!(matches!(client.send(&say(5)), Err(NotSent::Full)));
    assert_eq!(client.stats().refused, 1);
    let waiting = {
        let client = client.clone();
        tokio::spawn(async move { client.send_wait(&say(5)).await })
    };
    pass(0).await;
    let mut far = connected(&mut listener, &client).await;
    within(waiting).await.unwrap().unwrap();
    client.send(&say(6)).unwrap();
    read(&mut far, &says(0..7)).await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_longer_than_a_connection_takes_is_handed_over_bit_by_bit() {
    const MANY: u32 = 5_000;
    let (mut listener, connector) = memory::listener(4);
    let small = options().limits(Limits::new().queue(200)).reconnect().jitter(0.0);
    let client = dial(small.away(Away::Queue(9 * MANY as usize)), &connector.with_capacity(50));
    for n in 0..MANY {
        client.send(&say(n)).unwrap();
    }
    let mut far = connected(&mut listener, &client).await;
    // Behind those that wait, although there is a connection.
    let behind = {
        let client = client.clone();
        tokio::spawn(async move { client.send_wait(&say(MANY)).await })
    };
    read(&mut far, &says(0..MANY + 1)).await;
    within(behind).await.unwrap().unwrap();
    // Above the bound a packet is refused; the connection stays.
    let refused = (0..100).map(|n| client.send(&say(n))).filter(Result::is_err).count();
    assert!(refused > 50 && client.is_connected(), "{refused}");
    assert_eq!(client.stats().refused, refused as u64);
}

#[tokio::test(start_paused = true)]
async fn a_packet_that_never_fits_is_refused_at_once() {
    let client = reconnect().away(Away::Queue(8)).dial(std::future::pending::<io::Result<MemoryStream>>);
    assert!(matches!(within(client.send_wait(&say(1))).await, Err(NotSent::Full)));
    let small = options().limits(Limits::new().queue(17)).reconnect();
    let client = small.dial(std::future::pending::<io::Result<MemoryStream>>);
    assert!(matches!(within(client.send_wait(&say(1))).await, Err(NotSent::Full)));
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_to_wait_it_is_refused_while_there_is_no_connection() {
    let (mut listener, connector) = memory::listener(4);
    let client = dial(reconnect().away(Away::Refuse), &connector);
    assert!(matches!(client.send(&say(0)), Err(NotSent::Away(_))));
    assert!(matches!(client.send_wait(&say(0)).await, Err(NotSent::Away(_))));
    for n in 1..4 {
        let mut far = connected(&mut listener, &client).await;
        client.send(&say(n)).unwrap();
        read(&mut far, &[say(n)]).await;
        drop(far);
        assert!(matches!(next(&client).await, ClientEvent::Lost { .. }));
        assert!(matches!(client.send(&say(0)), Err(NotSent::Away(_))));
    }
    assert_eq!(client.stats().refused, 5);
}

#[tokio::test(start_paused = true)]
async fn closing_sends_what_is_queued_and_the_last_handle_closes_too() {
    for by_drop in [false, true] {
        let (mut listener, connector) = memory::listener(4);
        let client = dial(reconnect(), &connector.with_capacity(10));
        let mut far = connected(&mut listener, &client).await;
        for n in 0..100 {
            client.send(&say(n)).unwrap();
        }
        let other = client.clone();
        drop(client);
        let read_all = async {
            let mut bytes = Vec::new();
            far.read_to_end(&mut bytes).await.unwrap();
            drop(far);
            bytes
        };
        let bytes = if by_drop {
            drop(other);
            within(read_all).await
        } else {
            let another = other.clone();
            let (bytes, unsent) = within(async { tokio::join!(read_all, other.close()) }).await;
            assert!(unsent.is_empty());
            assert!(another.next().await.is_none() && another.send(&say(0)).is_err());
            bytes
        };
        assert_eq!(bytes, bytes_of(&says(0..100)));
        pass(100_000).await;
        assert!(connector_is_left_alone(&mut listener).await, "it connected again");
    }
}

async fn connector_is_left_alone(listener: &mut MemoryListener) -> bool {
    tokio::time::timeout(Duration::from_secs(1), listener.accept()).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn closing_without_a_connection_or_against_a_server_that_does_not_read_tells_what_is_left() {
    let client = reconnect().dial(std::future::pending::<io::Result<MemoryStream>>);
    client.send(&say(1)).unwrap();
    let (first, second) = (client.clone(), client.clone());
    assert_eq!(within(client.close()).await.packets(), [say(1)]);
    assert!(within(first.close()).await.is_empty());
    assert_eq!(second.stats().unsent, 1);

    let (mut listener, connector) = memory::listener(4);
    let client = dial(reconnect(), &connector.with_capacity(10));
    let _far = connected(&mut listener, &client).await;
    for n in 0..5 {
        client.send(&say(n)).unwrap();
    }
    pass(1).await;
    // The limits' `stall` ends it.
    let unsent = within(client.close()).await;
    assert_eq!((unsent.uncertain(), unsent.packets()), (&[say(1)][..], &says(2..5)[..]));
}

#[tokio::test(start_paused = true)]
async fn packets_that_nobody_takes_are_not_read_from_the_socket_unless_only_answers_count() {
    for only_answers in [false, true] {
        let (mut listener, connector) = memory::listener(4);
        let small = Client::<Hear, Ask>::options().limits(Limits::new().inbox(10));
        let client = dial(small.reconnect().only_answers(only_answers), &connector.with_capacity(100));
        let mut far = connected(&mut listener, &client).await;
        let all: Vec<_> = (0..10_000).map(said).collect();
        let all = heard(&all);
        let written = tokio::time::timeout(Duration::from_secs(1), far.write_all(&all)).await;
        assert_eq!(written.is_ok(), only_answers);
        pass(1).await;
        if only_answers {
            assert_eq!(client.stats().ignored, 10_000);
        } else {
            for n in 0..20 {
                let event = next(&client).await;
                assert!(matches!(event, ClientEvent::Packet(packet) if packet == said(n)));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_unknown_closes_the_connection_or_is_told() {
    for told in [false, true] {
        let (mut listener, connector) = memory::listener(4);
        let client = dial(reconnect().faults(told), &connector);
        let mut far = connected(&mut listener, &client).await;
        far.write_all(b"\x05\x00\x63\x00\x00").await.unwrap();
        far.write_all(&heard(&[said(1)])).await.unwrap();
        if told {
            assert!(matches!(next(&client).await, ClientEvent::Fault(_)));
            assert!(matches!(next(&client).await, ClientEvent::Packet(_)));
        } else {
            let event = next(&client).await;
            let unknown = CloseReason::Unknown(99.into());
            assert!(matches!(event, ClientEvent::Lost { reason, .. } if reason == unknown), "{event:?}");
        }
    }
}

#[derive(Packet, Debug, PartialEq)]
enum Question {
    #[packet(id = 1, reply = 2)]
    Add { a: u32, b: u32 },
    #[packet(id = 3)]
    Wave,
}

#[derive(Packet, Debug, PartialEq)]
enum Answer {
    #[packet(id = 2)]
    Sum { sum: u32 },
}

#[tokio::test(start_paused = true)]
async fn requests_wait_for_a_connection_and_fail_when_it_is_lost() {
    let (mut listener, connector) = memory::listener(4);
    let connecting = connector.clone();
    let client = Client::<Answer, Question>::options()
        .reconnect()
        .jitter(0.0)
        .dial(move || std::future::ready(connecting.connect()));
    let ask = |a, b| {
        let client = client.clone();
        tokio::spawn(async move { client.request(Question::Add { a, b }).await })
    };
    client.send(&Question::Wave).unwrap();
    let early = ask(3, 5);
    let mut far = Client::<Question, Answer>::options().over(accept(&mut listener).await);
    assert_eq!(within(far.recv()).await, Ok(Some(Question::Wave)));
    assert_eq!(within(far.recv()).await, Ok(Some(Question::Add { a: 3, b: 5 })));
    far.send(&Answer::Sum { sum: 8 }).unwrap();
    assert_eq!(within(early).await.unwrap().unwrap(), Answer::Sum { sum: 8 });

    let under_way = ask(1, 1);
    assert_eq!(within(far.recv()).await, Ok(Some(Question::Add { a: 1, b: 1 })));
    drop(far);
    let error = within(under_way).await.unwrap().unwrap_err();
    assert!(matches!(error, RequestError::Closed(_)), "{error}");
    // The next one waits for the next connection.
    let later = ask(2, 2);
    let mut far = Client::<Question, Answer>::options().over(accept(&mut listener).await);
    assert_eq!(within(far.recv()).await, Ok(Some(Question::Add { a: 2, b: 2 })));
    far.send(&Answer::Sum { sum: 4 }).unwrap();
    assert!(within(later).await.unwrap().is_ok());

    // An answer that never comes would be the end of all requests behind it.
    let second = Duration::from_secs(1);
    let ignored = client.request_within(Question::Add { a: 9, b: 9 }, second);
    assert!(matches!(within(ignored).await, Err(RequestError::Timeout(time)) if time == second));
    client.reconnect();
    let again = ask(4, 4);
    let mut far = Client::<Question, Answer>::options().over(accept(&mut listener).await);
    assert_eq!(within(far.recv()).await, Ok(Some(Question::Add { a: 4, b: 4 })));
    far.send(&Answer::Sum { sum: 8 }).unwrap();
    assert_eq!(within(again).await.unwrap().unwrap(), Answer::Sum { sum: 8 });
    assert_eq!(client.stats().lost, 2);

    // Nobody is there: it fails in its own time.
    drop((far, listener));
    let begun = Instant::now();
    let time = Duration::from_millis(2_500);
    let error = within(client.request_within(Question::Add { a: 0, b: 0 }, time)).await.unwrap_err();
    assert!(matches!(error, RequestError::Away(_) | RequestError::Closed(_)), "{error}");
    let error = within(client.request_within(Question::Add { a: 0, b: 0 }, time)).await.unwrap_err();
    assert!(matches!(error, RequestError::Away(_)) && begun.elapsed() >= time, "{error}");
}

/// A stream of numbers over a client that is cut ten thousand times. Each number that was accepted is received once, or told
/// as unsent, or as uncertain.
#[test]
fn ten_thousand_cuts_from_a_seed_lose_and_double_nothing() {
    for (seed, cuts) in [(1, 9_000), (2, 1_000)] {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().unwrap().block_on(cut_and_count(seed, cuts));
    }
}

async fn cut_and_count(seed: u64, cuts: u64) {
    // The server notes what it receives.
    let (door, connector) = Door::<Ask, Hear>::memory(Binary::new());
    let received = Arc::new(Mutex::new(Vec::new()));
    let noted = received.clone();
    let server = Server::new().door(door).serve(move |mut peer: Connection<Ask, Hear>| {
        let noted = noted.clone();
        async move {
            while let Some(Ask::Say { n }) = peer.recv().await? {
                noted.lock().unwrap().push(n);
                let _ = peer.send(&said(n));
            }
            Ok::<_, CloseReason>(())
        }
    });
    let server = server.await.unwrap();
    let random = Arc::new(Mutex::new(Random(seed)));
    let (drawn, made) = (random.clone(), Arc::new(AtomicU32::new(0)));
    let counted = made.clone();
    let client =
        options().reconnect().seed(seed).settled(Duration::ZERO).first_pause(Duration::from_millis(20)).dial(
            move || {
                let mut random = drawn.lock().unwrap();
                let stream = connector.clone().with_capacity(1 + random.below(300) as usize).connect();
                std::future::ready(stream.inspect(|stream| {
                    let faults = stream.faults();
                    if random.below(2) == 0 {
                        faults.cut(random.0, 1 + random.below(30) as usize);
                    }
                    if u64::from(counted.fetch_add(1, Relaxed)) < cuts {
                        faults.reset_after(random.below(400) as usize);
                    }
                }))
            },
        );

    let mut accepted = Vec::new();
    let (mut unsent, mut uncertain, mut heard, mut lost) = (Vec::new(), Vec::new(), 0, 0);
    let mut n = 0;
    while lost < cuts {
        let burst = random.lock().unwrap().below(20);
        for _ in 0..burst {
            n += 1;
            let wait = random.lock().unwrap().below(4) == 0;
            let sent = if wait { within(client.send_wait(&say(n))).await } else { client.send(&say(n)) };
            match sent {
                Ok(()) => accepted.push(n),
                Err(NotSent::Full) => {}
                Err(error) => panic!("{error}"),
            }
        }
        let time = random.lock().unwrap().below(15);
        let mut event = tokio::time::timeout(Duration::from_millis(time.into()), client.next()).await;
        while let Ok(Some(happened)) = event {
            match happened {
                ClientEvent::Packet(Hear::Said { .. }) => heard += 1,
                ClientEvent::Lost { unsent: rest, .. } => {
                    lost += 1;
                    let number = |ask: &Ask| if let Ask::Say { n } = ask { *n } else { panic!("{ask:?}") };
                    uncertain.extend(rest.uncertain().iter().map(number));
                    unsent.extend(rest.packets().iter().map(number));
                    assert_eq!(rest.count(), rest.packets().len() + rest.uncertain().len());
                }
                ClientEvent::Connected | ClientEvent::Back { .. } => {}
                other => panic!("{other:?}"),
            }
            event = Ok(futures::FutureExt::now_or_never(client.next()).flatten());
        }
    }
    assert!(within(client.close()).await.is_empty());
    within(server.shutdown()).await;

    let received = std::mem::take(&mut *received.lock().unwrap());
    let mut told: Vec<u32> = received.iter().chain(&unsent).copied().collect();
    told.extend(uncertain.iter().filter(|n| received.binary_search(n).is_err()));
    assert!(received.is_sorted_by(|one, other| one < other), "doubled, or out of order");
    told.sort_unstable();
    // Both lists are sorted, and hold each number once: none was received that was told to be unsent.
    assert_eq!(told.len(), accepted.len(), "lost or doubled");
    assert_eq!(told, accepted);
    // All of it happens.
    let (made, broken) = (u64::from(made.load(Relaxed)), uncertain.len() as u64);
    let all = format!(
        "{made} made, {heard} heard, {} received, {} unsent, {broken} broken",
        received.len(),
        unsent.len()
    );
    assert!(made >= cuts && broken > cuts / 4 && heard.min(unsent.len()) as u64 > cuts, "{all}");
}

struct Random(u64);

impl Random {
    fn below(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(below)) as u32
    }
}
