//! The client for people and the bots, as processes.

use std::io::Write;
use std::process::{Command, Stdio};

use lobby::Settings;
use support::testing::{Process, Terminal, assert_gives_up, assert_says_that_it_is_closed};

use crate::people::Person;
use crate::scenario::Started;
use crate::wire::*;

/// The client with its terminal.
pub(crate) fn client(flags: &[&str]) -> Terminal {
    Terminal::start(Command::new(env!("CARGO_BIN_EXE_chat-client")).args(flags))
}

fn at(server: &Started, format: Format, name: &str, room: &str) -> Terminal {
    let (format, door) = (format!("{format:?}").to_lowercase(), server.at(format).to_string());
    client(&["--format", &format, "--name", name, "--room", room, "--connect", &door])
}

#[test]
fn a_person_chats_with_each_format_as_at_the_text_door() {
    for format in FORMATS {
        let server = Started::new(Settings { workers: 2, ..Settings::default() });
        let mut person = Person::new(&server, "guest1");
        person.types("/join 3").reads(&["you are in room 3, as number 1"]);
        let mut ann = at(&server, format, "ann", "3");
        ann.reads(&["you are logged in", "here: guest1 (1)", "you are in room 3, as number 2"]);
        person.reads(&["* ann (2) came"]).types("hi").reads(&["guest1: hi"]);
        ann.reads(&["guest1: hi"]).types("hello").reads(&["ann: hello"]);
        person.reads(&["ann: hello"]);
        ann.types("/msg guest1 psst").reads(&["[to guest1] psst"]);
        person.reads(&["[from ann] psst"]).types("/msg ann yes").reads(&["[to ann] yes"]);
        ann.reads(&["[from guest1] yes"])
            .types("/join 4")
            .reads(&["you left the room", "you are in room 4, as number 1"]);
        person.reads(&["* ann (2) left"]).types("/invite ann").reads(&["ann was asked to come"]);
        ann.reads(&["* guest1 asks you into room 3: /accept or /refuse, within 60 s"]).types("/accept");
        ann.reads(&["you left the room", "here: guest1 (1)", "you are in room 3, as number 3"]);
        person.reads(&["* ann comes", "* ann (3) came"]);
        ann.types("/who").reads(&["in room 3: guest1 (1), ann (3)"]).types("/join 5000");
        ann.reads(&["you left the room", "there is no room of that number"]);
        ann.types("/dice 6").reads(&["a game client has no packet for that"]).types("/nothing");
        ann.reads(&["there is no /nothing: /help says what there is"])
            .types("/who")
            .reads(&["you are not in a room"]);
        ann.ends();
        drop(person);
        server.ends_empty(&format!("{format:?}"));
    }
}

#[test]
fn the_help_lists_what_the_client_has_packets_for() {
    for format in FORMATS {
        let server = Started::new(Settings::default());
        let mut ann = at(&server, format, "ann", "3");
        ann.reads(&["you are logged in", "you are in room 3, as number 1"]).types("/help");
        ann.reads(&[
            "/join ROOM · /참가 방: go into a room",
            "/leave · /나가기: go back to the lobby",
            "/who · /누구: who is here",
            "/msg WHO TEXT · /메시지 누구 내용: say something to one user, in any room",
            "/invite WHO · /초대 누구: ask a user into your room",
            "/accept, /refuse · /수락, /거절: answer the last one who asked you",
            "/login NAME TOKEN · /로그인 이름 토큰: log in",
            "/help · /도움말: this",
            "/quit · /종료: leave",
            "anything else is said to everyone here; // begins a line with /",
        ]);
        for other in ["/nick bob", "/rooms", "/dice 6", "/vote start why", "/vote x"] {
            ann.types(other).reads(&["a game client has no packet for that"]);
        }
        ann.ends();
        server.ends_empty("help");
    }
}

#[test]
fn a_room_that_the_flags_ask_for_and_that_does_not_let_in_ends_the_client() {
    let settings = Settings { room_users: 1, ..Settings::default() };
    for format in FORMATS {
        let server = Started::new(settings.clone());
        let mut ann = at(&server, format, "ann", "3");
        ann.reads(&["you are logged in", "you are in room 3, as number 1"]);
        let (spoken, door) = (format!("{format:?}").to_lowercase(), server.at(format).to_string());
        for (room, why) in [("99999", "there is no room of that number"), ("3", "that room is full")] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_chat-client"));
            command.args(["--format", &spoken, "--name", "bob", "--room", room, "--connect", &door]);
            let ended = Process::start(&mut command).end();
            let sentence = format!("chat-client: not in room {room}: {why}");
            assert_eq!((ended.code, ended.stderr), (Some(2), vec![sentence]), "{format:?}");
        }
        // Who types it stays.
        ann.types("/join 99999").reads(&["you left the room", "there is no room of that number"]);
        ann.ends();
        server.ends_empty(&spoken);
    }
}

#[test]
fn what_comes_from_another_door_says_what_is_wrong_with_it() {
    let server = Started::new(Settings::default());
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-client"));
    command.args(["--name", "ann", "--format", "raw", "--connect", &server.at(MsgPack).to_string()]);
    let sentence = Process::start(&mut command).end().refused();
    let begins = "chat-client: the body of packet 702 does not decode: ";
    let ends = ": is that a door for game clients, and of this --format?";
    assert!(sentence.starts_with(begins) && sentence.ends_with(ends), "{sentence}");
    assert!(sentence.len() > begins.len() + ends.len(), "{sentence}");
    server.ends_empty("another door");
}

#[test]
fn a_token_may_begin_with_a_hyphen() {
    let server = Started::new(Settings::default());
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-client"));
    command.args([
        "--connect",
        &server.at(Raw).to_string(),
        "--name",
        "ann",
        "--password",
        "-0123456789abcde",
    ]);
    let ended = Process::start(&mut command).end();
    assert_eq!((ended.code, ended.stdout), (Some(0), vec!["you are logged in".to_owned()]));
    server.ends_empty("a hyphen");
}

#[test]
fn a_refused_log_in_ends_the_client_in_one_sentence() {
    for format in FORMATS {
        let server = Started::new(Settings::default());
        let mut ann = at(&server, format, "ann", "3");
        ann.reads(&["you are logged in", "you are in room 3, as number 1"]);
        let (format, door) = (format!("{format:?}").to_lowercase(), server.at(format).to_string());
        let flags = ["--format", &format, "--name", "ann", "--room", "3", "--connect", &door];
        // Without input, and with somebody at the keyboard who has not typed anything.
        for input in [Stdio::null(), Stdio::piped()] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_chat-client"));
            let command = command.args(flags).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut refused = command.spawn().unwrap();
            let keys = refused.stdin.take();
            let ended = refused.wait_with_output().unwrap();
            drop(keys);
            assert_eq!((ended.status.code(), &ended.stdout[..]), (Some(2), &b""[..]), "{format}");
            let sentence = String::from_utf8(ended.stderr).unwrap();
            assert_eq!(
                sentence, "chat-client: not logged in: that name is taken, or you are logged in already\n",
                "{format}"
            );
        }
        // A second log-in is refused, and the first one holds.
        ann.types("/login bob token").types("hi");
        ann.reads(&["that name is taken, or you are logged in already", "ann: hi"]);
        ann.ends();
        server.ends_empty(&format);
    }
}

#[test]
fn a_server_that_goes_while_somebody_types_is_said_to_have_closed() {
    assert_says_that_it_is_closed(|| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat-client"));
        command.args(["--name", "ann"]);
        command
    });
}

#[test]
fn a_server_that_does_not_answer_the_log_in_ends_the_client_in_one_sentence() {
    let ann = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat-client"));
        command.args(["--name", "ann"]);
        command
    };
    let sentence = "chat-client: the server does not answer: is that a door for game clients?";
    assert_gives_up(ann, &[&[], &frame(9999, "what no client knows")], sentence);
}

#[test]
fn what_is_typed_and_is_no_line_is_skipped_in_little_memory() {
    let server = Started::new(Settings::default());
    let door = server.at(Raw).to_string();
    let flags = ["--name", "ann", "--room", "3", "--connect", &door];
    let (ann, mut keys) = Process::attended(Command::new(env!("CARGO_BIN_EXE_chat-client")).args(flags));
    let long = vec![b'x'; 1_000_000];
    for _ in 0..64 {
        keys.write_all(&long).unwrap();
    }
    if let Some(kib) = ann.peak_memory() {
        assert!(kib < 32 * 1024, "{kib} KiB");
    }
    keys.write_all(b"\n\xff\nhi\n").unwrap();
    drop(keys);
    let ended = ann.end();
    assert_eq!((ended.code, &ended.stderr[..]), (Some(0), &[][..]));
    for line in ["that line is too long: 4096 bytes at most", "that line is not UTF-8 text", "ann: hi"] {
        assert!(ended.stdout.iter().any(|said| said == line), "{line}: {:?}", ended.stdout);
    }
    server.ends_empty("no lines");
}

fn bots(server: &Started, format: Format, more: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-bots"));
    command.args(["--format", &format!("{format:?}").to_lowercase()]);
    command.args(["--connect", &server.at(format).to_string(), "--json"]).args(more);
    Process::start(&mut command)
}

#[test]
fn bots_hear_every_line_of_their_room() {
    let settings = Settings { workers: 2, requests_per_second: 0, ..Settings::default() };
    let server = Started::new(settings);
    for (format, rate) in [(Raw, "0"), (MsgPack, "50"), (Protobuf, "0")] {
        let more = ["--rooms", "3", "--room-users", "4", "--duration", "1", "--rate", rate];
        let ended = bots(&server, format, &more).end();
        assert_eq!((ended.code, &ended.stderr[..]), (Some(0), &[][..]));
        let report: serde_json::Value = serde_json::from_str(&ended.stdout.concat()).unwrap();
        let number = |name: &str| report[name].as_u64().unwrap();
        assert_eq!(number("deliveries"), number("chats") * 4, "{report}");
        assert!(number("chats") > 100 && report["latency_us"]["p99"].as_f64().unwrap() > 0.0, "{report}");
    }
    server.ends_empty("bots");
}

#[cfg(unix)]
#[test]
fn bots_that_are_interrupted_report_what_was_done_until_then() {
    let server = Started::new(Settings::default());
    let mut person = Person::new(&server, "guest1");
    person.types("/join 0").reads(&["you are in room 0, as number 1"]);
    let more = ["--rooms", "1", "--room-users", "2", "--duration", "600", "--rate", "50"];
    let running = bots(&server, Raw, &more);
    let mut lines = 0;
    while lines < 20 {
        lines += u32::from(person.line().starts_with("bot"));
    }
    running.signal("INT");
    let ended = running.end();
    assert_eq!((ended.code, &ended.stderr[..]), (Some(0), &[][..]));
    let report: serde_json::Value = serde_json::from_str(&ended.stdout.concat()).unwrap();
    assert!(report["deliveries"].as_u64().unwrap() > 10 && report["interrupted"] == true, "{report}");
    assert!(report["seconds"].as_f64().unwrap() < 60.0, "{report}");
    person.types("/leave");
    drop(person);
    server.ends_empty("interrupted");
}

#[test]
fn bots_say_what_is_wrong_in_one_sentence() {
    let server = Started::new(Settings::default());
    let full = bots(&server, Raw, &["--room-users", "5", "--duration", "1"]).end();
    assert_eq!(full.code, Some(1));
    assert!(full.stderr[0].contains("that room is full"), "{:?}", full.stderr);
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-bots"));
    let nobody = Process::start(command.args(["--connect", "127.0.0.1:1"])).end().refused();
    assert!(nobody.contains("no server at 127.0.0.1:1"), "{nobody}");
    // The first that finds nobody ends it, before there are millions of them.
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-bots"));
    command.args(["--connect", "127.0.0.1:1", "--rooms", "100000", "--room-users", "127"]);
    let nobody = Process::start(&mut command).end().refused();
    assert!(nobody.contains("no server at 127.0.0.1:1"), "{nobody}");
    for (args, word) in [(["--rate", "-1"], "-1"), (["--size", "39"], "39"), (["--format", "json"], "json")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat-bots"));
        let sentence = Process::start(command.args(args)).end().refused();
        assert!(sentence.starts_with("chat-bots: ") && sentence.contains(word), "{sentence}");
    }
    server.ends_empty("bots that failed");
}
