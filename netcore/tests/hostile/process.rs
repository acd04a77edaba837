//! Processes of their own for servers and crowds: this very test binary, asked for one of the two tests below.
//!
//! Both speak in lines. A line in, a line out; at the end of the input they end.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use netcore::{Binary, Door, Limits, Server, Slow};

use crate::common::{GUARD, WAYS, Way, said, say, serve};
use crate::healthy::resident;

/// A process that runs one of the two roles.
pub(crate) struct Role {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Role {
    /// A server. With `descriptors`, it may have no more than so many; else as many as the system lets it.
    pub(crate) fn server(way: Way, settings: &str, descriptors: Option<u32>) -> (Self, SocketAddr) {
        let which = WAYS.iter().position(|other| *other == way).unwrap();
        let mut server = Self::start("process::a_server", &format!("way={which} {settings}"), descriptors);
        let address = server.hear().parse().unwrap();
        (server, address)
    }

    /// Peers of that server, each of which has sent `hello`.
    pub(crate) fn crowd(address: SocketAddr, count: usize, hello: &[u8]) -> Self {
        let hello: String = hello.iter().map(|byte| format!("{byte:02x}")).collect();
        let settings = format!("address={address} count={count} hello={hello}");
        let mut crowd = Self::start("process::a_crowd", &settings, None);
        assert_eq!(crowd.hear(), "connected");
        crowd
    }

    fn start(role: &str, settings: &str, descriptors: Option<u32>) -> Self {
        let limit = descriptors.map_or("$(ulimit -H -n)".to_owned(), |limit| limit.to_string());
        let script = format!("ulimit -S -n {limit}; exec \"$0\" --exact {role} --ignored --nocapture");
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .arg(std::env::current_exe().unwrap())
            .env(SETTINGS, settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        Self { child, input, output: BufReader::new(output).lines() }
    }

    /// Says a line and hears the answer.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        writeln!(self.input.as_mut().unwrap(), "{line}").expect("the process is there");
        self.hear()
    }

    /// What a server counts under that name.
    pub(crate) fn stat(&mut self, name: &str) -> u64 {
        self.ask(name).parse().unwrap()
    }

    /// Of a crowd's peers, as many of those as `what` is true for: `answered` when they speak, told to say
    /// their hello `again`, `heard` something, `ended` by the server.
    pub(crate) fn of(&mut self, what: &str, peers: Range<usize>) -> usize {
        self.ask(&format!("{what} {} {}", peers.start, peers.end)).parse().unwrap()
    }

    /// What it holds of memory.
    pub(crate) fn resident(&self) -> Option<u64> {
        resident(self.child.id())
    }

    /// Lets it end by itself, in order.
    pub(crate) fn end(mut self) {
        self.input = None;
        assert!(self.child.wait().unwrap().success());
    }

    fn hear(&mut self) -> String {
        loop {
            let line = self.output.next().expect("the process has ended").unwrap();
            // The rest is the test harness's.
            if let Some(line) = line.strip_prefix(MARK) {
                return line.to_owned();
            }
        }
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many descriptors a process may have at most.
pub(crate) fn most_descriptors() -> usize {
    let told = Command::new("sh").args(["-c", "ulimit -H -n"]).output().unwrap();
    String::from_utf8_lossy(&told.stdout).trim().parse().unwrap_or(usize::MAX)
}

#[test]
#[ignore = "the process that other tests start"]
fn a_server() {
    let Ok(settings) = std::env::var(SETTINGS) else { return };
    let number = |name: &str| setting(&settings, name).and_then(|value| value.parse::<usize>().ok());
    let mut limits = Limits::new().stall(Duration::from_secs(600));
    if let Some(bytes) = number("queue") {
        limits = limits.queue(bytes);
    }
    let door = Door::tcp_with("127.0.0.1:0", Binary::new()).limits(limits).buffers(8 * 1024, None);
    let mut server = Server::new().door(door).slow(|_| Slow::DropNewest).max_per_address(usize::MAX);
    if let Some(most) = number("per_address") {
        server = server.max_per_address(most);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let running = runtime.block_on(serve(WAYS[number("way").unwrap()], server));
    reply(running.addr());
    for line in std::io::stdin().lines() {
        let stats = running.stats();
        reply(match line.unwrap().as_str() {
            "opened" => stats.opened,
            "open" => stats.open(),
            "refused_address" => stats.refused_address,
            "accept_errors" => stats.accept_errors,
            "bytes_in" => stats.bytes_in,
            "dropped" => stats.dropped,
            label => stats.closed_for(label),
        });
    }
    runtime.block_on(running.shutdown());
}

#[test]
#[ignore = "the process that other tests start"]
fn a_crowd() {
    let Ok(settings) = std::env::var(SETTINGS) else { return };
    let address: SocketAddr = setting(&settings, "address").unwrap().parse().unwrap();
    let count: usize = setting(&settings, "count").unwrap().parse().unwrap();
    let hello = setting(&settings, "hello").unwrap();
    let hello: Vec<u8> =
        (0..hello.len() / 2).map(|at| u8::from_str_radix(&hello[at * 2..at * 2 + 2], 16).unwrap()).collect();
    let mut peers: Vec<Option<TcpStream>> = (0..count).map(|_| Some(come(address))).collect();
    for peer in peers.iter_mut().flatten() {
        // Who was refused may know it already.
        let _ = peer.write_all(&hello);
    }
    reply("connected");
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let asked = &mut peers[words[1].parse().unwrap()..words[2].parse().unwrap()];
        reply(match words[0] {
            "answered" => asked.iter_mut().flatten().filter_map(answered).count(),
            "again" => asked.iter_mut().flatten().filter_map(|peer| peer.write_all(&hello).ok()).count(),
            "heard" => asked.iter_mut().flatten().filter_map(|peer| peer.peek(&mut [0]).ok()).sum(),
            "ended" => asked.iter_mut().flatten().filter_map(ended).count(),
            _ => asked.iter_mut().filter_map(Option::take).count(),
        });
    }
}

fn come(address: SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    // From another address than the healthy peer, where the loopback has others.
    if cfg!(target_os = "linux") {
        let from = SocketAddr::from(([127, 0, 0, 2], 0));
        socket.bind(&from.into()).unwrap();
    }
    // Leaves by a reset: the system would keep ten thousand ports from the next crowd for a minute.
    socket.set_linger(Some(Duration::ZERO)).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.set_read_timeout(Some(GUARD)).unwrap();
    socket.set_write_timeout(Some(GUARD)).unwrap();
    socket.into()
}

fn answered(peer: &mut TcpStream) -> Option<()> {
    peer.write_all(&say(5)).ok()?;
    let mut answer = [0; 9];
    peer.read_exact(&mut answer).ok()?;
    (answer[..] == said(5)).then_some(())
}

fn ended(peer: &mut TcpStream) -> Option<()> {
    match peer.read(&mut [0]) {
        Ok(1..) => None,
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => None,
        Ok(_) | Err(_) => Some(()),
    }
}

fn setting<'a>(settings: &'a str, name: &str) -> Option<&'a str> {
    settings.split(' ').find_map(|setting| setting.strip_prefix(name)?.strip_prefix('='))
}

fn reply(words: impl std::fmt::Display) {
    // On a line of its own: the harness writes without ending its lines.
    println!("\n{MARK}{words}");
}

const SETTINGS: &str = "HOSTILE_SETTINGS";
const MARK: &str = "@ ";
