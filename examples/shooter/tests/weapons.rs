//! What weapons, bullets and items are, in the numbers that the protocol and the README have told players.

#![forbid(unsafe_code)]

use shooter::arena::{Hears, Shot, Walk};
use shooter::{Arena, Event, Kind, Rules, Vec2, page};

/// A row of the README's table.
struct Row {
    kind: Option<Kind>,
    word: &'static str,
    dmg: f32,
    r: f32,
    speed: f32,
    rate: f32,
    pellets: f32,
}

const fn row(kind: Option<Kind>, word: &'static str, numbers: [f32; 5]) -> Row {
    let [dmg, r, speed, rate, pellets] = numbers;
    Row { kind, word, dmg, r, speed, rate, pellets }
}

const TABLE: [Row; 5] = [
    row(None, "none", [25.0, 3.0, 600.0, 8.0, 1.0]),
    row(Some(Kind::Gun), "`GUN`", [34.0, 3.0, 700.0, 8.0, 1.0]),
    row(Some(Kind::BigGun), "`BIGGUN`", [60.0, 8.0, 450.0, 2.5, 1.0]),
    row(Some(Kind::Shotgun), "`SHOTGUN`", [15.0, 2.5, 600.0, 1.5, 6.0]),
    row(Some(Kind::Minigun), "`MINIGUN`", [10.0, 2.0, 650.0, 20.0, 1.0]),
];

/// An arena in which an item of that kind lies, if any, and where.
fn arena_with(kind: Option<Kind>) -> (Arena, Vec2) {
    let Some(wanted) = kind else {
        return (Arena::new(Rules { items: false, ..Rules::default() }, 1), Vec2::new(400.0, 300.0));
    };
    let arenas = (0..100).map(|seed| {
        let mut arena = Arena::new(Rules::default(), seed);
        arena.step();
        let put = arena.drain().find_map(|(_, event)| match event {
            Event::PutItem { kind, x, y, .. } => Some((kind, Vec2::new(x, y))),
            _ => None,
        });
        (arena, put.expect("an item in the first step"))
    });
    let (arena, (_, at)) = arenas.into_iter().find(|(_, (kind, _))| *kind == wanted).expect("that kind");
    (arena, at)
}

/// An arena in which player 1 has that weapon, and where it is.
fn armed(kind: Option<Kind>) -> (Arena, Vec2) {
    let (mut arena, at) = arena_with(kind);
    arena.spawn(1, at, 100.0).unwrap();
    arena.step();
    let taken = arena.drain().find_map(|(_, event)| match event {
        Event::GetItem { id: 1, kind, .. } => Some(kind),
        _ => None,
    });
    assert_eq!(taken, kind);
    (arena, at)
}

/// What no weapon does.
fn claim(bullet: i32, from: Vec2) -> Shot {
    Shot { bullet, from, velocity: Vec2::new(90_000.0, 0.0), r: 500.0, dmg: 10_000.0 }
}

#[test]
fn damage_radius_and_speed_are_the_weapons_whatever_a_client_claims() {
    for Row { kind, dmg, r, speed, .. } in TABLE {
        let (mut arena, at) = armed(kind);
        arena.fire(1, claim(1, at)).unwrap();
        let fired = Event::Fire { id: 1, bullet: 1, x: at.x, y: at.y, vx: speed, vy: 0.0, r, dmg };
        let heard: Vec<_> = arena.drain().collect();
        assert_eq!(heard, [(Hears::One(1), fired.clone()), (Hears::Others(1), fired)], "{kind:?}");
    }
}

#[test]
fn a_weapon_fires_as_many_bullets_at_once_and_a_second_as_it_has() {
    for Row { kind, rate, pellets, .. } in TABLE {
        let (mut arena, at) = armed(kind);
        let mut bullets = 0..;
        let mut salvo = |arena: &mut Arena| {
            let shots = bullets.by_ref().take_while(|bullet| arena.fire(1, claim(*bullet, at)).is_ok());
            shots.count() as f32
        };
        // What it has saved up, a line's delay of 0.05 s included.
        assert_eq!(salvo(&mut arena), (pellets + 0.05 * rate * pellets).floor(), "{kind:?} at once");
        let mut fired = 0.0;
        for _ in 0..20 * 60 {
            arena.step();
            fired += salvo(&mut arena);
        }
        let most = 20.0 * rate * pellets;
        assert!((most - 1.0..=most + 1.0).contains(&fired), "{kind:?}: {fired} in 20 s, not {most}");
    }
}

#[test]
fn a_player_is_a_disc_of_15_px_that_takes_what_it_touches() {
    // An item is one of 12 px.
    for (far, touches) in [(27.1, false), (26.9, true)] {
        let (mut arena, at) = arena_with(Some(Kind::Gun));
        let towards_the_middle = if at.x < 400.0 { far } else { -far };
        arena.spawn(1, Vec2::new(at.x + towards_the_middle, at.y), 100.0).unwrap();
        arena.step();
        let taken = arena.drain().any(|(_, event)| matches!(event, Event::GetItem { .. }));
        assert_eq!(taken, touches, "{far} px away");
        // Where it walks decides, not where it came in.
        arena.walk(1, Walk { at, velocity: Vec2::default(), aim: at }).unwrap();
        arena.step();
        assert_eq!(arena.players()[&1].weapon, Some(Kind::Gun));
    }
}

#[test]
fn an_item_comes_every_four_seconds_until_four_lie_there() {
    let mut arena = Arena::new(Rules::default(), 1);
    let mut put = Vec::new();
    for step in 0..20 * 60 {
        arena.step();
        put.extend(arena.drain().filter(|(_, event)| matches!(event, Event::PutItem { .. })).map(|_| step));
    }
    assert_eq!(put, [0, 240, 480, 720]);
}

#[test]
fn a_bullet_flies_for_three_seconds() {
    let (mut arena, at) = armed(None);
    arena.fire(1, Shot { velocity: Vec2::new(10.0, 0.0), ..claim(1, at) }).unwrap();
    (0..179).for_each(|_| arena.step());
    assert_eq!(arena.bullets(), 1);
    (0..2).for_each(|_| arena.step());
    assert_eq!(arena.bullets(), 0);
}

#[test]
fn the_page_draws_and_plays_by_the_protocols_numbers() {
    let page = page::page(&Rules::default()).unwrap();
    for said in [
        "\"width\": 800, \"height\": 600,",
        "\"playerRadius\": 15, \"itemRadius\": 12, \"hitRadius\": 20,",
        "\"health\": 100, \"topSpeed\": 400, \"deadTime\": 10,",
        "\"tickHz\": 60,",
    ] {
        assert!(page.contains(said), "{said}");
    }
    for Row { kind, dmg, r, speed, rate, pellets, .. } in TABLE {
        let name = kind.map_or_else(|| "None".to_owned(), |kind| format!("{kind:?}"));
        let said = format!(
            "\"{name}\": {{\"dmg\": {dmg}, \"r\": {r}, \"speed\": {speed}, \"rate\": {rate}, \"pellets\": {pellets}}}"
        );
        assert!(page.contains(&said), "{said}");
    }
}

#[test]
fn the_readme_has_the_same_table() {
    let readme = include_str!("../README.md");
    for Row { word, dmg, r, speed, rate, pellets, .. } in TABLE {
        let said = format!("| {word} | {dmg} | {r} | {speed} | {rate} | {pellets} |");
        assert!(readme.contains(&said), "{said}");
    }
}
