//! Memory for packets, which a session has only while there are any.

use std::any::Any;
use std::cell::RefCell;

use crate::session::Sequence;

/// Takes an empty queue, with the memory of one that was given back on this thread if there is one.
pub(super) fn take<In: 'static>() -> Sequence<In> {
    SPARE.with_borrow_mut(|spare| spare.iter_mut().find_map(of).and_then(Vec::pop)).unwrap_or_default()
}

/// Gives an empty queue's memory back, and leaves it without any.
#[inline]
pub(super) fn give<In: 'static>(packets: &mut Sequence<In>) {
    if packets.is_empty() && packets.memory() > 0 {
        keep(std::mem::take(packets));
    }
}

fn keep<In: 'static>(mut packets: Sequence<In>) {
    if packets.memory() > LARGEST {
        return;
    }
    packets.clear();
    SPARE.with_borrow_mut(|spare| {
        let Some(kept) = spare.iter_mut().find_map(of) else {
            // The types of servers that are gone leave in time.
            spare.truncate(TYPES - 1);
            return spare.insert(0, Box::new(vec![packets]));
        };
        if kept.len() < KEPT {
            kept.push(packets);
        }
    });
}

fn of<In: 'static>(spare: &mut Box<dyn Any>) -> Option<&mut Vec<Sequence<In>>> {
    spare.downcast_mut()
}

thread_local! {
    // One for each type of packets. A thread polls one session at a time, which has one queue or two.
    static SPARE: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

const KEPT: usize = 2;
const TYPES: usize = 4;
/// In bytes.
const LARGEST: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn with_room<In: 'static>(room: usize) -> Sequence<In> {
        let mut packets = Sequence::new();
        packets.reserve(room);
        packets
    }

    fn room<In>(packets: &Sequence<In>) -> usize {
        packets.memory() / size_of::<Option<In>>()
    }

    #[test]
    fn each_type_has_its_own_and_few_are_kept() {
        for _ in 0..5 {
            give(&mut with_room::<u8>(7));
            give(&mut with_room::<u64>(9));
        }
        let mut taken = with_room::<u64>(1);
        give(&mut taken);
        assert_eq!(room(&taken), 0);
        let rooms = [take::<u64>(), take(), take()].map(|packets| room(&packets));
        assert_eq!(rooms.map(|room| room >= 9), [true, true, false]);
        assert!(room(&take::<u8>()) >= 7);
    }

    #[test]
    fn neither_large_ones_nor_many_types_are_kept() {
        give(&mut with_room::<[u64; 16]>(1024 * 1024));
        assert_eq!(room(&take::<[u64; 16]>()), 0);
        give(&mut with_room::<[u8; 1]>(1));
        give(&mut with_room::<[u8; 2]>(1));
        give(&mut with_room::<[u8; 3]>(1));
        give(&mut with_room::<[u8; 4]>(1));
        give(&mut with_room::<[u8; 5]>(1));
        assert_eq!([room(&take::<[u8; 1]>()), room(&take::<[u8; 5]>())].map(|room| room > 0), [false, true]);
    }
}
