//! Servers that die, end, or are cut off from the others for a while.

use std::time::Duration;

use crate::common::*;

const AWAY: &str = "the other servers are away: only those on this one hear you";

#[tokio::test(start_paused = true)]
async fn the_users_of_a_server_that_dies_leave_and_their_names_and_seats_are_free() {
    with_one_and_three_workers(async |world| {
        let [a, b, c] = [world.node().await, world.node().await, world.node().await];
        let mut ann = a.in_room("ann", 4, &[]).await;
        let mut kim = c.in_room("kim", 4, &["ann"]).await;
        let bob = b.in_room("bob", 4, &["ann", "kim"]).await;
        ann.reads(&["* kim (#) came", "* bob (#) came"]).await.types("/vote start lunch?").await;
        kim.reads(&["* bob (#) came"]).await;
        for person in [&mut ann, &mut kim] {
            assert!(person.line().await.contains("lunch?"));
            person.types("/vote rice").await;
            assert!(person.line().await.contains("rice"));
        }
        let mut eve = c.person("eve").await;
        eve.types("/join 4").await.reads(&["that room is full"]).await;
        b.line.freeze();
        // Who is gone does not vote any more.
        for person in [&mut ann, &mut kim] {
            person.reads(&["* bob (#) left"]).await;
            person.reads(&["* the vote is closed: lunch?", "* 2 for rice"]).await.types("/who").await;
        }
        ann.reads(&["in room 4: ann (#), kim (#)"]).await;
        kim.reads(&["in room 4: kim (#), ann (#)"]).await;
        eve.types("/nick bob").await.reads(&["you are bob"]).await.joins(4, &["kim", "ann"]).await;
        for person in [&mut ann, &mut kim] {
            person.reads(&["* bob (#) came"]).await;
        }
        drop((ann, kim, eve, bob));
        world.ends([a, c, b]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_users_of_a_server_that_ends_leave_at_once() {
    with_one_and_three_workers(async |world| {
        let ([a, b], [mut ann, mut bob]) = world.ann_and_bob().await;
        let before = tokio::time::Instant::now();
        b.ends().await;
        assert_eq!(bob.rest().await, ["the server stops"]);
        ann.reads(&["* bob (#) left"]).await.types("/nick bob").await.reads(&["you are bob"]).await;
        assert!(before.elapsed() < TTL / 2, "{:?}", before.elapsed());
        drop(ann);
        world.ends([a]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_cut_off_goes_on_by_itself_and_then_shares_again() {
    with_one_and_three_workers(async |world| {
        let ([a, b], [mut ann, mut bob]) = world.ann_and_bob().await;
        b.line.away();
        bob.reads(&[AWAY]).await.types("anybody?").await.reads(&["bob: anybody?"]).await;
        bob.types("/msg ann psst").await;
        bob.reads(&["nobody here has that name, and the other servers cannot be asked"]).await;
        bob.types("/invite ann").await;
        bob.reads(&["nobody here has that name, and the other servers cannot be asked"]).await;
        // Local life goes on: names, rooms, chats, whispers.
        let mut kim = b.person("kim").await;
        bob.types("/msg kim hi").await.reads(&["[to kim] hi"]).await;
        kim.reads(&["[from bob] hi"]).await.joins(4, &["bob", "ann"]).await.types("hello").await;
        bob.reads(&["* kim (#) came", "kim: hello"]).await;
        kim.reads(&["kim: hello"]).await.types("/rooms").await.reads(&["room 4: 3 of 3"]).await;
        // For the others its users are gone when their names have expired.
        ann.reads(&["* bob (#) left"]).await.types("alone").await.reads(&["ann: alone"]).await;
        assert_eq!(b.cluster.stats().unsent, 3, "two lines, and that kim came");
        b.line.back();
        for person in [&mut bob, &mut kim] {
            person.reads(&["the other servers are back, and did not hear 3 messages of this one"]).await;
        }
        let mut came = [ann.line().await, ann.line().await].map(|line| line[..5].to_owned());
        came.sort();
        assert_eq!(came, ["* bob", "* kim"]);
        ann.types("again").await.reads(&["ann: again"]).await;
        for person in [&mut bob, &mut kim] {
            person.reads(&["ann: again"]).await;
        }
        bob.types("yes").await.reads(&["bob: yes"]).await;
        ann.reads(&["bob: yes"]).await;
        drop((ann, bob, kim));
        world.ends([a, b]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_came_and_left_while_a_server_was_cut_off_is_known_when_it_is_back() {
    with_one_and_three_workers(async |world| {
        let ([a, b], [mut ann, mut bob]) = world.ann_and_bob().await;
        b.line.away();
        bob.reads(&[AWAY]).await;
        let kim = a.in_room("kim", 4, &["ann", "bob"]).await;
        ann.reads(&["* kim (#) came"]).await.types("/leave").await.reads(&["you left the room"]).await;
        b.line.back();
        bob.reads(&["the other servers are back"]).await.reads(&["* kim (#) came", "* ann (#) left"]).await;
        bob.types("/who").await.reads(&["in room 4: bob (#), kim (#)"]).await;
        drop((ann, bob, kim));
        world.ends([a, b]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn of_two_who_took_one_name_while_apart_the_later_one_gives_way() {
    with_one_and_three_workers(async |world| {
        let [a, b] = [world.node().await, world.node().await];
        let mut first = a.guest().await;
        a.line.away();
        first.reads(&[AWAY]).await.types("/nick kim").await.reads(&["you are kim"]).await;
        first.joins(4, &[]).await;
        pass(Duration::from_secs(1)).await;
        let mut second = b.person("kim").await;
        // On its way over workers the name is still looked after.
        second.joins(5, &[]).await;
        a.line.back();
        first.reads(&["the other servers are back, and did not hear one message of this one"]).await;
        let rest = second.rest().await;
        assert_eq!(rest.len(), 1, "in words: {rest:?}");
        first.types("/who").await.reads(&["in room 4: kim (#)"]).await;
        let mut eve = b.in_room("eve", 4, &["kim"]).await;
        first.reads(&["* eve (#) came"]).await;
        eve.types("/msg kim hi").await.reads(&["[to kim] hi"]).await;
        drop((first, second, eve));
        world.ends([a, b]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_while_it_reaches_nobody_joins_the_others_later() {
    with_one_and_three_workers(async |world| {
        let a = world.node().await;
        let mut ann = a.in_room("ann", 4, &[]).await;
        let line = world.line();
        line.away();
        let b = world.node_on(line).await;
        pass(Duration::from_millis(1)).await;
        let mut bob = b.in_room("bob", 4, &[]).await;
        bob.types("hi").await.reads(&["bob: hi"]).await;
        assert!(ann.so_far().await.is_empty());
        b.line.back();
        let back = bob.line().await;
        assert!(back.starts_with("the other servers are back, and did not hear "), "{back}");
        bob.reads(&["* ann (#) came"]).await;
        ann.reads(&["* bob (#) came"]).await.types("hi").await.reads(&["ann: hi"]).await;
        bob.reads(&["ann: hi"]).await;
        drop((ann, bob));
        world.ends([a, b]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_has_lost_everything_is_told_anew() {
    with_one_and_three_workers(async |world| {
        let ([a, b], [mut ann, mut bob]) = world.ann_and_bob().await;
        a.line.forget();
        for person in [&mut ann, &mut bob] {
            person.reads(&[AWAY, "the other servers are back"]).await;
        }
        pass(TTL * 3).await;
        ann.types("/who").await.reads(&["in room 4: ann (#), bob (#)"]).await;
        ann.types("hi").await.reads(&["ann: hi"]).await;
        bob.reads(&["ann: hi"]).await.types("/nick ann").await.reads(&["that name is taken"]).await;
        drop((ann, bob));
        world.ends([a, b]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_is_still_on_the_way_back_has_not_left() {
    with_one_and_three_workers(async |world| {
        // Wherever the moment falls at which one looks who sits in the room.
        for later in [0, 3, 6, 9] {
            let ([a, b], [mut ann, mut bob]) = world.ann_and_bob().await;
            pass(Duration::from_secs(later)).await;
            a.line.away();
            b.line.away();
            ann.reads(&[AWAY]).await;
            bob.reads(&[AWAY]).await;
            // Both are forgotten meanwhile; one comes back earlier than the other.
            pass(TTL * 3).await;
            a.line.back();
            ann.reads(&["the other servers are back"]).await;
            pass(Duration::from_secs(4)).await;
            b.line.back();
            bob.reads(&["the other servers are back"]).await;
            for (person, there) in [(&mut ann, "ann (#), bob (#)"), (&mut bob, "bob (#), ann (#)")] {
                pass(Duration::from_secs(25)).await;
                assert_eq!(person.so_far().await, [""; 0], "{later}");
                person.types("/who").await.reads(&[&format!("in room 4: {there}")]).await;
            }
            drop((ann, bob));
            a.ends().await;
            b.ends().await;
        }
        world.ends([]).await;
    })
    .await;
}
