//! That no two reasons look alike to a peer or a recorder.

use super::*;

#[test]
fn every_reason_has_a_code_and_a_label_of_its_own() {
    let second = Duration::from_secs(1);
    let all = [
        CloseReason::PeerClosed,
        CloseReason::Broken(io::ErrorKind::BrokenPipe),
        CloseReason::Frame(FrameError::SizeBelowHeader { size: 0 }),
        CloseReason::Malformed(PacketId(1)),
        CloseReason::Unknown(PacketId(1)),
        CloseReason::BadLine,
        CloseReason::Inflate(PacketId(1), InflateError::Damaged),
        CloseReason::Hello(HelloFault::BadSchema),
        CloseReason::Version,
        CloseReason::Proxy(ProxyFault::Missing),
        CloseReason::Tls(TlsFault::NotTls),
        CloseReason::WebSocket(WebSocketFault::NotUpgrade),
        CloseReason::FirstPacket(second),
        CloseReason::Login(second),
        CloseReason::Unfinished(second),
        CloseReason::Idle(second),
        CloseReason::Handshake(second),
        CloseReason::PacketRate,
        CloseReason::ByteRate,
        CloseReason::TinyRate,
        CloseReason::Admission,
        CloseReason::InflateRate,
        CloseReason::QueueFull(1),
        CloseReason::Stalled(second),
        CloseReason::ServerQueueFull,
        CloseReason::Unflushed(second),
        CloseReason::ServerFull,
        CloseReason::AddressFull,
        CloseReason::Handshakes,
        CloseReason::Stopping,
        CloseReason::Panicked,
        CloseReason::Ended,
        CloseReason::Game(1000),
    ];
    for (index, reason) in all.iter().enumerate() {
        assert_eq!(reason.index(), index, "{reason:?}");
    }
    assert_eq!(all.len(), CloseReason::labels().len());
    let mut codes: Vec<u16> = all.iter().map(CloseReason::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
    let own = |reason: &CloseReason| matches!(reason, CloseReason::Game(_));
    assert!(all.iter().all(|reason| own(reason) || (1..GAMES_OWN).contains(&reason.code())));
}

#[test]
fn no_number_of_a_games_own_is_taken_for_a_reason_of_netcores() {
    for (number, code) in
        [(0, 62), (10, 62), (41, 62), (99, 62), (100, 100), (1000, 1000), (u16::MAX, u16::MAX)]
    {
        let reason = CloseReason::Game(number);
        assert_eq!((reason.code(), reason.label(), reason.is_peers_fault()), (code, "game", false));
        assert_eq!(reason.to_string(), format!("closed by the game, with code {number}"));
    }
}
