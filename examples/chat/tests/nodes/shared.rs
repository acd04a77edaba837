//! What several servers share: names, rooms, whispers, invitations, votes.

use std::time::Duration;

use lobby::Settings;
use lobby::raw::{Accept, ToClient, ToServer};

use crate::common::*;

#[tokio::test(start_paused = true)]
async fn a_name_is_one_users_on_all_servers() {
    with_one_and_three_workers(async |world| {
        let [a, b] = [world.node().await, world.node().await];
        let (ann, eve) = (a.client(), b.client());
        let answer = ann.request(log_in("ann")).await.unwrap();
        assert_eq!(answer, ToClient::LogIn { result: 1 });
        assert_eq!(eve.request(log_in("ann")).await.unwrap(), ToClient::LogIn { result: 111 });
        let mut person = b.guest().await;
        person.types("/nick ann").await.reads(&["that name is taken"]).await;
        person.types("/nick bob").await.reads(&["you are bob"]).await;
        assert_eq!(ann.request(log_in("bob")).await.unwrap(), ToClient::LogIn { result: 111 }, "already in");
        let mut other = a.guest().await;
        other.types("/nick bob").await.reads(&["that name is taken"]).await;
        // Another name: the old one is free.
        person.types("/nick kim").await.reads(&["you are kim"]).await;
        b.settle().await;
        other.types("/nick bob").await.reads(&["you are bob"]).await;
        drop(ann);
        pass(Duration::from_millis(1)).await;
        a.settle().await;
        assert_eq!(eve.request(log_in("ann")).await.unwrap(), ToClient::LogIn { result: 1 });
        world.ends([a, b]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn of_all_who_want_one_name_at_the_same_moment_one_gets_it() {
    with_one_and_three_workers(async |world| {
        let nodes = [world.node().await, world.node().await, world.node().await];
        let players: Vec<Player> = (0..12).map(|number| nodes[number % 3].client()).collect();
        for player in &players {
            player.send(&log_in("ann")).unwrap();
        }
        let mut results = Vec::new();
        for mut player in players {
            results.push(within(player.recv()).await.unwrap().unwrap());
        }
        let got = results.iter().filter(|answer| **answer == ToClient::LogIn { result: 1 }).count();
        let not = results.iter().filter(|answer| **answer == ToClient::LogIn { result: 111 }).count();
        assert_eq!((got, not), (1, 11), "{results:?}");
        pass(Duration::from_millis(1)).await;
        world.ends(nodes).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn in_a_room_all_hear_who_comes_chats_takes_a_name_and_leaves_wherever_they_are() {
    with_one_and_three_workers(async |world| {
        let [a, b, c] = [world.node().await, world.node().await, world.node().await];
        let mut ann = a.in_room("ann", 4, &[]).await;
        let mut bob = b.in_room("bob", 4, &["ann"]).await;
        ann.reads(&["* bob (#) came"]).await;
        let mut kim = c.in_room("kim", 4, &["ann", "bob"]).await;
        ann.reads(&["* kim (#) came"]).await;
        bob.reads(&["* kim (#) came"]).await;
        for (line, heard) in [("hi", "ann: hi"), ("all", "ann: all")] {
            ann.types(line).await;
            for person in [&mut ann, &mut bob, &mut kim] {
                person.reads(&[heard]).await;
            }
        }
        kim.types("/who").await.reads(&["in room 4: kim (#), ann (#), bob (#)"]).await;
        bob.types("/nick rob").await.reads(&["you are rob"]).await;
        ann.reads(&["* bob is now rob (#)"]).await;
        kim.reads(&["* bob is now rob (#)"]).await;
        bob.types("me").await;
        kim.reads(&["rob: me"]).await;
        ann.reads(&["rob: me"])
            .await
            .types("/who")
            .await
            .reads(&["in room 4: ann (#), rob (#), kim (#)"])
            .await;
        // Into another room, out of all, and away.
        bob.reads(&["rob: me"]).await.joins(5, &[]).await;
        ann.reads(&["* rob (#) left"]).await;
        kim.reads(&["* rob (#) left"]).await.types("/leave").await.reads(&["you left the room"]).await;
        ann.reads(&["* kim (#) left"]).await;
        let lobby = "you are in the lobby: /rooms shows the rooms, /join ROOM enters one";
        kim.reads(&[lobby]).await.joins(4, &["ann"]).await;
        ann.reads(&["* kim (#) came"]).await;
        drop(kim);
        ann.reads(&["* kim (#) left"]).await.types("/who").await.reads(&["in room 4: ann (#)"]).await;
        world.ends([a, b, c]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn game_clients_read_each_other_over_servers_and_no_two_have_one_room_user_id() {
    with_one_and_three_workers(async |world| {
        let [a, b] = [world.node().await, world.node().await];
        let (mut ann, mut bob) = (a.client(), b.client());
        let mut ids = Vec::new();
        for _ in 0..20 {
            (ann, bob) = (a.client(), b.client());
            ann.request(log_in("ann")).await.unwrap();
            bob.request(log_in("bob")).await.unwrap();
            let ToClient::Enter { result: 1, room: 7, user: first } =
                ann.request(ToServer::Enter { room: 7 }).await.unwrap()
            else {
                panic!("not in")
            };
            // Who is there comes before the answer.
            bob.send(&ToServer::Enter { room: 7 }).unwrap();
            let Some(ToClient::Users { users }) = within(bob.recv()).await.unwrap() else { panic!("nobody") };
            assert_eq!((users.len(), users[0].user, &users[0].id[..]), (1, first, "ann"));
            let Some(ToClient::Enter { result: 1, user: second, .. }) = within(bob.recv()).await.unwrap()
            else {
                panic!("not in")
            };
            let Some(ToClient::Came(came)) = within(ann.recv()).await.unwrap() else { panic!("nobody came") };
            assert_eq!((came.user, &came.id[..]), (second, "bob"));
            ids.extend([first, second]);
            bob.send(&ToServer::Chat { text: "hi".into() }).unwrap();
            bob.send(&ToServer::Relay(vec![1, 2, 3].into())).unwrap();
            let chatted = ToClient::Chatted { user: second, text: "hi".into() };
            let relayed = ToClient::Relayed { user: second, bytes: vec![1, 2, 3].into() };
            assert_eq!(within(ann.recv()).await.unwrap(), Some(chatted.clone()));
            assert_eq!(within(ann.recv()).await.unwrap(), Some(relayed.clone()));
            assert_eq!(within(bob.recv()).await.unwrap(), Some(chatted));
            assert_eq!(within(bob.recv()).await.unwrap(), Some(ToClient::Chat { result: 1 }));
            assert_eq!(within(bob.recv()).await.unwrap(), Some(relayed));
            assert_eq!(bob.request(ToServer::Leave).await.unwrap(), ToClient::Leave { result: 1 });
            assert_eq!(within(ann.recv()).await.unwrap(), Some(ToClient::Went { user: second }));
            drop((ann, bob));
            pass(Duration::from_millis(1)).await;
            a.settle().await;
            b.settle().await;
            (ann, bob) = (a.client(), b.client());
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 40);
        drop((ann, bob));
        world.ends([a, b]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_longest_relay_reaches_other_servers_and_a_longer_one_nobody() {
    for workers in [1, 3] {
        let world = World::new(Settings { workers, max_packet: u16::MAX, ..Settings::default() });
        let [a, b] = [world.node().await, world.node().await];
        let (mut ann, mut bob) = (a.client(), b.client());
        for (name, person) in [("ann", &mut ann), ("bob", &mut bob)] {
            person.request(log_in(name)).await.unwrap();
            person.request(ToServer::Enter { room: 7 }).await.unwrap();
        }
        assert!(matches!(within(ann.recv()).await.unwrap(), Some(ToClient::Came(_))));
        assert!(matches!(within(bob.recv()).await.unwrap(), Some(ToClient::Users { .. })));
        for len in [65_523, 65_530, 65_522] {
            ann.send(&ToServer::Relay(vec![len as u8; len].into())).unwrap();
        }
        for _ in 0..2 {
            assert_eq!(within(ann.recv()).await.unwrap(), Some(ToClient::Error { code: 161 }));
        }
        for person in [&mut ann, &mut bob] {
            let Some(ToClient::Relayed { bytes, .. }) = within(person.recv()).await.unwrap() else {
                panic!("not relayed")
            };
            assert!(bytes == vec![65_522_u32 as u8; 65_522]);
        }
        drop((ann, bob));
        pass(Duration::from_millis(1)).await;
        world.ends([a, b]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_seats_of_a_room_are_those_of_all_servers_together() {
    with_one_and_three_workers(async |world| {
        let nodes = [world.node().await, world.node().await, world.node().await];
        let mut people = Vec::new();
        for number in 0..9 {
            people.push(nodes[number % 3].client());
            let name = log_in(&format!("user{number}"));
            assert_eq!(people[number].request(name).await.unwrap(), ToClient::LogIn { result: 1 });
        }
        for person in &people {
            person.send(&ToServer::Enter { room: 11 }).unwrap();
        }
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for mut person in people {
            let result = loop {
                if let Some(ToClient::Enter { result, .. }) = within(person.recv()).await.unwrap() {
                    break result;
                }
            };
            if result == 1 { inside.push(person) } else { outside.push((result, person)) }
        }
        assert_eq!((inside.len(), outside.len()), (3, 6));
        assert!(outside.iter().all(|(result, _)| *result == 134), "full");
        drop(inside.pop());
        pass(Duration::from_millis(1)).await;
        for node in &nodes {
            node.settle().await;
        }
        let (_, mut next) = outside.pop().unwrap();
        next.send(&ToServer::Enter { room: 11 }).unwrap();
        let Some(ToClient::Users { users }) = within(next.recv()).await.unwrap() else { panic!("not in") };
        assert_eq!(users.len(), 2);
        drop((inside, outside, next));
        world.ends(nodes).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn rooms_are_listed_with_those_of_all_servers() {
    with_one_and_three_workers(async |world| {
        let [a, b] = [world.node().await, world.node().await];
        let mut ann = a.person("ann").await;
        ann.types("/rooms").await.reads(&["all rooms are empty"]).await;
        ann.joins(4, &[]).await;
        let mut bob = b.in_room("bob", 4, &["ann"]).await;
        ann.reads(&["* bob (#) came"]).await;
        let mut kim = b.in_room("kim", 9, &[]).await;
        // What a server knows of others' rooms may be half a second old.
        pass(Duration::from_secs(1)).await;
        for person in [&mut ann, &mut bob, &mut kim] {
            person.types("/rooms").await.reads(&["room 4: 2 of 3", "room 9: 1 of 3"]).await;
        }
        world.ends([a, b]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn whispers_find_their_user_on_any_server() {
    with_one_and_three_workers(async |world| {
        let [a, b] = [world.node().await, world.node().await];
        let mut ann = a.in_room("ann", 1, &[]).await;
        let mut bob = b.person("bob").await;
        ann.types("/msg bob psst").await.reads(&["[to bob] psst"]).await;
        bob.reads(&["[from ann] psst"]).await.types("/msg ann yes").await.reads(&["[to ann] yes"]).await;
        ann.reads(&["[from bob] yes"])
            .await
            .types("/msg eve psst")
            .await
            .reads(&["nobody has that name"])
            .await;
        // Order holds, also of what is said behind a question that other servers answer.
        for number in 0..50 {
            ann.types(&format!("/msg bob {number}")).await.types(&format!("line {number}")).await;
        }
        for number in 0..50 {
            ann.reads(&[&format!("[to bob] {number}"), &format!("ann: line {number}")]).await;
            bob.reads(&[&format!("[from ann] {number}")]).await;
        }
        drop(bob);
        pass(Duration::from_millis(1)).await;
        b.settle().await;
        ann.types("/msg bob gone").await.reads(&["nobody has that name"]).await;
        world.ends([a, b]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn invitations_reach_users_of_other_servers_and_are_answered_there() {
    with_one_and_three_workers(async |world| {
        let [a, b] = [world.node().await, world.node().await];
        let mut ann = a.in_room("ann", 1, &[]).await;
        let mut bob = b.in_room("bob", 2, &[]).await;
        let asks = "* ann asks you into room 1: /accept or /refuse, within 60 s";
        ann.types("/invite eve").await.reads(&["nobody has that name"]).await;
        ann.types("/invite bob").await.reads(&["bob was asked to come"]).await;
        bob.reads(&[asks]).await.types("/refuse").await.reads(&["you do not come"]).await;
        ann.reads(&["* bob does not come"]).await;
        ann.types("/invite bob").await.reads(&["bob was asked to come"]).await;
        bob.reads(&[asks]).await.types("/accept").await;
        bob.reads(&["you left the room", "here: ann (#)", "you are in room 1, as number #"]).await;
        // Which of the two a server hears first is nobody's to say: one goes to the server, one to the room.
        let mut heard = [ann.line().await, ann.line().await];
        heard.sort();
        assert!(heard[0].starts_with("* bob (") && heard[1] == "* bob comes", "{heard:?}");
        ann.types("/invite bob").await.reads(&["you are in the same room already"]).await;
        bob.joins(2, &[]).await;
        ann.reads(&["* bob (#) left"]).await;
        // Nobody answers: both are told.
        ann.types("/invite bob").await.reads(&["bob was asked to come"]).await;
        bob.reads(&[asks, "* the invitation of ann to bob has expired"]).await;
        ann.reads(&["* the invitation of ann to bob has expired"]).await;
        // Whoever is asked goes away.
        ann.types("/invite bob").await.reads(&["bob was asked to come"]).await;
        drop(bob);
        ann.reads(&["* the invitation of ann to bob has expired"]).await;
        assert!(ann.so_far().await.is_empty());
        world.ends([a, b]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn game_clients_answer_invitations_of_other_servers_by_number() {
    with_one_and_three_workers(async |world| {
        let [a, b] = [world.node().await, world.node().await];
        let (ann, mut bob) = (a.client(), b.client());
        ann.request(log_in("ann")).await.unwrap();
        bob.request(log_in("bob")).await.unwrap();
        ann.request(ToServer::Enter { room: 3 }).await.unwrap();
        let ToClient::Invite { result: 1, invite } =
            ann.request(ToServer::Invite { to: "bob".into() }).await.unwrap()
        else {
            panic!("not asked")
        };
        let asked = ToClient::Invited { invite, room: 3, millis: 60_000, from: "ann".into() };
        assert_eq!(within(bob.recv()).await.unwrap(), Some(asked));
        bob.send(&ToServer::Answer { invite, answer: Accept::Yes }).unwrap();
        assert_eq!(within(bob.recv()).await.unwrap(), Some(ToClient::Answer { result: 1 }));
        let Some(ToClient::Users { users }) = within(bob.recv()).await.unwrap() else { panic!("nobody") };
        assert_eq!(&users[0].id[..], "ann");
        drop((ann, bob));
        world.ends([a, b]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn dice_and_votes_are_those_of_all_servers() {
    with_one_and_three_workers(async |world| {
        let [a, b] = [world.node().await, world.node().await];
        let mut ann = a.in_room("ann", 6, &[]).await;
        let mut bob = b.in_room("bob", 6, &["ann"]).await;
        ann.reads(&["* bob (#) came"]).await.types("/dice 1").await;
        let rolled = ann.line().await;
        assert_eq!(bob.line().await, rolled);
        ann.types("/vote start lunch?").await;
        let opened = ann.line().await;
        assert_eq!(bob.line().await, opened);
        bob.types("/vote rice").await;
        let chosen = bob.line().await;
        // Who comes later, on a server of its own, has a voice too.
        let c = world.node().await;
        let mut kim = c.in_room("kim", 6, &["ann", "bob"]).await;
        for person in [&mut ann, &mut bob] {
            person.reads(&["* kim (#) came"]).await;
        }
        assert_eq!(kim.line().await, opened);
        kim.types("/vote rice").await;
        assert_eq!(kim.line().await, chosen);
        ann.types("/vote soup").await;
        assert!(ann.line().await.contains("soup"));
        let tally = ["* the vote is closed: lunch?", "* 2 for rice", "* 1 for soup"];
        for person in [&mut ann, &mut bob, &mut kim] {
            person.reads(&tally).await;
        }
        // Nobody chooses: it closes on all of them.
        kim.types("/vote start tea?").await;
        for person in [&mut ann, &mut bob, &mut kim] {
            assert!(person.line().await.contains("tea?"));
            person.reads(&["* the vote is closed: tea?", "* nobody voted"]).await;
        }
        world.ends([a, b, c]).await;
    })
    .await;
}
