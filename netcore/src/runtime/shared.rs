//! One packet for many: encoded once for each kind of door that hears it.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::encoding::Encoding;
use crate::session::Slow;

/// A packet's bytes, one piece for each door; empty where a door has no word for it.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    pub(crate) doors: Arc<[Bytes]>,
    pub(crate) slow: Slow,
}

/// Encodes one packet for the doors that turn out to hear it.
pub(crate) struct Encoder<'a, Out> {
    packet: &'a Out,
    doors: &'a [Encoding<Out>],
    // What was encoded so far. Most servers have few doors, and most broadcasts one kind of hearer.
    done: [Option<Bytes>; FEW],
    more: Vec<Option<Bytes>>,
    pub(crate) slow: Slow,
    failed: bool,
}

impl<'a, Out> Encoder<'a, Out> {
    pub(crate) fn new(packet: &'a Out, doors: &'a [Encoding<Out>]) -> Self {
        let slow = doors.first().map_or(Slow::Disconnect, |door| door.slow(packet));
        let more = vec![None; doors.len().saturating_sub(FEW)];
        Self { packet, doors, done: [const { None }; FEW], more, slow, failed: false }
    }

    /// The bytes for a door; `None` if it cannot be encoded there.
    pub(crate) fn bytes(&mut self, door: usize) -> Option<&Bytes> {
        let place = match self.done.get_mut(door) {
            Some(place) => place,
            None => self.more.get_mut(door.checked_sub(FEW)?)?,
        };
        if place.is_none() {
            let mut bytes = BytesMut::new();
            let encoded = self.doors.get(door)?.append(self.packet, &mut bytes);
            if let Err(error) = encoded
                && !std::mem::replace(&mut self.failed, true)
            {
                tracing::error!(door, %error, "a broadcast does not encode");
            }
            *place = Some(bytes.freeze());
        }
        place.as_ref()
    }

    /// The bytes for all doors.
    pub(crate) fn all(mut self) -> Encoded {
        let doors = (0..self.doors.len()).map(|door| self.bytes(door).cloned().unwrap_or_default()).collect();
        Encoded { doors, slow: self.slow }
    }
}

const FEW: usize = 4;
