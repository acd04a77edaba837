//! Lines of text in front of a game.

use std::fmt::{self, Write};
use std::marker::PhantomData;

use bytes::BytesMut;

use super::Adapter;
use crate::session::{Decode, Fault, FaultKind, Inbound, Spoken};
use crate::{EncodeError, FrameError, LineCodec, LineError};

/// How one line becomes a packet of the game, and a packet lines.
///
/// ```
/// use netcore::{Lines, TextProtocol};
///
/// enum Command { Say(String), Roll(u8) }
/// enum Event { Said(String), Rolled(u8) }
///
/// #[derive(Clone)]
/// struct Chat;
///
/// impl TextProtocol for Chat {
///     type In = Command;
///     type Out = Event;
///
///     fn parse(&mut self, line: &str) -> Result<Command, String> {
///         match line.strip_prefix("/roll ") {
///             Some(sides) => sides.parse().map(Command::Roll).map_err(|_| format!("no die has {sides} sides")),
///             None => Ok(Command::Say(line.to_owned())),
///         }
///     }
///
///     fn print(&self, event: &Event, lines: &mut Lines<'_>) {
///         match event {
///             Event::Said(text) => lines.line(text),
///             Event::Rolled(number) => lines.line(format_args!("* {number}")),
///         }
///     }
/// }
/// ```
pub trait TextProtocol: Clone + Send + Sync + 'static {
    /// What the game hears.
    type In: 'static;
    /// What the game says.
    type Out: 'static;

    /// Makes a packet of a line, which comes without its end. Each session has a clone of the door's protocol, so what
    /// is remembered in `self` is the session's own.
    ///
    /// # Errors
    /// Words for the person who typed it: what is wrong, and what would be right.
    fn parse(&mut self, line: &str) -> Result<Self::In, String>;

    /// Makes lines of a packet. `self` is the door's, since the lines go to everyone who hears the packet.
    fn print(&self, packet: &Self::Out, lines: &mut Lines<'_>);

    /// Tells a person what was wrong with a line.
    fn refuse(&self, words: &str, lines: &mut Lines<'_>) {
        lines.line(words);
    }
}

/// Where lines are written to.
#[derive(Debug)]
pub struct Lines<'a>(&'a mut BytesMut);

impl Lines<'_> {
    /// Writes one line and its end. Line breaks inside it become spaces: nobody can speak in another's name.
    pub fn line(&mut self, text: impl fmt::Display) {
        // Writing to memory does not fail.
        let _ = write!(OneLine(self.0), "{text}");
        self.0.extend_from_slice(b"\n");
    }
}

struct OneLine<'a>(&'a mut BytesMut);

impl Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let start = self.0.len();
        self.0.extend_from_slice(text.as_bytes());
        for byte in self.0.iter_mut().skip(start).filter(|byte| matches!(byte, b'\n' | b'\r')) {
            *byte = b' ';
        }
        Ok(())
    }
}

/// The [`Adapter`] for lines of text: UTF-8, `\n` at the end, a `\r` before it dropped.
///
/// A line that is too long or not UTF-8 is told to the person, and the session goes on. What stands behind the last
/// line end when the peer closes is no line, and dropped.
#[derive(Clone, Debug)]
pub struct Text<P> {
    protocol: P,
    lines: LineCodec,
}

impl<P> Text<P> {
    /// Lines of up to 1,024 bytes, read and written by `protocol`.
    pub const fn new(protocol: P) -> Self {
        Self { protocol, lines: LineCodec::new() }
    }

    /// The longest line taken in, in bytes, without its end.
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.lines = self.lines.max_line(bytes);
        self
    }
}

impl<P: TextProtocol> Adapter<P::In, P::Out> for Text<P> {
    fn open(&self) -> Box<dyn Decode<P::In>> {
        Box::new(self.clone())
    }

    fn encode(&self, packet: &P::Out, dst: &mut BytesMut) -> Result<(), EncodeError> {
        self.protocol.print(packet, &mut Lines(dst));
        Ok(())
    }

    fn spoken(&self) -> Spoken {
        Spoken::Lines
    }

    fn tell(&self, words: &str, dst: &mut BytesMut) -> bool {
        self.protocol.refuse(words, &mut Lines(dst));
        true
    }
}

impl<P: TextProtocol> Decode<P::In> for Text<P> {
    fn decode(&mut self, input: &mut BytesMut, batch: &mut Inbound<P::In>) -> Result<(), FrameError> {
        while !batch.is_full() {
            let before = input.len();
            let packet = match self.lines.decode_line(input) {
                Ok(Some(line)) => self.protocol.parse(&line).map_err(Fault::refused),
                Ok(None) => break,
                Err(error) => Err(Fault::refused(in_words(&error))),
            };
            batch.push(packet, before - input.len());
        }
        Ok(())
    }

    fn finish(&mut self, _: &[u8]) -> Result<(), FrameError> {
        Ok(())
    }

    fn always_shares(&self) -> bool {
        false
    }
}

fn in_words(error: &LineError) -> String {
    match error {
        LineError::TooLong { max } => format!("that line is too long: {max} bytes is the most"),
        LineError::NotUtf8 { .. } => "that line is not UTF-8 text".to_owned(),
        _ => FaultKind::Refused(error.to_string()).to_string(),
    }
}

/// The simplest [`TextProtocol`]: a line is a `String`, in both directions. `Out` is anything that can be shown.
///
/// ```
/// use netcore::{PlainText, Text};
///
/// let adapter = Text::new(PlainText::<String>::new()).max_line(80);
/// # let _: &dyn netcore::Adapter<String, String> = &adapter;
/// ```
#[derive(Debug)]
pub struct PlainText<Out = String>(PhantomData<fn(Out)>);

impl<Out> PlainText<Out> {
    /// Lines as they are.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<Out> Default for PlainText<Out> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Out> Clone for PlainText<Out> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<Out: fmt::Display + 'static> TextProtocol for PlainText<Out> {
    type In = String;
    type Out = Out;

    fn parse(&mut self, line: &str) -> Result<String, String> {
        Ok(line.to_owned())
    }

    fn print(&self, packet: &Out, lines: &mut Lines<'_>) {
        lines.line(packet);
    }
}
