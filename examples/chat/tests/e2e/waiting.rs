//! A log-in that is decided elsewhere: the session's own requests wait in order, and nobody else does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use lobby::{Code, Gate, Message, Name, Settings, Shared, Verdict};
use tokio::time::sleep;

use crate::memory::{InTest, pass};
use crate::wire::*;

/// Says yes to the password `secret` after a while: as many milliseconds as the name's first byte, and so that a test can
/// count how often it was asked.
#[derive(Clone, Default)]
pub(crate) struct Slow(Arc<Mutex<HashMap<String, u32>>>);

impl Gate for Slow {
    fn ask(&self, name: &Name, password: &Bytes) -> Verdict {
        *self.0.lock().unwrap().entry(name.to_string()).or_default() += 1;
        let verdict = if password == "secret" { Ok(()) } else { Err(Code::BadToken) };
        let time = Duration::from_millis(name.as_str().as_bytes()[0].into());
        Verdict::Later(Box::pin(async move {
            sleep(time).await;
            verdict
        }))
    }

    fn guests(&self) -> bool {
        false
    }
}

async fn server(workers: u16) -> (InTest, Slow) {
    let gate = Slow::default();
    let settings = Settings { workers, requests_per_second: 0, ..Settings::default() };
    (InTest::over(Shared::new(settings).gate(gate.clone())).await, gate)
}

#[tokio::test(start_paused = true)]
async fn what_comes_behind_a_log_in_under_way_is_answered_behind_it_and_in_order() {
    for workers in [1, 3] {
        for f in FORMATS {
            let (server, _) = server(workers).await;
            let mut client = server.client(f);
            let (mut packets, mut answers) = (vec![f.login("zed")], vec![f.result(702, OK)]);
            for room in 0..4 {
                packets.extend([
                    f.ping(7),
                    frame(999, ""),
                    f.enter(room),
                    f.chat("hi"),
                    f.relay(b"x"),
                    f.leave(),
                ]);
                packets.extend([frame(721, [0xd9]), f.login("zed")]);
                answers.extend([f.pong(7), f.error(UNKNOWN_ID), f.entered(OK, room, 1), f.chatted(1, "hi")]);
                answers.extend([
                    f.result(732, OK),
                    f.relayed(1, b"x"),
                    f.result(727, OK),
                    f.not_entered(BODY),
                ]);
                answers.push(f.result(702, IN_USE));
            }
            client.says(packets.concat()).await;
            // Nobody else waits.
            let mut other = server.client(f);
            other.says(f.ping(1)).await.hears(&[f.pong(1)]).await;
            assert!(client.so_far().await.is_empty());
            client.hears(&answers).await;
            drop((client, other));
            server.ends_empty().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_who_log_in_with_one_id_at_the_same_moment_one_wins() {
    for workers in [1, 2, 3] {
        for f in FORMATS {
            let (server, gate) = server(workers).await;
            let mut clients: Vec<_> = (0..6).map(|_| server.client(f)).collect();
            for client in &mut clients {
                client.says(f.login("ann")).await;
            }
            pass(Duration::from_secs(1)).await;
            let mut wins = 0;
            for client in &mut clients {
                let heard = client.so_far().await;
                wins += usize::from(heard == f.result(702, OK));
                assert!(heard == f.result(702, OK) || heard == f.result(702, IN_USE), "{heard:02x?}");
            }
            assert_eq!(wins, 1, "{workers} workers, {f:?}");
            // A name that somebody has is not asked for: that would spend a token.
            let asked = gate.0.lock().unwrap()["ann"];
            let mut late = server.client(f);
            late.says(f.login("ann")).await.hears(&[f.result(702, IN_USE)]).await;
            assert_eq!(gate.0.lock().unwrap()["ann"], asked);
            drop((clients, late));
            server.ends_empty().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_may_try_again_and_who_goes_meanwhile_leaves_nothing_behind() {
    let (server, _) = server(3).await;
    let f = MsgPack;
    let mut client = server.client(f);
    let wrong = frame(701, b"\x82\xa6UserID\xa3ann\xa6UserPW\xa5wrong");
    client.says([wrong, f.enter(3), f.login("ann"), f.enter(3)].concat()).await;
    client
        .hears(&[f.result(702, BAD_TOKEN), f.error(NOT_LOGGED_IN), f.result(702, OK), f.entered(OK, 3, 1)])
        .await;
    let mut gone = server.client(f);
    gone.says([f.login("bob"), f.enter(3)].concat()).await;
    pass(Duration::from_millis(10)).await;
    drop(gone);
    pass(Duration::from_secs(1)).await;
    assert_eq!((server.shared.directory().names(), server.shared.directory().seats()), (1, 1));
    // It is answered as if it had waited for the answers.
    client.hears(&[f.came(2, "bob"), f.went(2)]).await;
    server.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_too_much_to_wait_waits_in_the_socket() {
    let (server, _) = server(1).await;
    for (packet, answer, many) in
        [(Raw.ping(1), Raw.pong(1), 10_000), (Raw.relay(&[1; 1000]), Raw.error(NOT_IN_ROOM), 1_000)]
    {
        let mut client = server.client(Raw);
        client.says([Raw.login("zed"), packet.repeat(many)].concat()).await;
        client.ends().await;
        assert!(client.rest().await == [Raw.result(702, OK), answer.repeat(many)].concat());
    }
    server.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_before_the_end_is_answered_before_it() {
    for workers in [1, 3] {
        for f in FORMATS {
            let (server, _) = server(workers).await;
            let asks = [f.login("zed"), f.enter(3), f.chat("hi")].concat();
            // No more comes; or something that is no packet.
            for (user, nonsense) in [(1, &b""[..]), (2, &[4, 0, 1, 0, 0])] {
                let answers =
                    [f.result(702, OK), f.entered(OK, 3, user), f.chatted(user, "hi"), f.result(732, OK)];
                let mut client = server.client(f);
                client.says([&asks[..], nonsense].concat()).await;
                if nonsense.is_empty() {
                    client.ends().await;
                }
                assert_eq!(client.rest().await, answers.concat(), "{f:?} {nonsense:?}");
            }
            server.ends_empty().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_there_are_no_guests_people_log_in_first() {
    for workers in [1, 3] {
        let (server, _) = server(workers).await;
        let mut person = server.person();
        person.says("hello\n/join 3\n/help me\n").await;
        let lines = String::from_utf8(person.so_far().await).unwrap();
        assert!(
            lines.starts_with(
                "welcome: log in first, with /login NAME TOKEN\nlog in first\nlog in first\n/nick"
            )
        );
        person.says("/login ann wrong\n/who\n").await;
        person.hears(&["that token is not valid\nlog in first\n"]).await;
        person.says("/login ann secret\n/nick bob\n/who\nhello\n").await;
        person
            .hears(&[
                "you are logged in\n",
                "you are in the lobby: /rooms shows the rooms, /join ROOM enters one\n",
                "that name is taken, or you are logged in already\n",
                "in the lobby: ann\n",
                "ann: hello\n",
            ])
            .await;
        drop(person);
        server.ends_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_from_elsewhere_finds_the_user_on_whichever_worker() {
    let server = InTest::new(Settings { workers: 3, ..Settings::default() }).await;
    let f = Raw;
    let mut client = server.client(f);
    client.says([f.login("ann"), f.enter(2)].concat()).await;
    client.hears(&[f.result(702, OK), f.entered(OK, 2, 1)]).await;
    let teller = server.running.teller();
    for worker in 0..3 {
        for to in ["ann", "nobody"] {
            let name = |text: &str| Name::new(text.as_bytes()).unwrap();
            let event = lobby::Event::Whispered { from: name("far"), text: "hi".into() };
            assert!(teller.tell(worker, Message::deliver(name(to), event)).is_ok());
        }
        client.hears(&[f.whispered("far", "hi")]).await;
    }
    server.ends_empty().await;
}
