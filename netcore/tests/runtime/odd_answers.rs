//! Answers that cannot be read, and answers among packets that nobody receives.

use bytes::Bytes;
use futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use netcore::memory::{self, MemoryStream};
use netcore::{Binary, Client, CloseReason, Connection, Door, Packet, PacketId, RequestError, Server};

use crate::common::within;

#[derive(Packet, Clone, Debug, PartialEq)]
enum Ask {
    #[packet(id = 1, reply = 2)]
    Get { n: u32 },
    #[packet(id = 3, reply = 4, numbered)]
    Any { request: u32 },
}

#[derive(Packet, Clone, Debug, PartialEq)]
enum Answer {
    #[packet(id = 2)]
    Got {
        n: u32,
        #[raw(len = u8, max = 4)]
        text: String,
    },
    #[packet(id = 4, numbered)]
    Any {
        request: u32,
        #[raw(len = u8, max = 4)]
        text: String,
    },
}

fn got(n: u32) -> Answer {
    Answer::Got { n, text: String::new() }
}

/// An answer with that number, whose text of five bytes is one too long.
async fn unreadable(far: &mut MemoryStream, id: u8, n: u8) {
    far.write_all(&[15, 0, id, 0, 0, n, 0, 0, 0, 5, b'h', b'e', b'l', b'l', b'o']).await.unwrap();
}

async fn readable(far: &mut MemoryStream, id: u8, n: u8) {
    far.write_all(&[10, 0, id, 0, 0, n, 0, 0, 0, 0]).await.unwrap();
}

fn cannot_be_read(answer: Result<Answer, RequestError>, id: u8) {
    let error = answer.unwrap_err();
    assert!(matches!(error, RequestError::Malformed(_)), "{error:?}");
    let words = format!("the answer came, and cannot be read: the body of packet {id} does not decode: ");
    assert!(error.to_string().starts_with(&words), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_is_that_of_its_own_request() {
    let (near, mut far) = memory::pair(1 << 16);
    let (sender, mut receiver) = Client::<Answer, Ask>::options().over(near).split();
    let answers = async {
        far.read_exact(&mut [0; 27]).await.unwrap();
        unreadable(&mut far, 2, 1).await;
        readable(&mut far, 2, 2).await;
        readable(&mut far, 2, 3).await;
    };
    let sender = &sender;
    let (asked, ()) =
        within(async { tokio::join!(join_all((1..=3).map(|n| sender.request(Ask::Get { n }))), answers) })
            .await;
    let [first, second, third] = asked.try_into().unwrap();
    cannot_be_read(first, 2);
    assert_eq!((second.unwrap(), third.unwrap()), (got(2), got(3)));
    // Who receives hears of it as before.
    assert_eq!(within(receiver.recv()).await, Err(CloseReason::Malformed(PacketId(2))));
}

#[tokio::test(start_paused = true)]
async fn nor_do_those_asked_later_get_what_others_have_asked_for() {
    let (near, mut far) = memory::pair(1 << 16);
    let (sender, receiver) = Client::<Answer, Ask>::options().over(near).split();
    drop(receiver);
    tokio::spawn(async move {
        for n in 1_u8..=4 {
            far.read_exact(&mut [0; 9]).await.unwrap();
            if n == 1 { unreadable(&mut far, 2, n).await } else { readable(&mut far, 2, n).await }
        }
        std::future::pending::<()>().await;
    });
    cannot_be_read(within(sender.request(Ask::Get { n: 1 })).await, 2);
    for n in 2..=4 {
        assert_eq!(within(sender.request(Ask::Get { n })).await.unwrap(), got(n));
    }
}

#[tokio::test(start_paused = true)]
async fn by_its_number_where_it_has_one() {
    let (near, mut far) = memory::pair(1 << 16);
    let (sender, receiver) = Client::<Answer, Ask>::options().over(near).split();
    drop(receiver);
    let answers = async {
        far.read_exact(&mut [0; 27]).await.unwrap();
        // Too short for a number: nobody's.
        far.write_all(&[8, 0, 4, 0, 0, 1, 0, 0]).await.unwrap();
        unreadable(&mut far, 4, 2).await;
        readable(&mut far, 4, 3).await;
        readable(&mut far, 4, 1).await;
    };
    let sender = &sender;
    let all = join_all((1..=3).map(|_| sender.request(Ask::Any { request: 0 })));
    let (asked, ()) = within(async { tokio::join!(all, answers) }).await;
    let [first, second, third] = asked.try_into().unwrap();
    cannot_be_read(second, 4);
    let any = |request| Answer::Any { request, text: String::new() };
    assert_eq!((first.unwrap(), third.unwrap()), (any(1), any(3)));
}

#[derive(Packet, Clone, Debug)]
enum Fetch {
    #[packet(id = 1, reply = 2)]
    Map,
}

#[derive(Packet, Clone, Debug)]
enum Fetched {
    #[packet(id = 2)]
    Map {
        #[raw(rest)]
        map: Bytes,
    },
    #[packet(id = 3)]
    Push { n: u8 },
}

#[tokio::test(start_paused = true)]
async fn answers_take_no_room_among_what_waits_to_be_received() {
    let (door, connector) = Door::memory(Binary::new());
    let serve = Server::new().door(door).serve(|mut peer: Connection<Fetch, Fetched>| async move {
        while let Some(Fetch::Map) = peer.recv().await? {
            let _ = peer.send(&Fetched::Push { n: 1 });
            let _ = peer.send(&Fetched::Map { map: vec![0; 30_000].into() });
        }
        Ok::<_, CloseReason>(())
    });
    let _running = serve.await.unwrap();
    let client = Client::<Fetched, Fetch>::options().over(connector.connect().unwrap());
    for n in 0..500 {
        let answer = client.request(Fetch::Map).await;
        assert!(answer.is_ok(), "{n}: {answer:?}");
    }
}
