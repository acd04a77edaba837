//! The doors into the arena.

use std::time::Duration;

use netcore::memory::MemoryConnector;
use netcore::{Binary, Door, Incoming, LateTick, Limits, Over, Rate, Server, Slow, Text, WebSocket};

use crate::rules::Rules;
use crate::{Event, TextLines};

/// Lines of text at an address.
#[must_use]
pub fn text(at: &str) -> Door<Event, Event> {
    Door::text(at, Text::new(TextLines).max_line(LONGEST)).name("text").limits(limits()).unsent(UNSENT)
}

/// Packets at an address.
#[must_use]
pub fn raw(at: &str) -> Door<Event, Event> {
    Door::tcp_with(at, frames()).name("raw").limits(limits()).unsent(UNSENT)
}

/// Packets in a WebSocket, whose upgrade is the HTTP server's.
#[must_use]
pub fn websocket() -> (Door<Event, Event>, Incoming) {
    let (door, incoming) = Door::incoming(frames());
    (door.name("http").websocket(WebSocket::new().upgraded()).limits(limits().idle(QUIET)), incoming)
}

/// Doors in memory, for tests and simulations: text, and packets.
#[must_use]
pub fn in_memory() -> ([Door<Event, Event>; 2], MemoryConnector, MemoryConnector) {
    let (text, to_text) = Door::memory(Text::new(TextLines).max_line(LONGEST));
    let (raw, to_raw) = Door::memory(frames());
    ([text.name("text").limits(limits()), raw.name("raw").limits(limits())], to_text, to_raw)
}

/// A server with these doors.
#[must_use]
pub fn server(doors: impl IntoIterator<Item = Door<Event, Event>>, rules: &Rules) -> Server<Event, Event> {
    Server::new()
        .doors(doors)
        .slow(slow)
        .tick_hz(rules.tick_hz)
        // Half a second of standing still is made up for; the arena's clock is behind after more.
        .late_tick(LateTick::CatchUp(rules.tick_hz / 2))
        .max_sessions(MOST)
        // A school, or a load generator, comes from one address.
        .max_per_address(MOST)
        .drain(support::DRAIN)
}

/// So much may be on its way to a client that does not read: positions behind it are replaced by newer ones.
pub(crate) const UNSENT: u32 = 16 * 1024;

/// A client that reads too slowly hears where players are, not where they were. All else it hears, or is closed.
fn slow(event: &Event) -> Slow {
    match event {
        Event::Pos { id, .. } => Slow::Latest(u64::from(id.cast_unsigned())),
        _ => Slow::Disconnect,
    }
}

fn frames() -> Binary {
    Binary::new().max_in(LARGEST)
}

fn limits() -> Limits {
    Limits::new()
        // Who looks on says nothing.
        .first_packet(None)
        .packets(Rate::per_second(300).over(Over::Drop))
        .queue(512 * 1024)
}

/// How long a page may be silent: it pings, if only once a minute where nobody looks at it.
const QUIET: Duration = Duration::from_secs(90);
/// The longest line taken in, in bytes: eight numbers, however long somebody writes them.
const LONGEST: usize = 512;
/// The largest packet taken in, in bytes: the longest name has less.
const LARGEST: u16 = 64;
/// So many sessions at once. Everyone hears of everyone, so that the work grows with the square of them.
const MOST: usize = 1000;

#[cfg(test)]
mod tests {
    #[test]
    fn no_packet_waits_for_the_next() {
        let at = "127.0.0.1:0";
        for door in [format!("{:?}", super::text(at)), format!("{:?}", super::raw(at))] {
            assert!(door.contains("nodelay: true"), "{door}");
        }
    }
}
