//! All connections, before the first packet.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::flags::Flags;

/// Connects. The error is a sentence.
pub(crate) async fn all(flags: &Arc<Flags>) -> Result<Vec<TcpStream>, String> {
    let addrs: Arc<[SocketAddr]> = match lookup_host(&flags.connect).await {
        Ok(addrs) => addrs.collect(),
        Err(error) => return Err(nobody(flags, &error)),
    };
    let doorway = Arc::new(Semaphore::new(AT_ONCE));
    let mut connecting = JoinSet::new();
    for _ in 0..flags.connections {
        let (flags, addrs, doorway) = (flags.clone(), addrs.clone(), doorway.clone());
        connecting.spawn(async move {
            let _place = doorway.acquire().await;
            let stream = timeout(flags.timeout(), TcpStream::connect(&addrs[..])).await??;
            stream.set_nodelay(true)?;
            Ok(stream)
        });
    }
    let mut streams = Vec::new();
    while let Some(connected) = connecting.join_next().await {
        match connected.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(stream) => streams.push(stream),
            Err(error) => return Err(why_not(flags, streams.len(), &error)),
        }
    }
    Ok(streams)
}

fn why_not(flags: &Flags, connected: usize, error: &io::Error) -> String {
    let (all, enough) = (flags.connections, flags.connections + 64);
    if support::is_short_of_files(error) {
        return format!(
            "{connected} of {all} connections are all that the system lets this process open: \
             run `ulimit -n {enough}` first, in the server's shell too"
        );
    }
    match connected {
        0 => nobody(flags, error),
        _ => {
            let words = support::words(error);
            format!("after {connected} of {all} connections, {} takes no more ({words})", flags.connect)
        }
    }
}

fn nobody(flags: &Flags, error: &io::Error) -> String {
    let words = support::words(error);
    format!("no server at {} ({words}): start one with `cargo run --release -p echo`", flags.connect)
}

/// More at once would overflow the server's backlog, and be tried again after a second.
const AT_ONCE: usize = 256;
