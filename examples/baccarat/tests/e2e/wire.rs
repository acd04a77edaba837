//! The packets of the game, put together byte by byte; those of the rooms are `lobby::testing::wire`'s.

use baccarat::{Card, Coup, Decks, Hand};
use lobby::testing::wire::Format;

pub(crate) use lobby::testing::wire::{Code, NOT_IN_ROOM, NOT_LOGGED_IN, OK, UNKNOWN_ID, frame, hex, typed};

/// The format of the only door.
pub(crate) const RAW: Format = Format::Raw;

/// The decks of all tests.
pub(crate) const SEED: u64 = 7;

pub(crate) const PLAYER: i8 = 1;
pub(crate) const BANKER: i8 = 2;
pub(crate) const TIE: i8 = 3;

pub(crate) const START_NOT_NOW: Code = Code(171, 171);
pub(crate) const NOT_MASTER: Code = Code(173, 173);
pub(crate) const BET_BODY: Code = Code(181, 181);
pub(crate) const BET_NOT_NOW: Code = Code(182, 182);
pub(crate) const BET_SIDE: Code = Code(183, 183);
pub(crate) const SAME_SIDE: Code = Code(184, 184);

pub(crate) fn start() -> Vec<u8> {
    frame(751, "")
}

/// The answer to a start.
pub(crate) fn start_is(code: Code) -> Vec<u8> {
    RAW.result(752, code)
}

pub(crate) fn started() -> Vec<u8> {
    frame(753, "")
}

pub(crate) fn bet(side: i8) -> Vec<u8> {
    frame(761, side.to_le_bytes())
}

/// The answer to a bet.
pub(crate) fn bet_is(code: Code) -> Vec<u8> {
    RAW.result(762, code)
}

pub(crate) fn has_bet(user: u64, side: i8) -> Vec<u8> {
    frame(763, [&user.to_le_bytes()[..], &side.to_le_bytes()].concat())
}

/// How the game of that number, from 0, comes out in a room.
pub(crate) fn result(room: i32, game: u64) -> Vec<u8> {
    let Coup { player, banker } = Decks::seeded(SEED).coup(room, game);
    let (score, other) = (points(&player), points(&banker));
    let winner = if score > other {
        1
    } else if score < other {
        2
    } else {
        3
    };
    frame(764, [&cards(&banker)[..], &cards(&player), &[score, other, winner]].concat())
}

fn cards(hand: &Hand) -> [u8; 3] {
    [hand.first[0].index(), hand.first[1].index(), hand.third.map_or(0xff, Card::index)]
}

/// The score, from the indices alone.
fn points(hand: &Hand) -> u8 {
    let worth = |card: Card| if card.index() % 13 < 9 { card.index() % 13 + 1 } else { 0 };
    hand.cards().map(worth).sum::<u8>() % 10
}

#[test]
fn the_builders_write_what_the_page_says() {
    assert_eq!(start(), hex("0500 ef02 00"));
    assert_eq!(start_is(NOT_MASTER), hex("0700 f002 00 ad00"));
    assert_eq!(started(), hex("0500 f102 00"));
    assert_eq!(bet(BANKER), hex("0600 f902 00 02"));
    assert_eq!(bet_is(OK), hex("0700 fa02 00 0100"));
    assert_eq!(has_bet(3, TIE), hex("0e00 fb02 00 0300000000000000 03"));
    assert_eq!(result(3, 0).len(), 14);
    assert!(result(3, 0).starts_with(&hex("0e00 fc02 00")));
}
