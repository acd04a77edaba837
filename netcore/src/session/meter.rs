//! Packets counted by their names, for metrics: a batch at a time, so that a counter is touched once for each name that is
//! in the batch. Without the feature, `meter_off.rs` stands in this file's place.

use std::sync::Arc;

use metrics::{Counter, counter};

use super::{FaultKind, Sequence, Spoken, Verdict};
use crate::{Header, PacketId, Schema};

/// What the sessions of one door count together; nothing where no recorder was installed.
#[derive(Clone, Default)]
pub(crate) struct Meter(Option<Arc<Counters>>);

struct Counters {
    received: Names,
    sent: Names,
    unknown: Counter,
    malformed: Counter,
    refused: Counter,
    #[cfg_attr(not(feature = "compress"), expect(dead_code, reason = "nothing is inflated"))]
    inflated: Counter,
    spoken: Spoken,
}

/// The counters of one direction.
struct Names {
    // By id, for the search. Ids without a name, which a catch-all takes or a heartbeat has, are counted as the last.
    ids: Box<[(PacketId, usize)]>,
    counters: Box<[(Counter, Counter)]>,
}

/// What one batch has of each name; [`flush`](Self::flush) counts it.
#[must_use]
pub(crate) struct Tally<'a>(Option<Entries<'a>>);

struct Entries<'a> {
    names: &'a Names,
    // The id that came last, and where it stands in `entries`: mostly the next is the same.
    last: (PacketId, usize),
    // As many kinds as most batches have, and those above that.
    few: [Entry; FEW],
    used: usize,
    more: Vec<Entry>,
}

#[derive(Clone, Copy, Default)]
struct Entry {
    name: usize,
    packets: u64,
    bytes: u64,
}

impl Meter {
    pub(crate) const NONE: Self = Self(None);

    pub(crate) fn new(door: &str, spoken: Spoken) -> Self {
        if !is_recording() {
            return Self::NONE;
        }
        let faults =
            |kind| counter!("netcore_decode_errors_total", "door" => door.to_owned(), "kind" => kind);
        let (from, to) = match spoken {
            Spoken::Packets { from, to } => (Some(from), Some(to)),
            _ => (None, None),
        };
        let rest = if let Spoken::Lines = spoken { "line" } else { "other" };
        let (packets, bytes) = ("netcore_packets_received_total", "netcore_packet_bytes_received_total");
        let received = Names::new(door, from, rest, packets, bytes);
        let (packets, bytes) = ("netcore_packets_sent_total", "netcore_packet_bytes_sent_total");
        let sent = Names::new(door, to, rest, packets, bytes);
        let (unknown, malformed, refused) = (faults("unknown"), faults("malformed"), faults("refused"));
        let inflated = counter!("netcore_inflated_bytes_total", "door" => door.to_owned());
        Self(Some(Arc::new(Counters { received, sent, unknown, malformed, refused, inflated, spoken })))
    }

    /// Whether anything is counted.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// For packets that are decoded, where they are framed.
    #[inline]
    pub(crate) fn received(&self) -> Tally<'_> {
        let framed = self.0.as_ref().filter(|counters| matches!(counters.spoken, Spoken::Packets { .. }));
        Tally(framed.map(|counters| Entries::new(&counters.received)))
    }

    /// Of everything that is decoded and not framed, only how much it is can be told.
    #[inline]
    pub(crate) fn received_other(&self, packets: u64, bytes: u64) {
        if let Some(counters) = &self.0
            && !matches!(counters.spoken, Spoken::Packets { .. })
            && packets > 0
        {
            counters.received.add(usize::MAX, packets, bytes);
        }
    }

    /// Compressed packets were inflated to so many bytes.
    #[cfg(feature = "compress")]
    pub(crate) fn inflated(&self, bytes: u64) {
        if let Some(counters) = &self.0 {
            counters.inflated.increment(bytes);
        }
    }

    /// What came in place of packets.
    #[inline]
    pub(crate) fn faults<In>(&self, packets: &Sequence<In>) {
        let Some(counters) = &self.0 else { return };
        for fault in packets.faults() {
            match fault.kind() {
                FaultKind::Unknown(_) => counters.unknown.increment(1),
                FaultKind::Malformed { .. } => counters.malformed.increment(1),
                FaultKind::Line(_) | FaultKind::Refused(_) => counters.refused.increment(1),
            }
        }
    }

    /// Whole packets on their way out.
    #[inline]
    pub(crate) fn sent(&self, bytes: &[u8]) -> Tally<'_> {
        match &self.0 {
            None => Tally(None),
            Some(counters) => Tally(Some(counters.sent(bytes))),
        }
    }
}

impl Counters {
    #[inline(never)]
    fn sent(&self, bytes: &[u8]) -> Entries<'_> {
        let mut tally = Entries::new(&self.sent);
        match self.spoken {
            Spoken::Packets { .. } => {
                let mut rest = bytes;
                while let Some(header) = rest.first_chunk().and_then(|head| Header::parse(*head).ok()) {
                    let size = usize::from(header.size());
                    tally.add(header.id, size);
                    rest = rest.get(size..).unwrap_or_default();
                }
            }
            Spoken::Lines => {
                let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
                tally.push(Entry { name: usize::MAX, packets: lines as u64, bytes: bytes.len() as u64 });
            }
            Spoken::Other => {
                tally.push(Entry { name: usize::MAX, packets: 0, bytes: bytes.len() as u64 });
            }
        }
        tally
    }
}

impl Tally<'_> {
    #[inline]
    pub(crate) fn add(&mut self, id: PacketId, bytes: usize) {
        if let Some(entries) = &mut self.0 {
            entries.add(id, bytes);
        }
    }

    /// Counts what it has.
    #[inline]
    pub(crate) fn flush(&self) {
        if let Some(entries) = &self.0 {
            entries.flush();
        }
    }

    /// Counts what it has, if it was accepted.
    #[inline]
    pub(crate) fn flush_if(&self, verdict: Verdict) {
        if let (Some(entries), Verdict::Queued) = (&self.0, verdict) {
            entries.flush();
        }
    }
}

impl<'a> Entries<'a> {
    fn new(names: &'a Names) -> Self {
        let few = [Entry { name: 0, packets: 0, bytes: 0 }; FEW];
        Self { names, last: (PacketId(0), usize::MAX), few, used: 0, more: Vec::new() }
    }

    fn add(&mut self, id: PacketId, bytes: usize) {
        if self.last.1 == usize::MAX || self.last.0 != id {
            self.last = (id, self.place(self.names.find(id)));
        }
        let at = self.last.1;
        let entry = if at < FEW { self.few.get_mut(at) } else { self.more.get_mut(at - FEW) };
        if let Some(entry) = entry {
            entry.packets += 1;
            entry.bytes += bytes as u64;
        }
    }

    // Out of line, as all that is done only where somebody listens.
    #[inline(never)]
    fn flush(&self) {
        for entry in self.few.iter().take(self.used).chain(&self.more) {
            self.names.add(entry.name, entry.packets, entry.bytes);
        }
    }

    /// Where a name stands; at the end, if it had no place yet.
    fn place(&mut self, name: usize) -> usize {
        let known = self.few.iter().take(self.used).chain(&self.more).position(|entry| entry.name == name);
        known.unwrap_or_else(|| self.push(Entry { name, packets: 0, bytes: 0 }))
    }

    fn push(&mut self, entry: Entry) -> usize {
        match self.few.get_mut(self.used) {
            Some(place) => {
                *place = entry;
                self.used += 1;
                self.used - 1
            }
            None => {
                self.more.push(entry);
                FEW + self.more.len() - 1
            }
        }
    }
}

impl Names {
    fn new(
        door: &str,
        schema: Option<&'static Schema>,
        rest: &'static str,
        packets: &'static str,
        bytes: &'static str,
    ) -> Self {
        let known = schema.map_or(&[][..], |schema| &schema.packets);
        let names = known.iter().map(|packet| packet.name.to_string());
        let counters = names.chain([rest.to_owned()]).map(|name| {
            let labels = [("door", door.to_owned()), ("packet", name)];
            (counter!(packets, &labels), counter!(bytes, &labels))
        });
        let mut ids: Vec<_> = known.iter().map(|packet| packet.id).zip(0..).collect();
        ids.sort_unstable();
        Self { ids: ids.into(), counters: counters.collect() }
    }

    fn find(&self, id: PacketId) -> usize {
        let found = self.ids.binary_search_by_key(&id, |(id, _)| *id);
        found.ok().and_then(|at| self.ids.get(at)).map_or(usize::MAX, |(_, name)| *name)
    }

    fn add(&self, name: usize, packets: u64, bytes: u64) {
        if let Some((counter, size)) = self.counters.get(name).or(self.counters.last()) {
            counter.increment(packets);
            size.increment(bytes);
        }
    }
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Meter({})", self.0.is_some())
    }
}

/// Whether anybody listens. A recorder without any state of its own, which takes no memory, is taken for none: that is the
/// one which stands in where there is none, and the facade has no other way to ask.
pub(crate) fn is_recording() -> bool {
    metrics::with_recorder(|recorder| size_of_val(recorder) > 0)
}

const FEW: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_counted_where_nobody_listens() {
        assert!(!is_recording());
        assert!(Meter::new("door", Spoken::Other).0.is_none());
    }
}
