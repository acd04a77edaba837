//! A write that the transport takes in part, while another thread sends.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use netcore::testing::serve_one;
use netcore::{Binary, Connection, PacketCodec};

use crate::common::*;

type Shared = Arc<Mutex<Option<Arc<Connection<Ask, Hear>>>>>;

/// Takes three bytes, or none, of the first write, while another thread sends.
struct Stutters {
    takes: Option<usize>,
    peer: Shared,
    written: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Stutters {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Stutters {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut len = buf.len();
        if let Some(takes) = self.takes.take() {
            let peer = self.peer.lock().unwrap().take().unwrap();
            thread::spawn(move || peer.send(&said(2)).unwrap()).join().unwrap();
            if takes == 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            len = takes;
        }
        self.written.lock().unwrap().extend_from_slice(&buf[..len]);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_thread_sends_does_not_stand_inside_a_packet_that_is_half_written() {
    for takes in [0, 3] {
        let (peer, written) = (Shared::default(), Arc::default());
        let stream = Stutters { takes: Some(takes), peer: peer.clone(), written: Arc::clone(&written) };
        let served = serve_one(stream, Binary::new(), move |own: Connection<Ask, Hear>| {
            let peer = peer.clone();
            async move {
                let own = Arc::new(own);
                *peer.lock().unwrap() = Some(own.clone());
                own.send(&said(1)).unwrap();
                let mut turns = 0;
                poll_fn(|cx| {
                    turns += 1;
                    cx.waker().wake_by_ref();
                    if turns > 3 { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
            }
        });
        within(served).await;
        let mut bytes = BytesMut::from(&written.lock().unwrap()[..]);
        let all: Result<Vec<_>, _> = PacketCodec::<Hear, Ask>::new().packets(&mut bytes).collect();
        assert_eq!(all.unwrap(), [said(1), said(2)], "{takes} bytes first");
    }
}
