//! Packets of the wire for a game that speaks other types.

use std::marker::PhantomData;
use std::sync::Arc;

use bytes::BytesMut;

use super::Adapter;
use super::binary::Framing;
use crate::session::{Certain, Decode, Fault, Spoken};
use crate::{EncodeError, Packet};

/// Packets of the wire on one side, the game's types on the other.
pub(in crate::runtime) struct Mapped<B, WireIn, WireOut, F, G> {
    framing: B,
    incoming: Arc<F>,
    outgoing: G,
    types: PhantomData<fn(WireOut) -> WireIn>,
}

impl<B, WireIn, WireOut, F, G> Mapped<B, WireIn, WireOut, F, G> {
    pub(in crate::runtime) fn new(framing: B, incoming: F, outgoing: G) -> Self {
        Self { framing, incoming: Arc::new(incoming), outgoing, types: PhantomData }
    }
}

impl<B, WireIn, WireOut, In, Out, F, G> Adapter<In, Out> for Mapped<B, WireIn, WireOut, F, G>
where
    B: Framing,
    WireIn: Packet + 'static,
    WireOut: Packet + 'static,
    In: 'static,
    Out: 'static,
    F: Fn(WireIn) -> Result<In, Fault> + Send + Sync + 'static,
    G: Fn(&Out, &mut dyn FnMut(WireOut)) + Send + Sync + 'static,
{
    fn open(&self) -> Box<dyn Decode<In>> {
        let incoming = self.incoming.clone();
        self.framing.read(move |packet| incoming(packet))
    }

    fn encode(&self, packet: &Out, dst: &mut BytesMut) -> Result<(), EncodeError> {
        let mut result = Ok(());
        (self.outgoing)(packet, &mut |packet| {
            if result.is_ok() {
                result = self.framing.write(&packet, dst);
            }
        });
        result
    }

    fn spoken(&self) -> Spoken {
        Spoken::Packets { from: WireIn::SCHEMA, to: WireOut::SCHEMA }
    }

    fn certain(&self) -> Certain {
        Certain { plain: B::PLAIN, all_from: WireIn::CLOSED_SET, all_to: WireOut::CLOSED_SET }
    }

    fn of_clients(self) -> Self {
        Self { framing: self.framing.of_clients(), ..self }
    }
}
