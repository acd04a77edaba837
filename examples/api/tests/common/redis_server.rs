//! A Redis server of the test's own.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

/// The process; it never outlives its test.
pub(crate) struct RedisServer {
    pub(crate) addr: SocketAddr,
    child: Child,
}

impl RedisServer {
    /// `None`, with a word, where there is no `redis-server`.
    pub(crate) fn start() -> Option<Self> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            eprintln!("skipped: there is no `redis-server` on this machine");
            return None;
        }
        // A port that was free a moment ago may be taken by another test: then another one.
        for _ in 0..50 {
            let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            if let Some(child) = run(addr) {
                return Some(Self { addr, child });
            }
        }
        panic!("no port stays free");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.addr)
    }

    /// Ends it as `kill -9` does: everything is lost.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was.
    pub(crate) fn again(&mut self) {
        self.child = run(self.addr).expect("its port is free");
    }

    /// "STOP" and "CONT".
    #[cfg(unix)]
    #[allow(dead_code, reason = "not every test that shares this file freezes it")]
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Every key must go by itself.
    pub(crate) fn every_key_expires(&self) -> usize {
        let mut connection = redis::Client::open(self.url()).unwrap().get_connection().unwrap();
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut connection).unwrap();
        for key in &keys {
            let ttl: i64 = redis::cmd("PTTL").arg(key).query(&mut connection).unwrap();
            assert_ne!(ttl, -1, "{key} would stay for ever");
        }
        keys.len()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server there that accepts connections, or `None` if it cannot have the port.
fn run(addr: SocketAddr) -> Option<Child> {
    let mut child = Command::new("redis-server")
        .args(["--port", &addr.port().to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .current_dir(std::env::temp_dir())
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
