//! The doors of the chat, and what dice and votes look like at the binary ones.

use lobby::{CHAT_MAX, Lobby, Shared, msgpack, notice, protobuf, raw};
use netcore::memory::MemoryConnector;
use netcore::{Adapter, Binary, Door, Server, Text, Tls, WebSocket};

use crate::text::People;
use crate::{Happening, Talk};

/// The logic of the chat.
pub type Logic = Lobby<Talk>;

type In = <Logic as netcore::Logic>::In;
type Out = <Logic as netcore::Logic>::Out;

/// Where the doors are; `None`: closed.
#[derive(Clone, Debug, Default)]
pub struct Doors {
    /// Raw structs.
    pub raw: Option<String>,
    /// MessagePack.
    pub msgpack: Option<String>,
    /// Protobuf.
    pub protobuf: Option<String>,
    /// Lines of text.
    pub text: Option<String>,
    /// Raw structs under TLS.
    pub tls: Option<(String, Tls)>,
    /// Raw structs in WebSocket's binary messages, under TLS or not.
    pub websocket: Option<(String, Option<Tls>)>,
}

/// A server with these doors, and what its workers share.
#[must_use]
pub fn server(doors: Doors, shared: Shared) -> (Server<In, Out>, Shared) {
    let frames = Binary::new().max_in(shared.settings().max_packet);
    let raw = |at: String| Door::tcp_with(at, raw_door(frames.clone()));
    let places = [
        ("raw", doors.raw.map(raw)),
        ("msgpack", doors.msgpack.map(|at| Door::tcp_with(at, msgpack_door(frames.clone())))),
        ("protobuf", doors.protobuf.map(|at| Door::tcp_with(at, protobuf_door(frames.clone())))),
        (PEOPLE, doors.text.map(|at| Door::text(at, Text::new(People)))),
        ("tls", doors.tls.map(|(at, tls)| raw(at).tls(tls))),
        (
            "websocket",
            doors.websocket.map(|(at, tls)| {
                let door = raw(at).websocket(WebSocket::new());
                if let Some(tls) = tls { door.tls(tls) } else { door }
            }),
        ),
    ];
    open(places, shared)
}

/// What connects to a server in memory, by the formats of its doors.
#[derive(Clone, Debug)]
pub struct InMemory {
    /// Raw structs.
    pub raw: MemoryConnector,
    /// MessagePack.
    pub msgpack: MemoryConnector,
    /// Protobuf.
    pub protobuf: MemoryConnector,
    /// Lines of text.
    pub text: MemoryConnector,
}

/// A server with all four doors in memory, for tests and simulations.
#[must_use]
pub fn in_memory(shared: Shared) -> (Server<In, Out>, Shared, InMemory) {
    let frames = Binary::new().max_in(shared.settings().max_packet);
    let (raw, to_raw) = Door::memory(raw_door(frames.clone()));
    let (msgpack, to_msgpack) = Door::memory(msgpack_door(frames.clone()));
    let (protobuf, to_protobuf) = Door::memory(protobuf_door(frames));
    let (text, to_text) = Door::memory(Text::new(People));
    let places = [("raw", raw), ("msgpack", msgpack), ("protobuf", protobuf), (PEOPLE, text)];
    let (server, shared) = open(places.map(|(name, door)| (name, Some(door))), shared);
    let connectors = InMemory { raw: to_raw, msgpack: to_msgpack, protobuf: to_protobuf, text: to_text };
    (server, shared, connectors)
}

/// The name of the door for people.
const PEOPLE: &str = "text";

/// Names the doors and sets their limits.
fn open<const N: usize>(
    places: [(&str, Option<Door<In, Out>>); N],
    shared: Shared,
) -> (Server<In, Out>, Shared) {
    let settings = shared.settings();
    let (limits, people_limits) = (settings.limits(), settings.people_limits());
    let doors = places.into_iter().filter_map(|(name, place)| {
        let limits = if name == PEOPLE { &people_limits } else { &limits };
        Some(place?.name(name).limits(limits.clone()).close_notice(notice))
    });
    // A school, or a load generator, comes from one address.
    let server = Server::new().doors(doors).max_per_address(usize::MAX).drain(support::DRAIN);
    (server, shared.people(PEOPLE))
}

/// The adapter of the raw door.
fn raw_door(frames: Binary) -> impl Adapter<In, Out> {
    raw::door::<Talk>(frames, raw::no_packets, |happening, send| {
        say(happening, |user, text| send(raw::ToClient::Chatted { user, text }));
    })
}

/// The adapter of the MessagePack door.
fn msgpack_door(frames: Binary) -> impl Adapter<In, Out> {
    msgpack::door::<Talk>(frames, raw::no_packets, |happening, send| {
        say(happening, |user, text| send(msgpack::ToClient::Chatted { user, text }));
    })
}

/// The adapter of the protobuf door.
fn protobuf_door(frames: Binary) -> impl Adapter<In, Out> {
    protobuf::door::<Talk>(frames, raw::no_packets, |happening, send| {
        say(happening, |room_user_id, msg| {
            send(protobuf::ToClient::Chatted(protobuf::message::RoomChatNtf { room_user_id, msg }));
        });
    })
}

/// Game clients have no packets for dice and votes: they read them as chat of whoever threw or asked.
fn say(happening: &Happening, mut chat: impl FnMut(u64, String)) {
    let (who, words) = match happening {
        Happening::Rolled { who, sides, number } => (who, format!("* rolls {number} of {sides}")),
        Happening::Opened { who, question } => (who, format!("* asks: {question}")),
        Happening::Closed { who, question, tally } => {
            let tally: Vec<String> =
                tally.iter().map(|(choice, count)| format!("{choice} {count}")).collect();
            let tally = if tally.is_empty() { "nobody voted".to_owned() } else { tally.join(", ") };
            (who, format!("* {question}: {tally}"))
        }
        // Only people throw, ask and choose.
        Happening::Chosen(_) | Happening::Enough(_) | Happening::Refused(_) => return,
    };
    for piece in pieces(&words) {
        chat(who.user, piece.to_owned());
    }
}

/// Cuts a text into pieces that a chat may have, between two letters.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = (0..=CHAT_MAX.min(rest.len())).rev().find(|end| rest.is_char_boundary(*end))?;
        let (piece, behind) = rest.split_at_checked(end)?;
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn a_long_text_is_cut_between_letters() {
        assert_eq!(pieces("").count(), 0);
        assert_eq!(pieces("short").collect::<Vec<_>>(), ["short"]);
        let long = "가".repeat(100);
        let lens: Vec<usize> = pieces(&long).map(str::len).collect();
        assert_eq!(lens, [126, 126, 48]);
        assert_eq!(pieces(&format!("a{long}")).collect::<String>(), format!("a{long}"));
    }
}
