//! Scripts of several clients, played over real sockets: each packet sent whole, byte by byte, or with its neighbours in
//! one piece.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpStream};

use support::testing::{connect, read, read_to_end};

use crate::testing::wire::{Format, OK};

/// One client does something, and some clients hear something.
#[derive(Debug)]
pub struct Step {
    who: usize,
    act: Act,
    hear: BTreeMap<usize, Vec<u8>>,
}

#[derive(Debug)]
enum Act {
    Send(Vec<Vec<u8>>),
    /// Nobody does anything: time goes by.
    Wait,
    /// The client goes away.
    Close,
    /// The server closes, and nothing comes before.
    IsClosed,
}

/// What a client sends, and what each client hears of it.
#[must_use]
pub fn says(who: usize, packets: &[Vec<u8>], hear: &[(usize, &[Vec<u8>])]) -> Step {
    Step { who, act: Act::Send(packets.to_vec()), hear: heard(hear) }
}

/// What clients hear although nobody sends anything.
#[must_use]
pub fn time_goes_by(hear: &[(usize, &[Vec<u8>])]) -> Step {
    Step { who: hear[0].0, act: Act::Wait, hear: heard(hear) }
}

/// A client goes away.
#[must_use]
pub fn closes(who: usize, hear: &[(usize, &[Vec<u8>])]) -> Step {
    Step { who, act: Act::Close, hear: heard(hear) }
}

/// The server closes a client's connection, and nothing comes before.
#[must_use]
pub fn is_closed(who: usize) -> Step {
    Step { who, act: Act::IsClosed, hear: BTreeMap::new() }
}

/// Clients log in under these names and enter a room, the first one empty before, one after the other.
#[must_use]
pub fn all_in(f: Format, room: i32, names: &[&str]) -> Vec<Step> {
    let mut steps = Vec::new();
    for (who, name) in names.iter().enumerate() {
        let user = who as u64 + 1;
        steps.push(says(who, &[f.login(name)], &[(who, &[f.result(702, OK)])]));
        let others: Vec<(u64, &str)> = (1..).zip(names[..who].iter().copied()).collect();
        let mut hears: Vec<Vec<u8>> = Vec::new();
        if who > 0 {
            hears.push(f.users(&others));
        }
        hears.push(f.entered(OK, room, user));
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
pub enum Cut {
    /// Each packet by itself.
    Packets,
    /// Each byte by itself.
    Bytes,
    /// All that a client says until another one does something.
    Together,
}

impl Cut {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Packets, Self::Bytes, Self::Together];
}

/// Plays a script at a door that speaks this format. Nobody hears more than it says. At the end all clients go away.
pub fn play(about: &str, f: Format, door: SocketAddr, cut: Cut, steps: Vec<Step>) {
    let steps = if cut == Cut::Together { together(steps) } else { steps };
    let mut clients: BTreeMap<usize, TcpStream> = BTreeMap::new();
    for (number, step) in steps.into_iter().enumerate() {
        let about = format!("{about}, step {number}");
        let client = clients.entry(step.who).or_insert_with(|| connect(door));
        match step.act {
            Act::Send(packets) => send(client, cut, &packets),
            Act::Wait => {}
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
        client.write_all(&f.ping(7)).unwrap();
        let pong = f.pong(7);
        assert_eq!(read(client, pong.len()), pong, "{about}, client {who} at the end");
    }
    for (_, client) in clients {
        client.shutdown(Shutdown::Write).unwrap();
    }
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
