//! What is too much for the line between servers harms nobody here, and is counted; and what is asked of others waits, but
//! for nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use lobby::raw::ToClient;
use lobby::{Gate, Name, Settings, Verdict};

use crate::common::*;

#[tokio::test(start_paused = true)]
async fn a_flood_that_the_line_does_not_take_reaches_all_here_and_is_counted_for_there() {
    const BATCHES: u64 = 180;
    const BATCH: u64 = 100;
    for workers in [1, 3] {
        let settings = Settings { workers, requests_per_second: 0, ..Settings::default() };
        let world = World::new(settings);
        let ([a, b], [mut ann, mut bob]) = world.ann_and_bob().await;
        b.settle().await;
        let before = b.cluster.stats();
        // For less than the time in which it must answer: on a paused clock, none.
        b.line.freeze();
        for batch in 0..BATCHES {
            let lines: Vec<String> = (0..BATCH).map(|line| format!("{}", batch * BATCH + line)).collect();
            bob.types(&lines.join("\n")).await;
            for line in lines {
                bob.reads(&[&format!("bob: {line}")]).await;
            }
        }
        b.line.back();
        b.settle().await;
        let stats = b.cluster.stats();
        let (sent, dropped) = (stats.published - before.published, stats.dropped_out);
        assert_eq!((sent + dropped, stats.unsent, stats.links_lost), (BATCHES * BATCH, 0, 0));
        assert!(dropped > 0 && sent >= 16_384, "{sent} and {dropped}");
        // The first ones came, in order.
        for line in 0..sent {
            ann.reads(&[&format!("bob: {line}")]).await;
        }
        bob.types("over").await.reads(&["bob: over"]).await;
        ann.reads(&["bob: over"]).await;
        drop((ann, bob));
        world.ends([a, b]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_others_waits_in_order_and_nobody_else_waits() {
    with_one_and_three_workers(async |world| {
        let [a, b] = [world.node().await, world.node().await];
        let mut ann = a.in_room("ann", 4, &[]).await;
        let mut kim = a.in_room("kim", 4, &["ann"]).await;
        let _bob = b.person("bob").await;
        ann.reads(&["* kim (#) came"]).await;
        a.line.slow(Duration::from_millis(700));
        // The line takes it up from its next answer on.
        ann.types("/msg bob psst").await.types("behind").await;
        let asked = tokio::time::Instant::now();
        kim.types("hi").await.reads(&["kim: hi"]).await;
        assert!(asked.elapsed() < Duration::from_millis(10), "{:?}", asked.elapsed());
        ann.reads(&["kim: hi", "[to bob] psst", "ann: behind"]).await;
        assert!(asked.elapsed() >= Duration::from_millis(700));
        a.line.back();
        drop((ann, kim, _bob));
        world.ends([a, b]).await;
    })
    .await;
}

/// Lets everybody in, and counts them.
struct Counting(Arc<AtomicU32>);

impl Gate for Counting {
    fn ask(&self, _: &Name, _: &Bytes) -> Verdict {
        self.0.fetch_add(1, Relaxed);
        Verdict::Now(Ok(()))
    }

    fn guests(&self) -> bool {
        false
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_not_spent_on_a_name_that_somebody_has_on_another_server() {
    with_one_and_three_workers(async |world| {
        let asked = Arc::new(AtomicU32::new(0));
        let node = async || {
            let gate = Counting(asked.clone());
            world.node_with(world.line(), |shared| shared.gate(gate)).await
        };
        let [a, b] = [node().await, node().await];
        let (ann, eve) = (a.client(), b.client());
        assert_eq!(ann.request(log_in("ann")).await.unwrap(), ToClient::LogIn { result: 1 });
        assert_eq!(eve.request(log_in("ann")).await.unwrap(), ToClient::LogIn { result: 111 });
        assert_eq!(asked.load(Relaxed), 1);
        assert_eq!(eve.request(log_in("eve")).await.unwrap(), ToClient::LogIn { result: 1 });
        assert_eq!(asked.load(Relaxed), 2);
        // Away: each server asks for itself.
        b.line.away();
        let kim = b.client();
        assert_eq!(kim.request(log_in("kim")).await.unwrap(), ToClient::LogIn { result: 1 });
        b.line.back();
        pass(Duration::from_secs(6)).await;
        drop((ann, eve, kim));
        pass(Duration::from_millis(1)).await;
        world.ends([a, b]).await;
    })
    .await;
}
