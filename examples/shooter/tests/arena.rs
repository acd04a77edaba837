//! The arena as a player meets it: what holds whatever clients say.

#![forbid(unsafe_code)]

use proptest::prelude::*;
use shooter::arena::{Hears, Shot, Walk};
use shooter::rules::{FULL_HEALTH, HEIGHT, MUZZLE, SILENCE, SLACK, TOP_SPEED, WIDTH, Weapon};
use shooter::{Arena, Bots, Event, Rules, Vec2};

const STILL: Vec2 = Vec2::new(0.0, 0.0);

/// An arena without items, in which these players stand.
fn arena(players: &[(i32, f32, f32)]) -> Arena {
    let mut arena = Arena::new(Rules { items: false, ..Rules::default() }, 1);
    for (id, x, y) in players {
        arena.spawn(*id, Vec2::new(*x, *y), 100.0).unwrap();
    }
    arena.drain();
    arena
}

fn walk_to(arena: &mut Arena, id: i32, x: f32, y: f32) {
    let at = Vec2::new(x, y);
    arena.walk(id, Walk { at, velocity: STILL, aim: at }).unwrap();
}

fn shot(bullet: i32, from: (f32, f32), velocity: (f32, f32)) -> Shot {
    let (from, velocity) = (Vec2::new(from.0, from.1), Vec2::new(velocity.0, velocity.1));
    Shot { bullet, from, velocity, r: 3.0, dmg: 25.0 }
}

fn steps(arena: &mut Arena, count: u32) -> Vec<(Hears, Event)> {
    (0..count).for_each(|_| arena.step());
    arena.drain().collect()
}

fn events(arena: &mut Arena, count: u32) -> Vec<Event> {
    steps(arena, count).into_iter().map(|(_, event)| event).collect()
}

fn hit(bullet: i32, hp: f32) -> Event {
    Event::Hit { attacker: 1, defender: 2, bullet, hp }
}

const KILL: Event = Event::Kill { attacker: 1, defender: 2 };

#[test]
fn a_bullet_hits_once_and_the_fourth_kills() {
    let mut arena = arena(&[(1, 100.0, 300.0), (2, 400.0, 300.0), (3, 500.0, 300.0)]);
    let mut all = Vec::new();
    for bullet in 1..=4 {
        arena.fire(1, shot(bullet, (130.0, 300.0), (600.0, 0.0))).unwrap();
        all.extend(events(&mut arena, 30));
    }
    all.retain(|event| matches!(event, Event::Hit { .. } | Event::Kill { .. }));
    assert_eq!(all, [hit(1, 75.0), hit(2, 50.0), hit(3, 25.0), hit(4, 0.0), KILL]);
    assert_eq!((arena.players()[&1].kills, arena.players()[&2].deaths, arena.bullets()), (1, 1, 0));
    // Where the dead one stood, the next flies through.
    arena.fire(1, shot(5, (130.0, 300.0), (600.0, 0.0))).unwrap();
    assert!(events(&mut arena, 60).contains(&Event::Hit { attacker: 1, defender: 3, bullet: 5, hp: 75.0 }));
}

#[test]
fn the_protocols_formula_decides_to_the_px() {
    // 20 + 3: at 23 px it flies by, nearer it hits.
    for (y, hits) in [(323.0, false), (322.9, true), (277.0, false), (277.1, true)] {
        let mut arena = arena(&[(1, 100.0, 300.0), (2, 400.0, y)]);
        arena.fire(1, shot(1, (130.0, 300.0), (600.0, 0.0))).unwrap();
        assert_eq!(events(&mut arena, 60).contains(&hit(1, 75.0)), hits, "{y}");
    }
    let mut wide = Arena::new(Rules { hit_radius: 40.0, items: false, ..Rules::default() }, 1);
    wide.spawn(1, Vec2::new(100.0, 300.0), 100.0).unwrap();
    wide.spawn(2, Vec2::new(400.0, 342.0), 100.0).unwrap();
    wide.fire(1, shot(1, (130.0, 300.0), (600.0, 0.0))).unwrap();
    assert!(events(&mut wide, 60).contains(&hit(1, 75.0)), "the radius is a setting");
}

#[test]
fn a_bullet_flies_on_whatever_its_floats_round_to() {
    let mut arena = Arena::new(Rules { tick_hz: 100, items: false, ..Rules::default() }, 1);
    for (id, x, y) in [(1, 100.0, 300.0), (2, 150.0, 278.0)] {
        arena.spawn(id, Vec2::new(x, y), 100.0).unwrap();
    }
    arena.fire(1, shot(1, (100.0, 300.0), (460.027_47, 0.0))).unwrap();
    assert!(events(&mut arena, 100).contains(&hit(1, 75.0)));
}

#[test]
fn a_bullet_never_hits_its_shooter() {
    let mut arena = arena(&[(1, 100.0, 300.0)]);
    arena.fire(1, shot(1, (100.0, 300.0), (0.0, 0.0))).unwrap();
    assert_eq!(events(&mut arena, 300).iter().filter(|event| matches!(event, Event::Hit { .. })).count(), 0);
    assert_eq!(arena.bullets(), 0, "and one that stands falls to the ground");
}

#[test]
fn health_and_damage_are_not_what_a_client_claims() {
    let mut arena = Arena::new(Rules { items: false, ..Rules::default() }, 1);
    arena.spawn(1, Vec2::new(100.0, 300.0), 10_000.0).unwrap();
    arena.spawn(2, Vec2::new(200.0, 300.0), 1.0).unwrap();
    arena.drain();
    let claim = Shot { r: 500.0, dmg: 10_000.0, ..shot(7, (130.0, 300.0), (90_000.0, 0.0)) };
    arena.fire(1, claim).unwrap();
    let fired = Event::Fire { id: 1, bullet: 7, x: 130.0, y: 300.0, vx: 600.0, vy: 0.0, r: 3.0, dmg: 25.0 };
    let heard = steps(&mut arena, 1);
    assert_eq!(heard, [(Hears::One(1), fired.clone()), (Hears::Others(1), fired)], "the shooter is told");
    assert_eq!(events(&mut arena, 60), [hit(7, 75.0)]);
    // A shot that would heal does nothing.
    arena.fire(1, Shot { dmg: -50.0, r: -3.0, ..shot(8, (130.0, 300.0), (600.0, 0.0)) }).unwrap();
    assert!(events(&mut arena, 60).contains(&hit(8, 75.0)));
}

#[test]
fn a_jump_across_the_field_goes_as_far_as_the_slack_and_its_player_is_told() {
    let mut arena = arena(&[(1, 50.0, 300.0)]);
    walk_to(&mut arena, 1, 750.0, 300.0);
    let heard = steps(&mut arena, 1);
    let pos = Event::Pos { id: 1, x: 50.0 + SLACK, y: 300.0, vx: 0.0, vy: 0.0, aim_x: 750.0, aim_y: 300.0 };
    assert_eq!(heard, [(Hears::One(1), pos.clone()), (Hears::Others(1), pos)]);
    // Who says it a thousand times gets no further than who walks.
    for _ in 0..60 {
        (0..1000).for_each(|_| walk_to(&mut arena, 1, 750.0, 300.0));
        arena.step();
    }
    let x = arena.players()[&1].at.x;
    assert!(x <= 200.0 + TOP_SPEED + 1.0, "{x}");
}

#[test]
fn who_was_held_up_for_a_second_arrives_where_it_walked_to() {
    let mut arena = arena(&[(1, 50.0, 300.0)]);
    steps(&mut arena, 60);
    for step in 1..=60 {
        walk_to(&mut arena, 1, 50.0 + 149.0 * step as f32 / 60.0, 300.0);
    }
    let heard = steps(&mut arena, 1);
    assert_eq!((heard.len(), arena.players()[&1].at.x), (1, 199.0), "once, and not corrected");
}

#[test]
fn a_shot_starts_near_its_shooter_and_not_too_soon() {
    let mut arena = arena(&[(1, 100.0, 300.0)]);
    let far = arena.fire(1, shot(1, (161.0, 300.0), (600.0, 0.0)));
    assert_eq!(far, Err(format!("a shot starts within {MUZZLE} px of its shooter")));
    arena.fire(1, shot(1, (160.0, 300.0), (1.0, 0.0))).unwrap();
    assert_eq!(
        arena.fire(1, shot(2, (160.0, 300.0), (1.0, 0.0))),
        Err("too fast: your weapon fires 8 bullets a second".to_owned())
    );
    steps(&mut arena, 8);
    let again = arena.fire(1, shot(1, (160.0, 300.0), (1.0, 0.0)));
    assert_eq!(again, Err("your bullet 1 still flies".to_owned()));
    arena.fire(1, shot(2, (160.0, 300.0), (1.0, 0.0))).unwrap();
}

#[test]
fn a_thousand_shots_a_second_are_nine_at_most() {
    let mut arena = arena(&[(1, 100.0, 300.0)]);
    let mut fired = 0;
    for number in 0..1000 {
        fired += i32::from(arena.fire(1, shot(number, (100.0, 300.0), (600.0, 0.0))).is_ok());
        if number % 17 == 16 {
            arena.step();
        }
    }
    assert!((8..=9).contains(&fired), "{fired}");
}

#[test]
fn the_dead_wait_ten_seconds_and_nothing_they_send_counts() {
    let mut arena = arena(&[(1, 100.0, 300.0), (2, 200.0, 300.0)]);
    for bullet in 1..=4 {
        arena.fire(1, shot(bullet, (130.0, 300.0), (600.0, 0.0))).unwrap();
        steps(&mut arena, 30);
    }
    assert!(!arena.players()[&2].is_alive());
    walk_to(&mut arena, 2, 210.0, 300.0);
    arena.fire(2, shot(1, (200.0, 300.0), (-600.0, 0.0))).unwrap();
    let early = arena.spawn(2, Vec2::new(200.0, 300.0), 100.0).unwrap_err();
    assert!(early.starts_with("you are dead for another 9."), "{early}");
    assert_eq!(steps(&mut arena, 570), [], "half a second more was above");
    assert!(arena.spawn(2, Vec2::new(200.0, 300.0), 100.0).is_err());
    steps(&mut arena, 10);
    arena.spawn(2, Vec2::new(300.0, 300.0), 50.0).unwrap();
    assert_eq!(arena.players()[&2].hp, FULL_HEALTH);
    let alive = arena.spawn(2, Vec2::new(300.0, 300.0), 100.0);
    assert_eq!(alive, Err("you are on the field already".to_owned()));
}

#[test]
fn an_item_goes_to_who_touches_it_and_arms_them() {
    let mut arena = Arena::new(Rules::default(), 5);
    let put = events(&mut arena, 1);
    let [Event::PutItem { item, x, y, kind }] = put[..] else { panic!("{put:?}") };
    arena.spawn(1, Vec2::new(x, y), 100.0).unwrap();
    let taken = Event::GetItem { id: 1, item, kind };
    assert!(events(&mut arena, 1).contains(&taken));
    assert_eq!(arena.players()[&1].shoots_with(), Weapon::of(Some(kind)));
    assert_eq!(arena.items().count(), 0);
    // However long nobody comes, the field is not full of them.
    arena.leave(1);
    steps(&mut arena, 60 * 60);
    assert_eq!(arena.items().count(), 4);
}

#[test]
fn who_leaves_is_gone_with_their_bullets() {
    let mut arena = arena(&[(1, 100.0, 300.0), (2, 400.0, 300.0)]);
    arena.fire(1, shot(1, (130.0, 300.0), (600.0, 0.0))).unwrap();
    arena.drain();
    arena.leave(1);
    assert_eq!(events(&mut arena, 60), [Event::Left { id: 1 }, Event::Kill { attacker: 1, defender: 1 }]);
    arena.leave(1);
    assert_eq!(events(&mut arena, 1), []);
}

#[test]
fn the_same_seed_plays_the_same_game() {
    let game = |seed| {
        let mut arena = Arena::new(Rules::default(), seed);
        let mut bots = Bots::new(6, Rules::default().step(), seed);
        for _ in 0..3600 {
            bots.act(&mut arena);
            arena.step();
        }
        arena.drain().map(|(_, event)| event).collect::<Vec<_>>()
    };
    let first = game(7);
    assert!(first == game(7) && first != game(8));
    let kills = first.iter().filter(|event| matches!(event, Event::Kill { .. })).count();
    assert!(kills >= 3, "{kills} kills a minute are no living game");
    assert!(first.iter().any(|event| matches!(event, Event::GetItem { .. })));
}

/// What a client may come up with.
#[derive(Clone, Debug)]
enum Say {
    Spawn(i32, Vec2, f32),
    Walk(i32, Walk),
    Fire(i32, Shot),
    Leave(i32),
    Steps(u32),
}

fn number() -> impl Strategy<Value = f32> {
    prop_oneof![6 => -100.0..900.0_f32, 1 => any::<f32>(), 1 => Just(f32::NAN), 1 => Just(f32::INFINITY)]
}

fn point() -> impl Strategy<Value = Vec2> {
    (number(), number()).prop_map(|(x, y)| Vec2::new(x, y))
}

fn say() -> impl Strategy<Value = Say> {
    let id = 1..4_i32;
    prop_oneof![
        2 => (id.clone(), point(), number()).prop_map(|(id, at, hp)| Say::Spawn(id, at, hp)),
        4 => (id.clone(), point(), point(), point())
            .prop_map(|(id, at, velocity, aim)| Say::Walk(id, Walk { at, velocity, aim })),
        4 => (id.clone(), 0..5_i32, point(), point(), number(), number())
            .prop_map(|(id, bullet, from, velocity, r, dmg)| Say::Fire(id, Shot { bullet, from, velocity, r, dmg })),
        1 => id.prop_map(Say::Leave),
        4 => (1..200_u32).prop_map(Say::Steps),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_clients_say_the_arena_stays_sound(said in proptest::collection::vec(say(), 0..80)) {
        let mut arena = Arena::new(Rules::default(), 3);
        let mut flying = std::collections::HashSet::new();
        let mut dead = std::collections::HashSet::new();
        for say in said {
            let _ = match say {
                Say::Spawn(id, at, hp) => arena.spawn(id, at, hp),
                Say::Walk(id, walk) => arena.walk(id, walk),
                Say::Fire(id, shot) => arena.fire(id, shot),
                Say::Leave(id) => { arena.leave(id); Ok(()) }
                Say::Steps(count) => { (0..count).for_each(|_| arena.step()); Ok(()) }
            };
            for player in arena.players().values() {
                prop_assert!((0.0..=WIDTH).contains(&player.at.x) && (0.0..=HEIGHT).contains(&player.at.y));
                prop_assert!((0.0..=FULL_HEALTH).contains(&player.hp) && (player.hp > 0.0) == player.is_alive());
                prop_assert!(player.velocity.length() <= TOP_SPEED + 0.1);
            }
            let events: Vec<_> = arena.drain().collect();
            for (hears, event) in events {
                match event {
                    Event::Spawn { id, x, y, hp } if matches!(hears, Hears::Others(_)) => {
                        prop_assert!((0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y) && hp == FULL_HEALTH);
                        dead.remove(&id);
                    }
                    Event::Pos { id, x, y, vx, vy, aim_x, aim_y } => {
                        prop_assert!(!dead.contains(&id), "the dead do not walk");
                        prop_assert!([x, y, vx, vy, aim_x, aim_y].iter().all(|number| number.is_finite()));
                    }
                    Event::Fire { id, bullet, vx, vy, r, dmg, .. } if matches!(hears, Hears::Others(_)) => {
                        prop_assert!(!dead.contains(&id));
                        prop_assert!(Vec2::new(vx, vy).length() <= 700.1 && (0.0..=8.0).contains(&r) && (0.0..=60.0).contains(&dmg));
                        flying.insert((id, bullet));
                    }
                    Event::Hit { attacker, defender, bullet, .. } => {
                        prop_assert!(attacker != defender);
                        prop_assert!(flying.remove(&(attacker, bullet)), "a bullet hits once");
                    }
                    Event::Kill { attacker, defender } if attacker != defender => {
                        prop_assert!(dead.insert(defender), "nobody dies twice");
                    }
                    Event::Left { id } => { dead.remove(&id); flying.retain(|(shooter, _)| *shooter != id); }
                    _ => {}
                }
                if let Event::Kill { attacker, defender } = event && attacker == defender {
                    dead.remove(&defender);
                }
            }
        }
    }

    #[test]
    fn however_fast_no_bullet_tunnels(y in 278.0..322.0_f32, speed in 30.0..600.0_f32, hz in 10..240_u32) {
        let mut arena = Arena::new(Rules { tick_hz: hz, items: false, ..Rules::default() }, 1);
        for (id, x, y) in [(1, 100.0, 300.0), (2, 150.0, y)] {
            arena.spawn(id, Vec2::new(x, y), 100.0).unwrap();
        }
        arena.fire(1, shot(1, (100.0, 300.0), (speed, 0.0))).unwrap();
        let hits = events(&mut arena, hz * 4).into_iter().filter(|event| *event == hit(1, 75.0)).count();
        prop_assert_eq!(hits, 1);
    }

    #[test]
    fn nobody_gets_further_than_top_speed_and_slack_allow(
        walks in proptest::collection::vec((0.0..WIDTH, 0.0..HEIGHT, 0..40_u32), 1..40)
    ) {
        let mut arena = arena(&[(1, 400.0, 300.0)]);
        let (mut walked, mut time) = (0.0, 0.0);
        for (x, y, wait) in walks {
            let before = arena.players()[&1].at;
            (0..wait).for_each(|_| arena.step());
            time += (f64::from(wait) / 60.0).min(SILENCE);
            walk_to(&mut arena, 1, x, y);
            walked += (arena.players()[&1].at - before).length();
        }
        prop_assert!(walked <= TOP_SPEED * time as f32 + SLACK + 1.0, "{walked} px in {time} s");
    }
}
