//! A door's side towards the peers: what turns the game's packets into bytes.

use std::marker::PhantomData;
use std::sync::Arc;

use bytes::BytesMut;

use super::Adapter;
use crate::EncodeError;
use crate::session::Slow;

/// How packets for one kind of door are encoded, and what becomes of them if their peer is slow.
pub(crate) struct Encoding<Out> {
    pub(crate) encode: Arc<dyn Encode<Out>>,
    // `None`: never dropped.
    pub(crate) slow: Option<fn(&Out) -> Slow>,
    /// The door's name. Here, where a worker has it once for all its sessions.
    pub(crate) door: Arc<str>,
}

impl<Out> Encoding<Out> {
    /// Appends a packet to `dst`, or leaves it as it was: after an error, and after a panic of the game's own code.
    #[inline]
    pub(crate) fn append(&self, packet: &Out, dst: &mut BytesMut) -> Result<(), EncodeError> {
        let begun = Begun { before: dst.len(), dst };
        self.encode.encode(packet, begun.dst)?;
        std::mem::forget(begun);
        Ok(())
    }

    #[inline]
    pub(crate) fn slow(&self, packet: &Out) -> Slow {
        self.slow.map_or(Slow::Disconnect, |slow| slow(packet))
    }
}

/// A packet that is being written behind others.
struct Begun<'a> {
    dst: &'a mut BytesMut,
    before: usize,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.dst.truncate(self.before);
    }
}

/// An adapter's side towards the peer.
pub(crate) trait Encode<Out>: Send + Sync {
    fn encode(&self, packet: &Out, dst: &mut BytesMut) -> Result<(), EncodeError>;
    fn tell(&self, words: &str, dst: &mut BytesMut) -> bool;
}

/// An adapter without the type that it reads.
pub(crate) struct Writes<A, In>(pub(crate) Arc<A>, pub(crate) PhantomData<fn() -> In>);

impl<In: 'static, Out, A: Adapter<In, Out>> Encode<Out> for Writes<A, In> {
    fn encode(&self, packet: &Out, dst: &mut BytesMut) -> Result<(), EncodeError> {
        self.0.encode(packet, dst)
    }

    fn tell(&self, words: &str, dst: &mut BytesMut) -> bool {
        self.0.tell(words, dst)
    }
}

impl<Out> Clone for Encoding<Out> {
    fn clone(&self) -> Self {
        Self { encode: self.encode.clone(), slow: self.slow, door: self.door.clone() }
    }
}
