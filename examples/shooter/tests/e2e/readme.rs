//! What the README shows is so.

use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};

use std::io::{BufRead, BufReader};

use support::testing::{Server, connect};

use crate::process::shooter;

const README: &str = include_str!("../../README.md");

/// The text of the first block of that language.
fn block(language: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let begin = README.find(&fence).expect("a block") + fence.len();
    let (text, _) = README[begin..].split_once("```").expect("its end");
    text
}

fn lines(stream: TcpStream) -> impl Iterator<Item = String> {
    BufReader::new(stream).lines().map(Result::unwrap)
}

fn alone() -> Server {
    let flags = ["--text", "127.0.0.1:0", "--raw", "off", "--http", "off", "--bots", "0", "--seed", "1"];
    Server::start(&mut shooter(&flags), 1)
}

#[test]
fn the_session_with_nc_is_what_one_sees() {
    let server = alone();
    let mut other = server.connect();
    other.write_all(b"SPAWN 1 100 300 100\nNONSENSE\n").unwrap();
    let is_in = |line: &String| line.starts_with("ERROR");
    lines(other.try_clone().unwrap()).find(is_in).unwrap();
    let mut person = server.connect();
    let mut heard = lines(person.try_clone().unwrap()).filter(|line| !line.contains("ITEM"));
    for line in block("text").lines() {
        match line.strip_prefix("> ") {
            Some(typed) => writeln!(person, "{typed}").unwrap(),
            None => assert_eq!(heard.next().unwrap(), line),
        }
    }
}

#[test]
fn the_player_in_python_walks_and_shoots_and_has_twenty_lines() {
    let program = block("python");
    assert!(program.lines().count() <= 20);
    let server = alone();
    let port = server.doors[0].1.port().to_string();
    let python = Command::new("python3").args(["-c", program, &port]).stdin(Stdio::null()).spawn();
    let Ok(mut python) = python else {
        eprintln!("skipped: the player in Python, for want of python3");
        return;
    };
    // Somebody to shoot at, who moves, so that there is something to hear.
    let mut other = connect(server.doors[0].1);
    other.write_all(b"SPAWN -1 700 100 100\n").unwrap();
    let (mut walked, mut hit) = (0, 0);
    for (at, line) in lines(other.try_clone().unwrap()).enumerate() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["POS", id, ..] if id != "-1" => walked += 1,
            ["HIT", _, "-1", ..] => hit += 1,
            ["ERROR", ..] => panic!("{line}"),
            _ => {}
        }
        if walked > 5 && hit > 1 {
            break;
        }
        writeln!(other, "POS -1 {} 100 0 0 400 300", 700 - at % 2).unwrap();
    }
    python.kill().unwrap();
    python.wait().unwrap();
}
