//! A Redis server of the test's own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::{connect, signal};

/// The process, which keeps nothing on disk; it never outlives its test.
#[derive(Debug)]
pub struct RedisServer {
    addr: SocketAddr,
    directory: PathBuf,
    child: Child,
}

impl RedisServer {
    /// `None`, with a word, where there is no `redis-server`.
    #[must_use]
    pub fn start() -> Option<Self> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            eprintln!("skipped: there is no `redis-server` on this machine");
            return None;
        }
        // A port that was free a moment ago may be taken by another test: then another one.
        for _ in 0..50 {
            let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let name = format!("redis-of-a-test-{}-{}", std::process::id(), addr.port());
            let directory = std::env::temp_dir().join(name);
            std::fs::create_dir(&directory).unwrap();
            if let Some(child) = run(addr, &directory) {
                return Some(Self { addr, directory, child });
            }
            std::fs::remove_dir_all(&directory).unwrap();
        }
        panic!("no port stays free");
    }

    /// `redis://ADDR`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.addr)
    }

    /// Ends it as `kill -9` does: everything is lost.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was.
    pub fn again(&mut self) {
        self.child = run(self.addr, &self.directory).expect("its port is free");
    }

    /// Sends a signal: "STOP" or "CONT".
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// All keys, each of which must go by itself.
    pub fn expiring_keys(&self) -> Vec<String> {
        let mut connection = BufReader::new(connect(self.addr));
        ask(&mut connection, &["KEYS", "*"]);
        let mut keys = Vec::new();
        for _ in 0..number(&mut connection, '*') {
            let len = number(&mut connection, '$');
            let mut key = vec![0; usize::try_from(len).unwrap() + 2];
            connection.read_exact(&mut key).unwrap();
            keys.push(String::from_utf8(key).unwrap().trim_end().to_owned());
        }
        for key in &keys {
            ask(&mut connection, &["PTTL", key]);
            // -2: it has gone meanwhile.
            assert_ne!(number(&mut connection, ':'), -1, "{key} would stay for ever");
        }
        keys
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// A server there that accepts connections, or `None` if it cannot have the port.
fn run(addr: SocketAddr, directory: &PathBuf) -> Option<Child> {
    let mut child = Command::new("redis-server")
        .args(["--port", &addr.port().to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    if lines.any(|line| line.contains("Ready to accept connections")) {
        // Read to the end, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        return Some(child);
    }
    child.wait().unwrap();
    None
}

fn ask(connection: &mut BufReader<std::net::TcpStream>, words: &[&str]) {
    let mut bytes = format!("*{}\r\n", words.len());
    for word in words {
        bytes += &format!("${}\r\n{word}\r\n", word.len());
    }
    connection.get_mut().write_all(bytes.as_bytes()).unwrap();
}

fn number(connection: &mut impl BufRead, kind: char) -> i64 {
    let mut line = String::new();
    connection.read_line(&mut line).unwrap();
    line.trim_end().strip_prefix(kind).unwrap_or_else(|| panic!("not {kind}: {line}")).parse().unwrap()
}
