//! The real binary over real sockets.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::time::Instant;

use support::testing::{PATIENCE, Server, assert_defaults, assert_helps, assert_refused, exchange};

fn quiz(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quiz"));
    command.args(args);
    command
}

fn server() -> Server {
    Server::start(&mut quiz(&["--text", "127.0.0.1:0"]), 1)
}

/// Someone who can add.
struct Player(BufReader<TcpStream>);

impl Player {
    fn join(server: &Server) -> Self {
        Self(BufReader::new(server.connect()))
    }

    fn hears(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.strip_suffix('\n').expect("a whole line").to_owned()
    }

    /// The sum of the question that comes.
    fn is_asked(&mut self) -> u8 {
        let line = self.hears();
        let [a, b'+', b] = line.as_bytes() else { panic!("no addition of two digits: {line}") };
        assert!(a.is_ascii_digit() && b.is_ascii_digit(), "{line}");
        a - b'0' + b - b'0'
    }

    /// Whether there is a question, and not the end.
    fn is_let_in(&mut self) -> bool {
        self.0.fill_buf().is_ok_and(|bytes| !bytes.is_empty())
    }

    fn says(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
    }
}

#[test]
fn a_right_answer_is_yes_and_a_wrong_one_is_no_and_the_next_question_follows() {
    let server = server();
    let mut player = Player::join(&server);
    for _ in 0..20 {
        let sum = player.is_asked();
        player.says(format!("{sum}\n"));
        assert_eq!(player.hears(), "yes");
        let sum = player.is_asked();
        player.says(format!("{}\n", sum + 1));
        assert_eq!(player.hears(), "no");
    }
}

#[test]
fn two_players_at_once_have_their_own_questions() {
    let server = server();
    let (mut ann, mut ben) = (Player::join(&server), Player::join(&server));
    for _ in 0..10 {
        let (anns, bens) = (ann.is_asked(), ben.is_asked());
        ben.says(format!("{bens}\n"));
        assert_eq!(ben.hears(), "yes");
        ann.says(format!("{anns}\n"));
        assert_eq!(ann.hears(), "yes");
    }
}

#[test]
fn a_carriage_return_and_spaces_around_a_number_do_not_matter() {
    let server = server();
    let mut player = Player::join(&server);
    for ends in [("", "\r\n"), (" ", " \r\n"), ("\t", "\n"), ("+", "\n"), ("00", "\n")] {
        let sum = player.is_asked();
        player.says(format!("{}{sum}{}", ends.0, ends.1));
        assert_eq!(player.hears(), "yes", "{ends:?}");
    }
}

#[test]
fn an_answer_may_come_byte_by_byte_or_with_others_in_one_piece() {
    let server = server();
    let mut player = Player::join(&server);
    let sum = player.is_asked();
    for byte in format!("00000{sum}\r\n").bytes() {
        player.says([byte]);
    }
    assert_eq!(player.hears(), "yes");
    player.says("a\nb\nc\n");
    for _ in 0..3 {
        player.is_asked();
        assert_eq!(player.hears(), "no");
    }
    player.is_asked();
}

#[test]
fn what_is_no_number_is_no() {
    let server = server();
    let mut player = Player::join(&server);
    for answer in [
        &b"\n"[..],
        b"\r\n",
        b"eight\n",
        "여덟\n".as_bytes(),
        b"-1\n",
        b"1.0\n",
        b"99999999999999999999999\n",
        b"1 1\n",
        b"\0\n",
        b"\xff\xfe\x80\n",
        b"GET / HTTP/1.1\r\n",
    ] {
        player.is_asked();
        player.says(answer);
        assert_eq!(player.hears(), "no", "{answer:?}");
    }
}

#[test]
fn a_line_that_is_too_long_is_no_and_the_one_behind_it_counts() {
    let server = server();
    let mut player = Player::join(&server);
    player.is_asked();
    // Said before the line has ended, if it ever does.
    player.says([b'1'; 5000]);
    assert_eq!(player.hears(), "no");
    let sum = player.is_asked();
    player.says(format!("{}\n{sum}\n", "1".repeat(100_000)));
    assert_eq!(player.hears(), "yes");
}

#[test]
fn a_line_of_1024_bytes_is_an_answer_and_one_byte_more_is_no_before_it_ends() {
    let server = server();
    let mut player = Player::join(&server);
    for end in ["\n", "\r\n"] {
        let sum = player.is_asked();
        player.says(format!("{sum:0>1024}{end}"));
        assert_eq!(player.hears(), "yes", "{end:?}");
        let sum = player.is_asked();
        player.says(format!("{sum:0>1025}"));
        assert_eq!(player.hears(), "no", "{end:?}");
        player.says(end);
    }
    // A carriage return may be the end of the line, or not.
    let sum = player.is_asked();
    player.says(format!("{sum:0>1024}\r"));
    player.says("\n");
    assert_eq!(player.hears(), "yes");
    player.is_asked();
    player.says(format!("{:0>1024}\rx", 1));
    assert_eq!(player.hears(), "no");
}

#[test]
fn a_player_who_leaves_gets_all_verdicts_and_half_a_line_is_none() {
    let server = server();
    let said = String::from_utf8(exchange(server.connect(), b"x\ny\n7".to_vec())).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert!(matches!(lines[..], [_, "no", _, "no", last] if last.contains('+')), "{lines:?}");
    assert_eq!(exchange(server.connect(), Vec::new()).len(), 4);
}

#[test]
fn a_player_far_ahead_gets_a_verdict_for_every_line() {
    let server = server();
    let said = exchange(server.connect(), b"x\n".repeat(100_000));
    assert_eq!(said.iter().filter(|byte| **byte == b'\n').count(), 200_001);
}

#[test]
fn with_a_seed_each_player_is_asked_the_same_each_time() {
    // The second player joins when the first has left, the third beside the second.
    let questions = |seed: &str| -> Vec<String> {
        let server = Server::start(&mut quiz(&["--text", "127.0.0.1:0", "--seed", seed]), 1);
        let first = exchange(server.connect(), b"x\n".repeat(50));
        let (second, third) = (server.connect(), server.connect());
        let third = exchange(third, b"x\n".repeat(50));
        let second = exchange(second, b"x\n".repeat(50));
        [first, second, third].map(|said| String::from_utf8(said).unwrap()).into()
    };
    let seven = questions("7");
    assert_eq!(questions("7"), seven);
    assert_ne!(questions("8"), seven);
    assert!(seven[0] != seven[1] && seven[1] != seven[2] && seven[0] != seven[2]);
}

#[test]
fn every_digit_is_asked_for_in_both_places() {
    let said = String::from_utf8(exchange(server().connect(), b"x\n".repeat(1000))).unwrap();
    let asked = said.lines().filter_map(|line| line.split_once('+'));
    let (first, second): (BTreeSet<&str>, BTreeSet<&str>) = asked.unzip();
    let digits = BTreeSet::from(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    assert_eq!((&first, &second), (&digits, &digits));
}

#[test]
fn wrong_flags_and_a_busy_port_are_refused_in_one_sentence() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = holder.local_addr().unwrap().to_string();
    assert_refused(
        quiz,
        &[
            (&["--unknown"][..], "--unknown"),
            (&["--text", "nowhere"], "HOST:PORT"),
            (&["--text", "127.0.0.1:65536"], "65536"),
            (&["--text", "off"], "every door is off"),
            (&["--seed", "many"], "--seed"),
            (&["--seed", "-1"], "it takes 0 to 18446744073709551615"),
            (&["--text", &busy], &format!("cannot listen on {busy} (text): the address is already in use")),
        ],
    );
}

#[test]
fn help_names_every_flag_and_an_example() {
    assert_helps(
        quiz,
        &["--text", "--seed", "Example:", "listening text", "RUST_LOG", "SIGTERM", "off", "10001"],
    );
}

#[test]
fn without_flags_it_is_where_players_look_for_it() {
    assert_defaults(quiz, &[("--text", "127.0.0.1:10001")]);
}

#[test]
fn the_server_listens_on_ipv6_where_there_is_one() {
    if TcpListener::bind("[::1]:0").is_ok() {
        let server = Server::start(&mut quiz(&["--text", "[::1]:0"]), 1);
        assert!(server.addr().is_ipv6() && server.addr().port() != 0);
        Player::join(&server).is_asked();
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_players_in_order_and_the_exit_code_is_zero() {
    for signal in ["TERM", "INT"] {
        let server = server();
        let mut player = Player::join(&server);
        player.is_asked();
        server.process.signal(signal);
        let mut rest = String::new();
        assert_eq!(player.0.read_line(&mut rest).unwrap(), 0, "{rest}");
        player.0.get_ref().shutdown(Shutdown::Both).unwrap();
        assert_eq!(server.process.end().code, Some(0), "{signal}");
    }
}

#[test]
fn a_classroom_behind_one_address_plays_at_once() {
    let server = server();
    let mut players: Vec<_> = (0..300).map(|_| Player::join(&server)).collect();
    for player in &mut players {
        let sum = player.is_asked();
        player.says(format!("{sum}\n"));
    }
    for player in &mut players {
        assert_eq!(player.hears(), "yes");
    }
}

#[cfg(unix)]
#[test]
fn from_one_address_1024_play_and_one_more_does_when_one_of_them_has_left() {
    let limit = Command::new("sh").args(["-c", "ulimit -n"]).output().unwrap().stdout;
    if String::from_utf8(limit).unwrap().trim().parse().is_ok_and(|limit: u32| limit < 1200) {
        eprintln!("skipped: it takes 1,200 descriptors (ulimit -n)");
        return;
    }
    let server = server();
    let mut players: Vec<_> = (0..1024).map(|_| Player::join(&server)).collect();
    for player in &mut players {
        player.is_asked();
    }
    assert!(!Player::join(&server).is_let_in());
    players.pop();
    let deadline = Instant::now() + PATIENCE;
    while !Player::join(&server).is_let_in() {
        assert!(Instant::now() < deadline, "there is no place for another one");
    }
    players[0].says("x\n");
    assert_eq!(players[0].hears(), "no");
}
