//! Scripts of several clients, played over real sockets: each packet sent whole, byte by byte, and with its neighbours
//! in one piece; by one worker and by three.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpStream};

use chat::{Doors, Logic, Talk};
use lobby::{Settings, Shared};
use netcore::Running;
use support::testing::{connect, read, read_to_end};
use tokio::runtime::Runtime;

use crate::wire::{FORMATS, Format};

/// One client does something, and some clients hear something.
pub(crate) struct Step {
    who: usize,
    act: Act,
    hear: BTreeMap<usize, Vec<u8>>,
}

enum Act {
    Send(Vec<Vec<u8>>),
    /// The client goes away.
    Close,
    /// The server closes, and nothing comes before.
    IsClosed,
}

/// What a client sends, and what each client hears of it.
pub(crate) fn says(who: usize, packets: &[Vec<u8>], hear: &[(usize, &[Vec<u8>])]) -> Step {
    Step { who, act: Act::Send(packets.to_vec()), hear: heard(hear) }
}

pub(crate) fn closes(who: usize, hear: &[(usize, &[Vec<u8>])]) -> Step {
    Step { who, act: Act::Close, hear: heard(hear) }
}

pub(crate) fn is_closed(who: usize) -> Step {
    Step { who, act: Act::IsClosed, hear: BTreeMap::new() }
}

/// Clients log in under these names and enter a room, the first one empty before, one after the other.
pub(crate) fn all_in(f: Format, room: i32, names: &[&str]) -> Vec<Step> {
    let mut steps = Vec::new();
    for (who, name) in names.iter().enumerate() {
        let user = who as u64 + 1;
        steps.push(says(who, &[f.login(name)], &[(who, &[f.result(702, crate::wire::OK)])]));
        let others: Vec<(u64, &str)> = (1..).zip(names[..who].iter().copied()).collect();
        let mut hears: Vec<Vec<u8>> = Vec::new();
        if who > 0 {
            hears.push(f.users(&others));
        }
        hears.push(f.entered(crate::wire::OK, room, user));
        let came = [f.came(user, name)];
        let mut all: Vec<(usize, &[Vec<u8>])> = (0..who).map(|other| (other, &came[..])).collect();
        all.push((who, &hears));
        steps.push(says(who, &[f.enter(room)], &all));
    }
    steps
}

fn heard(hear: &[(usize, &[Vec<u8>])]) -> BTreeMap<usize, Vec<u8>> {
    hear.iter().map(|(who, packets)| (*who, packets.concat())).collect()
}

/// How a client's bytes are cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cut {
    Packets,
    Bytes,
    /// All that a client says until another one does something.
    Together,
}

/// Plays a script in every format, in every cut, by one worker and by three.
pub(crate) fn play(script: impl Fn(Format) -> Vec<Step>) {
    play_with(&Settings::default(), &FORMATS, script);
}

pub(crate) fn play_with(settings: &Settings, formats: &[Format], script: impl Fn(Format) -> Vec<Step>) {
    for &format in formats {
        for workers in [1, 3] {
            for cut in [Cut::Packets, Cut::Bytes, Cut::Together] {
                play_once(settings, format, workers, cut, script(format));
            }
        }
    }
}

fn play_once(settings: &Settings, format: Format, workers: u16, cut: Cut, steps: Vec<Step>) {
    let about = format!("{format:?}, {workers} workers, {cut:?}");
    let server = Started::new(Settings { workers, ..settings.clone() });
    let steps = if cut == Cut::Together { together(steps) } else { steps };
    let mut clients: BTreeMap<usize, TcpStream> = BTreeMap::new();
    for (number, step) in steps.into_iter().enumerate() {
        let about = format!("{about}, step {number}");
        let client = clients.entry(step.who).or_insert_with(|| connect(server.at(format)));
        match step.act {
            Act::Send(packets) => send(client, cut, &packets),
            Act::Close => drop(clients.remove(&step.who)),
            Act::IsClosed => {
                assert_eq!(read_to_end(client), b"", "{about}");
                clients.remove(&step.who);
            }
        }
        for (who, expected) in step.hear {
            let client = clients.get_mut(&who).unwrap_or_else(|| panic!("{about}: no client {who}"));
            let mut came = Vec::new();
            // One by one, so that what is missing is seen beside what came.
            while came.len() < expected.len() {
                came.extend(read(client, 1));
                assert_eq!(came[..], expected[..came.len()], "{about}, client {who}, of {expected:02x?}");
            }
        }
    }
    // Nobody has heard more than that.
    for (who, client) in &mut clients {
        client.write_all(&format.ping(7)).unwrap();
        let pong = format.pong(7);
        assert_eq!(read(client, pong.len()), pong, "{about}, client {who} at the end");
    }
    for (_, client) in clients {
        client.shutdown(Shutdown::Write).unwrap();
    }
    server.ends_empty(&about);
}

fn send(client: &mut TcpStream, cut: Cut, packets: &[Vec<u8>]) {
    match cut {
        Cut::Packets => packets.iter().for_each(|packet| client.write_all(packet).unwrap()),
        Cut::Bytes => packets.concat().iter().for_each(|byte| client.write_all(&[*byte]).unwrap()),
        Cut::Together => client.write_all(&packets.concat()).unwrap(),
    }
}

/// Joins the steps of one client that follow each other.
fn together(steps: Vec<Step>) -> Vec<Step> {
    let mut all: Vec<Step> = Vec::new();
    for step in steps {
        if let (Some(last), Act::Send(packets)) = (all.last_mut(), &step.act)
            && let (true, Act::Send(before)) = (last.who == step.who, &mut last.act)
        {
            before.extend(packets.iter().cloned());
            for (who, bytes) in step.hear {
                last.hear.entry(who).or_default().extend(bytes);
            }
            continue;
        }
        all.push(step);
    }
    all
}

/// A server in this process, on ports given by the system.
pub(crate) struct Started {
    runtime: Runtime,
    running: Option<Running<lobby::Message<Talk>>>,
    pub(crate) shared: Shared,
}

impl Started {
    pub(crate) fn new(settings: Settings) -> Self {
        Self::over(Shared::new(settings))
    }

    pub(crate) fn over(shared: Shared) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let anywhere = || Some("127.0.0.1:0".to_owned());
        let doors = Doors { raw: anywhere(), msgpack: anywhere(), protobuf: anywhere(), text: anywhere() };
        let (server, shared) = chat::server(doors, shared);
        let workers = shared.settings().workers.into();
        let lobby = shared.clone();
        let make = move |worker| Logic::new(lobby.clone(), Talk::new(7, worker));
        let running = runtime.block_on(server.workers(workers, make)).unwrap();
        Self { runtime, running: Some(running), shared }
    }

    pub(crate) fn at(&self, format: Format) -> SocketAddr {
        self.door(match format {
            Format::Raw => "raw",
            Format::MsgPack => "msgpack",
            Format::Protobuf => "protobuf",
        })
    }

    pub(crate) fn door(&self, name: &str) -> SocketAddr {
        let doors = self.running.as_ref().unwrap().addrs();
        doors.iter().find(|(door, _)| door == name).unwrap().1
    }

    /// Shuts down: nobody was cut off, nobody is left behind, nothing panicked.
    pub(crate) fn ends_empty(mut self, about: &str) {
        let running = self.running.take().unwrap();
        let panics = running.stats().panics;
        let report = self.runtime.block_on(running.shutdown());
        let directory = self.shared.directory();
        let left = (report.cut, panics, directory.names(), directory.seats());
        assert_eq!(left, (0, 0, 0, 0), "cut, panics, names, seats: {about}");
    }
}
