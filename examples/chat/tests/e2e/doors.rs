//! The doors under TLS and behind WebSocket, with the client for people, as processes.

use std::path::PathBuf;

use support::testing::{Process, Server};

use crate::clients::client;
use crate::people::Person;
use crate::process::chat;

/// A certificate for the name `localhost` that vouches for itself, and its key, in a folder that is gone after the test.
struct Certificate {
    folder: PathBuf,
    certificate: String,
    key: String,
}

impl Certificate {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("chat-doors-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (certificate, key) =
            (write("cert.pem", made.cert.pem()), write("key.pem", made.signing_key.serialize_pem()));
        Self { folder, certificate, key }
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

const PLAIN: [&str; 8] = ["--raw", "off", "--msgpack", "off", "--protobuf", "off", "--text", "127.0.0.1:0"];
const COVERED: [&str; 4] = ["--tls", "127.0.0.1:0", "--websocket", "127.0.0.1:0"];

#[test]
fn who_comes_under_tls_or_by_websocket_is_in_the_same_rooms() {
    let Certificate { certificate, key, .. } = &Certificate::new("rooms");
    for covered in [true, false] {
        let tls = [&COVERED[..], &["--tls-cert", certificate, "--tls-key", key]].concat();
        let flags = if covered { tls } else { COVERED[2..].to_vec() };
        let server = Server::start(&mut chat(&[&PLAIN, &flags[..]].concat()), if covered { 3 } else { 2 });
        let names: Vec<&str> = server.doors.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, if covered { vec!["text", "tls", "websocket"] } else { vec!["text", "websocket"] });
        let at: Vec<String> = server.doors.iter().map(|(_, at)| format!("localhost:{}", at.port())).collect();

        let mut cat = Person::greeted(server.doors[0].1, "guest1");
        cat.types("/nick cat").reads(&["you are cat"]);
        cat.types("/join 3").reads(&["you are in room 3, as number 1"]);
        let socket = ["--name", "ann", "--room", "3", "--connect", at.last().unwrap(), "--websocket"];
        let ca = if covered { &["--tls-ca", certificate][..] } else { &[] };
        let mut ann = client(&[&socket, ca].concat());
        ann.reads(&["you are logged in", "here: cat (1)", "you are in room 3, as number 2"]);
        cat.reads(&["* ann (2) came"]);
        if covered {
            let mut bob =
                client(&["--name", "bob", "--room", "3", "--connect", &at[1], "--tls-ca", certificate]);
            bob.reads(&["you are logged in", "here: cat (1), ann (2)", "you are in room 3, as number 3"]);
            ann.reads(&["* bob (3) came"]);
            cat.reads(&["* bob (3) came"]);
            bob.types("hello").reads(&["bob: hello"]);
            ann.reads(&["bob: hello"]);
            cat.reads(&["bob: hello"]);
            bob.ends();
            ann.reads(&["* bob (3) left"]);
            cat.reads(&["* bob (3) left"]);
        }
        ann.types("hi").reads(&["ann: hi"]);
        cat.reads(&["ann: hi"]);
        ann.ends();
        cat.reads(&["* ann (2) left"]);
        assert_eq!(server.terminate().code, Some(0));
    }
}

#[test]
fn a_certificate_that_is_missing_or_none_is_said_in_one_sentence() {
    let Certificate { certificate, key, folder } = &Certificate::new("wrong");
    let nowhere = folder.join("nowhere.pem").to_str().unwrap().to_owned();
    for (flags, word) in [
        (vec!["--tls", "127.0.0.1:0"], "--tls needs --tls-cert and --tls-key"),
        (vec!["--tls", "127.0.0.1:0", "--tls-cert", certificate], "--tls-key"),
        (vec!["--tls", "127.0.0.1:0", "--tls-cert", &nowhere, "--tls-key", key], "nowhere.pem"),
        (vec!["--tls", "127.0.0.1:0", "--tls-cert", key, "--tls-key", key], "certificate"),
    ] {
        let sentence = Process::start(&mut chat(&[&PLAIN, &flags[..]].concat())).end().refused();
        assert!(sentence.starts_with("chat: ") && sentence.contains(word), "{flags:?}: {sentence}");
    }
}
