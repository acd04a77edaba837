//! The client for people and the bots, as processes.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;

use baccarat::{Decks, Pace, Side, Winner, gain, picture};
use lobby::Settings;
use support::testing::{Process, Terminal, assert_gives_up, assert_says_that_it_is_closed, connect, read};

use crate::scenario::{RESTLESS, Started};
use crate::wire::*;

/// The client with its terminal.
pub(crate) fn client(flags: &[&str]) -> Terminal {
    Terminal::start(Command::new(env!("CARGO_BIN_EXE_baccarat-client")).args(flags))
}

fn at(door: SocketAddr, name: &str, room: &str) -> Terminal {
    client(&["--connect", &door.to_string(), "--name", name, "--room", room])
}

/// How a game of room 3 looks, and what a bet on that side brings.
fn game(number: u64, side: Side) -> (String, i64) {
    let coup = Decks::seeded(SEED).coup(3, number);
    let winner = match coup.winner() {
        Winner::Player => "the player wins",
        Winner::Banker => "the banker wins",
        Winner::Tie => "it is a tie",
    };
    (format!("{}{winner}: ", picture(&coup)), gain(side, &coup))
}

#[test]
fn a_refused_log_in_ends_the_client_in_one_sentence() {
    let server = Started::new(Settings::default(), RESTLESS);
    let mut ann = at(server.addr(), "ann", "3");
    ann.reads(&["you are logged in"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_baccarat-client"));
    command.args(["--connect", &server.addr().to_string(), "--name", "ann", "--room", "3"]);
    let sentence = Process::start(&mut command).end().refused();
    assert_eq!(sentence, "baccarat-client: not logged in: that name is taken, or you are logged in already");
    drop(ann);
    server.ends_empty("a refused log-in");
}

#[test]
fn a_server_that_does_not_answer_the_log_in_ends_the_client_in_one_sentence() {
    let ann = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baccarat-client"));
        command.args(["--name", "ann"]);
        command
    };
    let sentence = "baccarat-client: the server does not answer: is that a door for game clients?";
    assert_gives_up(ann, &[&[], &frame(9999, "what no client knows")], sentence);
}

#[test]
fn a_server_that_goes_while_somebody_types_is_said_to_have_closed() {
    assert_says_that_it_is_closed(|| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baccarat-client"));
        command.args(["--name", "ann"]);
        command
    });
}

#[test]
fn a_server_that_closes_before_the_last_answer_is_no_good_end() {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = door.local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_baccarat-client"));
    let ann = Process::start(command.args(["--name", "ann", "--connect", &at]));
    let (mut peer, _) = door.accept().unwrap();
    // The log-in and the last ping, so that it is closed in order.
    let _ = read(&mut peer, RAW.login("ann").len() + RAW.ping(0).len());
    drop(peer);
    assert_eq!(ann.end().refused(), "baccarat-client: the server closed the connection");
}

#[test]
fn people_see_the_cards_and_what_everybody_wins() {
    let server = Started::new(Settings::default(), Pace { tie_bets: true, ..RESTLESS });
    let mut ann = at(server.addr(), "ann", "3");
    ann.reads(&["you are logged in", "you are in room 3, as number 1: /start begins a game"]);
    let mut bob = at(server.addr(), "bob", "3");
    bob.reads(&["you are logged in", "here: ann (1)", "you are in room 3, as number 2"]);
    ann.reads(&["* bob (2) came"]);
    bob.types("/start").reads(&["only who has been in the room longest starts a game"]);
    bob.types("/p").reads(&["there is no game to bet on now"]).types("all on the tie!");
    for terminal in [&mut ann, &mut bob] {
        terminal.reads(&["bob: all on the tie!"]);
    }
    let mut chips = [1000, 1000];
    for number in 0..3 {
        ann.types("/start");
        for terminal in [&mut ann, &mut bob] {
            terminal.reads(&["* a game begins: /player or /banker"]);
        }
        bob.types("/tie").reads(&["you bet on a tie"]).types("/t");
        bob.reads(&["that is what you have bet on already"]);
        ann.reads(&["* bob bets on a tie"]).types("/player");
        let ((shown, hers), (_, his)) = (game(number, Side::Player), game(number, Side::Tie));
        chips = [chips[0] + hers, chips[1] + his];
        ann.reads(&[
            "you bet on the player",
            &format!("{shown}you {hers:+} ({} chips), bob {his:+}", chips[0]),
        ]);
        bob.reads(&[
            "* ann bets on the player",
            &format!("{shown}ann {hers:+}, you {his:+} ({} chips)", chips[1]),
        ]);
    }
    bob.types("/who").reads(&[&format!("in room 3: ann (1), bob (2); you have {} chips", chips[1])]);
    ann.types("/msg bob that was it")
        .types("/join 5000")
        .reads(&["you left the room", "there is no room of that number"]);
    bob.reads(&[
        "[from ann] that was it",
        "* ann (1) left",
        "* you have been here longest: /start begins a game",
    ]);
    ann.types("/join 3").reads(&["here: bob (2)", "you are in room 3, as number 3"]).types("/dance");
    ann.reads(&["there is no /dance: /help says what there is"]);
    ann.ends();
    bob.types("/quit");
    bob.ends();
    server.ends_empty("people");
}

#[test]
fn the_games_that_the_readme_shows_are_those_of_the_seed() {
    let readme = include_str!("../../README.md");
    for number in 0..2 {
        let shown = picture(&Decks::seeded(SEED).coup(3, number));
        assert!(readme.contains(&shown), "{shown}");
    }
}

#[test]
fn what_is_piped_in_is_played_to_the_end() {
    let server = Started::new(Settings::default(), RESTLESS);
    let mut ann = at(server.addr(), "ann", "3");
    ann.types("/start").types("/banker").ends_input();
    let (shown, gain) = game(0, Side::Banker);
    ann.reads(&[
        "you are logged in",
        "you are in room 3, as number 1: /start begins a game",
        "* a game begins: /player or /banker",
        "you bet on the banker",
        &format!("{shown}you {gain:+} ({} chips)", 1000 + gain),
    ]);
    ann.ends();
    server.ends_empty("piped");
}

#[test]
fn a_client_without_a_server_says_so() {
    let nowhere = ["--connect", "127.0.0.1:1", "--name", "ann"];
    for (args, word) in [
        (&nowhere[..], "no server at 127.0.0.1:1"),
        (&["--name", "ann", "--api", "http://127.0.0.1:1"], "the api server does not answer"),
        (&["--name", "ann", "--api", "127.0.0.1:1"], "http://HOST:PORT"),
        // A token may begin with a hyphen.
        (&["--name", "ann", "--password", "-match", "--connect", "127.0.0.1:1"], "no server at"),
        (&["--name", "ann", "--match"], "--api"),
        (&["--name", "a name that is too long"], "1 to 16"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baccarat-client"));
        let sentence = Process::start(command.args(args)).end().refused();
        assert!(sentence.starts_with("baccarat-client: ") && sentence.contains(word), "{sentence}");
    }
}

pub(crate) fn bots(args: &[&str]) -> Process {
    Process::start(Command::new(env!("CARGO_BIN_EXE_baccarat-bots")).args(args))
}

#[test]
fn bots_play_in_every_room_until_they_have_played_enough() {
    for workers in [1, 3] {
        let settings = Settings { workers, ..Settings::default() };
        // Nobody waits for the time to be up: all bet.
        let server = Started::new(settings, Pace { next_game_ms: 50, ..RESTLESS });
        let door = server.addr().to_string();
        let more = ["--bots", "12", "--room-users", "4", "--room", "5", "--rounds", "5", "--think-ms", "10"];
        let ended = bots(&[&["--connect", &door, "--json"], &more[..]].concat()).end();
        assert_eq!((ended.code, &ended.stderr[..]), (Some(0), &[][..]));
        let report: serde_json::Value = serde_json::from_str(&ended.stdout.concat()).unwrap();
        let number = |name: &str| report[name].as_u64().unwrap();
        assert_eq!((number("bots"), number("rounds"), number("moves")), (12, 60, 0), "{report}");
        assert_eq!(number("player") + number("banker") + number("tie"), 60, "{report}");
        assert!(number("bets") > 40, "{report}");
        server.ends_empty("bots");
    }
}

#[test]
fn a_person_plays_with_bots_and_a_signal_ends_them_with_the_figures() {
    let server = Started::new(Settings::default(), RESTLESS);
    let door = server.addr().to_string();
    let bots = bots(&["--connect", &door, "--room", "3", "--think-ms", "0", "--verbose"]);
    for _ in 0..9 {
        let _ = bots.logged(&["room 3", "round"]);
    }
    // They play on, and for a person they wait.
    let mut ann = connect(server.addr());
    ann.write_all(&[RAW.login("ann"), RAW.enter(3)].concat()).unwrap();
    let _ = read(&mut ann, RAW.result(702, OK).len());
    let mut out = 0;
    while out < 3 {
        let header = read(&mut ann, 5);
        let (size, id) =
            (u16::from_le_bytes([header[0], header[1]]), u16::from_le_bytes([header[2], header[3]]));
        let _ = read(&mut ann, usize::from(size) - 5);
        match id {
            722 | 753 => ann.write_all(&bet(PLAYER)).unwrap(),
            764 => out += 1,
            _ => {}
        }
    }
    drop(ann);
    #[cfg(unix)]
    {
        bots.signal("TERM");
        let ended = bots.end();
        assert_eq!((ended.code, ended.stdout.len()), (Some(0), 2), "{:?}", ended.stdout);
        assert!(ended.stdout[0].starts_with("3 bots saw "), "{:?}", ended.stdout);
    }
}

#[test]
fn bots_say_what_is_wrong_in_one_sentence() {
    let server = Started::new(Settings::default(), RESTLESS);
    let door = server.addr().to_string();
    let full = bots(&["--connect", &door, "--bots", "5", "--room-users", "5", "--rounds", "1000"]).end();
    assert_eq!(full.code, Some(1));
    assert!(full.stderr[0].contains("that room is full"), "{:?}", full.stderr);
    let ties = bots(&["--connect", &door, "--bots", "1", "--tie-bets", "--think-ms", "0"]).end();
    assert_eq!(ties.code, Some(1));
    assert!(ties.stderr[0].contains("one cannot bet on that here"), "{:?}", ties.stderr);
    for (args, word) in [
        (&["--connect", "127.0.0.1:1"][..], "no server at 127.0.0.1:1"),
        (&["--api", "http://127.0.0.1:1"], "--password"),
        (&["--api", "nowhere", "--password", "correct horse"], "http://HOST:PORT"),
        (&["--rounds", "-1"], "-1"),
    ] {
        let sentence = bots(args).end().refused();
        assert!(sentence.starts_with("baccarat-bots: ") && sentence.contains(word), "{sentence}");
    }
    server.ends_empty("bots that failed");
}

#[test]
fn a_game_that_does_not_end_is_noticed() {
    let server = Started::new(Settings::default(), RESTLESS);
    let door = server.addr().to_string();
    let mut ann = connect(server.addr());
    ann.write_all(&[RAW.login("ann"), RAW.enter(3), start()].concat()).unwrap();
    let _ =
        read(&mut ann, [RAW.result(702, OK), RAW.entered(OK, 3, 1), start_is(OK), started()].concat().len());
    // She starts a game, and bets not.
    let bots = bots(&["--connect", &door, "--room", "3", "--timeout-ms", "300"]);
    let came = [RAW.came(2, "bot0").len(), has_bet(2, PLAYER).len()];
    let _ = read(&mut ann, (came[0] + came[1]) * 3);
    ann.write_all(&bet(PLAYER)).unwrap();
    let _ = read(&mut ann, [bet_is(OK), has_bet(1, PLAYER), result(3, 0)].concat().len());
    ann.write_all(&start()).unwrap();
    let ended = bots.end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr[0].contains("waits in vain for a result, with ann"), "{:?}", ended.stderr);
}
