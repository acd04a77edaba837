//! People who come, go, chat and take names at random on three servers whose lines fail at random. In the end everybody
//! knows who is there, and has been told so.

use std::collections::BTreeMap;
use std::time::Duration;

use lobby::Settings;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::common::*;

/// Somebody, and whom they were told of in their room: by room user id.
struct One {
    person: Person,
    node: usize,
    told: BTreeMap<u64, String>,
    name: String,
    /// Two of one name were there, from nodes that were apart, and one of them took another: who, the line does not say.
    unsure: bool,
}

impl One {
    /// Takes in what has come. Nobody comes twice, and nobody leaves who has not come.
    async fn listens(&mut self) {
        let mut listed = false;
        for line in self.person.lines().await {
            if let Some(here) = line.strip_prefix("here: ") {
                (self.told, listed, self.unsure) = (users(here), true, false);
            } else if line.contains(", as number ") {
                // Where nobody is, nobody is listed.
                if !std::mem::take(&mut listed) {
                    self.told.clear();
                    self.unsure = false;
                }
            } else if let Some(name) = line.strip_prefix("you are name") {
                self.name = format!("name{name}");
            } else if let Some((name, _)) =
                line.strip_prefix("welcome, you are ").and_then(|name| name.split_once(':'))
            {
                self.name = name.to_owned();
            } else if line == "you left the room" {
                self.told.clear();
            } else if let Some(notice) = line.strip_prefix("* ") {
                self.hears(notice);
            }
        }
    }

    fn hears(&mut self, notice: &str) {
        if let Some(came) = notice.strip_suffix(" came") {
            for (id, name) in users(came) {
                assert!(self.told.insert(id, name).is_none() || self.unsure, "twice: {notice}");
            }
        } else if let Some(left) = notice.strip_suffix(" left") {
            for id in users(left).keys() {
                assert!(self.told.remove(id).is_some() || self.unsure, "was not there: {notice}");
            }
        } else if let Some((old, new)) = notice.split_once(" is now ") {
            for (id, name) in users(new) {
                let old: Vec<u64> =
                    self.told.iter().filter(|(_, name)| *name == old).map(|(id, _)| *id).collect();
                assert!(!old.is_empty() || self.unsure, "was not there: {notice}");
                self.unsure |= old.len() > 1;
                old.first().map(|old| self.told.remove(old));
                self.told.insert(id, name);
            }
        }
    }
}

/// `ann (1), bob (2)`.
fn users(names: &str) -> BTreeMap<u64, String> {
    let names = names.split(", ").filter_map(|one| {
        let (name, id) = one.strip_suffix(')')?.split_once(" (")?;
        Some((id.parse().unwrap(), name.to_owned()))
    });
    names.collect()
}

async fn crowd(workers: u16, seed: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let world =
        World::new(Settings { workers, room_users: 6, requests_per_second: 0, ..Settings::default() });
    let nodes = [world.node().await, world.node().await, world.node().await];
    let mut people: Vec<One> = Vec::new();
    for step in 0..400 {
        match random.random_range(0..24) {
            0..=3 if people.len() < 14 => {
                let node = random.random_range(0..3);
                let person = nodes[node].connects();
                people.push(One { person, node, told: BTreeMap::new(), name: String::new(), unsure: false });
            }
            4 if !people.is_empty() => {
                people.swap_remove(random.random_range(0..people.len()));
            }
            5 => nodes[random.random_range(0..3)].line.away(),
            6..=8 => nodes[random.random_range(0..3)].line.back(),
            9 => {
                nodes[random.random_range(0..3)].line.slow(Duration::from_millis(random.random_range(1..300)))
            }
            10 => nodes[random.random_range(0..3)].line.freeze(),
            11 => pass(Duration::from_millis(random.random_range(1..20_000))).await,
            _ if people.is_empty() => {}
            act => {
                let who = random.random_range(0..people.len());
                let one = &mut people[who];
                let line = match act {
                    12..=15 => format!("/join {}", random.random_range(1..4)),
                    16 => "/leave".into(),
                    17..=19 => format!("/nick name{}", random.random_range(0..20)),
                    20 => format!("/msg name{} psst", random.random_range(0..20)),
                    21 => format!("/invite name{}", random.random_range(0..20)),
                    22 => "/accept".into(),
                    _ => format!("line {step}"),
                };
                one.person.types(&line).await;
            }
        }
        if random.random_range(0..4) == 0 {
            pass(Duration::from_millis(random.random_range(0..50))).await;
        }
    }
    for node in &nodes {
        node.line.back();
    }
    pass(Duration::from_secs(120)).await;
    let mut rooms: BTreeMap<i32, Vec<BTreeMap<u64, String>>> = BTreeMap::new();
    for one in &mut people {
        one.listens().await;
        if one.person.is_closed() {
            continue;
        }
        let line = one.person.types("/who").await.line().await;
        let Some((room, here)) = line.strip_prefix("in room ").and_then(|line| line.split_once(": ")) else {
            assert!(line.starts_with("in the lobby"), "{line}");
            continue;
        };
        let here = users(here);
        let room: i32 = room.parse().unwrap();
        let mut others = here.clone();
        others.retain(|_, name| *name != one.name);
        assert!(
            one.told == others || one.unsure,
            "seed {seed}, node {}, room {room}: {:?} {others:?}",
            one.node,
            one.told
        );
        rooms.entry(room).or_default().push(here);
    }
    for (room, pictures) in rooms {
        let all = pictures.len();
        for picture in &pictures {
            assert_eq!((picture, picture.len()), (&pictures[0], all), "seed {seed}, room {room}");
        }
    }
    drop(people);
    pass(Duration::from_secs(1)).await;
    world.ends(nodes).await;
}

#[tokio::test(start_paused = true)]
async fn everybody_knows_who_is_there_when_all_lines_are_whole_again() {
    for seed in 0..6 {
        crowd(1, seed).await;
        crowd(3, seed).await;
    }
}
