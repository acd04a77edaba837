//! Packets that are passed on as they came.

use bytes::BytesMut;

use super::Adapter;
use crate::session::{Decode, Inbound};
use crate::{Batch, EncodeError, FrameCodec, FrameError};

/// Framed packets that the game passes on without looking into each: a [`Batch`] holds the whole packets of one read, in
/// one piece. For proxies, recorders, echoes: what is done for a packet is to check its size.
///
/// ```
/// use netcore::{Batch, Client, Connection, Door, Frame, Relay, SendError, Server};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::new().door(Door::tcp_with("127.0.0.1:0", Relay::new()));
/// let running = server
///     .serve(|mut peer: Connection<Batch, Batch>| async move {
///         while let Some(batch) = peer.recv().await? {
///             peer.send(&batch)?;
///         }
///         Ok::<_, SendError>(())
///     })
///     .await?;
///
/// let mut client = Client::<Frame, Frame>::connect(running.addr()).await?;
/// client.send(&Frame::new(101, "as it was"))?;
/// assert_eq!(client.recv().await?, Some(Frame::new(101, "as it was")));
/// # Ok(())
/// # }
/// ```
///
/// # Limits
/// A batch counts as one packet wherever packets are counted: by [`Limits::packets`](crate::Limits::packets), `tiny`,
/// `inbox` and `admission`, and by the server's counters. Bytes are counted as they are.
#[derive(Clone, Debug, Default)]
pub struct Relay {
    frames: FrameCodec,
}

impl Relay {
    /// With the wire's own limits.
    #[must_use]
    pub const fn new() -> Self {
        Self { frames: FrameCodec::new() }
    }

    /// The largest packet taken in, in bytes, header included.
    #[must_use]
    pub fn max_in(mut self, bytes: u16) -> Self {
        self.frames = self.frames.max_in(bytes);
        self
    }
}

impl Adapter<Batch, Batch> for Relay {
    fn open(&self) -> Box<dyn Decode<Batch>> {
        Box::new(self.clone())
    }

    #[inline]
    fn encode(&self, batch: &Batch, dst: &mut BytesMut) -> Result<(), EncodeError> {
        dst.extend_from_slice(batch.wire());
        Ok(())
    }
}

impl Decode<Batch> for Relay {
    fn decode(&mut self, input: &mut BytesMut, batch: &mut Inbound<Batch>) -> Result<(), FrameError> {
        let packets = self.frames.batch(input);
        let (size, error) = (packets.wire().len(), packets.error());
        if size > 0 {
            batch.push(Ok(if batch.may_share() { packets } else { packets.copied() }), size);
        }
        error.map_or(Ok(()), Err)
    }

    fn finish(&mut self, rest: &[u8]) -> Result<(), FrameError> {
        self.frames.finish(rest)
    }

    fn always_shares(&self) -> bool {
        false
    }
}
