//! What a client that reconnects says of why there is no connection.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use netcore::memory::{self, MemoryStream};
use netcore::{
    Away, Client, ClientError, ClientEvent, Door, LoginRefused, Packet, Reconnect, Server, TryError,
};
use tokio::net::TcpListener;

use crate::common::{Ask, Hear, echo, within};

#[derive(Packet, Clone, Debug, PartialEq)]
enum Question {
    #[packet(id = 1, reply = 2)]
    Add { a: i32 },
}

#[derive(Packet, Clone, Debug, PartialEq)]
enum Answer {
    #[packet(id = 2)]
    Sum { sum: i32 },
}

fn reconnect() -> Reconnect<Answer, Question> {
    Client::options().reconnect()
}

const ADD: Question = Question::Add { a: 1 };

#[tokio::test]
async fn errors_say_what_to_do() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    for (address, words) in [
        (nobody.to_string(), "nobody listens there: look whether the server runs, and at that port"),
        (
            "127.0.0.1".to_owned(),
            "`127.0.0.1` has no port: an address is HOST:PORT or [IPv6]:PORT, as in 127.0.0.1:11020",
        ),
    ] {
        let error = Client::<Hear, Ask>::connect(address).await.unwrap_err().to_string();
        assert_eq!(error, format!("cannot connect: {words}"));
    }
    let error = Server::new().door(Door::tcp("8080")).serve(echo).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot listen on 8080 (tcp): it has no port: an address is HOST:PORT or [IPv6]:PORT, as in 127.0.0.1:11020"
    );
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_none_is_not_tried_again() {
    let client = reconnect().connect("localhost");
    let Some(ClientEvent::Failed { error, pause: None, .. }) = within(client.next()).await else {
        panic!("it goes on")
    };
    assert!(matches!(error, TryError::Connect(ClientError::Address { .. })), "{error:?}");
    assert!(matches!(within(client.next()).await, Some(ClientEvent::GaveUp { tries: 1, .. })));
    let words = "the client was closed or has given up (cannot connect: `localhost` has no port: an address is HOST:PORT \
                 or [IPv6]:PORT, as in 127.0.0.1:11020)";
    assert_eq!(client.send(&ADD).unwrap_err().to_string(), words);
    assert_eq!(client.request(ADD).await.unwrap_err().to_string(), words);
}

#[tokio::test(start_paused = true)]
async fn a_log_in_that_says_so_is_not_tried_again() {
    #[derive(Debug, PartialEq, thiserror::Error)]
    #[error("you are banned")]
    struct Banned;

    type Error = Box<dyn std::error::Error + Send + Sync>;
    let (_listener, connector) = memory::listener(4);
    let tries = AtomicU32::new(0);
    let login = move |_client: Client<Answer, Question>| {
        let nth = tries.fetch_add(1, Relaxed);
        std::future::ready(Err(if nth == 0 { Error::from(Banned) } else { LoginRefused::new(Banned).into() }))
    };
    let client = reconnect().login(login).dial(move || std::future::ready(connector.connect()));
    client.send(&ADD).unwrap();
    // Of this one the client cannot know.
    let Some(ClientEvent::Failed { error, pause: Some(_), .. }) = within(client.next()).await else {
        panic!("it has given up")
    };
    assert!(matches!(&error, TryError::Login(why) if why.is::<Banned>()), "{error:?}");
    let Some(ClientEvent::Failed { error, pause: None, tries: 2 }) = within(client.next()).await else {
        panic!("it goes on")
    };
    assert!(matches!(&error, TryError::LoginRefused(why) if why.is::<Banned>()), "{error:?}");
    assert_eq!(error.to_string(), "the log-in was refused for good: you are banned");
    let Some(ClientEvent::GaveUp { unsent, .. }) = within(client.next()).await else { panic!("it goes on") };
    assert_eq!(unsent.packets(), [ADD]);
    assert!(client.next().await.is_none());
    let words = "the client was closed or has given up (the log-in was refused for good: you are banned)";
    assert_eq!(client.request(ADD).await.unwrap_err().to_string(), words);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_dial_of_ones_own_is_tried_again_whatever_its_kind() {
    let client = reconnect().tries(2).dial(|| {
        std::future::ready(Err::<MemoryStream, _>(io::Error::new(io::ErrorKind::InvalidInput, "no proxy")))
    });
    for _ in 0..2 {
        assert!(matches!(within(client.next()).await, Some(ClientEvent::Failed { .. })));
    }
    assert!(matches!(within(client.next()).await, Some(ClientEvent::GaveUp { tries: 2, .. })));
}

#[tokio::test(start_paused = true)]
async fn who_asks_while_there_is_no_connection_hears_why_there_is_none() {
    let (mut listener, connector) = memory::listener(4);
    let client = reconnect().away(Away::Refuse).dial(move || std::future::ready(connector.connect()));
    let away = "there is no connection just now";
    assert_eq!(client.send(&ADD).unwrap_err().to_string(), away);
    let far = within(listener.accept()).await.unwrap();
    assert!(matches!(within(client.next()).await, Some(ClientEvent::Connected)));
    far.faults().reset();
    assert!(matches!(within(client.next()).await, Some(ClientEvent::Lost { .. })));
    let lost = client.send(&ADD).unwrap_err().to_string();
    assert!(lost.starts_with(&format!("{away} (the connection was lost: ")), "{lost}");

    drop((far, listener));
    assert!(matches!(within(client.next()).await, Some(ClientEvent::Failed { .. })));
    let refused =
        format!("{away}, so that nothing was asked (cannot connect: nobody listens there: look whether");
    let asked = client.request(ADD).await.unwrap_err().to_string();
    assert!(asked.starts_with(&refused), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_a_connection_in_vain_says_why_there_was_none() {
    let refused = || std::future::ready(Err::<MemoryStream, _>(io::ErrorKind::ConnectionRefused.into()));
    let client = reconnect().dial(refused);
    let error = client.request_within(ADD, Duration::from_secs(5)).await.unwrap_err().to_string();
    assert!(error.contains("nothing was asked (cannot connect: nobody listens there"), "{error}");
    let error = {
        let other = client.clone();
        within(client.close()).await;
        other.request(ADD).await.unwrap_err().to_string()
    };
    assert!(error.starts_with("the client was closed or has given up"), "{error}");
}
