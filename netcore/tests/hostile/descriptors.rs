//! A server that has run out of descriptors.
#![cfg(unix)]

use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;

use crate::common::{GUARD, WAYS, alone, connect, said, say};
use crate::healthy::{Probe, beside};
use crate::process::Role;

#[test]
fn out_of_descriptors_it_goes_on_with_those_it_has_and_takes_others_when_some_leave() {
    let _alone = alone();
    for way in WAYS {
        let (mut server, address) = Role::server(way, "", Some(64));
        beside(address, way, || {
            let since = Instant::now();
            // More than it can have: the rest waits in the backlog, with what it has said.
            let mut peers: Vec<TcpStream> = (0..100).map(|_| connect(address)).collect();
            for peer in &mut peers {
                peer.write_all(&say(1)).unwrap();
            }
            let mut probe_served = 0;
            while server.stat("accept_errors") < 3 {
                assert!(since.elapsed() < GUARD, "it never ran out of descriptors");
                probe_served += 1;
            }
            let served = server.stat("open");
            println!("{way:?}: {served} sessions with 64 descriptors, {probe_served} looks");
            assert!((20..64).contains(&served), "{served}");
            // Each that leaves makes room for one that waits.
            for mut peer in peers {
                assert_eq!(read_answer(&mut peer), said(1));
            }
            // It backed off in between: a busy loop would have failed thousands of times.
            let errors = server.stat("accept_errors");
            assert!(errors < 200, "{errors} failed accepts");
        });
        Probe::connect(address);
        server.end();
    }
}

fn read_answer(peer: &mut TcpStream) -> Vec<u8> {
    let mut answer = vec![0; 9];
    std::io::Read::read_exact(peer, &mut answer).unwrap();
    answer
}
