//! Packets in the order in which they came.

use std::collections::VecDeque;
use std::mem;

use super::Fault;

/// Packets, and what came in place of some, on their way to the game: put in at the back, taken out at the front.
///
/// Not a `VecDeque` of `Result`s: what is done with each packet is less when nothing goes round in a ring, and when a
/// packet that is good is told from anything else by one look. A packet is put where a place was made before: nothing
/// that could panic lies between, for which the compiler would keep it in memory, in pieces of another size than it is
/// read back in.
///
/// ```text
///  slots   │ None │ None │ Some │ None │ Some │ Some │ None │ None │
///            taken  taken   ▲ at    └─ its fault is      ▲ end
///                                      in `faults`
/// ```
#[derive(Debug)]
pub(crate) struct Sequence<In> {
    slots: Vec<Option<In>>,
    // The first slot that was not taken.
    at: usize,
    // The first free one; there are only free ones behind it.
    end: usize,
    // In order, each with its slot. Mostly there are none.
    faults: Option<Box<Faults>>,
}

#[derive(Debug, Default)]
struct Faults(VecDeque<(usize, Fault)>);

impl<In> Sequence<In> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), at: 0, end: 0, faults: None }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.end - self.at
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.end == self.at
    }

    /// How much memory it has, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.slots.capacity() * size_of::<Option<In>>()
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, more: usize) {
        let len = self.end.saturating_add(more);
        if len > self.slots.len() {
            self.slots.resize_with(len, || None);
        }
    }

    /// Where the next packet is to be put; then [`placed`](Self::placed) is to be called.
    #[inline]
    pub(crate) fn place(&mut self) -> Option<&mut Option<In>> {
        if self.end >= self.slots.len() {
            self.grow();
        }
        self.slots.get_mut(self.end)
    }

    /// The next place has been filled.
    #[inline]
    pub(crate) fn placed(&mut self) {
        self.end += 1;
    }

    #[cold]
    fn grow(&mut self) {
        self.reserve(self.slots.len().max(LEAST));
    }

    // Always: see `Inbound::push`.
    #[inline(always)]
    pub(crate) fn push(&mut self, packet: Result<In, Fault>) {
        match packet {
            Ok(packet) => {
                if let Some(place) = self.place() {
                    put(place, packet);
                    self.placed();
                }
            }
            Err(fault) => self.push_fault(fault),
        }
    }

    #[cold]
    fn push_fault(&mut self, fault: Fault) {
        if self.place().is_some() {
            self.faults.get_or_insert_default().0.push_back((self.end, fault));
            self.placed();
        }
    }

    /// The next one, if it is a packet.
    #[inline(always)]
    pub(crate) fn pop_packet(&mut self) -> Option<In> {
        let at = self.at;
        let slot = self.slots.get_mut(at)?;
        if slot.is_none() {
            return None;
        }
        // Before the packet is taken: behind that, the compiler would copy the packet to here and from here on.
        self.at = at + 1;
        slot.take()
    }

    /// Whether the next one is a packet.
    pub(crate) fn has_packet(&self) -> bool {
        self.slots.get(self.at).is_some_and(Option::is_some)
    }

    /// The next one, if something came in place of a packet.
    #[cold]
    pub(crate) fn pop_fault(&mut self) -> Option<Fault> {
        let Faults(faults) = &mut **self.faults.as_mut()?;
        if faults.front()?.0 != self.at {
            return None;
        }
        self.at += 1;
        Some(faults.pop_front()?.1)
    }

    /// The next one.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Result<In, Fault>> {
        match self.pop_packet() {
            Some(packet) => Some(Ok(packet)),
            None => self.pop_fault().map(Err),
        }
    }

    /// What came in place of packets.
    #[cfg(feature = "metrics")]
    pub(crate) fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().flat_map(|faults| &faults.0).map(|(_, fault)| fault)
    }

    /// Drops all of them. Their memory stays.
    pub(crate) fn clear(&mut self) {
        self.truncate(0);
        (self.at, self.end) = (0, 0);
    }

    /// Keeps the first `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        let end = self.at.saturating_add(len).min(self.end);
        self.slots.get_mut(end..self.end).into_iter().flatten().for_each(|slot| *slot = None);
        self.end = end;
        if let Some(faults) = &mut self.faults {
            faults.0.retain(|(slot, _)| *slot < end);
        }
    }

    /// Keeps those of which `keep` says so.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(Result<&In, &Fault>) -> bool) {
        for packet in mem::take(self) {
            if keep(packet.as_ref()) {
                self.push(packet);
            }
        }
    }

    /// Moves all of `other` behind these.
    pub(crate) fn append(&mut self, other: &mut Self) {
        if other.is_empty() {
            return;
        }
        self.close_up();
        self.reserve(other.len());
        other.for_each(|packet| self.push(packet));
    }

    /// Makes room of what was taken.
    #[inline]
    pub(crate) fn close_up(&mut self) {
        if self.at > 0 {
            self.move_up();
        }
    }

    fn move_up(&mut self) {
        if !self.is_empty() {
            self.slots.rotate_left(self.at);
        }
        for (slot, _) in self.faults.iter_mut().flat_map(|faults| &mut faults.0) {
            *slot -= self.at;
        }
        self.end -= self.at;
        self.at = 0;
    }
}

/// Puts a packet into its place, which is empty.
// Forgotten, not dropped: the compiler would keep the packet in memory while it looks whether anything is there.
#[inline(always)]
pub(crate) fn put<In>(place: &mut Option<In>, packet: In) {
    mem::forget(place.replace(packet));
}

/// The first growth makes room for so many.
const LEAST: usize = 4;

impl<In> Default for Sequence<In> {
    fn default() -> Self {
        Self::new()
    }
}

impl<In> Iterator for Sequence<In> {
    type Item = Result<In, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Plain = Result<u32, String>;

    fn fault(number: u32) -> Fault {
        Fault::refused(number.to_string())
    }

    /// Every third one is a fault.
    fn of(numbers: std::ops::Range<u32>) -> Sequence<u32> {
        let mut sequence = Sequence::new();
        numbers.for_each(|n| sequence.push(if n % 3 == 0 { Err(fault(n)) } else { Ok(n) }));
        sequence
    }

    fn plain(packet: Result<u32, Fault>) -> Plain {
        packet.map_err(|fault| fault.to_string())
    }

    fn expected(numbers: impl IntoIterator<Item = u32>) -> Vec<Plain> {
        numbers.into_iter().map(|n| if n % 3 == 0 { Err(n.to_string()) } else { Ok(n) }).collect()
    }

    #[test]
    fn what_came_is_taken_in_order_each_by_its_kind() {
        let mut sequence = of(0..8);
        assert!(!sequence.has_packet() && sequence.pop_packet().is_none());
        assert_eq!(sequence.pop_fault().map(|fault| fault.to_string()), Some("0".to_owned()));
        assert!(sequence.has_packet() && sequence.pop_fault().is_none());
        assert_eq!((sequence.pop_packet(), sequence.len()), (Some(1), 6));
        assert_eq!(sequence.by_ref().map(plain).collect::<Vec<_>>(), expected(2..8));
        assert!(sequence.is_empty() && sequence.pop().is_none() && sequence.pop_fault().is_none());
    }

    #[test]
    fn those_behind_follow_whatever_was_taken_before() {
        for (first, second) in [(0, 0), (1, 0), (4, 2), (7, 3), (7, 7)] {
            let (mut one, mut other) = (of(0..7), of(10..17));
            assert_eq!(
                one.by_ref().take(first).count() + other.by_ref().take(second).count(),
                first + second
            );
            one.append(&mut other);
            assert!(other.is_empty() && other.pop().is_none());
            one.push(Err(fault(21)));
            let rest = (0..7).skip(first).chain((10..17).skip(second)).chain([21]);
            assert_eq!(one.map(plain).collect::<Vec<_>>(), expected(rest));
        }
    }

    #[test]
    fn what_is_not_kept_is_gone_with_its_fault() {
        let mut cut = of(0..9);
        assert_eq!(cut.by_ref().take(2).count(), 2);
        cut.truncate(4);
        cut.push(Ok(10));
        assert_eq!(cut.map(plain).collect::<Vec<_>>(), expected([2, 3, 4, 5, 10]));

        let mut few = of(0..9);
        few.retain(|packet| {
            packet.is_ok_and(|n| *n > 3) || packet.is_err_and(|fault| fault.to_string().as_str() < "5")
        });
        assert_eq!(few.map(plain).collect::<Vec<_>>(), expected([0, 3, 4, 5, 7, 8]));
    }

    #[test]
    fn what_was_taken_makes_room() {
        let mut sequence = of(0..8);
        let memory = sequence.memory();
        for number in 8..100 {
            assert_eq!(sequence.pop().map(plain), expected([number - 8]).pop());
            sequence.close_up();
            sequence.push(if number % 3 == 0 { Err(fault(number)) } else { Ok(number) });
        }
        assert_eq!((sequence.len(), sequence.memory()), (8, memory));
        assert_eq!(sequence.map(plain).collect::<Vec<_>>(), expected(92..100));
    }

    #[test]
    fn a_cleared_one_is_as_new() {
        let mut sequence = of(0..9);
        assert_eq!(sequence.by_ref().take(4).count(), 4);
        let memory = sequence.memory();
        sequence.clear();
        assert!(sequence.is_empty() && sequence.memory() == memory);
        sequence.push(Ok(1));
        assert_eq!(sequence.map(plain).collect::<Vec<_>>(), expected([1]));
    }
}
