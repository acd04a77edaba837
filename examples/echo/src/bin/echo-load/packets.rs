//! What is sent, and what must come back.

use bytes::Bytes;
use netcore::{Frame, Header, PacketId, PacketType};

/// Makes a connection's packets: the same each time, so that an answer is compared with the packet made anew.
#[derive(Clone)]
pub(crate) struct Packets {
    id: PacketId,
    size: usize,
    // Each body is a slice of it, from a place of its own.
    noise: Bytes,
    seed: usize,
}

impl Packets {
    /// Those of connection 0.
    pub(crate) fn new(id: u16, size: u16) -> Self {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let words = (PLACES + Header::MAX_BODY).div_ceil(8);
        let noise = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        });
        let noise: Vec<u8> = noise.take(words).flatten().collect();
        Self { id: PacketId(id), size: usize::from(size), noise: noise.into(), seed: 0 }
    }

    /// Those of another connection.
    pub(crate) fn of(&self, connection: u32) -> Self {
        Self { seed: (connection as usize).wrapping_mul(40_503), ..self.clone() }
    }

    /// Packet number `index`, counted from 0. No two that are on their way at once start at one place: the factor is odd,
    /// and a window is at most as large as there are places.
    pub(crate) fn packet(&self, index: u64) -> Frame {
        let [low, ..] = index.to_le_bytes();
        let at = (index as usize).wrapping_mul(0x9e37).wrapping_add(self.seed) % PLACES;
        Frame { id: self.id, kind: PacketType(low), body: self.noise.slice(at..at + self.size) }
    }
}

/// A frame in a few words.
pub(crate) fn describe(frame: &Frame) -> String {
    let head: Vec<u8> = frame.body.iter().copied().take(8).collect();
    format!("id {} type {} body of {} bytes {head:02x?}…", frame.id, frame.kind.0, frame.body.len())
}

const PLACES: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::Packets;

    #[test]
    fn packets_are_the_same_each_time_and_differ_from_their_neighbours() {
        let packets = Packets::new(101, 64).of(3);
        for index in 0..1000 {
            assert_eq!(packets.packet(index), Packets::new(101, 64).of(3).packet(index));
            assert_ne!(packets.packet(index).body, packets.packet(index + 1).body);
            assert_ne!(packets.packet(index).body, packets.of(4).packet(index).body);
            assert_eq!((packets.packet(index).id.0, packets.packet(index).kind.0), (101, index as u8));
        }
    }

    #[test]
    fn the_smallest_and_the_largest_body_can_be_made_for_every_index() {
        for size in [0, 1, 65_530] {
            let packets = Packets::new(1, size).of(9);
            for index in (0..70_000).step_by(77).chain([u64::MAX]) {
                assert_eq!(packets.packet(index).body.len(), usize::from(size));
            }
        }
    }
}
