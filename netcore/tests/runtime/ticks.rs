//! Ticks at a fixed rate, and what becomes of those that are late.

use std::time::Duration;

use netcore::{Host, LateTick, Running};

use crate::common::{Game, Log, Note, game, pass, server};

/// Runs one worker with a tick each 10 ms whose third one takes 35 ms of the paused clock, for 100 ms in all.
async fn ticks(policy: LateTick) -> (Vec<String>, Running<Note>) {
    let (server, _connector) = server();
    let log = Log::default();
    let start = tokio::time::Instant::now();
    let ticks = log.clone();
    let game = game().tick(move |ctx, tick| {
        let at = ctx.now().duration_since(start.into_std());
        ticks.add(format!("{} at {} late {}", tick.number, at.as_millis(), tick.late.as_millis()));
        assert_eq!(tick.step, Duration::from_millis(10));
        if tick.number == 2 {
            take_long(35);
        }
    });
    let running = server.tick(Duration::from_millis(10)).late_tick(policy).logic(game).await.unwrap();
    // The clock moves by single steps, so that nothing but the callback makes a tick late.
    for _ in 0..70 {
        pass(1).await;
    }
    (log.take(), running)
}

/// What a callback that computes for so long does to the clock.
fn take_long(millis: u64) {
    let mut advance = Box::pin(tokio::time::advance(Duration::from_millis(millis)));
    // The clock moves with the first poll; the rest only lets other tasks run.
    let _ = advance.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
}

#[tokio::test(start_paused = true)]
async fn a_late_tick_comes_at_once_and_those_missed_are_skipped_in_the_same_rhythm() {
    let (ticks, running) = ticks(LateTick::Skip).await;
    let expected = [
        "0 at 10 late 0",
        "1 at 20 late 0",
        "2 at 30 late 0",
        // Due at 40; 50 and 60 were missed too.
        "5 at 65 late 5",
        "6 at 70 late 0",
        "7 at 80 late 0",
        "8 at 90 late 0",
        "9 at 100 late 0",
    ];
    assert_eq!(ticks, expected);
    assert_eq!(running.stats().ticks_skipped, 2);
}

#[tokio::test(start_paused = true)]
async fn a_simulation_can_catch_up_on_all_steps() {
    let (ticks, running) = ticks(LateTick::CatchUp(10)).await;
    let expected = [
        "0 at 10 late 0",
        "1 at 20 late 0",
        "2 at 30 late 0",
        "3 at 65 late 25",
        "4 at 65 late 15",
        "5 at 65 late 5",
        "6 at 70 late 0",
        "7 at 80 late 0",
        "8 at 90 late 0",
        "9 at 100 late 0",
    ];
    assert_eq!(ticks, expected);
    assert_eq!(running.stats().ticks_skipped, 0);
}

#[tokio::test(start_paused = true)]
async fn a_simulation_catches_up_on_no_more_steps_than_it_may() {
    let (ticks, running) = ticks(LateTick::CatchUp(2)).await;
    assert_eq!(ticks[2..5], ["2 at 30 late 0", "4 at 65 late 15", "5 at 65 late 5"]);
    assert_eq!(running.stats().ticks_skipped, 1);
}

#[tokio::test(start_paused = true)]
async fn the_rhythm_can_start_anew_from_a_late_tick() {
    let (ticks, running) = ticks(LateTick::Delay).await;
    assert_eq!(
        ticks[2..],
        ["2 at 30 late 0", "5 at 65 late 5", "6 at 75 late 0", "7 at 85 late 0", "8 at 95 late 0"]
    );
    assert_eq!(running.stats().ticks_skipped, 2);
}

#[tokio::test(start_paused = true)]
async fn ticks_come_at_their_rate_on_every_worker() {
    let (server, _connector) = server();
    let log = Log::default();
    let ticks = log.clone();
    let make = move |worker| -> Game {
        let ticks = ticks.clone();
        game().tick(move |_, _| ticks.add(worker))
    };
    let _running = server.tick_hz(60).workers(3, make).await.unwrap();
    pass(10_001).await;
    let ticks = log.take();
    for worker in ["0", "1", "2"] {
        assert_eq!(ticks.iter().filter(|other| *other == worker).count(), 600);
    }
}

#[tokio::test]
async fn ticks_come_on_threads_too() {
    let (server, _connector) = server();
    let (sender, mut ticks) = tokio::sync::mpsc::unbounded_channel();
    let game = game().tick(move |_, tick| {
        let _ = sender.send(tick.number);
    });
    let server = server.host(Host::Thread).late_tick(LateTick::CatchUp(1000));
    let _running = server.tick(Duration::from_millis(1)).logic(game).await.unwrap();
    for expected in 0..50 {
        assert_eq!(crate::common::within(ticks.recv()).await, Some(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn steps_below_a_millisecond_are_one_or_come_together() {
    for (policy, each_ms, step) in [(LateTick::Skip, 1, 1000), (LateTick::CatchUp(4), 4, 250)] {
        let (server, _connector) = server();
        let log = Log::default();
        let ticks = log.clone();
        let game = game().tick(move |_, tick| ticks.add(tick.step.as_micros()));
        let running = server.tick(Duration::from_micros(250)).late_tick(policy).logic(game).await.unwrap();
        for _ in 0..20 {
            pass(1).await;
        }
        let ticks = log.take();
        assert!(ticks.iter().all(|took| *took == step.to_string()), "{ticks:?}");
        // The first may be due a moment before the first millisecond is over.
        assert!((19 * each_ms..=20 * each_ms).contains(&ticks.len()), "{}", ticks.len());
        assert_eq!(running.stats().ticks_skipped, 0);
    }
}
