//! The text door: what two people say and hear, line by line.

use std::time::Duration;

use shooter::Rules;
use tokio::time::sleep;

use crate::world::{Person, World, ticks};

/// Plays a transcript. A line `1> …` is said by the first person; `1: …` is the next line that they hear, and before
/// somebody speaks, everybody has heard what is written and nothing else. `… N s` lets seconds pass, `1+` connects and `1-` disconnects.
async fn play(world: &World, transcript: &str) {
    let mut people: [Option<Person>; 3] = [const { None }; 3];
    let lines: Vec<&str> = transcript.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut expected: [Vec<&str>; 3] = Default::default();
    for (at, line) in lines.iter().enumerate() {
        if let Some(seconds) = line.strip_prefix("… ").and_then(|rest| rest.strip_suffix(" s")) {
            sleep(Duration::from_secs_f32(seconds.parse().unwrap())).await;
            continue;
        }
        let who: usize = line[..1].parse::<usize>().unwrap() - 1;
        match line[1..].split_at_checked(1) {
            Some(("+", _)) => people[who] = Some(world.person().await),
            Some(("-", _)) => {
                people[who] = None;
                ticks(2).await;
            }
            Some((">", said)) => people[who].as_mut().unwrap().say(said.trim()).await,
            Some((":", heard)) => {
                expected[who].push(heard.trim());
            }
            _ => panic!("no line of a transcript: {line}"),
        }
        let followed = lines.get(at + 1).is_some_and(|next| next.get(1..2) == Some(":"));
        if followed {
            continue;
        }
        for (person, expected) in people.iter_mut().zip(&mut expected) {
            let expected = std::mem::take(expected);
            if let Some(person) = person {
                assert_eq!(person.heard().await, expected, "after line {at}: {line}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_meet_and_one_shoots_the_other() {
    let world = World::new(0).await;
    play(
        &world,
        "1+
         1> SPAWN 1 100 300 100
         2+
         2: SPAWN 1 100 300 100
         2: POS 1 100 300 0 0 100 300
         2> SPAWN 22 400.5 3e2 100.0
         1: SPAWN 22 400.5 300 100
         2> POS 22 401.5 300 60 0 100 300
         1: POS 22 401.5 300 60 0 100 300
         1> POS 1 100 299 0 -60 401.5 300
         2: POS 1 100 299 0 -60 401.5 300
         1> FIRE 1 1 130 299 600 0 3 25
         2: FIRE 1 1 130 299 600 0 3 25
         … 1 s
         1: HIT 1 22 1 75
         2: HIT 1 22 1 75
         1> FIRE 1 2 130 299 600 0 3 25
         2: FIRE 1 2 130 299 600 0 3 25
         … 1 s
         1: HIT 1 22 2 50
         2: HIT 1 22 2 50
         1> FIRE 1 3 130 299 600 0 3 25
         2: FIRE 1 3 130 299 600 0 3 25
         … 1 s
         1: HIT 1 22 3 25
         2: HIT 1 22 3 25
         1> FIRE 1 1 130 299 600 0 3 25
         2: FIRE 1 1 130 299 600 0 3 25
         … 1 s
         1: HIT 1 22 1 0
         1: KILL 1 22
         2: HIT 1 22 1 0
         2: KILL 1 22
         2> POS 22 390 300 0 0 100 300
         2> FIRE 22 1 390 300 -600 0 3 25
         … 11 s
         2> SPAWN 22 700 100 100
         1: SPAWN 22 700 100 100
         2-
         1: KILL 22 22",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn numbers_are_their_owners() {
    let world = World::new(1).await;
    let mut bot = world.person().await;
    assert!(bot.heard().await.iter().any(|line| line.starts_with("SPAWN 9001 ")));
    bot.say("SPAWN 9001 100 100 100").await;
    let taken = "ERROR 9001 is taken: choose another number".to_owned();
    assert!(bot.heard().await.contains(&taken));
    drop((bot, world));

    let world = World::new(0).await;
    play(
        &world,
        "1+
         1> POS 1 100 300 0 0 100 300
         1: ERROR you are not on the field: SPAWN comes first
         1> SPAWN 1 100 300 100
         1> SPAWN 1 500 300 100
         1: ERROR you are on the field already
         1> SPAWN 2 500 300 100
         1: ERROR that is not your number: yours is 1
         2+
         2: SPAWN 1 100 300 100
         2: POS 1 100 300 0 0 100 300
         2> SPAWN 1 500 300 100
         2: ERROR 1 is taken: choose another number
         2> FIRE 1 1 130 299 600 0 3 25
         2: ERROR you are not on the field: SPAWN comes first
         2> SPAWN -2 500 300 100
         1: SPAWN -2 500 300 100
         2> POS 1 110 300 0 0 0 0
         2: ERROR that is not your number: yours is -2
         2> KILL -2 1
         2: ERROR who is hit, the server decides
         1-
         2: KILL 1 1
         3+
         3: SPAWN -2 500 300 100
         3: POS -2 500 300 0 0 500 300
         3> SPAWN 1 10 10 100
         2: SPAWN 1 10 10 100",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_is_corrected_and_its_player_is_told() {
    let world = World::new(0).await;
    play(
        &world,
        "1+
         2+
         1> SPAWN 1 -50 9000 7
         1: SPAWN 1 0 600 100
         2: SPAWN 1 0 600 100
         1> POS 1 700 600 100000 0 0 0
         1: POS 1 163.33333 600 400 0 0 0
         2: POS 1 163.33333 600 400 0 0 0
         1> FIRE 1 1 163 600 100000 0 99 10000
         1: FIRE 1 1 163 600 600 0 3 25
         2: FIRE 1 1 163 600 600 0 3 25
         1> FIRE 1 2 163 600 600 0 3 25
         1: ERROR too fast: your weapon fires 8 bullets a second
         … 0.2 s
         1> FIRE 1 2 400 600 600 0 3 25
         1: ERROR a shot starts within 60 px of its shooter
         1> SPAWN 1 NaN 600 100
         1: ERROR SPAWN: x must be a finite number
         1> POS 1 1 2
         1: ERROR POS: vx is missing
         1> HELLO
         1: ERROR a line begins with SPAWN, POS or FIRE",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn of_many_positions_in_a_tick_the_last_is_heard_and_a_shot_comes_after_where_it_was_fired() {
    let world = World::new(0).await;
    let (mut one, mut two) = (world.person().await, world.person().await);
    one.say("SPAWN 1 100 300 100").await;
    two.heard().await;
    // In one piece, so that no tick is between them.
    one.say("POS 1 101 300 0 0 0 0\nPOS 1 102 300 0 0 0 0\nFIRE 1 1 102 300 0 1 3 25\nPOS 1 103 300 0 0 0 0\r\nPOS 1 104 300 0 0 0 0")
        .await;
    assert_eq!(
        two.heard().await,
        ["POS 1 102 300 0 0 0 0", "FIRE 1 1 102 300 0 1 3 25", "POS 1 104 300 0 0 0 0"]
    );
    assert_eq!(one.heard().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn items_are_told_to_newcomers_and_taken_by_who_touches_them() {
    let world = World::with(Rules::default(), 0).await;
    let mut one = world.person().await;
    let put = one.heard().await;
    let [item] = &put[..] else { panic!("one item lies there: {put:?}") };
    let words: Vec<&str> = item.split(' ').collect();
    let [id, x, y, kind] = words[1..] else { panic!("{item}") };
    assert_eq!(words[0], "PUTITEM");
    let mut two = world.person().await;
    assert_eq!(two.heard().await, std::slice::from_ref(item));
    // Not where it lies, but so near that it is there in a step.
    let far: f32 = x.parse::<f32>().unwrap() + if x.parse::<f32>().unwrap() < 400.0 { 100.0 } else { -100.0 };
    one.say(&format!("SPAWN 1 {far} {y} 100")).await;
    assert_eq!(two.heard().await, [format!("SPAWN 1 {far} {y} 100")]);
    one.say(&format!("POS 1 {x} {y} 0 0 0 0")).await;
    let got = format!("GETITEM 1 {id} {kind}");
    assert_eq!(one.heard().await, std::slice::from_ref(&got));
    assert_eq!(two.heard().await, [format!("POS 1 {x} {y} 0 0 0 0"), got]);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_dead_has_left_and_a_number_is_free_once_that_is_known() {
    let world = World::new(0).await;
    play(
        &world,
        "1+
         1> SPAWN 1 100 300 100
         2+
         2: SPAWN 1 100 300 100
         2: POS 1 100 300 0 0 100 300
         2> SPAWN 2 200 300 100
         1: SPAWN 2 200 300 100
         2> FIRE 2 1 170 300 -600 0 3 25
         1: FIRE 2 1 170 300 -600 0 3 25
         … 1 s
         1: HIT 2 1 1 75
         2: HIT 2 1 1 75
         2> FIRE 2 2 170 300 -600 0 3 25
         1: FIRE 2 2 170 300 -600 0 3 25
         … 1 s
         1: HIT 2 1 2 50
         2: HIT 2 1 2 50
         2> FIRE 2 3 170 300 -600 0 3 25
         1: FIRE 2 3 170 300 -600 0 3 25
         … 1 s
         1: HIT 2 1 3 25
         2: HIT 2 1 3 25
         2> FIRE 2 4 170 300 -600 0 3 25
         1: FIRE 2 4 170 300 -600 0 3 25
         … 1 s
         1: HIT 2 1 4 0
         1: KILL 2 1
         2: HIT 2 1 4 0
         2: KILL 2 1
         1-
         2: KILL 1 1
         3+
         3: SPAWN 2 200 300 100
         3: POS 2 200 300 0 0 200 300
         3> SPAWN 1 100 300 100
         2: SPAWN 1 100 300 100",
    )
    .await;
}
