//! Decoding and encoding written by hand: what netcore's typed packets are held against.

use bytes::BytesMut;
use netcore::Packet;

use crate::packets::{Large, Medium, Mixed, Small};

/// A stream that is no such packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// A buffer that packets are written to.
pub trait Out {
    /// Appends bytes.
    fn put(&mut self, bytes: &[u8]);
}

impl Out for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl Out for BytesMut {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// The hand-written peer of a derived packet enum.
pub trait Hand: Packet {
    /// Reads one body. It checks what netcore checks: the id, and that the body has exactly its fields.
    ///
    /// # Errors
    /// [`Malformed`].
    fn read(id: u16, body: &[u8]) -> Result<Self, Malformed>;

    /// Writes header and body, in one piece.
    fn write(&self, to: &mut impl Out);

    /// The sum of all fields: the least that can be done with every one of them, so that what it takes to read them
    /// shows.
    fn sum(&self) -> u64;
}

/// A header of type 0. `body` fits: the peers know their packets.
#[inline]
#[must_use]
pub const fn head(id: u16, body: usize) -> [u8; 5] {
    let [s0, s1] = (body as u16 + 5).to_le_bytes();
    let [i0, i1] = id.to_le_bytes();
    [s0, s1, i0, i1, 0]
}

/// Walks over every complete packet of `wire`, and says how many bytes they took.
///
/// # Errors
/// [`Malformed`] at the first packet that is.
#[inline]
pub fn walk<P: Hand>(wire: &[u8], mut each: impl FnMut(P)) -> Result<usize, Malformed> {
    let mut rest = wire;
    while let Some(([s0, s1, i0, i1, _], behind)) = rest.split_first_chunk() {
        let size = usize::from(u16::from_le_bytes([*s0, *s1]));
        let body = size.checked_sub(5).ok_or(Malformed)?;
        let Some((body, next)) = behind.split_at_checked(body) else { break };
        each(P::read(u16::from_le_bytes([*i0, *i1]), body)?);
        rest = next;
    }
    Ok(wire.len() - rest.len())
}

/// A refusal that takes a pointer, as one does that says what is wrong, and where.
#[derive(Debug)]
pub struct Boxed(pub Box<[u64; 6]>);

/// [`walk`] with such a refusal: an item is a `Result` like netcore's.
#[inline]
pub fn walk_boxed<P: Hand>(wire: &[u8], mut each: impl FnMut(Result<P, Boxed>)) -> usize {
    #[cold]
    fn refused() -> Boxed {
        Boxed(Box::new([0; 6]))
    }
    let mut rest = wire;
    while let Some(([s0, s1, i0, i1, _], behind)) = rest.split_first_chunk() {
        let size = usize::from(u16::from_le_bytes([*s0, *s1]));
        let Some((body, next)) = size.checked_sub(5).and_then(|body| behind.split_at_checked(body)) else {
            break;
        };
        each(match P::read(u16::from_le_bytes([*i0, *i1]), body) {
            Ok(packet) => Ok(packet),
            Err(Malformed) => Err(refused()),
        });
        rest = next;
    }
    wire.len() - rest.len()
}

/// A packet in one piece: its header, then its fields from the items of `fields`.
#[inline]
pub(crate) fn whole<const N: usize>(id: u16, fill: impl FnOnce(&mut [u8])) -> [u8; N] {
    let mut packet = [0; N];
    let (front, body) = packet.split_at_mut(5);
    front.copy_from_slice(&head(id, N - 5));
    fill(body);
    packet
}

#[inline]
pub(crate) fn fours<const N: usize>(numbers: [u32; N], to: &mut [u8]) {
    for (slot, number) in to.as_chunks_mut().0.iter_mut().zip(numbers) {
        *slot = number.to_le_bytes();
    }
}

#[inline]
pub(crate) fn eights<const N: usize>(numbers: [u64; N], to: &mut [u8]) {
    for (slot, number) in to.as_chunks_mut().0.iter_mut().zip(numbers) {
        *slot = number.to_le_bytes();
    }
}

#[inline]
fn sum<const N: usize>(numbers: [u32; N]) -> u64 {
    numbers.into_iter().map(u64::from).sum()
}

impl Hand for Small {
    #[inline]
    fn read(id: u16, body: &[u8]) -> Result<Self, Malformed> {
        let number = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes);
        match (id, body.as_chunks()) {
            (16, ([entity, x, y, z], [])) => {
                Ok(Self::Step { entity: number(entity), x: number(x), y: number(y), z: number(z) })
            }
            (17, ([entity, heading], [])) => {
                Ok(Self::Turn { entity: number(entity), heading: f32::from_le_bytes(*heading) })
            }
            (18, ([], [])) => Ok(Self::Leave),
            _ => Err(Malformed),
        }
    }

    #[inline]
    fn write(&self, to: &mut impl Out) {
        match self {
            Self::Step { entity, x, y, z } => {
                to.put(&whole::<21>(16, |body| fours([*entity, *x, *y, *z], body)));
            }
            Self::Turn { entity, heading } => {
                to.put(&whole::<13>(17, |body| fours([*entity, heading.to_bits()], body)));
            }
            Self::Leave => to.put(&head(18, 0)),
        }
    }

    #[inline]
    fn sum(&self) -> u64 {
        match *self {
            Self::Step { entity, x, y, z } => sum([entity, x, y, z]),
            Self::Turn { entity, heading } => sum([entity, heading.to_bits()]),
            Self::Leave => 0,
        }
    }
}

impl Hand for Medium {
    #[inline]
    fn read(id: u16, body: &[u8]) -> Result<Self, Malformed> {
        let four = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes);
        let eight = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
        match (id, body.len()) {
            (64, 64) => {
                let (fours, eights) = body.split_at(32);
                let ([entity, x, y, z, vx, vy, vz, flags], []) = fours.as_chunks() else {
                    return Err(Malformed);
                };
                let ([tick, owner, target, party], []) = eights.as_chunks() else { return Err(Malformed) };
                Ok(Self::State {
                    entity: four(entity),
                    x: four(x),
                    y: four(y),
                    z: four(z),
                    vx: four(vx),
                    vy: four(vy),
                    vz: four(vz),
                    flags: four(flags),
                    tick: eight(tick),
                    owner: eight(owner),
                    target: eight(target),
                    party: eight(party),
                })
            }
            (65, 8) => body.first_chunk().map(|tick| Self::Seen { tick: eight(tick) }).ok_or(Malformed),
            (66, 0) => Ok(Self::Leave),
            _ => Err(Malformed),
        }
    }

    #[inline]
    fn write(&self, to: &mut impl Out) {
        match self {
            Self::State { entity, x, y, z, vx, vy, vz, flags, tick, owner, target, party } => {
                to.put(&whole::<69>(64, |body| {
                    let (front, back) = body.split_at_mut(32);
                    fours([*entity, *x, *y, *z, *vx, *vy, *vz, *flags], front);
                    eights([*tick, *owner, *target, *party], back);
                }));
            }
            Self::Seen { tick } => to.put(&whole::<13>(65, |body| eights([*tick], body))),
            Self::Leave => to.put(&head(66, 0)),
        }
    }

    #[inline]
    fn sum(&self) -> u64 {
        match *self {
            Self::State { entity, x, y, z, vx, vy, vz, flags, tick, owner, target, party } => {
                sum([entity, x, y, z, vx, vy, vz, flags])
                    .wrapping_add(tick)
                    .wrapping_add(owner)
                    .wrapping_add(target)
                    .wrapping_add(party)
            }
            Self::Seen { tick } => tick,
            Self::Leave => 0,
        }
    }
}

impl Hand for Large {
    #[inline]
    fn read(id: u16, body: &[u8]) -> Result<Self, Malformed> {
        match (id, body.len()) {
            (512, 512) => {
                let (x, rest) = body.split_first_chunk().ok_or(Malformed)?;
                let (y, rest) = rest.split_first_chunk().ok_or(Malformed)?;
                let (tick, rest) = rest.split_first_chunk().ok_or(Malformed)?;
                let mut heights = [0; 124];
                for (height, bytes) in heights.iter_mut().zip(rest.as_chunks().0) {
                    *height = u32::from_le_bytes(*bytes);
                }
                Ok(Self::Terrain {
                    x: u32::from_le_bytes(*x),
                    y: u32::from_le_bytes(*y),
                    tick: u64::from_le_bytes(*tick),
                    heights,
                })
            }
            (513, 8) => {
                body.first_chunk().map(|tick| Self::Seen { tick: u64::from_le_bytes(*tick) }).ok_or(Malformed)
            }
            (514, 0) => Ok(Self::Leave),
            _ => Err(Malformed),
        }
    }

    #[inline]
    fn write(&self, to: &mut impl Out) {
        match self {
            Self::Terrain { x, y, tick, heights } => {
                to.put(&whole::<517>(512, |body| {
                    fours([*x, *y], body);
                    eights([*tick], &mut body[8..]);
                    fours(*heights, &mut body[16..]);
                }));
            }
            Self::Seen { tick } => to.put(&whole::<13>(513, |body| eights([*tick], body))),
            Self::Leave => to.put(&head(514, 0)),
        }
    }

    #[inline]
    fn sum(&self) -> u64 {
        match self {
            Self::Terrain { x, y, tick, heights } => {
                sum([*x, *y]).wrapping_add(*tick).wrapping_add(sum(*heights))
            }
            Self::Seen { tick } => *tick,
            Self::Leave => 0,
        }
    }
}

impl Hand for Mixed {
    #[inline]
    fn read(id: u16, body: &[u8]) -> Result<Self, Malformed> {
        let float = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
        match (id, body.as_chunks()) {
            (16, ([entity, x, y, z], [])) => {
                Ok(Self::Step { entity: u32::from_le_bytes(*entity), x: float(x), y: float(y), z: float(z) })
            }
            (18, ([], [])) => Ok(Self::Leave),
            _ => Err(Malformed),
        }
    }

    #[inline]
    fn write(&self, to: &mut impl Out) {
        match self {
            Self::Step { entity, x, y, z } => {
                to.put(&whole::<21>(16, |body| {
                    fours([*entity, x.to_bits(), y.to_bits(), z.to_bits()], body);
                }));
            }
            Self::Leave => to.put(&head(18, 0)),
        }
    }

    #[inline]
    fn sum(&self) -> u64 {
        match *self {
            Self::Step { entity, x, y, z } => sum([entity, x.to_bits(), y.to_bits(), z.to_bits()]),
            Self::Leave => 0,
        }
    }
}
