//! In which packet two sides differ, in words for whoever must mend it.

use std::borrow::Cow;
use std::fmt;

use super::messages::{Prints, Schemas};
use super::{Hello, HelloError};
use crate::Schema;
use crate::schema::{Difference, NONE, NOTHING};

/// In which packet and field the two sides differ first, in words that say what to do. What the client sends is looked at
/// first, then what the server sends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mismatch {
    difference: Option<Difference>,
    words: String,
}

/// Which side we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Server,
    Client,
}

impl Mismatch {
    /// The first difference; `here` is the side that has this value. `None` where the other side did not tell what its packets
    /// are: it closed the connection, or they take more than 64 KiB.
    #[must_use]
    pub const fn difference(&self) -> Option<&Difference> {
        self.difference.as_ref()
    }

    pub(super) fn new(side: Side, hello: &Hello, prints: Prints, theirs: Schemas) -> Self {
        let ours = hello.prints;
        let (they_send, they_receive) = theirs;
        // Each where the fingerprints differ, with what the other side says of it.
        let sent = (ours.sends != prints.receives).then_some((hello.sends, they_receive));
        let received = (ours.receives != prints.sends).then_some((hello.receives, they_send));
        let by_client_first = match side {
            Side::Client => [sent, received],
            Side::Server => [received, sent],
        };
        let compared = |(ours, theirs): (&'static Schema, Option<Schema>)| ours.compare(&theirs?);
        let difference = by_client_first.into_iter().flatten().find_map(compared);
        let words = match &difference {
            // What one sends the other sends, too, and so with what they receive.
            _ if (ours.sends, ours.receives) == (prints.sends, prints.receives) => SWAPPED.to_owned(),
            Some(difference) => format!("{}: {}", differ(side, difference), side.remedy()),
            None => format!("{}: {}", unknown(side, ours, prints), side.remedy()),
        };
        Self { difference, words }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl From<Mismatch> for HelloError {
    fn from(differ: Mismatch) -> Self {
        Self::Version(Box::new(differ))
    }
}

impl Side {
    fn theirs(self) -> &'static str {
        match self {
            Self::Server => "the client",
            Self::Client => "the server",
        }
    }

    fn us(self) -> &'static str {
        match self {
            Self::Server => "this server",
            Self::Client => "this client",
        }
    }

    fn ours(self) -> &'static str {
        match self {
            Self::Server => "ours",
            Self::Client => "yours",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Server => "the client must be rebuilt with this server's version of the packets",
            Self::Client => "rebuild this client with the server's version of the packets",
        }
    }
}

fn differ(side: Side, difference: &Difference) -> String {
    let (theirs, ours) = (side.theirs(), side.ours());
    let packet = format!("packet {} `{}`", difference.id, short(&difference.packet));
    let field = short(&difference.field);
    let (here, there) = (short(&difference.here), short(&difference.there));
    match (&*field, &*here, &*there) {
        ("", NONE, _) => format!("{theirs} has a {packet} that {} does not know", side.us()),
        ("", _, NONE) => format!("{} has a {packet} that {theirs} does not know", side.us()),
        ("", ..) => format!("{theirs}'s {packet} is {there}, {ours} is {here}"),
        (_, NOTHING, _) => format!("{theirs}'s {packet} has the field `{field}: {there}`, {ours} has not"),
        (_, _, NOTHING) => format!("{theirs}'s {packet} has not the field `{field}: {here}`, {ours} has"),
        _ => format!("{theirs}'s {packet} has the field `{field}: {there}`, {ours} has `{field}: {here}`"),
    }
}

/// The packets differ, and the other side does not say how.
fn unknown(side: Side, ours: Prints, theirs: Prints) -> String {
    let (what, here, there) = match side {
        Side::Client if ours.sends != theirs.receives => ("the client sends", ours.sends, theirs.receives),
        Side::Server if ours.receives != theirs.sends => ("the client sends", ours.receives, theirs.sends),
        Side::Client => ("the server sends", ours.receives, theirs.sends),
        Side::Server => ("the server sends", ours.sends, theirs.receives),
    };
    format!(
        "the two sides differ in what {what} (fingerprint {there:016x}, {} is {here:016x}), and {} does not say in which packet",
        side.ours(),
        side.theirs(),
    )
}

/// A peer's names may be long: words for a log are not.
fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}

const SWAPPED: &str = "both sides receive the same packets and send the same: the two types of `Hello::new` are swapped on \
                       one of them (first what that side receives, then what it sends)";
/// So many letters of a name or a type are shown.
const LONGEST: usize = 120;
