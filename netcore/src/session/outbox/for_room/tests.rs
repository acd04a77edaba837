use std::task::Context;

use super::super::tests::{counted, take};
use crate::session::CloseReason;
use crate::session::outbox::{Outbox, Slow};

#[test]
fn who_waits_for_room_is_called_when_half_is_free() {
    let outbox = Outbox::new(10);
    let mut room = outbox.for_room();
    let (waker, calls) = counted();
    let mut cx = Context::from_waker(&waker);
    outbox.push(b"0123456789", Slow::Disconnect);
    assert!(room.poll(&mut cx, 0).is_pending());
    assert!(room.poll(&mut cx, 0).is_pending());
    take(&outbox, 10);
    outbox.gone(4);
    assert_eq!(calls(), 0);
    assert!(room.poll(&mut cx, 0).is_pending());
    outbox.gone(1);
    assert_eq!(calls(), 1);
    assert!(room.poll(&mut cx, 0).is_ready());
}

#[test]
fn who_waits_for_room_is_called_when_a_policy_or_an_end_makes_it() {
    let (waker, calls) = counted();
    let mut cx = Context::from_waker(&waker);
    let outbox = Outbox::new(10);
    let mut room = outbox.for_room();
    outbox.set_blocked(true);
    outbox.push(b"01234567", Slow::Latest(1));
    assert!(room.poll(&mut cx, 0).is_pending());
    outbox.push(b"01234", Slow::Latest(1));
    assert_eq!(calls(), 1);
    outbox.push(b"5", Slow::Disconnect);
    assert!(room.poll(&mut cx, 0).is_pending());
    outbox.close(CloseReason::Ended);
    assert_eq!(calls(), 1);
    assert!(room.poll(&mut cx, 0).is_ready());
}

#[test]
fn who_does_not_wait_for_room_any_more_is_forgotten_alone() {
    let outbox = Outbox::new(100);
    outbox.push(&[0; 60], Slow::Disconnect);
    let (waker, calls) = counted();
    let cx = &mut Context::from_waker(&waker);
    // Twice by one task: what gives up takes nothing from the other.
    let (mut one, mut other) = (outbox.for_room(), outbox.for_room());
    assert!(one.poll(cx, 0).is_pending() && other.poll(cx, 0).is_pending() && one.poll(cx, 0).is_pending());
    drop(one);
    for _ in 0..1000 {
        assert!(outbox.for_room().poll(cx, 0).is_pending());
    }
    assert_eq!(outbox.lock().room.len(), 1);
    take(&outbox, 60);
    outbox.gone(60);
    assert_eq!(calls(), 1);
}
