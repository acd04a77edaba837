//! What was accepted and did not go out.

use std::fmt;

use bytes::Bytes;

use crate::runtime::Adapter;
use crate::session::{Kept, Spoken};
use crate::{Header, Packet};

/// Packets that were accepted and did not go out before a connection was lost, or before the client came to its end.
///
/// What the system took is not among them, whether it arrived or not: only an answer tells that. Of the packet at which
/// the connection broke, a part may have gone out; it stands in [`uncertain`](Self::uncertain). TLS and WebSocket do not say
/// how far they have come with what they are at, 64 KiB or one packet: all of it stands there.
///
/// The packets are decoded from the bytes that waited. One that the adapter cannot read back (text, packets of another set
/// that it maps to, MessagePack over its own bounds, or what a hand-written [`Packet`] writes and does not read) is counted
/// and not handed back; of an adapter that writes no framed packets, all that waited together may count as one.
pub struct Unsent<Out> {
    packets: Vec<Out>,
    uncertain: Vec<Out>,
    count: usize,
    bytes: usize,
}

impl<Out> Unsent<Out> {
    /// Those of which no byte went out, in the order of their sends.
    #[must_use]
    pub fn packets(&self) -> &[Out] {
        &self.packets
    }

    /// Those of which no byte went out, by value.
    #[must_use]
    pub fn into_packets(self) -> Vec<Out> {
        self.packets
    }

    /// Those of which some bytes went out, or may have: they may have arrived. They came before all of
    /// [`packets`](Self::packets). Over plain TCP there is one at most.
    #[must_use]
    pub fn uncertain(&self) -> &[Out] {
        &self.uncertain
    }

    /// How many packets did not go out, or not all of them: the uncertain ones are counted too.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many bytes of packets did not go out, headers included, those of the uncertain ones too.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether everything went out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) const fn none() -> Self {
        Self { packets: Vec::new(), uncertain: Vec::new(), count: 0, bytes: 0 }
    }
}

impl<Out: Packet + 'static> Unsent<Out> {
    /// `kept` is what a connection left, `queued` what waited for one. Packets that are not the game's are left out. `at_once`:
    /// the transport does not say how much of what it took has gone out, before all of it has.
    pub(super) fn of<In: 'static>(
        kept: Kept,
        queued: Vec<Bytes>,
        adapter: &dyn Adapter<In, Out>,
        ours: impl Fn(Header) -> bool,
        at_once: bool,
    ) -> Self {
        let mut unsent = Self::none();
        let taken: usize = kept.taken.iter().map(Bytes::len).sum();
        let mut gone = taken.saturating_sub(kept.left);
        let taken = kept.taken.into_iter().map(|piece| (piece, at_once));
        let waiting = kept.waiting.into_iter().chain(queued).map(|piece| (piece, false));
        let framed = !matches!(adapter.spoken(), Spoken::Lines);
        for (mut piece, may_be_out) in taken.chain(waiting) {
            while let Some((header, packet)) = split(&mut piece, framed) {
                let before = gone;
                gone = gone.saturating_sub(packet.len());
                if before >= packet.len() || header.is_some_and(|header| !ours(header)) {
                    continue;
                }
                unsent.count += 1;
                unsent.bytes += packet.len();
                match adapter.read_back(packet) {
                    Some(packet) if before > 0 || may_be_out => unsent.uncertain.push(packet),
                    Some(packet) => unsent.packets.push(packet),
                    None => {}
                }
            }
        }
        unsent
    }
}

/// Takes the first packet off bytes that hold whole ones; where no header says how long it is, all of them.
fn split(bytes: &mut Bytes, framed: bool) -> Option<(Option<Header>, Bytes)> {
    if bytes.is_empty() {
        return None;
    }
    let header = bytes.first_chunk().filter(|_| framed).and_then(|bytes| Header::parse(*bytes).ok());
    match header.filter(|header| usize::from(header.size()) <= bytes.len()) {
        Some(header) => Some((Some(header), bytes.split_to(header.size().into()))),
        None => Some((None, std::mem::take(bytes))),
    }
}

impl<Out> fmt::Debug for Unsent<Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsent")
            .field("count", &self.count)
            .field("bytes", &self.bytes)
            .field("uncertain", &self.uncertain.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::{Binary, Frame};

    #[test]
    fn what_a_transport_may_have_sent_without_saying_so_is_uncertain() {
        let frames: Vec<_> = (1..=5).map(|n| Frame::new(n, "body")).collect();
        let mut wire = BytesMut::new();
        frames.iter().for_each(|frame| frame.encode(&mut wire, u16::MAX).unwrap());
        let wire = wire.freeze();
        let size = wire.len() / 5;
        // Of three that the transport has, the first has gone out and half of the second; one waits, and one waited.
        let unsent = |left, at_once| {
            let taken = [wire.slice(..3 * size)].into();
            let kept = Kept { taken, left, waiting: vec![wire.slice(3 * size..4 * size)] };
            Unsent::<Frame>::of::<Frame>(
                kept,
                vec![wire.slice(4 * size..)],
                &Binary::new(),
                |_| true,
                at_once,
            )
        };
        for (left, at_once, uncertain, certain) in [
            (2 * size - 4, false, 1..2, 2..5),
            (2 * size, false, 1..1, 1..5),
            (2 * size, true, 1..3, 3..5),
            (0, true, 3..3, 3..5),
        ] {
            let unsent = unsent(left, at_once);
            assert_eq!(unsent.uncertain(), &frames[uncertain.clone()], "{left} left");
            assert_eq!(unsent.packets(), &frames[certain.clone()], "{left} left");
            assert_eq!(unsent.count(), uncertain.len() + certain.len());
        }
    }
}
