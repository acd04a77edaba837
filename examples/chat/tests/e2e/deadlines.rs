//! Deadlines and rates, on a paused clock.

use std::time::Duration;

use lobby::Settings;
use tokio::time::Instant;

use crate::memory::{InTest, pass};
use crate::wire::*;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// How long it took, in whole milliseconds; the clock may have been read a little later.
fn since(start: Instant) -> u128 {
    start.elapsed().as_millis() / 10 * 10
}

#[tokio::test(start_paused = true)]
async fn who_does_not_log_in_in_time_is_told_so_and_closed() {
    for workers in [1, 3] {
        let server = InTest::new(Settings { workers, ..Settings::default() }).await;
        for f in FORMATS {
            let (start, mut client) = (Instant::now(), server.client(f));
            pass(ms(59_000)).await;
            // A ping is no log-in, and neither is one that is refused.
            client.says([f.ping(1), f.login("")].concat()).await;
            client.hears(&[f.pong(1), f.result(702, INVALID_ID)]).await;
            assert_eq!((client.rest().await, since(start)), (f.error(LOGIN_DEADLINE), 60_000));
            let mut client = server.client(f);
            client.says(f.login("ann")).await.hears(&[f.result(702, OK)]).await;
            pass(ms(1_000_000)).await;
            client.says(f.ping(1)).await.hears(&[f.pong(1)]).await;
        }
        server.ends_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_log_in_deadline_a_client_may_think_for_ever() {
    let server = InTest::new(Settings { login_ms: 0, ..Settings::default() }).await;
    let mut client = server.client(Raw);
    pass(ms(100_000_000)).await;
    client.says(Raw.login("ann")).await.hears(&[Raw.result(702, OK)]).await;
    server.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_in_no_room_for_too_long_is_told_so_and_closed() {
    for workers in [1, 3] {
        let server = InTest::new(Settings { workers, enter_ms: 5000, ..Settings::default() }).await;
        for f in FORMATS {
            let mut client = server.client(f);
            let start = Instant::now();
            client.says(f.login("ann")).await.hears(&[f.result(702, OK)]).await;
            assert_eq!((client.rest().await, since(start)), (f.error(ENTER_DEADLINE), 5000));

            let mut client = server.client(f);
            let room = 4 + f as i32;
            client.says([f.login("ann"), f.enter(room)].concat()).await;
            client.hears(&[f.result(702, OK), f.entered(OK, room, 1)]).await;
            // Inside there is no deadline, and it begins anew at the end.
            pass(ms(60_000)).await;
            client.says(f.leave()).await.hears(&[f.result(727, OK)]).await;
            pass(ms(4000)).await;
            client.says(f.ping(1)).await.hears(&[f.pong(1)]).await;
            let start = Instant::now();
            assert_eq!((client.rest().await, since(start)), (f.error(ENTER_DEADLINE), 1000));
        }
        // A person is in the lobby.
        let mut person = server.person();
        pass(ms(60_000)).await;
        person.says("/who\n").await;
        assert!(String::from_utf8(person.so_far().await).unwrap().ends_with("in the lobby: guest1\n"));
        server.ends_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_for_too_long_is_told_so_and_closed_and_any_packet_breaks_the_silence() {
    let server = InTest::new(Settings { ping_ms: 5000, ..Settings::default() }).await;
    for f in FORMATS {
        let mut client = server.client(f);
        client.says(f.login("ann")).await.hears(&[f.result(702, OK)]).await;
        for packet in [f.ping(1), f.chat("outside")] {
            pass(ms(4000)).await;
            client.says(packet).await.so_far().await;
        }
        pass(ms(4000)).await;
        let start = Instant::now();
        client.says(f.ping(1)).await.hears(&[f.pong(1)]).await;
        assert_eq!((client.rest().await, since(start)), (f.error(PING_DEADLINE), 5000));
    }
    let mut person = server.person();
    pass(ms(60_000)).await;
    person.says("/who\n").await;
    assert!(!person.so_far().await.is_empty(), "people read for hours");
    server.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn requests_over_the_rate_are_refused_each_and_heard_again_a_little_later() {
    for workers in [1, 3] {
        let server = InTest::new(Settings { workers, requests_per_second: 10, ..Settings::default() }).await;
        for f in FORMATS {
            let mut client = server.client(f);
            // Twenty at once, the budget goes along to the room's worker, and what is over is told one by one.
            client.says([f.login("ann"), f.enter(4 + f as i32)].concat()).await;
            client.hears(&[f.result(702, OK), f.entered(OK, 4 + f as i32, 1)]).await;
            client.says(f.ping(1).repeat(25)).await;
            client.hears(&vec![f.pong(1); 18]).await;
            client.hears(&vec![f.error(TOO_FAST); 7]).await;
            pass(ms(100)).await;
            client.says(f.ping(2).repeat(2)).await.hears(&[f.pong(2), f.error(TOO_FAST)]).await;
            pass(ms(10_000)).await;
            client.says(f.ping(3).repeat(21)).await;
            client.hears(&vec![f.pong(3); 20]).await;
            client.hears(&[f.error(TOO_FAST)]).await;
        }
        server.ends_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_ten_times_the_rate_is_closed() {
    let server = InTest::new(Settings { requests_per_second: 10, ..Settings::default() }).await;
    let mut client = server.client(Raw);
    client.says(Raw.ping(1).repeat(300)).await;
    let heard = client.rest().await;
    assert!(heard.starts_with(&Raw.pong(1).repeat(20)));
    assert!(heard[20 * 7..].chunks(7).all(|packet| packet == Raw.error(TOO_FAST)), "{heard:02x?}");
    let server_without = InTest::new(Settings { requests_per_second: 0, ..Settings::default() }).await;
    let mut client = server_without.client(Raw);
    client.says(Raw.login("ann")).await.says(Raw.ping(1).repeat(5000)).await;
    client.hears(&[Raw.result(702, OK)]).await;
    client.hears(&vec![Raw.pong(1); 5000]).await;
}

#[tokio::test(start_paused = true)]
async fn an_invitation_that_nobody_answers_expires_for_both() {
    for workers in [1, 3] {
        let server = InTest::new(Settings { workers, ..Settings::default() }).await;
        let f = Raw;
        let (mut ann, mut bob) = (server.client(f), server.client(f));
        ann.says([f.login("ann"), f.enter(3)].concat()).await;
        ann.hears(&[f.result(702, OK), f.entered(OK, 3, 1)]).await;
        bob.says([f.login("bob"), f.enter(4)].concat()).await;
        bob.hears(&[f.result(702, OK), f.entered(OK, 4, 1)]).await;
        ann.says(f.invite("bob")).await.hears(&[f.invite_result(OK, 1)]).await;
        let start = Instant::now();
        bob.hears(&[f.invited(1, 3, "ann"), f.invite_over(1, 3, "bob")]).await;
        ann.hears(&[f.invite_over(1, 3, "bob")]).await;
        assert_eq!(since(start), 60_000);
        bob.says(f.answer(1, 1)).await.hears(&[f.result(785, NO_INVITE)]).await;
        server.ends_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_vote_closes_by_the_clock() {
    let server = InTest::new(Settings::default()).await;
    let (mut ann, mut bob) = (server.person(), server.person());
    bob.so_far().await;
    ann.so_far().await;
    ann.says("/vote start lunch?\n/vote soup\n").await;
    pass(ms(60_000 - 10)).await;
    let told = String::from_utf8(bob.so_far().await).unwrap();
    assert!(told.ends_with("asks: lunch? (/vote CHOICE)\n"), "{told}");
    pass(ms(10)).await;
    assert_eq!(bob.so_far().await, b"* the vote is closed: lunch?\n* 1 for soup\n");
    server.ends_empty().await;
}
