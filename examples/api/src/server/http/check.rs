//! The bounds of each field, and of the parts of a path.

use std::collections::{BTreeMap, HashSet};

use crate::server::refusal::No;
use crate::server::world::is_in;
use crate::{Credentials, Load, Registration, Rooms};

/// 1 to 16 bytes without NUL, so that it fits into the game's packets.
pub(super) fn name(name: &str) -> Result<(), No> {
    let fits = (1..=16).contains(&name.len()) && !name.contains('\0');
    check(fits, "a name has 1 to 16 bytes, and no NUL")
}

/// Longer than what is guessed at once, and not so long that it is work to read.
pub(super) fn credentials(who: &Credentials) -> Result<(), No> {
    name(&who.name)?;
    check((8..=128).contains(&who.password.len()), "a password has 8 to 128 bytes")
}

pub(super) fn game(game: &str) -> Result<(), No> {
    let fits = (1..=32).contains(&game.len())
        && game
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_');
    check(fits, "the name of a game has 1 to 32 of a-z, 0-9, - and _")
}

pub(super) fn registration(server: &Registration) -> Result<(), No> {
    doors(&server.doors)?;
    check((1..=1_000_000).contains(&server.capacity), "a server's capacity is 1 to 1,000,000")?;
    if let Some(Rooms { first, count, seats }) = server.rooms {
        check((1..=65_536).contains(&count), "a server has 1 to 65,536 rooms")?;
        check(first.checked_add(count).is_some(), "the number of the last room is too high")?;
        check(seats >= 1, "a room has 1 to 65,535 seats")?;
    }
    load(&server.load)?;
    check(server.load.users <= server.capacity, "a server has no more users than its capacity")?;
    let mut named = HashSet::new();
    let fit = server.load.occupied.iter().all(|(room, users)| {
        let is_there = server.rooms.is_some_and(|rooms| is_in(rooms, *room) && *users <= rooms.seats);
        is_there && named.insert(*room)
    });
    check(fit, "an occupied room is one of the server's, named once, with no more users than seats")
}

fn doors(doors: &BTreeMap<String, String>) -> Result<(), No> {
    check((1..=16).contains(&doors.len()), "a server has 1 to 16 doors")?;
    let visible = |text: &str, most| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let fit = doors.iter().all(|(name, address)| visible(name, 32) && visible(address, 255));
    check(fit, "a door has a name of 1 to 32 and an address of 1 to 255 visible ASCII characters")?;
    let fit = doors.values().all(|address| support::At::is_place(address));
    check(fit, "the address of a door is HOST:PORT or [IPv6]:PORT, and its port 1 to 65535")
}

pub(super) fn load(load: &Load) -> Result<(), No> {
    check(load.users <= 1_000_000, "a server has 0 to 1,000,000 users")?;
    check(load.occupied.len() <= 8192, "8,192 occupied rooms at most")?;
    check(load.entered.len() <= 8192, "8,192 users who entered at most")
}

pub(super) fn avoid(avoid: &[String]) -> Result<(), No> {
    let fits = avoid.len() <= 16 && avoid.iter().all(|server| server.len() <= 64);
    check(fits, "16 servers to avoid at most, each by its id")
}

fn check(fits: bool, otherwise: &'static str) -> Result<(), No> {
    if fits { Ok(()) } else { Err(No::BadField(otherwise)) }
}
