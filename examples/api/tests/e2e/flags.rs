use std::net::TcpListener;
use std::process::Command;

use support::testing::{Process, Server, assert_refused};

use crate::http::call;
use crate::world::{Dir, files};

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command.args(["--http", "127.0.0.1:0", "--db", ":memory:"]).args(args);
    command
}

#[test]
fn what_cannot_be_used_is_refused_in_one_sentence() {
    let dir = Dir::new();
    let file = |name: &str, content: &[u8]| {
        let path = dir.file(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (empty, short, binary) =
        (file("empty", b" \n"), file("short", b"0123456789"), file("binary", &[0xff; 40]));
    let foreign = file("foreign", &b"no database, but long enough to be looked at. ".repeat(50));
    let missing = dir.file("missing").to_str().unwrap().to_owned();
    let no_dir = dir.file("no/api.db").to_str().unwrap().to_owned();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = holder.local_addr().unwrap().to_string();
    assert_refused(
        command,
        &[
            (&["--unknown"][..], "--unknown"),
            (&["--api-key-file", &missing], "there is no such file"),
            (&["--api-key-file", &empty], "it is empty"),
            (&["--api-key-file", &short], "a key has 16 to 256 visible ASCII characters"),
            (&["--api-key-file", &binary], "cannot use the api key in"),
            (&["--api-key-file", dir.file("").to_str().unwrap()], "it is a directory"),
            (&["--redis", "nowhere"], "--redis is not the address of a redis server: it takes redis://"),
            (&["--redis", "http://127.0.0.1"], "--redis is not the address of a redis server"),
            (&["--match-size", "1"], "--match-size"),
            (&["--session-ms", "-1"], "it takes 1000 to 2592000000"),
            (&["--match-queue", "2"], "--match-queue 2 is below --match-size 4"),
            (&["--redis-prefix", "x:"], "--redis"),
            (&["--token-ms", "0"], "--token-ms"),
            (&["--proxy", "here"], "it takes one address, as in 10.0.0.7"),
            (
                &["--proxy", "10.0.0.0/8"],
                "it takes one address and no network; it may be given more than once",
            ),
        ],
    );
    for (args, words) in [
        (
            ["--http", &busy, "--db", ":memory:"],
            format!("cannot listen on {busy} (http): the address is already in use"),
        ),
        (["--http", "nowhere", "--db", ":memory:"], "HOST:PORT".to_owned()),
        (
            ["--http", "off", "--db", ":memory:"],
            "it is the only door, so without it there is nothing to serve".to_owned(),
        ),
        (["--http", "127.0.0.1:0", "--db", ""], "it takes the name of a file, or :memory:".to_owned()),
        (["--http", "127.0.0.1:0", "--db", &no_dir], format!("cannot use the database {no_dir}: ")),
        (["--http", "127.0.0.1:0", "--db", &foreign], format!("cannot use the database {foreign}: ")),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
        let sentence = Process::start(command.args(args)).end().refused();
        assert!(sentence.starts_with("api: ") && sentence.contains(&words), "{args:?}: {sentence}");
    }
}

#[test]
fn a_redis_that_is_not_there_is_in_the_log_before_anybody_asks() {
    let server = Server::start(&mut command(&["--redis", "redis://127.0.0.1:1"]), 1);
    let line = server.process.logged(&["redis is away; what needs it is refused"]);
    assert!(line.contains("WARN"), "{line}");
    assert_eq!(server.terminate().code, Some(0));
}

#[cfg(unix)]
#[test]
fn a_database_that_cannot_be_written_is_refused_at_the_start() {
    use std::os::unix::fs::PermissionsExt;

    let dir = Dir::new();
    let db = dir.file("api.db");
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
        command.args(["--http", "127.0.0.1:0", "--db"]).arg(&db);
        command
    };
    assert_eq!(Server::start(&mut start(), 1).terminate().code, Some(0));
    std::fs::set_permissions(&db, std::fs::Permissions::from_mode(0o444)).unwrap();
    if std::fs::OpenOptions::new().write(true).open(&db).is_ok() {
        // For root, nothing is forbidden: a device that is full does as well.
        eprintln!("skipped: this user may write everything");
    } else {
        let sentence = Process::start(&mut start()).end().refused();
        assert!(sentence.contains("cannot use the database"), "{sentence}");
    }
    let mut full = Command::new(env!("CARGO_BIN_EXE_api"));
    full.args(["--http", "127.0.0.1:0", "--db", "/dev/full"]);
    let sentence = Process::start(&mut full).end().refused();
    assert!(sentence.contains("cannot use the database /dev/full: "), "{sentence}");
}

#[cfg(unix)]
#[test]
fn the_database_is_the_file_of_that_name_also_where_it_looks_like_a_uri() {
    let dir = Dir::new();
    let folder = dir.file("db");
    std::fs::create_dir(&folder).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command.args(["--http", "127.0.0.1:0", "--db", "file:foo?mode=ro"]).current_dir(&folder);
    assert_eq!(Server::start(&mut command, 1).terminate().code, Some(0));
    assert_eq!(files(&folder), ["file:foo?mode=ro"]);
    assert!(std::fs::metadata(folder.join("file:foo?mode=ro")).unwrap().len() > 0);
}

#[test]
fn a_server_that_does_not_start_leaves_no_database_behind() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = holder.local_addr().unwrap().to_string();
    let dir = Dir::new();
    let db = dir.file("api.db").to_str().unwrap().to_owned();
    for args in [["--http", &busy], ["--api-key-file", "missing"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
        command.args(["--db", &db]).args(args);
        if args[0] != "--http" {
            command.args(["--http", "127.0.0.1:0"]);
        }
        let _ = Process::start(&mut command).end().refused();
        assert!(files(&dir.file("")).is_empty(), "{args:?}");
    }
}

#[test]
fn without_a_key_no_game_server_is_let_in() {
    let server = Server::start(&mut command(&[]), 1);
    let body = serde_json::json!({"user": "ann", "token": "AAAAAAAAAAAAAAAA"});
    for secret in [None, Some(""), Some("anything")] {
        let answer = call(server.addr(), "POST", "/v1/tokens/redeem", secret, Some(&body));
        answer.refused(403, "no_api_key");
    }
}

#[test]
fn help_names_every_flag_and_an_example() {
    let ended = Process::start(&mut command(&["--help"])).end();
    let help = ended.stdout.join("\n");
    assert_eq!((ended.code, ended.stderr), (Some(0), Vec::new()));
    let readme = include_str!("../../README.md");
    for flag in help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 3) {
        let flag = flag.trim_matches(|char: char| !char.is_ascii_lowercase() && char != '-');
        assert!(
            ["--help", "--version"].contains(&flag) || readme.contains(&format!("`{flag}")),
            "{flag} is not in the README"
        );
    }
    for word in
        ["--http", "--db", "--redis", "--api-key-file", "listening http", "SIGTERM", "8000", "Example:"]
    {
        assert!(help.contains(word), "{word} is missing in {help}");
    }
}

#[test]
fn it_listens_on_ipv6_where_there_is_one() {
    if TcpListener::bind("[::1]:0").is_ok() {
        let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
        let server = Server::start(command.args(["--http", "[::1]:0", "--db", ":memory:"]), 1);
        call(server.addr(), "GET", "/health", None, None).is(200);
    }
}
