//! Clients whose runtime ends before them.

use std::time::Duration;

use netcore::body::{BodyError, Format, Reader};
use netcore::{Client, ClientEvent, CloseReason, Packet, ReconnectingClient, memory};
use tokio::runtime::{Builder, Runtime};

use crate::common::{Ask, Hear};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_client_whose_runtime_has_ended_ends_and_says_what_waited() {
    for turns in [0, 1, 2, 100] {
        let (listener, connector) = memory::listener(8);
        let runtime = runtime();
        let client = runtime.block_on(async {
            let connector = connector.clone();
            let client = Client::<Hear, Ask>::options().reconnect();
            let client = client.dial(move || std::future::ready(connector.connect()));
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            client
        });
        for n in 0..5 {
            client.send(&Ask::Say { n }).unwrap();
        }
        drop(runtime);
        assert!(client.send(&Ask::Say { n: 9 }).is_err(), "{turns}");
        self::runtime().block_on(async {
            while let Some(event) = client.next().await {
                assert!(matches!(event, ClientEvent::Connected), "{event:?}");
            }
            let unsent = client.close().await;
            assert_eq!((unsent.count(), unsent.packets().len()), (5, 5), "{turns}");
        });
        drop(listener);
    }
}

#[test]
fn a_connection_whose_runtime_has_ended_did_not_panic() {
    let (_far, near) = memory::pair(100);
    let (runtime, other) = (runtime(), runtime());
    let mut client = runtime.block_on(async { Client::<Hear, Ask>::options().over(near) });
    drop(runtime);
    assert_eq!(other.block_on(client.recv()), Ok(None));
    assert_eq!(other.block_on(client.close()), CloseReason::Ended);
}

thread_local! {
    static ASKED: std::cell::RefCell<Option<ReconnectingClient<Hear, Asks>>> = const { std::cell::RefCell::new(None) };
}

/// A number, which is encoded once the client that sends it has been asked something.
struct Asking;

impl Format<u32> for Asking {
    const NAME: &'static str = "asking";
    const SHARES: bool = false;

    fn encode(value: &u32, dst: &mut bytes::BytesMut) -> Result<(), BodyError> {
        ASKED.with_borrow(|client| client.as_ref().map(ReconnectingClient::is_connected));
        dst.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn decode(body: &mut Reader<'_>) -> Result<u32, BodyError> {
        body.array().map(|bytes: &[u8; 4]| u32::from_le_bytes(*bytes))
    }
}

#[derive(Packet, Debug)]
enum Asks {
    #[packet(id = 1, format = Asking)]
    Say(u32),
}

/// It would stand still for ever.
#[tokio::test(start_paused = true)]
async fn a_packet_may_ask_the_client_that_encodes_it() {
    let (mut listener, connector) = memory::listener(8);
    let client = Client::<Hear, Asks>::options().reconnect();
    let client = client.dial(move || std::future::ready(connector.connect()));
    ASKED.set(Some(client.clone()));
    client.send(&Asks::Say(1)).unwrap();
    let _far = listener.accept().await.unwrap();
    assert!(matches!(client.next().await, Some(ClientEvent::Connected)));
    client.send(&Asks::Say(2)).unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    ASKED.set(None);
    assert!(client.close().await.is_empty());
}
