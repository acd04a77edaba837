use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, OnceLock, Weak};

use super::super::tests::take;
use crate::session::CloseReason;
use crate::session::outbox::{Full, Outbox, Slow, Total, Verdict};

#[test]
fn what_all_have_queued_follows_each() {
    let told = Arc::new(AtomicUsize::new(0));
    let counter = told.clone();
    let total = Arc::new(Total::new(32, move |_| {
        counter.fetch_add(1, SeqCst);
        false
    }));
    let [one, two] = [(); 2].map(|()| Outbox::within(20, Some(total.clone())));
    one.set_blocked(true);
    one.push(&[1; 8], Slow::Latest(1));
    one.push(&[1; 12], Slow::Latest(1));
    two.push(&[2; 10], Slow::Disconnect);
    assert_eq!((total.queued(), one.dropped(), told.load(SeqCst)), (22, 1, 0));
    assert_eq!(two.push(&[2; 9], Slow::DropNewest), Verdict::Queued);
    assert_eq!((total.queued(), told.load(SeqCst)), (31, 1));
    assert_eq!(one.push(&[1; 2], Slow::DropNewest), Verdict::Dropped);
    assert_eq!(one.push(&[1; 2], Slow::Disconnect), Verdict::Closed);
    assert_eq!(one.closed(), Some(CloseReason::ServerQueueFull));
    assert_eq!((total.queued(), one.queued(), told.load(SeqCst)), (19, 0, 3));
    assert_eq!(take(&two, 100).len(), 19);
    two.abort(CloseReason::Ended);
    assert_eq!(total.queued(), 19, "what the transport has in hand");
    drop(two);
    assert_eq!(total.queued(), 0);
}

/// Two queues, of which the first makes room for the second where both together are over the bound.
fn first_makes_room(max: usize) -> (Arc<Total>, [Outbox; 2]) {
    let first = Arc::new(OnceLock::<(Outbox, Weak<Total>)>::new());
    let asked = first.clone();
    let total = Arc::new(Total::new(max, move |full| {
        let (Full::Over { len, whole, close }, Some((first, total))) = (full, asked.get()) else {
            return false;
        };
        let total = total.upgrade().unwrap();
        if first.burden() > whole {
            let (_, calls) = first.shed(total.missing(len));
            calls.call();
        }
        if close && first.burden() > whole && total.missing(len) > 0 {
            first.give_way().call();
        }
        total.take_room(len)
    }));
    let both = [(); 2].map(|()| Outbox::within(max, Some(total.clone())));
    assert!(first.set((both[0].clone(), Arc::downgrade(&total))).is_ok());
    (total, both)
}

#[test]
fn the_longer_queue_drops_what_it_may_before_it_is_closed_for_the_other() {
    let (total, [one, two]) = first_makes_room(100);
    one.set_blocked(true);
    one.push(&[1; 40], Slow::Disconnect);
    (0..5).for_each(|n| assert_eq!(one.push(&[n; 10], Slow::DropOldest), Verdict::Queued));
    assert_eq!(two.push(&[2; 15], Slow::Disconnect), Verdict::Queued);
    assert_eq!((one.queued(), one.dropped(), total.queued(), total.dropped()), (80, 1, 95, 1));
    assert_eq!(two.push(&[2; 15], Slow::DropNewest), Verdict::Queued);
    assert_eq!(two.push(&[2; 30], Slow::Disconnect), Verdict::Queued);
    assert_eq!((one.queued(), one.dropped(), one.closed(), total.queued()), (40, 5, None, 100));
    assert_eq!(two.push(&[2; 10], Slow::DropNewest), Verdict::Dropped, "nobody has more");
    assert_eq!(two.push(&[2; 10], Slow::Disconnect), Verdict::Closed, "nobody has more");
    assert_eq!((two.closed(), one.closed()), (Some(CloseReason::ServerQueueFull), None));
    assert_eq!((total.queued(), one.queued()), (40, 40));
}

#[test]
fn for_a_packet_that_may_be_dropped_nobody_is_closed() {
    let (_total, [one, two]) = first_makes_room(100);
    one.push(&[1; 90], Slow::Disconnect);
    two.set_blocked(true);
    for slow in [Slow::DropNewest, Slow::DropOldest, Slow::Latest(1)] {
        assert_eq!(two.push(&[2; 20], slow), Verdict::Dropped);
    }
    // Where there are older ones, they go.
    assert_eq!(two.push(b"oldest", Slow::DropNewest), Verdict::Queued);
    assert_eq!(two.push(b"newest", Slow::DropNewest), Verdict::Dropped);
    assert_eq!(two.push(b"newer", Slow::DropOldest), Verdict::Queued);
    assert_eq!((one.closed(), two.closed(), two.dropped()), (None, None, 5));
    assert_eq!(two.push(b"firm and longer", Slow::Disconnect), Verdict::Queued);
    assert_eq!(
        (one.closed(), take(&two, 100)),
        (Some(CloseReason::ServerQueueFull), b"newerfirm and longer".to_vec())
    );
}

#[test]
fn what_a_closed_one_has_in_hand_is_no_burden_and_is_counted_until_it_goes() {
    for in_hand in [90, 60] {
        let (total, [one, two]) = first_makes_room(100);
        one.push(&[1; 90], Slow::Disconnect);
        assert_eq!(take(&one, 100).len(), 90);
        one.gone(90 - in_hand);
        assert_eq!(two.push(&[2; 45], Slow::Disconnect), Verdict::Queued);
        assert_eq!(one.closed(), Some(CloseReason::ServerQueueFull));
        assert_eq!(two.push(&[2; 8], Slow::Disconnect), Verdict::Queued);
        assert_eq!((one.queued(), one.burden(), total.queued()), (in_hand, 0, in_hand + 53));
        // Once more, as its reader has not looked: nothing is counted twice.
        one.give_way().call();
        assert_eq!(total.missing(60), 13);
        one.left(in_hand);
        assert_eq!((total.queued(), total.missing(47), total.missing(48)), (53, 0, 1));
        one.give_way().call();
        assert_eq!(total.missing(48), 1);
        assert_eq!(two.push(&[2; 48], Slow::Disconnect), Verdict::Closed);
        drop([one, two]);
        assert_eq!(total.queued(), 0);
    }
}
