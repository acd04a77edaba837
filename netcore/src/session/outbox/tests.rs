use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Wake};
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use super::add::SHARE;
use super::*;
use crate::FrameError;
use crate::session::{Decode, Inbound, Limits, Session};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A waker, and how often it was called since it was last asked.
pub(super) fn counted() -> (Waker, impl Fn() -> usize) {
    let count = Arc::new(Count::default());
    (count.clone().into(), move || count.0.swap(0, SeqCst))
}

pub(super) fn take(outbox: &Outbox, most: usize) -> Vec<u8> {
    let mut to = VecDeque::new();
    let taken = outbox.take(&mut to, most, 0, Waker::noop());
    assert_eq!(matches!(taken, Take::Bytes), !to.is_empty());
    Vec::from(to).concat()
}

#[test]
fn the_bound_is_met_to_the_byte() {
    let outbox = Outbox::new(10);
    assert_eq!(outbox.push(b"0123456789", Slow::DropNewest), Verdict::Queued);
    assert_eq!(outbox.push(b"x", Slow::DropNewest), Verdict::Dropped);
    assert_eq!(take(&outbox, 1), b"0123456789");
    assert_eq!(outbox.push(b"x", Slow::DropNewest), Verdict::Dropped, "what was taken still counts");
    outbox.gone(1);
    assert_eq!(outbox.push(b"x", Slow::DropNewest), Verdict::Queued);
    outbox.gone(9);
    assert_eq!((outbox.queued(), outbox.dropped()), (1, 2));
}

#[test]
fn a_packet_larger_than_the_bound_drops_nothing_but_itself() {
    for slow in [Slow::DropNewest, Slow::DropOldest, Slow::Latest(1)] {
        let outbox = Outbox::new(10);
        outbox.set_blocked(true);
        outbox.push(b"abc", Slow::Latest(1));
        outbox.push(b"def", Slow::DropOldest);
        assert_eq!(outbox.push(&[0; 11], slow), Verdict::Dropped, "{slow:?}");
        assert_eq!((outbox.dropped(), outbox.queued()), (1, 6));
        assert_eq!(take(&outbox, 100), b"abcdef");
    }
}

#[test]
fn nothing_is_dropped_for_a_packet_that_has_no_room_even_then() {
    let outbox = Outbox::new(10);
    outbox.set_blocked(true);
    outbox.push(b"stays", Slow::Disconnect);
    outbox.push(b"abc", Slow::DropOldest);
    assert_eq!(outbox.push(b"longer", Slow::DropOldest), Verdict::Dropped);
    assert_eq!(outbox.push(b"12345", Slow::DropOldest), Verdict::Queued);
    assert_eq!((outbox.dropped(), take(&outbox, 100)), (2, b"stays12345".to_vec()));
}

#[test]
fn a_packet_to_disconnect_for_closes_and_the_queue_is_empty() {
    let outbox = Outbox::new(10);
    outbox.push(b"abcdef", Slow::Disconnect);
    assert_eq!(take(&outbox, 3), b"abcdef");
    outbox.push(b"ghi", Slow::Disconnect);
    assert_eq!(outbox.push(b"jk", Slow::Disconnect), Verdict::Closed);
    assert_eq!(outbox.queued(), 6, "only what the transport has in hand");
    outbox.gone(6);
    assert_eq!((outbox.queued(), outbox.given_up()), (0, Some(CloseReason::QueueFull(10))));
    assert_eq!(outbox.push(b"", Slow::Disconnect), Verdict::Closed);
}

#[test]
fn a_packet_without_bytes_is_no_packet() {
    let outbox = Outbox::new(10);
    outbox.set_blocked(true);
    for slow in [Slow::Disconnect, Slow::DropNewest, Slow::DropOldest, Slow::Latest(1)] {
        assert_eq!(outbox.push(b"", slow), Verdict::Queued);
        assert_eq!(outbox.push_shared(&Bytes::new(), slow), Verdict::Queued);
    }
    assert_eq!(outbox.push_joined(&mut Joined::default()), Verdict::Queued);
    assert!(take(&outbox, 100).is_empty());
    assert_eq!(outbox.dropped(), 0);
}

#[test]
fn the_first_quarter_is_joined_and_large_shared_packets_are_not_copied() {
    let outbox = Outbox::new(16 * 1024);
    let large = Bytes::from(vec![1; SHARE]);
    outbox.push(b"ab", Slow::Latest(1));
    outbox.push(b"cd", Slow::DropOldest);
    outbox.push_shared(&large, Slow::Disconnect);
    outbox.push_shared(&Bytes::from_static(b"ef"), Slow::Disconnect);
    let mut to = VecDeque::new();
    outbox.take(&mut to, usize::MAX, 0, Waker::noop());
    assert_eq!(to.iter().map(Bytes::len).collect::<Vec<_>>(), [4, SHARE, 2]);
    assert_eq!(to[1].as_ptr(), large.as_ptr());
}

#[test]
fn joined_packets_keep_their_memory_or_are_added_and_leave_the_buffer_empty() {
    let outbox = Outbox::new(100);
    let mut packets = joined(b"abc", &[Slow::Disconnect]);
    let at = packets.bytes.as_ptr();
    assert_eq!(outbox.push_joined(&mut packets), Verdict::Queued);
    assert!(packets.is_empty());
    outbox.push_joined(&mut joined(b"def", &[Slow::Disconnect]));
    let mut to = VecDeque::new();
    outbox.take(&mut to, 100, 0, Waker::noop());
    assert_eq!((to.len(), &to[0][..]), (1, &b"abcdef"[..]));
    assert!(to[0].as_ptr() == at || to[0].len() > 3, "a copy that need not be");
    outbox.close(CloseReason::Ended);
    let mut late = joined(b"late", &[Slow::Disconnect]);
    assert_eq!((outbox.push_joined(&mut late), late.len()), (Verdict::Closed, 0));
}

fn joined(bytes: &[u8], slow: &[Slow]) -> Joined {
    let mut joined = Joined::default();
    joined.bytes.extend_from_slice(bytes);
    slow.iter().for_each(|&slow| joined.added(slow));
    joined
}

/// Each had room when it was accepted: the one that did not see the other is not to close for it.
#[test]
fn what_was_staged_has_its_room_although_somebody_else_has_filled_the_queue_meanwhile() {
    let outbox = Outbox::new(100);
    outbox.stage();
    assert_eq!(outbox.push(&[2; 90], Slow::Disconnect), Verdict::Queued);
    assert_eq!(outbox.push_if_room(&[3; 90], Slow::Disconnect), None);
    outbox.push_staged(&mut joined(&[1; 95], &[Slow::Disconnect]));
    assert_eq!((outbox.closed(), outbox.queued(), outbox.room()), (None, 185, 0));
    assert_eq!(take(&outbox, 1_000), [[1; 95].as_slice(), &[2; 90]].concat());
}

#[test]
fn joined_packets_that_all_may_be_dropped_are_and_one_that_may_not_closes() {
    let total = Arc::new(Total::new(5, |_| false));
    let outbox = Outbox::within(100, Some(total.clone()));
    let droppable = [Slow::DropOldest, Slow::Latest(1), Slow::DropNewest];
    assert_eq!(outbox.push_joined(&mut joined(b"abcdef", &droppable)), Verdict::Dropped);
    assert!(!outbox.hold_droppable(&joined(b"abcdef", &droppable)));
    assert_eq!((outbox.dropped(), total.dropped(), outbox.queued(), outbox.closed()), (6, 6, 0, None));
    assert!(outbox.hold_droppable(&joined(b"ab", &droppable)));
    assert_eq!((outbox.queued(), total.queued()), (2, 2));
    let mixed = [Slow::DropOldest, Slow::Disconnect];
    assert_eq!(outbox.push_joined(&mut joined(b"cdef", &mixed)), Verdict::Closed);
    assert_eq!(outbox.closed(), Some(CloseReason::ServerQueueFull));
}

#[test]
fn what_comes_as_a_turn_ends_does_not_overtake_what_came_in_it() {
    let outbox = Outbox::new(100);
    outbox.stage();
    outbox.push(b"one", Slow::Disconnect);
    // The turn has ended, and not caught up yet.
    outbox.0.staging.store(false, SeqCst);
    outbox.push(b"two", Slow::Disconnect);
    outbox.push_staged(&mut joined(b"", &[]));
    outbox.push(b"three", Slow::Disconnect);
    assert_eq!(take(&outbox, 100), b"onetwothree");
}

#[test]
fn what_comes_late_keeps_its_policy() {
    let outbox = Outbox::new(100);
    outbox.set_blocked(true);
    outbox.stage();
    for packet in [b"old", b"mid"] {
        outbox.push(packet, Slow::Latest(1));
    }
    outbox.push_staged(&mut joined(b"first", &[Slow::Disconnect]));
    outbox.push(b"new", Slow::Latest(1));
    assert_eq!(take(&outbox, 100), b"firstoldnew");
}

#[test]
fn a_push_calls_the_task_that_found_nothing_and_only_once() {
    let outbox = Outbox::new(100);
    let (waker, calls) = counted();
    assert!(matches!(outbox.take(&mut VecDeque::new(), 10, 0, &waker), Take::Pending));
    outbox.push(b"a", Slow::Disconnect);
    outbox.push(b"b", Slow::Disconnect);
    assert_eq!(calls(), 1);
}

#[test]
fn a_queue_found_empty_is_not_blocked_any_more() {
    let outbox = Outbox::new(100);
    let (waker, calls) = counted();
    outbox.push(b"a", Slow::Disconnect);
    assert_eq!(take(&outbox, 10), b"a");
    outbox.set_blocked(true);
    outbox.listen(&waker);
    outbox.push(b"b", Slow::Disconnect);
    assert_eq!(calls(), 0, "the transport calls by itself");
    outbox.gone(1);
    assert_eq!(take(&outbox, 10), b"b");
    outbox.gone(1);
    assert!(matches!(outbox.take(&mut VecDeque::new(), 10, 0, &waker), Take::Pending));
    // Before the task can say that the transport takes bytes again.
    outbox.push(b"c", Slow::Disconnect);
    assert_eq!(calls(), 1);
}

#[test]
fn a_blocked_task_is_called_for_an_end_and_not_for_packets() {
    for flush in [true, false] {
        let outbox = Outbox::new(100);
        let (waker, calls) = counted();
        outbox.set_blocked(true);
        outbox.listen(&waker);
        outbox.push(b"a", Slow::Latest(1));
        assert_eq!(calls(), 0);
        outbox.end(End { reason: CloseReason::Ended, flush });
        assert_eq!(calls(), 1);
    }
}

/// A waker that looks at the queue at once, as a task that is polled where it is woken does.
struct Looks(Outbox, Count);

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        self.1.0.fetch_add(self.0.closed().map_or(1, |_| 100), SeqCst);
    }
}

#[test]
fn nobody_is_called_with_the_lock_held() {
    let outbox = Outbox::new(10);
    let looks = Arc::new(Looks(outbox.clone(), Count::default()));
    let waker = Waker::from(looks.clone());
    let mut cx = Context::from_waker(&waker);
    let mut room = outbox.for_room();
    outbox.listen(&waker);
    outbox.push(b"0123456789", Slow::Disconnect);
    assert!(room.poll(&mut cx, 0).is_pending());
    take(&outbox, 10);
    outbox.gone(10);
    outbox.listen(&waker);
    outbox.wake();
    outbox.listen(&waker);
    outbox.push(b"0123456789", Slow::Disconnect);
    assert!(room.poll(&mut cx, 0).is_pending());
    outbox.close(CloseReason::Ended);
    assert_eq!(looks.1.0.load(SeqCst), 4 + 100);
}

#[test]
fn dropping_the_oldest_of_many_does_not_walk_the_queue() {
    let outbox = Outbox::new(256 * 1024);
    outbox.set_blocked(true);
    // One that may not be dropped stands before all others.
    outbox.push_shared(&Bytes::from(vec![0; SHARE]), Slow::Disconnect);
    let begun = std::time::Instant::now();
    for number in 0..300_000_u32 {
        outbox.push(&number.to_le_bytes(), Slow::DropOldest);
    }
    // With a walk over what was dropped before, each push would take longer than the last.
    assert!(begun.elapsed().as_secs() < 20);
    assert_eq!(outbox.dropped(), 300_000 - (256 * 1024 - SHARE as u64) / 4);
}

#[test]
fn pushes_from_many_threads_all_arrive_and_none_is_forgotten() {
    const EACH: u32 = 5_000;
    let outbox = Outbox::new(usize::MAX / 2);
    let (waker, calls) = counted();
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let outbox = &outbox;
            scope.spawn(move || {
                for number in 0..EACH {
                    outbox.push(&(thread * EACH + number).to_le_bytes(), Slow::Disconnect);
                }
            });
        }
        let (mut got, mut next) = (0, [0; 4]);
        let mut to = VecDeque::new();
        while got < 4 * EACH {
            // As a transport that is full after each write, and has room again at once.
            match outbox.take(&mut to, 64, 0, &waker) {
                Take::Pending => {
                    let since = std::time::Instant::now();
                    while calls() == 0 {
                        assert!(since.elapsed().as_secs() < 20, "{} bytes were forgotten", outbox.queued());
                        std::thread::yield_now();
                    }
                }
                Take::Bytes => outbox.set_blocked(true),
                Take::End(reason) => panic!("{reason}"),
            }
            for four in
                to.drain(..).flat_map(|chunk| chunk.chunks(4).map(<[u8; 4]>::try_from).collect::<Vec<_>>())
            {
                let number = u32::from_le_bytes(four.unwrap());
                let thread = (number / EACH) as usize;
                assert_eq!(number % EACH, next[thread], "one thread's packets are in order");
                next[thread] += 1;
                got += 1;
                outbox.gone(4);
            }
        }
    });
    assert_eq!(outbox.queued(), 0);
}

#[test]
fn what_comes_when_a_blocked_transport_has_just_taken_all_calls_the_task_that_writes() {
    struct Nothing;
    impl Decode<()> for Nothing {
        fn decode(&mut self, _: &mut BytesMut, _: &mut Inbound<()>) -> Result<(), FrameError> {
            Ok(())
        }

        fn finish(&mut self, _: &[u8]) -> Result<(), FrameError> {
            Ok(())
        }
    }
    let (now, outbox) = (Instant::now(), Outbox::new(1000));
    let mut session = Session::new(Arc::new(Limits::new()), Box::new(Nothing), outbox.clone(), now);
    let (waker, calls) = counted();
    assert!(session.poll_output(now, &waker).unwrap().is_empty());
    session.handle_blocked(now, false, &waker);
    outbox.push(b"first", Slow::Disconnect);
    assert_eq!(calls(), 1);
    // It takes nothing, then all.
    assert!(!session.poll_output(now, &waker).unwrap().is_empty());
    session.handle_blocked(now, true, &waker);
    assert!(!session.poll_output(now, &waker).unwrap().is_empty());
    session.handle_written(now, 5);
    assert!(session.poll_output(now, &waker).unwrap().is_empty());
    // From another thread, before the task has said that it waits.
    outbox.push(b"second", Slow::Disconnect);
    session.handle_blocked(now, false, &waker);
    assert_eq!(calls(), 1);
}
