//! Frames in pieces, for the fuzz target that compares them with a walk over the whole stream.

use super::frames::{Found, Frames};
use crate::session::WebSocketFault;

/// What came of a stream of frames.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pieces {
    pub(crate) data: Vec<u8>,
    /// The peer has closed, with that code.
    pub(crate) close: Option<Option<u16>>,
    pub(crate) fault: Option<WebSocketFault>,
    /// Frames that held no data, as far as it was read.
    pub(crate) empty: u32,
}

/// Reads a stream in pieces of that size. It ends where the peer closes or does what it must not.
pub(crate) fn frames_in_pieces(stream: &[u8], piece: usize, from_client: bool, max_message: u64) -> Pieces {
    let mut frames = Frames::new(from_client, max_message);
    let mut all = Pieces::default();
    for piece in stream.chunks(piece.max(1)) {
        let mut piece = piece.to_vec();
        let mut found = Found::default();
        let (len, result) = frames.decode(&mut piece, &mut found);
        all.data.extend_from_slice(piece.get(..len).unwrap_or_default());
        all.empty += found.empty;
        if result.is_err() {
            all.fault = result.err();
            return all;
        }
        if found.close.is_some() {
            all.close = found.close;
            return all;
        }
    }
    all
}
