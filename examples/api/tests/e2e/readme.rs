//! The session in the README, as it stands there.

use std::process::Command;

use support::testing::Server;

use crate::world::Dir;

#[test]
fn the_session_of_the_readme_goes_as_it_says() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `curl` on this machine");
        return;
    }
    let dir = Dir::new();
    let mut command = crate::world::api(&dir, None, &[]);
    let server = Server::start(&mut command, 1);
    let readme = include_str!("../../README.md");
    let commands = between(readme, "```sh\nAPI=http://127.0.0.1:8000\n", "```");
    let shown = between(readme, "prints, with other secrets and ids:\n\n```text\n", "```");
    let script = format!("set -eu\nAPI=http://{}\n{commands}", server.addr());
    let ran = Command::new("bash").args(["-c", &script]).current_dir(dir.file("")).output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{said} {}", String::from_utf8_lossy(&ran.stderr));
    let (said, shown): (Vec<_>, Vec<_>) =
        (said.lines().map(shape).collect(), shown.lines().map(shape).collect());
    assert_eq!(said, shown);
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let at = text.find(from).unwrap_or_else(|| panic!("{from:?} is not in the README")) + from.len();
    let rest = &text[at..];
    &rest[..rest.find(to).unwrap()]
}

/// A line without what is different each time: the values of these fields.
fn shape(line: &str) -> String {
    let mut json: serde_json::Value =
        serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    for field in ["session", "token", "server"] {
        if let Some(value) = json.get_mut(field) {
            *value = "SECRET".into();
        }
    }
    for field in ["gives_up_in_ms", "reserved_ms", "expires_in_ms"] {
        if let Some(value) = json.get_mut(field).filter(|value| value.is_u64()) {
            *value = 1.into();
        }
    }
    json.to_string()
}
