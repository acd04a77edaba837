use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::*;
use crate::runtime::cluster::LinkError;

#[test]
fn a_worker_that_stands_still_is_told_how_things_stand_and_not_all_that_was() {
    let (open, told) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let (may, tells) = (open.clone(), told.clone());
    let tell = move |_, event, _| {
        if !may.load(Relaxed) {
            return Err(Untold::Full(event));
        }
        tells.lock().unwrap().push(event);
        Ok(())
    };
    let workers = Workers::new(tell, |event| event, (1, 100), Arc::default());
    let (since, reason) = (Instant::now(), LinkError::Closed);
    let lost = |n: u64| Event::Lost { name: n.to_string().into(), by: NodeId::new(n) };
    let back = |unsent| Event::Back { away: Duration::ZERO, unsent };
    let up = |n: u64| Event::NodeUp { node: NodeId::new(n), value: Bytes::new() };
    let message = Event::Message { topic: "t".into(), from: NodeId::new(1), body: Bytes::new() };
    workers.message(0, message.clone(), 1);
    let down = |n| Event::NodeDown { node: NodeId::new(n) };
    for n in 0..1000 {
        assert!(workers.notice(0, Event::Away { since, reason: reason.clone() }));
        workers.notice(0, back(2));
        // One that was there, and those that come and go meanwhile.
        workers.notice(0, down(0));
        workers.notice(0, up(0));
        workers.notice(0, up(1 + n));
        workers.notice(0, down(1 + n));
        if n < 2 {
            workers.notice(0, lost(n));
        }
    }
    workers.notice(0, Event::Away { since, reason: reason.clone() });
    open.store(true, Relaxed);
    assert!(!workers.retry());
    workers.notice(0, back(1));
    let expected =
        [vec![message, Event::Away { since, reason }, down(0), lost(0), lost(1)], vec![up(0), back(2001)]];
    assert_eq!(*told.lock().unwrap(), expected.concat());
}

#[test]
fn a_workers_own_queue_takes_no_more_bytes_than_may_wait_for_it() {
    let queue = Arc::new(Mutex::new(VecDeque::new()));
    let queued = queue.clone();
    let tell = move |_, event, weight| {
        queued.lock().unwrap().push_back((event, weight));
        Ok(())
    };
    let stats = Arc::<Stats>::default();
    let workers = Workers::new(tell, |event| event, (1000, 1000), stats.clone());
    let say = |bytes| {
        let event = Event::Message { topic: "t".into(), from: NodeId::new(1), body: Bytes::new() };
        workers.message(0, event, bytes)
    };
    assert_eq!([400, 400, 400, 400].map(say), [false, false, true, true]);
    assert_eq!((queue.lock().unwrap().len(), say(400)), (2, true));
    assert_eq!(stats.snapshot().dropped_in, 1);
    // News are no messages, and wait behind those that do.
    assert!(workers.notice(0, Event::NodeDown { node: NodeId::new(2) }));
    queue.lock().unwrap().pop_front();
    assert!(workers.retry());
    queue.lock().unwrap().clear();
    assert!(!workers.retry());
    assert_eq!(queue.lock().unwrap().len(), 2);
    queue.lock().unwrap().clear();
    // One that is larger than all that may wait goes alone.
    assert_eq!([5000, 1].map(say), [false, true]);
    assert_eq!((stats.snapshot().delivered, stats.snapshot().dropped_in), (5, 1));
}

#[test]
fn workers_for_which_something_waits_are_asked_in_order() {
    let (open, told) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let (may, tells) = (open.clone(), told.clone());
    let tell = move |worker, event, _| {
        if !may.load(Relaxed) {
            return Err(Untold::Full(event));
        }
        tells.lock().unwrap().push(worker);
        Ok(())
    };
    let workers = Workers::new(tell, |event| event, (1, 100), Arc::default());
    for worker in (0..64).rev() {
        assert!(workers.notice(worker, Event::NodeDown { node: NodeId::new(1) }));
    }
    open.store(true, Relaxed);
    assert!(!workers.retry());
    assert!(told.lock().unwrap().iter().copied().eq(0..64));
}

#[test]
fn for_a_worker_that_is_gone_nothing_waits_and_messages_count_as_dropped() {
    let gone = Arc::new(AtomicBool::new(false));
    let ends = gone.clone();
    let tell =
        move |_, event, _| Err(if ends.load(Relaxed) { Untold::Gone(event) } else { Untold::Full(event) });
    let stats = Arc::<Stats>::default();
    let workers = Workers::new(tell, |event| event, (2, 100), stats.clone());
    let message = || Event::Message { topic: "t".into(), from: NodeId::new(1), body: Bytes::new() };
    let lost = || Event::Lost { name: "n".into(), by: NodeId::new(1) };
    let dropped = || stats.snapshot().dropped_in;
    assert!(
        workers.notice(0, lost()) && workers.message(0, message(), 1) && workers.message(0, message(), 1)
    );
    assert!(workers.retry());
    assert_eq!(dropped(), 0);
    gone.store(true, Relaxed);
    assert!(!workers.retry());
    assert_eq!(dropped(), 2);
    assert!(!workers.notice(0, lost()) && !workers.message(0, message(), 1));
    assert!(!workers.retry());
    assert_eq!(dropped(), 3);
}
