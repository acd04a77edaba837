//! Log-in by the tokens of an API server, and the place in its list.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use api::{Member, Wish};
use support::testing::metrics::wait_for;
use support::testing::{PATIENCE, Server, connect, read};

use crate::api_server::{Api, KEY};
use crate::people::Person;
use crate::process::{ANYWHERE, chat};
use crate::wire::*;

fn door(server: &Server, format: Format) -> SocketAddr {
    server.doors[FORMATS.iter().position(|other| *other == format).unwrap()].1
}

#[track_caller]
fn says(client: &mut TcpStream, packets: &[Vec<u8>], answers: &[Vec<u8>]) {
    std::io::Write::write_all(client, &packets.concat()).unwrap();
    hears(client, answers);
}

#[track_caller]
fn hears(client: &mut TcpStream, answers: &[Vec<u8>]) {
    let answers = answers.concat();
    assert_eq!(read(client, answers.len()), answers);
}

/// The answer to a log-in whose user has just left: the name is free a moment later.
fn answer_when_free(server: &Server, f: Format, name: &str, token: &str) -> Vec<u8> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        // Without an end of the stream behind it, which would be a user who waits for no answer.
        let mut client = connect(door(server, f));
        std::io::Write::write_all(&mut client, &f.login_by(name, token)).unwrap();
        let size = read(&mut client, 2);
        let rest = read(&mut client, usize::from(u16::from_le_bytes([size[0], size[1]])) - 2);
        let answer = [size, rest].concat();
        if answer != f.result(702, IN_USE) {
            return answer;
        }
        assert!(Instant::now() < deadline, "{name} stays");
    }
}

#[test]
fn a_token_lets_its_user_in_at_every_door_and_once() {
    let api = Api::new("once");
    let server = api.chat();
    let other = api.sign_up("somebody else");
    let mut inside = Vec::new();
    let names = ["ann", "bob", "다섯글자요"];
    for (number, (f, name)) in FORMATS.into_iter().zip(names).enumerate() {
        let player = api.sign_up(name);
        let token = api.token(&player);
        let mut client = connect(door(&server, f));
        // Not by a password, not by another's token, and not under another's name: which leaves the token as it was.
        for wrong in ["secret", "", "0123456789abcdef", &api.token(&other)] {
            says(&mut client, &[f.login_by(name, wrong)], &[f.result(702, BAD_TOKEN)]);
        }
        says(&mut client, &[f.login_by("somebody else", &token)], &[f.result(702, BAD_TOKEN)]);
        says(&mut client, &[f.login_by("nobody", &token)], &[f.result(702, BAD_TOKEN)]);
        // In one write: what is behind the log-in waits for it.
        let behind = [f.login_by(name, &token), f.login_by(name, &token), f.ping(5), f.enter(number as i32)];
        let answers = [f.result(702, OK), f.result(702, IN_USE), f.pong(5), f.entered(OK, number as i32, 1)];
        says(&mut client, &behind, &answers);
        says(&mut client, &[f.chat("hi")], &[f.chatted(1, "hi"), f.result(732, OK)]);
        drop(client);
        assert_eq!(answer_when_free(&server, f, name, &token), f.result(702, BAD_TOKEN), "{f:?}: again");
        let mut client = connect(door(&server, f));
        let again = f.login_by(name, &api.token(&player));
        says(&mut client, &[again, f.enter(9)], &[f.result(702, OK)]);
        if number > 0 {
            let here: Vec<(u64, &str)> = (1..).zip(names).take(number).collect();
            hears(&mut client, &[f.users(&here)]);
        }
        hears(&mut client, &[f.entered(OK, 9, number as u64 + 1)]);
        inside.push(client);
    }
    let token = api.token(&other);
    let mut person = Person::at(server.doors[3].1);
    person.reads(&["welcome: log in first, with /login NAME TOKEN"]).types("hello").reads(&["log in first"]);
    person.types("/login somebody\\selse").reads(&["a log-in: /login NAME TOKEN"]);
    person.types(&format!("/login somebody {token}")).reads(&["that token is not valid"]);
    person.types(&format!("/login ann {token}"));
    person.reads(&["that name is taken, or you are logged in already"]);
    person.types(&format!("/login somebody\\selse {token}"));
    person
        .reads(&["you are logged in", "you are in the lobby: /rooms shows the rooms, /join ROOM enters one"]);
    person.types("/join 9");
    person.reads(&["here: ann (1), bob (2), 다섯글자요 (3)", "you are in room 9, as number 4"]);
    person.types("hello").reads(&["somebody\\selse: hello"]).types("/quit").reads(&["bye"]);
    drop(inside);
    let mut person = Person::at(server.doors[3].1);
    person.reads(&["welcome: log in first, with /login NAME TOKEN"]);
    let again = || {
        person.types(&format!("/login somebody\\selse {token}"));
        person.line()
    };
    let answer = std::iter::repeat_with(again).find(|line| !line.starts_with("that name is taken"));
    assert_eq!(answer.unwrap(), "that token is not valid");
    assert_eq!(server.terminate().code, Some(0));
}

#[test]
fn while_the_api_server_is_away_nobody_logs_in_and_those_inside_go_on() {
    let mut api = Api::forgetful("away", 1500);
    let server = api.chat();
    let _ = server.process.logged(&["in the list of servers"]);
    let mut inside = Vec::new();
    for (f, name) in [(Raw, "ann"), (MsgPack, "bob")] {
        let token = api.token(&api.sign_up(name));
        let mut client = connect(door(&server, f));
        let user = inside.len() as u64 + 1;
        says(&mut client, &[f.login_by(name, &token), f.enter(3)], &[f.result(702, OK)]);
        if user == 2 {
            hears(&mut inside[0], &[Raw.came(2, "bob")]);
            hears(&mut client, &[f.users(&[(1, "ann")])]);
        }
        hears(&mut client, &[f.entered(OK, 3, user)]);
        inside.push(client);
    }
    let mut chat = |words: &str| {
        says(&mut inside[0], &[Raw.chat(words)], &[Raw.chatted(1, words), Raw.result(732, OK)]);
        hears(&mut inside[1], &[MsgPack.chatted(1, words)]);
    };
    let token = api.token(&api.sign_up("cat"));
    let mut person = Person::at(server.doors[3].1);
    person.reads(&["welcome: log in first, with /login NAME TOKEN"]);
    for round in 0..2 {
        api.goes();
        for f in FORMATS {
            let mut client = connect(door(&server, f));
            let login = f.login_by("cat", &token);
            says(
                &mut client,
                &[login.clone(), f.enter(3)],
                &[f.result(702, API_AWAY), f.error(NOT_LOGGED_IN)],
            );
            // The session goes on, and may try again.
            says(&mut client, &[login], &[f.result(702, API_AWAY)]);
        }
        person.types(&format!("/login cat {token}"));
        person.reads(&["the log-in server does not answer, try again later"]);
        chat("who is still here?");
        let _ = server.process.logged(&["cannot report to the api server"]);
        api.comes();
        // It has forgotten the server, the sessions and the tokens; it knows the users.
        let _ = server.process.logged(&["in the list of servers"]);
        let cat = api.log_in("cat");
        for f in FORMATS {
            assert_eq!(answer_when_free(&server, f, "cat", &token), f.result(702, BAD_TOKEN));
            let new = api.token(&cat);
            assert_eq!(answer_when_free(&server, f, "cat", &new), f.result(702, OK), "{round}, {f:?}");
        }
        let listed = api.list(&cat, |servers| matches!(servers, [one] if one.users == 2));
        assert_eq!(listed[0].occupied_rooms, 1);
        chat("and now?");
    }
    drop(inside);
    assert_eq!(server.terminate().code, Some(0));
}

#[test]
fn an_api_server_that_takes_connections_and_never_answers_keeps_nobody_waiting() {
    // The system takes them; nobody else does.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut command = chat(&[&ANYWHERE[..], &["--api", &url, "--api-ms", "300"]].concat());
    let server = Server::start(command.env("API_KEY", KEY), 4);
    let began = Instant::now();
    let mut clients = FORMATS.map(|f| (f, connect(door(&server, f))));
    for (f, client) in &mut clients {
        std::io::Write::write_all(client, &f.login_by("ann", "0123456789abcdef")).unwrap();
    }
    for (f, client) in &mut clients {
        hears(client, &[f.result(702, API_AWAY)]);
    }
    let took = began.elapsed();
    assert!((Duration::from_millis(300)..Duration::from_secs(5)).contains(&took), "{took:?}");
    assert_eq!(server.terminate().code, Some(0));
}

#[test]
fn the_api_server_sends_users_here_for_as_long_as_the_server_runs() {
    let api = Api::new("list");
    let server = api.chat();
    let _ = server.process.logged(&["in the list of servers"]);
    let ann = api.sign_up("ann");
    let listed = api.list(&ann, |servers| servers.len() == 1);
    let doors: Vec<(String, String)> = listed[0].doors.clone().into_iter().collect();
    let mut expected: Vec<(String, String)> =
        server.doors.iter().map(|(name, at)| (name.clone(), at.to_string())).collect();
    expected.sort();
    assert_eq!((doors, listed[0].users, listed[0].capacity), (expected, 0, 4000));
    // A seat is kept, until its user has come and the load counts them.
    let seat = api.wait(ann.seat("chat", &Wish::default())).unwrap();
    assert_eq!((seat.room, api.list(&ann, |_| true)[0].reserved), (Some(0), 1));
    let mut client = connect(seat.doors["raw"].parse().unwrap());
    says(&mut client, &[Raw.login_by("ann", &seat.token)], &[Raw.result(702, OK)]);
    api.list(&ann, |servers| servers[0].users == 1 && servers[0].reserved == 1);
    says(&mut client, &[Raw.enter(0)], &[Raw.entered(OK, 0, 1)]);
    api.list(&ann, |servers| servers[0].occupied_rooms == 1 && servers[0].reserved == 0);
    drop(client);
    api.list(&ann, |servers| servers[0].users == 0 && servers[0].occupied_rooms == 0);
    let ended = server.terminate();
    assert_eq!(ended.code, Some(0));
    assert!(api.list(&ann, |_| true).is_empty(), "it has left the list");
    let logs = ended.stderr.join("\n");
    assert!(logs.contains("let_in=1") && logs.contains("stopped"), "{logs}");
    assert!(!logs.contains(KEY) && !logs.contains(&seat.token), "{logs}");
}

#[test]
fn the_rooms_that_users_are_sent_to_are_those_that_they_find_whatever_the_first_is() {
    let api = Api::new("first-room");
    let server = api.chat_with(&["--first-room", "500", "--rooms", "2", "--room-users", "1"], 4);
    let _ = server.process.logged(&["in the list of servers"]);
    let mut inside = Vec::new();
    for (name, room) in [("ann", 500), ("bob", 501)] {
        let player = api.sign_up(name);
        let seat = api.wait(player.seat("chat", &Wish::default())).unwrap();
        assert_eq!(seat.room, Some(room));
        let mut person = Person::at(seat.doors["text"].parse().unwrap());
        person.types(&format!("/login {name} {}", seat.token));
        person.reads(&[
            "welcome: log in first, with /login NAME TOKEN",
            "you are logged in",
            "you are in the lobby: /rooms shows the rooms, /join ROOM enters one",
        ]);
        person.types("/join 0").reads(&["there is no room of that number"]);
        person.types(&format!("/join {room}")).reads(&[&format!("you are in room {room}, as number 1")]);
        inside.push(person);
        // Whoever has come is counted in that room, and no seat is kept for them any more.
        let occupied = inside.len() as u32;
        api.list(&player, |servers| (servers[0].occupied_rooms, servers[0].reserved) == (occupied, 0));
    }
}

#[test]
fn a_server_that_was_killed_gets_nobody_once_its_time_in_the_list_is_up() {
    let api = Api::forgetful("killed", 500);
    let server = api.chat();
    let _ = server.process.logged(&["in the list of servers"]);
    let ann = api.sign_up("ann");
    let listed = api.list(&ann, |servers| servers.len() == 1);
    let killed = Instant::now();
    drop(server);
    assert!(listed[0].expires_in_ms <= 500);
    api.list(&ann, <[Member]>::is_empty);
    let took = killed.elapsed();
    assert!(took < Duration::from_millis(500) + PATIENCE / 4, "{took:?}");
    let seat = api.wait(ann.seat("chat", &Wish::default()));
    assert!(seat.is_err_and(|error| error.is("no_room")));
}

#[test]
fn users_are_told_the_public_address_and_a_server_that_nobody_reaches_does_not_start() {
    let api = Api::new("public");
    let url = api.url();
    let everywhere = ["--raw", "0.0.0.0:0", "--msgpack", "off", "--protobuf", "off", "--text", "127.0.0.1:0"];
    let start = |more: &[&str]| {
        let mut command = chat(&[&everywhere[..], &["--api", &url], more].concat());
        // The key need not be in a file.
        command.env("API_KEY", KEY);
        command
    };
    let public = ["--public", "chat.example", "--public", "text=edge.example:7"];
    let server = Server::start(&mut start(&public), 2);
    let port = server.addr().port();
    let listed = api.list(&api.sign_up("ann"), |servers| servers.len() == 1);
    let doors: Vec<_> = listed[0].doors.iter().map(|(name, at)| (&**name, &**at)).collect();
    assert_eq!(doors, [("raw", &*format!("chat.example:{port}")), ("text", "edge.example:7")]);
    assert_eq!(server.terminate().code, Some(0));
    for (more, word) in
        [(&[][..], "--public HOST"), (&["--public", "msgpack=a:1", "--public", "a"], "msgpack")]
    {
        let sentence = support::testing::Process::start(&mut start(more)).end().refused();
        assert!(sentence.starts_with("chat: ") && sentence.contains(word), "{sentence}");
    }
}

#[test]
fn the_session_of_the_readme_goes_as_it_says() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `curl` on this machine");
        return;
    }
    let api = Api::new("readme");
    let server = api.chat();
    let _ = server.process.logged(&["in the list of servers"]);
    let readme = include_str!("../../README.md");
    let commands = between(readme, "```sh\nAPI=http://127.0.0.1:8000\n", "```");
    let run = "cargo run -q --release -p chat --bin chat-client --";
    // Where no door is named it is the usual one.
    let commands =
        commands.replace(&format!("{run} --name"), &format!("{run} --connect {} --name", server.addr()));
    let commands = commands.replace(run, "client");
    // Whoever has just left may have their name for a moment longer.
    let client = format!(
        "client() {{ local said typed=$(cat); while said=$(echo \"$typed\" | {} \"$@\" 2>&1); \
         [[ $said == *'name is taken'* ]]; do :; done; echo \"$said\"; }}",
        env!("CARGO_BIN_EXE_chat-client")
    );
    let script = format!("set -u\n{client}\nAPI={}\n{commands}", api.url());
    let ran = Command::new("bash").args(["-c", &script]).output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    let shown = between(readme, "prints\n\n```text\n{", "```");
    assert_eq!(said, format!("{{{shown}"), "{}", String::from_utf8_lossy(&ran.stderr));
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let at = text.find(from).unwrap_or_else(|| panic!("{from:?} is not in the README")) + from.len();
    let rest = &text[at..];
    &rest[..rest.find(to).unwrap()]
}

#[test]
fn the_metrics_say_what_came_of_log_ins() {
    let mut api = Api::new("metrics");
    let server = api.chat_with(&["--metrics", "127.0.0.1:0", "--api-coming", "1"], 5);
    let at = |name: &str| server.doors.iter().find(|(door, _)| door == name).unwrap().1;
    let [ann, bob] = ["ann", "bob"].map(|name| (name, api.token(&api.sign_up(name))));
    let mut inside = [&ann, &bob].map(|(name, token)| {
        let mut client = connect(at("raw"));
        let wrong = Raw.login_by(name, "secret");
        let answers = [Raw.result(702, BAD_TOKEN), Raw.result(702, OK)];
        says(&mut client, &[wrong, Raw.login_by(name, token)], &answers);
        client
    });
    let told = |series: &[(&str, f64)]| {
        series.iter().for_each(|(name, value)| wait_for(at("metrics"), &format!("lobby_{name}"), *value));
    };
    told(&[
        ("log_ins_total{result=\"let_in\"}", 2.0),
        ("log_ins_total{result=\"refused\"}", 2.0),
        ("log_ins_total{result=\"away\"}", 0.0),
        ("log_ins_total{result=\"busy\"}", 0.0),
        ("coming", 1.0),
        ("coming_over_total", 1.0),
    ]);
    says(&mut inside[0], &[Raw.enter(3)], &[Raw.entered(OK, 3, 1)]);
    told(&[("coming", 0.0), ("coming_over_total", 1.0)]);
    api.goes();
    says(&mut connect(at("raw")), &[Raw.login_by("cat", &bob.1)], &[Raw.result(702, API_AWAY)]);
    told(&[("log_ins_total{result=\"away\"}", 1.0)]);
    assert_eq!(server.terminate().code, Some(0));
}
