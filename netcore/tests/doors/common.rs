//! The game, and peers.

use std::future::Future;
use std::time::Duration;

use netcore::{CloseReason, Connection, Packet, Running, Snapshot};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

#[derive(Packet, Clone, Debug, PartialEq)]
pub(crate) enum Ask {
    /// Answered by the same number.
    #[packet(id = 1)]
    Say { n: u32 },
    /// Answered by the peer's address.
    #[packet(id = 2)]
    Who,
}

#[derive(Packet, Clone, Debug, PartialEq)]
pub(crate) enum Hear {
    #[packet(id = 101)]
    Said { n: u32 },
    #[packet(id = 102)]
    You {
        #[raw(rest)]
        address: String,
    },
    #[packet(id = 103)]
    Bye { code: u16 },
}

pub(crate) fn bye(reason: CloseReason) -> Option<Hear> {
    Some(Hear::Bye { code: reason.code() })
}

/// The game, a task a session.
pub(crate) async fn session(
    mut peer: Connection<Ask, Hear>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    while let Some(ask) = peer.recv().await? {
        match ask {
            Ask::Say { n } => peer.send(&Hear::Said { n })?,
            Ask::Who => {
                let address = peer.address().map(|address| address.to_string());
                peer.send(&Hear::You { address: address.unwrap_or_default() })?;
            }
        }
    }
    Ok(())
}

/// A packet's bytes, written down independently of the library.
pub(crate) fn packet(id: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = u16::try_from(body.len() + 5).unwrap().to_le_bytes().to_vec();
    bytes.extend(id.to_le_bytes());
    bytes.push(0);
    bytes.extend(body);
    bytes
}

pub(crate) fn say(n: u32) -> Vec<u8> {
    packet(1, &n.to_le_bytes())
}

pub(crate) fn said(n: u32) -> Vec<u8> {
    packet(101, &n.to_le_bytes())
}

/// Asks and hears the answer.
pub(crate) async fn round(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), n: u32) {
    stream.write_all(&say(n)).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = [0; 9];
    within(stream.read_exact(&mut answer)).await.expect("an answer");
    assert_eq!(answer[..], said(n));
}

/// Everything until the server closes.
pub(crate) async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset, where the server has closed with our bytes unread, is an end too.
    let _ = within(stream.read_to_end(&mut bytes)).await;
    bytes
}

/// Waits until the server has counted what is expected.
pub(crate) async fn until(running: &Running, what: &str, done: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let looking = async {
        loop {
            let stats = running.stats();
            if done(&stats) {
                return stats;
            }
            tokio::task::yield_now().await;
        }
    };
    match tokio::time::timeout(GUARD, looking).await {
        Ok(stats) => stats,
        Err(_) => panic!("never {what}: {:?}", running.stats()),
    }
}

pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(GUARD, work).await.expect("in time")
}

/// A guard against hangs, not a wait.
pub(crate) const GUARD: Duration = Duration::from_secs(30);

/// On a stopped clock: everyone does what there is to do.
pub(crate) async fn settled() {
    tokio::time::sleep(Duration::from_nanos(1)).await;
}
