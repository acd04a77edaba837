//! Very many peers at once.
#![cfg(unix)]

use std::time::Instant;

use crate::common::{GUARD, LONG, WAYS, Way, alone, tell};
use crate::healthy::{Probe, beside};
use crate::process::{Role, most_descriptors};

#[test]
fn of_ten_thousand_from_one_address_those_within_its_cap_are_served_and_the_rest_refused() {
    let (_alone, many) = (alone(), at_most(10_000));
    let cap = many / 10;
    for way in WAYS {
        let (mut server, address) = Role::server(way, &format!("per_address={cap}"), None);
        let since = Instant::now();
        let mut crowd = beside(address, way, || {
            let mut crowd = Role::crowd(address, many, b"");
            assert_eq!(crowd.of("ended", cap..many), many - cap);
            assert_eq!(crowd.of("answered", 0..cap), cap);
            crowd
        });
        println!("{way:?}: {many} in {:?}", since.elapsed());
        assert_eq!(server.stat("refused_address"), (many - cap) as u64);
        // Places that become free are given again.
        assert_eq!(crowd.of("leave", 0..cap), cap);
        let mut probe = Probe::connect(address);
        until(&mut server, &mut probe, "open", |open| open <= 2);
        crowd.end();
        let mut again = Role::crowd(address, 10, b"");
        assert_eq!(again.of("answered", 0..10), 10);
        again.end();
        server.end();
    }
}

#[test]
fn ten_thousand_half_way_through_a_header_cost_at_most_8_kib_each() {
    let (_alone, many) = (alone(), at_most(10_000));
    for way in WAYS {
        let half = [9, 0, 1];
        cost(way, "", many, &half, 8 * 1024);
    }
}

#[test]
fn a_thousand_stalled_readers_cost_their_queues_bound_and_no_more() {
    stalled_readers(1_000);
}

#[test]
#[ignore = "needs 300 MB and half a minute; a thousand of them are tested always"]
fn ten_thousand_stalled_readers_cost_their_queues_bound_and_no_more() {
    stalled_readers(10_000);
}

fn stalled_readers(many: usize) {
    const QUEUE: usize = 16 * 1024;
    const TIMES: usize = 50;
    let (_alone, many) = (alone(), at_most(many));
    for way in WAYS {
        // Much more than the queue and the sockets' own buffers hold.
        let ask = tell(TIMES as u32);
        const { assert!(QUEUE * 3 < LONG * TIMES) };
        cost(way, &format!("queue={QUEUE}"), many, &ask, QUEUE as u64 + 8 * 1024);
    }
}

/// Lets so many peers say `hello` and wait, and asserts what each costs the server.
fn cost(way: Way, settings: &str, many: usize, hello: &[u8], most: u64) {
    let (bytes, answered) = ((many * hello.len()) as u64, hello.len() > 5);
    let (mut server, address) = Role::server(way, settings, None);
    let mut probe = Probe::connect(address);
    // What the runtime allocates once.
    Role::crowd(address, 100, b"").end();
    until(&mut server, &mut probe, "open", |open| open == 1);
    let (before, heard) = (server.resident(), server.stat("bytes_in"));
    let mut crowd = beside(address, way, || {
        let crowd = Role::crowd(address, many, hello);
        until(&mut server, &mut probe, "bytes_in", |now| now >= heard + bytes);
        crowd
    });
    let mut least = 0;
    if answered {
        // Once the first answers are on their way, the sockets are full, and what is asked for now fills the queues.
        assert_eq!(crowd.of("heard", 0..many), many);
        assert_eq!(crowd.of("again", 0..many), many);
        until(&mut server, &mut probe, "bytes_in", |now| now >= heard + bytes * 2);
        // One worker has handled all before it answers this.
        probe.round();
        least = most / 4;
    }
    until(&mut server, &mut probe, "open", |open| open == many as u64 + 1);
    match (before, server.resident()) {
        (Some(before), Some(after)) => {
            let each = after.saturating_sub(before) / many as u64;
            println!("{way:?}: {many} cost {each} bytes each");
            assert!(each >= least, "{way:?}: {each} bytes each: the queues are not even filled");
            // Something for the process itself, where there are few.
            assert!(after - before <= most * many as u64 + 4 * 1024 * 1024, "{way:?}: {each} bytes each");
        }
        _ => println!("memory is not looked at: the system has no /proc"),
    }
    crowd.end();
    server.end();
}

/// Waits until the server has counted what is expected, by going on playing.
fn until(server: &mut Role, probe: &mut Probe, name: &str, done: impl Fn(u64) -> bool) {
    let since = Instant::now();
    loop {
        let now = server.stat(name);
        if done(now) {
            return;
        }
        assert!(since.elapsed() < GUARD, "{name} stays at {now}");
        probe.round();
    }
}

/// As many as asked for, if the system has descriptors for them.
fn at_most(many: usize) -> usize {
    let most = most_descriptors().saturating_sub(200).min(many);
    if most < many {
        println!("only {most} of {many} connections: the system lets a process have no more descriptors");
    }
    most
}
