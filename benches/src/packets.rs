//! Packets with bodies of 16, 64 and 512 bytes, and streams of them.

use bytes::{Bytes, BytesMut};
use netcore::{Frame, Header, Packet};

use crate::hand::Hand;

/// How many bytes of packets one round of a measurement takes.
pub const ROUND: usize = 1024 * 1024;

/// Packets with bodies of up to 16 bytes.
#[derive(Packet, Clone, Debug, PartialEq)]
pub enum Small {
    /// 16 bytes: four numbers.
    #[packet(id = 16)]
    Step {
        /// Who steps.
        entity: u32,
        /// Where to.
        x: u32,
        /// Where to.
        y: u32,
        /// Where to.
        z: u32,
    },
    /// 8 bytes.
    #[packet(id = 17)]
    Turn {
        /// Who turns.
        entity: u32,
        /// Where to.
        heading: f32,
    },
    /// An empty body.
    #[packet(id = 18)]
    Leave,
}

/// Packets with bodies of up to 64 bytes.
#[derive(Packet, Clone, Debug, PartialEq)]
pub enum Medium {
    /// 64 bytes: eight numbers of 4 bytes and four of 8.
    #[packet(id = 64)]
    State {
        /// Who.
        entity: u32,
        /// Where.
        x: u32,
        /// Where.
        y: u32,
        /// Where.
        z: u32,
        /// How fast.
        vx: u32,
        /// How fast.
        vy: u32,
        /// How fast.
        vz: u32,
        /// A bit each.
        flags: u32,
        /// When.
        tick: u64,
        /// Whose.
        owner: u64,
        /// At whom.
        target: u64,
        /// With whom.
        party: u64,
    },
    /// 8 bytes.
    #[packet(id = 65)]
    Seen {
        /// When.
        tick: u64,
    },
    /// An empty body.
    #[packet(id = 66)]
    Leave,
}

/// Packets with bodies of up to 512 bytes.
#[derive(Packet, Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "the peer fills the same enum, so that both move the same bytes"
)]
pub enum Large {
    /// 512 bytes: three numbers and a list of fixed length.
    #[packet(id = 512)]
    Terrain {
        /// Where.
        x: u32,
        /// Where.
        y: u32,
        /// When.
        tick: u64,
        /// How high.
        heights: [u32; 124],
    },
    /// 8 bytes.
    #[packet(id = 513)]
    Seen {
        /// When.
        tick: u64,
    },
    /// An empty body.
    #[packet(id = 514)]
    Leave,
}

/// Packets of an integer and floats.
#[derive(Packet, Clone, Debug, PartialEq)]
pub enum Mixed {
    /// 16 bytes.
    #[packet(id = 16)]
    Step {
        /// Who steps.
        entity: u32,
        /// Where to.
        x: f32,
        /// Where to.
        y: f32,
        /// Where to.
        z: f32,
    },
    /// An empty body.
    #[packet(id = 18)]
    Leave,
}

/// Packets of which one keeps a slice of the read buffer.
#[derive(Packet, Clone, Debug, PartialEq)]
pub enum Relay {
    /// Any body.
    #[packet(id = 1)]
    Data(#[raw(rest)] Bytes),
    /// 8 bytes.
    #[packet(id = 2)]
    Seen {
        /// When.
        tick: u64,
    },
}

/// A set of packets that the measurements run over.
pub trait Sample: Hand + Clone {
    /// The length of the bodies in its streams.
    const BODY: usize;

    /// The `n`-th packet of a stream.
    fn sample(n: u32) -> Self;
}

impl Sample for Small {
    const BODY: usize = 16;

    fn sample(n: u32) -> Self {
        Self::Step { entity: n, x: n ^ 0x55aa, y: !n, z: n.rotate_left(7) }
    }
}

impl Sample for Medium {
    const BODY: usize = 64;

    fn sample(n: u32) -> Self {
        Self::State {
            entity: n,
            x: n ^ 0x55aa,
            y: !n,
            z: n.rotate_left(7),
            vx: n.rotate_left(3),
            vy: n.rotate_left(9),
            vz: n.rotate_left(11),
            flags: n & 0xff,
            tick: u64::from(n) << 3,
            owner: u64::from(n) << 17,
            target: u64::from(!n) << 13,
            party: u64::MAX - u64::from(n),
        }
    }
}

impl Sample for Large {
    const BODY: usize = 512;

    fn sample(n: u32) -> Self {
        let mut heights = [0; 124];
        for (height, at) in heights.iter_mut().zip(0..) {
            *height = n.rotate_left(at) ^ at;
        }
        Self::Terrain { x: n, y: !n, tick: u64::from(n) << 9, heights }
    }
}

impl Sample for Mixed {
    const BODY: usize = 16;

    fn sample(n: u32) -> Self {
        Self::Step { entity: n, x: n as f32, y: -(n as f32), z: n as f32 / 3.0 }
    }
}

/// How many packets with bodies of `body` bytes make up a round.
#[must_use]
pub const fn per_round(body: usize) -> usize {
    ROUND / (Header::LEN + body)
}

/// A round's packets.
#[must_use]
pub fn packets<P: Sample>() -> Vec<P> {
    (0..).map(P::sample).take(per_round(P::BODY)).collect()
}

/// A round's packets on the wire.
#[must_use]
pub fn stream<P: Sample>() -> Vec<u8> {
    let mut wire = Vec::with_capacity(ROUND);
    for packet in packets::<P>() {
        packet.write(&mut wire);
    }
    wire
}

/// A round of [`Relay::Data`] with bodies of `body` bytes on the wire.
#[must_use]
pub fn relay_stream(body: usize) -> Vec<u8> {
    let mut wire = BytesMut::with_capacity(ROUND);
    for _ in 0..per_round(body) {
        wire.extend_from_slice(&crate::hand::head(1, body));
        wire.resize(wire.len() + body, 7);
    }
    wire.into()
}

/// What all frames of the encoders' rounds point to. Cloning and dropping a slice of it counts no references, which is
/// the best case for an encoder that takes its input by value.
static BODY: [u8; 515] = [7; 515];

/// A round's frames with bodies of `body` bytes, 512 at most.
#[must_use]
pub fn frames(body: usize) -> Vec<Frame> {
    let bytes = Bytes::from_static(&BODY).slice(..body);
    (0..per_round(body)).map(|_| Frame::new(1, bytes.clone())).collect()
}

/// The same as `LengthDelimitedCodec` takes it: id and type byte stand in front of each body already.
#[must_use]
pub fn payloads(body: usize) -> Vec<Bytes> {
    let bytes = Bytes::from_static(&BODY).slice(..body + 3);
    vec![bytes; per_round(body)]
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use netcore::Packet;

    use super::{
        Large, Medium, Mixed, Relay, Sample, Small, frames, packets, payloads, per_round, relay_stream,
        stream,
    };
    use crate::encode;

    fn by_hand_as_by_netcore<P: Sample + std::fmt::Debug + PartialEq>() {
        let wire = stream::<P>();
        assert_eq!(wire.len(), per_round(P::BODY) * (P::BODY + 5));
        let mut through_netcore = BytesMut::new();
        for packet in packets::<P>() {
            packet.encode(&mut through_netcore, u16::MAX).unwrap();
        }
        assert_eq!(through_netcore, wire);
        const { assert!(!P::SHARES) }
    }

    #[test]
    fn by_hand_the_same_bytes_are_written() {
        by_hand_as_by_netcore::<Small>();
        by_hand_as_by_netcore::<Medium>();
        by_hand_as_by_netcore::<Large>();
        by_hand_as_by_netcore::<Mixed>();
    }

    #[test]
    fn every_encoder_of_frames_writes_as_much() {
        for body in [16, 64, 512] {
            let wire = relay_stream(body);
            let (mut by_netcore, mut by_tokio) = (BytesMut::new(), BytesMut::new());
            encode::frames(&frames(body), &mut by_netcore);
            encode::length_delimited(payloads(body), &mut by_tokio);
            assert_eq!(by_netcore, wire);
            assert_eq!(by_tokio.len(), wire.len());
            assert_eq!(by_tokio[..2], wire[..2]);
            assert_eq!(by_tokio[body + 5..][..2], wire[..2]);
        }
        const { assert!(Relay::SHARES) }
    }
}
