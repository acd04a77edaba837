//! Bodies that are compressed on the wire: bit 0 of the type byte.

use std::cell::Cell;

use bytes::Bytes;
use lz4_flex::block::{CompressTable, compress_into_with_table, decompress_into, get_maximum_output_size};

use super::{Frame, Header, InflateError, PacketType};

/// How bodies are compressed, and what those of the peer may cost. LZ4, which takes little time and finds what repeats
/// within one body: text, lists, maps with the same keys.
///
/// ```text
/// offset  0        4        5                 9
///         +--------+--------+--------+--------+---- … ----+
///         | header | type 1 | length u32 (LE) | LZ4 block |     length: the body's, once it is inflated
///         +--------+--------+--------+--------+---- … ----+
/// ```
///
/// Both sides turn it on, a door and its clients: [`Binary::compress`](crate::Binary::compress). From then on bit 0 of the
/// type byte is netcore's own: it says whether a body is compressed, and a packet reaches the game without it. What the
/// game sets there itself, in a [`Frame`] or a catch-all variant, is dropped. (A heartbeat's ping is sent as it is: leave the
/// bit out of it.) Where compression is off, the bit is the application's like the other seven.
///
/// A body is compressed if it has [`threshold`](Self::threshold) bytes and becomes smaller by it.
///
/// Alone, it turns one frame into another:
///
/// ```
/// use netcore::{Compress, Frame, InflateError, PacketType};
///
/// let compress = Compress::new();
/// let frame = Frame::new(723, vec![7; 1000]);
/// let packed = compress.pack(&frame);
/// assert_eq!(packed.kind, PacketType::COMPRESSED);
/// assert_eq!(packed.body[..4], 1000_u32.to_le_bytes());
/// assert!(packed.body.len() < 30);
/// assert_eq!(compress.unpack(&packed)?, frame);
///
/// let liar = Frame { body: vec![0xff; 9].into(), ..packed };
/// let error = InflateError::TooLarge { claimed: u32::MAX, max: 65_530 };
/// assert_eq!(compress.unpack(&liar), Err(error));
/// # Ok::<_, InflateError>(())
/// ```
///
/// | setting | default | |
/// |---|---|---|
/// | [`threshold`](Self::threshold) | 256 bytes of body | from there on it is tried |
/// | [`max_inflated`](Self::max_inflated) | as [`max_in`](crate::Binary::max_in) | one packet in |
/// | [`inflated_rate`](Self::inflated_rate) | 4 MiB a second, 8 MiB at once; off for clients | all packets of a session |
///
/// # Memory
/// Compressing and inflating use memory of the thread, up to 150 KB, which is kept. A length that a body claims is judged
/// before a byte is made for it: against the limit, and against what LZ4 can hold in so many bytes.
///
/// # Secrets
/// How small a body becomes tells something of what is in it. Do not put a secret and what a stranger chose into one packet
/// where somebody may see the sizes, also below TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Compress {
    threshold: u16,
    max_inflated: Option<u16>,
    // `None` where it was not set: then it is for each side to say.
    rate: Option<(u32, u32)>,
}

impl Compress {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self { threshold: 256, max_inflated: None, rate: None }
    }

    /// From how many bytes of body on it is tried. A small body has little that repeats, and costs much the same.
    #[must_use]
    pub const fn threshold(mut self, bytes: u16) -> Self {
        self.threshold = bytes;
        self
    }

    /// The largest packet in once it is inflated, in bytes, header included. Unless it is set, a packet may be as large
    /// inflated as on the wire.
    #[must_use]
    pub const fn max_inflated(mut self, bytes: u16) -> Self {
        self.max_inflated = Some(bytes);
        self
    }

    /// How many bytes a second the compressed bodies of one session may inflate to, and how many at once after a silence,
    /// the largest packet at least. A session over it is closed: [`CloseReason::InflateRate`](crate::CloseReason).
    ///
    /// A peer makes 255 bytes of each that it sends; this bounds what that costs, and [`Limits::bytes`](crate::Limits::bytes)
    /// sees only what was on the wire.
    ///
    /// A client has no such bound unless it is set: it trusts its own server, whose log-in burst is as large as the game is.
    /// (An [`Adapter`](crate::Adapter) of one's own around [`Packed`](crate::Binary::compress) says so by
    /// [`of_clients`](crate::Adapter::of_clients).)
    #[must_use]
    pub const fn inflated_rate(mut self, per_second: u32, burst: u32) -> Self {
        self.rate = Some((per_second, burst));
        self
    }

    /// The frame as a sender with compression on lets it out: its body compressed, if that makes it smaller, and bit 0 of
    /// the type saying so.
    #[must_use]
    pub fn pack(&self, frame: &Frame) -> Frame {
        let kind = frame.kind.without(PacketType::COMPRESSED);
        with_tools(|tools| match self.smaller(&frame.body, tools) {
            Some(body) => Frame {
                id: frame.id,
                kind: kind.with(PacketType::COMPRESSED),
                body: Bytes::copy_from_slice(body),
            },
            None => Frame { kind, ..frame.clone() },
        })
    }

    /// The frame as a receiver with compression on takes it in: its body inflated, if bit 0 of the type says that it is
    /// compressed. The rate has no meaning here: a frame has no time.
    ///
    /// # Errors
    /// When the body does not inflate, or not within the limit.
    pub fn unpack(&self, frame: &Frame) -> Result<Frame, InflateError> {
        if !frame.kind.contains(PacketType::COMPRESSED) {
            return Ok(frame.clone());
        }
        let kind = frame.kind.without(PacketType::COMPRESSED);
        let claim = Claim::read(&frame.body, self.inflated_limit(u16::MAX))?;
        inflated(claim, |body| Frame { id: frame.id, kind, body: Bytes::copy_from_slice(body) })
    }

    /// Does to the packet that `dst` ends with, from `start` on, what [`pack`](Self::pack) does to a frame.
    #[cfg(feature = "runtime")]
    pub(crate) fn pack_last(&self, dst: &mut bytes::BytesMut, start: usize) {
        let Some((front, body)) = dst.get_mut(start..).and_then(|packet| packet.split_first_chunk_mut())
        else {
            return;
        };
        let Ok(header) = Header::parse(*front) else { return };
        let kind = header.kind.without(PacketType::COMPRESSED);
        let (kind, len) = with_tools(|tools| {
            if let Some(packed) = self.smaller(body, tools)
                && let Some(room) = body.get_mut(..packed.len())
            {
                room.copy_from_slice(packed);
                return (kind.with(PacketType::COMPRESSED), packed.len());
            }
            (kind, body.len())
        });
        if let Ok(header) = Header::new(header.id, kind, len) {
            *front = header.to_bytes();
        }
        dst.truncate(start + Header::LEN + len);
    }

    /// The most bytes of an inflated body, where a packet on the wire may have `max_in` bytes.
    pub(crate) const fn inflated_limit(&self, max_in: u16) -> u16 {
        let packet = match self.max_inflated {
            Some(bytes) => bytes,
            None => max_in,
        };
        packet.saturating_sub(Header::LEN as u16)
    }

    /// How many bytes a second may be inflated, and how many at once, if that was set.
    #[cfg(feature = "runtime")]
    pub(crate) const fn rate(&self) -> Option<(u32, u32)> {
        self.rate
    }

    /// The compressed body with its length in front, if it is worth it.
    fn smaller<'t>(&self, body: &[u8], tools: &'t mut Tools) -> Option<&'t [u8]> {
        // A longer one is refused by whoever writes it.
        if body.len() < usize::from(self.threshold) || body.len() > Header::MAX_BODY {
            return None;
        }
        let most = LENGTH + get_maximum_output_size(body.len());
        if tools.packed.len() < most {
            tools.packed.resize(most, 0);
        }
        let (front, block) = tools.packed.split_first_chunk_mut::<LENGTH>()?;
        *front = u32::try_from(body.len()).ok()?.to_le_bytes();
        let len = LENGTH + compress_into_with_table(body, block, &mut tools.table).ok()?;
        // WIRE §9: "A sender MUST NOT compress a body that does not become smaller".
        if len < body.len() { tools.packed.get(..len) } else { None }
    }
}

impl Default for Compress {
    fn default() -> Self {
        Self::new()
    }
}

/// What a compressed body says of itself, as far as it can be true.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    len: u32,
    block: &'a [u8],
}

impl<'a> Claim<'a> {
    /// Judges a compressed body without inflating it.
    pub(crate) fn read(body: &'a [u8], max: u16) -> Result<Self, InflateError> {
        let (len, block) = body.split_first_chunk().ok_or(InflateError::NoLength)?;
        let claimed = u32::from_le_bytes(*len);
        let max = u32::from(max);
        // WIRE §9: "It MUST refuse a length over its limit, and one of more than 255 times the block's, before it makes
        // memory for it."
        if claimed > max {
            return Err(InflateError::TooLarge { claimed, max });
        }
        let have = u32::try_from(block.len()).unwrap_or(u32::MAX);
        if claimed > have.saturating_mul(255) {
            return Err(InflateError::Impossible { claimed, have });
        }
        Ok(Self { len: claimed, block })
    }

    /// How many bytes it says it inflates to.
    #[cfg(feature = "runtime")]
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }
}

/// Calls `then` with the inflated body.
pub(crate) fn inflated<T>(claim: Claim<'_>, then: impl FnOnce(&[u8]) -> T) -> Result<T, InflateError> {
    let len = claim.len as usize;
    with_tools(|tools| {
        if tools.inflated.len() < len {
            tools.inflated.resize(len, 0);
        }
        let room = tools.inflated.get_mut(..len).unwrap_or_default();
        match decompress_into(claim.block, room) {
            Ok(is) if is == len => Ok(then(room)),
            Ok(is) => Err(InflateError::WrongLength {
                claimed: claim.len,
                is: u32::try_from(is).unwrap_or(u32::MAX),
            }),
            Err(_) => Err(InflateError::Damaged),
        }
    })
}

/// Memory to compress and inflate with.
#[derive(Default)]
struct Tools {
    packed: Vec<u8>,
    inflated: Vec<u8>,
    table: CompressTable,
}

/// Lends the thread's own. They are taken out of it meanwhile: what reads an inflated body may be anybody's code, which may
/// compress another.
fn with_tools<T>(work: impl FnOnce(&mut Tools) -> T) -> T {
    let mut tools = TOOLS.take().unwrap_or_default();
    let result = work(&mut tools);
    TOOLS.set(Some(tools));
    result
}

thread_local! {
    static TOOLS: Cell<Option<Box<Tools>>> = const { Cell::new(None) };
}

/// The length in front of a compressed body.
const LENGTH: usize = 4;
