//! The client that reconnects, with adapters and settings that few have.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt;

use netcore::{Client, ClientEvent, Limits, Lines, Text, TextProtocol, TryError, memory};
use tokio::time::Instant;

use crate::common::{Ask, Hear, within};

/// Says numbers in words: no header says how long they are.
#[derive(Clone)]
struct Words;

impl TextProtocol for Words {
    type In = Hear;
    type Out = Ask;

    fn parse(&mut self, line: &str) -> Result<Hear, String> {
        line.parse().map(|n| Hear::Said { n }).map_err(|_| "no number".to_owned())
    }

    fn print(&self, packet: &Ask, lines: &mut Lines<'_>) {
        // Of anything else it says nothing.
        if let Ask::Say { n } = packet {
            lines.line(format_args!("say {n}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_handed_over_packet_by_packet_whatever_the_adapter_writes() {
    let (mut listener, connector) = memory::listener(8);
    let client = Client::options().adapter(Text::new(Words)).reconnect();
    let client = client.dial(move || std::future::ready(connector.connect()));
    for n in 0..100 {
        client.send(&Ask::Say { n }).unwrap();
        client.send(&Ask::Do { what: 0, n }).unwrap();
    }
    let mut far = within(listener.accept()).await.unwrap();
    let expected: String = (0..100).map(|n| format!("say {n}\n")).collect();
    let mut text = vec![0; expected.len()];
    within(far.read_exact(&mut text)).await.unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), expected);
    assert!(client.close().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_lost_while_the_client_closes_is_not_waited_for() {
    let (mut listener, connector) = memory::listener(1);
    let connector = connector.with_capacity(10);
    let options = Client::<Hear, Ask>::options().limits(Limits::new().queue(100));
    let client = options.reconnect().dial(move || std::future::ready(connector.connect()));
    for n in 0..50 {
        client.send(&Ask::Say { n }).unwrap();
    }
    let far = within(listener.accept()).await.unwrap();
    assert!(matches!(within(client.next()).await, Some(ClientEvent::Connected)));
    let begun = Instant::now();
    // It reads nothing: one packet and a byte are in the pipe, and most still waits for room.
    let (unsent, ()) = tokio::join!(within(client.close()), async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        far.faults().reset();
    });
    assert_eq!(unsent.count(), 49);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_an_adapter_does_not_read_back_is_counted_all_the_same() {
    let dial = || std::future::pending::<io::Result<memory::MemoryStream>>();
    let client = Client::options().adapter(Text::new(Words)).reconnect().dial(dial);
    for n in 0..10 {
        client.send(&Ask::Say { n }).unwrap();
    }
    let unsent = client.close().await;
    assert_eq!((unsent.count(), unsent.bytes(), unsent.packets().len()), (10, 60, 0));
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_panics_is_a_try_that_failed() {
    let reconnect = Client::<Hear, Ask>::options().reconnect().tries(2);
    let client = reconnect.dial(|| async {
        if true {
            panic!("the game's own");
        }
        Err::<memory::MemoryStream, _>(io::ErrorKind::Other.into())
    });
    client.send(&Ask::Say { n: 1 }).unwrap();
    for _ in 0..2 {
        let event = within(client.next()).await;
        assert!(
            matches!(&event, Some(ClientEvent::Failed { error: TryError::DialPanicked, .. })),
            "{event:?}"
        );
    }
    let Some(ClientEvent::GaveUp { tries: 2, unsent }) = within(client.next()).await else { panic!() };
    assert_eq!(unsent.packets(), [Ask::Say { n: 1 }]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_without_end_is_one_of_many_years() {
    let reconnect = Client::<Hear, Ask>::options().reconnect().jitter(0.0);
    let reconnect = reconnect.first_pause(Duration::MAX).longest_pause(Duration::MAX);
    let client =
        reconnect.dial(|| std::future::ready(Err::<memory::MemoryStream, _>(io::ErrorKind::Other.into())));
    client.send(&Ask::Say { n: 1 }).unwrap();
    let Some(ClientEvent::Failed { pause: Some(pause), .. }) = within(client.next()).await else { panic!() };
    assert!(pause > Duration::from_secs(20 * 365 * 24 * 60 * 60));
    assert_eq!(client.close().await.packets().len(), 1);
}
