//! What a recorder hears, beside the manual's table and what really happened.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use netcore::cluster::{ClaimError, Cluster, Event, Memory, PublishError};
use netcore::memory::{MemoryConnector, MemoryStream};
use netcore::{
    Binary, Client, CloseReason, Connection, Context, Door, Frame, Host, Limits, Logic, Over, Packet,
    PlainText, Rate, RequestError, SendError, Server, SessionId, Slow, Text, Tick,
};

/// More kinds than a batch has places for.
#[derive(Packet, Clone, Debug, PartialEq)]
enum Ask {
    #[packet(id = 1, reply = 101)]
    Echo { n: u32 },
    #[packet(id = 2)]
    Wave,
    #[packet(id = 3)]
    C,
    #[packet(id = 4)]
    D,
    #[packet(id = 5)]
    E,
    #[packet(id = 6)]
    F,
    #[packet(id = 7)]
    G,
    #[packet(id = 8)]
    H,
    #[packet(id = 9)]
    I,
    #[packet(id = 10)]
    J,
    #[packet(id = 11)]
    K,
}

#[derive(Packet, Clone, Debug, PartialEq)]
enum Hear {
    #[packet(id = 101)]
    Echoed { n: u32 },
    #[packet(id = 102)]
    Waved,
}

struct World;

impl Logic for World {
    type In = Ask;
    type Out = Hear;
    type Message = ();

    fn packet(&mut self, ctx: &mut Context<Self>, session: SessionId, packet: Ask) {
        match packet {
            Ask::Echo { n } => drop(ctx.send(session, &Hear::Echoed { n })),
            Ask::Wave => ctx.broadcast(&Hear::Waved),
            _ => {}
        }
    }

    fn tick(&mut self, ctx: &mut Context<Self>, tick: Tick) {
        if tick.number == 3 {
            ctx.broadcast(&Hear::Waved);
        }
    }
}

/// Series by `name{key=value,…}`, each value as a number; of a histogram, how many there are.
type Series = BTreeMap<String, f64>;

fn series(recorder: &DebuggingRecorder) -> Series {
    let all = recorder.snapshotter().snapshot().into_vec().into_iter().map(|(key, _, _, value)| {
        let mut labels: Vec<_> =
            key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        labels.sort();
        let value = match value {
            DebugValue::Counter(count) => count as f64,
            DebugValue::Gauge(value) => *value,
            DebugValue::Histogram(values) => values.len() as f64,
        };
        (format!("{}{{{}}}", key.key().name(), labels.join(",")), value)
    });
    all.collect()
}

/// Only those that are not zero and whose name begins so.
fn some(series: &Series, prefix: &str) -> Vec<(String, f64)> {
    let some = series.iter().filter(|(name, value)| name.starts_with(prefix) && **value != 0.0);
    some.map(|(name, value)| (name.trim_start_matches(prefix).to_owned(), *value)).collect()
}

fn named(expected: &[(&str, f64)]) -> Vec<(String, f64)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

/// Runs on a paused clock and this thread alone, with a recorder of its own.
fn recorded<F: Future>(test: impl FnOnce() -> F) -> DebuggingRecorder {
    let recorder = DebuggingRecorder::new();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(600), test()).await.expect("it ends")
        });
        // What its tasks still have to say, too.
        drop(runtime);
    });
    recorder
}

fn client(connector: &MemoryConnector) -> Client<Hear, Ask> {
    Client::options().over(connector.connect().unwrap())
}

async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

async fn echo(mut peer: Connection<Ask, Hear>) -> Result<(), SendError> {
    while let Some(packet) = peer.recv().await? {
        match packet {
            Ask::Echo { n } => peer.send(&Hear::Echoed { n })?,
            Ask::Wave => peer.send(&Hear::Waved)?,
            _ => {}
        }
    }
    Ok(())
}

#[test]
fn the_manuals_table_is_what_is_emitted() {
    let recorder = recorded(async || {
        let (door, connector) = Door::memory(Binary::new());
        let server = Server::new().host(Host::Task).door(door).tick_hz(10).logic(World).await.unwrap();
        let login = async |client: Client<Hear, Ask>| Ok::<_, RequestError>(client);
        let client = Client::options().reconnect().login(login).dial(move || {
            let stream = connector.connect();
            std::future::ready(stream)
        });
        client.request(Ask::Echo { n: 1 }).await.unwrap();
        pass(1_500).await;
        server.shutdown().await;
        while !matches!(client.next().await, Some(netcore::ClientEvent::Failed { .. })) {}
        let (node, starter) = Cluster::new(Memory::new());
        let _events = starter.start_events();
        node.settled().await.unwrap();
        node.shutdown().await;
    });

    // name → kind, unit, labels.
    let mut emitted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (key, unit, description, _) in recorder.snapshotter().snapshot().into_vec() {
        let kind = match key.kind() {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        let mut labels: Vec<_> = key.key().labels().map(|label| format!("`{}`", label.key())).collect();
        labels.sort();
        let name = key.key().name().to_owned();
        let unit = unit.unwrap_or_else(|| panic!("{name} has no unit")).as_str().to_owned();
        assert!(description.is_some_and(|words| !words.is_empty()), "{name}");
        emitted.entry(name).or_default().insert(format!("{kind} | {unit} | {}", labels.join(", ")));
    }
    let mut documented: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in
        include_str!("../src/manual/metrics.md").lines().filter(|line| line.starts_with("| `netcore_"))
    {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, unit, labels, meaning] = cells[..] else { panic!("{line}") };
        assert!(!meaning.is_empty(), "{line}");
        let about = BTreeSet::from([format!("{kind} | {unit} | {labels}")]);
        let before = documented.insert(name.trim_matches('`').to_owned(), about);
        assert!(before.is_none(), "{name} stands there twice");
    }
    assert_eq!(emitted, documented);
}

#[test]
fn packets_are_counted_by_name_and_door_both_ways() {
    let recorder = recorded(async || {
        let (one, first) = Door::memory(Binary::new());
        let (two, second) = Door::memory(Binary::new());
        let server = Server::new().host(Host::Task).door(one.name("one")).door(two.name("two"));
        let server = server.logic(World).await.unwrap();
        let (mut a, b) = (client(&first), client(&second));
        pass(1).await;
        for n in 0..10 {
            a.send(&Ask::Echo { n }).unwrap();
        }
        b.send(&Ask::Wave).unwrap();
        // All eleven kinds in one batch, twice.
        use Ask::{C, D, E, F, G, H, I, J, K, Wave};
        for packet in [Ask::Echo { n: 0 }, C, D, E, F, G, H, I, J, K, C, D, E, F, G, H, I, J, K] {
            b.send(&packet).unwrap();
        }
        b.send(&Wave).unwrap();
        for _ in 0..12 {
            a.recv().await.unwrap().unwrap();
        }
        assert!(b.close().await == CloseReason::Ended && a.close().await == CloseReason::Ended);
        server.shutdown().await;
    });
    let series = series(&recorder);
    let kinds = |door: &str, kinds: &[(&str, f64)]| -> Vec<(String, f64)> {
        kinds.iter().map(|(name, count)| (format!("{{door={door},packet={name}}}"), *count)).collect()
    };
    let twice = ["C", "D", "Echo", "E", "F", "G", "H", "I", "J", "K", "Wave"]
        .map(|name| (name, if name == "Echo" { 1.0 } else { 2.0 }));
    let mut received = kinds("client", &[("Echoed", 11.0), ("Waved", 4.0)]);
    received.extend(kinds("one", &[("Echo", 10.0)]));
    received.extend(kinds("two", &twice));
    assert_eq!(some(&series, "netcore_packets_received_total"), received);
    // What one side has received the other has sent.
    let mut sent = kinds("client", &twice);
    sent.iter_mut().find(|(name, _)| name.contains("=Echo}")).unwrap().1 = 11.0;
    sent.extend(kinds("one", &[("Echoed", 10.0), ("Waved", 2.0)]));
    sent.extend(kinds("two", &[("Echoed", 1.0), ("Waved", 2.0)]));
    assert_eq!(some(&series, "netcore_packets_sent_total"), sent);
    let bytes = |name: &str| some(&series, name).iter().map(|(_, bytes)| bytes).sum::<f64>();
    let all = 11.0 * 9.0 + 20.0 * 5.0 + 11.0 * 9.0 + 4.0 * 5.0;
    assert_eq!(bytes("netcore_packet_bytes_received_total"), all);
    assert_eq!(bytes("netcore_packet_bytes_sent_total"), all);
    assert_eq!(bytes("netcore_bytes_received_total") + bytes("netcore_bytes_sent_total"), all);
    assert_eq!(series["netcore_sessions_opened_total{}"], 2.0);
    assert_eq!(series["netcore_sessions_open{}"], 0.0);
    assert_eq!(some(&series, "netcore_sessions_closed_total"), named(&[("{reason=peer_closed}", 2.0)]));
}

#[test]
fn a_task_a_session_counts_the_same_packets_also_where_the_transport_takes_little() {
    let recorder = recorded(async || {
        let (door, connector) = Door::memory(Binary::new());
        let server = Server::new().door(door).serve(echo).await.unwrap();
        let mut client = client(&connector.with_capacity(100));
        for n in 0..500 {
            client.send(&Ask::Echo { n }).unwrap();
        }
        for n in 0..500 {
            assert_eq!(client.recv().await, Ok(Some(Hear::Echoed { n })));
        }
        client.close().await;
        server.shutdown().await;
    });
    let series = series(&recorder);
    let expected = named(&[("{door=client,packet=Echo}", 500.0), ("{door=memory,packet=Echoed}", 500.0)]);
    assert_eq!(some(&series, "netcore_packets_sent_total"), expected);
    let expected = named(&[("{door=client,packet=Echoed}", 500.0), ("{door=memory,packet=Echo}", 500.0)]);
    assert_eq!(some(&series, "netcore_packets_received_total"), expected);
}

#[test]
fn what_comes_in_place_of_packets_is_counted_by_kind_and_invented_ids_make_no_series() {
    let recorder = recorded(async || {
        let (door, connector) = Door::memory(Binary::new());
        let (frames, plain) = Door::<Frame, Frame>::memory(Binary::new());
        let (text, typed) = Door::<String, String>::memory(Text::new(PlainText::new()).max_line(10));
        let server = Server::new().door(door).serve(async |mut peer: Connection<Ask, Hear>| {
            while let Some(packet) = peer.recv_any().await? {
                drop(packet);
            }
            Ok::<_, CloseReason>(())
        });
        let _server = server.await.unwrap();
        let mut stream = connector.connect().unwrap();
        // An echo without a body, two ids that are not known, a good packet, no frame.
        stream
            .write_all(b"\x05\0\x01\0\0\x05\0\x63\0\0\x05\0\x64\0\0\x05\0\x02\0\0\x01\0\0\0\0")
            .await
            .unwrap();
        drain(stream).await;

        let server = Server::new().door(frames.name("frames"));
        let _server = server
            .serve(async |mut peer: Connection<Frame, Frame>| {
                while let Some(packet) = peer.recv().await? {
                    peer.send_wait(&packet).await?;
                }
                Ok::<_, SendError>(())
            })
            .await
            .unwrap();
        let mut frames = Client::<Frame, Frame>::options().over(plain.connect().unwrap());
        for id in 0..1_000 {
            frames.send(&Frame::new(id, "")).unwrap();
        }
        for _ in 0..1_000 {
            frames.recv().await.unwrap().unwrap();
        }

        let _server = Server::new()
            .door(text.name("text"))
            .serve(async |mut peer: Connection<String, String>| {
                while let Some(line) = peer.recv().await? {
                    peer.send(&line)?;
                }
                Ok::<_, SendError>(())
            })
            .await
            .unwrap();
        let mut stream = typed.connect().unwrap();
        stream.write_all(b"hello\nmuch too long for a line\nworld\n").await.unwrap();
        stream.shutdown().await.unwrap();
        drain(stream).await;
    });
    let series = series(&recorder);
    assert_eq!(
        some(&series, "netcore_decode_errors_total"),
        named(&[
            ("{door=memory,kind=malformed}", 1.0),
            ("{door=memory,kind=unknown}", 2.0),
            ("{door=text,kind=refused}", 1.0)
        ])
    );
    let received = some(&series, "netcore_packets_received_total");
    assert_eq!(
        received,
        named(&[
            ("{door=client,packet=other}", 1_000.0),
            ("{door=frames,packet=other}", 1_000.0),
            ("{door=memory,packet=Wave}", 1.0),
            // The one that was refused came, too.
            ("{door=text,packet=line}", 3.0),
        ])
    );
    assert_eq!(series["netcore_packets_sent_total{door=text,packet=line}"], 3.0);
    assert_eq!(series["netcore_packets_sent_total{door=frames,packet=other}"], 1_000.0);
    let closed = some(&series, "netcore_sessions_closed_total");
    assert!(closed.contains(&("{reason=frame}".to_owned(), 1.0)), "{closed:?}");
}

#[cfg(feature = "compress")]
#[test]
fn compressed_packets_are_counted_as_they_are_on_the_wire_and_what_they_inflate_to_beside() {
    let recorder = recorded(async || {
        #[derive(Packet, Debug, PartialEq)]
        enum Said {
            #[packet(id = 1)]
            Short { n: u32 },
            #[packet(id = 2)]
            Long {
                #[raw(len = u16)]
                text: String,
            },
        }
        let packed = || Binary::new().compress(netcore::Compress::new().threshold(100));
        let (door, connector) = Door::<Said, Said>::memory(packed());
        let server = Server::new().door(door).serve(async |mut peer: Connection<Said, Said>| {
            while let Some(packet) = peer.recv().await? {
                peer.send(&packet)?;
            }
            Ok::<_, SendError>(())
        });
        let _server = server.await.unwrap();
        let options = Client::<Said, Said>::options().adapter(packed());
        let mut client = options.over(connector.connect().unwrap());
        let text = "a".repeat(1_000);
        for packet in [Said::Short { n: 1 }, Said::Long { text: text.clone() }, Said::Long { text }] {
            client.send(&packet).unwrap();
            assert_eq!(client.recv().await, Ok(Some(packet)));
        }
    });
    let series = series(&recorder);
    for way in ["received", "sent"] {
        for door in ["client", "memory"] {
            let value = |name: &str, packet| {
                series[&format!("netcore_{name}_{way}_total{{door={door},packet={packet}}}")]
            };
            assert_eq!((value("packets", "Short"), value("packets", "Long")), (1.0, 2.0));
            assert_eq!(value("packet_bytes", "Short"), 9.0);
            assert!(value("packet_bytes", "Long") < 200.0);
            assert_eq!(series[&format!("netcore_inflated_bytes_total{{door={door}}}")], 2.0 * 1_007.0);
        }
    }
}

#[test]
fn a_server_that_is_dropped_leaves_no_open_sessions() {
    let recorder = recorded(|| async {
        let (door, connector) = Door::memory(Binary::new());
        let server = Server::new().door(door).serve(echo).await.unwrap();
        let mut client = client(&connector);
        client.send(&Ask::Wave).unwrap();
        assert_eq!(client.recv().await, Ok(Some(Hear::Waved)));
        pass(1_500).await;
        client.send(&Ask::Wave).unwrap();
        assert_eq!(client.recv().await, Ok(Some(Hear::Waved)));
        drop(server);
        pass(100).await;
    });
    let series = series(&recorder);
    assert_eq!(series["netcore_sessions_open{}"], 0.0);
    assert_eq!(series["netcore_sessions_closed_total{reason=stopping}"], 1.0);
    assert_eq!(series["netcore_bytes_received_total{}"], 10.0);
}

async fn drain(mut stream: MemoryStream) {
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[test]
fn drops_refusals_and_queues_are_told_while_the_session_is_open() {
    let recorder = DebuggingRecorder::new();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let limits = Limits::new().queue(1_000).packets(Rate::per_second(100).over(Over::Drop));
            let (door, connector) = Door::memory(Binary::new());
            let server = Server::new().host(Host::Task).door(door.limits(limits)).slow(|_| Slow::DropNewest);
            let server = server.max_sessions(1).logic(World).await.unwrap();
            let client = client(&connector.clone().with_capacity(10));
            let stream_refused = connector.connect().unwrap();
            pass(1).await;
            drop(stream_refused);
            // It does not read: of what is answered, 1,000 bytes wait.
            let (sender, _receiver) = client.split();
            for n in 0..250 {
                sender.send_wait(&Ask::Echo { n }).await.unwrap();
            }
            pass(2_000).await;
            let stats = server.stats();
            assert!(stats.rate_dropped > 0 && stats.open() == 1, "{stats:?}");
            let series = series(&recorder);
            let dropped = some(&series, "netcore_packets_dropped_total");
            assert!(dropped.contains(&("{kind=rate}".to_owned(), stats.rate_dropped as f64)), "{dropped:?}");
            assert_eq!(series["netcore_connections_refused_total{reason=server_full}"], 1.0);
            assert!(series["netcore_queue_bytes{door=memory}"] >= 1.0);
            assert_eq!(series["netcore_sessions_open{}"], 1.0);
        });
    });
}

#[test]
fn ticks_and_round_trips_are_measured_in_seconds() {
    let recorder = recorded(async || {
        let (door, connector) = Door::memory(Binary::new());
        let server = Server::new().host(Host::Task).door(door).tick_hz(10).logic(World).await.unwrap();
        let (mut far, near) = netcore::memory::pair(100);
        let asking = Client::<Hear, Ask>::options().over(near);
        let answer = async {
            pass(250).await;
            far.read_exact(&mut [0; 9]).await.unwrap();
            far.write_all(b"\x09\0\x65\0\0\x01\0\0\0").await.unwrap();
        };
        let (answered, ()) = tokio::join!(asking.request(Ask::Echo { n: 1 }), answer);
        assert_eq!(answered.unwrap(), Hear::Echoed { n: 1 });
        drop(connector);
        pass(760).await;
        server.shutdown().await;
    });
    let all = recorder.snapshotter().snapshot().into_vec();
    let values = |name: &str| {
        let found = all.iter().find(|(key, ..)| key.key().name() == name).unwrap();
        let DebugValue::Histogram(values) = &found.3 else { panic!("{name} is no histogram") };
        values.iter().map(|value| **value).collect::<Vec<_>>()
    };
    assert_eq!(values("netcore_client_request_seconds"), [0.25]);
    assert_eq!(values("netcore_tick_duration_seconds"), [0.0; 10]);
    assert!(values("netcore_tick_lateness_seconds").iter().all(|late| *late < 0.01));
}

#[test]
fn what_is_said_between_nodes_is_told_each_second_and_at_the_end() {
    let recorder = DebuggingRecorder::new();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let memory = Memory::new();
            let [(a, mut heard), (b, _heard)] = [memory.clone(), memory.line()].map(|line| {
                let (node, starter) = Cluster::new(line);
                (node, starter.start_events())
            });
            let _kim = a.claim("kim").await.unwrap();
            assert!(matches!(b.claim("kim").await, Err(ClaimError::Taken { .. })));
            a.subscribe("news").unwrap();
            a.settled().await.unwrap();
            b.publish("news", "hello").unwrap();
            while !matches!(heard.recv().await, Some(Event::Message { .. })) {}
            memory.away();
            while !matches!(heard.recv().await, Some(Event::Away { .. })) {}
            let _lee = a.claim("lee").await.unwrap();
            pass(1_001).await;
            let told = series(&recorder);
            assert_eq!(told["netcore_cluster_away{}"], 1.0);
            for (name, value) in [
                ("published_total{}", 1.0),
                ("delivered_total{}", 1.0),
                ("connected_total{}", 2.0),
                ("links_lost_total{}", 1.0),
                ("claims_total{kind=refused}", 1.0),
                ("claims_total{kind=alone}", 1.0),
                ("claims_total{kind=lost}", 0.0),
                ("dropped_total{kind=in}", 0.0),
                ("dropped_total{kind=out}", 0.0),
            ] {
                assert_eq!(told[&format!("netcore_cluster_{name}")], value, "{name}");
            }
            assert_eq!(a.publish("news", "lost"), Err(PublishError::Away));
            a.shutdown().await;
            b.shutdown().await;
            pass(1).await;
            // Since the recorder was looked at before.
            let told = series(&recorder);
            assert_eq!(told["netcore_cluster_unsent_total{}"], 1.0, "also what was counted last");
            assert_eq!(told["netcore_cluster_away{}"], -1.0);
        });
    });
}
