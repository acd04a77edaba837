//! What holds where a flag is not given.

use std::process::Command;

use support::testing::{Server, assert_defaults};

use crate::http::call;
use crate::world::{Dir, PASSWORD};

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command.args(args);
    command
}

#[test]
fn without_flags_it_is_where_game_servers_look_for_it() {
    assert_defaults(command, &[("--http", "127.0.0.1:8000"), ("--db", "api.db")]);
}

#[test]
fn accounts_stay_in_a_file_where_it_was_started() {
    let dir = Dir::new();
    let sign_up = || {
        let server = Server::start(command(&["--http", "127.0.0.1:0"]).current_dir(dir.file("")), 1);
        let ann = serde_json::json!({"name": "ann", "password": PASSWORD});
        call(server.addr(), "POST", "/v1/users", None, Some(&ann))
    };
    sign_up().is(201);
    assert!(dir.file("api.db").is_file());
    sign_up().refused(409, "name_taken");
}
