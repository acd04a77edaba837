//! A client that does not read, and a room that goes on.

use lobby::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::memory::{InTest, MemoryClient};
use crate::wire::*;

/// The next packet, whole.
async fn packet(client: &mut MemoryClient) -> Vec<u8> {
    let mut packet = vec![0; 5];
    client.0.read_exact(&mut packet).await.unwrap();
    packet.resize(u16::from_le_bytes([packet[0], packet[1]]).into(), 0);
    client.0.read_exact(&mut packet[5..]).await.unwrap();
    packet
}

#[tokio::test(start_paused = true)]
async fn one_who_does_not_read_stops_nobody_and_is_closed_in_the_end() {
    // As much as the old servers took until they stood still.
    const MOST: usize = 7 * 1024 * 1024;
    for workers in [1, 3] {
        for f in FORMATS {
            let settings = Settings { workers, requests_per_second: 0, ..Settings::default() };
            let server = InTest::new(settings).await;
            let (mut ann, mut bob, mut cid) = (server.client(f), server.client(f), server.client(f));
            ann.says([f.login("ann"), f.enter(4)].concat()).await;
            ann.hears(&[f.result(702, OK), f.entered(OK, 4, 1)]).await;
            bob.says([f.login("bob"), f.enter(4)].concat()).await;
            bob.hears(&[f.result(702, OK), f.users(&[(1, "ann")]), f.entered(OK, 4, 2)]).await;
            cid.says([f.login("cid"), f.enter(4)].concat()).await;
            cid.hears(&[f.result(702, OK), f.users(&[(1, "ann"), (2, "bob")]), f.entered(OK, 4, 3)]).await;
            bob.hears(&[f.came(3, "cid")]).await;
            let (relay, relayed) = (f.relay(&[9; 1000]), f.relayed(2, &[9; 1000]));
            let mut gone = [false; 2];
            for _ in 0..MOST / relayed.len() {
                bob.says(&relay).await;
                for (client, gone) in [&mut bob, &mut cid].into_iter().zip(&mut gone) {
                    let mut came = packet(client).await;
                    if came == f.went(1) {
                        assert!(!std::mem::replace(gone, true), "once");
                        came = packet(client).await;
                    }
                    assert!(came == relayed, "{f:?}: {:02x?}", &came[..16]);
                }
            }
            assert_eq!(gone, [true; 2], "{f:?}");
            drop((ann, bob, cid));
            server.ends_empty().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_reads_all_the_time_hears_what_everybody_says_in_one_burst() {
    // Just below what the requests a second allow at once, and as long as a packet may be.
    const EACH: usize = 190;
    let server = InTest::new(Settings::default()).await;
    let mut clients: Vec<_> = (0..4).map(|_| server.client(Raw)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.says([Raw.login(format!("user{number}")), Raw.enter(4)].concat()).await;
        while packet(client).await[2..4] != 722_u16.to_le_bytes() {}
    }
    let burst = Raw.relay(&[9; 1019]).repeat(EACH);
    let all = clients.len() * EACH * Raw.relayed(1, &[9; 1019]).len();
    let mut readers = JoinSet::new();
    let mut writers = Vec::new();
    for client in clients {
        let (mut read, mut write) = tokio::io::split(client.0);
        readers.spawn(async move {
            let (mut heard, mut bytes) = (0, vec![0; 64 * 1024]);
            while heard < all {
                match read.read(&mut bytes).await.unwrap() {
                    0 => panic!("closed after {heard} bytes of {all}"),
                    more => heard += more,
                }
            }
        });
        let burst = burst.clone();
        // Each gives its half back, so that it is open for as long as there is something to read.
        writers.push(tokio::spawn(async move {
            write.write_all(&burst).await.unwrap();
            write
        }));
    }
    readers.join_all().await;
}
