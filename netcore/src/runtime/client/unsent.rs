//! What was accepted and did not go out.

use std::fmt;

use bytes::Bytes;

use crate::runtime::Adapter;
use crate::session::Kept;
use crate::{Header, Packet};

/// Packets that were accepted and did not go out before a connection was lost, or before the client came to its end.
///
/// What the system took is not among them, whether it arrived or not: only an answer tells that. Of the packet at which
/// the connection broke, a part may have gone out; it stands in [`uncertain`](Self::uncertain).
///
/// The packets are decoded from the bytes that waited. One that the set itself cannot read again, which only a hand-written
/// [`Packet`] can bring about, is counted and not handed back.
pub struct Unsent<Out> {
    packets: Vec<Out>,
    uncertain: Option<Out>,
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

    /// The one of which some bytes went out: it may have arrived. It came before all of [`packets`](Self::packets).
    #[must_use]
    pub fn uncertain(&self) -> Option<&Out> {
        self.uncertain.as_ref()
    }

    /// How many packets did not go out, or not all of them: the uncertain one is counted too.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many bytes of packets did not go out, headers included, those of the uncertain one too.
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
        Self { packets: Vec::new(), uncertain: None, count: 0, bytes: 0 }
    }
}

impl<Out: Packet + 'static> Unsent<Out> {
    /// `kept` is what a connection left, `queued` what waited for one. Packets that are not the game's are left out.
    pub(super) fn of<In: 'static>(
        kept: Kept,
        queued: Bytes,
        adapter: &dyn Adapter<In, Out>,
        ours: impl Fn(Header) -> bool,
    ) -> Self {
        let mut unsent = Self::none();
        let taken: usize = kept.taken.iter().map(Bytes::len).sum();
        let mut gone = taken.saturating_sub(kept.left);
        let waiting = kept.waiting.into_iter().chain([queued]);
        for mut piece in kept.taken.into_iter().chain(waiting) {
            while let Some((header, packet)) = split(&mut piece) {
                let before = gone;
                gone = gone.saturating_sub(packet.len());
                if before >= packet.len() || !ours(header) {
                    continue;
                }
                unsent.count += 1;
                unsent.bytes += packet.len();
                match adapter.read_back(packet) {
                    Some(packet) if before > 0 => unsent.uncertain = Some(packet),
                    Some(packet) => unsent.packets.push(packet),
                    None => {}
                }
            }
        }
        unsent
    }
}

/// Takes the first packet off bytes that hold whole ones.
pub(super) fn split(bytes: &mut Bytes) -> Option<(Header, Bytes)> {
    let header = Header::parse(*bytes.first_chunk()?).ok()?;
    let size = usize::from(header.size());
    (size <= bytes.len()).then(|| (header, bytes.split_to(size)))
}

impl<Out> fmt::Debug for Unsent<Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsent")
            .field("count", &self.count)
            .field("bytes", &self.bytes)
            .field("uncertain", &self.uncertain.is_some())
            .finish_non_exhaustive()
    }
}
