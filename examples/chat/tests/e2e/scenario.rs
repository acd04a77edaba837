//! Scripts of several clients, played over real sockets: each packet sent whole, byte by byte, and with its neighbours
//! in one piece; by one worker and by three.

use std::net::SocketAddr;

use chat::{Doors, Logic, Talk};
use lobby::testing::script::{self, Cut};
use lobby::{Settings, Shared};
use netcore::Running;
use tokio::runtime::Runtime;

pub(crate) use lobby::testing::script::{Step, all_in, closes, is_closed, says};

use crate::wire::{FORMATS, Format};

/// Plays a script in every format, in every cut, by one worker and by three.
pub(crate) fn play(script: impl Fn(Format) -> Vec<Step>) {
    play_with(&Settings::default(), &FORMATS, script);
}

pub(crate) fn play_with(settings: &Settings, formats: &[Format], script: impl Fn(Format) -> Vec<Step>) {
    for &format in formats {
        for workers in [1, 3] {
            for cut in Cut::ALL {
                let about = format!("{format:?}, {workers} workers, {cut:?}");
                let server = Started::new(Settings { workers, ..settings.clone() });
                script::play(&about, format, server.at(format), cut, script(format));
                server.ends_empty(&about);
            }
        }
    }
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
        let doors = Doors {
            raw: anywhere(),
            msgpack: anywhere(),
            protobuf: anywhere(),
            text: anywhere(),
            ..Doors::default()
        };
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
