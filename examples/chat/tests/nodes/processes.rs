//! Real servers and a real Redis: each of them is killed once.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Instant;

use support::testing::metrics::wait_for;
use support::testing::{Ended, PATIENCE, Process, RedisServer, Server, connect};

use crate::common::plain;

/// A server with these doors.
pub(crate) fn chat(doors: &[&str], redis: &str, workers: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
    for door in ["--raw", "--msgpack", "--protobuf", "--text"] {
        command.args([door, if doors.contains(&door) { "127.0.0.1:0" } else { "off" }]);
    }
    // Nodes that the machine lets stand still for a moment are not taken for dead.
    command.args(["--redis", redis, "--node-ttl-ms", "3000", "--workers", workers]);
    command
}

/// Somebody at a terminal.
pub(crate) struct Person(BufReader<TcpStream>);

impl Person {
    pub(crate) fn new(at: SocketAddr, name: &str) -> Self {
        let mut person = Self(BufReader::new(connect(at)));
        person.types(&format!("/nick {name}")).finds(&format!("you are {name}"));
        person
    }

    pub(crate) fn types(&mut self, line: &str) -> &mut Self {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
        self
    }

    /// The next line, without the numbers that nobody can know.
    fn line(&mut self) -> String {
        self.try_line().unwrap()
    }

    fn try_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        Ok(plain(line.strip_suffix('\n').unwrap_or_else(|| panic!("not a whole line: {line:?}"))))
    }

    /// Reads up to that line, or one that begins so.
    #[track_caller]
    pub(crate) fn finds(&mut self, expected: &str) -> String {
        let (mut before, started) = (Vec::new(), Instant::now());
        while started.elapsed() < PATIENCE {
            let Ok(line) = self.try_line() else { break };
            if line.starts_with(expected) {
                return line;
            }
            before.push(line);
        }
        panic!("no {expected}, but {before:?}");
    }

    #[track_caller]
    pub(crate) fn joins(&mut self, room: i32) -> &mut Self {
        self.types(&format!("/join {room}")).finds(&format!("you are in room {room}, as number #"));
        self
    }
}

/// Each says something, and everybody reads it.
#[track_caller]
fn all_hear_all(people: &mut [(&str, &mut Person)], word: &str) {
    for speaker in 0..people.len() {
        let (name, person) = &mut people[speaker];
        let said = format!("{name}: {word}");
        person.types(word);
        for (_, person) in people.iter_mut() {
            person.finds(&said);
        }
    }
}

pub(crate) fn ends(server: Server) -> Ended {
    let ended = server.terminate();
    assert_eq!(ended.code, Some(0), "{:?}", ended.stderr);
    ended
}

#[test]
fn three_servers_share_their_rooms_through_a_redis_and_outlive_each_other_and_it() {
    let Some(mut redis) = RedisServer::start() else { return };
    let start = |workers| Server::start(&mut chat(&["--text"], &redis.url(), workers), 1);
    let (a, b, c) = (start("1"), start("3"), start("2"));
    let [mut ann, mut bob, mut kim] =
        [(&a, "ann"), (&b, "bob"), (&c, "kim")].map(|(at, who)| Person::new(at.addr(), who));
    for person in [&mut ann, &mut bob, &mut kim] {
        person.joins(4);
    }
    kim.types("/who").finds("in room 4: kim (#), ann (#), bob (#)");
    all_hear_all(&mut [("ann", &mut ann), ("bob", &mut bob), ("kim", &mut kim)], "hi");
    kim.types("/msg ann psst").finds("[to ann] psst");
    ann.finds("[from kim] psst");
    let mut eve = Person::new(b.addr(), "eve");
    eve.types("/nick kim").finds("that name is taken");
    eve.types("/rooms").finds("room 4: 3 of 4");
    ann.types("/invite eve").finds("eve was asked to come");
    eve.finds("* ann asks you into room 4");
    eve.types("/accept").finds("you are in room 4");
    ann.finds("* eve comes");
    let keys = redis.expiring_keys();
    assert!(keys.iter().all(|key| key.starts_with("chat:")) && keys.len() > 8, "{keys:?}");

    // A server dies, with all that it had.
    c.process.signal("KILL");
    drop(kim);
    for person in [&mut ann, &mut bob, &mut eve] {
        person.finds("* kim (#) left");
    }
    let mut kim = Person(BufReader::new(connect(a.addr())));
    let started = Instant::now();
    kim.finds("you are in the lobby");
    // Its names go with it, each at its own time.
    while kim.types("/nick kim").line() != "you are kim" {
        assert!(started.elapsed() < PATIENCE, "the name is not free");
    }
    eve.types("/leave").finds("you left the room");
    kim.joins(4);
    bob.finds("* kim (#) came");
    drop(c);

    // Redis dies. Each server goes on by itself, also one that starts now.
    redis.kill();
    let away = "the other servers are away: only those on this one hear you";
    for person in [&mut ann, &mut bob, &mut kim, &mut eve] {
        person.finds(away);
    }
    all_hear_all(&mut [("ann", &mut ann), ("kim", &mut kim)], "still here");
    bob.types("alone").finds("bob: alone");
    bob.types("/msg ann psst").finds("nobody here has that name, and the other servers cannot be asked");
    let d = Server::start(chat(&["--text"], &redis.url(), "2").args(["--metrics", "127.0.0.1:0"]), 2);
    let metrics = d.doors.iter().find(|(name, _)| name == "metrics").unwrap().1;
    wait_for(metrics, "netcore_cluster_away", 1.0);
    let mut dan = Person::new(d.addr(), "dan");
    dan.joins(9).types("new").finds("dan: new");

    // It is back, empty.
    redis.again();
    let unsent: Vec<String> = [&mut ann, &mut bob, &mut kim, &mut dan]
        .map(|person| person.finds("the other servers are back"))
        .into();
    for line in &unsent[..2] {
        assert!(line.contains(", and did not hear "), "they are told what was lost: {line}");
    }
    for (series, value) in [("netcore_cluster_away", 0.0), ("netcore_cluster_connected_total", 1.0)] {
        wait_for(metrics, series, value);
    }
    dan.joins(4);
    wait_for(metrics, "lobby_held{kind=\"elsewhere\"}", 3.0);
    all_hear_all(&mut [("ann", &mut ann), ("bob", &mut bob), ("kim", &mut kim), ("dan", &mut dan)], "again");
    for name in ["ann", "bob", "kim"] {
        dan.types(&format!("/nick {name}")).finds("that name is taken");
    }
    redis.expiring_keys();

    drop((ann, bob, kim, eve, dan));
    for server in [a, b, d] {
        let ended = ends(server);
        let counted = ended.stderr.iter().find(|line| line.contains("what was said between the nodes"));
        let counted = counted.unwrap_or_else(|| panic!("nothing counted: {:?}", ended.stderr));
        assert!(counted.contains("unsent=") && !counted.contains("unsent=0 "), "{counted}");
    }
    let left = redis.expiring_keys();
    assert!(!left.iter().any(|key| key.contains("name/") || key.contains("seat/")), "{left:?}");
}

#[test]
fn a_server_that_has_other_rooms_than_one_that_is_there_says_so_at_its_start() {
    let Some(redis) = RedisServer::start() else { return };
    let start = |flags: &[&str]| Server::start(chat(&["--text"], &redis.url(), "1").args(flags), 1);
    let words = "servers that share rooms need the same ones: this one has ";
    let says = |server: Server| {
        let lines = ends(server).stderr.into_iter();
        let lines = lines.filter_map(|line| Some(line.split_once(words)?.1.to_owned())).collect::<Vec<_>>();
        assert!(lines.len() < 2, "once: {lines:?}");
        lines.into_iter().next()
    };
    let first = start(&[]);
    let ours = "--rooms 1000 --first-room 0 --room-users 4";
    for (flags, rooms) in [
        (["--rooms", "999"], "--rooms 999 --first-room 0 --room-users 4"),
        (["--first-room", "1"], "--rooms 1000 --first-room 1 --room-users 4"),
        (["--room-users", "5"], "--rooms 1000 --first-room 0 --room-users 5"),
    ] {
        let said = says(start(&flags)).unwrap();
        assert!(said.starts_with(&format!("{rooms}, but node ")), "{said}");
        assert!(said.contains(&format!(" has {ours} others=1")), "{said}");
    }
    // What else is set is each server's own; and those that have ended are not compared.
    assert_eq!(says(start(&["--login-ms", "5000", "--max-packet", "64"])), None);
    assert_eq!(says(first), None);
}

#[test]
fn a_wrong_redis_is_refused_in_one_sentence() {
    for url in ["nowhere", "http://127.0.0.1/", "redis://", "redis://:hunter2@localhost:port"] {
        let sentence = Process::start(&mut chat(&["--text"], url, "1")).end().refused();
        assert!(sentence.starts_with("chat: ") && sentence.contains("--redis"), "{sentence}");
        assert!(!sentence.contains("hunter2"), "{sentence}");
        let words = "--redis is not the address of a Redis server: it takes redis://";
        assert!(sentence.contains(words), "{sentence}");
    }
    for ttl in ["999", "soon", "86400001"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
        let sentence = Process::start(command.args(["--node-ttl-ms", ttl])).end().refused();
        assert!(sentence.contains("--node-ttl-ms"), "{sentence}");
    }
}

#[test]
fn a_signal_counts_while_redis_has_not_answered_yet() {
    // It takes connections, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let server = Process::start(&mut chat(&["--text"], &url, "1"));
    let _asking = silent.accept().unwrap();
    server.signal("TERM");
    let ended = server.end();
    assert_eq!((ended.code, ended.stdout), (Some(0), Vec::new()), "{:?}", ended.stderr);
}
