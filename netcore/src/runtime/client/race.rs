//! Which of a server's addresses to speak with: a name has several, and some of them may not answer.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Connects to the address that answers first. They are tried one after the other, each with a head start, and those that
/// have not answered are still waited for (RFC 8305): an address without a way to it costs that, and not the whole time
/// there is for connecting.
pub(super) async fn connect(address: &str) -> io::Result<TcpStream> {
    race(in_turns(lookup_host(address).await?), TcpStream::connect).await
}

async fn race<T, F>(addresses: VecDeque<SocketAddr>, connect: impl Fn(SocketAddr) -> F) -> io::Result<T>
where
    T: Send + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let mut left = addresses.into_iter();
    // Dropped, it ends all of them.
    let mut tries = JoinSet::new();
    let mut failed = None;
    loop {
        if let Some(address) = left.next() {
            tries.spawn(connect(address));
        }
        tokio::select! {
            tried = tries.join_next() => match tried.map(|tried| tried.map_err(io::Error::other).flatten()) {
                Some(Ok(stream)) => return Ok(stream),
                // The first: the resolver's own order puts what fits best in front.
                Some(Err(error)) => failed = failed.or(Some(error)),
                None => return Err(failed.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into())),
            },
            () = sleep(HEAD_START), if left.len() > 0 => {}
        }
    }
}

/// The resolver's order, but IPv6 and IPv4 by turns: where one of them has no way at all, the second is of the other.
fn in_turns(addresses: impl Iterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let mut all: VecDeque<_> = addresses.collect();
    let first = all.front().is_some_and(SocketAddr::is_ipv6);
    let (mut same, mut other): (VecDeque<_>, VecDeque<_>) =
        all.drain(..).partition(|it| it.is_ipv6() == first);
    while let Some(address) = same.pop_front() {
        all.push_back(address);
        all.extend(other.pop_front());
    }
    all.extend(other);
    all
}

/// What an address has for itself before the next one is tried as well.
const HEAD_START: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;

    fn addresses<const N: usize>(all: [&str; N]) -> impl Iterator<Item = SocketAddr> {
        all.into_iter().map(|it| SocketAddr::new(it.parse().unwrap(), 9000)).collect::<Vec<_>>().into_iter()
    }

    async fn among<const N: usize>(all: [&str; N]) -> io::Result<SocketAddr> {
        race(in_turns(addresses(all)), async |address: SocketAddr| match address.ip().to_string().as_str() {
            "::1" => pending().await,
            "127.0.0.1" => Err(io::ErrorKind::ConnectionRefused.into()),
            "127.0.0.2" => Err(io::ErrorKind::ConnectionReset.into()),
            _ => Ok(address),
        })
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_without_a_way_to_it_costs_its_head_start() {
        let begun = Instant::now();
        assert_eq!(among(["::1", "::1", "127.0.0.9"]).await.unwrap().ip().to_string(), "127.0.0.9");
        assert_eq!(begun.elapsed(), HEAD_START);
    }

    #[tokio::test(start_paused = true)]
    async fn after_one_that_refuses_the_next_is_tried_at_once() {
        let begun = Instant::now();
        assert_eq!(among(["127.0.0.1", "127.0.0.9"]).await.unwrap().ip().to_string(), "127.0.0.9");
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_refuse_the_first_says_why() {
        let error = among(["127.0.0.1", "127.0.0.2"]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(among([]).await.is_err());
    }

    #[test]
    fn the_two_families_take_turns() {
        let order = |all: [&str; 5]| {
            in_turns(addresses(all)).into_iter().map(|it| it.ip().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            order(["::1", "::2", "::3", "127.0.0.1", "127.0.0.2"]),
            ["::1", "127.0.0.1", "::2", "127.0.0.2", "::3"]
        );
        assert_eq!(
            order(["127.0.0.1", "::1", "::2", "::3", "::4"]),
            ["127.0.0.1", "::1", "::2", "::3", "::4"]
        );
    }
}
