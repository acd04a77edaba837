//! Packets, and what came in place of some, in order.

use std::collections::VecDeque;

use super::Fault;

/// Packets on the way to the game, with the faults among them.
///
/// The two are kept apart, so that where there are no faults, which is nearly always, a packet is moved as it is: in a
/// `Result`, its tag would be looked at each time, and small enums are slow to move after that (a failed store
/// forwarding, longer than all else that is done with them).
#[derive(Debug)]
pub(crate) struct Items<In> {
    packets: VecDeque<In>,
    // In a box: beside each session's packets there is room for a pointer, not for another queue.
    faults: Option<Box<Faults>>,
}

#[derive(Debug, Default)]
struct Faults {
    // Never empty. Each with its place: so many packets, of all since the first fault came, stand before it.
    list: VecDeque<(usize, Fault)>,
    // How many of these packets were taken out.
    taken: usize,
}

impl<In> Items<In> {
    pub(crate) const fn new() -> Self {
        Self { packets: VecDeque::new(), faults: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.packets.len() + self.faults.as_ref().map_or(0, |faults| faults.list.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.packets.is_empty() && self.faults.is_none()
    }

    fn is_pure(&self) -> bool {
        self.faults.is_none()
    }

    #[inline]
    pub(crate) fn push(&mut self, item: Result<In, Fault>) {
        match item {
            Ok(packet) => self.packets.push_back(packet),
            Err(fault) => self.push_fault(fault),
        }
    }

    #[cold]
    fn push_fault(&mut self, fault: Fault) {
        let before = self.packets.len();
        let faults = self.faults.get_or_insert_default();
        faults.list.push_back((faults.taken + before, fault));
    }

    /// Whether there are packets, and no faults among them.
    #[inline]
    pub(crate) fn are_packets(&self) -> bool {
        self.is_pure() && !self.packets.is_empty()
    }

    /// The next packet, where [`are_packets`](Self::are_packets) says that there is one. Asked before, and not by a look
    /// at the packet that was taken.
    #[inline]
    pub(crate) fn pop_packet(&mut self) -> Option<In> {
        self.packets.pop_front()
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Result<In, Fault>> {
        if self.is_pure() { self.packets.pop_front().map(Ok) } else { self.pop_among_faults() }
    }

    #[cold]
    fn pop_among_faults(&mut self) -> Option<Result<In, Fault>> {
        let faults = self.faults.as_mut()?;
        if faults.list.front().is_some_and(|(place, _)| *place == faults.taken) {
            let (_, fault) = faults.list.pop_front()?;
            if faults.list.is_empty() {
                self.faults = None;
            }
            return Some(Err(fault));
        }
        faults.taken += 1;
        self.packets.pop_front().map(Ok)
    }

    /// Adds all of `other`, which is empty afterwards.
    pub(crate) fn append(&mut self, other: &mut Self) {
        if self.is_empty() {
            return std::mem::swap(self, other);
        }
        if let Some(more) = other.faults.take() {
            let before = self.packets.len();
            let faults = self.faults.get_or_insert_default();
            let behind = faults.taken + before;
            faults
                .list
                .extend(more.list.into_iter().map(|(place, fault)| (place - more.taken + behind, fault)));
        }
        self.packets.append(&mut other.packets);
    }

    /// Keeps the first `count`.
    pub(crate) fn truncate(&mut self, count: usize) {
        let mut faults = 0;
        if let Some(all) = &mut self.faults {
            // Before a fault stand the packets of its place, and the faults before it.
            while all.list.get(faults).is_some_and(|(place, _)| place - all.taken + faults < count) {
                faults += 1;
            }
            all.list.truncate(faults);
            if faults == 0 {
                self.faults = None;
            }
        }
        self.packets.truncate(count - faults.min(count));
    }

    /// Keeps those of whose number, counted from 0, `keep` says so.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let mut all = std::mem::take(self);
        for number in 0.. {
            let Some(item) = all.pop() else { return };
            if keep(number) {
                self.push(item);
            }
        }
    }

    /// Keeps the faults of which `keep` says so, and all packets.
    pub(crate) fn retain_faults(&mut self, mut keep: impl FnMut(&Fault) -> bool) {
        if let Some(faults) = &mut self.faults {
            faults.list.retain(|(_, fault)| keep(fault));
            if faults.list.is_empty() {
                self.faults = None;
            }
        }
    }

    /// The faults among them.
    #[inline]
    pub(crate) fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().flat_map(|faults| faults.list.iter().map(|(_, fault)| fault))
    }

    pub(crate) fn clear(&mut self) {
        self.packets.clear();
        self.faults = None;
    }

    /// Makes room for so many packets, where there is no memory yet.
    pub(crate) fn prepare(&mut self, count: usize) {
        if self.packets.capacity() == 0 {
            self.packets.reserve(count);
        }
    }
}

impl<In> Default for Items<In> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(number: u32) -> Result<u32, Fault> {
        if number.is_multiple_of(3) { Err(Fault::refused(number.to_string())) } else { Ok(number) }
    }

    fn number(item: Result<u32, Fault>) -> u32 {
        item.unwrap_or_else(|fault| fault.to_string().parse().unwrap())
    }

    fn items(numbers: impl IntoIterator<Item = u32>) -> Items<u32> {
        let mut items = Items::new();
        numbers.into_iter().for_each(|number| items.push(item(number)));
        items
    }

    fn drain(mut items: Items<u32>) -> Vec<u32> {
        let len = items.len();
        let all: Vec<_> = std::iter::from_fn(|| items.pop()).map(number).collect();
        assert_eq!((all.len(), items.is_empty(), items.is_pure()), (len, true, true));
        all
    }

    #[test]
    fn what_went_in_comes_out_in_order_however_it_is_taken_and_added() {
        let (mut items, mut next, mut want) = (Items::new(), 0, 0);
        for round in 0..200_u32 {
            for _ in 0..round % 7 {
                items.push(item(next));
                next += 1;
            }
            let mut more = Items::new();
            for _ in 0..round % 5 {
                more.push(item(next));
                next += 1;
            }
            // One that was begun behaves as a new one.
            if let Some(first) = more.pop() {
                items.push(first);
            }
            items.append(&mut more);
            assert!(more.is_empty());
            for _ in 0..round % 6 {
                if let Some(got) = items.pop() {
                    assert_eq!(number(got), want);
                    want += 1;
                }
            }
        }
        assert_eq!(drain(items), (want..next).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_so_many_are_kept() {
        for taken in 0..4 {
            for count in 0..12 {
                let mut items = items(0..10);
                (0..taken).for_each(|_| drop(items.pop()));
                items.truncate(count);
                let end = (taken + count as u32).min(10);
                assert_eq!(drain(items), (taken..end.max(taken)).collect::<Vec<_>>(), "{taken} {count}");
            }
        }
    }

    #[test]
    fn those_are_kept_that_are_asked_for() {
        let mut some = items(0..20);
        some.pop();
        some.retain(|number| number % 2 == 0);
        assert_eq!(drain(some), [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
        let mut some = items(0..10);
        some.retain_faults(|fault| fault.to_string() == "6");
        assert_eq!(drain(some), [1, 2, 4, 5, 6, 7, 8]);
        let mut none = items([0, 3]);
        none.retain_faults(|_| false);
        assert!(none.is_pure() && none.is_empty());
    }

    #[test]
    fn a_packet_behind_a_fault_waits_for_it() {
        let mut items = items([1, 3, 4]);
        assert!(!items.are_packets());
        assert_eq!((items.pop().map(number), items.pop().map(number)), (Some(1), Some(3)));
        assert!(items.are_packets());
        assert_eq!(items.pop_packet(), Some(4));
    }
}
