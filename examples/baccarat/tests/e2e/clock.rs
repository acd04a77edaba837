//! Times, on a paused clock.

use std::time::Duration;

use baccarat::Pace;
use lobby::Settings;
use tokio::time::Instant;

use crate::memory::{InTest, pass};
use crate::wire::*;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// How long it took, in whole milliseconds; the clock may have been read a little later.
pub(crate) fn since(start: Instant) -> u128 {
    start.elapsed().as_millis() / 10 * 10
}

async fn with_one_and_three_workers(pace: Pace, play: impl AsyncFn(&InTest)) {
    for workers in [1, 3] {
        let server = InTest::new(Settings { workers, ..Settings::default() }, pace).await;
        play(&server).await;
        server.ends_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn bets_are_taken_for_five_seconds_and_ten_seconds_later_the_next_game_may_begin() {
    with_one_and_three_workers(Pace::default(), async |server| {
        let mut ann = server.alone("ann", 4).await;
        for game in 0..3 {
            let begin = Instant::now();
            ann.says(start()).await.hears(&[start_is(OK), started()]).await;
            pass(ms(4900)).await;
            ann.says([start(), bet(TIE)].concat())
                .await
                .hears(&[start_is(START_NOT_NOW), bet_is(BET_SIDE)])
                .await;
            ann.hears(&[result(4, game)]).await;
            assert_eq!(since(begin), 5000);
            pass(ms(9900)).await;
            ann.says(start()).await.hears(&[start_is(START_NOT_NOW)]).await;
            pass(ms(100)).await;
            assert_eq!(ann.so_far().await, b"", "nothing tells that the next game may begin");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_game_that_all_have_bet_in_ends_at_once_and_its_deadline_does_not_end_the_next() {
    let pace = Pace { betting_ms: 5000, next_game_ms: 1000, tie_bets: false };
    with_one_and_three_workers(pace, async |server| {
        let mut ann = server.alone("ann", 4).await;
        ann.says(start()).await.hears(&[start_is(OK), started()]).await;
        pass(ms(100)).await;
        let bet_at = Instant::now();
        ann.says(bet(PLAYER)).await.hears(&[bet_is(OK), has_bet(1, PLAYER), result(4, 0)]).await;
        assert_eq!(since(bet_at), 0);
        pass(ms(1000)).await;
        let begin = Instant::now();
        ann.says(start()).await.hears(&[start_is(OK), started()]).await;
        // The first game would have ended by now.
        pass(ms(4500)).await;
        assert_eq!(ann.so_far().await, b"");
        ann.hears(&[result(4, 1)]).await;
        assert_eq!(since(begin), 5000);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_deadlines_of_a_game_that_everybody_left_end_with_it() {
    let pace = Pace { betting_ms: 5000, next_game_ms: 5000, tie_bets: false };
    with_one_and_three_workers(pace, async |server| {
        let mut ann = server.alone("ann", 4).await;
        ann.says(start()).await.hears(&[start_is(OK), started()]).await;
        pass(ms(3000)).await;
        ann.says([RAW.leave(), RAW.enter(4), start()].concat()).await;
        let begin = Instant::now();
        ann.hears(&[RAW.result(727, OK), RAW.entered(OK, 4, 2), start_is(OK), started()]).await;
        ann.hears(&[result(4, 0)]).await;
        assert_eq!(since(begin), 5000);
        // The same while it rests: the rest of the old game does not cut the new one's short.
        pass(ms(3000)).await;
        ann.says([RAW.leave(), RAW.enter(4), start(), bet(BANKER)].concat()).await;
        let answers = [RAW.result(727, OK), RAW.entered(OK, 4, 3), start_is(OK), started()];
        ann.hears(&answers).await;
        ann.hears(&[bet_is(OK), has_bet(3, BANKER), result(4, 1)]).await;
        pass(ms(4900)).await;
        ann.says(start()).await.hears(&[start_is(START_NOT_NOW)]).await;
        pass(ms(100)).await;
        ann.says(start()).await.hears(&[start_is(OK), started()]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn without_a_rest_the_next_game_may_begin_at_once() {
    let pace = Pace { betting_ms: 1, next_game_ms: 0, tie_bets: false };
    with_one_and_three_workers(pace, async |server| {
        let mut ann = server.alone("ann", 4).await;
        for game in 0..10 {
            ann.says(start()).await.hears(&[start_is(OK), started(), result(4, game)]).await;
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_time_goes_on_for_those_who_stay_whoever_comes_and_goes() {
    with_one_and_three_workers(Pace::default(), async |server| {
        let mut ann = server.alone("ann", 4).await;
        let begin = Instant::now();
        ann.says(start()).await.hears(&[start_is(OK), started()]).await;
        pass(ms(2000)).await;
        let mut bob = server.client();
        bob.says([RAW.login("bob"), RAW.enter(4), bet(PLAYER)].concat()).await;
        bob.hears(&[RAW.result(702, OK), RAW.users(&[(1, "ann")]), RAW.entered(OK, 4, 2)]).await;
        bob.hears(&[bet_is(OK), has_bet(2, PLAYER)]).await;
        ann.hears(&[RAW.came(2, "bob"), has_bet(2, PLAYER)]).await;
        pass(ms(1000)).await;
        // Ann, who has started it, goes: bob has bet, and is alone.
        ann.says(RAW.leave()).await.hears(&[RAW.result(727, OK)]).await;
        bob.hears(&[RAW.went(1), result(4, 0)]).await;
        assert_eq!(since(begin), 3000);
        pass(ms(10_000)).await;
        ann.says([RAW.enter(4), start()].concat()).await;
        ann.hears(&[RAW.users(&[(2, "bob")]), RAW.entered(OK, 4, 3), start_is(NOT_MASTER)]).await;
        let begin = Instant::now();
        bob.says(start()).await.hears(&[RAW.came(3, "ann"), start_is(OK), started()]).await;
        ann.hears(&[started()]).await;
        // Nobody bets, and the one who began it breaks off: for ann the time goes on.
        drop(bob);
        ann.hears(&[RAW.went(2), result(4, 1)]).await;
        assert_eq!(since(begin), 5000);
    })
    .await;
}
