use std::pin::Pin;
use std::task::Wake;

use futures::FutureExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::super::{pair, tests::in_time};
use super::*;

#[tokio::test]
async fn a_seed_gives_the_same_cuts_each_time_whatever_is_written_between() {
    let mut runs = Vec::new();
    for writes in [0, 3] {
        let (mut client, mut server) = pair(1_000);
        client.write_all(&[7; 200]).await.unwrap();
        server.faults().cut(42, 4);
        let mut sizes = Vec::new();
        for _ in 0..20 {
            for _ in 0..writes {
                assert!((1..=4).contains(&server.write(&[1; 50]).await.unwrap()));
            }
            sizes.push(server.read(&mut [0; 50]).await.unwrap());
        }
        assert!((1..=4).all(|size| sizes.contains(&size)), "{sizes:?}");
        server.faults().no_cut();
        assert_eq!(server.read(&mut [0; 50]).await.unwrap(), 50);
        runs.push(sizes);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test(start_paused = true)]
async fn stalls_hold_and_lifting_them_wakes_both_sides() {
    let (mut client, mut server) = pair(64);
    let faults = (client.faults(), server.faults());
    faults.0.stall_writes(true);
    faults.1.stall_reads(true);
    let writer = tokio::spawn(async move {
        client.write_all(b"late").await.unwrap();
        client
    });
    let reader = tokio::spawn(async move {
        let mut got = [0; 4];
        server.read_exact(&mut got).await.unwrap();
        (server, got)
    });
    tokio::task::yield_now().await;
    assert!(!writer.is_finished());
    faults.0.stall_writes(false);
    let client = in_time(writer).await.unwrap();
    tokio::task::yield_now().await;
    assert!(!reader.is_finished());
    faults.1.stall_reads(false);
    let (mut server, got) = in_time(reader).await.unwrap();
    assert_eq!(&got, b"late");

    // The end of the stream waits like any byte.
    faults.1.stall_reads(true);
    drop(client);
    assert!(server.read(&mut [0; 4]).now_or_never().is_none());
    faults.1.stall_reads(false);
    assert_eq!(server.read(&mut [0; 4]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_reset_fails_both_ends_and_wakes_whoever_waits() {
    let (client, server) = pair(4);
    let faults = server.faults();
    let ends = [client, server].map(|mut end| {
        tokio::spawn(async move {
            end.write_all(b"1234").await.unwrap();
            let written = end.write_all(b"5").await.unwrap_err().kind();
            (written, end.read(&mut [0; 8]).await.unwrap_err().kind())
        })
    });
    tokio::task::yield_now().await;
    faults.reset();
    for end in ends {
        let reset = ErrorKind::ConnectionReset;
        assert_eq!(in_time(end).await.unwrap(), (reset, reset));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_after_so_many_bytes_delivers_exactly_these() {
    for bytes in 0..10 {
        let (mut client, mut server) = pair(3);
        server.write_all(b"???").await.unwrap();
        let reader = tokio::spawn(async move {
            let mut got = Vec::new();
            (server.read_to_end(&mut got).await.unwrap_err().kind(), got)
        });
        client.faults().reset_after(bytes);
        let reset = ErrorKind::ConnectionReset;
        assert_eq!(in_time(client.write_all(b"0123456789")).await.unwrap_err().kind(), reset);
        assert_eq!(client.read(&mut [0; 4]).await.unwrap_err().kind(), reset);
        assert_eq!(in_time(reader).await.unwrap(), (reset, b"0123456789"[..bytes].to_vec()));
    }
}

#[test]
fn a_waker_may_use_the_connection_it_is_woken_by() {
    struct Reenters(Faults);
    impl Wake for Reenters {
        fn wake(self: Arc<Self>) {
            self.0.stall_writes(true);
        }
    }
    let (mut client, mut server) = pair(8);
    let waker = Waker::from(Arc::new(Reenters(client.faults())));
    let mut buf = [0; 8];
    let mut buf = ReadBuf::new(&mut buf);
    assert!(Pin::new(&mut server).poll_read(&mut Context::from_waker(&waker), &mut buf).is_pending());
    assert_eq!(client.write(b"a").now_or_never().unwrap().unwrap(), 1);
    assert!(client.write(b"b").now_or_never().is_none());
}
