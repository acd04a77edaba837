//! The checks of a live service, which the rooms bring along: that they stand at this door, too.

use std::time::Duration;

use baccarat::Pace;
use lobby::Settings;
use lobby::testing::wire::{ENTER_DEADLINE, LOGIN_DEADLINE, PING_DEADLINE, TOO_FAST};
use tokio::time::Instant;

use crate::clock::since;
use crate::memory::{InTest, pass};
use crate::wire::*;

async fn with(settings: Settings) -> InTest {
    InTest::new(settings, Pace::default()).await
}

#[tokio::test(start_paused = true)]
async fn who_does_not_log_in_in_time_is_told_so_and_closed() {
    let server = with(Settings::default()).await;
    let (start, mut client) = (Instant::now(), server.client());
    assert_eq!((client.rest().await, since(start)), (RAW.error(LOGIN_DEADLINE), 60_000));
    server.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_in_no_room_or_silent_for_too_long_is_told_so_and_closed() {
    let server = with(Settings { enter_ms: 5000, ..Settings::default() }).await;
    let (start, mut client) = (Instant::now(), server.client());
    client.says(RAW.login("ann")).await.hears(&[RAW.result(702, OK)]).await;
    assert_eq!((client.rest().await, since(start)), (RAW.error(ENTER_DEADLINE), 5000));
    server.ends_empty().await;
    let server = with(Settings { ping_ms: 5000, ..Settings::default() }).await;
    let (start, mut client) = (Instant::now(), server.alone("ann", 3).await);
    assert_eq!((client.rest().await, since(start)), (RAW.error(PING_DEADLINE), 5000));
    server.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn by_default_a_silent_client_stays() {
    let server = with(Settings::default()).await;
    let mut client = server.client();
    client.says(RAW.login("ann")).await.hears(&[RAW.result(702, OK)]).await;
    pass(Duration::from_secs(24 * 60 * 60)).await;
    client.says(RAW.enter(3)).await.hears(&[RAW.entered(OK, 3, 1)]).await;
    server.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn bets_over_the_rate_are_refused_each_and_a_flood_is_closed() {
    let server = with(Settings { requests_per_second: 10, ..Settings::default() }).await;
    let mut client = server.alone("ann", 3).await;
    client.says(bet(PLAYER).repeat(20)).await;
    client.hears(&vec![bet_is(BET_NOT_NOW); 18]).await;
    client.hears(&vec![RAW.error(TOO_FAST); 2]).await;
    client.says(bet(PLAYER).repeat(300)).await;
    let refused = client.rest().await;
    assert!(!refused.is_empty(), "the last word says why");
    assert!(refused.chunks(7).all(|packet| packet == RAW.error(TOO_FAST)), "{refused:02x?}");
    server.ends_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_packet_over_the_largest_closes_after_those_before_it_were_answered() {
    let server = with(Settings::default()).await;
    let mut client = server.alone("ann", 3).await;
    client.says(RAW.relay(&[7; 1019])).await.hears(&[RAW.relayed(1, &[7; 1019])]).await;
    client.says([start(), RAW.relay(&[7; 1020])].concat()).await;
    assert_eq!(client.rest().await, [start_is(OK), started()].concat());
    server.ends_empty().await;
}
